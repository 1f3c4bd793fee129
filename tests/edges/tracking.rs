//! What Segment's clients send: keys, sizes, bad messages among good ones, and
//! failures at every point. The clients themselves are in tests/clients.

use local::shop::{Client, Reply};
use local::{Fault, When};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::Shop;

/// Sends as a browser does: plain text, the key in the body.
async fn send(shop: &Shop, call: &str, key: &str, mut body: Value) -> Reply {
    body["writeKey"] = key.into();
    let client = Client::new(shop.bundle.api_url(), "");
    client.send("POST", &format!("/v1/{call}"), "text/plain", body.to_string().into()).await.unwrap()
}

/// What a customer did, by their events' names.
async fn seen(shop: &Shop, customer: &str) -> Vec<String> {
    let events = shop.api.get(&format!("/v1/customers/{customer}/events")).await.unwrap().json();
    let mut names: Vec<String> =
        events["items"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn track(user: &str, id: &str, event: &str, properties: Value) -> Value {
    json!({ "type": "track", "userId": user, "event": event, "messageId": id, "properties": properties,
            "timestamp": "2026-11-01T10:00:00Z" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_that_may_track_nothing_is_written() {
    let shop = Shop::open().await;
    let (good, manage) = (shop.client(&["track"]).await, shop.client(&["manage"]).await);
    let before = shop.rows().await;
    let message = || track("u", "m", "E", json!({}));
    let wrong = format!("{}{}", &good.key()[..20], "0".repeat(48));
    for (key, status) in [("", 401), ("nonsense", 401), (wrong.as_str(), 401), (manage.key(), 403)] {
        let reply = send(&shop, "track", key, message()).await;
        assert_eq!(reply.status, status, "{key}");
        // A page hears of it too.
        assert_eq!(reply.header("access-control-allow-origin"), "*");
    }
    assert!(before == shop.rows().await);
    assert_eq!(send(&shop, "track", good.key(), message()).await.json(), json!({ "success": true }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_messages_do_not_keep_good_ones_out() {
    let shop = Shop::open().await;
    let key = shop.client(&["track"]).await.key().to_owned();
    let large = json!({ "text": "x".repeat(40_000) });
    let batch = json!({ "batch": [
        track("u", "1", "A", json!({})),
        { "type": "track", "event": "nobody's" },
        track("u", "2", "B", large.clone()),
        track("u", "3", "Order Completed", json!({ "order_id": "o-1" })),
        "nothing",
        track("u", "4", "C", json!({})),
    ] });
    let reply = send(&shop, "batch", &key, batch).await;
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    let told = |error: &Value| (error["index"].as_u64().unwrap(), error["taken"].as_bool().unwrap());
    assert_eq!(
        (reply.status, errors.iter().map(told).collect::<Vec<_>>()),
        (200, vec![(1, false), (2, false), (3, true), (4, false)])
    );
    assert_eq!(seen(&shop, "u").await, ["a", "c", "order_completed"]);
    assert_eq!(errors[2]["problems"][0]["errors"][0]["pointer"], "/batch/3/properties/total");

    let status = async |call: &str, body: Value| send(&shop, call, &key, body).await.status;
    assert_eq!(status("track", track("u", "5", "D", large)).await, 413);
    assert_eq!(status("batch", json!({ "batch": [], "x": "x".repeat(520_000) })).await, 413);
    assert_eq!(status("batch", json!({ "batch": 7 })).await, 422);
    assert_eq!(status("group", json!({ "userId": "u" })).await, 422);
    assert_eq!(status("nothing", json!({})).await, 404);
    assert_eq!(seen(&shop, "u").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_anybody_can_read_merges_no_customers_and_learns_nothing() {
    let shop = Shop::open().await;
    let (track_key, ingest) = (shop.client(&["track"]).await, shop.client(&["ingest"]).await);
    shop.customer("victim").await;
    let alias = json!({ "previousId": "victim", "userId": "thief" });
    let reply = send(&shop, "alias", track_key.key(), alias.clone()).await;
    assert_eq!(reply.json()["success"], false);
    shop.quiet().await;
    assert_eq!(shop.api.get("/v1/customers/victim").await.unwrap().json()["id"], "victim");

    // Whether there is such an order is nothing for it to know.
    let cancelled = || track("u", "c", "Order Cancelled", json!({ "order_id": "o-404" }));
    let reply = send(&shop, "track", track_key.key(), cancelled()).await;
    assert_eq!((reply.status, reply.json()), (200, json!({ "success": true })));
    let reply = send(&shop, "track", ingest.key(), cancelled()).await;
    assert_eq!(reply.json()["errors"][0]["problems"][0]["status"], 404);

    assert_eq!(send(&shop, "alias", ingest.key(), alias).await.json(), json!({ "success": true }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_point_and_sent_again_it_is_there_once() {
    let shop = Shop::open().await;
    let key = shop.client(&["ingest"]).await.key().to_owned();
    let mut killed = 0;
    for (number, when) in (1..60).flat_map(|number| [(number, When::Before), (number, When::After)]) {
        let call = format!("{number}-{when:?}");
        let (user, order) = (format!("u-{call}"), format!("o-{call}"));
        let id = |name: &str| format!("{name}-{call}");
        let line = json!([{ "product_id": "mug", "quantity": 2, "price": 24.95 }]);
        let properties = json!({ "order_id": order, "total": "49.90", "currency": "EUR", "products": line });
        let batch = json!({ "sentAt": "2026-11-01T10:00:01Z", "batch": [
            { "type": "identify", "userId": user, "anonymousId": id("visitor"), "messageId": id("i"),
              "timestamp": "2026-11-01T10:00:00Z", "traits": { "plan": "gold" } },
            track(&user, &id("w"), "Product Added to Wishlist", json!({ "product_id": "mug", "quantity": 2 })),
            track(&user, &id("p"), "Order Completed", properties),
        ] });
        // The function's calls before this one go through.
        shop.bundle.fault(Fault::Kill {
            function: "ingest-tracking".into(),
            at_call: number,
            service: Some("dynamodb".into()),
            operation: None,
            when,
            next: 1,
        });
        let first = send(&shop, "batch", &key, batch.clone()).await;
        shop.bundle.clear_faults();
        if first.status >= 500 {
            killed += 1;
            assert_eq!(send(&shop, "batch", &key, batch).await.json(), json!({ "success": true }), "{call}");
        }
        assert_eq!(seen(&shop, &user).await, ["added_to_container", "order_completed"], "{call}");
        let wishlist = shop.api.get(&format!("/v1/customers/{user}/containers/wishlist")).await.unwrap().json();
        assert_eq!(wishlist["items"][0]["quantity"], "2", "{call}");
        let order = shop.api.get(&format!("/v1/orders/{order}")).await.unwrap().json();
        assert_eq!((&order["total"], &order["status"]["general"]), (&json!("49.90"), &json!("received")), "{call}");
        if first.status == 200 {
            break;
        }
    }
    assert!(killed > 5, "it was killed {killed} times");
}

#[test]
fn no_json_makes_the_function_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (shop, key) = runtime.block_on(async {
        let shop = Shop::open().await;
        let key = shop.client(&["ingest"]).await.key().to_owned();
        (shop, key)
    });
    let value = || {
        prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!({ "a": [{ "b": null }] })),
            Just(json!([{ "product_id": "p" }, 7])),
            Just(json!("x".repeat(300))),
        ]
    };
    let names = prop::sample::select(vec!["Order Completed", "Order Updated", "Product Added", "Anything", "\u{0}"]);
    let types = prop::sample::select(vec!["identify", "track", "page", "screen", "group", "alias", "x"]);
    const FIELDS: &[&str] =
        &["userId", "anonymousId", "messageId", "timestamp", "properties", "traits", "context", "previousId"];
    const INNER: &[&str] =
        &["order_id", "total", "currency", "products", "product_id", "quantity", "email", "address", "page"];
    let object = |names: &'static [&'static str]| {
        prop::collection::btree_map(prop::sample::select(names).prop_map(str::to_owned), value(), 0..6)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    };
    let messages = (object(FIELDS), object(INNER), names, types, any::<bool>()).prop_map(
        |(mut message, inner, name, kind, whole)| {
            message["type"] = kind.into();
            message["event"] = name.into();
            if whole {
                message["userId"] = "u".into();
                message["properties"] = inner.clone();
                message["traits"] = inner;
            }
            message
        },
    );
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    runner
        .run(&prop::collection::vec(messages, 0..4), |batch| {
            let reply = runtime.block_on(send(&shop, "batch", &key, json!({ "batch": batch })));
            prop_assert!(reply.status < 500, "{batch:?}: {}", reply.json());
            Ok(())
        })
        .unwrap();
    runtime.block_on(shop.nothing_failed());
}
