//! What WooCommerce's deliveries tell.

use crate::support::{order, payload, with, written};
use serde_json::{Value, json};
use webhooks::woocommerce::{Delivery, is_ping, told};

fn delivery(topic: &str) -> Delivery<'_> {
    Delivery { topic, source: "shop" }
}

fn order_with(patch: Value) -> Value {
    let told = told(&delivery("order.updated"), &with("woocommerce-order", patch)).unwrap();
    order(&told).clone()
}

#[test]
fn an_order() {
    insta::assert_snapshot!(written(&told(&delivery("order.created"), &payload("woocommerce-order")).unwrap()));
}

#[test]
fn a_customer() {
    insta::assert_snapshot!(written(&told(&delivery("customer.updated"), &payload("woocommerce-customer")).unwrap()));
}

#[test]
fn a_product() {
    insta::assert_snapshot!(written(&told(&delivery("product.updated"), &payload("woocommerce-product")).unwrap()));
}

#[test]
fn each_status_of_woocommerces_becomes_ours_with_its_time() {
    let codes = |status: &str, patch: Value| {
        let mut unpaid = json!({ "status": status, "date_paid_gmt": null });
        unpaid.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let said = order_with(unpaid)["status"].clone();
        ["general", "delivery", "payment"].map(|set| said[set]["code"].as_str().unwrap_or("-").to_owned()).join(" ")
    };
    for (status, want) in [
        ("pending", "received - awaiting_payment"),
        ("on-hold", "received - awaiting_payment"),
        ("failed", "received - failed"),
        ("processing", "confirmed - paid"),
        ("completed", "completed - paid"),
        ("cancelled", "cancelled - -"),
        ("refunded", "- - refunded"),
        ("shipped", "- shipped -"),
        ("pre-ordered", "pre-ordered - -"),
    ] {
        assert_eq!(codes(status, json!({})), want, "{status}");
    }
    assert_eq!(codes("processing", json!({ "payment_method": "cod" })), "confirmed - awaiting_payment");
    assert_eq!(codes("cancelled", json!({ "date_paid_gmt": "2026-11-20T10:04:14" })), "cancelled - paid");
    assert_eq!(codes("refunded", json!({ "date_paid_gmt": "2026-11-20T10:04:14" })), "- - refunded");
    let done = order_with(json!({ "status": "completed", "date_completed_gmt": "2026-11-21T08:00:00" }));
    assert_eq!(done["status"]["general"]["at"], "2026-11-21T08:00:00.008Z");
    assert_eq!(done["status"]["payment"]["at"], "2026-11-20T10:04:14.004Z");
}

#[test]
fn what_is_said_within_one_second_is_told_apart_by_how_far_it_has_come() {
    let at = |status: &str| order_with(json!({ "status": status }))["updated_at"].as_str().unwrap().to_owned();
    let times = ["on-hold", "failed", "processing", "completed", "cancelled", "refunded"].map(at);
    assert!(times.is_sorted(), "{times:?}");
    assert!(at("pending").as_str() < "2026-11-20T10:04:16Z");
}

#[test]
fn a_guest_is_known_by_the_billing_address() {
    let of = |patch: Value| order_with(patch)["customer_id"].as_str().unwrap().to_owned();
    assert_eq!(of(json!({})), "26");
    assert_eq!(of(json!({ "customer_id": 0 })), webhooks::guest("ada@example.com"));
    assert!(webhooks::is_guest(&of(json!({ "customer_id": 0, "billing": null }))));
}

#[test]
fn what_is_deleted_is_told_by_its_id() {
    let told = |topic| written(&told(&delivery(topic), &json!({ "id": 7 })).unwrap());
    insta::assert_snapshot!([told("order.deleted"), told("product.deleted")].concat());
}

#[test]
fn what_holds_nothing_for_us_tells_nothing() {
    for topic in ["", "order", "coupon.created", "customer.deleted", "action.woocommerce_add_to_cart"] {
        assert_eq!(told(&delivery(topic), &payload("woocommerce-order")), Ok(Vec::new()), "{topic}");
    }
    let draft = with("woocommerce-order", json!({ "status": "checkout-draft" }));
    assert_eq!(told(&delivery("order.updated"), &draft), Ok(Vec::new()));
    let variation = with("woocommerce-product", json!({ "type": "variation", "parent_id": 93 }));
    assert_eq!(told(&delivery("product.updated"), &variation), Ok(Vec::new()));
}

#[test]
fn a_payload_that_lacks_what_matters_is_refused_with_every_place() {
    let faults = |topic, payload: Value| told(&delivery(topic), &payload).unwrap_err();
    let places = |topic, payload: Value| -> Vec<String> {
        faults(topic, payload).into_iter().map(|fault| fault.pointer).collect()
    };
    assert_eq!(places("order.created", json!({})), ["/id", "/date_modified_gmt", "/currency", "/total"]);
    assert_eq!(places("customer.created", json!({})), ["/id"]);
    assert_eq!(places("product.created", json!({ "id": 1 })), ["/name"]);
    assert_eq!(places("order.deleted", json!("7")), ["/id"]);
    let hidden = json!({ "code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": { "status": 401 } });
    assert!(faults("order.created", hidden)[0].detail.contains("must be allowed"));
}

#[test]
fn only_the_ping_is_a_ping() {
    assert!(is_ping(b"webhook_id=12"));
    for other in [b"".as_slice(), b"{}", b"webhook_id=12&x=1", b"webhook_id=a", b"webhook_id=123456789012345678901"] {
        assert!(!is_ping(other), "{other:?}");
    }
}
