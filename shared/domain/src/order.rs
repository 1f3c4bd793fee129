use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Amount, Conflict, Currency, CustomerId, Entry, OrderId, StatusSet, Statuses, earlier};

/// An order as it stands: what the shop last said of it, and how its three
/// statuses went.
///
/// An order is built by [`Order::merge`] alone. The result is the same for any
/// order of arrival and any repetition of the same updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// The shop's own id.
    pub id: OrderId,
    /// Whose order it is.
    pub customer_id: CustomerId,
    /// The earliest `updated_at` of anything said of it.
    pub first_at: Timestamp,
    /// When `content` was true, by the shop's own account.
    pub updated_at: Timestamp,
    /// Everything but the statuses, as of `updated_at`.
    pub content: Content,
    /// The three status sets.
    pub statuses: Statuses,
}

/// Everything an order holds besides its statuses. Replaced as a whole by a
/// newer update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// When the order was placed, if the shop says.
    pub created_at: Option<Timestamp>,
    /// The currency of every amount in the order.
    pub currency: Currency,
    /// What the customer pays in all.
    pub total: Amount,
    /// What the total is made of.
    pub amounts: OrderAmounts,
    /// What was ordered.
    pub lines: Vec<Line>,
    /// How it gets to the customer.
    pub delivery: Option<Delivery>,
    /// How it is paid.
    pub payment: Option<Payment>,
    /// The shop's own fields.
    pub fields: Map<String, Value>,
}

/// What an order's total is made of, each in the order's currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OrderAmounts {
    /// Paid in money.
    pub money: Option<Amount>,
    /// Paid in bonus points, at their worth.
    pub bonus: Option<Amount>,
    /// The cost of delivery.
    pub delivery: Option<Amount>,
    /// The discount on the whole.
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
    pub name: Option<String>,
    /// How many, or how much.
    pub quantity: Amount,
    /// The price of one.
    pub price: Option<Amount>,
    /// The line's total.
    pub total: Option<Amount>,
    /// The discount on the line.
    pub discount: Option<Amount>,
    /// Where the product is shown.
    pub url: Option<String>,
    /// A picture of it.
    pub image: Option<String>,
    /// The shop's own fields.
    pub fields: Map<String, Value>,
}

/// How an order gets to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// `courier`, `self_pickup`, `pickup_point` or the shop's own word.
    pub r#type: Option<String>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Where to: country, city, street, … as the shop names them.
    pub address: Map<String, Value>,
    /// The day or time agreed on, as the shop writes it.
    pub date: Option<String>,
    /// The customer's note.
    pub note: Option<String>,
}

/// How an order is paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// `card`, `cash`, `cash_on_delivery` or the shop's own word.
    pub r#type: Option<String>,
    /// Who handles it.
    pub provider: Option<String>,
}

/// A status given with an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusUpdate {
    /// In which set.
    pub set: StatusSet,
    /// Which status.
    pub code: crate::Code,
    /// Since when; `None` is "now, if it differs from what is known".
    pub at: Option<Timestamp>,
    /// JSON pointer to where the caller gave it.
    pub pointer: String,
}

/// What a caller says of one order.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderUpdate {
    /// Which order.
    pub id: OrderId,
    /// Whose.
    pub customer_id: CustomerId,
    /// When the content was true; `None` is "now, if it differs from what is
    /// known".
    pub updated_at: Option<Timestamp>,
    /// The content as a whole.
    pub content: Content,
    /// Statuses that came along.
    pub statuses: Vec<StatusUpdate>,
}

impl Order {
    /// The order with an update worked in; `None` if it said nothing new.
    ///
    /// An update that is older than what is known never overwrites it; each
    /// status set goes by its own times. `now` dates what the caller left
    /// undated.
    ///
    /// # Errors
    /// A [`Conflict`] where the update contradicts what is recorded for the
    /// same time, or gives the order to another customer.
    pub fn merge(known: Option<&Self>, update: OrderUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let dated = update.updated_at.unwrap_or(now);
        let Some(known) = known else {
            let mut order = Self {
                id: update.id,
                customer_id: update.customer_id,
                first_at: dated,
                updated_at: dated,
                content: update.content,
                statuses: Statuses::default(),
            };
            order.record(update.statuses, update.updated_at, now)?;
            return Ok(Some(order));
        };

        if known.customer_id != update.customer_id {
            return Err(Conflict::new("/customer_id", "differs from the customer that this order was recorded for"));
        }
        let mut order = known.clone();
        if update.content != known.content {
            if update.updated_at.is_none() {
                // The newest there is, even beside one that the shop's clock
                // dated ahead of ours.
                order.content = update.content;
                order.updated_at = dated.max(known.updated_at + jiff::SignedDuration::from_millis(1));
            } else if dated > known.updated_at {
                order.content = update.content;
                order.updated_at = dated;
            } else if dated == known.updated_at {
                return Err(Conflict::new(
                    "/updated_at",
                    "is recorded already, with another content; give the newer one a later time",
                ));
            }
        } else if update.updated_at.is_some_and(|at| at > known.updated_at) {
            order.updated_at = dated;
        }
        if update.updated_at.is_some() {
            order.first_at = earlier(Some(order.first_at), dated);
        }
        order.record(update.statuses, update.updated_at, now)?;
        Ok((order != *known).then_some(order))
    }

    /// The order with one status worked in; `None` if it said nothing new.
    ///
    /// # Errors
    /// A [`Conflict`] if another status is recorded for the same time.
    pub fn set_status(&self, update: StatusUpdate, now: Timestamp) -> Result<Option<Self>, Conflict> {
        let mut order = self.clone();
        order.record(vec![update], None, now)?;
        Ok((order != *self).then_some(order))
    }

    fn record(&mut self, updates: Vec<StatusUpdate>, dated: Option<Timestamp>, now: Timestamp) -> Result<(), Conflict> {
        for StatusUpdate { set, code, at, pointer } in updates {
            let history = self.statuses.of_mut(set);
            match at.or(dated) {
                Some(at) => {
                    history.record(Entry { at, code }, &pointer)?;
                }
                None if history.current().is_some_and(|current| current.code == code) => {}
                None => {
                    // An undated status is the newest there is, even beside one
                    // that the shop's clock dated a little ahead of ours.
                    let after = history.current().map(|current| current.at + jiff::SignedDuration::from_millis(1));
                    let at = after.map_or(now, |after| after.max(now));
                    history.record(Entry { at, code }, &pointer)?;
                }
            }
        }
        Ok(())
    }

    /// When the order was placed, as far as is known.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.content.created_at.unwrap_or(self.first_at)
    }
}
