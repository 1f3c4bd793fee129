//! What Shopify and WooCommerce send.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use local::shop::Client;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::Shop;

const SECRET: &str = "0123456789abcdef";
const ADA: &str = "7102233445566";

/// A payload as a shop sends it, with some of its fields given other values.
fn payload(name: &str, patch: Value) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/webhooks/tests/deliveries/payloads");
    let text = std::fs::read_to_string(path.join(format!("{name}.json"))).unwrap();
    let mut payload: Value = serde_json::from_str(&text).unwrap();
    payload.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    payload
}

fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A shop whose webhooks come in, and somebody without a key who sends them.
struct Hooked {
    shop: Shop,
    sender: Client,
}

impl Hooked {
    async fn open() -> Self {
        let shop = Shop::with_plain_template().await;
        for kind in ["shopify", "woocommerce"] {
            let source = json!({ "name": kind, "webhook": { "kind": kind, "secret": SECRET } });
            shop.put(&format!("/v1/sources/{kind}-shop"), source).await;
        }
        let sender = Client::new(shop.bundle.api_url(), "");
        Self { shop, sender }
    }

    async fn shopify(&self, topic: &str, payload: &Value) -> Vec<String> {
        let (status, answer) = self.deliver("shopify", topic, payload, SECRET).await;
        assert_eq!(status, 200, "{answer}");
        became(&answer)
    }

    async fn woocommerce(&self, topic: &str, payload: &Value) -> Vec<String> {
        let (status, answer) = self.deliver("woocommerce", topic, payload, SECRET).await;
        assert_eq!(status, 200, "{answer}");
        became(&answer)
    }

    async fn deliver(&self, kind: &str, topic: &str, payload: &Value, secret: &str) -> (u16, Value) {
        let body = payload.to_string();
        let signature = sign(secret, &body);
        let headers = match kind {
            "shopify" => [
                ("content-type", "application/json"),
                ("x-shopify-hmac-sha256", signature.as_str()),
                ("x-shopify-topic", topic),
                ("x-shopify-webhook-id", "b54557e4"),
            ],
            _ => [
                ("content-type", "application/json"),
                ("x-wc-webhook-signature", signature.as_str()),
                ("x-wc-webhook-topic", topic),
                ("x-wc-webhook-delivery-id", "f5e1a2b3"),
            ],
        };
        let path = format!("/v1/webhooks/{kind}/{kind}-shop");
        let reply = self.sender.send_with("POST", &path, &headers, body.into()).await.unwrap();
        (reply.status, reply.json())
    }
}

/// What was told and what became of each.
fn became(answer: &Value) -> Vec<String> {
    let one = |told: &Value| {
        let kinds = ["customer", "order", "event", "container", "product", "visitor"];
        let what = kinds.into_iter().find(|kind| told[*kind].is_string()).unwrap_or("payload");
        format!("{what} {}", told["became"].as_str().unwrap())
    };
    answer["told"].as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn what_a_shop_sends_is_there_and_its_statuses_set_campaigns_off() {
    let hooked = Hooked::open().await;
    let shop = &hooked.shop;
    let trigger = json!({ "type": "order_status_changed", "set": "payment", "to": "paid" });
    shop.campaign("paid", trigger, json!([{ "send": { "template": "plain" } }])).await;

    let told = hooked.shopify("checkouts/create", &payload("shopify-checkout", json!({}))).await;
    assert_eq!(told, ["visitor taken", "customer created", "container created", "event created"]);
    let cart = shop.get(&format!("/v1/customers/{ADA}/containers/cart")).await;
    assert_eq!((cart["items"].as_array().unwrap().len(), &cart["items"][0]["product_id"]), (2, &json!("8801")));

    let order = payload("shopify-order", json!({}));
    let id = order["id"].to_string();
    assert_eq!(hooked.shopify("orders/create", &order).await, ["customer taken", "order created"]);
    hooked.shopify("products/create", &payload("shopify-product", json!({}))).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), Vec::<String>::new());
    let shown = shop.get(&format!("/v1/orders/{id}")).await;
    assert_eq!((&shown["total"], &shown["customer_id"]), (&json!("63.36"), &json!(ADA)));
    assert_eq!(shown["status"], json!({ "general": "received", "payment": "awaiting_payment" }));
    assert_eq!((&shown["source"], &shown["lines"][0]["total"]), (&json!("shopify-shop"), &json!("44.91")));
    assert_eq!(shop.get("/v1/products/8801").await["price"], "24.95");
    let cart = shop.get(&format!("/v1/customers/{ADA}/containers/cart")).await;
    assert_eq!(cart["items"], json!([]));

    let paid = json!({ "financial_status": "paid", "updated_at": "2026-11-20T12:04:12+02:00" });
    hooked.shopify("orders/paid", &payload("shopify-order", paid)).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), [format!("order {id}")]);
    assert_eq!(shop.mails()[0].to, ["ada@example.com"]);
}

#[tokio::test]
async fn the_same_delivery_again_changes_nothing() {
    let hooked = Hooked::open().await;
    hooked.shop.confirm_orders().await;
    let deliveries = [
        ("shopify", "checkouts/create", payload("shopify-checkout", json!({}))),
        ("shopify", "orders/create", payload("shopify-order", json!({}))),
        ("shopify", "customers/update", payload("shopify-customer", json!({}))),
        ("shopify", "products/update", payload("shopify-product", json!({}))),
        ("woocommerce", "order.created", payload("woocommerce-order", json!({}))),
        ("woocommerce", "customer.updated", payload("woocommerce-customer", json!({}))),
        ("woocommerce", "product.updated", payload("woocommerce-product", json!({}))),
    ];
    for (kind, topic, payload) in &deliveries {
        assert_eq!(hooked.deliver(kind, topic, payload, SECRET).await.0, 200);
    }
    hooked.shop.quiet().await;
    let (before, mails) = (hooked.shop.all_rows().await, hooked.shop.mails().len());
    for (kind, topic, payload) in deliveries.iter().rev() {
        let (status, answer) = hooked.deliver(kind, topic, payload, SECRET).await;
        assert_eq!(status, 200);
        assert!(became(&answer).iter().all(|became| became.ends_with(" taken")), "{answer}");
        assert!(answer["delivery"].is_string(), "{answer}");
    }
    hooked.shop.quiet().await;
    assert_eq!(hooked.shop.mails().len(), mails);
    let mut after = hooked.shop.all_rows().await;
    after.retain(|row| !before.contains(row));
    assert_eq!(after, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_shop_did_not_sign_changes_nothing() {
    let hooked = Hooked::open().await;
    let before = hooked.shop.all_rows().await;
    for (kind, topic) in [("shopify", "orders/create"), ("woocommerce", "order.created")] {
        let (status, answer) =
            hooked.deliver(kind, topic, &payload(&format!("{kind}-order"), json!({})), "another").await;
        assert_eq!((status, &answer["type"]), (401, &json!("urn:cartwire:problem:unauthorized")));
    }
    assert_eq!(hooked.shop.all_rows().await, before);
}

#[tokio::test]
async fn every_order_of_arrival_ends_the_same_and_sets_each_status_off_once() {
    let hooked = Hooked::open().await;
    let shop = &hooked.shop;
    shop.template("changed", "{{order.id}} {{change.set}} {{change.to}}").await;
    for set in ["general", "delivery", "payment"] {
        let trigger = json!({ "type": "order_status_changed", "set": set });
        shop.campaign(set, trigger, json!([{ "send": { "template": "changed" } }])).await;
    }
    let customer = json!({ "email_marketing_consent": { "state": "subscribed", "consent_updated_at": null } });
    hooked.shopify("customers/update", &payload("shopify-customer", customer)).await;
    let parcel = json!([{ "status": "success", "shipment_status": "delivered", "updated_at": "2026-11-22T09:00:00Z" }]);
    let updates = [
        ("orders/create", json!({})),
        // Paid within the second in which it was placed.
        ("orders/paid", json!({ "financial_status": "paid" })),
        (
            "orders/fulfilled",
            json!({
                "financial_status": "paid", "fulfillment_status": "fulfilled", "updated_at": "2026-11-21T09:00:00Z",
            }),
        ),
        (
            "orders/updated",
            json!({
                "financial_status": "paid", "fulfillment_status": "fulfilled", "fulfillments": parcel,
                "updated_at": "2026-11-22T09:00:00Z", "closed_at": "2026-11-22T09:00:00Z",
            }),
        ),
    ];
    let mut states = Vec::new();
    let mut wanted = Vec::new();
    for (number, arrival) in permutations(updates.len()).into_iter().enumerate().step_by(3) {
        let id = 1_000 + number;
        for index in arrival.iter().chain(&arrival) {
            let (topic, patch) = &updates[*index];
            let mut order = payload("shopify-order", patch.clone());
            order["id"] = json!(id);
            hooked.shopify(topic, &order).await;
        }
        let mut state = shop.get(&format!("/v1/orders/{id}")).await;
        state["id"] = json!(0);
        states.push(state);
        let changes = [
            "delivery delivered",
            "delivery shipped",
            "general completed",
            "general in_progress",
            "general received",
            "payment awaiting_payment",
            "payment paid",
        ];
        wanted.extend(changes.map(|change| format!("{id} {change}")));
    }
    shop.quiet().await;
    for state in &states {
        assert_eq!(state, &states[0]);
    }
    assert_eq!(states[0]["status"], json!({ "general": "completed", "delivery": "delivered", "payment": "paid" }));
    assert_eq!(shop.subjects(), wanted);
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let grown = shorter.iter().flat_map(|order| {
        (0..of).map(move |place| {
            let mut order = order.clone();
            order.insert(place, of - 1);
            order
        })
    });
    grown.collect()
}

#[tokio::test]
async fn a_guest_who_opens_an_account_takes_their_orders_along_and_none_counts_as_new_again() {
    let hooked = Hooked::open().await;
    let shop = &hooked.shop;
    shop.confirm_orders().await;
    let order = |customer: u64, second: u32| {
        let modified = format!("2026-11-20T10:05:{second:02}");
        payload("woocommerce-order", json!({ "customer_id": customer, "date_modified_gmt": modified }))
    };
    assert_eq!(hooked.woocommerce("order.created", &order(0, 0)).await, ["customer created", "order created"]);
    let guest = shop.get("/v1/orders/727").await["customer_id"].as_str().unwrap().to_owned();
    assert!(guest.starts_with("guest-"), "{guest}");
    shop.patch(&format!("/v1/customers/{guest}"), json!({ "consent": { "email": "granted" } })).await;
    shop.quiet().await;
    let mails = shop.subjects();

    hooked.woocommerce("order.updated", &order(26, 10)).await;
    assert_eq!(shop.get("/v1/orders/727").await["customer_id"], "26");
    // What was sent before that and comes late is said of the same customer.
    assert_eq!(hooked.woocommerce("order.updated", &order(0, 5)).await, ["customer taken", "order taken"]);
    shop.quiet().await;
    let shown = shop.get("/v1/orders/727").await;
    assert_eq!((&shown["customer_id"], &shown["status"]["payment"]), (&json!("26"), &json!("paid")));
    assert_eq!(shop.get("/v1/customers/26").await["consent"]["email"]["state"], "granted");
    assert_eq!(shop.subjects(), mails);
}

#[tokio::test]
async fn what_somebody_did_before_the_checkout_knew_them_is_theirs() {
    let hooked = Hooked::open().await;
    let shop = &hooked.shop;
    let nobody = payload("shopify-checkout", json!({ "customer": null }));
    assert_eq!(hooked.shopify("checkouts/create", &nobody).await, ["container created", "event created"]);
    let known = payload(
        "shopify-checkout",
        json!({ "updated_at": "2026-11-20T12:03:00+02:00", "line_items": [
        { "product_id": 8802, "quantity": 4, "title": "Candle", "price": "9.00" },
    ] }),
    );
    hooked.shopify("checkouts/update", &known).await;
    shop.quiet().await;
    let events = shop.get(&format!("/v1/customers/{ADA}/events")).await;
    assert_eq!(events["items"][0]["name"], "checkout_started");
    let cart = shop.get(&format!("/v1/customers/{ADA}/containers/cart")).await;
    let held: Vec<_> = cart["items"].as_array().unwrap().iter().map(|i| (&i["product_id"], &i["quantity"])).collect();
    assert_eq!(held, [(&json!("8802"), &json!("4"))]);
    let done = payload("shopify-checkout", json!({ "completed_at": "2026-11-20T12:04:11+02:00" }));
    hooked.shopify("checkouts/update", &done).await;
    assert_eq!(shop.get(&format!("/v1/customers/{ADA}/containers/cart")).await["items"], json!([]));
}

#[tokio::test]
async fn two_customers_whom_the_shop_makes_one_are_one_and_no_order_counts_as_new_again() {
    let hooked = Hooked::open().await;
    let shop = &hooked.shop;
    shop.confirm_orders().await;
    hooked.shopify("orders/create", &payload("shopify-order", json!({}))).await;
    shop.quiet().await;
    assert_eq!(shop.mails().len(), 1);
    let merge = json!({
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/1", "status": "completed",
        "admin_graphql_api_customer_deleted_id": format!("gid://shopify/Customer/{ADA}"),
    });
    assert_eq!(hooked.shopify("customers/merge", &merge).await, ["customer taken"]);
    let moved = json!({ "updated_at": "2026-11-21T12:00:00Z", "customer": { "id": 1, "email": "ada@example.com" } });
    assert_eq!(
        hooked.shopify("orders/updated", &payload("shopify-order", moved)).await,
        ["customer taken", "order taken"]
    );
    assert_eq!(hooked.shopify("customers/merge", &merge).await, ["customer taken"]);
    shop.quiet().await;
    assert_eq!((shop.mails().len(), &shop.get("/v1/orders/6201458122839").await["customer_id"]), (1, &json!("1")));
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_so_that_the_shop_goes_on_sending() {
    let hooked = Hooked::open().await;
    let lines = json!({ "line_items": [{ "id": 1, "product_id": 2 }] });
    let told = hooked.shopify("orders/create", &payload("shopify-order", lines)).await;
    assert_eq!(told, ["customer created", "order refused"]);
    let (status, answer) = hooked.deliver("shopify", "orders/create", &json!({ "id": 1 }), SECRET).await;
    assert_eq!((status, &answer["told"][0]["problem"]["errors"][0]["pointer"]), (200, &json!("/updated_at")));
    assert_eq!(hooked.shopify("shop/update", &json!({ "id": 1 })).await, Vec::<String>::new());
    assert_eq!(hooked.shopify("orders/delete", &json!({ "id": 404 })).await, ["order unknown"]);
    let ping = [("content-type", "application/x-www-form-urlencoded")];
    let path = "/v1/webhooks/woocommerce/woocommerce-shop";
    let reply = hooked.sender.send_with("POST", path, &ping, b"webhook_id=12".to_vec()).await.unwrap();
    assert_eq!(reply.status, 200);
}
