//! All customers, gone through in the order in which the table keeps them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::operation::scan::builders::ScanFluentBuilder;
use domain::{Code, Customer, CustomerId, Event, Order, sortable};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::row::{PROFILE, owner};
use super::{Customers, KnownContainer, Row, attribute, key};
use crate::memberships::edition_of;
use crate::rows::{self, Item, failed};

/// How many rows one call reads at most; it stops at 1 MB before that if they are large.
const ROWS_AT_ONCE: i32 = 1_000;

/// Which things of each customer are wanted. What is not is passed over without being read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Their orders.
    pub orders: bool,
    /// Their events, those that are meant; none if none is wanted.
    pub events: Option<EventsMeant>,
    /// Their containers, and what is in them.
    pub containers: bool,
}

/// Which of a customer's events are wanted. There may be any number of others: these are not
/// kept in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsMeant {
    /// What they are called; none if that does not matter.
    pub names: Option<BTreeSet<String>>,
    /// Since when; none if however long ago.
    pub since: Option<Timestamp>,
}

/// A customer with all that was wanted of what they did and have. Of somebody who is
/// somebody else by now, or was erased a moment ago, it is what was not yet moved or deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct Scanned {
    /// The id under which they are kept.
    pub id: CustomerId,
    /// The profile; none if nobody has told of them, but of what they did.
    pub customer: Option<Customer>,
    /// All their orders, those taken back among them.
    pub orders: Vec<Order>,
    /// Their events that were meant, in no order.
    pub events: Vec<Event>,
    /// Their containers, each with all its items.
    pub containers: BTreeMap<Code, KnownContainer>,
    /// The audiences in which they are.
    pub audiences: Vec<String>,
    /// Whether anything is kept of their segments.
    pub has_memberships: bool,
    /// The numbers of the editions by which they are in segments, or were.
    pub editions: BTreeSet<u64>,
    /// Whether one of their rows that was wanted cannot be read, and is missing here.
    pub is_broken: bool,
}

/// How far a scan has come: behind this row it goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanPlace {
    customer: String,
    item: String,
}

/// What one call came to.
#[derive(Debug)]
pub struct ScannedPage {
    /// Whole customers, each once.
    pub customers: Vec<Scanned>,
    /// How many rows lie between the place before and this one.
    pub rows: u64,
    /// Where to go on from once these customers are done with; none if that is the beginning.
    pub place: Option<ScanPlace>,
    /// Whether there is no more.
    pub is_last: bool,
}

/// A scan of one part of all customers.
///
/// The rows of a customer lie side by side. One whose rows go on behind the end of a page is
/// held back until they are all there, so that nobody is seen in halves; so it takes a page
/// and one customer of memory, however many there are.
#[derive(Debug)]
pub struct CustomerScan {
    customers: Customers,
    part: i32,
    of: i32,
    kinds: Kinds,
    consistent: bool,
    /// Behind which row the next call goes on.
    behind: Option<Item>,
    /// Behind which row another worker may go on.
    place: Option<ScanPlace>,
    /// A customer of whom there may be more, and the last of their rows so far.
    open: Option<(Scanned, ScanPlace)>,
    /// How many rows were read since the last place.
    rows: u64,
}

impl Customers {
    /// A scan of part `part`, from 0, of `of`, with consistent reads, behind a place that a
    /// scan of the same part has given.
    #[must_use]
    pub fn scan(&self, part: u32, of: u32, after: Option<ScanPlace>, kinds: Kinds) -> CustomerScan {
        CustomerScan {
            customers: self.clone(),
            part: part.cast_signed(),
            of: of.cast_signed(),
            kinds,
            consistent: true,
            behind: after.as_ref().map(ScanPlace::key),
            place: after,
            open: None,
            rows: 0,
        }
    }

    /// About how many rows the table has, of all kinds; as of up to six hours ago.
    ///
    /// # Errors
    /// If the table cannot be looked at.
    pub async fn item_count(&self) -> anyhow::Result<u64> {
        let described = self.db.describe_table().table_name(&self.table).send().await;
        let described = described.map_err(failed("the customers could not be counted"))?;
        let count = described.table.and_then(|table| table.item_count).unwrap_or_default();
        Ok(count.try_into().unwrap_or_default())
    }
}

impl CustomerScan {
    /// The same with reads that may be a moment old, for half the price.
    #[must_use]
    pub(super) fn lagging(mut self) -> Self {
        self.consistent = false;
        self
    }

    /// What the next call comes to: there may be no customer in it, and yet more to come.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn next(&mut self) -> anyhow::Result<ScannedPage> {
        let page = self.call().send().await.map_err(failed("the customers could not be gone through"))?;
        let (mut whole, mut rows_until_place) = (Vec::new(), 0);
        for item in page.items.unwrap_or_default() {
            let Some(at) = ScanPlace::of(&item) else { continue };
            self.rows += 1;
            let id = owner(&at.customer).filter(|id| !id.is_visitor());
            if self.open.as_ref().is_some_and(|(open, _)| id.as_ref() != Some(&open.id)) {
                rows_until_place += std::mem::replace(&mut self.rows, 1) - 1;
                self.close(&mut whole);
            }
            let Some(id) = id else {
                // Of what is nobody's each row stands for itself.
                rows_until_place += std::mem::take(&mut self.rows);
                self.place = Some(at);
                continue;
            };
            let (scanned, last) = self.open.get_or_insert_with(|| (Scanned::new(id), at.clone()));
            *last = at;
            scanned.is_broken |= rows::readable(scanned.take(item, &self.kinds)).is_none();
        }
        self.behind = page.last_evaluated_key;
        let is_last = self.behind.is_none();
        if is_last {
            rows_until_place += std::mem::take(&mut self.rows);
            self.close(&mut whole);
        }
        Ok(ScannedPage { customers: whole, rows: rows_until_place, place: self.place.clone(), is_last })
    }

    fn call(&self) -> ScanFluentBuilder {
        let scan = self.customers.db.scan().table_name(&self.customers.table).consistent_read(self.consistent);
        let scan = scan.segment(self.part).total_segments(self.of).limit(ROWS_AT_ONCE);
        scan.set_exclusive_start_key(self.behind.clone())
    }

    /// Nothing more comes of the customer who is open.
    fn close(&mut self, whole: &mut Vec<Scanned>) {
        if let Some((scanned, last)) = self.open.take() {
            self.place = Some(last);
            whole.push(scanned);
        }
    }
}

impl ScanPlace {
    fn of(item: &Item) -> Option<Self> {
        Some(Self { customer: attribute(item, "customer")?.to_owned(), item: attribute(item, "item")?.to_owned() })
    }

    fn key(&self) -> Item {
        key(&self.customer, &self.item)
    }
}

impl EventsMeant {
    /// Whether the event of this row is not too old.
    fn reach_to(&self, item: &Item) -> bool {
        let moment = attribute(item, "moment");
        self.since.is_none_or(|since| moment.is_none_or(|moment| moment >= sortable(since).as_str()))
    }

    fn names_it(&self, event: &Event) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains(event.name.as_str()))
    }
}

impl Scanned {
    fn new(id: CustomerId) -> Self {
        Self {
            id,
            customer: None,
            orders: Vec::new(),
            events: Vec::new(),
            containers: BTreeMap::new(),
            audiences: Vec::new(),
            has_memberships: false,
            editions: BTreeSet::new(),
            is_broken: false,
        }
    }

    fn take(&mut self, item: Item, kinds: &Kinds) -> anyhow::Result<()> {
        let name = attribute(&item, "item").unwrap_or_default().to_owned();
        let (kind, rest) = name.split_once('#').unwrap_or((&name, ""));
        match kind {
            PROFILE => self.customer = Some(body(item)?),
            "segments" | "segment" => {
                self.has_memberships = true;
                self.editions.extend(edition_of(&name).map(|(_, number)| number));
            }
            "audience" => self.audiences.push(rest.to_owned()),
            "order" if kinds.orders => self.orders.push(body(item)?),
            "event" => {
                let meant = kinds.events.as_ref().filter(|meant| meant.reach_to(&item));
                let event: Option<Event> = meant.map(|_| body(item)).transpose()?;
                let is_named = |event: &Event| meant.is_some_and(|meant| meant.names_it(event));
                self.events.extend(event.filter(is_named));
            }
            "container" | "item" if kinds.containers => {
                let code = Code::parse(rest.split_once('#').map_or(rest, |(code, _)| code));
                let code = code.map_err(|_| anyhow::anyhow!("a row names no container"))?;
                self.containers.entry(code).or_default().take(rows::decode(item)?)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn body<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    rows::parse(&rows::decode::<Row>(item)?.body)
}

#[cfg(test)]
mod tests {
    use domain::{EventId, EventKind};
    use serde_json::Map;

    use super::*;
    use crate::customers::events::event_row;

    #[test]
    fn only_events_that_are_meant_are_kept_and_of_old_ones_none_is_read() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let since = at("2026-05-01T12:00:00.5Z");
        let id = CustomerId::parse("c").unwrap();
        let row = |name: &str, at: Timestamp| {
            let event = Event {
                id: EventId::parse(&format!("{name}-{at}")).unwrap(),
                customer_id: Some(id.clone()),
                name: Code::parse(name).unwrap(),
                kind: EventKind::Event,
                at,
                source: None,
                session_id: None,
                context: Map::new(),
            };
            rows::encode(&event_row(&event, since).unwrap()).unwrap()
        };
        let mut unreadable = row("seen", at("2026-05-01T12:00:00.4Z"));
        unreadable.insert("body".into(), rows::text("{}"));
        let found = |meant: Option<EventsMeant>| {
            let kinds = Kinds { events: meant, ..Kinds::default() };
            let mut scanned = Scanned::new(id.clone());
            for item in
                [row("seen", since), row("told", since), row("told", at("2026-04-30T12:00:00Z")), unreadable.clone()]
            {
                scanned.is_broken |= rows::readable(scanned.take(item, &kinds)).is_none();
            }
            (scanned.events.iter().map(|event| event.name.to_string()).collect::<Vec<_>>(), scanned.is_broken)
        };
        let named = |name: &str| Some(BTreeSet::from([name.to_owned()]));
        assert_eq!(found(None), (vec![], false));
        assert_eq!(found(Some(EventsMeant { names: named("seen"), since: Some(since) })), (vec!["seen".into()], false));
        assert_eq!(found(Some(EventsMeant { names: named("told"), since: None })).0.len(), 2);
        assert_eq!(found(Some(EventsMeant::default())), (vec!["seen".into(), "told".into(), "told".into()], true));
    }
}
