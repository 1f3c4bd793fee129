//! One question: why did somebody get it, or not?

use local::ses::Kind;
use serde_json::{Value, json};

use crate::support::Shop;

async fn why(shop: &Shop, customer: &str, about: &str) -> Value {
    shop.get(&format!("/v1/customers/{customer}/why?{about}")).await
}

/// The answer in one word, whether they got it, and a word that is in the sentence.
async fn is_answered(shop: &Shop, customer: &str, about: &str, answer: &str, got_it: Value, says: &str) -> Value {
    let because = why(shop, customer, about).await;
    assert_eq!((&because["answer"], &because["got_it"]), (&json!(answer), &got_it), "{because}");
    assert!(because["in_words"].as_str().unwrap().contains(says), "{says}: {because}");
    because
}

async fn save(shop: &Shop, status: &str) {
    let filter = json!({ "field": "order.total", "at_least": 20 });
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "plain" } }]);
    let body = json!({
        "name": "c", "status": status, "trigger": { "type": "order_created" }, "filter": filter, "steps": steps,
    });
    shop.put("/v1/campaigns/c", body).await;
}

async fn order(shop: &Shop, id: &str, total: &str) {
    let body = json!({ "customer_id": "ada", "currency": "EUR", "total": total, "created_at": shop.bundle.now() });
    shop.put(&format!("/v1/orders/{id}"), body).await;
    shop.quiet().await;
}

#[tokio::test]
async fn of_a_campaign_it_is_told_how_far_it_got_from_a_draft_to_a_mail_that_came_back() {
    let shop = Shop::with_plain_template().await;
    shop.customer("ada").await;
    save(&shop, "draft").await;
    is_answered(&shop, "ada", "campaign=c", "not_active", json!(false), "draft since").await;
    order(&shop, "1", "50").await;
    shop.advance("PT1H").await;
    save(&shop, "active").await;
    shop.advance("PT1H").await;
    // Editing it does not make it any newer.
    save(&shop, "active").await;
    let because = is_answered(&shop, "ada", "campaign=c", "not_set_off", json!(false), "is active since").await;
    assert_eq!(because["worked_out"]["happened"]["cause"]["order_id"], "1", "{because}");
    assert_eq!(because["waits_for"]["in_words"], "order created");

    order(&shop, "2", "5").await;
    let because = is_answered(&shop, "ada", "campaign=c", "filtered", json!(false), "order total").await;
    let filter = &because["worked_out"]["filter"];
    assert_eq!((&filter["holds"], &filter["why"][0]["seen"]), (&json!(false), &json!("5")), "{because}");

    order(&shop, "3", "50").await;
    let because = is_answered(&shop, "ada", "campaign=c", "waiting", json!(false), "waits until").await;
    assert_eq!((because["known"]["runs"].as_array().unwrap().len(), &because["worked_out"]), (1, &Value::Null));
    shop.advance("PT2H").await;
    shop.quiet().await;
    let because = is_answered(&shop, "ada", "campaign=c", "sent", json!(true), "took it in").await;
    assert_eq!(because["known"]["messages"][0]["id"], shop.messages("ada").await[0]["id"]);
    shop.bundle.ses().inject(shop.mails()[0].n, Kind::Bounce, 1).unwrap();
    shop.quiet().await;
    is_answered(&shop, "ada", "campaign=c", "bounced", json!(false), "came back for good").await;

    order(&shop, "4", "50").await;
    shop.advance("PT2H").await;
    shop.quiet().await;
    let because = is_answered(&shop, "ada", "campaign=c", "not_sent", json!(false), "No mail goes to").await;
    assert_eq!((&because["reason"], &because["detail"]), (&json!("suppressed"), &json!("bounce")));

    save(&shop, "paused").await;
    shop.customer("bo").await;
    is_answered(&shop, "bo", "campaign=c", "not_active", json!(false), "paused since").await;
}

#[tokio::test]
async fn a_campaign_that_waits_for_an_event_or_a_segment_says_whether_it_has_come() {
    let shop = Shop::with_plain_template().await;
    shop.customer("ada").await;
    let send = json!([{ "send": { "template": "plain" } }]);
    shop.campaign("e", json!({ "type": "event_received", "name": "courier_missed" }), send.clone()).await;
    let body = json!({
        "name": "p", "steps": send,
        "trigger": { "type": "product_changed", "what": "price_dropped", "whom": { "holding": "wishlist" } },
    });
    shop.put("/v1/campaigns/p", body).await;
    shop.advance("PT1M").await;
    is_answered(&shop, "ada", "campaign=e", "not_set_off", json!(false), "event received (name courier_missed)").await;
    is_answered(&shop, "ada", "campaign=p", "not_set_off", json!(false), "nothing is kept").await;
    shop.event("1", "ada", "courier_missed").await;
    shop.quiet().await;
    is_answered(&shop, "ada", "campaign=e", "sent", json!(true), "took it").await;
}

#[tokio::test]
async fn a_campaign_that_waits_for_lines_to_change_says_whether_they_have() {
    let shop = Shop::with_plain_template().await;
    shop.customer("ada").await;
    let body = json!({
        "name": "l", "trigger": { "type": "order_lines_changed" }, "steps": [{ "send": { "template": "plain" } }],
        "filter": { "field": "change.lines.what", "contains": "removed" },
    });
    shop.put("/v1/campaigns/l", body).await;
    shop.advance("PT1M").await;
    order(&shop, "1", "5").await;
    is_answered(&shop, "ada", "campaign=l", "not_set_off", json!(false), "Nothing has set it off").await;
    let lines = json!([{ "id": "1", "product_id": "mug", "name": "Mug", "quantity": "1", "price": "5" }]);
    shop.patch("/v1/orders/1", json!({ "lines": lines })).await;
    shop.quiet().await;
    let because = is_answered(&shop, "ada", "campaign=l", "filtered", json!(false), "removed").await;
    assert_eq!(because["worked_out"]["happened"]["cause"]["lines"][0]["what"], "added", "{because}");
}

#[tokio::test]
async fn of_a_mailing_it_is_told_whether_they_were_meant_and_what_became_of_it() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    for (id, city, consent) in [("ada", "Riga", "granted"), ("bo", "Oslo", "granted"), ("dmitri", "Riga", "denied")] {
        let body = json!({ "email": format!("{id}@example.com"), "city": city, "consent": { "email": consent } });
        shop.put(&format!("/v1/customers/{id}"), body).await;
    }
    let at = shop.bundle.now() + jiff::SignedDuration::from_hours(1);
    let audience = json!({ "field": "customer.city", "is": "Riga" });
    shop.put("/v1/mailings/m", json!({ "name": "m", "template": "news", "at": at, "audience": audience })).await;
    let because = is_answered(&shop, "ada", "mailing=m", "not_begun", json!(false), "begins at").await;
    assert_eq!(because["worked_out"]["audience"]["holds"], true, "{because}");
    shop.advance("PT2H").await;
    shop.quiet().await;
    is_answered(&shop, "ada", "mailing=m", "sent", json!(true), "took it").await;
    let because = is_answered(&shop, "dmitri", "mailing=m", "not_sent", json!(false), "has not agreed").await;
    assert_eq!(because["reason"], "no_consent");
    // What was so then is not changed by what is so now, which is told apart.
    shop.patch("/v1/customers/bo", json!({ "city": "Riga" })).await;
    let because = is_answered(&shop, "bo", "mailing=m", "not_in_audience", json!(false), "were not in").await;
    assert_eq!(because["worked_out"]["audience"]["holds"], true, "{because}");
}

#[tokio::test]
async fn a_question_why_names_a_customer_and_one_thing_that_there_is() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    for (path, status) in [
        ("ada/why", 422),
        ("ada/why?campaign=confirm&mailing=m", 422),
        ("ada/why?campaign=a%20b", 422),
        ("ada/why?campaign=none", 404),
        ("ada/why?mailing=none", 404),
        ("nobody/why?campaign=confirm", 404),
    ] {
        let (got, body) = shop.ask("GET", &format!("/v1/customers/{path}"), Value::Null).await;
        assert_eq!(got, status, "{path}: {body}");
    }
    // Of whom the shop has told nothing but an order.
    shop.order("1", "stranger").await;
    shop.quiet().await;
    let because = is_answered(&shop, "stranger", "campaign=confirm", "not_sent", json!(false), "told nothing").await;
    assert_eq!(because["reason"], "customer_unknown");
    shop.ask("DELETE", "/v1/customers/ada", Value::Null).await;
    assert_eq!(shop.ask("GET", "/v1/customers/ada/why?campaign=confirm", Value::Null).await.0, 410);
}
