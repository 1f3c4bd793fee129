//! What happens to products, and who hears of it.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Shop;

impl Shop {
    /// A campaign that mails `template` to those whom it concerns what happens to a product.
    async fn hearing(&self, id: &str, what: &str, whom: Value) {
        let trigger = json!({ "type": "product_changed", "what": what, "whom": whom });
        self.campaign(id, trigger, json!([{ "send": { "template": id } }])).await;
    }

    async fn viewed(&self, who: Value, product: &str, days_ago: i64) {
        let at = self.bundle.now() - SignedDuration::from_hours(24 * days_ago);
        let mut body = json!({ "name": "product_viewed", "at": at, "context": { "product_id": product } });
        body["id"] = json!(format!("{who} {product} {days_ago}"));
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        self.tell("/v1/events", body).await;
    }

    async fn contain(&self, op: &str, customer: &str, container: &str, product: &str) {
        let body = json!({ "id": format!("{op} {product}"), "op": op, "items": [{ "product_id": product }] });
        self.tell(&format!("/v1/customers/{customer}/containers/{container}"), body).await;
    }

    /// To whom mails went, and with which subjects.
    pub(crate) fn heard(&self) -> BTreeMap<String, Vec<String>> {
        let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in self.mails() {
            let to = mail.to.first().unwrap().split('@').next().unwrap().to_owned();
            heard.entry(to).or_default().push(mail.subject);
        }
        heard.values_mut().for_each(|subjects| subjects.sort());
        heard
    }
}

pub(crate) fn only(who: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    who.iter().map(|(who, said)| ((*who).to_owned(), said.iter().map(|said| (*said).to_owned()).collect())).collect()
}

#[tokio::test]
async fn a_price_that_drops_is_heard_of_once_by_each_who_viewed_the_product_lately_and_by_nobody_else() {
    let shop = Shop::open().await;
    shop.template("cheaper", "{{product.id}} {{change.from}} {{product.price}}").await;
    shop.hearing("cheaper", "price_dropped", json!({ "viewed_within": "P14D" })).await;
    for customer in ["ada", "bob", "cyd", "dan"] {
        shop.customer(customer).await;
    }
    let customer = |id: &str| json!({ "customer_id": id });
    shop.viewed(customer("bob"), "cup", 1).await;
    for product in ["mug0", "mug1", "mug2"] {
        shop.viewed(customer("ada"), product, 1).await;
        shop.viewed(customer("ada"), product, 30).await;
        shop.viewed(customer("cyd"), product, 15).await;
        shop.viewed(json!({ "anonymous_id": "v-1" }), product, 1).await;
        // Known by another name since.
        shop.viewed(customer("daniel"), product, 2).await;
    }
    shop.tell("/v1/customers/dan/merge", json!({ "from": "daniel" })).await;
    shop.quiet().await;

    let hours_ago = |hours: i64| json!(shop.bundle.now() - SignedDuration::from_hours(hours));
    let told = [
        json!({ "name": "Mug", "price": "10.00", "stock": 4, "updated_at": hours_ago(9) }),
        json!({ "name": "Mug", "price": "12.00", "stock": 4, "updated_at": hours_ago(8) }),
        json!({ "name": "Mug", "price": "8.00", "stock": 3, "updated_at": hours_ago(7) }),
        json!({ "name": "Mug", "price": "8.00", "stock": 2, "updated_at": hours_ago(6) }),
    ];
    for (number, order) in [[0, 1, 3, 2], [3, 2, 1, 0], [2, 0, 1, 3]].iter().enumerate() {
        for index in order.iter().chain(order) {
            shop.put(&format!("/v1/products/mug{number}"), told[*index].clone()).await;
            shop.quiet().await;
        }
    }
    // What it cost before is what was known when it was heard of.
    let mut heard = vec!["mug0 12.00 8.00", "mug1 12.00 8.00", "mug2 10.00 8.00"];
    assert_eq!(shop.heard(), only(&[("ada", &heard), ("dan", &heard)]));
    assert_eq!(shop.get("/v1/messages?customer=visitor:v-1").await["items"], json!([]));

    // Dearer concerns nobody, and the same drop a second time is another one.
    shop.patch("/v1/products/mug0", json!({ "price": "12.00" })).await;
    shop.quiet().await;
    shop.patch("/v1/products/mug0", json!({ "price": "8.00" })).await;
    shop.quiet().await;
    heard.insert(0, heard[0]);
    assert_eq!(shop.heard(), only(&[("ada", &heard), ("dan", &heard)]));
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn that_a_product_is_back_is_heard_of_by_those_who_still_wait_for_it() {
    let shop = Shop::open().await;
    shop.template("back", "Back in stock: {{product.name}}").await;
    shop.hearing("back", "back_in_stock", json!({ "holding": "wishlist" })).await;
    shop.template("few", "{{product.name}}: {{change.to}} left").await;
    let trigger = json!({ "type": "product_changed", "what": "stock_changed", "whom": { "holding": "cart" } });
    let filter = json!({ "all": [{ "field": "change.to", "less_than": 5 }, { "field": "product.brand", "is": "B" }] });
    let steps = json!([{ "send": { "template": "few" } }]);
    shop.put("/v1/campaigns/few", json!({ "name": "few", "trigger": trigger, "filter": filter, "steps": steps })).await;
    for customer in ["ada", "bob", "cyd"] {
        shop.customer(customer).await;
    }
    for customer in ["ada", "bob"] {
        shop.contain("add", customer, "wishlist", "mug").await;
    }
    shop.contain("remove", "bob", "wishlist", "mug").await;
    shop.contain("add", "cyd", "cart", "mug").await;
    shop.put("/v1/products/mug", json!({ "name": "Mug", "brand": "B", "stock": 0 })).await;
    shop.quiet().await;
    shop.patch("/v1/products/mug", json!({ "stock": 9 })).await;
    shop.quiet().await;
    assert_eq!(shop.heard(), only(&[("ada", &["Back in stock: Mug"])]));
    shop.patch("/v1/products/mug", json!({ "stock": 4 })).await;
    shop.quiet().await;
    assert_eq!(shop.heard(), only(&[("ada", &["Back in stock: Mug"]), ("cyd", &["Mug: 4 left"])]));

    // A list may be old: of whom it names, only those are written to who hold it now.
    let at = shop.bundle.now();
    let change = json!({ "type": "product_changed", "product_id": "mug", "what": "back_in_stock", "at": at });
    let records: Vec<Value> = ["ada", "bob"]
        .iter()
        .map(|customer| {
            let causes = json!([{ "cause": "changed", "change": change, "at": at }]);
            json!({ "messageId": customer, "body": json!({ "customer_id": customer, "causes": causes }).to_string() })
        })
        .collect();
    let answer = shop.bundle.invoke("evaluate", &json!({ "Records": records })).await.unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    shop.quiet().await;
    let back = "Back in stock: Mug";
    assert_eq!(shop.heard(), only(&[("ada", &[back, back]), ("cyd", &["Mug: 4 left"])]));
}

#[tokio::test]
async fn more_customers_than_a_page_has_hear_of_it_once_each_through_kills() {
    const HOLDERS: usize = 250;
    let shop = Shop::open().await;
    shop.template("back", "Back in stock: {{product.name}}").await;
    shop.put("/v1/products/mug", json!({ "name": "Mug", "stock": 0 })).await;
    shop.put("/v1/containers/notify", json!({ "name": "Tell me" })).await;
    let holders: Vec<String> = (0..HOLDERS).map(|number| format!("c{number}")).collect();
    let waits = async |holder: &String| {
        shop.customer(holder).await;
        shop.contain("add", holder, "notify", "mug").await;
    };
    futures::stream::iter(&holders).for_each_concurrent(8, waits).await;
    shop.quiet().await;

    // Without a campaign nobody is looked for.
    shop.patch("/v1/products/mug", json!({ "stock": 1 })).await;
    shop.patch("/v1/products/mug", json!({ "stock": 0 })).await;
    shop.quiet().await;
    let calls = shop.bundle.state().await.functions;
    let calls = &calls.iter().find(|function| function.name == "product-changes").unwrap().aws_calls;
    assert!(!calls.keys().any(|call| call.contains("SendMessageBatch")), "{calls:?}");
    shop.hearing("back", "back_in_stock", json!({ "holding": "notify" })).await;
    for at_call in [3, 12] {
        shop.fault(json!({ "kind": "kill", "function": "product-changes", "at_call": at_call,
                           "operation": "SendMessageBatch", "when": "after" }));
    }
    shop.patch("/v1/products/mug", json!({ "stock": 7 })).await;
    shop.drain().await;
    let heard = shop.heard();
    assert_eq!(heard.len(), HOLDERS);
    assert!(heard.values().all(|subjects| subjects == &["Back in stock: Mug"]));
    assert_eq!(shop.dead_letters().await, 0);
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "product-changes").unwrap();
    assert!(worker.errors >= 2, "the worker was killed twice");
}

#[tokio::test]
async fn somebody_who_viewed_a_product_hundreds_of_times_is_listed_once_and_read_past_at_once() {
    const VIEWS: usize = 230;
    let shop = Shop::open().await;
    let customers: Vec<String> = (0..20).map(|number| format!("c{number}")).chain(["visitor:bot".into()]).collect();
    let view = async |number: usize| {
        let mut body =
            json!({ "id": number.to_string(), "name": "product_viewed", "context": { "product_id": "mug" } });
        match customers.get(number).filter(|id| !id.starts_with("visitor:")) {
            Some(customer) => body["customer_id"] = json!(customer),
            None => body["anonymous_id"] = json!("bot"),
        }
        shop.tell("/v1/events", body).await;
    };
    futures::stream::iter(0..VIEWS + 20).for_each_concurrent(8, view).await;
    shop.quiet().await;
    let queries = async || -> u64 {
        let functions = shop.bundle.state().await.functions;
        let calls = &functions.iter().find(|function| function.name == "ingest-products").unwrap().aws_calls;
        calls.iter().filter(|(call, _)| call.contains("Query")).map(|(_, count)| *count).sum()
    };
    let mut wanted = customers.clone();
    wanted.sort();
    for limit in [1, 2, 20, 21, 100] {
        let before = queries().await;
        let listed = shop.all_of("/v1/products/mug/customers?viewed=true", limit).await;
        let mut listed: Vec<&str> = listed.iter().map(|item| item["customer_id"].as_str().unwrap()).collect();
        listed.sort_unstable();
        assert_eq!(listed, wanted, "{limit} a page");
        // Each call shows a customer more or ends one of the eight parts of the list.
        let calls = queries().await - before;
        assert!((8..=8 + 21).contains(&calls), "{limit} a page: {calls}");
    }
}
