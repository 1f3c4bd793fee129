//! Segments: conditions with a name, which other conditions go by.

use serde_json::{Value, json};

use crate::mailings::sent;
use crate::product_changes::only;
use crate::support::{Shop, order};

impl Shop {
    async fn segment(&self, code: &str, condition: Value) -> Value {
        self.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": condition })).await
    }

    /// What a refused segment is told: each fault's place, and what is wrong there.
    async fn refused(&self, code: &str, condition: Value) -> Vec<(String, String)> {
        let body = json!({ "name": code, "condition": condition });
        let (status, answer) = self.ask("PUT", &format!("/v1/segments/{code}"), body).await;
        assert_eq!(status, 422, "{answer}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| (text(&error["pointer"]), text(&error["detail"])))
            .collect()
    }
}

#[tokio::test]
async fn whoever_names_a_segment_goes_by_it_as_it_is_then() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    shop.template("thanks", "Thanks").await;
    let loyal = shop.segment("loyal", json!({ "count": "orders", "at_least": 2 })).await;
    assert_eq!(loyal["condition_in_words"], "the number of orders is at least 2");
    shop.segment("riga", json!({ "field": "customer.city", "is": "Riga" })).await;
    shop.segment("loyal-riga", json!({ "all": [{ "segment": "loyal" }, { "segment": "riga" }] })).await;
    for (customer, city, orders) in [("ada", "Riga", 2), ("bob", "Riga", 1), ("cyd", "Rome", 3)] {
        shop.customer(customer).await;
        shop.patch(&format!("/v1/customers/{customer}"), json!({ "city": city })).await;
        for number in 0..orders {
            shop.put(&format!("/v1/orders/{customer}-{number}"), order(customer)).await;
        }
    }
    shop.quiet().await;

    let body = json!({ "name": "first", "template": "news", "audience": { "segment": "loyal-riga" } });
    shop.put("/v1/mailings/first", body).await;
    assert_eq!(sent(&shop, "first").await["sent"], 1);
    assert_eq!(shop.heard(), only(&[("ada", &["News"])]));

    let listed = async |code: &str| {
        let listed = shop.all_of(&format!("/v1/segments/{code}/customers?"), 2).await;
        let mut ids: Vec<String> = listed.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(
        (listed("loyal").await, listed("riga").await),
        (vec!["ada".into(), "cyd".into()], vec!["ada".into(), "bob".into()])
    );

    // Another condition: whoever names the segment goes by that one from now on.
    shop.segment("loyal", json!({ "count": "orders" })).await;
    let campaign = json!({
        "name": "Thanks", "trigger": { "type": "order_created" }, "filter": { "segment": "loyal-riga" },
        "steps": [{ "send": { "template": "thanks" } }],
    });
    shop.put("/v1/campaigns/thanks", campaign).await;
    for customer in ["bob", "cyd"] {
        shop.put(&format!("/v1/orders/{customer}-new"), order(customer)).await;
    }
    shop.quiet().await;
    assert_eq!(shop.heard(), only(&[("ada", &["News"]), ("bob", &["Thanks"])]));
}

#[tokio::test]
async fn a_segment_says_who_is_in_it_and_why() {
    let shop = Shop::open().await;
    shop.segment("recent", json!({ "count": "orders", "during": { "last": "P30D" } })).await;
    shop.segment(
        "recent-riga",
        json!({ "all": [{ "segment": "recent" }, { "field": "customer.city", "is": "Riga" }] }),
    )
    .await;
    shop.customer("ada").await;
    let mut placed = order("ada");
    placed["created_at"] = json!(shop.bundle.now());
    shop.put("/v1/orders/a-1", placed.clone()).await;
    let asked = shop.get("/v1/segments/recent/customers/ada").await;
    assert_eq!((&asked["holds"], &asked["segment"]), (&json!(true), &json!("recent")));
    assert_eq!(asked["why_in_words"], "the number of orders in the last 30 days is at least 1: yes, it is 1");
    let turns_at: jiff::Timestamp = asked["turns_at"].as_str().unwrap().parse().unwrap();
    let placed_at: jiff::Timestamp = placed["created_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(turns_at, placed_at + jiff::SignedDuration::from_hours(30 * 24));

    let asked = shop.get("/v1/segments/recent-riga/customers/ada").await;
    assert_eq!((&asked["holds"], asked["turns_at"].is_null()), (&json!(false), true));
    assert_eq!(asked["why_in_words"], "customer city is Riga: no, it is not set");
    shop.advance("P30D").await;
    let asked = shop.get("/v1/segments/recent/customers/ada").await;
    assert_eq!(asked["holds"], false);

    // What a segment asks about is in use.
    shop.put("/v1/audiences/staff", json!({ "name": "Staff" })).await;
    shop.segment("no-staff", json!({ "not": { "audience": "staff" } })).await;
    let (status, answer) = shop.ask("DELETE", "/v1/audiences/staff", Value::Null).await;
    assert_eq!(status, 409);
    assert!(answer["detail"].as_str().unwrap().ends_with("used by segment \"no-staff\""), "{answer}");

    // The same of a condition that nobody saved.
    let question = json!({ "condition": { "not": { "segment": "recent" } }, "customer_id": "ada" });
    let (status, asked) = shop.ask("POST", "/v1/conditions/explain", question).await;
    assert_eq!((status, &asked["holds"]), (200, &json!(true)));
    assert_eq!(asked["in_words"], "not (the customer is in the segment recent)");
    for (path, status) in [("/v1/segments/none/customers/ada", 404), ("/v1/segments/recent/customers/nobody", 404)] {
        assert_eq!(shop.ask("GET", path, Value::Null).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn of_what_is_older_than_a_segment_asks_about_nothing_is_read() {
    let shop = Shop::open().await;
    let during = json!({ "last": "30d" });
    shop.segment("busy", json!({ "count": "events", "during": during, "at_least": 2 })).await;
    shop.segment("ever", json!({ "count": "events", "at_least": 2 })).await;
    let ago = |days: i64| shop.bundle.now() - jiff::SignedDuration::from_hours(24 * days);
    for (customer, old) in [("new", 0), ("old", 2_000)] {
        shop.customer(customer).await;
        let event = |number: i64, days: i64| {
            let id = format!("{customer}-{number}");
            json!({ "id": id, "customer_id": customer, "name": "seen", "at": ago(days) })
        };
        let recent = [event(-1, 1), event(-2, 29)];
        let events: Vec<Value> = (0..old).map(|number| event(number, 31)).chain(recent).collect();
        for some in events.chunks(500) {
            assert_eq!(shop.ask("POST", "/v1/events/batch", json!(some)).await.0, 207);
        }
    }
    shop.quiet().await;

    let units = async || {
        let state = shop.bundle.state().await;
        state.tables.iter().find(|table| table.name == "customers").unwrap().units.read_units
    };
    // What it comes to, and how much was read for it.
    let asked = async |segment: &str, customer: &str| {
        let before = units().await;
        let asked = shop.get(&format!("/v1/segments/{segment}/customers/{customer}")).await;
        (asked["why"][0]["seen"].as_u64(), units().await - before)
    };
    let (of_new, of_old, of_all) = (asked("busy", "new").await, asked("busy", "old").await, asked("ever", "old").await);
    assert_eq!((of_new.0, of_old.0, of_all.0), (Some(2), Some(2), Some(2_002)));
    // For the one or the other the dictionary was read, too.
    assert!((of_new.1 - of_old.1).abs() < 2.0, "{of_new:?} {of_old:?}");
    assert!(of_all.1 > of_old.1 + 50.0, "{of_old:?} {of_all:?}");
}

#[tokio::test]
async fn messages_are_read_as_far_back_as_a_segment_asks_about_them() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("o", "ada").await;
    shop.quiet().await;

    // More than are read by one call, the older half of them too old to count.
    let rows = shop.bundle.dynamodb("Scan", json!({ "TableName": "messages" })).await.unwrap();
    let row = &rows["Items"][0];
    let body: Value = serde_json::from_str(row["body"]["S"].as_str().unwrap()).unwrap();
    let start = shop.bundle.now();
    let requests: Vec<Value> = (0..2_400)
        .map(|number| {
            let at = format!("{:.3}", start - jiff::SignedDuration::from_mins(36 * number));
            let (id, mut row, mut body) = (format!("copy-{number}"), row.clone(), body.clone());
            (body["id"], body["created_at"]) = (json!(id), json!(at));
            row["message"]["S"] = json!(id);
            row["created"]["S"] = json!(format!("{at}#{id}"));
            row["body"]["S"] = json!(body.to_string());
            json!({ "PutRequest": { "Item": row } })
        })
        .collect();
    let table = &shop.bundle.description().tables.iter().find(|table| table.name == "messages").unwrap().table_name;
    for some in requests.chunks(25) {
        let request = json!({ "RequestItems": { table: some } });
        shop.bundle.dynamodb("BatchWriteItem", request).await.unwrap();
    }
    shop.quiet().await;

    // The first 30 days have 1,200 of them, and the one that was sent.
    shop.segment("told", json!({ "count": "messages", "during": { "last": "30d" }, "at_least": 2 })).await;
    let asked = shop.get("/v1/segments/told/customers/ada").await;
    assert_eq!(asked["why"][0]["seen"], 1_201, "{asked}");
    shop.segment("ever", json!({ "count": "messages", "at_least": 2 })).await;
    let asked = shop.get("/v1/segments/ever/customers/ada").await;
    assert_eq!(asked["why"][0]["seen"], 2_401, "{asked}");
}

#[tokio::test]
async fn no_segment_asks_about_itself_or_is_deleted_while_it_is_asked_about() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    shop.segment("a", json!({ "field": "customer.city", "is": "Riga" })).await;
    shop.segment("b", json!({ "not": { "segment": "a" } })).await;
    shop.segment("c", json!({ "any": [{ "segment": "b" }, { "segment": "a" }] })).await;
    let circle = shop.refused("a", json!({ "all": [{ "segment": "c" }] })).await;
    assert_eq!(circle, [("/condition".to_owned(), "goes round in a circle: a → c → b → a".to_owned())]);
    assert_eq!(shop.refused("d", json!({ "segment": "d" })).await.len(), 1);
    let unknown = shop.refused("d", json!({ "all": [{ "segment": "bb" }] })).await;
    assert_eq!(unknown[0].0, "/condition/all/0/segment");
    assert!(unknown[0].1.contains("did you mean"), "{unknown:?}");

    let body = json!({ "name": "m", "template": "news", "at": "2030-01-01T00:00:00Z", "audience": { "segment": "c" } });
    shop.put("/v1/mailings/m", body).await;
    for (code, used_by) in [("a", "segment \"b\", segment \"c\""), ("c", "mailing \"m\"")] {
        let (status, answer) = shop.ask("DELETE", &format!("/v1/segments/{code}"), Value::Null).await;
        assert_eq!(status, 409);
        let detail = answer["detail"].as_str().unwrap();
        assert!(detail.ends_with(&format!("used by {used_by}")), "{detail}");
    }
    shop.segment("c", json!({ "segment": "a" })).await;
    assert_eq!(shop.ask("DELETE", "/v1/segments/b", Value::Null).await.0, 204);
    assert_eq!(shop.ask("GET", "/v1/segments/b", Value::Null).await.0, 404);
}
