//! What Shopify's deliveries tell.

use crate::support::{order, payload, with, written};
use contracts::told::Told;
use serde_json::{Value, json};
use webhooks::shopify::{Delivery, told};

fn delivery(topic: &str) -> Delivery<'_> {
    let domain = Some("north-oak.example.com");
    Delivery { topic, source: "shop", triggered_at: Some("2026-11-20T10:04:12.345678901Z"), domain }
}

fn order_with(patch: Value) -> Value {
    let told = told(&delivery("orders/updated"), &with("shopify-order", patch)).unwrap();
    order(&told).clone()
}

#[test]
fn a_new_order() {
    insta::assert_snapshot!(written(&told(&delivery("orders/create"), &payload("shopify-order")).unwrap()));
}

#[test]
fn an_order_on_its_way() {
    let parcel = |number: &str, status: &str, at: &str| {
        json!({
            "id": 1, "order_id": 6_201_458_122_839_u64, "status": "success", "created_at": "2026-11-21T09:00:00+02:00",
            "updated_at": at, "tracking_company": "DPD", "shipment_status": status, "tracking_number": number,
            "tracking_url": format!("https://track.example.com/{number}"),
        })
    };
    let mut payload = with(
        "shopify-order",
        json!({
            "updated_at": "2026-11-21T09:00:00+02:00", "financial_status": "paid", "fulfillment_status": "fulfilled",
            "fulfillments": [
                parcel("A1", "delivered", "2026-11-23T11:00:00+02:00"),
                parcel("A2", "out_for_delivery", "2026-11-23T08:00:00+02:00"),
                { "id": 3, "status": "cancelled", "shipment_status": null, "tracking_number": "A0" },
            ],
        }),
    );
    payload["line_items"][0]["fulfillment_status"] = json!("fulfilled");
    insta::assert_snapshot!(written(&told(&delivery("orders/fulfilled"), &payload).unwrap()));
}

#[test]
fn a_customer() {
    insta::assert_snapshot!(written(&told(&delivery("customers/update"), &payload("shopify-customer")).unwrap()));
}

#[test]
fn whom_the_law_lets_be_forgotten_is_erased() {
    let payload =
        json!({ "shop_id": 1, "customer": { "id": 191_167, "email": "ada@example.com" }, "orders_to_redact": [1] });
    let erased = vec![Told::CustomerErased { id: "191167".into() }];
    assert_eq!(told(&delivery("customers/redact"), &payload), Ok(erased));
    let faults = told(&delivery("customers/redact"), &json!({})).unwrap_err();
    assert_eq!(faults[0].pointer, "/id");
}

#[test]
fn a_product() {
    insta::assert_snapshot!(written(&told(&delivery("products/update"), &payload("shopify-product")).unwrap()));
}

#[test]
fn a_checkout() {
    insta::assert_snapshot!(written(&told(&delivery("checkouts/create"), &payload("shopify-checkout")).unwrap()));
}

#[test]
fn each_status_of_shopifys_becomes_one_of_ours_with_its_time() {
    let status = |patch: Value| order_with(patch)["status"].clone();
    let said = |code: &str, at: &str| json!({ "code": code, "at": at });
    // The order's own time is 10:04:12; what has come further is a little later.
    let at = |millisecond: u32| match millisecond {
        0 => "2026-11-20T10:04:12Z".to_owned(),
        _ => format!("2026-11-20T10:04:12.{millisecond:03}Z"),
    };
    for (financial, code, rank) in [
        ("pending", "awaiting_payment", 0),
        ("authorized", "authorized", 1),
        ("partially_paid", "partially_paid", 2),
        ("expired", "expired", 3),
        ("paid", "paid", 4),
        ("partially_refunded", "partially_refunded", 5),
        ("refunded", "refunded", 6),
        ("voided", "voided", 7),
    ] {
        assert_eq!(status(json!({ "financial_status": financial }))["payment"], said(code, &at(rank)), "{financial}");
    }
    for (shipment, code, rank) in [
        (Value::Null, "shipped", 2),
        (json!("label_printed"), "shipped", 2),
        (json!("in_transit"), "shipped", 2),
        (json!("out_for_delivery"), "out_for_delivery", 3),
        (json!("attempted_delivery"), "attempted_delivery", 4),
        (json!("ready_for_pickup"), "at_pickup_point", 5),
        (json!("failure"), "delivery_failed", 6),
        (json!("delivered"), "delivered", 7),
    ] {
        let parcels = json!([{ "status": "success", "shipment_status": shipment }]);
        let status = status(json!({ "fulfillment_status": "fulfilled", "fulfillments": parcels }));
        assert_eq!(status["delivery"], said(code, &at(rank)), "{code}");
        assert_eq!(status["general"], said("in_progress", &at(1)));
    }
    assert_eq!(status(json!({}))["delivery"], Value::Null);
    assert_eq!(status(json!({ "fulfillment_status": "partial" }))["delivery"], said("partially_shipped", &at(1)));
    assert_eq!(status(json!({}))["general"], said("received", &at(0)));
    let closed = json!({ "closed_at": "2026-11-25T12:00:00+02:00", "updated_at": "2026-11-26T12:00:00+02:00" });
    assert_eq!(status(closed)["general"], said("completed", "2026-11-25T10:00:00.002Z"));
    let cancelled = json!({ "closed_at": "2026-11-25T12:00:00Z", "cancelled_at": "2026-11-24T12:00:00Z" });
    assert_eq!(status(cancelled)["general"], said("cancelled", "2026-11-24T12:00:00.003Z"));
}

#[test]
fn an_order_without_a_customer_is_a_guests_by_the_address_or_by_itself() {
    let of = |patch: Value| order_with(patch)["customer_id"].as_str().unwrap().to_owned();
    assert_eq!(of(json!({})), "7102233445566");
    let guest = of(json!({ "customer": null }));
    assert_eq!(guest, webhooks::guest("ADA@example.com"));
    let nobody = |id: u64| of(json!({ "id": id, "customer": null, "email": "", "contact_email": null }));
    assert!(webhooks::is_guest(&nobody(1)) && nobody(1) != nobody(2) && nobody(1) == nobody(1));
}

#[test]
fn a_later_delivery_of_the_same_second_is_later_and_a_repeated_one_is_not() {
    let payload = payload("shopify-order");
    let sent = |at| {
        let delivery = Delivery { triggered_at: Some(at), ..delivery("orders/updated") };
        order(&told(&delivery, &payload).unwrap())["updated_at"].as_str().unwrap().to_owned()
    };
    assert_eq!(sent("2026-11-20T10:04:12.100Z"), "2026-11-20T10:04:12.1Z");
    assert_eq!(sent("2026-11-20T10:04:12.100Z"), sent("2026-11-20T10:04:12.100Z"));
    assert!(sent("2026-11-20T10:04:12.100Z") < sent("2026-11-20T10:04:12.200Z"));
    assert!(sent("2026-11-20T11:00:00Z").as_str() < "2026-11-20T10:04:13Z");
}

#[test]
fn consent_is_told_only_where_somebody_said_something() {
    let consent = |patch: Value| {
        let told = told(&delivery("customers/update"), &with("shopify-customer", patch)).unwrap();
        let Told::Customer { body, .. } = &told[0] else { panic!("{told:?}") };
        body["consent"]["email"].clone()
    };
    let said = |state: &str| json!({ "email_marketing_consent": { "state": state, "consent_updated_at": "2026-11-01T10:00:00Z" } });
    assert_eq!(consent(said("subscribed")), json!({ "state": "granted", "at": "2026-11-01T10:00:00Z" }));
    assert_eq!(consent(said("unsubscribed")), json!({ "state": "denied", "at": "2026-11-01T10:00:00Z" }));
    for nothing in ["not_subscribed", "pending", "invalid"] {
        assert_eq!(consent(said(nothing)), Value::Null, "{nothing}");
    }
    let older = |accepts: bool, at: &str| {
        let before = json!({ "email_marketing_consent": null, "accepts_marketing": accepts, "accepts_marketing_updated_at": at });
        consent(before)["state"].clone()
    };
    assert_eq!(older(true, "2026-10-01T07:00:00Z"), "granted");
    assert_eq!(older(false, "2026-10-01T07:00:00Z"), Value::Null);
    assert_eq!(older(false, "2026-10-02T07:00:00Z"), "denied");
}

#[test]
fn small_topics_tell_what_they_hold() {
    let told = |topic, payload: Value| written(&told(&delivery(topic), &payload).unwrap());
    insta::assert_snapshot!([
        told("orders/delete", json!({ "id": 1 })),
        told("products/delete", json!({ "id": 1 })),
        told("customers_email_marketing_consent/update", json!({
            "customer_id": 1, "email_address": "ada@example.com",
            "email_marketing_consent": { "state": "unsubscribed", "consent_updated_at": "2026-11-20T12:04:00+02:00" },
        })),
        told("customers/merge", json!({
            "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1",
            "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/2", "status": "completed",
        })),
        told("checkouts/update", with("shopify-checkout", json!({ "customer": null }))),
        told("checkouts/update", with("shopify-checkout", json!({ "completed_at": "2026-11-20T12:04:11+02:00" }))),
    ].join("---\n"));
}

#[test]
fn what_holds_nothing_for_us_tells_nothing() {
    for topic in ["", "orders", "orders/edited", "refunds/create", "app/uninstalled", "customers/delete", "x/y/z"] {
        assert_eq!(told(&delivery(topic), &payload("shopify-order")), Ok(Vec::new()), "{topic}");
    }
    let failed = json!({ "status": "failed", "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1" });
    assert_eq!(told(&delivery("customers/merge"), &failed), Ok(Vec::new()));
}

#[test]
fn a_payload_that_lacks_what_matters_is_refused_with_every_place() {
    let places = |topic, payload: Value| -> Vec<String> {
        told(&delivery(topic), &payload).unwrap_err().into_iter().map(|fault| fault.pointer).collect()
    };
    assert_eq!(places("orders/create", json!({})), ["/id", "/updated_at", "/currency", "/total_price"]);
    assert_eq!(places("orders/create", json!([])), [""]);
    assert_eq!(places("customers/create", json!({})), ["/id"]);
    assert_eq!(places("products/create", json!({ "id": 1 })), ["/title"]);
    assert_eq!(places("checkouts/create", json!({})), ["/token"]);
    assert_eq!(places("orders/delete", json!({ "id": null })), ["/id"]);
}
