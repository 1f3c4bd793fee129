//! Numbers, times, ids and sizes that are wrong, wherever they stand; parts that take
//! away what is needed; links and signatures that are not ours.

use contracts::link::{self, Link};
use domain::MessageId;
use local::shop::Client;
use serde_json::{Value, json};

use crate::checks::Check;
use crate::support::{Shop, order, sign, with};

/// Where something can be wrong: how it is told, a body with it, and what it is.
type Place<Body> = (&'static str, &'static str, Body, &'static str);

type WithNumber = fn(Value) -> Value;
type WithId = fn(&str) -> Value;

/// What tells of each thing: how, and a body that nothing is wrong with.
fn good() -> [(&'static str, &'static str, Value); 12] {
    [
        ("PUT", "/v1/customers/a", json!({ "first_name": "Ada" })),
        ("PATCH", "/v1/customers/a", json!({ "first_name": "Ada" })),
        ("PUT", "/v1/orders/a", order("a")),
        ("PATCH", "/v1/orders/o", json!({ "total": "1" })),
        ("PUT", "/v1/orders/o/status", json!({ "set": "delivery", "code": "shipped" })),
        ("PUT", "/v1/orders/o/lines/1/status", json!({ "code": "packed" })),
        ("POST", "/v1/events", json!({ "id": "e", "customer_id": "a", "name": "searched" })),
        ("POST", "/v1/customers/a/containers/cart", cart(json!([{ "product_id": "p" }]))),
        ("PUT", "/v1/products/a", json!({ "name": "Mug" })),
        ("PATCH", "/v1/products/a", json!({ "name": "Mug" })),
        ("PUT", "/v1/categories/a", json!({ "name": "Mugs" })),
        ("PUT", "/v1/visitors/a", json!({ "customer_id": "a" })),
    ]
}

fn cart(items: Value) -> Value {
    json!({ "id": "1", "op": "add", "items": items })
}

async fn check(shop: &Shop, method: &'static str, path: &str, body: &Value, places: &[&str]) -> Value {
    Check::raw(method, path, "application/json", body.to_string()).is(shop, 422, places).await
}

/// A shop that knows what the good bodies are parts of.
async fn open() -> Shop {
    let shop = Shop::open().await;
    shop.known().await;
    shop
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_have_a_zone_and_are_neither_past_the_year_9999_nor_far_ahead() {
    let shop = open().await;
    let now = shop.bundle.now();
    let ahead = (now + jiff::SignedDuration::from_hours(25)).to_string();
    let times = ["2026-11-01", "2026-11-01T10:00:00", "10000-01-01T00:00:00Z", "+010000-01-01T00:00:00Z", &ahead];
    for (method, path, body) in good() {
        let name = match path {
            "/v1/visitors/a" => continue,
            path if path.ends_with("/status") || path.starts_with("/v1/events") || path.contains("containers") => "at",
            _ => "updated_at",
        };
        for time in times {
            let place = format!("/{name}");
            check(&shop, method, path, &with(body.clone(), json!({ name: time })), &[&place]).await;
        }
    }
    let consent = |at: &str| json!({ "consent": { "email": { "state": "granted", "at": at } } });
    check(&shop, "PUT", "/v1/customers/a", &consent("10000-01-01T00:00:00Z"), &["/consent/email/at"]).await;
    check(&shop, "PUT", "/v1/customers/a", &consent(&ahead), &["/consent/email/at"]).await;
    for (time, place) in [("2026-11-01T10:00:00", "/status/delivery/at"), (&ahead, "/status/delivery")] {
        let status = json!({ "status": { "delivery": { "code": "shipped", "at": time } } });
        check(&shop, "PATCH", "/v1/orders/o", &status, &[place]).await;
    }
    // Within a day it may be another clock.
    let soon = (now + jiff::SignedDuration::from_hours(23)).to_string();
    shop.put("/v1/customers/a", json!({ "updated_at": soon })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_exact_decimals_that_can_be_kept() {
    let shop = open().await;
    shop.put("/v1/fields/order.weight_kg", json!({ "label": "Weight", "type": "decimal" })).await;
    shop.put("/v1/fields/customer.points", json!({ "label": "Points", "type": "integer" })).await;
    // Each function asks for the shop's words now and then.
    shop.bundle.advance("PT2M".parse().unwrap()).await.unwrap();
    let amounts: [Place<WithNumber>; 8] = [
        ("PUT", "/v1/orders/a", |n| with(order("a"), json!({ "total": n })), "/total"),
        ("PATCH", "/v1/orders/o", |n| json!({ "amounts": { "bonus": n } }), "/amounts/bonus"),
        ("PATCH", "/v1/orders/o", |n| json!({ "fields": { "weight_kg": n } }), "/fields/weight_kg"),
        (
            "PATCH",
            "/v1/orders/o",
            |n| json!({ "lines": [{ "id": "1", "product_id": "p", "quantity": n }] }),
            "/lines/0/quantity",
        ),
        ("PATCH", "/v1/customers/a", |n| json!({ "points": n }), "/points"),
        (
            "POST",
            "/v1/customers/a/containers/cart",
            |n| cart(json!([{ "product_id": "p", "price": n }])),
            "/items/0/price",
        ),
        ("PUT", "/v1/products/a", |n| json!({ "name": "Mug", "stock": n }), "/stock"),
        ("PATCH", "/v1/products/a", |n| json!({ "price": n }), "/price"),
    ];
    let digits = "1".repeat(39);
    for (method, path, body, place) in amounts {
        for bad in ["NaN", "Infinity", "-inf", "0x1f", "1,5", "", &digits, &format!("1.{digits}"), "1e39"] {
            check(&shop, method, path, &body(json!(bad)), &[place]).await;
        }
        // The same as numbers of JSON, which read as doubles.
        for bad in [digits.as_str(), "1e39", "1e-300"] {
            let body = body(json!("@")).to_string().replace("\"@\"", bad);
            Check::raw(method, path, "application/json", body).is(&shop, 422, &[place]).await;
        }
        let body = body(json!("@")).to_string().replace("\"@\"", "1e999");
        Check::raw(method, path, "application/json", body).is(&shop, 400, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_short_and_clean_in_paths_and_in_bodies() {
    let shop = open().await;
    let long = "x".repeat(2_000);
    for (method, path, body) in good() {
        let (route, rest) = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "v1", "events"] => continue,
            ["", "v1", kind, _, ref rest @ ..] => (kind.to_owned(), rest.join("/")),
            _ => unreachable!("{path}"),
        };
        for id in [long.as_str(), "a%0Ab", "%00", "%20a", "a%C2%85", "%EF%BF%BF"] {
            let path = format!("/v1/{route}/{id}/{rest}");
            Check::raw(method, path.trim_end_matches('/'), "application/json", body.to_string())
                .is(&shop, 404, &[])
                .await;
        }
    }
    let bodies: [Place<WithId>; 9] = [
        ("PUT", "/v1/orders/a", |id| with(order("a"), json!({ "customer_id": id })), "/customer_id"),
        ("PATCH", "/v1/orders/o", |id| json!({ "customer_id": id }), "/customer_id"),
        ("POST", "/v1/events", |id| json!({ "id": id, "customer_id": "a", "name": "searched" }), "/id"),
        ("POST", "/v1/events", |id| json!({ "id": "e", "customer_id": id, "name": "searched" }), "/customer_id"),
        ("POST", "/v1/events", |id| json!({ "id": "e", "anonymous_id": id, "name": "searched" }), "/anonymous_id"),
        ("POST", "/v1/customers/a/containers/cart", |id| cart(json!([{ "product_id": id }])), "/items/0/product_id"),
        ("PUT", "/v1/visitors/a", |id| json!({ "customer_id": id }), "/customer_id"),
        ("POST", "/v1/customers/a/merge", |id| json!({ "from": id }), "/from"),
        ("POST", "/v1/audiences/vip/members", |id| json!({ "add": ["a", id] }), "/add/1"),
    ];
    for (method, path, body, place) in bodies {
        for id in [long.as_str(), "", "a\nb", "\u{0}", " a", "a\u{85}", "\u{ffff}"] {
            check(&shop, method, path, &body(id), &[place]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_part_takes_away_is_nothing_that_is_needed() {
    let shop = open().await;
    shop.put("/v1/products/a", json!({ "name": "Mug", "brand": "Clay" })).await;
    for (path, part, place) in [
        ("/v1/orders/o", json!({ "customer_id": null }), "/customer_id"),
        ("/v1/orders/o", json!({ "total": null }), "/total"),
        ("/v1/orders/o", json!({ "currency": null, "delivery": null }), "/currency"),
        ("/v1/products/a", json!({ "name": null, "brand": null }), "/name"),
    ] {
        Check::patch(path, &part).is(&shop, 422, &[place]).await;
    }
    // Of nothing that is known there is no part.
    Check::patch("/v1/orders/unknown", &json!({ "total": "1" })).is(&shop, 404, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_that_nobody_defined_is_reported_and_one_that_was_is_kept() {
    let shop = open().await;
    let objects: [Place<fn() -> Value>; 5] = [
        ("PUT", "/v1/customers/a", || json!({}), "customer"),
        ("PUT", "/v1/orders/a", || order("a"), "order"),
        ("PUT", "/v1/orders/b", || order("a"), "order_line"),
        ("PUT", "/v1/products/a", || json!({ "name": "Mug" }), "product"),
        ("PUT", "/v1/categories/a", || json!({ "name": "Mugs" }), "category"),
    ];
    for (method, path, body, object) in objects {
        let line = object == "order_line";
        let said = |value: Value| {
            let mut body = body();
            let place = if line { &mut body["lines"][0] } else { &mut body };
            place["colour"] = value;
            body
        };
        let place = if line { "/lines/0/colour" } else { "/colour" };
        check(&shop, method, path, &said(json!("red")), &[place]).await;
        let field = json!({ "label": "Colour", "type": "string", "allowed": ["red", "blue"] });
        shop.put(&format!("/v1/fields/{object}.colour"), field).await;
        // Each function asks for the shop's words now and then.
        shop.bundle.advance("PT2M".parse().unwrap()).await.unwrap();
        check(&shop, method, path, &said(json!("green")), &[place]).await;
        check(&shop, method, path, &said(json!(7)), &[place]).await;
        let kept = shop.put(path, said(json!("red"))).await;
        let kept = if line { &kept["lines"][0] } else { &kept };
        assert_eq!(kept["fields"], json!({ "colour": "red" }), "{object}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_too_large_to_keep_is_refused_and_nothing_of_it_is_written() {
    let shop = open().await;
    let text = "x".repeat(150 * 1024);
    for part in ["one", "two"] {
        shop.api.tell("PATCH", "/v1/orders/o", &json!({ "fields": { part: text } })).await.unwrap();
        shop.api.tell("PATCH", "/v1/customers/a", &json!({ "fields": { part: text } })).await.unwrap();
    }
    let more = json!({ "fields": { "three": text } });
    Check::patch("/v1/orders/o", &more).is(&shop, 413, &[]).await;
    Check::patch("/v1/customers/a", &more).is(&shop, 413, &[]).await;

    let large = "x".repeat(400 * 1024);
    let fields = json!({ "text": large });
    for (path, item) in [
        ("/v1/orders/batch", with(order("a"), json!({ "id": "a", "fields": fields }))),
        ("/v1/customers/batch", json!({ "id": "b", "fields": fields })),
        ("/v1/products/batch", json!({ "id": "b", "name": "Mug", "fields": fields })),
        (
            "/v1/events/batch",
            json!({ "id": "b", "customer_id": "a", "anonymous_id": "v", "name": "x", "context": fields }),
        ),
    ] {
        shop.quiet().await;
        let before = shop.rows().await;
        let reply = shop.api.post(path, &json!([item])).await.unwrap();
        let item = reply.json()["items"][0].clone();
        assert_eq!((reply.status, &item["status"]), (207, &json!(413)), "{path}: {item}");
        shop.quiet().await;
        assert!(before == shop.rows().await, "{path} wrote something");
    }
    // What was too large for one customer may yet be another's.
    shop.put("/v1/orders/a", order("b")).await;
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_lines_are_no_order() {
    let shop = open().await;
    let lines = vec![json!({ "id": "1", "product_id": "p", "quantity": 1 }); 10_000];
    // That many are too many bytes for one order alone; in a batch they are too many.
    let item = with(order("a"), json!({ "id": "a", "lines": lines }));
    let before = shop.rows().await;
    let reply = shop.api.post("/v1/orders/batch", &json!([item])).await.unwrap();
    let problem = &reply.json()["items"][0]["problem"];
    assert_eq!((&problem["status"], &problem["errors"][0]["pointer"]), (&json!(422), &json!("/lines")));
    assert!(before == shop.rows().await);
    let short = vec![json!({}); 10_000];
    check(&shop, "PUT", "/v1/orders/a", &with(order("a"), json!({ "lines": short })), &["/lines"]).await;
    check(&shop, "PATCH", "/v1/orders/o", &json!({ "lines": short }), &["/lines"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_to_a_container_names_it_and_its_items_rightly() {
    let shop = open().await;
    let of = async |code: &str, body: Value, places: &[&str]| {
        check(&shop, "POST", &format!("/v1/customers/a/containers/{code}"), &body, places).await
    };
    let item = || json!({ "product_id": "p" });
    let problem = of("nothing", cart(json!([item()])), &["/container"]).await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("\"cart\""), "{problem}");
    of("cart", json!({}), &["/id", "/op"]).await;
    of("cart", with(cart(json!([])), json!({ "op": "steal" })), &["/op"]).await;
    of("cart", with(cart(json!([])), json!({ "items": null })), &["/items"]).await;
    of("cart", cart(json!(vec![item(); 91])), &["/items"]).await;
    of("cart", cart(json!([{}, 7])), &["/items/0/product_id", "/items/1"]).await;
    of(
        "cart",
        with(cart(json!([item(), item()])), json!({ "op": "quantity" })),
        &["/items/0/quantity", "/items/1/quantity"],
    )
    .await;
    of("cart", with(cart(json!([item()])), json!({ "op": "clear" })), &["/items"]).await;
    for op in ["add", "remove", "quantity", "set"] {
        let items = json!([{ "product_id": "p", "quantity": "-1", "colour": 1 }]);
        of("cart", with(cart(items), json!({ "op": op })), &["/items/0/quantity", "/items/0/colour"]).await;
    }
    let most: Vec<Value> = (0..90).map(|n| json!({ "product_id": n.to_string() })).collect();
    shop.api.tell("POST", "/v1/customers/a/containers/cart", &cart(json!(most))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_not_ours_or_no_longer_known_identifies_nobody() {
    let shop = open().await;
    // Makes the secret, so that a test can sign with it too.
    let identify = async |link: &str| {
        check(&shop, "PUT", "/v1/visitors/v", &json!({ "link": link }), &["/link"]).await;
    };
    identify("nonsense").await;
    let scan = shop.bundle.dynamodb("Scan", json!({ "TableName": "definitions" })).await.unwrap();
    let row = scan["Items"].as_array().unwrap().iter().find(|row| row["id"]["S"] == "links").unwrap();
    let secret = row["secret"]["S"].as_str().unwrap();
    let message = MessageId::parse("0123456789abcdef0123456789abcdef").unwrap();
    let signed = link::token(secret, Link::Leave, &message);
    identify(&signed).await;
    identify(&link::token("another secret", Link::Leave, &message)).await;
    identify(&signed.replace("0123", "1123")).await;
    identify(&format!("{signed}x")).await;
    identify("").await;
    identify(&"x".repeat(501)).await;
    for (body, places) in [
        (json!({}), &["/customer_id"]),
        (json!({ "customer_id": "a", "link": signed }), &["/customer_id"]),
        (json!({ "customer_id": 7 }), &["/customer_id"]),
    ] {
        check(&shop, "PUT", "/v1/visitors/v", &body, places).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_webhook_did_not_sign_is_not_taken() {
    let shop = open().await;
    let nobody = Client::new(shop.bundle.api_url(), "");
    let body = json!({ "id": 1, "email": "ada@example.com", "updated_at": "2026-11-01T10:00:00Z" }).to_string();
    for (kind, header, topic) in [
        ("shopify", "x-shopify-hmac-sha256", ("x-shopify-topic", "customers/create")),
        ("woocommerce", "x-wc-webhook-signature", ("x-wc-webhook-topic", "customer.created")),
    ] {
        let source = json!({ "name": kind, "webhook": { "kind": kind, "secret": "0123456789abcdef" } });
        shop.put(&format!("/v1/sources/{kind}"), source.clone()).await;
        let off = with(source, json!({ "active": false }));
        shop.put(&format!("/v1/sources/{kind}-off"), off).await;
        shop.put(&format!("/v1/sources/{kind}-none"), json!({ "name": "No webhook" })).await;
        shop.bundle.advance("PT2M".parse().unwrap()).await.unwrap();
        shop.quiet().await;
        let before = shop.rows().await;
        let send = async |source: &str, body: &str, signature: &str| {
            let path = format!("/v1/webhooks/{kind}/{source}");
            let headers = [("content-type", "application/json"), (header, signature), topic];
            nobody.send_with("POST", &path, &headers, body.to_owned().into()).await.unwrap()
        };
        let right = sign("0123456789abcdef", &body);
        let other = body.replace("ada", "eve");
        for (source, body, signature) in [
            (kind, &body, ""),
            (kind, &body, "nonsense"),
            (kind, &body, &sign("fedcba9876543210", &body)),
            (kind, &body, &right[..20]),
            (kind, &other, &right),
            ("nobody", &body, &right),
            (&format!("{kind}-off"), &body, &right),
            (&format!("{kind}-none"), &body, &sign("", &body)),
            (&format!("{kind}-none"), &body, &sign("nobody's", &body)),
        ] {
            let reply = send(source, body, signature).await;
            assert_eq!(reply.status, 401, "{kind} {source} {signature}: {}", reply.json());
            assert_eq!(reply.content_type, "application/problem+json");
        }
        // Signed, but not what a shop sends.
        for (body, status) in [("", 400), ("{", 400), ("\u{0}", 400)] {
            assert_eq!(send(kind, body, &sign("0123456789abcdef", body)).await.status, status, "{kind} {body:?}");
        }
        for body in ["[]", "7", "{}", "{\"id\": {}}"] {
            let reply = send(kind, body, &sign("0123456789abcdef", body)).await;
            assert_eq!((reply.status, &reply.json()["told"][0]["became"]), (200, &json!("refused")), "{kind} {body}");
        }
        shop.quiet().await;
        assert!(before == shop.rows().await, "{kind} wrote something");
        assert_eq!(send(kind, &body, &right).await.status, 200);
    }
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thing_that_is_wrong_in_a_batch_is_answered_as_it_would_be_alone() {
    let shop = open().await;
    let kinds = [
        ("orders", with(order("a"), json!({ "id": "good" })), json!({ "total": "NaN" }), "/total"),
        ("customers", json!({ "id": "good" }), json!({ "birthday": "soon" }), "/birthday"),
        ("products", json!({ "id": "good", "name": "Mug" }), json!({ "price": [] }), "/price"),
        ("events", json!({ "id": "good", "customer_id": "a", "name": "x" }), json!({ "name": "a b" }), "/name"),
    ];
    for (kind, good, wrong, place) in kinds {
        let long = "x".repeat(2_000);
        let items = json!([
            with(good.clone(), wrong),
            with(good.clone(), json!({ "id": "a\u{0}" })),
            with(good.clone(), json!({ "id": long })),
            with(good.clone(), json!({ "id": 7 })),
            with(good.clone(), json!({ "id": "unknown", "colour": 1 })),
            [],
        ]);
        let places = [place, "/id", "/id", "/id", "/colour", ""];
        shop.quiet().await;
        let before = shop.rows().await;
        let path = format!("/v1/{kind}/batch");
        let reply = shop.api.post(&path, &items).await.unwrap();
        assert_eq!(reply.status, 207, "{kind}: {}", reply.json());
        for (index, (item, place)) in reply.json()["items"].as_array().unwrap().iter().zip(places).enumerate() {
            let problem = &item["problem"];
            assert_eq!((&item["index"], &item["status"]), (&json!(index), &json!(422)), "{kind}: {item}");
            assert_eq!(problem["errors"][0]["pointer"], place, "{kind}: {item}");
        }
        shop.quiet().await;
        assert!(before == shop.rows().await, "{kind} wrote something");
        let reply = shop.api.post(&path, &json!({ "items": [items[0], good] })).await.unwrap().json();
        assert_eq!((&reply["items"][0]["status"], &reply["items"][1]["status"]), (&json!(422), &json!(201)), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_with_bad_lines_is_taken_but_for_them() {
    let shop = open().await;
    let import = async |path: &str, body: &[u8]| shop.api.send("POST", path, "text/csv", body.to_vec()).await.unwrap();
    let customers = "id,email,birthday,country,shoe size\n\
        a,ada@example.com,1990-05-17,LV,38\n\
        ,nobody@example.com,,,\n\
        b,bob@example.com,soon,,\n\
        c,not an address,,,\n\
        d,dan@example.com,,Latvia,\n\
        e,eve@example.com\n\
        \u{1},x@example.com,,,\n";
    let report = import("/v1/customers/import", customers.as_bytes()).await;
    assert_eq!(report.status, 200);
    let report = report.json();
    let lines: Vec<&Value> = report["faulty"].as_array().unwrap().iter().map(|fault| &fault["line"]).collect();
    assert_eq!(lines, [3, 4, 6, 7, 8], "{report}");
    assert_eq!((&report["rows"], &report["created"]), (&json!(7), &json!(2)), "{report}");
    assert_eq!(report["ignored_columns"], json!(["shoe size"]));
    assert_eq!(report["faulty"][1]["problem"]["errors"][0]["pointer"], "/birthday");
    assert_eq!(shop.api.get("/v1/customers/c").await.unwrap().json()["invalid"], json!(["email"]));
    assert_eq!(shop.api.get("/v1/customers/b").await.unwrap().status, 404);

    let report = import("/v1/audiences/vip/import", b"id\na\n\n\x02\nb\n").await.json();
    let lines: Vec<&Value> = report["faulty"].as_array().unwrap().iter().map(|fault| &fault["line"]).collect();
    assert_eq!(lines, [4], "{report}");
    Check::raw("POST", "/v1/customers/import", "text/csv", "name\nAda\n").is(&shop, 422, &[""]).await;
    let many = format!("id\n{}", "x\n".repeat(2_001));
    let large = "x".repeat(5 * 1024 * 1024 + 1);
    for path in ["/v1/customers/import", "/v1/audiences/vip/import"] {
        Check::raw("POST", path, "text/csv", "").is(&shop, 422, &[""]).await;
        Check::raw("POST", path, "text/csv", many.as_str()).is(&shop, 413, &[]).await;
        Check::raw("POST", path, "text/csv", large.as_str()).is(&shop, 413, &[]).await;
        Check::raw("POST", path, "application/json", "{}").is(&shop, 415, &[]).await;
    }
    shop.nothing_failed().await;
}
