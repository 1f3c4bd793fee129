//! Shopify's webhooks.
//!
//! | Topic | What is told |
//! |---|---|
//! | `orders/create`, `updated`, `paid`, `cancelled`, `fulfilled`, `partially_fulfilled` | the customer and the whole order |
//! | `orders/delete` | the order is deleted |
//! | `customers/create`, `update`, `enable`, `disable` | the customer |
//! | `customers_email_marketing_consent/update` | the customer's consent; from API version 2025-01 on it comes nowhere else |
//! | `customers/merge` | two customers are one, once Shopify has done it |
//! | `customers/redact` | the customer is to be erased, as the law may ask of a shop |
//! | `products/create`, `update`, `delete` | the product |
//! | `checkouts/create`, `update` | whose it is, the customer and what is in the cart; `create` also `checkout_started` |
//!
//! Every other topic tells nothing. `orders/edited`, `refunds/create` and the
//! fulfillments' own topics hold a part of what `orders/updated` says as a whole.
//! `customers/delete` says that the shop put a record away, such as one that was there
//! twice, and not that the customer asked for anything: what they were sent, allowed and
//! refused still holds, and an erasure could not be taken back.
//!
//! # Statuses
//!
//! | Set | Status | Since |
//! |---|---|---|
//! | general | `cancelled`; else `completed` (closed); else `in_progress` (something was sent out); else `received` | `cancelled_at`; `closed_at`; the order's time |
//! | payment | `pending` is `awaiting_payment`; `paid` and `refunded` are the same; `authorized`, `partially_paid`, `partially_refunded`, `voided` and whatever else stay as Shopify has them | the order's time |
//! | delivery | `partial` is `partially_shipped`; `fulfilled` is how far the parcel is that is furthest behind: `shipped`, `out_for_delivery`, `attempted_delivery`, `at_pickup_point`, `delivery_failed`, `delivered`; nothing as long as nothing was sent | the order's time |
//!
//! The order's time is the latest of its `updated_at`, its fulfillments' and its
//! refunds' times. Shopify does not say since when an order is paid or sent: that
//! it is so at the order's time is what it does say.

mod checkout;
mod consent;
mod customer;
mod order;
mod product;

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::payload::{self, Body};

/// What a delivery's headers and its address say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery<'a> {
    /// `X-Shopify-Topic`.
    pub topic: &'a str,
    /// The code of the event source in whose name it came in.
    pub source: &'a str,
    /// `X-Shopify-Triggered-At`, which stays the same when a delivery is repeated.
    pub triggered_at: Option<&'a str>,
    /// `X-Shopify-Shop-Domain`, where the shop's products are shown.
    pub domain: Option<&'a str>,
}

impl Delivery<'_> {
    fn sent(&self) -> Option<Timestamp> {
        self.triggered_at.and_then(|text| domain::read::instant(&json!(text)).ok())
    }

    fn said(&self) -> Body {
        Body::default().put("source", Some(self.source))
    }
}

/// What a delivery tells, in the order in which it is to be taken in.
///
/// # Errors
/// What the payload lacks that the thing cannot be without.
pub fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let Some((kind, what)) = delivery.topic.split_once('/') else { return Ok(Vec::new()) };
    match (kind, what) {
        ("orders", "create" | "updated" | "paid" | "cancelled" | "fulfilled" | "partially_fulfilled") => {
            payload::check(payload)?;
            order::told(delivery, payload)
        }
        ("orders", "delete") => {
            Ok(vec![Told::OrderDeleted { id: payload::required_id(payload)?, at: deleted_at(delivery) }])
        }
        ("customers", "create" | "update" | "enable" | "disable") => customer::told(delivery, payload),
        ("customers", "redact") => {
            Ok(vec![Told::CustomerErased { id: payload::required_id(payload::object(payload, "customer"))? }])
        }
        ("customers", "merge") => customer::merged(payload),
        ("customers_email_marketing_consent", "update") => consent::told(delivery, payload),
        ("products", "create" | "update") => product::told(delivery, payload),
        ("products", "delete") => {
            Ok(vec![Told::ProductDeleted { id: payload::required_id(payload)?, at: deleted_at(delivery) }])
        }
        ("checkouts", "create" | "update") => {
            payload::check(payload)?;
            checkout::told(delivery, payload)
        }
        _ => Ok(Vec::new()),
    }
}

/// What is deleted has no time in its payload.
fn deleted_at(delivery: &Delivery<'_>) -> Option<String> {
    delivery.sent().map(|at| at.to_string())
}

/// An amount in the shop's own currency: from the set that names it, or from the
/// plain field, which is in the shop's currency as well.
fn shop_money(from: &Value, set: &str, plain: &str) -> Option<String> {
    let money = payload::object(payload::object(from, set), "shop_money");
    payload::amount(money, "amount").or_else(|| payload::amount(from, plain))
}

/// Tags, which Shopify writes in one text with commas, each once.
fn tags(from: &Value) -> Option<Vec<String>> {
    let text = from.get("tags")?.as_str()?;
    let tags = text.split(',').map(str::trim).filter(|tag| !tag.is_empty());
    let tags: Vec<String> = tags.map(|tag| tag.chars().take(255).collect()).collect();
    (!tags.is_empty()).then_some(tags)
}

fn required_time(at: Option<Timestamp>) -> Result<Timestamp, Faults> {
    at.ok_or_else(|| vec![Fault::new("/updated_at", "is required, as a time with its zone (RFC 3339)")])
}
