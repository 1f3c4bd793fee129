//! Checkouts: what is in the cart, and that somebody went to pay for it.

use contracts::container::MAX_ITEMS;
use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use rust_decimal::Decimal;
use serde_json::Value;

use super::order::product_of;
use super::{Delivery, customer, required_time, shop_money};
use crate::clock;
use crate::payload::{self, Body};

/// A checkout in which nobody has said who they are yet is a visitor's, by the
/// checkout's token; its next update says who they are, at the latest when it is
/// completed.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let token = payload::id(payload, "token").filter(|token| token.len() <= 100);
    let token = token.ok_or_else(|| vec![Fault::new("/token", "is required, as a text of at most 100 bytes")])?;
    let at = required_time(payload::instant(payload, "updated_at"))?;
    let completed = payload::instant(payload, "completed_at");
    let when = clock::content(at.max(completed.unwrap_or(at)), delivery.sent(), i64::from(completed.is_some()));

    let mut told = Vec::new();
    let customer_id = payload::id(payload::object(payload, "customer"), "id");
    if let Some(customer) = &customer_id {
        told.push(Told::Identified { visitor: token.clone(), customer: customer.clone() });
        told.push(customer::within(delivery, payload, customer, when));
    }

    let items = items(payload);
    let whose = customer_id.clone().unwrap_or_else(|| format!("visitor:{token}"));
    // What was bought is in the cart no more, even if this arrives after the order.
    let op = if completed.is_some() || items.is_empty() { "clear" } else { "set" };
    let contents = Value::from(items.clone()).to_string();
    let operation = domain::digest(&["checkout", &token, &when.to_string(), op, &contents]);
    let body = delivery
        .said()
        .put("id", Some(format!("checkout-{operation}")))
        .put("op", Some(op))
        .put("at", Some(when.to_string()))
        .put("items", (op == "set").then_some(items.clone()));
    told.push(Told::Container { customer: whose, code: "cart".to_owned(), body: body.done() });

    if delivery.topic == "checkouts/create" {
        let context = Body::default()
            .put("checkout_token", Some(token.clone()))
            .put("currency", payload::text(payload, "currency"))
            .put("products", Some(items))
            .put("total", shop_money(payload, "total_price_set", "total_price"))
            .put("url", payload::url(payload, "abandoned_checkout_url"));
        let began = payload::instant(payload, "created_at").unwrap_or(at);
        let body = delivery
            .said()
            .put("id", Some(format!("checkout-{token}")))
            .put("name", Some("checkout_started"))
            .put("kind", Some("web_event"))
            .put("at", Some(began.to_string()))
            .put("anonymous_id", customer_id.is_none().then_some(token))
            .put("customer_id", customer_id)
            .nest("context", context);
        told.push(Told::Event { body: body.done() });
    }
    Ok(told)
}

/// What is in it, by product: of two variants of one product the first gives name
/// and price, and the quantities are added up. Of a cart with more products than a
/// container holds, the first.
fn items(payload: &Value) -> Vec<Value> {
    let mut items: Vec<(String, Option<Decimal>, Value)> = Vec::new();
    for line in payload::list(payload, "line_items") {
        let (product, quantity) = (product_of(line), payload::decimal(line, "quantity"));
        match items.iter_mut().find(|(known, ..)| *known == product) {
            Some((_, known, _)) => *known = known.zip(quantity).and_then(|(a, b)| a.checked_add(b)).or(*known),
            None => items.push((product, quantity, line.clone())),
        }
    }
    items.into_iter().take(MAX_ITEMS).map(|(product, quantity, line)| item(product, quantity, &line)).collect()
}

fn item(product: String, quantity: Option<Decimal>, line: &Value) -> Value {
    let fields = Body::default()
        .put("sku", payload::text(line, "sku"))
        .put("variant_id", payload::id(line, "variant_id"))
        .put("variant_title", payload::text(line, "variant_title"));
    Body::default()
        .put("product_id", Some(product))
        .put("quantity", payload::reckoned(quantity))
        .put("price", payload::amount(line, "price"))
        .put("name", payload::text(line, "title"))
        .nest("fields", fields)
        .done()
}
