//! Segments: conditions with a name.

use std::fmt;

use campaigns::{Campaign, Mailing, Segment, Stage};
use contracts::{Kind, Problem};
use domain::{Code, CustomerId, Fault};
use jiff::{SignedDuration, Timestamp};
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{CUSTOMER_SHARDS, Customers, Deleted, Kind as Defined};

use crate::{Manage, not_found};

/// The most segments: every function that looks at customers keeps them in memory.
const MOST_SEGMENTS: usize = 1_000;

/// How many customers are looked at for one page of members, and how many at a time.
const MOST_LOOKED_AT: usize = 1_000;
const LOOKED_AT: i32 = 50;

/// How long before the function is stopped no more customers are looked at.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(5);

/// How many uses of a segment are listed.
const MOST_USES: usize = 20;

impl Manage {
    pub(crate) async fn put_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let segment = Segment::read(code, &request.json()?)?;
        self.check_condition("/condition", &segment.condition).await?;
        let known = self.definitions.segments().await?;
        if let Some(hindrance) = known.hindrance(segment.code.as_str(), &segment.condition) {
            return Err(vec![Fault::new("/condition", hindrance)].into());
        }
        if known.condition(segment.code.as_str()).is_none() && known.codes().count() >= MOST_SEGMENTS {
            let detail = format!("there are {MOST_SEGMENTS} of them, and no more are kept; delete one first");
            return Err(Problem::new(Kind::Conflict).because(detail).into());
        }
        let version = self.save(request, Defined::Segment, segment.code.as_str(), &segment).await?;
        Ok(shown(&segment, version))
    }

    pub(crate) async fn get_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("segment"))?;
        Ok(shown(&known.value, known.version))
    }

    /// Deletes a segment that nothing asks about.
    pub(crate) async fn delete_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let uses = self.uses_of_segment(code.as_str()).await?;
        if !uses.is_empty() {
            let more = if uses.len() > MOST_USES { ", …" } else { "" };
            let listed = uses.iter().take(MOST_USES).cloned().collect::<Vec<_>>().join(", ");
            return Err(Problem::new(Kind::Conflict).because(format!("it is used by {listed}{more}")).into());
        }
        let definitions = self.definitions.by(request.key_id());
        match definitions.delete(Defined::Segment, code.as_str(), false, self.clock.now()).await? {
            Deleted::Now(_) => Ok(Response::empty()),
            Deleted::Before => Err(not_found("segment").into()),
        }
    }

    /// A page of those who are in a segment now. So many customers are looked at for one
    /// page that it may have fewer than were asked for and not be the last.
    pub(crate) async fn list_members(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let page = request.page(|after| Place::read(after).is_some())?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let condition = known.ok_or_else(|| not_found("segment"))?.value.condition;
        let segments = self.definitions.segments().await?;
        let mut place = page.after.as_deref().and_then(Place::read).or(Some(Place { shard: 0, after: None }));
        let (mut members, mut looked_at) = (Vec::new(), 0);
        let deadline = request.deadline().and_then(|at| Timestamp::from_millisecond(at.try_into().ok()?).ok());
        let has_time = || deadline.is_none_or(|deadline| self.clock.now() + TO_SPARE < deadline);
        while let Some(at) = place.take_if(|_| members.len() < page.limit && looked_at < MOST_LOOKED_AT && has_time()) {
            let (customers, next) = self.customers.page(at.shard, at.after.as_deref(), LOOKED_AT).await?;
            looked_at += customers.len();
            members.extend(self.history.those_who(&condition, &segments, customers, self.clock.now()).await?);
            if members.len() > page.limit {
                // The next page goes on behind the last who fits on this one.
                members.truncate(page.limit);
                let after = members.last().map(Customers::place_behind);
                place = Some(Place { shard: at.shard, after });
                break;
            }
            place = match next {
                Some(after) => Some(Place { shard: at.shard, after: Some(after) }),
                None => Some(Place { shard: at.shard + 1, after: None }).filter(|at| at.shard < CUSTOMER_SHARDS),
            };
        }
        let items = members.iter().map(|id| json!({ "id": id })).collect();
        Ok(Response::page(items, place.map(|place| place.to_string()).as_deref()))
    }

    /// Whether a customer is in a segment, and why, or why not.
    pub(crate) async fn why_in_segment(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let customer_id = request.path("id", CustomerId::parse)?;
        let known = self.definitions.get::<Segment>(Defined::Segment, code.as_str()).await?;
        let known = known.ok_or_else(|| not_found("segment"))?;
        let mut shown = self.explained(&known.value.condition, &customer_id).await?;
        shown["segment"] = json!(code);
        shown["version"] = json!(known.version);
        Ok(Response::json(200, &shown))
    }

    /// Where a segment is asked about. A mailing that is over no longer needs it.
    async fn uses_of_segment(&self, code: &str) -> anyhow::Result<Vec<String>> {
        let mut uses = Vec::new();
        for segment in self.definitions.list::<Segment>(Defined::Segment).await? {
            if segment.value.condition.segments().contains(&code) {
                uses.push(format!("segment {:?}", segment.value.code.as_str()));
            }
        }
        for campaign in self.definitions.list::<Campaign>(Defined::Campaign).await? {
            if campaign.value.filter.as_ref().is_some_and(|filter| filter.segments().contains(&code)) {
                uses.push(format!("campaign {:?}", campaign.value.id.as_str()));
            }
        }
        for mailing in self.definitions.list::<Mailing>(Defined::Mailing).await? {
            if mailing.value.audience.as_ref().is_some_and(|audience| audience.segments().contains(&code)) {
                let progress = self.mailings.progress(&mailing.value.id).await?;
                if progress.is_none_or(|progress| progress.value.stage != Stage::Sent) {
                    uses.push(format!("mailing {:?}", mailing.value.id.as_str()));
                }
            }
        }
        Ok(uses)
    }
}

/// Where a page of customers begins.
struct Place {
    shard: u32,
    /// The last customer of the shard that was looked at.
    after: Option<String>,
}

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (shard, after) = text.split_once(' ').map_or((text, None), |(shard, after)| (shard, Some(after)));
        let shard = shard.parse().ok().filter(|shard| *shard < CUSTOMER_SHARDS)?;
        let is_place = after.is_none_or(Customers::is_place);
        is_place.then(|| Self { shard, after: after.map(str::to_owned) })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(after) => write!(f, "{} {after}", self.shard),
            None => write!(f, "{}", self.shard),
        }
    }
}

fn shown(segment: &Segment, version: u64) -> Response {
    let mut shown = segment.show();
    shown["version"] = json!(version);
    Response::json(200, &shown)
}
