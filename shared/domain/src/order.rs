use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::dated::{Dated, Said, Times};
use crate::{Amount, Code, Conflict, Currency, CustomerId, Entry, History, OrderId, StatusSet, Statuses, earlier};

/// An order as it stands: what the shop last said of it, and how its statuses
/// went.
///
/// An order is built by [`Order::merge`] alone. The result is the same for any
/// order of arrival and any repetition of the same updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's own id.
    pub id: OrderId,
    /// Whose order it is.
    pub customer_id: CustomerId,
    /// The earliest time of anything said of it.
    pub first_at: Timestamp,
    /// Everything but the statuses, each field as it was said last.
    pub content: Content,
    /// Since when each field of the content holds.
    pub times: Times,
    /// The three status sets.
    pub statuses: Statuses,
    /// The status of each line that was given one, by the line's id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub line_statuses: BTreeMap<String, History>,
    /// When the shop took it back. Anything said later brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Whether each thing said of it is kept beside it. Of what was said once, the
    /// order itself is the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_sayings: bool,
}

/// Everything an order holds besides its statuses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// When the order was placed, if the shop says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The currency of every amount in the order.
    pub currency: Currency,
    /// What the customer pays in all.
    pub total: Amount,
    /// What the total is made of.
    #[serde(default)]
    pub amounts: OrderAmounts,
    /// What was ordered.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// How it gets to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// How it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// Which of the shop's sites, apps or systems said so last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The container that the order came from and empties; the cart if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Code>,
    /// The shop's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// What an order's total is made of, each in the order's currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderAmounts {
    /// Paid in money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Amount>,
    /// Paid in bonus points, at their worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus: Option<Amount>,
    /// The cost of delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Amount>,
    /// The discount on the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Amount>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The line's id within its order.
    pub id: String,
    /// The product's id in the shop's system.
    pub product_id: String,
    /// The product's name when it was ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many, or how much.
    pub quantity: Amount,
    /// The price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// The line's total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Amount>,
    /// The discount on the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Amount>,
    /// What it weighs, in the shop's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Amount>,
    /// Bonus points that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus_accrued: Option<Amount>,
    /// Bonus points that it was paid with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bonus_deducted: Option<Amount>,
    /// The part of the total that is paid in money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Amount>,
    /// The product's categories when it was ordered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Where the product is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The shop's own fields.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
}

/// How an order gets to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// `courier`, `self_pickup`, `pickup_point` or the shop's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Where to: country, city, street, … as the shop names them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub address: Map<String, Value>,
    /// The day or time agreed on, as the shop writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The customer's note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How an order is paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// `card`, `cash`, `cash_on_delivery` or the shop's own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Who handles it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// A status given with an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// In which set, or of which line.
    pub of: StatusOf,
    /// Which status.
    pub code: Code,
    /// Since when; `None` is "now, if it differs from what is known".
    pub at: Option<Timestamp>,
    /// Who says so.
    pub source: Option<Code>,
    /// JSON pointer to where the caller gave it.
    pub pointer: String,
}

/// What has a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusOf {
    /// The order, in one of its three sets.
    Order(StatusSet),
    /// One of its lines, by the line's id.
    Line(String),
}

/// What a caller says of one order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderUpdate {
    /// Which order.
    pub id: OrderId,
    /// Whose; a part need not say.
    pub customer_id: Option<CustomerId>,
    /// When it was true; `None` is "now, if it differs from what is known".
    pub updated_at: Option<Timestamp>,
    /// The content, or some of its fields.
    pub said: Said,
    /// Statuses that came along.
    pub statuses: Vec<StatusUpdate>,
}

impl Order {
    /// The order with an update worked in; `None` if it said nothing new.
    ///
    /// An update that is older than what is known never overwrites it; each field
    /// and each status goes by its own times. `now` dates what the caller left
    /// undated.
    ///
    /// # Errors
    /// A [`Conflict`] where the update contradicts what is recorded for the
    /// same time, gives the order to another customer, or is a part of an order
    /// that nobody ever said the whole of.
    pub fn merge(known: Option<&Self>, update: OrderUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let OrderUpdate { id, customer_id, updated_at, said, statuses } = update;
        let Some(known) = known else {
            let customer_id = customer_id.ok_or_else(|| Conflict::new("/customer_id", "is required"))?;
            let dated = updated_at.unwrap_or(now);
            let Dated { content, times } = Dated::merge(None, &said, Some(dated), now)?
                .ok_or_else(|| Conflict::new("", "says nothing of an order that is not known"))?;
            let mut order = Self {
                id,
                customer_id,
                first_at: dated,
                content,
                times,
                statuses: Statuses::default(),
                line_statuses: BTreeMap::new(),
                deleted_at: None,
                has_sayings: false,
            };
            order.record(statuses, updated_at, now)?;
            return Ok(Some(order));
        };

        if customer_id.is_some_and(|customer_id| customer_id != known.customer_id) {
            return Err(Conflict::new("/customer_id", "differs from the customer that this order was recorded for"));
        }
        let mut order = known.clone();
        // A part that holds statuses alone says nothing of the content.
        if !said.is_nothing() {
            let before = Dated { content: known.content.clone(), times: known.times.clone() };
            if let Some(Dated { content, times }) = Dated::merge(Some(&before), &said, updated_at, now)? {
                (order.content, order.times) = (content, times);
            }
            order.has_sayings = known.has_sayings || order.times != known.times || !known.is_account_of(updated_at);
        }
        if let Some(dated) = updated_at {
            order.first_at = earlier(Some(order.first_at), dated);
        }
        order.record(statuses, updated_at, now)?;
        Ok((order != *known).then_some(order))
    }

    /// Two accounts of one order as one, with this one's customer.
    ///
    /// # Errors
    /// If the contents cannot be read as one.
    pub fn joined(&self, other: &Self) -> Result<Self, Conflict> {
        let dated = |order: &Self| Dated { content: order.content.clone(), times: order.times.clone() };
        let Dated { content, times } = dated(self).joined(&dated(other))?;
        let mut order = Self { content, times, ..self.clone() };
        order.first_at = self.first_at.min(other.first_at);
        order.deleted_at = self.deleted_at.max(other.deleted_at);
        order.has_sayings = self.has_sayings || other.has_sayings;
        for set in StatusSet::ALL {
            *order.statuses.of_mut(set) = self.statuses.of(set).joined(other.statuses.of(set));
        }
        for (line, history) in &other.line_statuses {
            let known = order.line_statuses.entry(line.clone()).or_default();
            *known = known.joined(history);
        }
        Ok(order)
    }

    /// Whether something said at this time is what the order itself is the account
    /// of.
    fn is_account_of(&self, said_at: Option<Timestamp>) -> bool {
        said_at.is_none_or(|at| self.times.whole() == Some(at))
    }

    /// The order without what the shop has taken back; `None` if that is no news.
    #[must_use]
    pub fn delete(&self, at: Option<Timestamp>, now: Timestamp) -> Option<Self> {
        let at = match at {
            Some(at) => at,
            None if self.is_deleted() => return None,
            None => now.max(self.updated_at()),
        };
        let deleted_at = self.deleted_at.max(Some(at));
        (deleted_at != self.deleted_at).then(|| Self { deleted_at, ..self.clone() })
    }

    /// Whether the shop took it back and has said nothing of it since.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some_and(|at| at >= self.updated_at())
    }

    /// When anything of it changed last, by the shop's own account.
    #[must_use]
    pub fn updated_at(&self) -> Timestamp {
        let histories = StatusSet::ALL.into_iter().map(|set| self.statuses.of(set)).chain(self.line_statuses.values());
        let statuses = histories.filter_map(History::current).map(|entry| entry.at).max();
        self.times.latest().max(statuses).unwrap_or(self.first_at)
    }

    /// When the content was said last.
    #[must_use]
    pub fn content_at(&self) -> Timestamp {
        self.times.latest().unwrap_or(self.first_at)
    }

    /// When the lines were said last, all of them at once.
    #[must_use]
    pub fn lines_at(&self) -> Timestamp {
        self.times.of("/lines").unwrap_or(self.first_at)
    }

    fn record(&mut self, updates: Vec<StatusUpdate>, dated: Option<Timestamp>, now: Timestamp) -> Result<(), Conflict> {
        for StatusUpdate { of, code, at, source, pointer } in updates {
            let history = match of {
                StatusOf::Order(set) => self.statuses.of_mut(set),
                StatusOf::Line(line) => self.line_statuses.entry(line).or_default(),
            };
            let at = match at.or(dated) {
                Some(at) => at,
                None if history.current().is_some_and(|current| current.code == code) => continue,
                // An undated status is the newest there is, even beside one that the
                // shop's clock dated a little ahead of ours.
                None => {
                    history.current().map_or(now, |current| now.max(current.at + jiff::SignedDuration::from_millis(1)))
                }
            };
            history.record(Entry { at, code, source }, &pointer)?;
        }
        if self.line_statuses.len() > MOST_LINE_STATUSES {
            return Err(Conflict::new(
                "/lines",
                format!("would have more than {MOST_LINE_STATUSES} lines with a status"),
            ));
        }
        Ok(())
    }

    /// When the order was placed, as far as is known.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.content.created_at.unwrap_or(self.first_at)
    }
}

/// The most lines of one order that may have a status of their own.
const MOST_LINE_STATUSES: usize = 1_000;
