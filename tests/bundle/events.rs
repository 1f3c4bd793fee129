//! Events: each once, as it came.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::Shop;

const AT: &str = "2026-11-20T10:00:00Z";

#[tokio::test]
async fn each_event_of_a_batch_is_answered_for_in_its_place_and_sets_off_what_it_should() {
    let shop = Shop::with_plain_template().await;
    let seen = json!({ "type": "event_received", "name": "seen", "kind": "event" });
    shop.campaign("seen", seen, json!([{ "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    let event = |id: &str| json!({ "id": id, "customer_id": "ada", "name": "seen", "kind": "event", "at": AT });
    let mut other = event("a");
    other["at"] = json!("2026-11-20T11:00:00Z");
    let mut web = event("web");
    web["kind"] = json!("web_event");
    let events = vec![event("a"), json!({ "id": "b", "name": "seen" }), json!([]), web, event("c")];
    let (status, answer) = shop.ask("POST", "/v1/events/batch", json!(events)).await;
    let said = |answer: &Value| -> Vec<u64> {
        answer["items"].as_array().unwrap().iter().map(|item| item["status"].as_u64().unwrap()).collect()
    };
    assert_eq!((status, said(&answer)), (207, vec![201, 422, 422, 201, 201]), "{answer}");
    assert_eq!((&answer["items"][1]["id"], &answer["items"][4]["id"]), (&json!("b"), &json!("c")));
    let lines = format!("{}\n{}\n{{\n{}", event("a"), other, event("d"));
    let reply = shop.api.send("POST", "/v1/events/batch", "application/x-ndjson", lines.into()).await.unwrap();
    assert_eq!((reply.status, said(&reply.json())), (207, vec![200, 409, 400, 201]));
    let (_, again) = shop.ask("POST", "/v1/events/batch", json!({ "items": [event("a"), event("c")] })).await;
    assert_eq!(said(&again), [200, 200]);
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["event a", "event c", "event d"]);
}

#[tokio::test]
async fn an_event_is_kept_as_it_came_and_never_changes() {
    let shop = Shop::open().await;
    let event = json!({
        "id": "1", "customer_id": "ada", "name": "product_viewed", "at": AT, "source": "site", "session_id": "s-1",
        "context": { "product_id": "mug", "price": "24.95", "deep": { "list": [1, "x", null] } },
    });
    let replies = join_all((0..10).map(|_| shop.ask("POST", "/v1/events", event.clone()))).await;
    assert_eq!(replies.iter().filter(|(status, _)| *status == 201).count(), 1);
    assert!(replies.iter().all(|(status, shown)| matches!(status, 200 | 201) && *shown == replies[0].1));
    let known = &shop.get("/v1/customers/ada/events").await["items"][0];
    event.as_object().unwrap().iter().for_each(|(name, value)| assert_eq!(&known[name], value, "{name}"));
    assert_eq!(known["kind"], "web_event");
    for (name, value) in [
        ("context", json!({ "product_id": "cup" })),
        ("name", json!("searched")),
        ("at", json!("2026-11-20T10:00:01Z")),
        ("session_id", json!("s-2")),
        ("kind", json!("event")),
    ] {
        let mut other = event.clone();
        other[name] = value;
        assert_eq!(shop.ask("POST", "/v1/events", other).await.0, 409, "{name}");
    }
    // One that the caller does not date happened when it came first.
    let undated = json!({ "id": "2", "customer_id": "ada", "name": "searched" });
    let first = shop.tell("/v1/events", undated.clone()).await;
    shop.advance("PT1M").await;
    assert_eq!(shop.ask("POST", "/v1/events", undated).await, (200, first));
    // What the product costs now is not what it cost then.
    shop.put("/v1/products/mug", json!({ "name": "Mug", "price": "30", "currency": "EUR" })).await;
    let events = shop.get("/v1/customers/ada/events").await;
    assert_eq!(
        (events["items"].as_array().unwrap().len(), &events["items"][1]["context"]["price"]),
        (2, &json!("24.95"))
    );
}

#[tokio::test]
async fn a_system_event_is_about_nobody_and_every_other_about_somebody() {
    let shop = Shop::with_plain_template().await;
    let opened = json!({ "type": "event_received", "name": "shop_opened" });
    shop.campaign("opened", opened, json!([{ "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    let event = json!({ "id": "1", "name": "shop_opened", "kind": "system", "at": AT, "context": { "city": "Riga" } });
    let (status, shown) = shop.ask("POST", "/v1/events", event.clone()).await;
    assert_eq!((status, &shown["kind"], &shown["customer_id"]), (201, &json!("system"), &Value::Null));
    assert_eq!(shop.ask("POST", "/v1/events", event.clone()).await, (200, shown));
    for (name, value) in [("context", json!({})), ("name", json!("shop_closed"))] {
        let mut other = event.clone();
        other[name] = value;
        assert_eq!(shop.ask("POST", "/v1/events", other).await.0, 409);
    }
    for whom in ["customer_id", "anonymous_id"] {
        let mut about = event.clone();
        about[whom] = json!("ada");
        let (status, problem) = shop.ask("POST", "/v1/events", about).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/kind")));
    }
    for kind in ["web_event", "event"] {
        let (status, problem) =
            shop.ask("POST", "/v1/events", json!({ "id": "2", "name": "seen", "kind": kind })).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/customer_id")));
    }
    shop.quiet().await;
    assert_eq!((shop.subjects().len(), shop.dead_letters().await), (0, 0));
    assert_eq!(events(&shop, "ada").await, 0);
}

#[tokio::test]
async fn the_events_about_nobody_in_particular_are_listed_newest_first_page_by_page() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/v1/events").await, json!({ "items": [] }));
    // Several at each time, and told out of order.
    let event = |n: usize| {
        let at = format!("2026-11-20T10:{:02}:00Z", n % 7);
        json!({ "id": format!("e/{n:02}"), "name": "price_list", "kind": "system", "at": at, "context": { "n": n } })
    };
    let events: Vec<Value> = (0..60).map(event).collect();
    for _ in 0..2 {
        shop.tell("/v1/events/batch", json!(events)).await;
    }
    for kind in ["event", "web_event"] {
        let about = json!({ "id": kind, "customer_id": "ada", "name": "seen", "kind": kind });
        assert_eq!(shop.ask("POST", "/v1/events", about).await.0, 201);
    }
    let place = |event: &Value| (event["at"].to_string(), event["id"].to_string());
    let mut newest = events.clone();
    newest.sort_by_key(|event| std::cmp::Reverse(place(event)));
    for limit in [1, 7, 60, 100] {
        assert!(shop.all_of("/v1/events?", limit).await == newest, "{limit} a page");
    }
    let track = json!({ "name": "site", "scopes": ["track"] });
    let key = shop.tell("/v1/keys", track).await["key"].as_str().unwrap().to_owned();
    let browser = local::shop::Client::new(shop.bundle.api_url(), key);
    assert_eq!(browser.get("/v1/events").await.unwrap().status, 403);
    for after in ["", "nonsense", "2026-11-22T10:00:00.000Z%23"] {
        assert_eq!(shop.ask("GET", &format!("/v1/events?after={after}"), Value::Null).await.0, 422, "{after}");
    }
}

#[tokio::test]
async fn a_page_of_large_events_is_never_too_large_for_an_answer() {
    let shop = Shop::open().await;
    let event = |n: usize| {
        let text = "x".repeat(250_000);
        json!({ "id": n.to_string(), "name": "price_list", "kind": "system", "at": AT, "context": { "text": text } })
    };
    for batch in 0..3 {
        let events: Vec<Value> = (10 * batch..10 * (batch + 1)).map(event).collect();
        shop.tell("/v1/events/batch", json!(events)).await;
    }
    let first = shop.get("/v1/events").await;
    assert!(first.to_string().len() < 6_000_000 && first["next"].is_string());
    let all = shop.all_of("/v1/events?", 100).await;
    let ids: std::collections::BTreeSet<String> = all.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!((all.len(), ids.len()), (30, 30));
}

#[tokio::test]
async fn an_event_that_nobody_defined_is_taken_in_and_listed_as_seen() {
    let shop = Shop::open().await;
    let quiz = json!({ "id": "1", "customer_id": "ada", "name": "quiz_taken", "at": AT, "source": "app", "context": { "score": 5 } });
    assert_eq!(shop.ask("POST", "/v1/events", quiz).await.0, 201);
    shop.event("2", "ada", "page_viewed").await;
    let seen = shop.get("/v1/event-types/quiz_taken").await;
    assert_eq!((&seen["defined"], &seen["fields"]), (&json!(false), &json!({ "score": ["number"] })), "{seen}");
    assert_eq!(shop.get("/v1/event-types/page_viewed").await["system"], true);
    assert_eq!(events(&shop, "ada").await, 2);
}

async fn events(shop: &Shop, customer: &str) -> usize {
    shop.get(&format!("/v1/customers/{customer}/events")).await["items"].as_array().unwrap().len()
}
