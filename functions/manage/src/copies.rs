//! Copying who is in a segment to an audience.

use campaigns::{CopyProgress, CopyTally, Segment, SegmentCopy};
use conditions::{Condition, Scope};
use contracts::{Kind, Problem, ScanName};
use domain::{Code, Fault};
use jiff::SignedDuration;
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{CUSTOMER_SHARDS, Kind as Defined, Scan};

use crate::surveys::{id, new_id, progress_of};
use crate::{Manage, not_found};

/// How many copies run at the same time.
const MOST_AT_ONCE: usize = 5;

/// How long the members are counted at most, so that it can be said how far a copy is.
const TO_COUNT: SignedDuration = SignedDuration::from_secs(3);

impl Manage {
    /// Begins to copy a segment's members to an audience. Should the work not get onto the
    /// queue, the schedule finds it.
    pub(crate) async fn begin_copy(&self, request: &Request) -> Result<Response, Failure> {
        let segment = request.path("code", Code::parse)?;
        let audience = SegmentCopy::read(&request.json()?)?;
        if self.definitions.get::<Segment>(Defined::Segment, segment.as_str()).await?.is_none() {
            return Err(not_found("segment").into());
        }
        let is_there = Condition::parse(&json!({ "audience": audience }), &Scope::SEGMENT);
        let is_there = is_there.map_err(|_| vec![Fault::new("/audience", "is no code of an audience")])?;
        self.check_condition("", &is_there).await?;
        let (editions, _) = self.definitions.editions().await?;
        let Some(edition) = editions.serving.get(&segment) else {
            let detail = "its members are not found yet; wait until the segment serves";
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        };
        if self.under_way(|name| matches!(name, ScanName::Copy(_))).await? >= MOST_AT_ONCE {
            let detail = format!("{MOST_AT_ONCE} copies are running; wait for one");
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let begun_at = self.clock.now();
        let has_time = || self.clock.now() < begun_at + TO_COUNT;
        let counted = self.customers.count_members(&(segment.clone(), edition.number), has_time).await?;
        let (first, [members]) = (edition.first, counted.of);
        let copy = SegmentCopy { id: new_id()?, segment, first, audience, begun_at, members };
        let scan = ScanName::Copy(copy.id.clone());
        self.scans.begin::<_, CopyTally>(&scan.to_string(), &copy, CUSTOMER_SHARDS, begun_at).await?;
        self.put_on_queue(&scan, CUSTOMER_SHARDS, SignedDuration::ZERO).await;
        let place = format!("/v1/segments/{}/copies/{}", copy.segment, copy.id);
        let shown = copy.show(&CopyProgress::default(), begun_at);
        Ok(Response::json(202, &shown).with_header("location", place))
    }

    /// How far a copy is.
    pub(crate) async fn get_copy(&self, request: &Request) -> Result<Response, Failure> {
        let segment = request.path("code", Code::parse)?;
        let name = ScanName::Copy(request.path("id", id)?).to_string();
        let scan: Option<Scan<SegmentCopy, CopyTally>> = self.scans.get(&name).await?;
        let scan = scan.filter(|scan| scan.work.segment == segment).ok_or_else(|| not_found("copy"))?;
        let tallies = || scan.parts.values().map(|part| &part.value.tally);
        let through = progress_of(&scan);
        let progress = CopyProgress {
            copied: tallies().map(|tally| tally.copied).sum(),
            stopped: tallies().any(|tally| tally.stopped),
            share: through.share(scan.work.members),
            ended_at: through.ended_at,
        };
        Ok(Response::json(200, &scan.work.show(&progress, self.clock.now())))
    }
}
