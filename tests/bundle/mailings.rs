//! Mass mailings.

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::support::Shop;

async fn customers(shop: &Shop, count: usize) {
    let put = |number: usize| async move {
        let city = if number.is_multiple_of(2) { "Riga" } else { "Oslo" };
        let consent = if number.is_multiple_of(10) { "denied" } else { "granted" };
        let body = json!({ "email": format!("c{number}@example.com"), "city": city, "consent": { "email": consent } });
        shop.put(&format!("/v1/customers/c{number}"), body).await;
    };
    futures::stream::iter((0..count).map(put)).buffer_unordered(8).collect::<Vec<()>>().await;
}

/// Lets time pass until the mailing says that it is sent.
pub(crate) async fn sent(shop: &Shop, id: &str) -> Value {
    for _ in 0..60 {
        let mailing = shop.get(&format!("/v1/mailings/{id}")).await;
        if mailing["progress"]["stage"] == "sent" {
            return mailing["progress"].clone();
        }
        shop.drain().await;
    }
    panic!("the mailing does not end: {}", shop.get(&format!("/v1/mailings/{id}")).await);
}

#[tokio::test]
async fn a_mailing_to_two_thousand_adds_up_through_kills() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    customers(&shop, 2_000).await;
    shop.quiet().await;
    for at_call in [4, 40, 400] {
        shop.fault(json!({ "kind": "kill", "function": "mass-messaging", "at_call": at_call, "when": "after" }));
    }
    shop.fault(
        json!({ "kind": "kill", "function": "sender", "at_call": 300, "operation": "SendEmail", "when": "after" }),
    );
    shop.fault(
        json!({ "kind": "kill", "function": "sender", "at_call": 600, "operation": "SendEmail", "when": "before" }),
    );
    shop.fault(json!({ "kind": "kill", "function": "fan-out", "at_call": 20, "when": "after" }));
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "news" })).await;
    let progress = sent(&shop, "news").await;

    let count = |name: &str| progress[name].as_u64().unwrap();
    assert_eq!(
        (count("audience"), count("under_way"), &progress["not_sent"]),
        (2_000, 0, &json!({ "no_consent": 200 }))
    );
    assert_eq!(count("sent") + count("unknown"), 1_800);
    assert!(count("unknown") <= 40, "only what a killed sender had claimed: {progress}");
    let mails = shop.mails_by_message();
    assert!(mails.values().all(|mails| *mails == 1));
    assert_eq!(mails.len() as u64, count("sent"), "what SES accepted is known as sent");
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_mailing_goes_at_its_time_to_its_audience_and_once() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    customers(&shop, 40).await;
    let at = shop.bundle.now() + jiff::SignedDuration::from_hours(3);
    let mailing = json!({
        "name": "News", "template": "news", "at": at, "audience": { "field": "customer.city", "is": "Riga" },
    });
    shop.put("/v1/mailings/news", mailing.clone()).await;
    shop.advance("PT2H50M").await;
    assert_eq!(shop.mails().len(), 0);
    shop.advance("PT20M").await;
    let progress = sent(&shop, "news").await;
    assert_eq!((&progress["audience"], &progress["sent"]), (&json!(20), &json!(16)));

    // The same definition again is no second mailing; another one is refused.
    shop.put("/v1/mailings/news", mailing.clone()).await;
    let mut changed = mailing;
    changed["name"] = json!("Other news");
    assert_eq!(shop.api.put("/v1/mailings/news", &changed).await.unwrap().status, 409);
    shop.advance("PT1H").await;
    assert_eq!(shop.mails().len(), 16);
    assert!(shop.mails().iter().all(|mail| mail.tags["mailing"] == "news"));
}

#[tokio::test]
async fn a_mailing_to_nobody_ends_too() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    let mailing = json!({ "name": "News", "template": "news", "audience": { "field": "customer.city", "is": "Ur" } });
    shop.put("/v1/mailings/news", mailing).await;
    assert_eq!(sent(&shop, "news").await["audience"], 0);
}
