//! Customers who turn out to be one, who ask for what is known of them, and who
//! are erased.

use serde_json::{Value, json};

use crate::support::{Shop, order};

/// Two customers with a bit of everything each.
async fn two_customers() -> Shop {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.template("wished", "wished {{change.product_id}}").await;
    let changed = json!({ "type": "container_changed", "container": "wishlist" });
    shop.campaign("wished", changed, json!([{ "send": { "template": "wished" } }])).await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    shop.put("/v1/audiences/news", json!({ "name": "News" })).await;
    for (id, hour, city, audience) in [("ada", 8, "Riga", "vip"), ("bob", 9, "Cesis", "news")] {
        let at = format!("2026-11-20T{hour:02}:00:00Z");
        let body = json!({
            "email": format!("{id}@example.com"), "city": city, "fields": { id: true }, "updated_at": at,
            "consent": { "email": { "state": "granted", "at": at } },
        });
        shop.patch(&format!("/v1/customers/{id}"), body).await;
        shop.order(&format!("o-{id}"), id).await;
        shop.event(&format!("e-{id}"), id, "page_viewed").await;
        for (container, product) in [("wishlist", id), ("wishlist", "both")] {
            let at = format!("2026-11-20T{:02}:30:00Z", hour);
            let add =
                json!({ "id": format!("{id}-{product}"), "op": "add", "at": at, "items": [{ "product_id": product }] });
            shop.tell(&format!("/v1/customers/{id}/containers/{container}"), add).await;
        }
        shop.tell("/v1/audiences/vip/members", json!({ "add": [id] })).await;
        shop.tell(&format!("/v1/audiences/{audience}/members"), json!({ "add": [id] })).await;
    }
    shop.patch("/v1/customers/ada", json!({ "first_name": "Ada", "updated_at": "2026-11-20T10:00:00Z" })).await;
    shop.quiet().await;
    shop
}

fn held(container: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = container["items"].as_array().unwrap().iter();
    let mut held: Vec<_> = items.map(|item| (text(&item["product_id"]), text(&item["quantity"]))).collect();
    held.sort();
    held
}

#[tokio::test]
async fn two_customers_become_one_who_has_what_both_had_and_goes_by_both_ids() {
    let shop = two_customers().await;
    let mails = shop.subjects().len();
    assert_eq!(mails, 6, "{:?}", shop.subjects());
    for _ in 0..2 {
        let (status, answer) = shop.ask("POST", "/v1/customers/ada/merge", json!({ "from": "bob" })).await;
        assert_eq!((status, answer), (200, json!({ "id": "ada", "merged": "bob" })));
        shop.quiet().await;
    }
    let ada = shop.get("/v1/customers/ada").await;
    assert_eq!(shop.get("/v1/customers/bob").await, ada);
    assert_eq!(
        (&ada["id"], &ada["also_known_as"], &ada["audiences"]),
        (&json!("ada"), &json!(["bob"]), &json!(["news", "vip"]))
    );
    // Each field is the one that was said last.
    assert_eq!(
        (&ada["first_name"], &ada["city"], &ada["email"]),
        (&json!("Ada"), &json!("Cesis"), &json!("bob@example.com"))
    );
    assert_eq!(ada["fields"], json!({ "ada": true, "bob": true }));
    assert_eq!((&ada["orders"]["count"], ada["events"]["newest"].as_array().unwrap().len()), (&json!(2), 2));
    let both = [("ada", "1"), ("bob", "1"), ("both", "2")]
        .map(|(product, quantity)| (product.to_owned(), quantity.to_owned()));
    assert_eq!(held(&shop.get("/v1/customers/bob/containers/wishlist").await), both);
    assert_eq!(ada["messages"]["newest"].as_array().unwrap().len(), 6, "those to both");
    // Nothing that was heard of before is heard of again.
    assert_eq!(shop.subjects().len(), mails, "{:?}", shop.subjects());
    for audience in ["vip", "news"] {
        let members = shop.get(&format!("/v1/audiences/{audience}/members")).await;
        assert_eq!(members["items"], json!([{ "id": "ada" }]), "{audience}");
    }
    let found =
        async |email: &str| shop.get(&format!("/v1/customers?email={email}")).await["items"].as_array().unwrap().len();
    assert_eq!((found("bob@example.com").await, found("ada@example.com").await), (1, 0));

    // The orders are found, and told of further, by whoever's they were.
    assert_eq!(shop.get("/v1/orders/o-bob").await["customer_id"], "ada");
    assert_eq!(shop.ask("PUT", "/v1/orders/o-bob", order("bob")).await.0, 200);
    assert_eq!(shop.ask("PUT", "/v1/orders/o-bob", order("ada")).await.0, 200);
    shop.put("/v1/orders/o-bob/status", json!({ "set": "payment", "code": "paid" })).await;
    assert_eq!(shop.get("/v1/orders/o-bob").await["status"]["payment"], "paid");
    // So is the customer.
    shop.patch("/v1/customers/bob", json!({ "last_name": "L" })).await;
    shop.order("o-late", "bob").await;
    shop.event("e-late", "bob", "page_viewed").await;
    assert_eq!(
        shop.ask("POST", "/v1/events", json!({ "id": "e-bob", "customer_id": "bob", "name": "page_viewed" })).await.0,
        200
    );
    let wish = json!({ "id": "late", "op": "add", "items": [{ "product_id": "late" }] });
    shop.tell("/v1/customers/bob/containers/wishlist", wish).await;
    shop.tell("/v1/audiences/vip/members", json!({ "add": ["bob"] })).await;
    shop.quiet().await;
    let ada = shop.get("/v1/customers/ada").await;
    assert_eq!((&ada["last_name"], &ada["orders"]["count"]), (&json!("L"), &json!(3)));
    assert_eq!(ada["events"]["newest"].as_array().unwrap().len(), 3);
    assert_eq!(held(&shop.get("/v1/customers/ada/containers/wishlist").await).len(), 4);
    assert_eq!(shop.get("/v1/audiences/vip/members").await["items"].as_array().unwrap().len(), 1);
    // What is new is heard of, once.
    assert_eq!(shop.subjects().len(), mails + 2, "{:?}", shop.subjects());
}

#[tokio::test]
async fn the_messages_to_all_who_are_one_are_one_list_in_the_order_of_time_page_by_page() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    let ids = ["ada", "bob", "carl"];
    for id in ids {
        shop.customer(id).await;
    }
    let told = ["ada", "bob", "bob", "carl", "ada", "ada", "bob", "carl", "ada"];
    for (n, id) in told.iter().enumerate() {
        shop.order(&format!("o-{n}"), id).await;
        shop.quiet().await;
        shop.advance("PT1M").await;
    }
    assert_eq!(shop.messages("bob").await.len(), 3);
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    shop.tell("/v1/customers/carl/merge", json!({ "from": "ada" })).await;
    shop.put("/v1/visitors/phone", json!({ "customer_id": "carl" })).await;
    shop.quiet().await;

    let newest: Vec<&str> = told.into_iter().rev().collect();
    for id in ["ada", "bob", "carl", "visitor:phone"] {
        for limit in [1, 2, 4, 9, 100] {
            let messages = shop.all_of(&format!("/v1/messages?customer={id}"), limit).await;
            let to: Vec<&str> = messages.iter().map(|message| message["customer_id"].as_str().unwrap()).collect();
            assert_eq!(to, newest, "{id}, {limit} a page");
            let orders = messages.iter().map(|message| message["cause"]["order_id"].as_str().unwrap().to_owned());
            assert!(orders.eq((0..9).rev().map(|n| format!("o-{n}"))), "{messages:?}");
        }
    }
}

#[tokio::test]
async fn customers_who_are_one_do_not_become_one_the_other_way_round_nor_another() {
    let shop = Shop::open().await;
    for id in ["ada", "bob", "carl"] {
        shop.customer(id).await;
    }
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    assert_eq!(shop.ask("POST", "/v1/customers/bob/merge", json!({ "from": "ada" })).await.0, 409);
    assert_eq!(shop.ask("POST", "/v1/customers/carl/merge", json!({ "from": "bob" })).await.0, 409);
    assert_eq!(shop.ask("POST", "/v1/customers/ada/merge", json!({ "from": "ada" })).await.0, 422);
    assert_eq!(shop.ask("POST", "/v1/customers/ada/merge", json!({})).await.0, 422);
    // In a row, all are the last.
    shop.tell("/v1/customers/carl/merge", json!({ "from": "ada" })).await;
    shop.quiet().await;
    let carl = shop.get("/v1/customers/bob").await;
    assert_eq!((&carl["id"], &carl["also_known_as"]), (&json!("carl"), &json!(["ada", "bob"])));
    assert_eq!(shop.ask("POST", "/v1/customers/bob/merge", json!({ "from": "carl" })).await.0, 409);
    // Each of two at the same time: one of them holds.
    for n in 0..8 {
        let (a, b) = (format!("a{n}"), format!("b{n}"));
        let (one, other) = futures::future::join(
            shop.ask("POST", &format!("/v1/customers/{a}/merge"), json!({ "from": b })),
            shop.ask("POST", &format!("/v1/customers/{b}/merge"), json!({ "from": a })),
        )
        .await;
        let mut statuses = [one.0, other.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        shop.patch(&format!("/v1/customers/{a}"), json!({ "first_name": "A" })).await;
    }
}

#[tokio::test]
async fn an_export_holds_everything_page_by_page() {
    let shop = two_customers().await;
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    shop.put("/v1/visitors/phone", json!({ "customer_id": "ada" })).await;
    shop.patch("/v1/orders/o-ada", json!({ "total": "30", "updated_at": "2026-11-20T10:00:00Z", "source": "erp" }))
        .await;
    for batch in 0..2 {
        let event = |n: usize| {
            let n = 10 * batch + n;
            json!({ "id": format!("large-{n}"), "customer_id": "ada", "name": "page_viewed", "context": { "text": "x".repeat(250_000) } })
        };
        let events: Vec<Value> = (0..10).map(event).collect();
        shop.tell("/v1/events/batch", json!(events)).await;
    }
    shop.quiet().await;

    let first = shop.get("/v1/customers/ada/export").await;
    assert_eq!(
        (&first["customer"]["first_name"], &first["also_known_as"]),
        (&json!("Ada"), &json!(["bob", "visitor:phone"]))
    );
    let orders = first["orders"].as_array().unwrap();
    let ada = orders.iter().find(|order| order["id"] == "o-ada").unwrap();
    assert_eq!((orders.len(), &ada["total"], ada["said"].as_array().unwrap().len()), (2, &json!("30"), 2));
    assert!(ada["status_history"]["general"].is_array(), "{ada}");
    let wishlist =
        first["containers"].as_array().unwrap().iter().find(|known| known["container"] == "wishlist").unwrap();
    assert_eq!(held(wishlist).len(), 3);
    assert_eq!(first["audiences"], json!(["news", "vip"]));
    assert_eq!(first["messages"].as_array().unwrap().len(), 6, "those to both");
    let mut events: Vec<String> = Vec::new();
    let (mut page, mut pages) = (first, 1);
    loop {
        events.extend(page["events"].as_array().unwrap().iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        let next = next.replace('#', "%23").replace(':', "%3A");
        page = shop.get(&format!("/v1/customers/ada/export?after={next}")).await;
        assert!(page["customer"].is_null());
        pages += 1;
    }
    events.sort();
    let mut wanted: Vec<String> =
        (0..20).map(|n| format!("large-{n}")).chain(["e-ada".into(), "e-bob".into()]).collect();
    wanted.sort();
    assert_eq!(events, wanted);
    assert!(pages > 1, "{pages}");
    assert_eq!(shop.ask("GET", "/v1/customers/nobody/export", Value::Null).await.0, 404);
}

/// What names the customer who is erased: ids, addresses, orders.
const NAMES: [&str; 2] = ["lovelace", "29123456"];

async fn rows_that_name_her(shop: &Shop) -> Vec<String> {
    let names_her = |row: &String| NAMES.iter().any(|name| row.to_lowercase().contains(name));
    shop.all_rows().await.into_iter().filter(names_her).collect()
}

#[tokio::test]
async fn of_somebody_erased_nothing_is_left_anywhere_and_nothing_is_taken_any_more() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    let wait = json!([{ "wait": "P1D" }, { "send": { "template": "plain" } }]);
    shop.campaign("later", json!({ "type": "event_received", "name": "seen" }), wait).await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    let body = json!({
        "email": "Ada.Lovelace@example.com", "phone": "+371 29123456", "first_name": "Lovelace", "consent": { "email": "granted" },
    });
    for id in ["lovelace", "lovelace-old"] {
        shop.put(&format!("/v1/customers/{id}"), body.clone()).await;
        shop.order(&format!("order-of-{id}"), id).await;
        shop.event(&format!("event-of-{id}"), id, "seen").await;
        let add = json!({ "id": "lovelace-1", "op": "add", "items": [{ "product_id": "mug" }] });
        shop.tell(&format!("/v1/customers/{id}/containers/wishlist"), add).await;
        shop.tell("/v1/audiences/vip/members", json!({ "add": [id] })).await;
    }
    let view = json!({ "id": "lovelace-view", "anonymous_id": "lovelace-phone", "name": "page_viewed" });
    shop.tell("/v1/events", view).await;
    shop.patch("/v1/orders/order-of-lovelace", json!({ "total": "1" })).await;
    shop.quiet().await;
    shop.tell("/v1/customers/lovelace/merge", json!({ "from": "lovelace-old" })).await;
    shop.put("/v1/visitors/lovelace-phone", json!({ "customer_id": "lovelace" })).await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("lovelace").await, ["SENT", "SENT"]);
    assert!(!rows_that_name_her(&shop).await.is_empty());
    // One mail is on its way, another waits for its day.
    shop.fault(json!({ "kind": "kill", "function": "sender", "at_call": 1, "when": "before" }));
    shop.order("lovelace-2", "lovelace").await;
    let pending = loop {
        let messages = shop.messages("lovelace").await;
        if let Some(pending) = messages.into_iter().find(|message| message["state"] == "PENDING") {
            break pending;
        }
    };

    for _ in 0..2 {
        let (status, answer) = shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await;
        assert_eq!((status, answer), (202, json!({ "id": "lovelace", "erased": true })));
    }
    let gone = async |method: &str, path: &str, body: Value| {
        assert_eq!(shop.ask(method, path, body).await.0, 410, "{method} {path}");
    };
    let everything_is_gone = async || {
        for id in ["lovelace", "lovelace-old"] {
            gone("GET", &format!("/v1/customers/{id}"), Value::Null).await;
            gone("GET", &format!("/v1/customers/{id}/export"), Value::Null).await;
            gone("GET", &format!("/v1/messages?customer={id}"), Value::Null).await;
            gone("PUT", &format!("/v1/customers/{id}"), body.clone()).await;
            gone("PATCH", &format!("/v1/customers/{id}"), json!({ "city": "Riga" })).await;
            gone("PUT", "/v1/orders/lovelace-3", order(id)).await;
            gone("POST", "/v1/events", json!({ "id": "lovelace-e", "customer_id": id, "name": "seen" })).await;
            let add = json!({ "id": "lovelace-4", "op": "add", "items": [{ "product_id": "mug" }] });
            gone("POST", &format!("/v1/customers/{id}/containers/cart"), add).await;
            gone("POST", &format!("/v1/customers/{id}/merge"), json!({ "from": "other" })).await;
            gone("POST", "/v1/customers/other/merge", json!({ "from": id })).await;
            gone("PUT", "/v1/visitors/lovelace-tablet", json!({ "customer_id": id })).await;
            let (_, batch) = shop.ask("POST", "/v1/customers/batch", json!([{ "id": id, "city": "Riga" }])).await;
            assert_eq!(batch["items"][0]["status"], 410);
        }
    };
    everything_is_gone().await;
    shop.drain().await;
    assert_eq!(rows_that_name_her(&shop).await, [""; 0]);
    everything_is_gone().await;
    assert_eq!(shop.ask("GET", "/v1/orders/order-of-lovelace", Value::Null).await.0, 404);
    let found = shop.get("/v1/customers?email=ada.lovelace@example.com").await;
    assert_eq!(found["items"], json!([]));
    assert_eq!(shop.get("/v1/audiences/vip/members").await["items"], json!([]));
    let rows = shop.all_rows().await;
    let stopped = rows.iter().find(|row| row.contains(pending["id"].as_str().unwrap())).unwrap();
    assert!(stopped.contains("NOT_SENT") && stopped.contains(r#""reason":{"S":"erased"}"#), "{stopped}");

    let mails = shop.mails().len();
    shop.advance("P1DT1H").await;
    shop.drain().await;
    assert_eq!(shop.mails().len(), mails, "what waited was not sent");
    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
    shop.quiet().await;
    assert_eq!(rows_that_name_her(&shop).await, [""; 0]);

    // Whoever has the address now is not written to, though they agreed.
    shop.put("/v1/customers/other", json!({ "email": "ada.lovelace@EXAMPLE.com", "consent": { "email": "granted" } }))
        .await;
    shop.order("other", "other").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("other").await, ["NOT_SENT suppressed"]);
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (mails, 0));
}
