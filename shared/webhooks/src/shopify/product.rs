//! Products. A product is one product, whatever its variants.

use contracts::told::Told;
use domain::Fault;
use domain::read::Faults;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Delivery, tags};
use crate::clock;
use crate::payload::{self, Body};

/// The price is that of the cheapest variant ("from 19.99"), the old price the same
/// variant's; the stock is what all variants have together. A product that is sold
/// whatever its stock is available and has none; a draft, or one that is not
/// published, cannot be had.
pub(super) fn told(delivery: &Delivery<'_>, payload: &Value) -> Result<Vec<Told>, Faults> {
    let id = payload::required_id(payload)?;
    let name = payload::text(payload, "title");
    let name = name.ok_or_else(|| vec![Fault::new("/title", "is required, as a text")])?;
    let at = payload::instant(payload, "updated_at").or(delivery.sent());
    let handle = payload::text(payload, "handle");
    let address = delivery.domain.zip(handle.as_deref()).map(|(at, handle)| format!("https://{at}/products/{handle}"));
    let image = payload::url(payload::object(payload, "image"), "src");
    let image = image.or_else(|| payload::list(payload, "images").iter().find_map(|image| payload::url(image, "src")));

    let variants = payload::list(payload, "variants");
    let priced = variants.iter().filter_map(|variant| Some((payload::decimal(variant, "price")?, variant)));
    let cheapest = priced.min_by_key(|(price, _)| *price);
    let (price, old_price) = cheapest.map_or((None, None), |(price, variant)| {
        let old = payload::decimal(variant, "compare_at_price").filter(|old| *old > price);
        (payload::amount(variant, "price"), old.and_then(|_| payload::amount(variant, "compare_at_price")))
    });
    let shown = payload.get("status").and_then(Value::as_str) != Some("draft")
        && payload.get("status").and_then(Value::as_str) != Some("archived")
        && payload::instant(payload, "published_at").is_some();
    let endless = variants.iter().any(sells_without_stock);
    let stock = if endless { None } else { payload::reckoned(stock(variants)) };
    let skus = payload::texts(payload, "variants", "sku");

    let fields = Body::default()
        .put("handle", handle)
        .put("skus", skus)
        .put("status", payload::text(payload, "status"))
        .put("tags", tags(payload));
    let body = delivery
        .said()
        .put("updated_at", at.map(|at| clock::content(at, delivery.sent(), 0).to_string()))
        .put("name", Some(name))
        .put("url", address)
        .put("image", image)
        .put("price", price)
        .put("old_price", old_price)
        .put("categories", payload::id(payload, "product_type").map(|category| vec![category]))
        .put("brand", payload::text(payload, "vendor"))
        .put("stock", stock)
        .put("available", if shown { endless.then_some(true) } else { Some(false) })
        .nest("fields", fields);
    Ok(vec![Told::Product { id, body: body.done(), whole: true }])
}

/// Whether it is sold whatever the stock is: it is not counted, or sold on.
fn sells_without_stock(variant: &Value) -> bool {
    variant.get("inventory_policy").and_then(Value::as_str) == Some("continue")
        || variant.get("inventory_management").is_some_and(Value::is_null)
}

/// What all variants have together. What is oversold is counted below zero; what
/// can be bought is nothing then.
fn stock(variants: &[Value]) -> Option<Decimal> {
    let mut counted = variants.iter().filter_map(|one| payload::decimal(one, "inventory_quantity")).peekable();
    counted.peek()?;
    counted.try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.max(Decimal::ZERO)))
}
