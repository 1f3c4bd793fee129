//! Templates tried out: a mail to whoever wants to see it, which is nothing to the customer.

use local::ses::Kind;
use local::shop::Client;
use serde_json::{Value, json};

use crate::consent::{path_in, post, state};
use crate::support::Shop;

const TEST: &str = "/v1/templates/t/test";

/// A shop with a template `t`, about an order or about nothing, and a customer with an order.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    let html = "<p>{{default customer.first_name \"you\"}}</p><a href=\"{{links.unsubscribe}}\">u</a> \
                <a href=\"{{links.preferences}}\">p</a> <a href=\"https://shop.example/\">s</a>";
    let template = json!({ "subject": "{{#if order}}Order {{order.id}}{{else}}News{{/if}}", "html": html });
    shop.put("/v1/templates/t", template).await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    shop
}

/// Asks for a test, and gives the ids of its messages.
async fn test(shop: &Shop, asked: Value) -> Vec<String> {
    let (status, answer) = shop.ask("POST", TEST, asked).await;
    assert_eq!(status, 202, "{answer}");
    shop.quiet().await;
    answer["messages"].as_array().unwrap().iter().map(|sent| sent["id"].as_str().unwrap().to_owned()).collect()
}

/// To whom each mail went, and its subject.
fn went(shop: &Shop) -> Vec<(String, String)> {
    let mut went: Vec<_> = shop.mails().into_iter().map(|mail| (mail.to.join(" "), mail.subject)).collect();
    went.sort();
    went
}

fn pair(to: &str, subject: &str) -> (String, String) {
    (to.to_owned(), subject.to_owned())
}

#[tokio::test]
async fn who_had_a_test_sent_is_known_and_not_where_it_went() {
    let shop = shop().await;
    test(&shop, json!({ "to": ["me@example.com", "you@example.com"], "customer_id": "ada" })).await;
    let change = shop.get("/v1/audit?limit=1").await["items"][0].take();
    assert_eq!((&change["kind"], &change["code"], &change["version"]), (&json!("template"), &json!("t"), &json!(1)));
    assert_eq!((&change["did"], &change["count"]), (&json!("test_sent"), &json!(2)), "{change}");
    assert!(change["by"].is_string() && !change.to_string().contains("example"), "{change}");
    assert_eq!(shop.get(&format!("/v1/audit/{}", change["id"].as_str().unwrap())).await, change);
    // What is refused was never to be sent.
    shop.advance("PT1S").await;
    let (status, _) = shop.ask("POST", TEST, json!({ "to": "me@example.com", "campaign_id": "none" })).await;
    assert_eq!(status, 422);
    assert_eq!(shop.get("/v1/audit?limit=1").await["items"][0], change);
}

#[tokio::test]
async fn a_test_goes_to_who_asks_for_it_and_is_no_message_of_the_customers() {
    let shop = shop().await;
    shop.put("/v1/settings", json!({ "caps": [{ "most": 1, "per": "P7D" }] })).await;
    let segment = json!({ "name": "Written to", "condition": { "count": "messages" } });
    shop.put("/v1/segments/written-to", segment).await;
    shop.advance("PT1M").await;
    let to = json!(["me@example.com", "you@example.com"]);
    let ids = test(&shop, json!({ "to": to, "customer_id": "ada", "order_id": "1" })).await;
    assert_eq!(
        went(&shop),
        [pair("me@example.com", "[Test] Order 1"), pair("you@example.com", "[Test] Order 1")],
        "{:?}",
        shop.get("/v1/messages?test=true").await
    );
    assert!(shop.mails()[0].html.as_ref().unwrap().contains("<p>ada</p>"));

    let listed = shop.all_of("/v1/messages?test=true", 1).await;
    assert!(listed.iter().all(|test| test["test"] == true && test["state"] == "SENT" && test["template"] == "t"));
    assert!(listed.len() == 2 && listed.iter().all(|test| ids.contains(&test["id"].as_str().unwrap().to_owned())));
    let story = shop.get(&format!("/v1/messages/{}", ids[0])).await;
    assert!(story["story"][0]["in_words"].as_str().unwrap().contains("template t version 1"), "{story}");

    // What is done with it is noted with it alone.
    for mail in shop.mails() {
        for kind in [Kind::Open, Kind::Click] {
            shop.bundle.ses().inject(mail.n, kind, 1).unwrap();
        }
    }
    shop.advance("PT1M").await;
    shop.quiet().await;
    assert!(shop.get(&format!("/v1/messages/{}", ids[0])).await["clicked_at"].is_string());
    assert_eq!(shop.messages("ada").await, Vec::<Value>::new());
    let ada = shop.get("/v1/customers/ada").await;
    assert_eq!((&ada["messages"]["newest"], &ada["events"]["newest"]), (&json!([]), &json!([])));
    assert_eq!(shop.get("/v1/segments/written-to/customers").await["items"], json!([]));

    // It takes nobody's place: the one mail that ada may have is still to come.
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "t" })).await;
    shop.advance("PT2M").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["SENT"]);
    shop.advance("PT1M").await;
    shop.quiet().await;
    assert_eq!(shop.get("/v1/segments/written-to/customers").await["items"][0]["id"], "ada");
}

#[tokio::test]
async fn where_a_test_went_and_what_with_is_forgotten_as_it_is_sent() {
    let shop = shop().await;
    let data = json!({ "order": { "id": "of-nobody-else" } });
    test(&shop, json!({ "to": "me@example.com", "customer_id": "ada", "data": data })).await;
    shop.ask("PUT", "/v1/suppressions/stopped@example.com", Value::Null).await;
    test(&shop, json!({ "to": "stopped@example.com", "customer_id": "ada", "data": data })).await;
    assert_eq!(went(&shop), [pair("me@example.com", "[Test] Order of-nobody-else")]);
    let rows = shop.all_rows().await;
    let tests: Vec<&String> = rows.iter().filter(|row| row.starts_with("messages")).collect();
    assert_eq!(tests.len(), 2);
    for forgotten in ["me@example.com", "stopped@example.com", "of-nobody-else"] {
        assert!(rows.iter().all(|row| !row.contains(forgotten)), "{forgotten}: {rows:?}");
    }
    let names_her = |row: &str| row.contains("\"ada\"") || row.contains("\\\"ada\\\"");
    assert!(tests.iter().all(|row| !names_her(row)), "{tests:?}");

    // And of one that waits while sending is stopped, with its customer.
    shop.fault(json!({ "kind": "throttle", "service": "dynamodb", "function": "sender", "next": 1000 }));
    let (status, _) = shop.ask("POST", TEST, json!({ "to": "late@example.com", "customer_id": "ada" })).await;
    assert_eq!(status, 202);
    let (status, _) = shop.ask("DELETE", "/v1/customers/ada", Value::Null).await;
    assert_eq!(status, 202);
    shop.drain().await;
    assert_eq!(went(&shop).len(), 1);
    let rows = shop.all_rows().await;
    assert!(rows.iter().all(|row| !row.contains("late@example.com")), "{rows:?}");
}

#[tokio::test]
async fn the_links_of_a_test_say_that_it_was_one_and_change_nothing() {
    let shop = shop().await;
    test(&shop, json!({ "to": "me@example.com", "customer_id": "ada" })).await;
    let mail = shop.mails().remove(0);
    let before = shop.get("/v1/customers/ada").await;
    let anybody = Client::new(shop.bundle.api_url(), "");
    for kind in ["u", "p"] {
        let path = path_in(mail.html.as_ref().unwrap(), kind);
        let look = anybody.get(&path).await.unwrap();
        let mut pages = vec![look];
        for body in ["List-Unsubscribe=One-Click", "do=nothing"] {
            pages.push(post(&shop, &path, body).await);
        }
        for page in pages {
            assert_eq!(page.status, 200);
            assert!(String::from_utf8_lossy(&page.body).contains("came with a test e-mail"), "{path}");
        }
    }
    let header = mail.headers.iter().find(|(name, _)| name == "List-Unsubscribe").unwrap();
    // It was in nobody's hands who could say who they are by it.
    let (_, token) = header.1.trim_matches(['<', '>']).split_once("/u/").unwrap();
    let (status, problem) = shop.ask("PUT", "/v1/visitors/v", json!({ "link": token })).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/link")));
    assert_eq!(state(&shop, "ada", "email").await, "granted");
    assert_eq!(shop.get("/v1/customers/ada").await, before);
}

#[tokio::test]
async fn a_test_may_be_of_nobody_and_of_whoever_agreed_to_nothing() {
    let shop = shop().await;
    // Nobody is looked up where no one is named.
    for id in ["nobody", "erased"] {
        shop.customer(id).await;
    }
    test(&shop, json!({ "to": "a@example.com" })).await;
    let data = json!({ "customer": { "first_name": "Eve" }, "order": { "id": "9" } });
    test(&shop, json!({ "to": "b@example.com", "data": data })).await;
    shop.put("/v1/customers/silent", json!({ "first_name": "silent" })).await;
    test(&shop, json!({ "to": "c@example.com", "customer_id": "silent" })).await;
    let expected = [("a", "News"), ("b", "Order 9"), ("c", "News")];
    let expected = expected.map(|(to, about)| pair(&format!("{to}@example.com"), &format!("[Test] {about}")));
    assert_eq!(went(&shop), expected);
    let bodies: Vec<String> = shop.mails().into_iter().map(|mail| mail.html.unwrap()).collect();
    for (body, name) in bodies.iter().zip(["you", "Eve", "silent"]) {
        assert!(body.starts_with(&format!("<p>{name}</p>")), "{body}");
    }
}

#[tokio::test]
async fn a_test_that_is_not_sent_has_its_reason() {
    let shop = shop().await;
    shop.template("needy", "{{customer.city}}").await;
    shop.template("choosy", "{{#if customer}}{{block \"for nobody\"}}{{/if}}").await;
    shop.ask("PUT", "/v1/suppressions/stopped@example.com", Value::Null).await;
    for (template, to, about, reason) in [
        ("t", "stopped@example.com", json!({ "customer_id": "ada" }), "suppressed"),
        ("t", "me@example.com", json!({ "customer_id": "stranger" }), "customer_unknown"),
        ("t", "me@example.com", json!({ "customer_id": "ada", "order_id": "gone" }), "subject_gone"),
        ("needy", "me@example.com", json!({ "customer_id": "ada" }), "missing_variable"),
        ("choosy", "me@example.com", json!({ "customer_id": "ada" }), "blocked_by_template"),
    ] {
        let mut asked = about;
        asked["to"] = json!(to);
        let (status, answer) = shop.ask("POST", &format!("/v1/templates/{template}/test"), asked).await;
        assert_eq!(status, 202, "{answer}");
        shop.quiet().await;
        let message = shop.get(&format!("/v1/messages/{}", answer["messages"][0]["id"].as_str().unwrap())).await;
        assert_eq!((&message["state"], &message["reason"]), (&json!("NOT_SENT"), &json!(reason)), "{message}");
    }
    assert_eq!(went(&shop), []);
    for (path, asked, status, pointer) in [
        (TEST, json!({ "customer_id": "ada" }), 422, "/to"),
        (TEST, json!({ "to": "nobody" }), 422, "/to"),
        (TEST, json!({ "to": "a@example.com", "order_id": "1" }), 422, "/customer_id"),
        (TEST, json!({ "to": "a@example.com", "version": 9 }), 404, "-"),
        ("/v1/templates/none/test", json!({ "to": "a@example.com" }), 404, "-"),
        (TEST, json!({ "to": "a@example.com", "customer_id": "ada", "event_id": "none" }), 404, "-"),
    ] {
        let (answered, problem) = shop.ask("POST", path, asked.clone()).await;
        let at = problem["errors"][0]["pointer"].as_str().unwrap_or("-");
        assert_eq!((answered, at), (status, pointer), "{path} {asked}");
    }
}

#[tokio::test]
async fn a_test_is_sent_once_whoever_dies_over_it_and_however_often_it_is_asked_for_under_one_key() {
    let shop = shop().await;
    shop.advance("PT1M").await;
    // What is put down is the request, and then a message for each address.
    for at_call in 1..=3 {
        let (one, two) = (format!("{at_call}-a@example.com"), format!("{at_call}-b@example.com"));
        let body = json!({ "to": [one, two], "customer_id": "ada", "order_id": "1" }).to_string();
        let key = format!("key-{at_call}");
        let ask = async || {
            let headers = [("content-type", "application/json"), ("idempotency-key", key.as_str())];
            shop.api.send_with("POST", TEST, &headers, body.clone().into()).await.unwrap()
        };
        shop.fault(json!({
            "kind": "kill", "function": "manage", "operation": "PutItem", "at_call": at_call, "when": "after",
        }));
        assert!(ask().await.status >= 500, "{at_call}");
        assert!(shop.bundle.faults().is_empty());
        assert_eq!(ask().await.status, 409, "it may be under way still");
        shop.advance("PT1M").await;
        let answer = ask().await;
        assert_eq!(answer.status, 202);
        assert_eq!(ask().await.body, answer.body);
        shop.quiet().await;
        let is_meant = |to: &String| *to == one || *to == two;
        let went: Vec<String> = went(&shop).into_iter().map(|(to, _)| to).filter(is_meant).collect();
        assert_eq!(went, [one, two]);
    }
}

#[tokio::test]
async fn a_key_that_is_used_again_after_its_day_sends_another_test() {
    let shop = shop().await;
    let mut ids = Vec::new();
    for day in 1..=3 {
        for _ in 0..2 {
            let headers = [("content-type", "application/json"), ("idempotency-key", "again")];
            let body = json!({ "to": "me@example.com" }).to_string();
            let answer = shop.api.send_with("POST", TEST, &headers, body.into()).await.unwrap();
            assert_eq!(answer.status, 202);
            ids.push(answer.json()["messages"][0]["id"].as_str().unwrap().to_owned());
            shop.quiet().await;
            assert_eq!(shop.mails().len(), day);
        }
        shop.advance("PT24H1M").await;
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_test_goes_out_once_wherever_its_sender_dies_and_however_often_ses_puts_it_off() {
    let kill = |operation: &str, when: &str| json!({ "kind": "kill", "function": "sender", "operation": operation, "at_call": 1, "when": when });
    for (fault, state, mails) in [
        // What its row forgets is on the queue.
        (kill("UpdateItem", "after"), "SENT", 1),
        (kill("SendEmail", "after"), "SENT", 1),
        (kill("SendEmail", "before"), "UNKNOWN", 0),
        (json!({ "kind": "throttle", "service": "ses", "operation": "SendEmail", "next": 2 }), "SENT", 1),
    ] {
        let shop = shop().await;
        shop.fault(fault.clone());
        let (status, answer) = shop.ask("POST", TEST, json!({ "to": "me@example.com", "customer_id": "ada" })).await;
        assert_eq!(status, 202, "{answer}");
        shop.drain().await;
        assert!(shop.bundle.faults().is_empty(), "{fault}");
        let expected = vec![pair("me@example.com", "[Test] News"); mails];
        let told = shop.get(&format!("/v1/messages/{}", answer["messages"][0]["id"].as_str().unwrap())).await;
        assert_eq!((went(&shop), &told["state"]), (expected, &json!(state)), "{fault}: {told}");
        let rows = shop.all_rows().await;
        assert!(rows.iter().all(|row| !row.contains("me@example.com")), "{fault}: {rows:?}");
    }
}
