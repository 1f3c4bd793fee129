//! Who is in a segment, and how many.

use std::collections::BTreeMap;

use campaigns::{Edition, EditionOf, Editions, Membership};
use domain::{Code, CustomerId, Fault};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Customers, Kind as Defined, List};

use crate::{Manage, csv, not_found};

/// How long before the function is stopped nothing more is begun.
const TO_SPARE: SignedDuration = SignedDuration::from_secs(3);

/// How many rows a page of the table has unless the caller asks for another number, and how
/// many it may have.
const USUAL_ROWS: usize = 1_000;
const MOST_ROWS: usize = 5_000;

/// The most bytes of such a page, as they stand in the function's answer, which may have
/// 6 MB.
const MOST_BYTES: usize = 5_000_000;

/// How many members are read at a time.
const AT_ONCE: usize = 500;

/// How far back the size of a segment is shown unless the caller says, and of how many days
/// at most.
const DAYS_SHOWN: i32 = 90;
const MOST_DAYS: i32 = 400;

/// Which list of a segment's members is to be gone by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Members {
    /// None before the first work has begun that finds them.
    edition: Option<EditionOf>,
    /// The first edition of the segment, under which its sizes are kept.
    first: Option<EditionOf>,
    /// Whether all were found that there were.
    complete: bool,
}

/// A member of a segment, and since when and why they are.
type Member = (CustomerId, Membership);

impl Members {
    fn of(editions: &Editions, code: &Code) -> Option<Self> {
        let first = editions.serving.get(code).map(|edition| (code.clone(), edition.first));
        let serving = editions.serving.get(code).map(|edition| edition.number);
        let building = editions.building.as_ref().filter(|building| building.segments.contains_key(code));
        let number = serving.or(building.map(|building| building.number));
        let edition = number.map(|number| (code.clone(), number));
        let is_known = edition.is_some() || editions.waiting.contains(code);
        is_known.then_some(Self { edition, first, complete: serving.is_some() })
    }
}

impl Manage {
    /// A page of those who are in a segment.
    pub(crate) async fn list_members(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let page = request.page(Customers::is_listed_place)?;
        let read = async |lists: &[Members; 1]| self.page_of_members(&lists[0], &page, request).await;
        let ([members], (found, next)) = self.while_kept([&code], read).await?;
        let items: Vec<Value> =
            found.iter().map(|(id, membership)| json!({ "id": id, "since": membership.since })).collect();
        Ok(Response::paged(json!({ "items": items, "complete": members.complete }), next.as_deref()))
    }

    /// A page of the same as a table with what is known of each. Only the first has the names
    /// of the columns, so that all of them, one behind the other, are one file.
    pub(crate) async fn export_members(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let page = request.page_of(USUAL_ROWS, MOST_ROWS, Customers::is_listed_place)?;
        let (_, (rows, next)) =
            self.while_kept([&code], async |lists| self.page_of_rows(&lists[0], &page, request).await).await?;
        let (media_type, header) = match page.after {
            None => (csv::WITH_HEADER, csv::header()),
            Some(_) => (csv::WITHOUT_HEADER, String::new()),
        };
        Ok(Response::new(200, media_type, header + &rows).with_next(request, page.limit, next.as_deref()))
    }

    /// How many are in a segment, and how many were on the days before.
    pub(crate) async fn size(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let now = self.clock.now();
        let usual = now.to_zoned(TimeZone::UTC).date().saturating_sub(DAYS_SHOWN.days());
        let from = match request.query("from") {
            None => usual,
            Some(from) => {
                from.parse::<Date>().map_err(|_| vec![Fault::new("?from", "must be a date, such as 2026-11-22")])?
            }
        };
        let count = async |lists: &[Members; 1]| match &lists[0].edition {
            Some(edition) => Ok(Some(self.customers.count_members(edition, || self.has_time(request)).await?)),
            None => Ok(None),
        };
        let ([members], counted) = self.while_kept([&code], count).await?;
        let over_time = match &members.first {
            Some(first) => self.sizes.sizes(first, from, MOST_DAYS).await?,
            None => Vec::new(),
        };
        let over_time: Vec<Value> =
            over_time.into_iter().map(|(day, members)| json!({ "day": day, "members": members })).collect();
        Ok(Response::json(
            200,
            &json!({
                "members": counted.map_or(0, |counted| counted.of[0]),
                "exact": counted.is_some_and(|counted| counted.exact),
                "complete": members.complete,
                "as_of": now,
                "over_time": over_time,
            }),
        ))
    }

    /// How many are in one segment, in another, and in both.
    pub(crate) async fn overlap(&self, request: &Request) -> Result<Response, Failure> {
        let code = request.path("code", Code::parse)?;
        let other = request.path("other", Code::parse)?;
        let count = async |lists: &[Members; 2]| match lists.each_ref().map(|members| members.edition.as_ref()) {
            [Some(first), Some(second)] => {
                Ok(Some(self.customers.overlap(first, second, || self.has_time(request)).await?))
            }
            _ => Ok(None),
        };
        let (lists, counted) = self.while_kept([&code, &other], count).await?;
        let [first, second, both] = counted.map_or([0; 3], |counted| counted.of);
        Ok(Response::json(
            200,
            &json!({
                "first": first,
                "second": second,
                "both": both,
                "only_first": first - both,
                "only_second": second - both,
                "exact": counted.is_some_and(|counted| counted.exact),
                "complete": lists.iter().all(|members| members.complete),
            }),
        ))
    }

    /// All segments that a customer is in.
    pub(crate) async fn segments_of(&self, request: &Request) -> Result<Response, Failure> {
        let id = self.known_customer(&request.path("id", CustomerId::parse)?).await?.id;
        let serving = async || Ok(self.definitions.editions().await?.0.serving);
        let read = async |_: &BTreeMap<Code, Edition>| Ok(self.customers.segments(&id).await?);
        let (serving, kept) = while_the_same(serving, read).await?;
        let serves = |(code, number): &EditionOf| serving.get(code).is_some_and(|edition| edition.number == *number);
        let items: Vec<Value> = kept
            .iter()
            .filter(|(edition, membership)| membership.is_in && serves(edition))
            .map(|((code, _), membership)| {
                let mut shown = shown(membership);
                shown["segment"] = json!(code);
                shown
            })
            .collect();
        Ok(Response::json(200, &json!({ "customer_id": id, "items": items })))
    }

    /// Whether a customer is in a segment as it is kept: null before its members are being
    /// found.
    pub(crate) async fn member(&self, code: &Code, id: &CustomerId) -> Result<Value, Failure> {
        let ids = [id.clone()];
        let read = async |lists: &[Members; 1]| match &lists[0].edition {
            Some(edition) => Ok(self.customers.memberships(edition, &ids).await?.remove(id)),
            None => Ok(None),
        };
        let ([members], membership) = self.while_kept([code], read).await?;
        let mut shown = match (membership, members.edition) {
            (_, None) => return Ok(Value::Null),
            (Some(membership), _) => shown(&membership),
            (None, Some(_)) => json!({ "is_in": false, "since": null, "by": null, "by_in_words": null }),
        };
        shown["complete"] = json!(members.complete);
        Ok(shown)
    }

    /// Reads lists of members by the editions that are to be gone by.
    async fn while_kept<T, const N: usize>(
        &self,
        codes: [&Code; N],
        read: impl AsyncFn(&[Members; N]) -> Result<T, Failure>,
    ) -> Result<([Members; N], T), Failure> {
        while_the_same(async || self.lists(codes).await, read).await
    }

    async fn lists<const N: usize>(&self, codes: [&Code; N]) -> Result<[Members; N], Failure> {
        let (editions, _) = self.definitions.editions().await?;
        let mut lists = codes.map(|code| Members::of(&editions, code));
        for (list, code) in lists.iter_mut().zip(codes) {
            // One that was saved before any was kept: nobody is found in it before it is saved
            // again, be it as it is.
            if list.is_none() && self.definitions.get::<Value>(Defined::Segment, code.as_str()).await?.is_some() {
                *list = Some(Members::default());
            }
        }
        if lists.iter().any(Option::is_none) {
            return Err(not_found("segment").into());
        }
        Ok(lists.map(Option::unwrap_or_default))
    }

    async fn page_of_members(
        &self,
        members: &Members,
        page: &lambda::http::Page,
        request: &Request,
    ) -> Result<(Vec<Member>, Option<String>), Failure> {
        let mut found = Vec::new();
        let mut after = page.after.clone();
        loop {
            let (some, next) = self.some_members(members, after.as_deref(), page.limit - found.len()).await?;
            found.extend(some);
            after = next;
            if after.is_none() || found.len() >= page.limit || !self.has_time(request) {
                return Ok((found, after));
            }
        }
    }

    async fn page_of_rows(
        &self,
        members: &Members,
        page: &lambda::http::Page,
        request: &Request,
    ) -> Result<(String, Option<String>), Failure> {
        let (mut rows, mut written, mut bytes) = (String::new(), 0, 0);
        let mut after = page.after.clone();
        loop {
            let wanted = (page.limit - written).min(AT_ONCE);
            let (some, next) = self.some_members(members, after.as_deref(), wanted).await?;
            let ids: Vec<CustomerId> = some.iter().map(|(id, _)| id.clone()).collect();
            let known = self.customers.profiles(&ids).await?;
            for (id, membership) in some {
                let Some(customer) = known.get(&id) else { continue };
                let row = csv::member(customer, membership.since);
                bytes += json!(row).to_string().len();
                if bytes > MOST_BYTES && written > 0 {
                    return Ok((rows, after));
                }
                rows.push_str(&row);
                written += 1;
                after = Some(Customers::listed_behind(&id));
            }
            after = next;
            if after.is_none() || written >= page.limit || !self.has_time(request) {
                return Ok((rows, after));
            }
        }
    }

    /// Some of the members of a list, and the place behind them. Whom the index still names
    /// and who is in it no more is left out.
    async fn some_members(
        &self,
        members: &Members,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Member>, Option<String>), Failure> {
        let Some(edition) = &members.edition else { return Ok((Vec::new(), None)) };
        let (ids, next) = self.customers.listed(&List::Segment(edition.clone()), after, limit).await?;
        let mut kept: BTreeMap<CustomerId, Membership> = self.customers.memberships(edition, &ids).await?;
        let is_in = |id| Some(kept.remove_entry(&id)?).filter(|(_, membership)| membership.is_in);
        Ok((ids.into_iter().filter_map(is_in).collect(), next))
    }

    pub(crate) fn has_time(&self, request: &Request) -> bool {
        let deadline = request.deadline().and_then(|at| Timestamp::from_millisecond(at.try_into().ok()?).ok());
        deadline.is_none_or(|deadline| self.clock.now() + TO_SPARE < deadline)
    }
}

/// Reads memberships by the editions that are to be gone by. Another edition may take over
/// meanwhile, and what is kept of the one before be forgotten while it is read: then it is
/// read once more.
async fn while_the_same<E: PartialEq, T>(
    editions: impl AsyncFn() -> Result<E, Failure>,
    read: impl AsyncFn(&E) -> Result<T, Failure>,
) -> Result<(E, T), Failure> {
    let mut known = editions().await?;
    loop {
        let found = read(&known).await?;
        let in_force = editions().await?;
        if in_force == known {
            return Ok((known, found));
        }
        known = in_force;
    }
}

fn shown(membership: &Membership) -> Value {
    json!({
        "is_in": membership.is_in,
        "since": membership.since,
        "by": membership.by.name(),
        "by_in_words": membership.by.to_string(),
    })
}
