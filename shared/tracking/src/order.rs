//! What is said of an order.

use std::collections::BTreeSet;

use contracts::told::Told;
use domain::{Currency, OrderId, digest};
use serde_json::{Map, Value, json};

use crate::commerce::{amount, describe, product_id};
use crate::plain;
use crate::said::Said;

const ORDER_ID: &[&str] = &["order_id", "orderId"];
const TOTAL: &[&str] = &["total", "revenue", "value"];
/// What of an order's properties has a place of its own, so that it is no field.
const NO_FIELDS: &[&str] = &[
    "order_id",
    "orderId",
    "total",
    "currency",
    "shipping",
    "discount",
    "products",
    "shipping_method",
    "payment_method",
    "session_id",
    "sessionId",
];
const NO_LINE_FIELDS: &[&str] = &[
    "product_id",
    "productId",
    "id",
    "name",
    "quantity",
    "price",
    "discount",
    "url",
    "image_url",
    "imageUrl",
    "image",
    "category",
];

/// An order that was placed: all there is to say of it.
pub(crate) fn placed(said: &mut Said<'_>, properties: &Map<String, Value>) -> Option<Told> {
    let id = order_id(said, properties)?;
    let mut body = content(said, properties);
    if plain::first(properties, TOTAL).is_none() {
        said.fault("/properties/total", "is required, as \"total\" or \"revenue\"; without it there is no order");
    }
    if !body.contains_key("total") || !body.contains_key("currency") {
        return None;
    }
    body.insert("customer_id".into(), said.customer().into());
    body.insert("status".into(), json!({"general": {"code": "received", "at": said.at()}}));
    Some(Told::Order { id, body: body.into(), whole: true })
}

/// An order that is not what it was. The spec wants all of it said again; where
/// that was not done, what was not said stays.
pub(crate) fn changed(said: &mut Said<'_>, properties: &Map<String, Value>) -> Option<Told> {
    let id = order_id(said, properties)?;
    let mut body = content(said, properties);
    let whole = ["currency", "total", "lines"].iter().all(|name| body.contains_key(*name));
    if whole {
        body.insert("customer_id".into(), said.customer().into());
    } else if !properties.contains_key("currency") {
        body.remove("currency");
    }
    Some(Told::Order { id, body: body.into(), whole })
}

/// An order's new status. What else is said with it is left alone: a refund of
/// some of its products says their total, not the order's.
pub(crate) fn became(said: &mut Said<'_>, properties: &Map<String, Value>, set: &str, code: &str) -> Option<Told> {
    let id = order_id(said, properties)?;
    let body = json!({"status": {set: {"code": code, "at": said.at()}}});
    Some(Told::Order { id, body, whole: false })
}

fn order_id(said: &mut Said<'_>, properties: &Map<String, Value>) -> Option<String> {
    let given = plain::first(properties, ORDER_ID).and_then(|(_, value)| plain::text(Some(value)));
    let checked = given.ok_or_else(|| "is required; without it there is no order".to_owned());
    let checked = checked.and_then(|id| OrderId::parse(&id).map(String::from).map_err(|error| error.to_string()));
    checked.map_err(|detail| said.fault("/properties/order_id", detail)).ok()
}

fn content(said: &mut Said<'_>, properties: &Map<String, Value>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("updated_at".into(), said.at().into());
    if let Some(currency) = currency(said, properties) {
        body.insert("currency".into(), currency.into());
    }
    let total = plain::first(properties, TOTAL);
    if let Some((name, value)) = total {
        match plain::amount(value) {
            Ok(total) => drop(body.insert("total".into(), total)),
            Err(detail) => said.fault(&format!("/properties/{name}"), detail),
        }
    }
    let mut amounts = Map::new();
    amount(said, "/properties", properties, ("shipping", "delivery"), &mut amounts);
    amount(said, "/properties", properties, ("discount", "discount"), &mut amounts);
    if !amounts.is_empty() {
        body.insert("amounts".into(), amounts.into());
    }
    for (block, given) in [("delivery", "shipping_method"), ("payment", "payment_method")] {
        if let Some(text) = plain::text(properties.get(given)).filter(|text| text.chars().count() <= 500) {
            body.insert(block.into(), json!({"type": text}));
        }
    }
    if let Some(products) = properties.get("products").filter(|products| !products.is_null()) {
        match products.as_array() {
            Some(products) => drop(body.insert("lines".into(), lines(said, products))),
            None => said.fault("/properties/products", "must be a list"),
        }
    }
    let mut fields = Map::new();
    // What the total was taken from is not told twice.
    let taken = total.map(|(name, _)| name).unwrap_or_default();
    for (name, value) in properties {
        if !NO_FIELDS.contains(&name.as_str()) && name != taken && !value.is_null() {
            plain::put(name.clone(), value, &mut fields);
        }
    }
    if !fields.is_empty() {
        body.insert("fields".into(), fields.into());
    }
    body
}

/// The currency's code in capitals; the shop's own where nothing is said.
fn currency(said: &mut Said<'_>, properties: &Map<String, Value>) -> Option<String> {
    let Some((_, value)) = plain::first(properties, &["currency"]) else { return Some(said.currency.to_owned()) };
    let code = plain::text(Some(value)).unwrap_or_default().to_ascii_uppercase();
    let checked = Currency::parse(&code).map(|_| code);
    checked.map_err(|detail| said.fault("/properties/currency", detail)).ok()
}

/// The products as lines. The same product may be there more than once, in
/// several colours: a line is then known by product and variant, wherever it is
/// in the list.
fn lines(said: &mut Said<'_>, products: &[Value]) -> Value {
    let ids: Vec<Option<String>> = products.iter().map(|product| product.as_object().and_then(product_id)).collect();
    let mut taken = BTreeSet::new();
    let mut lines = Vec::with_capacity(products.len());
    for (index, product) in products.iter().enumerate() {
        let place = format!("/properties/products/{index}");
        let (Some(product), Some(product_id)) = (product.as_object(), &ids[index]) else {
            said.fault(&format!("{place}/product_id"), "is required; this product was left out");
            continue;
        };
        let again = ids.iter().filter(|id| id.as_ref() == Some(product_id)).count() > 1;
        let named = match plain::text(product.get("variant")).filter(|_| again) {
            Some(variant) => format!("{product_id}:{variant}"),
            None => product_id.clone(),
        };
        let named = if OrderId::parse(&named).is_ok() { named } else { digest(&["line", &named]) };
        let mut id = named.clone();
        let mut nth = 2;
        while !taken.insert(id.clone()) {
            id = format!("{named}:{nth}");
            nth += 1;
        }
        let mut line = Map::new();
        line.insert("id".into(), id.into());
        line.insert("product_id".into(), product_id.clone().into());
        let quantity = product.get("quantity").filter(|value| !value.is_null()).map_or(Ok(json!(1)), plain::amount);
        let quantity = quantity.unwrap_or_else(|detail| {
            said.fault(&format!("{place}/quantity"), format!("{detail}; taken to be 1"));
            json!(1)
        });
        line.insert("quantity".into(), quantity);
        describe(said, &place, product, &mut line);
        amount(said, &place, product, ("discount", "discount"), &mut line);
        if let Some(category) = plain::text(product.get("category")) {
            line.insert("categories".into(), json!([category]));
        }
        let mut fields = Map::new();
        plain::flatten(product, NO_LINE_FIELDS, &mut fields);
        fields.retain(|_, value| !value.is_null());
        if !fields.is_empty() {
            line.insert("fields".into(), fields.into());
        }
        lines.push(Value::Object(line));
    }
    lines.into()
}
