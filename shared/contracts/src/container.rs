//! Containers over the API.

use domain::read::{self, Faults, Reader, put};
use domain::{Code, Container, CustomerId, EventId, Fault, Item, ItemSaid, Op, Operation};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::times::not_ahead;

/// The most items that one operation may name, and that a container is set to.
pub const MAX_ITEMS: usize = 90;

/// The most bytes that are kept of what is said of an item: so that no item can grow
/// too large to be written when others of the same operation have been.
const MAX_DETAILS: usize = 16 * 1024;

/// Reads the body of `POST /v1/customers/{id}/containers/{code}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(customer_id: CustomerId, container: Code, body: &Value, now: Timestamp) -> Result<Operation, Faults> {
    let mut reader = Reader::new(body);
    let id = reader.required("id", read::parsed(EventId::parse)).map(String::from);
    let op = reader.required("op", read::parsed(Op::parse));
    let at = reader.optional("at", read::instant);
    let source = reader.optional("source", read::parsed(Code::parse));
    let items = reader.list("items", MAX_ITEMS, item);
    not_ahead(&mut reader, "at", at, now);
    match op {
        Some(Op::Clear) if !items.is_empty() => reader.fault("items", "is left out when a container is cleared"),
        Some(Op::Add | Op::Remove | Op::Quantity) if body.get("items").is_none_or(Value::is_null) => {
            reader.fault("items", "is required");
        }
        Some(Op::Quantity) => {
            let place = reader.place("items");
            let unsaid = items.iter().enumerate().filter(|(_, item)| item.quantity.is_none());
            reader.faults(unsaid.map(|(index, _)| Fault::new(format!("{place}/{index}/quantity"), "is required")));
        }
        _ => {}
    }
    reader.finish()?;
    let (Some(id), Some(op)) = (id, op) else { return Err(vec![Fault::new("", "could not be read")]) };
    Ok(Operation { id, customer_id, container, op, at: at.unwrap_or(now), source, items })
}

fn item(mut reader: Reader<'_>) -> Result<ItemSaid, Faults> {
    let product_id = reader.required("product_id", read::parsed(|text| domain::OrderId::parse(text).map(String::from)));
    let quantity = reader.optional("quantity", read::amount);
    if quantity.is_some_and(domain::Amount::is_negative) {
        reader.fault("quantity", "must not be less than 0");
    }
    let mut details = Map::new();
    put(&mut details, "price", reader.optional("price", read::amount));
    put(&mut details, "name", reader.optional("name", read::short));
    put(&mut details, "url", reader.optional("url", |value| read::text(value, 2_000)));
    put(&mut details, "image", reader.optional("image", |value| read::text(value, 2_000)));
    put(&mut details, "fields", reader.optional("fields", read::fields));
    let size = Value::Object(details.clone()).to_string().len();
    if size > MAX_DETAILS {
        reader.fault("fields", format!("makes the item {size} bytes large; at most {MAX_DETAILS} are kept"));
    }
    reader.finish()?;
    let product_id = product_id.ok_or_else(|| vec![Fault::new("", "could not be read")])?;
    Ok(ItemSaid { product_id, quantity, details })
}

/// A container and what is in it, as the API shows it: the item that came in last
/// stands first.
#[must_use]
pub fn show(code: &Code, container: &Container, items: &[Item]) -> Value {
    let mut held: Vec<_> = items.iter().filter_map(|item| Some((item.held(container.floor)?, item))).collect();
    held.sort_by(|(a, one), (b, other)| b.since.cmp(&a.since).then_with(|| one.product_id.cmp(&other.product_id)));
    let changed = items.iter().filter_map(Item::latest).chain(container.floor).max();
    let items: Vec<Value> = held
        .into_iter()
        .map(|(held, item)| {
            let mut shown = item.details.clone();
            shown.insert("product_id".into(), json!(item.product_id));
            shown.insert("quantity".into(), json!(held.quantity));
            shown.insert("since".into(), json!(held.since));
            Value::Object(shown)
        })
        .collect();
    let mut shown = json!({ "container": code, "items": items });
    if let Some(changed) = changed {
        shown["updated_at"] = json!(changed);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_read_or_every_fault_is_named() {
        let check = |body: Value, want: &[&str]| {
            let (customer, code) = (CustomerId::parse("c").unwrap(), Code::parse("cart").unwrap());
            let faults = read(customer, code, &body, Timestamp::UNIX_EPOCH).err().unwrap_or_default();
            let places: Vec<String> = faults.into_iter().map(|fault| fault.pointer).collect();
            assert_eq!(places, want);
        };
        let mug = json!({"product_id": "mug", "quantity": 1});
        check(json!({"id": "1", "op": "add", "items": [mug]}), &[]);
        check(json!({"id": "1", "op": "clear"}), &[]);
        check(json!({"id": "1", "op": "clear", "items": [mug]}), &["/items"]);
        check(json!({"id": "", "op": "fill"}), &["/id", "/op"]);
        check(json!({"id": "1", "op": "add"}), &["/items"]);
        check(json!({"id": "1", "op": "quantity", "items": [mug, {"product_id": "cup"}]}), &["/items/1/quantity"]);
        check(
            json!({"id": "1", "op": "add", "items": [{"product_id": "mug", "quantity": -1}]}),
            &["/items/0/quantity"],
        );
        let large = json!({"product_id": "mug", "fields": {"note": "x".repeat(20_000)}});
        check(json!({"id": "1", "op": "set", "items": [mug, large]}), &["/items/1/fields"]);
    }
}
