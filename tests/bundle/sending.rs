//! At most one SES call for a message, whatever dies.

use local::ses::Kind;
use serde_json::json;

use crate::support::Shop;

#[tokio::test]
async fn a_sender_killed_at_any_call_never_sends_twice_and_says_what_is_unresolved() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 3 }));
    let mut customers = Vec::new();
    for at_call in 1..=9 {
        for when in ["before", "after"] {
            let customer = format!("c{at_call}{when}");
            shop.customer(&customer).await;
            shop.fault(json!({ "kind": "kill", "function": "sender", "at_call": at_call, "when": when }));
            shop.order(&customer, &customer).await;
            shop.drain().await;
            customers.push(customer);
        }
    }
    shop.drain().await;
    assert!(shop.mails_by_message().values().all(|mails| *mails == 1));
    for customer in &customers {
        let outcomes = shop.outcomes(customer).await;
        let sent = shop.mails().iter().filter(|mail| mail.to == [format!("{customer}@example.com")]).count();
        match outcomes.as_slice() {
            [state] if state == "SENT" => assert_eq!(sent, 1, "{customer}"),
            [state] if state == "UNKNOWN" => {
                assert_eq!(sent, 0, "{customer}: what SES accepted is known from its events");
            }
            other => panic!("{customer}: {other:?}"),
        }
    }
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_sender_killed_between_the_claim_and_the_call_leaves_an_unknown_message() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    let kill =
        json!({ "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before" });
    shop.fault(kill);
    shop.order("1", "ada").await;
    shop.drain().await;
    shop.advance("PT2H").await;
    assert_eq!((shop.mails().len(), shop.outcomes("ada").await), (0, vec!["UNKNOWN".to_owned()]));
}

#[tokio::test]
async fn an_answer_of_sess_that_is_lost_is_made_good_by_its_events() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.fault(json!({ "kind": "lose_answer", "service": "ses", "next": 1 }));
    shop.order("1", "ada").await;
    shop.drain().await;
    assert_eq!((shop.subjects(), shop.outcomes("ada").await), (vec!["order 1".to_owned()], vec!["SENT".to_owned()]));
}

#[tokio::test]
async fn a_throttled_message_is_sent_later_and_once() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.fault(json!({ "kind": "throttle", "service": "ses", "next": 9 }));
    shop.order("1", "ada").await;
    shop.drain().await;
    assert_eq!((shop.subjects(), shop.outcomes("ada").await), (vec!["order 1".to_owned()], vec!["SENT".to_owned()]));
}

#[tokio::test]
async fn a_template_that_lacks_a_value_sends_nothing_and_says_which() {
    let shop = Shop::open().await;
    shop.template("needy", "For {{customer.city}}").await;
    shop.campaign("needy", json!({ "type": "order_created" }), json!([{ "send": { "template": "needy" } }])).await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let message = &shop.messages("ada").await[0];
    assert_eq!((&message["state"], &message["reason"]), (&json!("NOT_SENT"), &json!("missing_variable")));
    assert!(message["detail"].as_str().unwrap().contains("customer.city"), "{message}");
    assert_eq!(shop.mails().len(), 0);
}

#[tokio::test]
async fn feedback_that_repeats_and_comes_out_of_order_changes_nothing_twice() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let mail = shop.mails()[0].n;
    for kind in [Kind::Click, Kind::Open] {
        shop.bundle.ses().inject(mail, kind, 1).unwrap();
    }
    shop.quiet().await;
    let first = shop.messages("ada").await;
    assert!(first[0]["opened_at"].is_string() && first[0]["clicked_at"].is_string(), "{}", first[0]);
    shop.advance("PT1H").await;
    for kind in [Kind::Open, Kind::Delivery, Kind::Click] {
        shop.bundle.ses().inject(mail, kind, 3).unwrap();
    }
    shop.quiet().await;
    assert_eq!(shop.messages("ada").await, first);
}

#[tokio::test]
async fn an_event_that_cannot_be_read_takes_no_complaint_along() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop.order("o-1", "ada").await;
    shop.quiet().await;
    let message = shop.messages("ada").await[0]["id"].clone();
    let mail = json!({
        "messageId": "ses-1", "timestamp": shop.bundle.now(), "tags": { "message_id": [message] },
    });
    let complaint = json!({
        "complainedRecipients": [{ "emailAddress": "ada@example.com" }], "timestamp": shop.bundle.now(),
    });
    // Both within the second for which they are gathered; the first says nothing of its click.
    for detail in [
        json!({ "eventType": "Click", "mail": mail }),
        json!({ "eventType": "Complaint", "mail": mail, "complaint": complaint }),
    ] {
        shop.bundle.send("FeedbackQueue", json!({ "detail": detail }).to_string()).await.unwrap();
    }
    shop.drain().await;
    shop.order("o-2", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT suppressed", "SENT"]);
    assert_eq!(
        shop.dead_letters().await,
        2,
        "neither was settled: both come again, and the complaint harms nobody twice"
    );
}

#[tokio::test]
async fn an_address_that_bounced_or_complained_is_not_written_to_again() {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    for (customer, kind) in [("bounced", Kind::Bounce), ("complained", Kind::Complaint), ("full", Kind::SoftBounce)] {
        shop.customer(customer).await;
        shop.order(&format!("{customer}-1"), customer).await;
        shop.quiet().await;
        shop.bundle.ses().inject(shop.mails().last().unwrap().n, kind, 2).unwrap();
        shop.quiet().await;
        shop.order(&format!("{customer}-2"), customer).await;
        shop.quiet().await;
    }
    assert_eq!(shop.outcomes("bounced").await, ["NOT_SENT suppressed", "SENT"]);
    assert_eq!(shop.outcomes("complained").await, ["NOT_SENT suppressed", "SENT"]);
    assert_eq!(shop.outcomes("full").await, ["SENT", "SENT"]);
}
