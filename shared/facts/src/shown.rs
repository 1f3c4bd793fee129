//! Things as conditions see them: as the API shows them, and a little more.

use conditions::Facts;
use domain::dictionary::Dictionary;
use domain::message::Origin;
use domain::{Amount, Code, Item, Order, StatusSet};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use store::{Entry, KnownContainer};

/// An order, and whether its statuses let it count.
pub(crate) fn order(order: &Order, dictionary: &Dictionary) -> Value {
    let mut shown = contracts::order::show(order);
    shown["in_analytics"] = json!(counts(order, dictionary));
    shown
}

/// Whether an order's statuses let it count.
pub(crate) fn counts(order: &Order, dictionary: &Dictionary) -> bool {
    let counts = |set: StatusSet| {
        let current = order.statuses.of(set).current();
        let status = current.and_then(|current| dictionary.status(set, current.code.as_str()));
        status.is_none_or(|status| status.in_analytics)
    };
    StatusSet::ALL.into_iter().all(counts)
}

/// Puts a container and what is in it with the facts. A container that nothing was ever
/// in or done to is not there.
pub(crate) fn container(code: &Code, known: &KnownContainer, facts: &mut Facts) {
    let mut shown = summed_container(code, known);
    let Some(changed) = shown.get("updated_at").cloned() else { return };
    facts.items.extend(shown["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
    facts.containers.push(json!({
        "code": code, "changed_at": changed, "lines": shown["lines"],
        "quantity": shown["quantity"], "total": shown["total"],
    }));
}

/// A container as the API shows it, and what its items come to: `total` of each that has a
/// price, and `lines`, `quantity` and `total` of all.
#[must_use]
pub fn summed_container(code: &Code, known: &KnownContainer) -> Value {
    let items: Vec<Item> = known.items.values().map(|item| item.value.clone()).collect();
    let container = known.container.as_ref().map(|container| container.value.clone()).unwrap_or_default();
    let mut shown = contracts::container::show(code, &container, &items);
    let (mut lines, mut quantity, mut total) = (0, Decimal::ZERO, Decimal::ZERO);
    for item in shown["items"].as_array_mut().into_iter().flatten() {
        let count = amount(&item["quantity"]).unwrap_or_default();
        lines += 1;
        quantity = quantity.saturating_add(count);
        if let Some(price) = amount(&item["price"]) {
            let worth = price.saturating_mul(count);
            total = total.saturating_add(worth);
            item["total"] = json!(worth.to_string());
        }
        item["container"] = json!(code);
    }
    shown["code"] = json!(code);
    if let Some(at) = shown.get("updated_at").cloned() {
        shown["changed_at"] = at;
    }
    shown["lines"] = json!(lines);
    shown["quantity"] = json!(quantity.to_string());
    shown["total"] = json!(total.to_string());
    shown
}

fn amount(value: &Value) -> Option<Decimal> {
    domain::read::amount(value).ok().map(Amount::decimal)
}

/// A message, where it came from and what became of it.
#[must_use]
pub fn message(entry: &Entry) -> Value {
    let message = &entry.message;
    let mut shown = json!({
        "id": message.id, "created_at": message.created_at, "purpose": message.purpose,
        "template": message.template_id, "state": entry.state,
    });
    match &message.origin {
        Origin::Mailing { mailing_id, .. } => shown["mailing"] = json!(mailing_id),
        Origin::Campaign { campaign_id, .. } => shown["campaign"] = json!(campaign_id),
        Origin::Test { .. } => shown["test"] = json!(true),
    }
    if let Some(reason) = entry.reason {
        shown["reason"] = json!(reason);
    }
    if let Some(at) = entry.settled_at {
        shown["settled_at"] = json!(at);
    }
    for (name, at) in &entry.evidence {
        shown[*name] = json!(at);
    }
    shown
}
