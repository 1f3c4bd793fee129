use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Code, CustomerId, EventId};

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Something the customer did on a site or in an app.
    WebEvent,
    /// Anything else that happened to the customer.
    Event,
    /// Something about a product or about everybody, such as a shop's opening.
    System,
}

impl EventKind {
    /// The kind of that name in the API.
    ///
    /// # Errors
    /// Says which there are.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        match name {
            "web_event" => Ok(Self::WebEvent),
            "event" => Ok(Self::Event),
            "system" => Ok(Self::System),
            _ => Err("must be \"web_event\", \"event\" or \"system\""),
        }
    }
}

/// Something that happened to one customer. It keeps the context it came with
/// for ever: the price then, not the price now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The caller's own id; the same id again is the same event.
    pub id: EventId,
    /// To whom it happened; nobody in particular for a system event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What happened, such as `product_viewed`.
    pub name: Code,
    /// On a site or app, or elsewhere.
    pub kind: EventKind,
    /// When it happened, if the caller says; otherwise when it was accepted.
    pub at: Timestamp,
    /// Which of the shop's sites or apps it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// The visit that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What was so at that time, as the caller sent it.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
}

impl Event {
    /// The products that it is about, by its context: `product_id`, or that of each
    /// of `products`.
    #[must_use]
    pub fn product_ids(&self) -> Vec<&str> {
        let listed = self.context.get("products").and_then(Value::as_array).into_iter().flatten();
        let inner = listed.filter_map(|product| product.get("product_id"));
        self.context.get("product_id").into_iter().chain(inner).filter_map(Value::as_str).collect()
    }

    /// Whether two events say the same, leaving aside a time that only we gave and
    /// to whom it happened, who may have been known by another name then.
    #[must_use]
    pub fn same_as(&self, other: &Self, dated_by_caller: bool) -> bool {
        let mut other = other.clone();
        other.customer_id.clone_from(&self.customer_id);
        if !dated_by_caller {
            other.at = self.at;
        }
        *self == other
    }
}
