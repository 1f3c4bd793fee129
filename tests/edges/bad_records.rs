//! What lies in a queue or a stream and should not be there: it ends in the
//! dead letters, and what is good beside it goes its way.

use std::collections::BTreeMap;

use local::ses::Find;
use serde_json::{Value, json};

use crate::support::{Shop, campaign, order, with};

/// Each queue, and messages in it that are of the right form but for one thing.
fn nearly_good() -> [(&'static str, Value); 5] {
    [
        ("evaluations", json!({ "customer_id": " c", "causes": [] })),
        ("deliveries", json!({ "message_id": "a b" })),
        ("bulk-deliveries", json!({ "message_id": 7 })),
        ("mailings", json!({ "mailing_id": "m", "checkpoint": -1 })),
        ("feedback", json!({ "detail": { "eventType": "Delivery", "mail": { "messageId": "x" } } })),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_message_ends_in_the_dead_letters_and_blocks_nobody() {
    let shop = Shop::open().await;
    shop.template("t").await;
    shop.put("/v1/campaigns/confirm", campaign("t")).await;
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    let bad = ["", "{", "null", "[]", "{}", "\u{0}", &deep];
    for (queue, nearly) in nearly_good() {
        for body in bad {
            shop.bundle.send(queue, body).await.unwrap();
        }
        shop.bundle.send(queue, nearly.to_string()).await.unwrap();
    }
    for n in 0..5 {
        let id = format!("c-{n}");
        shop.customer(&id).await;
        shop.put(&format!("/v1/orders/{n}"), order(&id)).await;
    }
    shop.put("/v1/mailings/m", json!({ "name": "m", "template": "t" })).await;
    shop.drain().await;

    let state = shop.bundle.state().await;
    let dead: BTreeMap<&str, u64> =
        state.queues.iter().map(|queue| (queue.name.as_str(), queue.dead_letters)).filter(|(_, n)| *n > 0).collect();
    let want = nearly_good().map(|(queue, _)| (queue, bad.len() as u64 + 1));
    assert_eq!(dead, BTreeMap::from(want));
    for queue in state.queues.iter().filter(|queue| queue.name != "stream-dead-letters") {
        assert_eq!((queue.depth, queue.in_flight, queue.delayed), (0, 0, 0), "{}", queue.name);
    }
    // Each customer has the order's mail and the mailing's, and SES told that they arrived.
    for n in 0..5 {
        let messages = shop.messages(&format!("c-{n}")).await;
        assert_eq!(messages.len(), 2, "{messages:?}");
        for message in messages {
            assert_eq!(message["state"], "SENT", "{message}");
            assert!(message["delivered_at"].is_string(), "{message}");
        }
    }
    assert_eq!(shop.bundle.ses().mails(&Find::default()).unwrap().len(), 10);
    let mailing = shop.api.get("/v1/mailings/m").await.unwrap().json();
    assert_eq!((&mailing["progress"]["stage"], &mailing["progress"]["sent"]), (&json!("sent"), &json!(5)));
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_row_is_given_up_on_and_the_rows_behind_it_in_its_stream_go_their_way() {
    let shop = Shop::open().await;
    shop.template("t").await;
    let steps = json!([{ "send": { "template": "t" } }, { "wait": "PT1H" }, { "send": { "template": "t" } }]);
    shop.put("/v1/campaigns/confirm", with(campaign("t"), json!({ "steps": steps }))).await;
    for n in 0..4 {
        let id = format!("c-{n}");
        shop.customer(&id).await;
        shop.put(&format!("/v1/orders/{n}"), order(&id)).await;
        match n {
            // Not what an order is.
            0 => {
                let key = json!({ "customer": { "S": "customer#x" }, "item": { "S": "order#x" } });
                shop.put_row("customers", with(key, json!({ "body": { "S": "{}" } }))).await;
            }
            // Not what a message is.
            1 => {
                let row = json!({ "message": { "S": "x" }, "state": { "S": "PENDING" }, "body": { "S": "{}" } });
                shop.put_row("messages", row).await;
            }
            // No time, and in the way of whoever looks for the timers beside it.
            2 => {
                shop.quiet().await;
                let mut row = shop.rows().await.remove("timers").unwrap()[0].take();
                let due = row["due"]["S"].as_str().unwrap().replace('#', "#0bad");
                row["due"]["S"] = Value::from(due);
                row["at"].take();
                shop.put_row("timers", with(row, json!({}))).await;
            }
            _ => {}
        }
    }
    shop.quiet().await;
    shop.bundle.advance("PT2H".parse().unwrap()).await.unwrap();
    shop.drain().await;

    let given_up: usize = shop
        .bundle
        .peek("stream-dead-letters")
        .await
        .unwrap()
        .iter()
        .map(|letter| {
            serde_json::from_str::<Value>(letter).unwrap()["DDBStreamBatchInfo"]["batchSize"].as_u64().unwrap() as usize
        })
        .sum();
    assert_eq!(given_up, 3);
    for n in 0..4 {
        let messages = shop.messages(&format!("c-{n}")).await;
        assert_eq!(messages.len(), 2, "c-{n}: {messages:?}");
        assert!(messages.iter().all(|message| message["state"] == "SENT"), "{messages:?}");
    }
    let state = shop.bundle.state().await;
    assert!(state.streams.iter().all(|stream| stream.pending == 0), "{:?}", state.streams);
    assert!(state.queues.iter().all(|queue| queue.dead_letters == 0), "{:?}", state.queues);
    shop.nothing_crashed().await;
}
