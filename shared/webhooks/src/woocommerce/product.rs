//! Products.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use rust_decimal::Decimal;
use serde_json::Value;

use super::Delivery;
use super::entities::{name, names};
use crate::clock;
use crate::payload::{self, Body};

/// A variation is not a product of its own: orders and carts name its product, whose
/// own webhook follows. A category is known by its id in the shop.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let kind = payload::text(payload, "type").unwrap_or_default();
    if kind.ends_with("variation") || payload.get("status").and_then(Value::as_str) == Some("trash") {
        return Ok(Vec::new());
    }
    let id = payload::required_id(payload)?;
    let called = name(payload, "name").ok_or_else(|| vec![Fault::new("/name", "is required, as a text")])?;
    let at = payload::instant_gmt(payload, "date_modified_gmt");
    let at = at.or_else(|| payload::instant_gmt(payload, "date_created_gmt"));
    let categories = payload::list(payload, "categories").iter().filter_map(|one| payload::id(one, "id"));
    let regular = payload::decimal(payload, "regular_price").zip(payload::decimal(payload, "price"));
    let reduced = regular.is_some_and(|(regular, price)| regular > price);
    let is = |key: &str, value: &str| payload.get(key).and_then(Value::as_str) == Some(value);
    let available = match payload.get("stock_status").and_then(Value::as_str) {
        _ if payload.get("status").is_some() && !is("status", "publish") => Some(false),
        Some("outofstock") => Some(false),
        Some(_) => Some(true),
        None => None,
    };
    // What can be ordered though there is none is not out of stock.
    let stock = payload::decimal(payload, "stock_quantity").filter(|_| !is("stock_status", "onbackorder"));
    let stock = payload::reckoned(stock.map(|stock| stock.max(Decimal::ZERO)));
    let mut images = payload::list(payload, "images").iter();
    let fields = Body::default()
        .put("sku", payload::text(payload, "sku"))
        .put("status", payload::text(payload, "status"))
        .put("stock_status", payload::text(payload, "stock_status"))
        .put("tags", names(payload, "tags"))
        .put("type", Some(kind).filter(|kind| !kind.is_empty()));
    let body = delivery
        .said()
        .put("updated_at", at.map(|at| clock::content(at, None, 0).to_string()))
        .put("name", Some(called))
        .put("url", payload::url(payload, "permalink"))
        .put("image", images.find_map(|image| payload::url(image, "src")))
        .put("price", payload::amount(payload, "price"))
        .put("old_price", payload::amount(payload, "regular_price").filter(|_| reduced))
        .put("categories", Some(categories.collect::<Vec<_>>()))
        .put("brand", names(payload, "brands").and_then(|brands| brands.into_iter().next()))
        .put("stock", stock)
        .put("available", available)
        .nest("fields", fields);
    Ok(vec![Told::Product { id, body: body.done(), whole: true }])
}
