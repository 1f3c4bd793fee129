//! What is told of customers, and how they are found.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::orders::permutations;
use crate::support::{Shop, order};

/// The ids of a list's items.
fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// Id and status of each item of a batch's answer.
fn outcomes(batch: &Value) -> Vec<(&str, u64)> {
    let items = batch["items"].as_array().unwrap().iter().enumerate();
    items
        .map(|(index, item)| {
            assert_eq!(item["index"], index, "{batch}");
            assert_eq!(item["problem"].is_object(), item["status"].as_u64().unwrap() >= 400, "{item}");
            (item["id"].as_str().unwrap_or_default(), item["status"].as_u64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_part_changes_its_fields_null_takes_one_away_and_a_whole_replaces_them() {
    let shop = Shop::open().await;
    let whole = json!({ "email": "ada@example.com", "city": "Riga", "fields": { "tier": 1, "shoe": 41 } });
    assert_eq!(shop.ask("PUT", "/v1/customers/ada", whole).await.0, 201);
    let part = json!({ "city": null, "last_name": "L", "fields": { "shoe": null, "vip": true } });
    assert_eq!(shop.ask("PATCH", "/v1/customers/ada", part.clone()).await.0, 200);
    let known = shop.get("/v1/customers/ada").await;
    assert_eq!(
        (&known["email"], &known["city"], &known["last_name"]),
        (&json!("ada@example.com"), &Value::Null, &json!("L"))
    );
    assert_eq!(known["fields"], json!({ "tier": 1, "vip": true }));
    // Undated and the same again: nothing new.
    shop.advance("PT1M").await;
    assert_eq!(shop.patch("/v1/customers/ada", part).await["updated_at"], known["updated_at"]);
    assert_eq!(shop.get("/v1/customers/ada").await, known);

    shop.put("/v1/customers/ada", json!({ "first_name": "Ada" })).await;
    let known = shop.get("/v1/customers/ada").await;
    assert_eq!((&known["email"], &known["first_name"], &known["fields"]), (&Value::Null, &json!("Ada"), &json!({})));
    // A part of somebody unknown makes them known.
    assert_eq!(shop.ask("PATCH", "/v1/customers/bob", json!({ "first_name": "Bob" })).await.0, 201);
    assert_eq!(shop.ask("GET", "/v1/customers/carl", Value::Null).await.0, 404);
    // Two contents for one time.
    let at = |city: &str| json!({ "city": city, "updated_at": "2026-11-20T10:00:00Z" });
    shop.patch("/v1/customers/eve", at("Riga")).await;
    assert_eq!(shop.ask("PATCH", "/v1/customers/eve", at("Cesis")).await.0, 409);
    assert_eq!(shop.get("/v1/customers/eve").await["city"], "Riga");
}

#[tokio::test]
async fn dated_wholes_and_parts_end_the_same_in_any_order_and_however_often() {
    let shop = Shop::open().await;
    let at = |hour: usize| format!("2026-11-20T{hour:02}:00:00Z");
    let consent = |state: &str, hour: usize| json!({ "email": { "state": state, "at": at(hour) } });
    let updates = [
        (
            "PUT",
            json!({ "first_name": "A", "city": "Riga", "fields": { "a": 1 }, "consent": consent("granted", 8), "updated_at": at(8) }),
        ),
        (
            "PATCH",
            json!({ "city": "Cesis", "fields": { "b": 2 }, "consent": consent("denied", 9), "updated_at": at(9) }),
        ),
        (
            "PUT",
            json!({ "first_name": "B", "country": "LV", "fields": { "c": 3 }, "updated_at": at(10), "source": "erp" }),
        ),
        (
            "PATCH",
            json!({ "first_name": null, "phone": "29 123 456", "country": "LV", "fields": { "c": 4 }, "updated_at": at(11) }),
        ),
    ];
    let orders = permutations(4);
    let all = join_all(orders.iter().enumerate().map(async |(number, order)| {
        for index in order.iter().chain(order) {
            let (method, body) = &updates[*index];
            shop.api.tell(method, &format!("/v1/customers/c{number}"), body).await.unwrap();
        }
        let mut known = shop.get(&format!("/v1/customers/c{number}")).await;
        known.as_object_mut().unwrap().remove("id");
        known
    }))
    .await;
    let expected = json!({
        "phone": "+37129123456", "country": "LV", "source": "erp", "fields": { "c": 4 }, "updated_at": at(11),
        "consent": { "email": { "state": "denied", "at": at(9) } },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&all[0][name], value, "{name}");
    }
    assert!(all[0]["first_name"].is_null() && all[0]["city"].is_null(), "{}", all[0]);
    for (known, order) in all.iter().zip(&orders) {
        assert_eq!(known, &all[0], "{order:?}");
    }
}

#[tokio::test]
async fn each_customer_of_a_batch_is_answered_for_in_its_place() {
    let shop = Shop::open().await;
    let one = json!([
        { "id": "a", "first_name": "A" }, { "id": "b", "birthday": "someday" }, { "first_name": "nobody" }, "text",
        { "id": " ", "first_name": "blank" }, { "id": "c", "email": "c@example.com" },
    ]);
    let wanted = [("a", 201), ("b", 422), ("", 422), ("", 422), (" ", 422), ("c", 201)];
    let (status, answer) = shop.ask("POST", "/v1/customers/batch", one.clone()).await;
    assert_eq!((status, outcomes(&answer)), (207, wanted.to_vec()));
    assert_eq!(answer["items"][1]["problem"]["errors"][0]["pointer"], "/birthday", "{answer}");
    let again = wanted.map(|(id, status)| (id, if status == 201 { 200 } else { status }));
    let (status, answer) = shop.ask("POST", "/v1/customers/batch", json!({ "items": one })).await;
    assert_eq!((status, outcomes(&answer)), (207, again.to_vec()));

    let lines = "{\"id\":\"d\",\"city\":\"Riga\"}\n\nnot json\n{\"id\":\"a\",\"last_name\":\"Z\"}\n";
    let reply = shop.api.send("POST", "/v1/customers/batch", "application/x-ndjson", lines.into()).await.unwrap();
    let answer = reply.json();
    assert_eq!((reply.status, outcomes(&answer)), (207, vec![("d", 201), ("", 400), ("a", 200)]));
    let known = shop.get("/v1/customers/a").await;
    assert_eq!((&known["first_name"], &known["last_name"]), (&json!("A"), &json!("Z")));
    assert_eq!(shop.ask("GET", "/v1/customers/b", Value::Null).await.0, 404);
    let many: Vec<Value> = (0..501).map(|n| json!({ "id": format!("m{n}") })).collect();
    assert!(matches!(shop.ask("POST", "/v1/customers/batch", json!(many)).await.0, 413 | 422));
}

#[tokio::test]
async fn a_table_of_customers_is_taken_in_with_a_report_by_line() {
    let shop = Shop::open().await;
    for audience in ["vip", "news"] {
        shop.put(&format!("/v1/audiences/{audience}"), json!({ "name": audience })).await;
    }
    shop.patch("/v1/customers/b", json!({ "first_name": "Bob", "city": "Riga" })).await;
    let table = "id,email,first_name,audience,consent.email,fields.tier,weather\r\n\
                 a,Ada@Example.com,Ada,vip|news,yes,gold,x\r\n\
                 b,bob@example.com,,vip,,,x\r\n\
                 c,c@example.com,C,nobody,,,x\r\n\
                 ,d@example.com,D,,,,x\r\n\
                 e,e@example.com\r\n\
                 f,not an address,F,,maybe,,x\r\n\
                 g,not an address,G,,,,x\r\n";
    let reply = shop.api.send("POST", "/v1/customers/import", "text/csv; charset=utf-8", table.into()).await.unwrap();
    let report = reply.json();
    assert_eq!(reply.status, 200, "{report}");
    assert_eq!((&report["rows"], &report["created"], &report["known"]), (&json!(7), &json!(2), &json!(1)), "{report}");
    assert_eq!(report["ignored_columns"], json!(["weather"]));
    let faulty = report["faulty"].as_array().unwrap();
    let places: Vec<_> = faulty.iter().map(|fault| (fault["line"].as_u64().unwrap(), fault["id"].as_str())).collect();
    assert_eq!(places, [(4, Some("c")), (5, None), (6, None), (7, Some("f"))], "{report}");
    assert_eq!(faulty[0]["column"], "audience");

    let ada = shop.get("/v1/customers/a").await;
    assert_eq!((&ada["email"], &ada["fields"]), (&json!("Ada@example.com"), &json!({ "tier": "gold" })));
    assert_eq!((&ada["audiences"], &ada["consent"]["email"]["state"]), (&json!(["news", "vip"]), &json!("granted")));
    // A cell with nothing in it says nothing.
    let bob = shop.get("/v1/customers/b").await;
    assert_eq!(
        (&bob["first_name"], &bob["city"], &bob["email"]),
        (&json!("Bob"), &json!("Riga"), &json!("bob@example.com"))
    );
    assert_eq!(shop.get("/v1/customers/g").await["invalid"], json!(["email"]));
    let mut members = shop.get("/v1/audiences/vip/members").await;
    members["items"].as_array_mut().unwrap().sort_by_key(|item| item["id"].to_string());
    assert_eq!(ids(&members), ["a", "b"]);
    assert_eq!(shop.ask("POST", "/v1/customers/import", json!({})).await.0, 415);

    // Members one by one and by a list.
    shop.tell("/v1/audiences/vip/members", json!({ "add": ["g"], "remove": ["a", "b", "z"] })).await;
    assert_eq!(ids(&shop.get("/v1/audiences/vip/members").await), ["g"]);
    let reply = shop.api.send("POST", "/v1/audiences/news/import", "text/csv", "id\nb\ng\n".into()).await.unwrap();
    assert_eq!((reply.status, &reply.json()["known"]), (200, &json!(2)));
    let mut seen = Vec::new();
    let mut path = "/v1/audiences/news/members?limit=1".to_owned();
    loop {
        let page = shop.get(&path).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/audiences/news/members?limit=1&after={}", next.replace('\n', "%0A").replace('#', "%23"));
    }
    seen.sort();
    assert_eq!(seen, ["a", "b", "g"]);
    assert_eq!(shop.ask("GET", "/v1/audiences/unknown/members", Value::Null).await.0, 404);
}

#[tokio::test]
async fn customers_are_found_by_their_contacts_in_any_form_as_long_as_they_have_them() {
    let shop = Shop::open().await;
    let found = async |query: &str| {
        let list = shop.get(&format!("/v1/customers?{query}")).await;
        ids(&list).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let ada = shop
        .put("/v1/customers/ada", json!({ "email": "Ada@EXAMPLE.com", "phone": "(0)20 7946 0018", "country": "GB" }))
        .await;
    assert_eq!(
        (&ada["email"], &ada["phone"], &ada["invalid"]),
        (&json!("Ada@example.com"), &json!("+442079460018"), &Value::Null)
    );
    shop.put("/v1/customers/bob", json!({ "email": "ada@example.com", "phone": "+44 20 7946 0018" })).await;
    let odd = shop.put("/v1/customers/odd", json!({ "email": "odd at home", "phone": "12" })).await;
    assert_eq!((&odd["email"], &odd["invalid"]), (&json!("odd at home"), &json!(["email", "phone"])));
    shop.quiet().await;

    for query in ["email=ada@example.com", "email=ADA%40Example.COM", "email=%20ada@example.com%20"] {
        assert_eq!(found(query).await, ["ada", "bob"], "{query}");
    }
    for query in [
        "phone=%2B442079460018",
        "phone=%2B44%20(20)%207946-0018",
        "phone=020%2079460018&country=GB",
        "phone=0044%2020%207946%200018&country=LV",
    ] {
        assert_eq!(found(query).await, ["ada", "bob"], "{query}");
    }
    assert_eq!(found("email=odd%20at%20home").await, ["odd"]);
    assert_eq!(found("phone=12").await, ["odd"]);

    shop.patch("/v1/customers/ada", json!({ "email": "lovelace@example.com" })).await;
    shop.patch("/v1/customers/bob", json!({ "phone": null })).await;
    shop.quiet().await;
    assert_eq!(found("email=ada@example.com").await, ["bob"]);
    assert_eq!(found("email=lovelace@example.com").await, ["ada"]);
    assert_eq!(found("phone=%2B442079460018").await, ["ada"]);
    assert_eq!(found("email=nobody@example.com").await, [""; 0]);
    for query in ["", "?email=a@example.com&phone=1"] {
        assert_eq!(shop.ask("GET", &format!("/v1/customers{query}"), Value::Null).await.0, 422);
    }
}

#[tokio::test]
async fn a_profile_shows_all_that_is_known_of_somebody() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    shop.customer("ada").await;
    shop.tell("/v1/audiences/vip/members", json!({ "add": ["ada"] })).await;
    for (id, day) in [("o1", 1), ("o2", 3), ("o3", 2)] {
        let mut body = order("ada");
        body["updated_at"] = json!(format!("2026-11-0{day}T10:00:00Z"));
        shop.put(&format!("/v1/orders/{id}"), body).await;
    }
    shop.ask("DELETE", "/v1/orders/o3", Value::Null).await;
    for (id, day) in [("e1", 1), ("e2", 3), ("e3", 2)] {
        let at = format!("2026-11-0{day}T10:00:00Z");
        shop.tell("/v1/events", json!({ "id": id, "customer_id": "ada", "name": "page_viewed", "at": at })).await;
    }
    let wish = json!({ "id": "1", "op": "add", "items": [{ "product_id": "mug", "quantity": 2 }] });
    shop.tell("/v1/customers/ada/containers/wishlist", wish).await;
    shop.put("/v1/visitors/phone", json!({ "customer_id": "ada" })).await;
    shop.quiet().await;

    let ada = shop.get("/v1/customers/ada").await;
    let named = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (&ada["orders"]["count"], named(&ada["orders"]["newest"])),
        (&json!(2), vec!["o2".to_owned(), "o1".to_owned()])
    );
    assert_eq!(named(&ada["events"]["newest"]), ["e2", "e3", "e1"]);
    let wishlist = ada["containers"].as_array().unwrap().iter().find(|known| known["container"] == "wishlist").unwrap();
    assert_eq!((&wishlist["items"][0]["product_id"], &wishlist["items"][0]["quantity"]), (&json!("mug"), &json!("2")));
    assert_eq!((&ada["audiences"], &ada["also_known_as"]), (&json!(["vip"]), &json!(["visitor:phone"])));
    let messages = ada["messages"]["newest"].as_array().unwrap();
    assert_eq!(messages.len(), 3);
    assert!(
        messages.iter().any(|message| message["state"] == "SENT" && message["template"] == "plain"),
        "{messages:?}"
    );
    assert_eq!(shop.get("/v1/customers/visitor:phone").await, ada);
    let events = shop.get("/v1/customers/ada/events?limit=2").await;
    assert_eq!(ids(&events), ["e2", "e3"]);
    let next = events["next"].as_str().unwrap().replace('#', "%23").replace(':', "%3A");
    assert_eq!(ids(&shop.get(&format!("/v1/customers/ada/events?limit=2&after={next}")).await), ["e1"]);
}
