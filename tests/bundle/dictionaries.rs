//! The shop's own words: defined, held to, seen, deleted; and who changed what.

use serde_json::{Value, json};

use crate::support::{Shop, order};

/// The codes of a list, page by page.
async fn codes(shop: &Shop, path: &str, limit: usize) -> Vec<String> {
    let mut codes = Vec::new();
    let mut after = String::new();
    loop {
        let page = shop.get(&format!("{path}?limit={limit}{after}")).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        codes.extend(items.iter().map(|item| item["code"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return codes,
        }
    }
}

async fn delete(shop: &Shop, path: &str) -> (u16, Value) {
    let reply = shop.api.send("DELETE", path, "", Vec::new()).await.unwrap();
    (reply.status, reply.json())
}

async fn refused(shop: &Shop, method: &str, path: &str, body: Value) -> Vec<String> {
    let reply = shop.api.send(method, path, "application/json", body.to_string().into()).await.unwrap();
    let problem = reply.json();
    assert_eq!(reply.status, 422, "{problem}");
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_word_is_saved_listed_changed_and_deleted_and_its_versions_go_on() {
    let shop = Shop::open().await;
    for (path, body) in [
        ("fields/customer.tier", json!({ "label": "Tier", "type": "string", "allowed": ["gold", "silver"] })),
        ("statuses/delivery.at_customs", json!({ "name": "At customs", "in_analytics": true })),
        ("event-types/courier_missed", json!({ "name": "Missed", "kind": "event", "fields": { "at": "datetime" } })),
        ("sources/app.ios", json!({ "name": "App", "domain": "app.example.com", "active": true })),
        ("containers/later", json!({ "name": "Later", "idle_after": "PT3H" })),
        ("audiences/vip", json!({ "name": "VIP" })),
    ] {
        let (list, code) = path.split_once('/').unwrap();
        let (path, list) = (format!("/v1/{path}"), format!("/v1/{list}"));
        let saved = shop.put(&path, body.clone()).await;
        assert_eq!((&saved["code"], &saved["version"], &saved["system"]), (&json!(code), &json!(1), &json!(false)));
        body.as_object().unwrap().iter().for_each(|(key, value)| assert_eq!(&saved[key], value, "{path} {key}"));
        // What is shown may be sent back, and the same again is no new version.
        assert_eq!(shop.put(&path, saved.clone()).await, saved);
        assert_eq!(shop.get(&path).await, saved);
        assert!(codes(&shop, &list, 100).await.contains(&code.to_owned()));
        assert_eq!(delete(&shop, &path).await.0, 204);
        assert_eq!(delete(&shop, &path).await.0, 404);
        assert_eq!(shop.api.get(&path).await.unwrap().status, 404);
        assert!(!codes(&shop, &list, 100).await.contains(&code.to_owned()));
        assert_eq!(shop.put(&path, body).await["version"], 3);
    }
    assert_eq!(codes(&shop, "/v1/statuses", 3).await, codes(&shop, "/v1/statuses", 100).await);
}

#[tokio::test]
async fn system_words_may_be_renamed_but_not_deleted() {
    let shop = Shop::open().await;
    for path in [
        "/v1/fields/customer.email",
        "/v1/statuses/delivery.shipped",
        "/v1/event-types/product_viewed",
        "/v1/sources/online_store",
        "/v1/containers/cart",
    ] {
        let mut word = shop.get(path).await;
        assert!(word["system"] == true && word["version"].is_null(), "{word}");
        let (status, problem) = delete(&shop, path).await;
        assert!(status == 409 && problem["detail"].as_str().unwrap().contains("always there"), "{problem}");
        let name = if path.contains("fields") { "label" } else { "name" };
        word[name] = json!("Another");
        shop.put(path, word).await;
        assert_eq!(shop.get(path).await[name], "Another");
        assert_eq!(delete(&shop, path).await.0, 409);
    }
    assert_eq!(
        refused(&shop, "PUT", "/v1/fields/customer.email", json!({ "label": "E", "type": "list" })).await,
        ["/type"]
    );
    // There until it is deleted.
    assert_eq!(delete(&shop, "/v1/containers/wishlist").await.0, 204);
    assert_eq!(codes(&shop, "/v1/containers", 100).await, ["cart"]);
}

#[tokio::test]
async fn a_word_in_use_says_where_and_stays() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/fields/customer.tier", json!({ "label": "Tier", "type": "string" })).await;
    shop.put("/v1/statuses/delivery.at_customs", json!({ "name": "At customs" })).await;
    shop.put("/v1/event-types/courier_missed", json!({ "name": "Missed" })).await;
    let steps = json!([{ "send": { "template": "plain" } }]);
    let trigger = json!({ "type": "order_status_changed", "set": "delivery", "to": "at_customs" });
    let filter = json!({ "field": "customer.fields.tier", "is": "gold" });
    let body = json!({ "name": "c", "trigger": trigger, "filter": filter, "steps": steps });
    shop.put("/v1/campaigns/customs", body).await;
    shop.campaign("missed", json!({ "type": "event_received", "name": "courier_missed" }), steps).await;
    let later = json!({ "name": "m", "template": "plain", "audience": filter, "at": "2099-01-01T00:00:00Z" });
    shop.put("/v1/mailings/gold", later).await;
    shop.template("tiers", "{{customer.fields.tier}}").await;

    let said = async |path: &str| {
        let (status, problem) = delete(&shop, path).await;
        assert_eq!(status, 409, "{problem}");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let tier = "it is used by campaign \"customs\", mailing \"gold\", template \"tiers\"";
    assert_eq!(said("/v1/fields/customer.tier").await, tier);
    assert_eq!(said("/v1/statuses/delivery.at_customs").await, "it is used by campaign \"customs\"");
    assert_eq!(said("/v1/event-types/courier_missed").await, "it is used by campaign \"missed\"");
    shop.campaign("missed", json!({ "type": "order_created" }), json!([{ "send": { "template": "plain" } }])).await;
    assert_eq!(delete(&shop, "/v1/event-types/courier_missed").await.0, 204);
}

#[tokio::test]
async fn of_what_names_a_word_or_a_segment_and_its_deletion_one_alone_goes_through_even_at_the_same_time() {
    let shop = Shop::with_plain_template().await;
    let trigger = json!({ "type": "order_created" });
    let steps = json!([{ "send": { "template": "plain" } }]);
    for round in 0..6 {
        for kind in ["campaigns", "mailings", "segments", "templates"] {
            for word in [true, false] {
                let code = format!("{kind}_{round}");
                let (path, defined, condition) = if word {
                    let defined = json!({ "label": "Tier", "type": "string" });
                    let condition = json!({ "field": format!("customer.fields.{code}"), "is": "gold" });
                    (format!("/v1/fields/customer.{code}"), defined, condition)
                } else {
                    let defined = json!({ "name": code, "condition": { "field": "customer.city", "is": "Riga" } });
                    (format!("/v1/segments/{code}"), defined, json!({ "segment": code }))
                };
                shop.put(&path, defined).await;
                let naming = match kind {
                    "campaigns" => json!({ "name": "c", "trigger": trigger, "filter": condition, "steps": steps }),
                    "mailings" => json!({
                        "name": "m", "template": "plain", "audience": condition, "at": "2099-01-01T00:00:00Z",
                    }),
                    "segments" => json!({ "name": "s", "condition": { "not": condition } }),
                    _ => json!({
                        "subject": "s", "html": "<p>x</p>", "block": [{ "when": condition, "reason": "not these" }],
                    }),
                };
                let naming_path = format!("/v1/{kind}/by-{word}-{round}");
                let (deleted, saved) = tokio::join!(delete(&shop, &path), shop.ask("PUT", &naming_path, naming));
                let one_of_both = matches!((deleted.0, saved.0), (204, 422) | (409, 200));
                assert!(one_of_both, "{path} by {naming_path}: {deleted:?} {saved:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_comes_in_is_held_to_the_fields_that_are_defined() {
    let shop = Shop::open().await;
    shop.put("/v1/fields/customer.children", json!({ "label": "Children", "type": "integer", "min": 0 })).await;
    shop.put("/v1/fields/order_line.engraving", json!({ "label": "E", "type": "string", "max_length": 5 })).await;
    shop.advance("PT2S").await;
    shop.put("/v1/customers/ada", json!({ "children": "2", "fields": { "shoe": 41 } })).await;
    assert_eq!(shop.get("/v1/customers/ada").await["fields"], json!({ "children": 2, "shoe": 41 }));
    let bad = json!({ "fields": { "children": -1 } });
    assert_eq!(refused(&shop, "PUT", "/v1/customers/ada", bad).await, ["/fields/children"]);
    assert_eq!(refused(&shop, "PUT", "/v1/customers/ada", json!({ "children": "x" })).await, ["/children"]);
    assert_eq!(refused(&shop, "PUT", "/v1/customers/ada", json!({ "childs": 1 })).await, ["/childs"]);
    let mut body = order("ada");
    body["lines"][0]["engraving"] = json!("too long");
    assert_eq!(refused(&shop, "PUT", "/v1/orders/1", body.clone()).await, ["/lines/0/engraving"]);
    body["lines"][0]["engraving"] = json!("Ada");
    shop.put("/v1/orders/1", body).await;
    assert_eq!(shop.get("/v1/orders/1").await["lines"][0]["fields"], json!({ "engraving": "Ada" }));
}

#[tokio::test]
async fn an_event_that_nobody_defined_is_taken_and_listed_as_seen_whatever_the_order() {
    let event = |id: &str, at: &str, context: Value| json!({ "id": id, "customer_id": "ada", "name": "quiz_taken", "at": at, "context": context });
    let mut events = vec![
        event("1", "2026-11-02T10:00:00Z", json!({ "score": 5 })),
        event("2", "2026-11-01T10:00:00Z", json!({ "score": "five", "name": "mugs" })),
        event("3", "2026-11-04T10:00:00Z", json!({})),
        event("4", "2026-11-03T10:00:00Z", json!({ "name": "mugs" })),
    ];
    let mut listed = Vec::new();
    for _ in 0..2 {
        let shop = Shop::open().await;
        for event in &events {
            shop.api.tell("POST", "/v1/events", event).await.unwrap();
        }
        listed.push(shop.get("/v1/event-types/quiz_taken").await);
        let codes = codes(&shop, "/v1/event-types", 5).await;
        assert!(codes.contains(&"quiz_taken".to_owned()) && codes.is_sorted(), "{codes:?}");
        shop.put("/v1/event-types/quiz_taken", json!({ "name": "Quiz", "fields": { "score": "integer" } })).await;
        assert_eq!(shop.get("/v1/event-types/quiz_taken").await["defined"], true);
        assert_eq!(self::codes(&shop, "/v1/event-types", 100).await, codes);
        events.reverse();
    }
    assert_eq!(listed[0], listed[1]);
    let seen = &listed[0];
    assert_eq!(seen["fields"], json!({ "name": ["string"], "score": ["number", "string"] }));
    assert_eq!(
        (&seen["defined"], &seen["first_seen"], &seen["last_seen"], &seen["kinds"]),
        (&json!(false), &json!("2026-11-01"), &json!("2026-11-04"), &json!(["web_event"]))
    );
}

#[tokio::test]
async fn every_change_is_known_with_who_made_it_and_what_was_before() {
    let shop = Shop::open().await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    shop.advance("PT1S").await;
    shop.put("/v1/audiences/vip", json!({ "name": "Best" })).await;
    shop.advance("PT1S").await;
    let webhook = json!({ "kind": "shopify", "secret": "0123456789abcdef" });
    let source = shop.put("/v1/sources/shop", json!({ "name": "Shop", "webhook": webhook })).await;
    assert_eq!(source["webhook"]["secret"], "set");
    shop.advance("PT1S").await;
    delete(&shop, "/v1/audiences/vip").await;

    let page = shop.get("/v1/audit?limit=3").await;
    let next = page["next"].as_str().unwrap();
    let rest = shop.get(&format!("/v1/audit?after={next}")).await;
    let mut changes = page["items"].as_array().unwrap().clone();
    changes.extend(rest["items"].as_array().unwrap().clone());
    assert!(rest["next"].is_null());
    let said = |change: &Value| format!("{} {} {}", change["kind"], change["code"], change["version"]).replace('"', "");
    // The first was to make the key, by hand.
    let first = changes.pop().unwrap();
    assert_eq!((&first["kind"], &first["version"], &first["by"]), (&json!("key"), &json!(1), &Value::Null));
    let all: Vec<String> = changes.iter().map(said).collect();
    assert_eq!(all, ["audience vip 3", "source shop 1", "audience vip 2", "audience vip 1"]);
    assert!(changes.iter().all(|change| change["by"].is_string() && change["at"].is_string()), "{changes:?}");

    let change = async |at: usize| shop.get(&format!("/v1/audit/{}", changes[at]["id"].as_str().unwrap())).await;
    let (deleted, renamed, made) = (change(0).await, change(2).await, change(3).await);
    assert_eq!((&deleted["before"]["name"], &deleted["after"]), (&json!("Best"), &Value::Null));
    assert_eq!((&renamed["before"]["name"], &renamed["after"]["name"]), (&json!("VIP"), &json!("Best")));
    assert!(made["before"].is_null());
    assert!(!change(1).await.to_string().contains("0123456789abcdef"));
    assert_eq!(shop.api.get("/v1/audit/moon").await.unwrap().status, 404);
}

#[tokio::test]
async fn every_change_of_a_key_is_known_and_what_opens_anything_is_not() {
    let shop = Shop::open().await;
    let made = shop.tell("/v1/keys", json!({ "name": "Back end", "scopes": ["ingest"], "rate": 7 })).await;
    let id = made["id"].as_str().unwrap();
    shop.advance("PT1S").await;
    let rotate = async || shop.tell(&format!("/v1/keys/{id}/rotate"), json!({ "grace": "PT1H" })).await;
    let (one, other) = futures::future::join(rotate(), rotate()).await;
    shop.advance("PT1S").await;
    assert_eq!(shop.ask("DELETE", &format!("/v1/keys/{id}"), Value::Null).await, (204, Value::Null));
    assert_eq!(shop.ask("DELETE", &format!("/v1/keys/{id}"), Value::Null).await.0, 404);

    let ours = shop.api.key().split('_').nth(1).unwrap();
    let mut changes = Vec::new();
    for change in shop.all_of("/v1/audit?", 2).await {
        if change["code"] == *id {
            assert_eq!((&change["kind"], &change["by"]), (&json!("key"), &json!(ours)));
            changes.push(shop.get(&format!("/v1/audit/{}", change["id"].as_str().unwrap())).await);
        }
    }
    let versions: Vec<u64> = changes.iter().map(|change| change["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [4, 3, 2, 1]);
    let (revoked, rotated, created) = (&changes[0], &changes[2], &changes[3]);
    assert!(created["before"].is_null() && revoked["after"].is_null());
    let kept = json!({ "name": "Back end", "scopes": ["ingest"], "rate": 7, "created_at": made["created_at"] });
    assert_eq!((&created["after"], &rotated["before"]), (&kept, &kept));
    assert!(rotated["after"]["rotated_at"].is_string() && rotated["after"]["previous_until"].is_string());
    assert_eq!(revoked["before"], changes[1]["after"]);

    // Of the revoked key nothing is left but that: no secret that it had, and no hash of one.
    let rows = shop.all_rows().await.concat();
    for key in [&made, &one, &other] {
        let key = contracts::ApiKey::from_text(key["key"].as_str().unwrap()).unwrap();
        let secret = key.reveal().rsplit('_').next().unwrap().to_owned();
        assert!(!rows.contains(&secret) && !rows.contains(&key.hash()));
    }
    assert!(rows.contains(id));
}

#[tokio::test]
async fn settings_are_one_word_of_their_own() {
    let shop = Shop::open().await;
    assert_eq!(shop.get("/v1/settings").await, json!({}));
    let settings = json!({ "company": "Mug shop", "time_zone": "Europe/Riga", "currency": "EUR", "languages": ["lv"] });
    assert_eq!(shop.put("/v1/settings", settings).await["version"], 1);
    assert_eq!(shop.get("/v1/settings").await["currency"], "EUR");
    assert_eq!(
        refused(&shop, "PUT", "/v1/settings", json!({ "time_zone": "Riga", "colour": 1 })).await,
        ["/time_zone", "/colour"]
    );
}

#[tokio::test]
async fn a_cap_is_of_a_mailing_category_that_there_is_and_stays_until_no_cap_names_it() {
    let shop = Shop::open().await;
    let caps = |categories: &[&str]| {
        let cap = |category: &&str| json!({ "most": 1, "per": "P1D", "category": category });
        json!({ "caps": categories.iter().map(cap).collect::<Vec<_>>() })
    };
    let put = async |categories: &[&str]| {
        let (status, problem) = shop.ask("PUT", "/v1/settings", caps(categories)).await;
        let text = |name: &str| problem["errors"][0][name].as_str().unwrap_or_default().to_owned();
        (status, text("pointer"), text("detail"))
    };
    let none = (422, "/caps/0/category".to_owned(), "there are no mailing categories yet".to_owned());
    assert_eq!(put(&["news"]).await, none);
    for code in ["news", "offers"] {
        shop.put(&format!("/v1/mailing-categories/{code}"), json!({ "name": code })).await;
    }
    let (status, pointer, detail) = put(&["offers", "new"]).await;
    assert_eq!((status, pointer.as_str()), (422, "/caps/1/category"));
    assert_eq!(detail, "there is no mailing category \"new\"; did you mean \"news\" or \"offers\"?");
    assert_eq!(shop.get("/v1/settings").await, json!({}), "nothing of it was saved");
    assert_eq!(put(&["offers", "news"]).await.0, 200);

    let (status, problem) = delete(&shop, "/v1/mailing-categories/news").await;
    assert_eq!((status, &problem["detail"]), (409, &json!("it is used by the settings")));
    assert_eq!(put(&["offers"]).await.0, 200);
    assert_eq!(delete(&shop, "/v1/mailing-categories/news").await.0, 204);
}
