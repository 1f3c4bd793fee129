//! What a shop would say: as long as it would be.

use jiff::Timestamp;
use serde_json::{Value, json};

const NAMES: [&str; 5] = ["Stoneware mug", "Linen tea towel", "Oak serving board", "Beeswax candle", "Cast iron pan"];

pub(super) fn order(number: usize, customer: usize) -> Value {
    let line = |(nth, name): (usize, &&str)| {
        let product = (number * 7 + nth) % 5_000;
        json!({
            "id": (nth + 1).to_string(), "product_id": format!("sku-{product}"), "name": name,
            "quantity": nth % 2 + 1, "price": "24.95", "total": if nth % 2 == 0 { "24.95" } else { "49.90" },
            "url": format!("https://shop.example/products/sku-{product}"),
            "image": format!("https://cdn.shop.example/products/sku-{product}/600.jpg"),
            "categories": ["kitchen"],
        })
    };
    json!({
        "customer_id": format!("c-{customer}"), "currency": "EUR", "total": "179.65", "updated_at": Timestamp::now(),
        "amounts": {"delivery": "4.90", "discount": "0.00"},
        "status": {"general": "received", "payment": "awaiting_payment"},
        "delivery": {
            "type": "courier", "carrier": "Post",
            "address": {"name": "Ada Lovelace", "street": "12 Harbour Road", "city": "Riga", "zip": "LV-1050"},
        },
        "payment": {"type": "card", "provider": "stripe"},
        "lines": NAMES.iter().enumerate().map(line).collect::<Vec<_>>(),
    })
}

pub(super) fn event(id: &str, nth: usize, customer: usize) -> Value {
    let product = nth * 13 % 5_000;
    json!({
        "id": id, "customer_id": format!("c-{customer}"), "name": "product_viewed", "at": Timestamp::now(),
        "session_id": format!("s-{customer}"),
        "context": {
            "product_id": format!("sku-{product}"), "category": "kitchen", "price": "24.95", "currency": "EUR",
            "url": format!("https://shop.example/products/sku-{product}"), "title": NAMES[nth % NAMES.len()],
            "referrer": "https://shop.example/kitchen",
        },
    })
}

/// One of Segment's, as its library for browsers writes it.
pub(super) fn segment(batch: usize, nth: usize, customer: usize) -> Value {
    let product = nth * 13 % 5_000;
    let url = format!("https://shop.example/products/sku-{product}");
    json!({
        "type": "track", "event": "Product Viewed", "messageId": format!("ajs-{batch}-{nth}"),
        "userId": format!("c-{customer}"), "anonymousId": format!("a-{customer}"),
        "timestamp": Timestamp::now(), "originalTimestamp": Timestamp::now(),
        "properties": {
            "product_id": format!("sku-{product}"), "sku": format!("sku-{product}"), "category": "kitchen",
            "name": NAMES[nth % NAMES.len()], "price": 24.95, "currency": "EUR", "url": url,
        },
        "context": {
            "library": {"name": "analytics.js", "version": "next-1.70.0"}, "locale": "en-GB",
            "page": {"path": format!("/products/sku-{product}"), "title": "Shop", "url": url},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
        },
    })
}

/// A page viewed.
pub(super) fn page(id: &str, nth: usize, customer: usize) -> Value {
    json!({
        "id": id, "customer_id": format!("c-{customer}"), "name": "page_viewed", "at": Timestamp::now(),
        "session_id": format!("s-{customer}"),
        "context": { "url": format!("https://shop.example/{nth}"), "title": "Mugs" },
    })
}

pub(super) fn segment_batch(events: Vec<Value>) -> Value {
    json!({"batch": events, "sentAt": Timestamp::now()})
}

pub(super) fn product(id: &str, nth: usize) -> Value {
    json!({
        "id": id, "name": format!("{} no. {nth}", NAMES[nth % NAMES.len()]), "price": "24.95", "old_price": "29.95",
        "currency": "EUR", "url": format!("https://shop.example/products/{id}"),
        "image": format!("https://cdn.shop.example/products/{id}/600.jpg"), "categories": ["kitchen"],
        "brand": "Harbour", "stock": nth % 50,
    })
}

/// The first row of a feed.
pub(super) const HEADING: &str = "id,name,price,old_price,currency,url,image,categories,brand,stock\n";

pub(super) fn row(id: &str, nth: usize) -> String {
    format!(
        "{id},{} no. {nth},24.95,29.95,EUR,https://shop.example/products/{id},https://cdn.shop.example/products/{id}/600.jpg,kitchen,Harbour,{}\n",
        NAMES[nth % NAMES.len()],
        nth % 50,
    )
}
