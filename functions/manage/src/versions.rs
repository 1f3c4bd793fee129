//! The versions of templates: when each was saved and by whom, and what they differ in.

use domain::{Fault, TemplateId};
use futures::{StreamExt, TryStreamExt};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Change, Kind as Defined};

use crate::differences::differences;
use crate::messages::parameter;
use crate::{Manage, not_found};

/// How many versions are looked up at the same time.
const AT_ONCE: usize = 16;

impl Manage {
    /// A page of a template's versions, the newest first.
    pub(crate) async fn list_versions(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let page = request.page(|place| version(place).is_ok())?;
        let newest = self.newest_version(&id).await?;
        let below = page.after.as_deref().and_then(|place| version(place).ok());
        let below = below.unwrap_or(u64::MAX).min(newest.saturating_add(1));
        let numbers: Vec<u64> = (1..below).rev().take(page.limit).collect();
        let made = futures::stream::iter(&numbers)
            .map(|number| self.definitions.made(Defined::Template, id.as_str(), *number))
            .buffered(AT_ONCE);
        let made: Vec<Option<Change>> = made.try_collect().await?;
        let next = numbers.last().filter(|last| **last > 1).map(u64::to_string);
        Ok(Response::page(made.iter().flatten().map(show).collect(), next.as_deref()))
    }

    /// What a version says otherwise than another: than the one before it, if none is named.
    pub(crate) async fn template_differences(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", TemplateId::parse)?;
        let mut faults: Vec<Fault> = Vec::new();
        let from = parameter(request, "from", version, &mut faults);
        let to = parameter(request, "to", version, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into());
        }
        let to = match to {
            Some(to) => to,
            None => self.newest_version(&id).await?,
        };
        let from = from.unwrap_or(to.saturating_sub(1));
        let (before, after) = (self.kept_version(&id, from).await?, self.kept_version(&id, to).await?);
        let differences = differences(&before, &after);
        Ok(Response::json(200, &json!({ "id": id, "from": from, "to": to, "differences": differences })))
    }

    async fn newest_version(&self, id: &TemplateId) -> Result<u64, Failure> {
        let known = self.definitions.get::<Value>(Defined::Template, id.as_str()).await?;
        Ok(known.ok_or_else(|| not_found("template"))?.version)
    }

    /// A version as it is kept; before the first there was nothing.
    async fn kept_version(&self, id: &TemplateId, version: u64) -> Result<Value, Failure> {
        if version == 0 {
            return Ok(Value::Null);
        }
        let kept = self.definitions.version::<Value>(Defined::Template, id.as_str(), version).await?;
        Ok(kept.ok_or_else(|| not_found("version of the template"))?)
    }
}

/// The number of a version.
pub(crate) fn version(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|version| *version > 0).ok_or("must be a version's number, from 1")
}

fn show(change: &Change) -> Value {
    let mut shown = json!({ "version": change.version, "saved_at": change.at, "change": change.name() });
    if let Some(by) = &change.by {
        shown["by"] = json!(by);
    }
    shown
}
