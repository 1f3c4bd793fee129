//! What of somebody who is erased lies among the dead letters.

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::Shop;

/// The dead-letter queues whose letters are about customers.
const QUEUES: [&str; 5] = [
    "EvaluationsDeadLetters",
    "DeliveriesDeadLetters",
    "BulkDeliveriesDeadLetters",
    "FeedbackDeadLetters",
    "ProductChangesDeadLetters",
];

/// A shop with two customers to whom a mail was sent each, shortly after the hour: the
/// dead letters are looked through on the hour too.
async fn ada_and_bob() -> Shop {
    let shop = Shop::with_plain_template().await;
    let past = shop.bundle.now().as_second() % 3600;
    shop.bundle.advance(SignedDuration::from_secs(3600 - past + 60)).await.unwrap();
    shop.confirm_orders().await;
    for id in ["lovelace", "lovelace-old", "bob"] {
        shop.customer(id).await;
        shop.order(&format!("of-{id}"), id).await;
    }
    shop.quiet().await;
    shop.tell("/v1/customers/lovelace/merge", json!({ "from": "lovelace-old" })).await;
    shop.quiet().await;
    assert_eq!((shop.outcomes("lovelace").await.len(), shop.outcomes("bob").await.len()), (2, 1));
    shop
}

fn evaluation(customer: &str) -> Value {
    let change = json!({ "type": "order_created", "order_id": "of-bob" });
    json!({ "customer_id": customer, "causes": [{ "cause": "changed", "change": change, "at": Timestamp::UNIX_EPOCH }] })
}

fn delivery(customer: &str) -> Value {
    let origin = json!({ "type": "mailing", "mailing_id": "spring", "version": 1 });
    let message = json!({
        "id": format!("letter-of-{customer}"), "customer_id": customer, "origin": origin, "purpose": "marketing",
        "template_id": "plain", "template_version": 1, "created_at": Timestamp::UNIX_EPOCH,
    });
    json!({ "message": message })
}

/// Work on a product that was to go on behind a customer.
fn page(customer: &str) -> Value {
    let change =
        json!({ "type": "product_changed", "product_id": "mug", "what": "back_in_stock", "at": Timestamp::UNIX_EPOCH });
    let happened = json!({ "change": change, "at": Timestamp::UNIX_EPOCH });
    json!({ "work": "page", "happened": happened, "concerned": "viewed", "after": customer, "customer_id": customer })
}

/// An event about this message, without what feedback cannot do without.
fn feedback(message: &str, to: &str) -> Value {
    let mail = json!({ "destination": [to], "tags": { "message_id": [message], "campaign": ["confirm"] } });
    json!({ "source": "aws.ses", "detail": { "eventType": "Bounce", "mail": mail } })
}

/// A letter of each kind about a customer.
async fn write_letters(shop: &Shop, customer: &str, message: &str) {
    let send = async |queue: &str, letter: String| shop.bundle.send(queue, letter).await.unwrap();
    send(QUEUES[0], evaluation(customer).to_string()).await;
    send(QUEUES[0], json!({ "customer_id": customer, "causes": 7 }).to_string()).await;
    send(QUEUES[0], format!(r#"{{"customer_id":"{customer}","causes":["#)).await;
    send(QUEUES[1], delivery(customer).to_string()).await;
    send(QUEUES[2], delivery(customer).to_string()).await;
    send(QUEUES[3], feedback(message, &format!("{customer}@example.com")).to_string()).await;
    send(QUEUES[4], page(customer).to_string()).await;
}

/// How many letters lie in each dead-letter queue, and those that name her.
async fn letters(shop: &Shop) -> ([usize; 5], Vec<String>) {
    let (mut counts, mut hers) = ([0; 5], Vec::new());
    for (queue, count) in QUEUES.iter().zip(&mut counts) {
        let letters = shop.bundle.peek(queue).await.unwrap();
        *count = letters.len();
        hers.extend(letters.into_iter().filter(|letter| letter.contains("lovelace")));
    }
    (counts, hers)
}

/// How many letters whoever puts them back to work is given.
async fn received(shop: &Shop, queue: &str) -> usize {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(shop.bundle.endpoint_url())
        .credentials_provider(Credentials::new("operator", "operator", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let sqs = aws_sdk_sqs::Client::from_conf(config);
    let queues = &shop.bundle.description().queues;
    let url = &queues.iter().find(|known| known.logical_id == queue).unwrap().url;
    let mut count = 0;
    loop {
        let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(600);
        match receive.send().await.unwrap().messages().len() {
            0 => return count,
            some => count += some,
        }
    }
}

async fn erase(shop: &Shop) {
    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
}

async fn message_of(shop: &Shop, customer: &str) -> String {
    shop.messages(customer).await[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_dead_letter_is_about_somebody_erased_and_those_about_others_wait_on() {
    let shop = ada_and_bob().await;
    let (hers, his) = (message_of(&shop, "lovelace").await, message_of(&shop, "bob").await);
    for _ in 0..8 {
        write_letters(&shop, "bob", &his).await;
    }
    write_letters(&shop, "lovelace", &hers).await;
    write_letters(&shop, "lovelace-old", &hers).await;
    // Of a mail that nothing is known of, to an address that is hers, and bounced before.
    let at = shop.bundle.now();
    let bounce = json!({
        "bounceType": "Permanent", "bouncedRecipients": [{ "emailAddress": "lovelace-old@example.com" }], "timestamp": at,
    });
    let mail = json!({ "messageId": "of-ses", "timestamp": at });
    let bounced = json!({ "detail": { "eventType": "Bounce", "mail": mail, "bounce": bounce } });
    shop.bundle.send("FeedbackQueue", bounced.to_string()).await.unwrap();
    shop.quiet().await;
    assert!(shop.all_rows().await.iter().any(|row| row.contains(r#""reason":{"S":"bounce"}"#)));
    shop.bundle.send(QUEUES[3], feedback("unknown", "Lovelace <lovelace-old@example.com>").to_string()).await.unwrap();
    shop.bundle.send(QUEUES[3], feedback("unknown", "bob@example.com").to_string()).await.unwrap();
    assert_eq!(letters(&shop).await.0, [30, 10, 10, 12, 10]);

    erase(&shop).await;
    shop.quiet().await;
    assert_eq!(letters(&shop).await, ([24, 8, 8, 9, 8], vec![]));
    for (queue, count) in QUEUES.iter().zip([24, 8, 8, 9, 8]) {
        assert_eq!(received(&shop, queue).await, count, "{queue}");
    }
}

#[tokio::test]
async fn whoever_dies_over_the_dead_letters_leaves_none_behind() {
    for (operation, when) in
        [("ReceiveMessage", "before"), ("ReceiveMessage", "after"), ("DeleteMessageBatch", "before")]
    {
        let shop = ada_and_bob().await;
        let message = message_of(&shop, "lovelace").await;
        write_letters(&shop, "lovelace", &message).await;
        write_letters(&shop, "bob", &message_of(&shop, "bob").await).await;
        let kill =
            json!({ "kind": "kill", "function": "evaluate", "at_call": 1, "operation": operation, "when": when });
        shop.fault(kill);
        erase(&shop).await;
        shop.drain().await;
        assert!(shop.bundle.faults().is_empty());
        assert_eq!(letters(&shop).await, ([3, 1, 1, 1, 1], vec![]), "{operation} {when}");
        assert!(shop.bundle.now().as_second() % 3600 < 1800, "it was not the hour that did it");
    }
}

#[tokio::test]
async fn a_letter_that_comes_after_its_customer_was_erased_goes_within_the_hour() {
    let shop = ada_and_bob().await;
    let (hers, his) = (message_of(&shop, "lovelace").await, message_of(&shop, "bob").await);
    erase(&shop).await;
    shop.quiet().await;
    write_letters(&shop, "lovelace", &hers).await;
    write_letters(&shop, "lovelace-old", &hers).await;
    write_letters(&shop, "bob", &his).await;
    shop.advance("PT1H").await;
    shop.quiet().await;
    assert_eq!(letters(&shop).await, ([3, 1, 1, 1, 1], vec![]));
}

#[tokio::test]
async fn an_erasing_that_is_itself_a_dead_letter_is_done_within_the_hour() {
    let shop = ada_and_bob().await;
    let kill = json!({ "kind": "kill", "function": "evaluate", "at_call": 1, "operation": "DeleteItem", "when": "before", "next": 5 });
    shop.fault(kill);
    erase(&shop).await;
    shop.drain().await;
    let (counts, hers) = letters(&shop).await;
    assert_eq!((counts[0], hers.len()), (1, 1));
    let names_her = async || shop.all_rows().await.iter().filter(|row| row.contains("lovelace")).count();
    assert!(names_her().await > 0);
    shop.advance("PT1H").await;
    shop.drain().await;
    assert_eq!((letters(&shop).await, names_her().await), (([0; 5], vec![]), 0));
}
