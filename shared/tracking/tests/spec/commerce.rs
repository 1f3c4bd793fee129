//! Every name of Segment's e-commerce spec (v2), in messages as analytics.js
//! sends them.

use crate::common::{one, show};
use serde_json::{Value, json};
use tracking::Kind;

fn monopoly() -> Value {
    json!({
        "product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly: 3rd Edition",
        "price": 18.99, "quantity": 1, "category": "Games", "brand": "Hasbro", "variant": "200 pieces",
        "coupon": "MAYDEALS", "position": 3, "url": "https://www.example.com/product/path",
        "image_url": "https://www.example.com/product/path.jpg",
    })
}

fn uno() -> Value {
    json!({"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "name": "Uno Card Game", "price": 3,
           "quantity": 2, "category": "Games"})
}

fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

fn order() -> Value {
    json!({
        "checkout_id": "fksdjfsdjfisjf9sdfjsd9f", "order_id": "50314b8e9bcf", "affiliation": "Google Store",
        "total": 27.50, "subtotal": 22.50, "revenue": 25.00, "shipping": 3, "tax": 2, "discount": 2.5,
        "coupon": "hasbros", "currency": "USD", "products": [monopoly(), uno()],
    })
}

fn coupon() -> Value {
    json!({"order_id": "50314b8e9bcf", "cart_id": "923923929jd29jd92dj9j93fj3", "coupon_id": "may_deals_2016",
           "coupon_name": "May Deals 2016", "discount": 23.32})
}

fn step() -> Value {
    json!({"checkout_id": "50314b8e9bcf", "step": 2, "shipping_method": "Fedex", "payment_method": "Visa"})
}

fn promotion() -> Value {
    json!({"promotion_id": "promo_1", "creative": "top_banner_2", "name": "75% store-wide shoe sale",
           "position": "home_banner_top"})
}

/// As analytics.js 2 sends it to `/v1/t`.
fn message(name: &str, properties: Value) -> Value {
    json!({
        "timestamp": "2026-11-22T11:59:59.871Z",
        "integrations": {},
        "userId": "97980cfea0067",
        "anonymousId": "aa8a8a9f-4d43-4b1c-9e6b-3e6a5b8f4a11",
        "event": name,
        "type": "track",
        "properties": properties,
        "context": {
            "page": {"path": "/academy/", "referrer": "", "search": "", "title": "Shop", "url": "https://example.com/"},
            "userAgent": "Mozilla/5.0", "locale": "en-US", "timezone": "Europe/Riga",
            "library": {"name": "analytics.js", "version": "npm:next-1.81.0"},
            "campaign": {"name": "winter", "source": "newsletter"},
        },
        "messageId": "ajs-next-1795341599871-aa8a8a9f",
        "writeKey": "key",
        "sentAt": "2026-11-22T12:00:00.001Z",
        "_metadata": {"bundled": [], "unbundled": [], "bundledIds": []},
    })
}

#[test]
fn every_name_of_the_spec_is_heard_for_what_it_is() {
    let wishlist = json!({"wishlist_id": "skdjsidjsdkdj29j", "wishlist_name": "Loved Games"});
    let products = json!({"products": [monopoly(), uno()]});
    let shared = json!({"share_via": "email", "share_message": "Look!", "recipient": "friend@example.com"});
    let cart = json!({"cart_id": "skdjsidjsdkdj29j"});
    let spec = [
        ("Products Searched", json!({"query": "blue roses"})),
        ("Product List Viewed", with(json!({"list_id": "hot_deals_1", "category": "Deals"}), products.clone())),
        (
            "Product List Filtered",
            with(
                json!({"list_id": "deals", "filters": [{"type": "department", "value": "beauty"}],
                       "sorts": [{"type": "price", "value": "desc"}]}),
                products.clone(),
            ),
        ),
        ("Promotion Viewed", promotion()),
        ("Promotion Clicked", promotion()),
        ("Product Clicked", monopoly()),
        ("Product Viewed", with(monopoly(), json!({"currency": "usd", "value": 18.99}))),
        ("Product Added", with(monopoly(), cart.clone())),
        ("Product Removed", with(monopoly(), cart.clone())),
        ("Cart Viewed", with(cart.clone(), products.clone())),
        ("Checkout Started", with(order(), json!({"value": 30}))),
        ("Checkout Step Viewed", step()),
        ("Checkout Step Completed", step()),
        ("Payment Info Entered", with(step(), json!({"order_id": "50314b8e9bcf"}))),
        ("Order Completed", order()),
        ("Order Updated", with(order(), json!({"total": 24.5}))),
        ("Order Refunded", json!({"order_id": "50314b8e9bcf", "total": 30, "currency": "USD", "products": [uno()]})),
        ("Order Cancelled", order()),
        ("Coupon Entered", coupon()),
        ("Coupon Applied", coupon()),
        ("Coupon Denied", with(coupon(), json!({"reason": "Coupon expired"}))),
        ("Coupon Removed", coupon()),
        ("Product Added to Wishlist", with(monopoly(), wishlist.clone())),
        ("Product Removed from Wishlist", with(monopoly(), wishlist.clone())),
        ("Wishlist Product Added to Cart", with(monopoly(), with(wishlist, cart.clone()))),
        ("Product Shared", with(shared.clone(), monopoly())),
        ("Cart Shared", with(shared, with(cart, json!({"products": [{"product_id": "507f1f77bcf86cd799439011"}]})))),
        (
            "Product Reviewed",
            json!({"product_id": "507f1f77bcf86cd799439011", "review_id": "kdfjrj39fj39jf3",
                   "review_body": "I love this product", "rating": "5"}),
        ),
    ];
    for (name, properties) in spec {
        let heard = one(Kind::Track, &message(name, properties));
        assert_eq!(heard.faults, [], "{name}");
        insta::assert_snapshot!(name.to_lowercase().replace(' ', "_"), show(&heard));
    }
}

#[test]
fn a_name_is_known_however_it_is_written() {
    let check = |name: &str, want: &str| {
        let heard = one(Kind::Track, &json!({"userId": "u", "event": name}));
        assert!(show(&heard).contains(&format!("\"name\": \"{want}\"")), "{name}: {}", show(&heard));
    };
    check("product_viewed", "product_viewed");
    check("productViewed", "product_viewed");
    check("Viewed Product", "product_viewed");
    check("Completed Order", "order_completed");
    check("Started Order", "checkout_started");
    check("Viewed Product Category", "category_viewed");
    check("Signed Up", "registered");
    check("Song Played", "song_played");
}

#[test]
fn an_order_of_the_first_version_of_the_spec_is_an_order() {
    let properties = json!({"orderId": 1001, "revenue": "25.00", "tax": 2.00, "products": [
        {"id": "a", "price": 0.1 + 0.2, "quantity": 1}, {"id": "b", "sku": "s"}, {"sku": "c", "size": {"eu": 42}},
        {"id": "b", "variant": "red"}, {"id": "b", "variant": "red"}]});
    let message = json!({"anonymousId": "a1", "event": "Completed Order", "properties": properties,
                         "timestamp": "2026-11-22T11:00:00Z", "messageId": "m"});
    insta::assert_snapshot!(show(&one(Kind::Track, &message)));
}

#[test]
fn what_cannot_be_an_order_is_still_an_event() {
    let faults = |name: &str, properties: Value| {
        let heard = one(Kind::Track, &json!({"userId": "u", "event": name, "properties": properties}));
        assert_eq!(heard.told.len(), 1, "{name} {heard:?}");
        heard.faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    assert_eq!(faults("Order Completed", json!({"order_id": "1"})), ["/properties/total"]);
    assert_eq!(faults("Order Completed", json!({"total": 1})), ["/properties/order_id"]);
    assert_eq!(faults("Order Completed", json!({"order_id": "1", "total": "a lot"})), ["/properties/total"]);
    let odd = json!({"order_id": "1", "total": 1, "currency": "euro"});
    assert_eq!(faults("Order Completed", odd), ["/properties/currency"]);
    assert_eq!(faults("Order Cancelled", json!({"order_id": "\u{0}"})), ["/properties/order_id"]);
    assert_eq!(faults("Product Added", json!({"name": "x"})), ["/properties/product_id"]);
    assert_eq!(faults("Product Added", json!({"sku": "x", "quantity": "two"})), ["/properties/quantity"]);
    assert_eq!(faults("Product Added", json!({"products": [7]})), ["/properties/products/0/product_id"]);
    assert_eq!(faults("Product Added", json!("x")), ["/properties", "/properties/product_id"]);
}

#[test]
fn an_order_update_that_says_little_takes_nothing_away() {
    let message = json!({"userId": "u", "event": "Order Updated", "messageId": "m",
                         "properties": {"order_id": "1", "shipping": 4.5, "payment_method": "Visa"}});
    insta::assert_snapshot!(show(&one(Kind::Track, &message)));
}
