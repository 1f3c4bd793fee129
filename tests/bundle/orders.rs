//! From an order to a mail.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Shop, order};

#[tokio::test]
async fn an_order_becomes_one_mail_that_is_about_it() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("1001", "ada").await;
    shop.quiet().await;

    let mails = shop.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(
        (mails[0].subject.as_str(), mails[0].to.as_slice()),
        ("order 1001", ["ada@example.com".to_owned()].as_slice())
    );
    assert!(mails[0].html.as_ref().unwrap().contains("Hello ada"));
    assert!(mails[0].text.as_ref().unwrap().contains("Hello ada"));
    let message = &shop.messages("ada").await[0];
    assert_eq!((&message["state"], &message["campaign"]), (&json!("SENT"), &json!("confirm")));
    assert!(message["delivered_at"].is_string(), "{message}");
}

#[tokio::test]
async fn the_same_order_ten_times_is_one_mail() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    let body = order("ada");
    let replies = join_all((0..10).map(|_| shop.api.put("/v1/orders/1001", &body))).await;
    assert!(replies.iter().all(|reply| matches!(reply.as_ref().unwrap().status, 200 | 201)));
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["order 1001"]);
}

#[tokio::test]
async fn an_undated_order_again_says_nothing_new() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    let mut body = order("ada");
    body.as_object_mut().unwrap().remove("updated_at");
    let first = shop.put("/v1/orders/1001", body.clone()).await;
    shop.advance("PT1M").await;
    assert_eq!(shop.put("/v1/orders/1001", body).await, first);
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["order 1001"]);
}

#[tokio::test]
async fn an_order_of_a_customer_who_comes_later_is_taken() {
    let shop = Shop::with_plain_template().await;
    shop.order("1001", "late").await;
    shop.customer("late").await;
    assert_eq!(shop.get("/v1/orders/1001").await["customer_id"], "late");
}

#[tokio::test]
async fn an_older_update_never_overwrites_a_newer_one_in_any_status_set() {
    let shop = Shop::open().await;
    let update = |at: &str, total: &str, general: &str| {
        let mut body = order("ada");
        body["updated_at"] = json!(at);
        body["total"] = json!(total);
        body["status"] = json!({ "general": general });
        body
    };
    shop.put("/v1/orders/1", update("2026-11-02T00:00:00Z", "20", "confirmed")).await;
    shop.put("/v1/orders/1", update("2026-11-01T00:00:00Z", "10", "received")).await;
    // The payment is older than the order's last update, but the newest there is of its own set.
    let paid = json!({ "set": "payment", "code": "paid", "at": "2026-11-01T12:00:00Z" });
    shop.put("/v1/orders/1/status", paid).await;
    let known = shop.get("/v1/orders/1").await;
    assert_eq!(
        (&known["total"], &known["status"]),
        (&json!("20"), &json!({ "general": "confirmed", "payment": "paid" }))
    );
}

#[tokio::test]
async fn every_permutation_of_four_status_updates_ends_the_same_and_sets_each_transition_off_once() {
    let shop = Shop::open().await;
    shop.template("changed", "{{order.id}} {{change.set}} {{change.to}}").await;
    for set in ["delivery", "payment"] {
        let trigger = json!({ "type": "order_status_changed", "set": set });
        shop.campaign(set, trigger, json!([{ "send": { "template": "changed" } }])).await;
    }
    shop.customer("ada").await;
    let updates = [
        json!({ "set": "delivery", "code": "packed", "at": "2026-11-02T10:00:00Z" }),
        json!({ "set": "delivery", "code": "shipped", "at": "2026-11-03T10:00:00Z" }),
        json!({ "set": "delivery", "code": "delivered", "at": "2026-11-04T10:00:00Z" }),
        json!({ "set": "payment", "code": "paid", "at": "2026-11-02T10:00:00Z" }),
    ];
    let orders = permutations(4);
    join_all(orders.iter().enumerate().map(async |(number, order)| {
        shop.order(&format!("o{number}"), "ada").await;
        for index in order {
            shop.put(&format!("/v1/orders/o{number}/status"), updates[*index].clone()).await;
        }
    }))
    .await;
    shop.quiet().await;

    let state = async |number: usize| {
        let known = shop.get(&format!("/v1/orders/o{number}")).await;
        (known["status"].clone(), known["status_history"].clone())
    };
    let first = state(0).await;
    assert_eq!(first.0, json!({ "general": "received", "delivery": "delivered", "payment": "paid" }));
    let mut wanted = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        assert_eq!(state(number).await, first, "{order:?}");
        let to = ["delivery packed", "delivery shipped", "delivery delivered", "payment paid"];
        wanted.extend(to.map(|to| format!("o{number} {to}")));
    }
    wanted.sort();
    assert_eq!(shop.subjects(), wanted);
}

#[tokio::test]
async fn a_status_that_whole_updates_repeat_is_one_transition_even_if_they_arrive_swapped() {
    let shop = Shop::with_plain_template().await;
    let trigger = json!({ "type": "order_status_changed", "set": "general", "to": "confirmed" });
    shop.campaign("confirmed", trigger, json!([{ "send": { "template": "plain" } }])).await;
    shop.customer("ada").await;
    for day in [4, 2, 3] {
        let mut body = order("ada");
        body["updated_at"] = json!(format!("2026-11-0{day}T10:00:00Z"));
        body["status"] = json!({ "general": "confirmed" });
        shop.put("/v1/orders/1", body).await;
        shop.quiet().await;
    }
    assert_eq!(shop.subjects(), ["order 1"]);
}

/// All orders in which so many things may come.
pub(crate) fn permutations(of: usize) -> Vec<Vec<usize>> {
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
async fn a_filter_limits_a_campaign_to_whom_and_what_it_names() {
    let shop = Shop::with_plain_template().await;
    let campaign = json!({
        "name": "large", "trigger": { "type": "order_created" },
        "filter": { "all": [{ "field": "customer.first_name", "is": "ada" }, { "field": "order.total", "more_than": 20 }] },
        "steps": [{ "send": { "template": "plain" } }],
    });
    shop.put("/v1/campaigns/large", campaign).await;
    for customer in ["ada", "bob"] {
        shop.customer(customer).await;
    }
    let with_total = |customer: &str, total: &str| {
        let mut body: Value = order(customer);
        body["total"] = json!(total);
        body
    };
    shop.put("/v1/orders/ada-large", with_total("ada", "20.01")).await;
    shop.put("/v1/orders/ada-small", with_total("ada", "20.00")).await;
    shop.put("/v1/orders/bob-large", with_total("bob", "90.00")).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["order ada-large"]);
}
