//! Whatever comes in on whatever route, it is answered, and never with an error of ours.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::ROUTES;
use futures::StreamExt;
use local::shop::{Client, Reply};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::{Shop, campaign, order, path_on, sign, with};

const JSON: &str = "application/json";

/// How many requests are under way at once.
const AT_ONCE: usize = 8;

/// What one round sends: to each route something of its own.
#[derive(Debug, Clone)]
struct Round {
    /// In place of each id, and unless it is the one that is known, of each code.
    id: String,
    /// Anything at all, which is sent as it is…
    anything: Option<Value>,
    /// …or else put into one place of what is good.
    wrong: Value,
    place: Index,
    /// When it was true: each round has its own time, or it would contradict the last.
    at: String,
    /// Which of a shop's webhooks it is.
    topic: usize,
}

#[test]
fn no_json_on_any_route_makes_a_function_fail() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let shop = runtime.block_on(open());
    let routes = || {
        let split = ROUTES.iter().filter_map(|route| route.key.split_once(' '));
        split.filter(|(method, path)| takes_a_body(method, path))
    };
    // What is made wrong below is good to begin with.
    let turns = |path: &str| if path.starts_with("/v1/templates/") { 0..4 } else { 0..1 };
    for ((method, path), minute) in routes().flat_map(|route| turns(route.1).map(move |minute| (route, minute))) {
        let (body, topic) = (good(method, path, &format!("2026-11-02T10:{minute:02}:00Z")), 0);
        if path.ends_with("/copy") {
            // Once its members are found.
            runtime.block_on(shop.quiet());
        }
        let (what, reply) = runtime.block_on(send(&shop, (method, path), KNOWN, body, topic, &[]));
        let building = path.ends_with("/pause") || path.ends_with("/resume");
        let unknown = path.starts_with("/v1/keys/") || method == "DELETE" || building;
        assert!(
            reply.status < 300 || (unknown && [404, 409].contains(&reply.status)),
            "{what}: {} {}",
            reply.status,
            reply.json()
        );
    }
    let mut runner = TestRunner::new(Config { cases: 120, failure_persistence: None, ..Config::default() });
    runner
        .run(&rounds(), |round| {
            let replies = futures::stream::iter(routes())
                .map(|route| send(&shop, route, &round.id, round.body(route), round.topic, &[]))
                .buffer_unordered(AT_ONCE)
                .collect::<Vec<_>>();
            for (what, reply) in runtime.block_on(replies) {
                prop_assert!(reply.status < 500, "{what}: {} {}", reply.status, reply.json());
            }
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        shop.quiet().await;
        shop.nothing_failed().await;
    });
}

/// A shop that knows something of each kind.
pub(crate) async fn open() -> Shop {
    let shop = Shop::open().await;
    shop.template("t").await;
    for kind in ["shopify", "woocommerce"] {
        let source = json!({ "name": kind, "webhook": { "kind": kind, "secret": SECRET } });
        shop.put(&format!("/v1/sources/{kind}"), source).await;
    }
    for object in ["customer", "order", "order_line", "product", "category"] {
        let field = json!({ "label": "Tier", "type": "list", "max_length": 3 });
        shop.put(&format!("/v1/fields/{object}.tier"), field).await;
    }
    shop.put("/v1/products/o", json!({ "name": "Mug" })).await;
    shop.customer("c").await;
    let rang = json!({ "id": "rang", "customer_id": "c", "name": "rang", "at": "2026-11-01T10:00:00Z" });
    shop.api.tell("POST", "/v1/events", &rang).await.unwrap();
    for (id, trigger) in [
        ("shipped", json!({ "type": "order_status_changed", "set": "delivery", "to": "shipped" })),
        ("rang", json!({ "type": "event_received", "name": "rang" })),
        ("cheaper", json!({ "type": "product_changed", "what": "price_dropped", "whom": { "holding": "wishlist" } })),
    ] {
        shop.put(&format!("/v1/campaigns/{id}"), with(campaign("t"), json!({ "status": "draft", "trigger": trigger })))
            .await;
    }
    shop.put("/v1/mailings/later", json!({ "name": "m", "template": "t", "at": "2030-01-01T00:00:00Z" })).await;
    shop.known().await;
    // Each function asks for the shop's words now and then.
    shop.bundle.advance("PT2M".parse().unwrap()).await.unwrap();
    shop
}

fn takes_a_body(method: &str, path: &str) -> bool {
    ["POST", "PUT", "PATCH", "DELETE"].contains(&method) && path.starts_with("/v1/")
}

pub(crate) const SECRET: &str = "0123456789abcdef";

/// Makes one request; also what it was, in case it fails.
pub(crate) async fn send(
    shop: &Shop,
    (method, path): (&str, &str),
    id: &str,
    body: Value,
    topic: usize,
    more: &[(&str, &str)],
) -> (String, Reply) {
    // Twice, for API Gateway decodes a path twice.
    let encoded: String = id.bytes().map(|byte| format!("%25{byte:02X}")).collect();
    let all = |id: &str| -> String {
        path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>().join("/")
    };
    let kept = ["{id}", "audiences", "segments"];
    let named = match id {
        // What is known stays known.
        KNOWN if method == "DELETE" && kept.iter().any(|kept| path.contains(kept)) => all("gone"),
        KNOWN => path_on(path, KNOWN),
        _ => all(&encoded),
    };
    let nobody = Client::new(shop.bundle.api_url(), "");
    let what = format!("{method} {named} {body}");
    let reply = if let Some(kind) = path.strip_prefix("/v1/webhooks/").and_then(|rest| rest.split('/').next()) {
        let (signature, named_by, topics) = if kind == "shopify" { SHOPIFY } else { WOOCOMMERCE };
        let body = body.to_string();
        let signed = sign(SECRET, &body);
        let headers = [("content-type", JSON), (signature, &*signed), (named_by, topics[topic % topics.len()])];
        let headers = [&headers, more].concat();
        nobody.send_with(method, &format!("/v1/webhooks/{kind}/{kind}"), &headers, body.into()).await
    } else if ROUTES.iter().any(|route| route.key == format!("{method} {path}") && route.scopes.is_empty()) {
        let key = format!("Basic {}", STANDARD.encode(format!("{}:", shop.api.key())));
        let headers = [&[("content-type", JSON), ("authorization", &key)], more].concat();
        nobody.send_with(method, &named, &headers, body.to_string().into()).await
    } else if path.ends_with("/import") && body.is_string() {
        let table = body.as_str().unwrap_or_default().to_owned();
        shop.api.send_with(method, &named, &[&[("content-type", "text/csv")], more].concat(), table.into()).await
    } else {
        shop.api.send_with(method, &named, &[&[("content-type", JSON)], more].concat(), body.to_string().into()).await
    };
    (what, reply.unwrap())
}

const SHOPIFY: (&str, &str, &[&str]) = (
    "x-shopify-hmac-sha256",
    "x-shopify-topic",
    &[
        "orders/create",
        "orders/updated",
        "orders/delete",
        "customers/update",
        "products/update",
        "checkouts/update",
        "",
    ],
);
const WOOCOMMERCE: (&str, &str, &[&str]) = (
    "x-wc-webhook-signature",
    "x-wc-webhook-topic",
    &["product.updated", "order.created", "order.deleted", "customer.updated", "product.deleted", ""],
);

/// The id under which there is something of each kind.
pub(crate) const KNOWN: &str = "o";

impl Round {
    fn body(&self, (method, path): (&str, &str)) -> Value {
        let good = good(method, path, &self.at);
        let body = match (&self.anything, good) {
            (Some(anything), _) => anything.clone(),
            (None, Value::String(table)) => json!(format!("{table}{}\n", self.wrong)),
            (None, mut body) => {
                let place = self.place.get(&places(&body)).clone();
                *body.pointer_mut(&place).unwrap() = self.wrong.clone();
                body
            }
        };
        match path {
            // One thing alone is no batch.
            "/v1/batch" | "/v1/import" | "/v1/b" if self.anything.is_some() => json!({ "batch": [body, self.wrong] }),
            path if path.ends_with("/batch") && self.anything.is_some() => json!([body, self.wrong, { "id": body }]),
            _ => body,
        }
    }
}

/// A pointer to each value in a value, but for the whole.
fn places(value: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, places: &mut Vec<String>) {
        let inner: Vec<(String, &Value)> = match value {
            Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
            _ => Vec::new(),
        };
        for (name, value) in inner {
            let at = format!("{at}/{name}");
            places.push(at.clone());
            walk(value, &at, places);
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    if found.is_empty() { vec![String::new()] } else { found }
}

/// What the route takes.
pub(crate) fn good(method: &str, path: &str, at: &str) -> Value {
    let event = json!({
        "id": "e", "customer_id": "c", "anonymous_id": "v", "name": "product_viewed", "kind": "event", "at": at,
        "source": "site", "session_id": "s", "context": { "product_id": "p", "products": [{ "product_id": "p" }] },
    });
    let customer = json!({
        "email": "a@example.com", "phone": "+37120000000", "country": "LV", "birthday": "1990-05-17", "updated_at": at,
        "consent": { "email": { "state": "granted", "at": at }, "categories": { "news": "requested" } }, "tier": ["a"], "fields": { "a": [1] },
    });
    let product =
        json!({ "name": "Mug", "price": "1.50", "stock": 3, "categories": ["a"], "tier": "a", "updated_at": at });
    match path.split('/').skip(2).collect::<Vec<_>>()[..] {
        _ if method == "DELETE" => Value::Null,
        ["customers", "batch"] => json!({ "items": [with_id(customer)] }),
        ["orders", "batch"] => json!([with_id(whole_order(at)), with_id(order("d"))]),
        ["products", "batch"] => json!([with_id(product)]),
        ["events", "batch"] => json!([event]),
        ["products", "import"] => json!("id,name,price,categories\np,Mug,1.50,a\n"),
        ["customers", "import"] => json!("id,email,consent.email,audience\nc,a@example.com,yes,vip\n"),
        ["audiences", _, "import"] => json!("id\nc\n"),
        ["customers", _, "merge"] => json!({ "from": "visitor:v" }),
        ["customers", _, "containers", _] => json!({
            "id": "1", "op": "set", "at": at, "source": "site",
            "items": [{ "product_id": "p", "quantity": "2", "price": 1, "fields": { "a": 1 } }, { "product_id": "q" }],
        }),
        ["customers", _] => customer,
        ["visitors", _] => json!({ "customer_id": "c" }),
        ["audiences", _, "members"] => json!({ "add": ["c"], "remove": ["d"] }),
        ["orders", _, "status"] => json!({ "set": "delivery", "code": "shipped", "at": at, "source": "site" }),
        ["orders", _, "lines", ..] => json!({ "code": "packed", "at": at, "source": "site" }),
        ["orders", _] => whole_order(at),
        ["events"] => event,
        ["products", _] => product,
        ["categories", _] => json!({ "name": "Mugs", "parent": "a", "tier": "a", "updated_at": at }),
        ["templates", _, "preview"] => tried(json!({ "version": 1 }), at),
        ["templates", _, "test"] => tried(json!({ "version": 1, "to": ["a@example.com"] }), at),
        ["templates", "preview"] => tried(json!({ "template": { "subject": "s", "html": "<p>{{now}}</p>" } }), at),
        ["templates", _] => {
            let few = json!({ "when": { "count": "orders", "less_than": 5 }, "reason": "few" });
            json!({ "subject": "{{order.id}}", "html": "<p>{{#each order.lines}}{{name}}{{/each}}</p>", "block": [few] })
        }
        ["partials", _] => json!({ "name": "Page", "source": "<p>{{> @partial-block}}</p>" }),
        ["attachments", _] => json!({ "name": "terms.pdf", "type": "application/pdf", "content": "JVBERi0=" }),
        ["promo-code-groups", _, "codes"] => json!({ "codes": ["TEN-1", "TEN-2"] }),
        ["promo-code-groups", _] => json!({ "name": "Ten percent" }),
        ["campaigns", _] => campaign("t"),
        ["mailings", _] => {
            json!({
                "name": "m", "template": "t", "at": at, "audience": { "field": "customer.city", "is": "Riga" },
                "sending": {
                    "lifetime": "PT24H", "any_hour": false, "cap": { "most": 1, "per": "P7D" },
                    "over_cap": { "send_within": "PT48H" }, "if_unknown": { "resend_after": "PT6H" },
                },
            })
        }
        ["segments", _, "pause" | "resume"] | ["suppressions", _] => json!({}),
        ["segments", _, "copy"] => json!({ "audience": "vip" }),
        ["segments", _] => json!({ "name": "Loyal", "condition": { "count": "orders", "at_least": 5 } }),
        ["conditions", "explain"] => {
            json!({ "condition": { "sum": "orders.total", "during": { "last": "30d" }, "more_than": 5 }, "customer_id": "c" })
        }
        ["conditions", "preview"] => json!({ "condition": { "count": "events", "at_least": 1 } }),
        ["surveys"] => json!({ "name": "s", "condition": { "not": { "count": "orders" } } }),
        ["keys"] => json!({ "name": "k", "scopes": ["track"], "rate": 5 }),
        ["keys", _, "rotate"] => json!({ "grace": "PT1H" }),
        ["fields", _] => json!({ "label": "Note", "type": "decimal", "allowed": ["1", "2.5"], "min": 1, "max": 3 }),
        ["statuses", _] => json!({ "name": "At customs", "in_analytics": false }),
        ["event-types", _] => json!({ "name": "News", "kind": "event", "fields": { "a": "datetime" } }),
        ["sources", _] => json!({ "name": "App", "domain": "app.example.com", "active": true }),
        ["containers", _] => json!({ "name": "Later", "idle_after": "PT3H", "lifetime": "P3D" }),
        ["audiences", _] => json!({ "name": "VIP" }),
        ["mailing-categories", _] => {
            json!({ "name": "News", "names": { "lv": "Jaunumi" }, "description": "Weekly", "default": "off", "visible": true, "active": true })
        }
        ["settings"] => {
            json!({
                "company": "Clay", "time_zone": "Europe/Riga", "currency": "EUR", "languages": ["lv"],
                "quiet_hours": { "from": "21:00", "to": "08:00" }, "caps": [{ "most": 3, "per": "P7D" }],
            })
        }
        ["webhooks", kind, _] => recorded(kind),
        ["batch" | "import" | "b"] => json!({ "batch": [message()], "sentAt": at, "context": { "ip": "::1" } }),
        [_] => message(),
        _ => unreachable!("{method} {path} has no good body: write one"),
    }
}

/// A mail tried out: in turns of an order, an event, a product and a mailing's. The turn goes by
/// the minute.
fn tried(body: Value, at: &str) -> Value {
    let about = [
        json!({ "order_id": "o", "campaign_id": "shipped" }),
        json!({ "event_id": "rang", "campaign_id": "rang" }),
        json!({ "product_id": "o", "campaign_id": "cheaper" }),
        json!({ "mailing_id": "later" }),
    ];
    let minute = &at[14..16];
    let turn = minute.parse::<usize>().unwrap() % about.len();
    with(with(body, json!({ "customer_id": "c", "data": { "a": 1 } })), about[turn].clone())
}

/// A message that is good for all of Segment's calls.
fn message() -> Value {
    let properties = json!({
        "order_id": "o-1", "total": 9.5, "currency": "EUR",
        "products": [{ "product_id": "p", "quantity": 1, "price": 9.5, "name": "Mug" }], "product_id": "p",
    });
    json!({
        "type": "track", "event": "Order Completed", "userId": "c", "anonymousId": "v", "previousId": "w", "groupId": "g",
        "messageId": "m", "name": "Home", "timestamp": "2026-11-01T10:00:00Z", "sentAt": "2026-11-01T10:00:01Z",
        "properties": properties, "traits": { "email": "a@example.com", "address": { "city": "Riga" } },
        "context": { "page": { "url": "https://shop.example.com/" } }, "integrations": { "All": true },
    })
}

/// What a shop's webhook sent, as it was recorded.
fn recorded(kind: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../events/ingest-webhooks.{kind}.json"));
    let event: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    serde_json::from_str(event["body"].as_str().unwrap()).unwrap()
}

fn with_id(mut body: Value) -> Value {
    body["id"] = json!("b");
    body
}

/// An order with something of everything.
fn whole_order(at: &str) -> Value {
    let mut order = order("c");
    let more = json!({
        "created_at": "2026-11-01T09:00:00Z", "updated_at": at, "source": "site", "container": "cart", "tier": "a", "fields": { "a": 1 },
        "amounts": { "money": "20", "bonus": 4.95 }, "payment": { "type": "card" },
        "status": { "general": "received", "delivery": { "code": "shipped", "at": at } },
        "delivery": { "type": "courier", "address": { "city": "Riga", "zip": 1010 }, "note": "Ring" },
    });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order["lines"][0]["status"] = json!({ "code": "packed" });
    order
}

fn rounds() -> impl Strategy<Value = Round> {
    let id = prop_oneof![3 => Just(KNOWN.to_owned()), 1 => "[a-z]{1,3}", 1 => ".{1,8}"];
    let at = (3u32..20, 0u32..24, 0u32..60).prop_map(|(d, h, m)| format!("2026-11-{d:02}T{h:02}:{m:02}:00Z"));
    let parts = (id, prop::option::of(anything()), anything(), any::<Index>(), at, any::<usize>());
    parts.prop_map(|(id, anything, wrong, place, at, topic)| Round { id, anything, wrong, place, at, topic })
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
        "items",
        "op",
        "batch",
        "traits",
        "properties",
        "messageId",
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
