//! Whom a template is not meant for: its own conditions, asked when the mail would go out.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{Shop, order, refused};

impl Shop {
    async fn blocking(&self, id: &str, block: Value) -> Value {
        self.put(&format!("/v1/templates/{id}"), json!({ "subject": id, "html": "<p>x</p>", "block": block })).await
    }

    /// Rings for somebody, whom the campaign then writes to.
    async fn rings(&self, customer: &str, id: &str, context: Value) {
        let event = json!({ "id": id, "customer_id": customer, "name": "rang", "context": context });
        self.tell("/v1/events", event).await;
        self.quiet().await;
    }

    /// What became of a customer's messages, newest first, each with what exactly.
    async fn ends(&self, customer: &str) -> Vec<(String, Value)> {
        let (outcomes, messages) = (self.outcomes(customer).await, self.messages(customer).await);
        outcomes.into_iter().zip(messages.into_iter().map(|message| message["detail"].clone())).collect()
    }
}

fn blocked(reason: &str) -> (String, Value) {
    ("NOT_SENT blocked_by_template".to_owned(), json!(reason))
}

fn rang() -> Value {
    json!({ "type": "event_received", "name": "rang" })
}

fn sends(template: &str) -> Value {
    json!([{ "send": { "template": template } }])
}

#[tokio::test]
async fn whoever_meets_a_condition_when_the_mail_would_go_does_not_get_it_and_the_message_says_why() {
    let shop = Shop::open().await;
    shop.blocking("t", json!([{ "when": { "count": "orders", "less_than": 2 }, "reason": "one order only" }])).await;
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "t" } }]);
    shop.campaign("c", json!({ "type": "order_created" }), steps).await;
    for customer in ["ada", "bob"] {
        shop.customer(customer).await;
        shop.put(&format!("/v1/orders/{customer}-1"), order(customer)).await;
    }
    shop.advance("PT30M").await;
    shop.put("/v1/orders/bob-2", order("bob")).await;
    shop.advance("PT1H").await;
    assert_eq!(shop.ends("ada").await, [blocked("one order only")]);
    // At the time of the first order there was one; when its mail went there were two.
    assert_eq!(shop.outcomes("bob").await, ["SENT", "SENT"]);
    let why = shop.get("/v1/customers/ada/why?campaign=c").await.to_string();
    assert!(why.contains("one order only"), "{why}");
}

#[tokio::test]
async fn a_condition_sees_all_that_there_is_of_the_customer_and_what_happened_but_not_its_own_message() {
    let shop = Shop::open().await;
    shop.put("/v1/audiences/staff", json!({ "name": "Staff" })).await;
    let riga = json!({ "name": "Riga", "condition": { "field": "customer.city", "is": "Riga" } });
    shop.put("/v1/segments/riga", riga).await;
    shop.advance("PT2S").await;
    let complained = json!({ "field": "event.name", "is": "complained" });
    let in_cart = json!({ "field": "item.container", "is": "cart" });
    let block = [
        (json!({ "audience": "staff" }), "staff"),
        (json!({ "segment": "riga" }), "lives in Riga"),
        (json!({ "count": "events", "where": complained, "during": { "last": "P7D" } }), "complained"),
        (json!({ "sum": "items.total", "where": in_cart, "at_least": 20 }), "much in the cart"),
        (json!({ "count": "messages", "during": { "last": "P1D" } }), "had one today"),
        (json!({ "field": "event.context.quiet", "is": true }), "asked for none"),
    ];
    shop.blocking("t", block.iter().map(|(when, reason)| json!({ "when": when, "reason": reason })).collect()).await;
    shop.campaign("c", rang(), sends("t")).await;
    for customer in ["ann", "bea", "cat", "dot", "eve", "flo"] {
        shop.customer(customer).await;
    }
    shop.tell("/v1/audiences/staff/members", json!({ "add": ["ann"] })).await;
    shop.patch("/v1/customers/bea", json!({ "city": "Riga" })).await;
    shop.event("e", "cat", "complained").await;
    let items = json!([{ "product_id": "mug", "quantity": 2, "price": "10.00" }]);
    shop.tell("/v1/customers/dot/containers/cart", json!({ "id": "1", "op": "add", "items": items })).await;
    shop.quiet().await;
    for customer in ["ann", "bea", "cat", "dot", "flo"] {
        shop.rings(customer, "r", json!({ "quiet": false })).await;
    }
    shop.rings("eve", "r", json!({ "quiet": true })).await;
    shop.rings("flo", "r2", json!({ "quiet": true })).await;
    for (customer, reason) in [
        ("ann", "staff"),
        ("bea", "lives in Riga"),
        ("cat", "complained"),
        ("dot", "much in the cart"),
        ("eve", "asked for none"),
    ] {
        assert_eq!(shop.ends(customer).await, [blocked(reason)], "{customer}");
    }
    // The first of two that hold is the reason.
    assert_eq!(shop.ends("flo").await, [blocked("had one today"), ("SENT".to_owned(), Value::Null)]);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn what_a_condition_asks_is_held_to_the_dictionary_and_to_what_its_trigger_brings() {
    let shop = Shop::open().await;
    let template = |block: Value| json!({ "subject": "s", "html": "<p>x</p>", "block": block });
    let block = json!([
        { "when": { "field": "customer.ctiy", "is": "Riga" }, "reason": "r" },
        { "when": { "audience": "staff" }, "reason": "r" },
        { "when": { "segment": "loyal" }, "reason": "r" },
    ]);
    let told = refused(&shop, "/v1/templates/t", template(block)).await;
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["/block/0/when/field", "/block/1/when/audience", "/block/2/when/segment"], "{told:?}");
    let block = json!([
        { "when": { "field": "item.quantity", "at_least": 1 }, "reason": "r" },
        { "when": { "count": "orders" } },
        { "reason": "r" },
        7,
    ]);
    let told = refused(&shop, "/v1/templates/t", template(block)).await;
    let places: Vec<&str> = told.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["/block/0/when/field", "/block/1/reason", "/block/2/when", "/block/3"], "{told:?}");

    let small = json!([{ "when": { "field": "order.total", "less_than": 5 }, "reason": "small" }]);
    shop.put("/v1/templates/t", template(small)).await;
    let told = refused(&shop, "/v1/mailings/m", json!({ "name": "m", "template": "t" })).await;
    let asks = "asks for order.total (/block/0/when), which a mailing has not";
    assert_eq!(told, [("/template".to_owned(), asks.to_owned())]);
    let campaign = |trigger: Value| json!({ "name": "c", "trigger": trigger, "steps": sends("t") });
    let told = refused(&shop, "/v1/campaigns/c", campaign(rang())).await;
    assert_eq!(told[0].0, "/steps/0/send/template");
    shop.put("/v1/campaigns/c", campaign(json!({ "type": "order_created" }))).await;
    let other = json!([{ "when": { "field": "event.name", "is": "rang" }, "reason": "r" }]);
    let told = refused(&shop, "/v1/templates/t", template(other)).await;
    let asks = "asks for event.name, which nothing has that sets the campaign \"c\" off";
    assert_eq!(told, [("/block/0/when".to_owned(), asks.to_owned())]);
}

#[tokio::test]
async fn conditions_that_ask_too_much_together_are_refused_though_each_alone_is_not() {
    let shop = Shop::open().await;
    let asks = |block: usize| {
        let fields = (0..180).map(|n| json!({ "field": format!("event.context.f{block}_{n}"), "is": true }));
        json!({ "when": { "any": fields.collect::<Vec<Value>>() }, "reason": "r" })
    };
    let template = |blocks: usize| {
        let block: Vec<Value> = (0..blocks).map(asks).collect();
        json!({ "subject": "s", "html": "<p>x</p>", "block": block })
    };
    // A thousand fields are what a customer can be read for, and 6 by 180 are more.
    shop.put("/v1/templates/t", template(5)).await;
    let told = refused(&shop, "/v1/templates/t", template(6)).await;
    let detail = "asks, in all its conditions together, more than can be answered";
    assert_eq!(told, [("/block".to_owned(), detail.to_owned())]);
}

#[tokio::test]
async fn what_a_condition_names_cannot_be_deleted() {
    let shop = Shop::open().await;
    shop.put("/v1/fields/customer.tier", json!({ "label": "Tier", "type": "string" })).await;
    shop.put("/v1/segments/big", json!({ "name": "Big", "condition": { "count": "orders" } })).await;
    let when = json!({ "any": [{ "field": "customer.fields.tier", "is": "gold" }, { "not": { "segment": "big" } }] });
    let saved = shop.blocking("t", json!([{ "when": when, "reason": "r" }])).await;
    let in_words = "customer fields tier is gold or not (the customer is in the segment big)";
    assert_eq!(saved["block"][0]["in_words"], in_words, "{saved}");
    for path in ["/v1/fields/customer.tier", "/v1/segments/big"] {
        let (status, problem) = shop.ask("DELETE", path, Value::Null).await;
        assert_eq!((status, problem["detail"].as_str()), (409, Some("it is used by template \"t\"")), "{path}");
    }
    // What was shown may be sent back, and is the same version.
    let shown = shop.get("/v1/templates/t").await;
    let again = shop.blocking("t", shown["block"].clone()).await;
    assert_eq!((&again["version"], &again["block"]), (&json!(1), &shown["block"]));
    // A mailing goes out by the template as it was when that was saved.
    let mailing = |at: Value| json!({ "name": "m", "template": "t", "at": at });
    shop.put("/v1/mailings/m", mailing(json!(shop.bundle.now() + SignedDuration::from_hours(1)))).await;
    shop.blocking("t", json!([])).await;
    for path in ["/v1/fields/customer.tier", "/v1/segments/big"] {
        let (status, problem) = shop.ask("DELETE", path, Value::Null).await;
        assert_eq!((status, problem["detail"].as_str()), (409, Some("it is used by mailing \"m\"")), "{path}");
    }
    shop.advance("PT2H").await;
    for path in ["/v1/fields/customer.tier", "/v1/segments/big"] {
        assert_eq!(shop.ask("DELETE", path, Value::Null).await.0, 204, "{path}");
    }
}

#[tokio::test]
async fn a_run_keeps_the_conditions_it_began_with_and_sends_nothing_if_it_cannot_ask_them() {
    let shop = Shop::open().await;
    shop.put("/v1/segments/big", json!({ "name": "Big", "condition": { "count": "orders", "at_least": 9 } })).await;
    shop.blocking("kept", json!([{ "when": { "count": "orders" }, "reason": "ordered" }])).await;
    shop.blocking("gone", json!([{ "when": { "segment": "big" }, "reason": "big" }])).await;
    for template in ["kept", "gone"] {
        let steps = json!([{ "wait": "PT1H" }, { "send": { "template": template } }]);
        shop.campaign(template, json!({ "type": "order_created" }), steps).await;
    }
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    for template in ["kept", "gone"] {
        shop.blocking(template, json!([])).await;
    }
    assert_eq!(shop.ask("DELETE", "/v1/segments/big", Value::Null).await.0, 204);
    shop.advance("PT2H").await;
    let mut outcomes = shop.outcomes("ada").await;
    outcomes.sort();
    assert_eq!(outcomes, ["NOT_SENT blocked_by_template", "NOT_SENT template_failed"]);
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (0, 0));
}

#[tokio::test]
async fn a_preview_says_of_each_condition_whether_it_holds_and_why() {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    let block = json!([
        { "when": { "count": "orders", "at_least": 3 }, "reason": "ordered enough" },
        { "when": { "field": "customer.city", "is": "Riga" }, "reason": "lives in Riga" },
    ]);
    shop.blocking("t", block).await;
    let preview = async |asked: Value| {
        let (status, shown) = shop.ask("POST", "/v1/templates/t/preview", asked).await;
        assert_eq!(status, 200, "{shown}");
        shown
    };
    let shown = preview(json!({ "customer_id": "ada" })).await;
    let expected = json!([
        {
            "reason": "ordered enough", "in_words": "the number of orders is at least 3",
            "holds": false, "why_in_words": "the number of orders is at least 3: no, it is 0",
        },
        {
            "reason": "lives in Riga", "in_words": "customer city is Riga",
            "holds": true, "why_in_words": "customer city is Riga: yes, it is Riga",
        },
    ]);
    assert_eq!(shown["block"], expected);
    assert_eq!(
        (&shown["would_be_sent"], &shown["reason"], &shown["detail"]),
        (&json!(false), &json!("blocked_by_template"), &json!("lives in Riga"))
    );
    assert_eq!(shown["subject"], "t", "what it would be is shown all the same");

    // Of nobody it is not known what they did; what is given is.
    let shown = preview(json!({ "data": { "customer": { "city": "Rome" } } })).await;
    assert_eq!((&shown["block"][0]["holds"], &shown["block"][1]["holds"]), (&Value::Null, &json!(false)));
    assert_eq!(shown["would_be_sent"], true);
    let given = preview(json!({ "customer_id": "ada", "data": { "customer": { "city": "Rome" } } })).await;
    assert_eq!((&given["block"][0]["holds"], &given["would_be_sent"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn a_test_is_held_to_the_conditions_as_a_preview_is() {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    let block = json!([
        { "when": { "count": "orders", "at_most": 0 }, "reason": "no orders" },
        { "when": { "field": "customer.city", "is": "Riga" }, "reason": "lives in Riga" },
    ]);
    shop.blocking("t", block).await;
    let rome = json!({ "customer": { "city": "Rome" } });
    for (asked, state, detail) in [
        (json!({ "customer_id": "ada" }), "NOT_SENT", json!("no orders")),
        // What nobody is named for, nobody knows.
        (json!({ "data": { "customer": { "city": "Riga" } } }), "NOT_SENT", json!("lives in Riga")),
        (json!({ "data": rome }), "SENT", Value::Null),
    ] {
        let mut body = asked;
        body["to"] = json!("me@example.com");
        let sent = shop.tell("/v1/templates/t/test", body).await;
        shop.quiet().await;
        let message = shop.get(&format!("/v1/messages/{}", sent["messages"][0]["id"].as_str().unwrap())).await;
        assert_eq!((&message["state"], &message["detail"]), (&json!(state), &detail), "{message}");
    }
}
