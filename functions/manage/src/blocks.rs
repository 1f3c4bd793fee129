//! A template's conditions: whom its messages are not meant for.

use campaigns::{ignore_words, read_condition};
use conditions::Scope;
use domain::Fault;
use domain::read::{self, Faults, Reader};
use mail::Judged;
use serde_json::{Value, json};
use templates::Block;

use crate::Manage;

/// The most of a template.
const MOST_BLOCKS: usize = 20;

/// The conditions of a template as its author wrote them.
pub(crate) fn read_blocks(reader: &mut Reader<'_>) -> Vec<Block> {
    reader.list("block", MOST_BLOCKS, |mut reader| {
        let when = read_condition(&mut reader, "when", Scope::ALL.roots);
        if reader.is_object() && reader.raw("when").is_none() {
            reader.fault("when", "is required");
        }
        let reason = reader.required("reason", read::short);
        ignore_words(&mut reader, "in_words");
        reader.finish()?;
        match (when, reason) {
            (Some(when), Some(reason)) => Ok(Block { when, reason }),
            _ => Err(Vec::new()),
        }
    })
}

/// Puts beside each condition of a template that is shown what it says in plain English.
pub(crate) fn put_words(shown: &mut Value, blocks: &[Block]) {
    for (index, block) in blocks.iter().enumerate() {
        shown["block"][index]["in_words"] = json!(block.when.to_string());
    }
}

/// What a template's condition says of a message that a preview is of.
pub(crate) fn show_judged(judged: &Judged) -> Value {
    let mut shown = json!({ "reason": judged.reason, "in_words": judged.in_words });
    if let Some((holds, why)) = &judged.found {
        shown["holds"] = json!(holds);
        shown["why_in_words"] = json!(why.to_string());
    }
    shown
}

/// Where one of a template's conditions stands.
pub(crate) fn place(index: usize) -> String {
    format!("/block/{index}/when")
}

impl Manage {
    /// What a template's conditions ask that nobody can answer by the shop's dictionary as it
    /// stands.
    pub(crate) async fn unanswerable(&self, blocks: &[Block]) -> anyhow::Result<Faults> {
        if blocks.is_empty() {
            return Ok(Vec::new());
        }
        let answerable = self.answerable().await?;
        let misfits = blocks.iter().enumerate();
        let misfits = misfits.flat_map(|(index, block)| answerable.misfits(&place(index), &block.when));
        let mut faults: Faults = misfits.collect();
        // Whoever sends asks them all at once.
        if faults.is_empty() && !answerable.fits_together(blocks) {
            faults.push(Fault::new("/block", "asks, in all its conditions together, more than can be answered"));
        }
        Ok(faults)
    }
}
