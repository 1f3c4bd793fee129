//! Where the finding of segments' members stands, and holding it for a while.

use campaigns::{Building, Editions, Segment, expected};
use contracts::{Kind, Problem, ScanName};
use domain::Code;
use lambda::http::{Failure, Request, Response};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use store::{Kind as Defined, Scan, Written};

use crate::surveys::progress_of;
use crate::{Manage, not_found};

impl Manage {
    /// The segments, each with where it stands.
    pub(crate) async fn list_segments(&self, request: &Request) -> Result<Response, Failure> {
        let (heads, next) = self.heads(Defined::Segment, request).await?;
        let (editions, _) = self.definitions.editions().await?;
        let progress = self.progress(&editions).await?;
        let items = heads.iter().map(|head| {
            let mut item = json!({ "id": head.id, "version": head.version });
            if let Ok(code) = Code::parse(&head.id) {
                put_standing(&mut item, &editions, &code, &progress);
            }
            item
        });
        Ok(Response::page(items.collect(), next.as_deref()))
    }

    /// A segment as it was saved, and where it stands.
    pub(crate) async fn show_segment(&self, segment: &Segment, version: u64) -> Result<Response, Failure> {
        let mut shown = segment.show();
        shown["version"] = json!(version);
        let (editions, _) = self.definitions.editions().await?;
        let progress = self.progress(&editions).await?;
        put_standing(&mut shown, &editions, &segment.code, &progress);
        Ok(Response::json(200, &shown))
    }

    /// Stops the work that finds a segment's members, or has it go on. It is one work for
    /// all segments that are built together.
    pub(crate) async fn pause_segment(&self, request: &Request, paused: bool) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("segment"))?;
        let building = loop {
            let (mut editions, read) = self.definitions.editions().await?;
            let is_part = |building: &&mut Building| building.segments.contains_key(&code);
            let Some(building) = editions.building.as_mut().filter(is_part) else {
                let detail = "its members are not being found: there is nothing to pause or to resume";
                return Err(Problem::new(Kind::Conflict).because(detail).into());
            };
            let is_so = std::mem::replace(&mut building.paused, paused) == paused;
            let building = building.clone();
            if is_so || self.definitions.move_editions(&editions, read).await? == Written::Done {
                break building;
            }
        };
        if !paused {
            self.hasten(&building).await;
        }
        self.show_segment(&known.value, known.version).await
    }
}

impl Manage {
    /// How far the work is that finds members, if there is any.
    async fn progress(&self, editions: &Editions) -> anyhow::Result<Value> {
        let Some(building) = &editions.building else { return Ok(Value::Null) };
        let name = ScanName::Segments(building.number).to_string();
        let scan: Option<Scan<IgnoredAny, IgnoredAny>> = self.scans.get(&name).await?;
        let Some(scan) = scan else { return Ok(json!({ "customers": 0, "failed": 0, "share": "0", "done_by": null })) };
        let customers: u64 = scan.parts.values().map(|part| part.value.customers).sum();
        let progress = progress_of(&scan);
        let share = progress.share(self.customers.item_count().await?);
        let done_by = expected(building.since, self.clock.now(), share).filter(|_| !building.paused);
        Ok(json!({
            "customers": customers,
            "failed": progress.failed,
            "share": share.normalize().to_string(),
            "done_by": done_by,
        }))
    }
}

/// Where a segment stands: by which version it serves, which is being built, and whether
/// another waits to be.
fn put_standing(shown: &mut Value, editions: &Editions, code: &Code, progress: &Value) {
    let building = editions.building.as_ref().and_then(|building| {
        Some(json!({
            "version": building.segments.get(code)?,
            "number": building.number,
            "since": building.since,
            "paused": building.paused,
            "progress": progress,
        }))
    });
    shown["serving"] = json!(editions.serving.get(code).map(|edition| json!({ "version": edition.version })));
    shown["building"] = json!(building);
    shown["waiting"] = json!(editions.waiting.contains(code));
}
