//! WooCommerce's webhooks, of the REST API's versions 1 to 3.
//!
//! | Topic | What is told |
//! |---|---|
//! | `order.created`, `updated`, `restored` | the customer, by the billing address, and the whole order |
//! | `order.deleted` | the order is deleted |
//! | `customer.created`, `updated` | the customer |
//! | `product.created`, `updated`, `restored` | the product; a variation tells nothing, its product does |
//! | `product.deleted` | the product is deleted |
//!
//! Every other topic tells nothing; neither does an order that is still a draft.
//! `customer.deleted` says that an account was closed, whose orders the shop keeps: it is
//! no wish to be erased, and an erasure could not be taken back.
//!
//! # Statuses
//!
//! | WooCommerce | general | payment |
//! |---|---|---|
//! | `pending`, `on-hold` | `received` | `awaiting_payment` |
//! | `failed` | `received` | `failed` |
//! | `processing` | `confirmed` | `paid`; on delivery `awaiting_payment` |
//! | `completed` | `completed`, since `date_completed_gmt` | `paid` |
//! | `cancelled` | `cancelled` | |
//! | `refunded` | | `refunded` |
//!
//! An order with a `date_paid_gmt` is paid since then, whatever its status, unless
//! it is refunded. `shipped`, `partial-shipped` and `delivered`, which the common
//! extensions add, are delivery statuses; any other status stays as it is, as a
//! general one. What the shop does not date holds since the order's
//! `date_modified_gmt`.

mod customer;
mod entities;
mod order;
mod product;

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use serde_json::Value;

use crate::payload::{self, Body};

/// What a delivery's headers and its address say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delivery<'a> {
    /// `X-WC-Webhook-Topic`.
    pub topic: &'a str,
    /// The code of the event source in whose name it came in.
    pub source: &'a str,
}

impl Delivery<'_> {
    fn said(&self) -> Body {
        Body::default().put("source", Some(self.source))
    }
}

/// Whether the body is the ping that WooCommerce sends when a webhook is saved. It
/// is neither JSON nor signed, and the shop shows an error if it is refused.
#[must_use]
pub fn is_ping(body: &[u8]) -> bool {
    body.strip_prefix(b"webhook_id=").is_some_and(|id| id.len() <= 20 && id.iter().all(u8::is_ascii_digit))
}

/// What a delivery tells, in the order in which it is to be taken in.
///
/// # Errors
/// What the payload lacks that the thing cannot be without. Where the user in whose
/// name WooCommerce delivers may not read a thing, that is all of it.
pub fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let Some((kind, what)) = delivery.topic.split_once('.') else { return Ok(Vec::new()) };
    match (kind, what) {
        ("order", "created" | "updated" | "restored") => {
            readable(payload)?;
            order::told(delivery, payload)
        }
        ("order", "deleted") => Ok(vec![Told::OrderDeleted { id: payload::required_id(payload)?, at: None }]),
        ("customer", "created" | "updated") => {
            readable(payload)?;
            customer::told(delivery, payload)
        }
        ("product", "created" | "updated" | "restored") => {
            readable(payload)?;
            product::told(delivery, payload)
        }
        ("product", "deleted") => Ok(vec![Told::ProductDeleted { id: payload::required_id(payload)?, at: None }]),
        _ => Ok(Vec::new()),
    }
}

/// What WooCommerce delivers in place of a thing that it could not read is the
/// answer of its own API.
fn readable(payload: &Value) -> Result<(), Faults> {
    payload::check(payload)?;
    let code = payload.get("code").and_then(Value::as_str).unwrap_or_default();
    if payload.get("id").is_none() && code.starts_with("woocommerce_rest_") {
        let detail = format!("WooCommerce could not read it ({code:.100}): the webhook's user must be allowed to");
        return Err(vec![Fault::new("", detail)]);
    }
    Ok(())
}
