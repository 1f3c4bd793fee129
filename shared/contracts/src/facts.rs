//! What templates and conditions see: the customer and what set the message
//! off, as the API shows them.

use domain::{Change, Customer, Event, Order, Product};
use serde_json::{Map, Value, json};

/// The facts as one object; what is not there is absent from it.
#[must_use]
pub fn of(
    customer: Option<&Customer>,
    order: Option<&Order>,
    event: Option<&Event>,
    product: Option<&Product>,
    change: Option<&Change>,
) -> Map<String, Value> {
    let mut facts = Map::new();
    if let Some(customer) = customer {
        facts.insert("customer".into(), crate::customer::show(customer));
    }
    if let Some(order) = order {
        facts.insert("order".into(), crate::order::show(order));
    }
    if let Some(event) = event {
        facts.insert("event".into(), crate::event::show(event));
    }
    if let Some(product) = product {
        facts.insert("product".into(), crate::product::show(product));
    }
    if let Some(change) = change {
        let mut shown = json!(change);
        if let Some(shown) = shown.as_object_mut() {
            shown.retain(|_, value| !value.is_null());
        }
        facts.insert("change".into(), shown);
    }
    facts
}
