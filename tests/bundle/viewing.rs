//! The mail itself, as a page.

use std::time::Duration;

use contracts::link::{self, Link};
use domain::MessageId;
use jiff::SignedDuration;
use local::shop::{Client, Reply};
use serde_json::{Value, json};

use crate::consent::{path_in, post, told};
use crate::support::Shop;

const HTML: &str = "<body style=\"color:#333\"><p>Dear {{customer.first_name}}, order {{order.id}} at {{date now \"%Y-%m-%d %H\"}}</p>\
    <img src=\"https://shop.example/mug.png\" alt=\"\"><a href=\"{{links.view}}\">v</a></body>";

/// A shop whose order mail links to itself.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.put("/v1/templates/t", json!({ "subject": "s", "html": HTML, "language": "en" })).await;
    shop.campaign("c", json!({ "type": "order_created" }), json!([{ "send": { "template": "t" } }])).await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    shop
}

async fn look(shop: &Shop, path: &str) -> Reply {
    Client::new(shop.bundle.api_url(), "").get(path).await.unwrap()
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// The path of the page of the mail that was sent last, and the mail.
fn last(shop: &Shop) -> (String, String) {
    let html = shop.mails().pop().unwrap().html.unwrap().replace("\r\n", "\n").trim().to_owned();
    (path_in(&html, "v"), html)
}

async fn is_gone(shop: &Shop, path: &str) -> bool {
    let page = look(shop, path).await;
    page.status == 410 && text(&page).contains("can no longer be shown")
}

/// The path of the page of any message.
async fn page_of(shop: &Shop, message: &Value) -> String {
    let tables = &shop.bundle.description().tables;
    let table = &tables.iter().find(|table| table.name == "definitions").unwrap().table_name;
    let key = json!({ "kind": { "S": "secret" }, "id": { "S": "links" } });
    let row = shop.bundle.dynamodb("GetItem", json!({ "TableName": table, "Key": key })).await.unwrap();
    let id = MessageId::parse(message["id"].as_str().unwrap()).unwrap();
    format!("/v/{}", link::token(row["Item"]["secret"]["S"].as_str().unwrap(), Link::View, &id))
}

#[tokio::test]
async fn a_mail_is_shown_as_it_was_sent_and_looking_at_it_changes_nothing() {
    let shop = shop().await;
    let (path, mail) = last(&shop);
    shop.advance("PT3H").await;
    shop.put("/v1/templates/t", json!({ "subject": "s", "html": "<p>new</p>" })).await;
    let before = told(&shop).await;
    for _ in 0..2 {
        let page = look(&shop, &path).await;
        assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
        assert_eq!(text(&page).trim(), mail, "with the time at which it was sent");
        assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
        assert_eq!((page.header("x-robots-tag"), page.header("content-language")), ("noindex, nofollow", "en"));
        let policy = page.header("content-security-policy");
        let rules =
            ["default-src 'none'", "img-src https:", "style-src 'unsafe-inline'", "form-action 'none'", "sandbox"];
        assert!(rules.iter().all(|rule| policy.contains(rule)), "{policy}");
        assert!(!policy.contains("script-src") && !policy.contains("allow-scripts"), "{policy}");
    }
    assert_eq!(told(&shop).await, before);

    // What is signed for one purpose is good for no other.
    let (_, token) = path.rsplit_once('/').unwrap();
    for other in ["u", "p", "c"] {
        assert_eq!(look(&shop, &format!("/{other}/{token}")).await.status, 404);
        assert_eq!(post(&shop, &format!("/{other}/{token}"), "").await.status, 404);
    }
    let leave = shop.mails().pop().unwrap().headers.into_iter().find(|(name, _)| name == "List-Unsubscribe").unwrap().1;
    let (_, leave) = leave.trim_matches(['<', '>']).split_once("/u/").unwrap();
    for wrong in [leave, "nonsense", &token[..token.len() - 1]] {
        assert_eq!(look(&shop, &format!("/v/{wrong}")).await.status, 404);
    }
}

#[tokio::test]
async fn what_changed_shows_as_it_is_now_and_what_is_gone_is_not_shown() {
    let shop = shop().await;
    let (path, _) = last(&shop);
    shop.patch("/v1/customers/ada", json!({ "first_name": "Augusta" })).await;
    assert!(text(&look(&shop, &path).await).contains("Dear Augusta, order 1"));
    // Whoever they are by then.
    shop.put("/v1/customers/ada-2", json!({ "first_name": "Ada" })).await;
    shop.tell("/v1/customers/ada-2/merge", json!({ "from": "ada" })).await;
    shop.quiet().await;
    assert_eq!(look(&shop, &path).await.status, 200);
    // What its template needs.
    let name = shop.get("/v1/customers/ada-2").await["first_name"].clone();
    shop.patch("/v1/customers/ada-2", json!({ "first_name": null })).await;
    assert!(is_gone(&shop, &path).await);
    shop.patch("/v1/customers/ada-2", json!({ "first_name": name })).await;
    assert_eq!(look(&shop, &path).await.status, 200);
    assert!(shop.ask("DELETE", "/v1/orders/1", Value::Null).await.0 < 300);
    assert!(is_gone(&shop, &path).await);

    shop.customer("bob").await;
    shop.order("2", "bob").await;
    shop.quiet().await;
    let (path, _) = last(&shop);
    assert_eq!(look(&shop, &path).await.status, 200);
    assert_eq!(shop.ask("DELETE", "/v1/customers/bob", Value::Null).await.0, 202);
    for _ in 0..2 {
        assert!(is_gone(&shop, &path).await);
        shop.quiet().await;
    }
}

#[tokio::test]
async fn a_mail_is_shown_for_60_days() {
    let shop = shop().await;
    let (path, _) = last(&shop);
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let day = Duration::from_secs(24 * 60 * 60);
    shop.bundle.advance_in_steps(days(59), day).await.unwrap();
    assert_eq!(look(&shop, &path).await.status, 200);
    shop.bundle.advance_in_steps(days(2), day).await.unwrap();
    assert!(is_gone(&shop, &path).await);
}

#[tokio::test]
async fn only_what_was_sent_is_shown() {
    let shop = shop().await;
    shop.put("/v1/customers/nowhere", json!({ "first_name": "N" })).await;
    shop.order("2", "nowhere").await;
    shop.quiet().await;
    let (sent, not_sent) = (shop.messages("ada").await.remove(0), shop.messages("nowhere").await.remove(0));
    assert_eq!(not_sent["reason"], "no_address");
    assert_eq!(look(&shop, &page_of(&shop, &sent).await).await.status, 200);
    assert!(is_gone(&shop, &page_of(&shop, &not_sent).await).await);

    let shown = shop.tell("/v1/templates/t/preview", json!({ "customer_id": "ada", "order_id": "1" })).await;
    assert!(is_gone(&shop, &path_in(shown["html"].as_str().unwrap(), "v")).await, "a preview is no mail");
    shop.tell("/v1/templates/t/test", json!({ "to": "me@example.com", "customer_id": "ada", "order_id": "1" })).await;
    shop.quiet().await;
    let page = look(&shop, &last(&shop).0).await;
    assert!(page.status == 200 && text(&page).contains("came with a test e-mail"));
}

#[tokio::test]
async fn the_page_of_a_mail_confirms_nothing() {
    let shop = Shop::open().await;
    let html = "<a href=\"{{links.confirm}}\">c</a> <a href=\"{{links.view}}\">v</a>";
    shop.put("/v1/templates/confirm", json!({ "subject": "s", "html": html })).await;
    let steps = json!([{ "send": { "template": "confirm" } }]);
    shop.campaign("asked", json!({ "type": "consent_requested" }), steps).await;
    shop.put("/v1/customers/ada", json!({ "email": "ada@example.com", "consent": { "email": "requested" } })).await;
    shop.quiet().await;
    let (path, _) = last(&shop);
    // Or whoever has the old mail would hold a link for the new address.
    shop.patch("/v1/customers/ada", json!({ "email": "new@example.com" })).await;
    let page = look(&shop, &path).await;
    assert!(page.status == 410 && !text(&page).contains("/c/"));
}
