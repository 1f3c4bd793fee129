//! How far the import of a feed has come.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Format, RowFault};

/// The most faults of rows that are kept of one import.
pub const MOST_FAULTS: usize = 100;

/// The longest id, name of a column or detail that is kept of a fault, in bytes.
const LONGEST_NAME: usize = 200;

/// Where a feed comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It is fetched from here.
    Url(String),
    /// It was sent along, and lies in so many parts beside the import.
    Body(u32),
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It has not begun.
    Waiting,
    /// It is being worked on.
    Running,
    /// Every row was taken in or named.
    Done,
    /// It cannot go on; what was taken in before that holds.
    Failed,
}

/// An import of a feed, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// What it is known by.
    pub id: String,
    /// Where the feed comes from.
    pub origin: Origin,
    /// What it is.
    pub format: Format,
    /// The encoding that came along with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// Whether the feed is all that the shop has, so that a product that is not in it
    /// cannot be had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub complete: bool,
    /// When it was asked for. What the feed says counts as said then.
    pub created_at: Timestamp,
    /// What it is doing.
    pub stage: Stage,
    /// When its end was written down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it failed, or what was left undone, in words for the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often it was begun or gone on with since it last came further.
    #[serde(default)]
    pub tries: u32,
    /// What the server said the file is, so that it is noticed if it is exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validator: Option<String>,
    /// What became of the rows.
    #[serde(default)]
    pub counts: Counts,
    /// What was wrong with the first rows at fault.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<RowFault>,
    /// Columns or elements that nothing was made of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignored: BTreeSet<String>,
}

/// What became of the rows of a feed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Rows that were gone through, categories included.
    pub rows: u64,
    /// Products that were not known.
    pub created: u64,
    /// Products of which something was new.
    pub changed: u64,
    /// Products that were known as they are.
    pub unchanged: u64,
    /// Categories.
    pub categories: u64,
    /// Rows that could not be taken in.
    pub faulty: u64,
    /// Products that a complete feed does not have, and that cannot be had for that.
    pub missing: u64,
}

impl Import {
    /// An import that is asked for now.
    #[must_use]
    pub fn new(id: String, origin: Origin, format: Format, charset: Option<String>, now: Timestamp) -> Self {
        Self {
            id,
            origin,
            format,
            charset,
            complete: false,
            created_at: now,
            stage: Stage::Waiting,
            ended_at: None,
            reason: None,
            tries: 0,
            validator: None,
            counts: Counts::default(),
            faults: Vec::new(),
            ignored: BTreeSet::new(),
        }
    }

    /// Notes what was wrong with a row. Of what is wrong with many the first are kept.
    /// Of what is too long to be an id or a name nothing is kept.
    pub fn fault(&mut self, fault: RowFault) {
        if self.faults.len() < MOST_FAULTS {
            let id = fault.id.filter(|id| id.len() <= LONGEST_NAME);
            let column = fault.column.filter(|column| column.len() <= LONGEST_NAME);
            let detail = fault.detail.chars().take(LONGEST_NAME).collect();
            self.faults.push(RowFault { line: fault.line, id, column, detail });
        }
    }

    /// Forgets what was gone through: the feed is read from its beginning.
    pub fn start_over(&mut self) {
        (self.counts, self.faults, self.ignored) = (Counts::default(), Vec::new(), BTreeSet::new());
    }

    /// Whether there is nothing more to do.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Done | Stage::Failed)
    }
}
