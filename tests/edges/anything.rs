//! Whatever JSON comes in, it is answered, and never with an error of ours.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Shop, campaign, order};

const ROUTES: [(&str, &str); 7] = [
    ("PUT", "/v1/customers/"),
    ("PUT", "/v1/orders/"),
    ("PUT", "/v1/orders/o/status#"),
    ("POST", "/v1/events#"),
    ("PUT", "/v1/templates/"),
    ("PUT", "/v1/campaigns/"),
    ("PUT", "/v1/mailings/"),
];

#[test]
fn no_json_on_any_route_makes_a_function_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let shop = runtime.block_on(async {
        let shop = Shop::open().await;
        shop.template("t").await;
        shop.put("/v1/orders/o", order("c")).await;
        shop
    });
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let ids = prop_oneof![Just("o".to_owned()), "[a-z]{1,3}", ".{1,8}"];
    runner
        .run(&(ids, bodies()), |(id, body)| {
            // Twice, for API Gateway decodes a path twice.
            let id: String = id.bytes().map(|byte| format!("%25{byte:02X}")).collect();
            for (method, path) in ROUTES {
                let path = path.strip_suffix('#').map_or_else(|| format!("{path}{id}"), str::to_owned);
                let sent = shop.api.send(method, &path, "application/json", body.to_string().into());
                let reply = runtime.block_on(sent).unwrap();
                prop_assert!(reply.status < 500, "{method} {path} {body}: {}", reply.json());
            }
            Ok(())
        })
        .unwrap();
    runtime.block_on(shop.nothing_failed());
}

/// Anything at all, or something good with anything in one place.
fn bodies() -> impl Strategy<Value = Value> {
    let good = prop::sample::select(vec![
        json!({ "email": "a@example.com", "consent": { "email": { "state": "granted" } }, "fields": { "a": [1] } }),
        order("c"),
        json!({ "set": "delivery", "code": "shipped" }),
        json!({ "id": "e", "customer_id": "c", "name": "product_viewed", "context": { "a": { "b": [1, null] } } }),
        json!({ "subject": "{{order.id}}", "html": "<p>{{#each order.lines}}{{name}}{{/each}}</p>" }),
        campaign("t"),
        json!({ "name": "m", "template": "t", "audience": { "field": "customer.city", "is": "Riga" } }),
    ]);
    let one_place_wrong = (good, any::<prop::sample::Index>(), anything()).prop_map(|(mut body, place, value)| {
        let fields = body.as_object_mut().into_iter().flat_map(|fields| fields.values_mut());
        let mut fields: Vec<&mut Value> = fields.collect();
        let place = place.index(fields.len());
        *fields[place] = value;
        body
    });
    prop_oneof![anything(), one_place_wrong]
}

fn anything() -> impl Strategy<Value = Value> {
    let words = vec![
        "id",
        "name",
        "customer_id",
        "updated_at",
        "at",
        "currency",
        "total",
        "lines",
        "quantity",
        "status",
        "delivery",
        "fields",
        "email",
        "consent",
        "subject",
        "html",
        "trigger",
        "type",
        "steps",
        "send",
        "wait",
        "template",
        "all",
        "any",
        "not",
        "field",
        "is",
        "audience",
        "",
    ];
    let texts = vec![
        "c",
        "t",
        "EUR",
        "24.95",
        "2026-11-22T10:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "-1e-7",
        "order_created",
        "P1D",
        "{{",
        "{{#each this}}{{this}}{{/each}}",
        "{{date now \"%\"}}",
        "customer.city",
        "\u{0}",
        "\u{feff}\u{202e}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(texts).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let key = prop_oneof![prop::sample::select(words.clone()).prop_map(str::to_owned), ".{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(key, inner, 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}
