//! Who is in a segment is kept: they enter when something happens, leave when it does or
//! when the time comes, and campaigns hear of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::product_changes::only;
use crate::support::{Shop, order};

impl Shop {
    /// A segment whose members are found.
    pub(crate) async fn kept_segment(&self, code: &str, condition: Value) {
        self.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": condition })).await;
        self.quiet().await;
    }

    /// Who is in a segment, as it is kept.
    pub(crate) async fn members(&self, code: &str) -> Vec<String> {
        let members = self.all_of(&format!("/v1/segments/{code}/customers?"), 100).await;
        let mut ids: Vec<String> = members.iter().map(|member| member["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// What is kept of a customer's membership, and whether the condition holds.
    async fn member(&self, code: &str, customer: &str) -> (Value, bool) {
        let asked = self.get(&format!("/v1/segments/{code}/customers/{customer}")).await;
        (asked["member"].clone(), asked["holds"].as_bool().unwrap())
    }

    /// Mails `template` to whoever enters or leaves a segment.
    async fn campaign_of(&self, what: &str, segment: &str, template: &str) {
        self.template(template, template).await;
        let trigger = json!({ "type": what, "segment": segment });
        self.campaign(template, trigger, json!([{ "send": { "template": template } }])).await;
    }

    async fn order_now(&self, id: &str, customer: &str) {
        let mut placed = order(customer);
        placed["created_at"] = json!(self.bundle.now());
        self.put(&format!("/v1/orders/{id}"), placed).await;
    }
}

fn at(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn whoever_comes_to_meet_a_condition_enters_and_a_campaign_hears_of_it_once() {
    let shop = Shop::open().await;
    for id in ["ada", "bob"] {
        shop.customer(id).await;
    }
    shop.kept_segment("loyal", json!({ "count": "orders", "at_least": 2 })).await;
    shop.campaign_of("segment_entered", "loyal", "Welcome").await;
    for (id, customer) in [("a1", "ada"), ("b1", "bob"), ("a2", "ada")] {
        shop.order(id, customer).await;
    }
    shop.quiet().await;
    assert_eq!(shop.members("loyal").await, ["ada"]);
    assert_eq!(shop.member("loyal", "ada").await.0["is_in"], true);
    assert_eq!(shop.heard(), only(&[("ada", &["Welcome"])]));

    // Told again, and more of it: nobody enters twice.
    shop.order("a2", "ada").await;
    shop.order("a3", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.heard(), only(&[("ada", &["Welcome"])]));

    // Who leaves and comes back enters again.
    for id in ["a2", "a3"] {
        assert_eq!(shop.ask("DELETE", &format!("/v1/orders/{id}"), Value::Null).await.0, 204);
    }
    shop.quiet().await;
    assert_eq!(shop.members("loyal").await, [""; 0]);
    let left = shop.member("loyal", "ada").await;
    assert_eq!((&left.0["is_in"], left.1), (&json!(false), false));
    shop.order("a4", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.heard(), only(&[("ada", &["Welcome", "Welcome"])]));
}

#[tokio::test]
async fn a_customer_leaves_a_time_window_at_its_instant_and_what_goes_on_keeps_them_in() {
    let shop = Shop::open().await;
    shop.kept_segment("recent", json!({ "count": "orders", "during": { "last": "P30D" } })).await;
    shop.campaign_of("segment_left", "recent", "Missed").await;
    for id in ["ada", "bob"] {
        shop.customer(id).await;
        shop.order_now(&format!("{id}-1"), id).await;
    }
    let placed = shop.bundle.now();
    shop.advance("P20D").await;
    shop.order_now("ada-2", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.members("recent").await, ["ada", "bob"]);

    shop.advance("P11D").await;
    assert_eq!(shop.members("recent").await, ["ada"]);
    let (left, holds) = shop.member("recent", "bob").await;
    assert_eq!((&left["is_in"], holds, &left["by"]), (&json!(false), false, &json!("time")));
    // The clock goes on in steps of an hour here.
    let late = at(&left["since"]).duration_since(placed) - SignedDuration::from_hours(30 * 24);
    assert!(late.abs() < SignedDuration::from_mins(61), "{late:?}");
    assert_eq!(shop.heard(), only(&[("bob", &["Missed"])]));

    shop.advance("P20D").await;
    assert_eq!(shop.members("recent").await, [""; 0]);
    assert_eq!(shop.heard(), only(&[("ada", &["Missed"]), ("bob", &["Missed"])]));
}

#[tokio::test]
async fn those_who_are_found_in_a_new_segment_or_by_an_edit_set_nothing_off() {
    let shop = Shop::open().await;
    for id in ["ada", "bob", "cyd"] {
        shop.customer(id).await;
    }
    shop.order("a1", "ada").await;
    shop.kept_segment("buyers", json!({ "count": "orders" })).await;
    shop.campaign_of("segment_entered", "buyers", "Hello").await;
    shop.campaign_of("segment_left", "buyers", "Bye").await;
    assert_eq!(shop.members("buyers").await, ["ada"]);
    assert_eq!(shop.member("buyers", "ada").await.0["by"], "found");

    shop.kept_segment("buyers", json!({ "not": { "count": "orders" } })).await;
    assert_eq!(shop.members("buyers").await, ["bob", "cyd"]);
    assert_eq!(shop.subjects(), [""; 0]);

    // From then on it is news again.
    shop.order("b1", "bob").await;
    shop.quiet().await;
    assert_eq!(shop.members("buyers").await, ["cyd"]);
    assert_eq!(shop.heard(), only(&[("bob", &["Bye"])]));
}

#[tokio::test]
async fn segments_that_ask_about_an_edited_one_turn_with_it() {
    let shop = Shop::open().await;
    for (id, city) in [("ada", "Riga"), ("bob", "Rome")] {
        shop.customer(id).await;
        shop.patch(&format!("/v1/customers/{id}"), json!({ "city": city })).await;
    }
    shop.kept_segment("here", json!({ "field": "customer.city", "is": "Riga" })).await;
    shop.kept_segment("elsewhere", json!({ "not": { "segment": "here" } })).await;
    assert_eq!(shop.members("elsewhere").await, ["bob"]);
    shop.kept_segment("here", json!({ "field": "customer.city", "is": "Rome" })).await;
    assert_eq!((shop.members("here").await, shop.members("elsewhere").await), (vec!["bob".into()], vec!["ada".into()]));
    // What is deleted keeps no row.
    assert_eq!(shop.ask("DELETE", "/v1/segments/elsewhere", Value::Null).await.0, 204);
    shop.advance("PT10M").await;
    let rows = shop.all_rows().await;
    let left: Vec<&String> = rows.iter().filter(|row| row.contains("segment#elsewhere")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn which_orders_count_and_what_day_it_is_turn_segments_too() {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    shop.order_now("a1", "ada").await;
    shop.kept_segment("buyers", json!({ "count": "orders" })).await;
    assert_eq!(shop.members("buyers").await, ["ada"]);
    shop.put("/v1/statuses/general.received", json!({ "name": "Received", "in_analytics": false })).await;
    shop.advance("PT1M").await;
    assert_eq!(shop.members("buyers").await, [""; 0]);
}

#[tokio::test]
async fn who_becomes_somebody_else_takes_no_segment_along_and_who_is_erased_leaves_nothing() {
    let shop = Shop::open().await;
    shop.kept_segment("recent", json!({ "count": "orders", "during": { "last": "P30D" } })).await;
    shop.kept_segment("loyal", json!({ "count": "orders", "at_least": 2 })).await;
    shop.campaign_of("segment_left", "recent", "Missed").await;
    for id in ["lovelace", "byron-the-other"] {
        shop.customer(id).await;
        shop.order_now(&format!("of-{id}"), id).await;
    }
    shop.quiet().await;
    assert_eq!(shop.members("recent").await, ["byron-the-other", "lovelace"]);
    shop.tell("/v1/customers/lovelace/merge", json!({ "from": "byron-the-other" })).await;
    shop.quiet().await;
    assert_eq!(
        (shop.members("recent").await, shop.members("loyal").await),
        (vec!["lovelace".into()], vec!["lovelace".into()])
    );

    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
    shop.quiet().await;
    assert_eq!(shop.members("recent").await, [""; 0]);
    let rows = shop.all_rows().await;
    let left: Vec<&String> = rows
        .iter()
        .filter(|row| row.contains("lovelace") || row.contains("byron") || row.contains("segment#r"))
        .collect();
    assert!(left.is_empty(), "{left:#?}");
    shop.advance("P31D").await;
    assert_eq!(shop.subjects(), [""; 0]);
}

#[tokio::test]
async fn a_time_that_was_missed_is_made_good_by_the_next_look() {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    shop.kept_segment("recent", json!({ "count": "orders", "during": { "last": "P1D" } })).await;
    shop.kept_segment("riga", json!({ "field": "customer.city", "is": "Riga" })).await;
    shop.order_now("a1", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.members("recent").await, ["ada"]);
    // Whoever sees to the time dies, until its messages are dead letters.
    shop.fault(json!({ "kind": "kill", "function": "evaluate", "at_call": 1, "when": "before", "next": 1000 }));
    shop.advance("P2D").await;
    shop.bundle.clear_faults();
    shop.advance("PT2H").await;
    assert_eq!(shop.members("recent").await, ["ada"], "what was to be seen to was not");
    assert!(shop.dead_letters().await > 0);

    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    shop.quiet().await;
    assert_eq!((shop.members("recent").await, shop.members("riga").await), (Vec::new(), vec!["ada".into()]));
    // And from then on times are set again.
    shop.order_now("a2", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.members("recent").await, ["ada"]);
    shop.advance("P1DT1H").await;
    assert_eq!(shop.members("recent").await, [""; 0]);
}
