//! Who changed what and when, and who uploaded codes or asked for a test.

use campaigns::{Campaign, Mailing, Segment};
use domain::dictionary::Word;
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Change, Kind as Defined};

use crate::differences::differences;
use crate::{Manage, not_found};

impl Manage {
    /// The edits of what the shop has defined and of keys, newest first.
    pub(crate) async fn list_changes(&self, request: &Request) -> Result<Response, Failure> {
        let page = request.page(Change::is_name)?;
        // One more than fit on the page tell whether it is the last.
        let mut changes = self.definitions.changes(page.after.as_deref(), page.limit + 1).await?;
        let more = changes.len() > page.limit;
        changes.truncate(page.limit);
        let next = changes.last().filter(|_| more).map(Change::name);
        Ok(Response::page(changes.iter().map(show).collect(), next.as_deref()))
    }

    /// One edit, with what was before and after it, and what differs; or what else was done.
    pub(crate) async fn get_change(&self, request: &Request) -> Result<Response, Failure> {
        let name = request
            .path("id", |name| if Change::is_name(name) { Ok(name.to_owned()) } else { Err("is no id of a change") })?;
        let change = self.definitions.change(&name).await?.ok_or_else(|| not_found("change"))?;
        let (before, after) = self.definitions.before_and_after(&change).await?;
        let as_shown = |kept: Option<Value>| kept.map_or(Ok(Value::Null), |kept| defined(change.kind, kept));
        let (before, after) = (as_shown(before)?, as_shown(after)?);
        let mut shown = show(&change);
        if change.done.is_none() {
            shown["differences"] = differences(&before, &after).into();
        }
        for (key, value) in [("before", before), ("after", after)] {
            if !value.is_null() {
                shown[key] = value;
            }
        }
        Ok(Response::json(200, &shown))
    }
}

fn show(change: &Change) -> Value {
    let (kind, code) = change.subject();
    let mut shown =
        json!({ "id": change.name(), "at": change.at, "kind": kind, "code": code, "version": change.version });
    if let Some(by) = &change.by {
        shown["by"] = json!(by);
    }
    if let Some(done) = &change.done {
        (shown["did"], shown["count"]) = (json!(done.what.as_str()), json!(done.count));
    }
    shown
}

/// A kept definition as the API shows it, without what is made of it.
fn defined(kind: Defined, kept: Value) -> anyhow::Result<Value> {
    Ok(match kind {
        Defined::Template | Defined::Partial | Defined::Attachment | Defined::PromoGroup | Defined::Key => kept,
        Defined::Campaign => serde_json::from_value::<Campaign>(kept)?.definition(),
        Defined::Mailing => serde_json::from_value::<Mailing>(kept)?.definition(),
        Defined::Segment => serde_json::from_value::<Segment>(kept)?.definition(),
        Defined::Word => contracts::dictionary::show(&serde_json::from_value::<Word>(kept)?),
    })
}
