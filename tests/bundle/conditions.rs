//! Filters and audiences over all that a customer did and has.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::mailings::sent;
use crate::product_changes::only;
use crate::support::{Shop, order};

impl Shop {
    fn hours_ago(&self, hours: i64) -> Timestamp {
        self.bundle.now() - SignedDuration::from_hours(hours)
    }

    /// An order that was placed so many days ago.
    async fn spent(&self, customer: &str, id: &str, total: &str, days_ago: i64) {
        let at = self.hours_ago(24 * days_ago);
        let mut body = order(customer);
        body["total"] = json!(total);
        body["created_at"] = json!(at);
        body["updated_at"] = json!(at);
        self.put(&format!("/v1/orders/{id}"), body).await;
    }

    /// A campaign with a filter, which sends the template of its own name.
    async fn filtered(&self, id: &str, trigger: Value, filter: &Value) -> Value {
        let steps = json!([{ "send": { "template": id } }]);
        let body = json!({ "name": id, "trigger": trigger, "filter": filter, "steps": steps });
        self.put(&format!("/v1/campaigns/{id}"), body).await
    }

    async fn viewed_twice(&self, customer: &str, minutes_ago: i64) {
        let at = self.bundle.now() - SignedDuration::from_mins(minutes_ago);
        for number in 0..2 {
            let body = json!({
                "id": format!("{customer} {minutes_ago} {number}"), "customer_id": customer, "name": "product_viewed",
                "at": at, "context": { "product_id": "mug" },
            });
            self.tell("/v1/events", body).await;
        }
        self.quiet().await;
    }

    async fn put_in(&self, customer: &str, container: &str, product: &str, quantity: u32, price: &str) {
        let item = json!({ "product_id": product, "quantity": quantity, "price": price });
        let body = json!({ "id": format!("{container} {product}"), "op": "add", "items": [item] });
        self.tell(&format!("/v1/customers/{customer}/containers/{container}"), body).await;
        self.quiet().await;
    }
}

#[tokio::test]
async fn a_mailing_goes_to_those_who_spent_so_much_lately_and_are_no_staff() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    shop.put("/v1/audiences/staff", json!({ "name": "Staff" })).await;
    // A word holds a second after it was saved.
    shop.advance("PT2S").await;
    for customer in ["ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal", "ida"] {
        shop.customer(customer).await;
    }
    shop.spent("ada", "a-1", "60.00", 80).await;
    shop.spent("ada", "a-2", "50.00", 2).await;
    // Cancelled, so that it does not count.
    shop.spent("bob", "b-1", "500.00", 2).await;
    shop.put("/v1/orders/b-1/status", json!({ "set": "general", "code": "cancelled" })).await;
    // Too long ago, the one of them.
    shop.spent("cyd", "c-1", "500.00", 91).await;
    shop.spent("cyd", "c-2", "20.00", 89).await;
    // Staff, by the id that they had before.
    shop.spent("dan", "d-1", "500.00", 2).await;
    shop.tell("/v1/audiences/staff/members", json!({ "add": ["daniel"] })).await;
    shop.tell("/v1/customers/dan/merge", json!({ "from": "daniel" })).await;
    // Enough by the orders of both whom they were.
    shop.spent("eve", "e-1", "60.00", 2).await;
    shop.spent("fay", "f-1", "60.00", 2).await;
    shop.tell("/v1/customers/eve/merge", json!({ "from": "fay" })).await;
    // Nearly, and just enough.
    shop.spent("gus", "g-1", "99.99", 2).await;
    shop.spent("hal", "h-1", "100.00", 2).await;
    shop.quiet().await;

    let audience = json!({ "all": [
        { "sum": "orders.total", "during": { "last": "P90D" }, "at_least": 100 },
        { "not": { "audience": "staff" } },
    ] });
    let mailing = json!({ "name": "News", "template": "news", "audience": audience });
    let shown = shop.put("/v1/mailings/news", mailing).await;
    assert_eq!(
        shown["audience_in_words"],
        "the sum of total of orders in the last 90 days is at least 100 and \
         not (the customer is in the audience staff)"
    );
    let progress = sent(&shop, "news").await;
    assert_eq!((&progress["audience"], &progress["sent"]), (&json!(3), &json!(3)), "{progress}");
    let mut heard: Vec<String> = shop.heard().into_keys().collect();
    // Of two who are one it is the address that was said last.
    heard.iter_mut().filter(|to| *to == "fay").for_each(|to| *to = "eve".into());
    assert_eq!(heard, ["ada", "eve", "hal"]);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_filter_that_counts_orders_counts_the_one_that_set_it_off() {
    let shop = Shop::open().await;
    shop.template("regular", "{{customer.first_name}} {{order.id}}").await;
    let filter = json!({ "count": "orders", "at_least": 3 });
    let shown = shop.filtered("regular", json!({ "type": "order_created" }), &filter).await;
    assert_eq!(shown["filter_in_words"], "the number of orders is at least 3");

    // What was shown may be edited and sent back; what it said in words is made anew.
    let mut edited = shown.clone();
    edited.as_object_mut().unwrap().retain(|name, _| !["id", "version"].contains(&name.as_str()));
    edited["name"] = json!("Regulars");
    edited["filter"] = json!({ "count": "orders", "more_than": 2 });
    let saved = shop.put("/v1/campaigns/regular", edited).await;
    assert_eq!(saved["filter_in_words"], "the number of orders is more than 2");
    assert_eq!(shop.get("/v1/campaigns/regular").await, saved);
    let change = &shop.get("/v1/audit?limit=1").await["items"][0];
    let change = shop.get(&format!("/v1/audit/{}", change["id"].as_str().unwrap())).await;
    assert_eq!((&change["before"]["filter"], &change["after"]["filter"]), (&filter, &saved["filter"]));
    assert!(!change.to_string().contains("filter_in_words"), "what was said, not what is made of it: {change}");

    for customer in ["ada", "bob"] {
        shop.customer(customer).await;
    }
    for (customer, number) in [("ada", 1), ("ada", 2), ("bob", 1), ("bob", 2)] {
        shop.order(&format!("{customer}-{number}"), customer).await;
        shop.quiet().await;
    }
    shop.put("/v1/orders/bob-1/status", json!({ "set": "general", "code": "cancelled" })).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), [""; 0]);
    for customer in ["ada", "bob"] {
        shop.order(&format!("{customer}-3"), customer).await;
        shop.quiet().await;
    }
    assert_eq!(shop.subjects(), ["ada ada-3"]);
    // Bob's third that was not cancelled.
    shop.order("bob-4", "bob").await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["ada ada-3", "bob bob-4"]);
}

#[tokio::test]
async fn a_filter_looks_at_the_last_hour_and_at_what_is_in_the_cart() {
    let shop = Shop::open().await;
    shop.template("keen", "{{customer.first_name}} {{change.product_id}}").await;
    let filter = json!({ "all": [
        {
            "count": "events", "during": { "last": "1h" }, "at_least": 2,
            "where": { "field": "event.name", "is": "product_viewed" },
        },
        { "sum": "items.total", "where": { "field": "item.container", "is": "cart" }, "at_least": 20 },
    ] });
    let trigger = json!({ "type": "container_changed", "container": "cart", "what": "item_added" });
    shop.filtered("keen", trigger, &filter).await;
    for customer in ["ada", "bob", "cyd", "dan"] {
        shop.customer(customer).await;
    }

    shop.viewed_twice("ada", 50).await;
    shop.put_in("ada", "cart", "mug", 3, "9.95").await;
    assert_eq!(shop.heard(), only(&[("ada", &["ada mug"])]));

    // Looked too long ago.
    shop.viewed_twice("bob", 70).await;
    shop.put_in("bob", "cart", "mug", 3, "9.95").await;
    // What is wished for is not in the cart.
    shop.viewed_twice("dan", 1).await;
    shop.put_in("dan", "wishlist", "pot", 1, "99.00").await;
    shop.put_in("dan", "cart", "cup", 1, "4.95").await;
    // Too little, and then enough.
    shop.viewed_twice("cyd", 1).await;
    shop.put_in("cyd", "cart", "mug", 1, "9.95").await;
    assert_eq!(shop.heard(), only(&[("ada", &["ada mug"])]));
    shop.put_in("cyd", "cart", "pan", 1, "10.05").await;
    assert_eq!(shop.heard(), only(&[("ada", &["ada mug"]), ("cyd", &["cyd pan"])]));

    // An hour later nobody looked at anything lately.
    shop.advance("PT61M").await;
    shop.put_in("ada", "cart", "pot", 1, "40.00").await;
    shop.viewed_twice("bob", 1).await;
    shop.put_in("bob", "cart", "pot", 1, "40.00").await;
    assert_eq!(shop.heard(), only(&[("ada", &["ada mug"]), ("bob", &["bob pot"]), ("cyd", &["cyd pan"])]));
    assert_eq!(shop.dead_letters().await, 0);
}
