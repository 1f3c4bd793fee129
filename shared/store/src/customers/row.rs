//! The rows of the customers table: their keys, and what stands beside a body.

use campaigns::EditionOf;
use domain::{Code, CustomerId, EventId, OrderId, RunId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::CUSTOMER_SHARDS;
use crate::rows::{self, Item, text};

/// How long an anonymous visitor's history is kept.
const ANONYMOUS_HISTORY: SignedDuration = SignedDuration::from_hours(60 * 24);

pub(crate) const PROFILE: &str = "profile";
pub(crate) const POINTER: &str = "pointer";
pub(crate) const PLACES: &str = "places";
pub(crate) const SUPPRESSION: &str = "suppression";
pub(crate) const IDENTITY: &str = "identity";

/// In how many partitions events are kept that are about nobody in particular. A whole
/// shop tells of them: one partition takes a thousand writes a second and, for its
/// index by time, holds no more than 10 GB.
pub(crate) const EVERYBODY_PARTS: u32 = 16;

/// A row that holds a domain object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) customer: String,
    pub(crate) item: String,
    pub(crate) body: String,
    pub(crate) version: u64,
    /// When it was taken in, by our own clock.
    pub(crate) written: Timestamp,
    /// On profiles only: makes them findable without a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shard: Option<String>,
    /// On profiles only: the fingerprints of the contacts by which they are found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) contacts: Vec<String>,
    /// On events only: when it happened, as text that sorts as time does; of an event
    /// about nobody in particular, with its id, so that no two have the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moment: Option<String>,
    /// In which list of customers the row stands: who viewed or holds a product, who
    /// is in an audience or a segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listed: Option<String>,
    /// On rows that came from somebody who is this customer now: from whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<Moved>,
    /// On memberships in segments and on containers only: the change that came with what
    /// the row says, of which campaigns may hear; none with what was only found out, and
    /// none with an empty container that was emptied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) news: Option<String>,
    /// When DynamoDB may delete the row, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
}

/// From whom a row came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Moved {
    /// From an anonymous visitor, of whom nobody had heard before.
    FromVisitor,
    /// From another customer, whose changes were heard of then.
    FromCustomer,
}

impl Row {
    /// A row of this customer's.
    pub(crate) fn new(
        owner: &CustomerId,
        item: String,
        value: &impl Serialize,
        read: Option<u64>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let expires = owner.is_visitor().then(|| (now + ANONYMOUS_HISTORY).as_second());
        Ok(Self { expires, ..Self::of_nobody(partition(owner), item, value, read, now)? })
    }

    pub(crate) fn of_nobody(
        customer: String,
        item: String,
        value: &impl Serialize,
        read: Option<u64>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            customer,
            item,
            body: rows::body(value)?,
            version: read.unwrap_or(0) + 1,
            written: now,
            shard: None,
            contacts: Vec::new(),
            moment: None,
            listed: None,
            moved: None,
            news: None,
            expires: None,
        })
    }

    pub(crate) fn has_expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now.as_second())
    }
}

/// The customer whose partition this is.
pub(crate) fn owner(partition: &str) -> Option<CustomerId> {
    partition.strip_prefix("customer#").and_then(|id| CustomerId::parse(id).ok())
}

pub(crate) fn partition(id: &CustomerId) -> String {
    format!("customer#{id}")
}

/// The partition of the events about nobody in particular in which this one is, however
/// often and for whatever time it is told.
pub(crate) fn everybody_of(id: &EventId) -> String {
    everybody(rows::part(id.as_str(), EVERYBODY_PARTS))
}

pub(crate) fn everybody(part: u32) -> String {
    format!("everybody#{part}")
}

pub(crate) fn run_item(id: &RunId) -> String {
    format!("run#{id}")
}

pub(crate) fn order_item(id: &OrderId) -> String {
    format!("order#{id}")
}

/// Where what was said of an order is kept; everything said of it begins with this.
pub(crate) fn sayings(id: &OrderId) -> String {
    format!("said#{id}#")
}

pub(crate) fn event_item(id: &EventId) -> String {
    format!("event#{id}")
}

pub(crate) fn container_item(code: &Code) -> String {
    format!("container#{code}")
}

/// Where the items of a container are kept; each begins with this.
pub(crate) fn items(code: &Code) -> String {
    format!("item#{code}#")
}

pub(crate) fn item_item(code: &Code, product_id: &str) -> String {
    format!("item#{code}#{product_id}")
}

pub(crate) fn audience_item(code: &Code) -> String {
    format!("audience#{code}")
}

/// Where a customer notes whom else they were known as.
pub(crate) fn alias_item(id: &CustomerId) -> String {
    format!("alias#{id}")
}

pub(crate) fn key(partition: impl Into<String>, item: impl Into<String>) -> Item {
    Item::from([("customer".into(), text(partition)), ("item".into(), text(item))])
}

/// A list of customers. It has several parts, as many customers may come to stand
/// in it at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Who viewed this product.
    Viewed(String),
    /// Who holds this product in this container.
    Holding(Code, String),
    /// Who is in this audience.
    Audience(Code),
    /// Who is in this segment, by one of its editions.
    Segment(EditionOf),
}

impl List {
    /// The part of it in which this customer stands.
    pub(crate) fn part_of(&self, id: &CustomerId) -> String {
        self.part(rows::part(id.as_str(), CUSTOMER_SHARDS))
    }

    pub(crate) fn part(&self, part: u32) -> String {
        match self {
            Self::Viewed(product) => format!("viewed#{part}#{product}"),
            Self::Holding(container, product) => format!("held#{part}#{container}#{product}"),
            Self::Audience(code) => format!("audience#{part}#{code}"),
            Self::Segment((code, number)) => format!("segment#{part}#{code}#{number}"),
        }
    }
}
