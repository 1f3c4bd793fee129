//! What holds for any payload.

use crate::support::payload;
use crate::taken::faults;
use domain::Fault;
use proptest::prelude::*;
use serde_json::{Value, json};
use webhooks::{shopify, woocommerce};

const SHOPIFY: &[&str] = &[
    "orders/create",
    "orders/updated",
    "orders/delete",
    "customers/create",
    "customers/merge",
    "products/update",
    "products/delete",
    "checkouts/create",
    "checkouts/update",
    "customers_email_marketing_consent/update",
];
const WOOCOMMERCE: &[&str] =
    &["order.created", "order.deleted", "customer.updated", "product.updated", "product.deleted"];
const PAYLOADS: &[&str] = &[
    "shopify-order",
    "shopify-customer",
    "shopify-product",
    "shopify-checkout",
    "woocommerce-order",
    "woocommerce-customer",
    "woocommerce-product",
];

fn take_all(payload: &Value, sent: &str) {
    let mut told = Vec::new();
    for topic in SHOPIFY {
        let domain = Some("shop.example.com");
        let delivery = shopify::Delivery { topic, source: "shop", triggered_at: Some(sent), domain };
        let first = shopify::told(&delivery, payload);
        assert_eq!(first, shopify::told(&delivery, payload), "{topic}");
        told.extend(first.unwrap_or_default());
    }
    for topic in WOOCOMMERCE {
        told.extend(woocommerce::told(&woocommerce::Delivery { topic, source: "shop" }, payload).unwrap_or_default());
    }
    // A shop's clock may be wrong, and a line of no quantity is none.
    let for_the_shop =
        |fault: &Fault| fault.detail.contains("ahead of our clock") || fault.pointer.contains("quantity");
    for told in told {
        let faults = faults(&told);
        assert!(faults.iter().all(for_the_shop), "{faults:?} {told:?}");
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("79228162514264337593543950335")),
        Just(json!("-999999999999999999.999999999")),
        Just(json!("9999-12-31T23:59:59.999Z")),
        Just(json!("9999-12-31T23:59:59")),
        Just(json!("&#1114111;&amp")),
        Just(json!("x".repeat(3_000))),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[], 1, { "id": {} }])),
    ]
}

/// Puts another value in place of some part of a real payload.
fn replaced(value: &mut Value, steps: &[prop::sample::Index], leaf: Value) {
    let Some((step, rest)) = steps.split_first() else { return *value = leaf };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let at = step.index(map.len());
            replaced(map.values_mut().nth(at).unwrap(), rest, leaf);
        }
        Value::Array(items) if !items.is_empty() => {
            let at = step.index(items.len());
            replaced(&mut items[at], rest, leaf);
        }
        _ => *value = leaf,
    }
}

proptest! {
    #[test]
    fn no_payload_makes_the_readers_panic(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((prop::collection::vec(any::<prop::sample::Index>(), 1..5), leaf()), 0..8),
        sent in prop_oneof![Just("2026-11-20T10:04:12Z".to_owned()), "\\PC{0,12}"],
    ) {
        let mut payload = payload(PAYLOADS[which.index(PAYLOADS.len())]);
        for (steps, leaf) in changes {
            replaced(&mut payload, &steps, leaf);
        }
        take_all(&payload, &sent);
    }

    #[test]
    fn no_header_makes_the_signature_check_panic(secret in "\\PC{0,9}", body in any::<Vec<u8>>(), header in "\\PC{0,60}") {
        prop_assert!(!webhooks::verify(&secret, &body, &header));
    }
}
