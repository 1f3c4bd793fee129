//! How fast mail leaves, and that it waits, whole, while SES takes none.

use std::time::Duration;

use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::mailings::sent;
use crate::support::{Shop, options};

/// A look at what goes on, and a moment until the next.
const MOMENT: Duration = Duration::from_millis(100);

async fn customers(shop: &Shop, count: usize) {
    let put = |number: usize| async move { shop.customer(&format!("c{number}")).await };
    futures::stream::iter((0..count).map(put)).buffer_unordered(8).collect::<Vec<()>>().await;
}

async fn shop_at(rate: f64) -> Shop {
    let mut options = options();
    options.max_send_rate = rate;
    let shop = Shop::open_with(options).await;
    shop.template("plain", "{{#if order}}order {{order.id}}{{else}}news{{/if}}").await;
    shop.confirm_orders().await;
    shop
}

/// What the senders know of the account.
async fn sending(shop: &Shop) -> (String, Value) {
    let sending = shop.get("/v1/sending").await;
    (sending["state"].as_str().unwrap().to_owned(), sending["stopped"]["reason"].clone())
}

/// Whether a sender has told that mail is held up, by the metric that the alarm looks at.
fn is_held_up(shop: &Shop) -> bool {
    let lines = shop.bundle.logs("sender").unwrap();
    let told = lines.iter().filter_map(|line| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok());
    // An alarm that names no dimensions looks at no line that has some.
    let alarming = json!([{
        "Namespace": "Cartwire", "Dimensions": [[]], "Metrics": [{ "Name": "HeldUp", "Unit": "Count" }],
    }]);
    told.filter(|line| line["_aws"]["CloudWatchMetrics"] == alarming).any(|line| line["HeldUp"] == 1.0)
}

fn times(shop: &Shop, subject: impl Fn(&str) -> bool) -> Vec<Timestamp> {
    let mut times: Vec<_> = shop.mails().iter().filter(|mail| subject(&mail.subject)).map(|mail| mail.time).collect();
    times.sort();
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailing_uses_the_rate_never_exceeds_it_and_lets_order_mail_go_first() {
    const CUSTOMERS: usize = 600;
    const RATE: f64 = 50.0;
    let shop = shop_at(RATE).await;
    customers(&shop, CUSTOMERS).await;
    shop.quiet().await;
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "plain" })).await;
    let orders = async {
        while times(&shop, |subject| subject == "news").len() < 20 {
            let _so_far = shop.bundle.wait_quiet(MOMENT).await;
        }
        for number in 0..3 {
            let (id, asked) = (format!("o{number}"), shop.bundle.now());
            shop.order(&id, &format!("c{number}")).await;
            let subject = format!("order {id}");
            while times(&shop, |of| of == subject).is_empty() {
                let _so_far = shop.bundle.wait_quiet(MOMENT).await;
            }
            let waited = times(&shop, |of| of == subject)[0].duration_since(asked);
            assert!(waited < SignedDuration::from_secs(5), "{id} waited {waited:#}");
        }
        assert!(times(&shop, |subject| subject == "news").len() < CUSTOMERS, "the mailing was still under way");
    };
    tokio::join!(shop.advance("PT1M"), orders);
    let progress = sent(&shop, "news").await;

    assert_eq!((&progress["sent"], &progress["audience"]), (&json!(CUSTOMERS), &json!(CUSTOMERS)));
    let ses = shop.bundle.ses().status();
    assert_eq!((ses.too_fast, ses.mails), (0, CUSTOMERS as u64 + 3), "SES refused nothing, and took each mail once");
    let mailed = times(&shop, |_| true);
    let span = mailed[mailed.len() - 1].duration_since(mailed[0]).as_secs_f64();
    let used = (mailed.len() - 1) as f64 / span / RATE;
    // What a machine that has other things to do too leaves of it.
    assert!((0.5..=1.0).contains(&used), "{used:.3} of the rate was used");
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn in_the_sandbox_one_goes_each_second() {
    let shop = shop_at(1.0).await;
    customers(&shop, 5).await;
    for number in 0..5 {
        shop.order(&format!("o{number}"), &format!("c{number}")).await;
    }
    shop.drain().await;
    // A call that is quicker than the one before it comes early, and here there is no room for that.
    assert!(shop.bundle.ses().status().too_fast <= 2);
    let mailed = times(&shop, |_| true);
    assert_eq!(mailed.len(), 5);
    assert!(
        mailed.windows(2).all(|two| two[1].duration_since(two[0]) > SignedDuration::from_millis(600)),
        "{mailed:?}"
    );
}

#[tokio::test]
async fn while_sending_is_paused_everything_waits_and_then_goes_once() {
    let shop = shop_at(1_000.0).await;
    customers(&shop, 40).await;
    shop.order("before", "c0").await;
    shop.quiet().await;
    assert!(!is_held_up(&shop));
    shop.bundle.ses().pause(true);
    for number in 0..5 {
        shop.order(&format!("o{number}"), &format!("c{number}")).await;
    }
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "plain" })).await;
    shop.advance("PT2M").await;
    assert_eq!(sending(&shop).await, ("stopped".to_owned(), json!("sending_paused")));
    assert!(is_held_up(&shop), "an alarm stands on it");
    // More often than a message may be received.
    shop.bundle.advance_in_steps(SignedDuration::from_hours(8), Duration::from_secs(16 * 60)).await.unwrap();
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (1, 0));
    assert_eq!(shop.outcomes("c0").await, ["PENDING", "PENDING", "SENT"]);
    let since = shop.get("/v1/sending").await["stopped"]["since"].clone();
    assert!(shop.bundle.now().duration_since(since.as_str().unwrap().parse().unwrap()).as_hours() >= 8, "{since}");

    shop.bundle.ses().pause(false);
    let progress = sent(&shop, "news").await;
    assert_eq!((&progress["sent"], &progress["not_sent"]), (&json!(40), &json!({})));
    assert_eq!(shop.mails().len(), 46);
    assert!(shop.mails_by_message().values().all(|mails| *mails == 1));
    assert_eq!(sending(&shop).await, ("going".to_owned(), Value::Null));
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_daily_quota_that_is_used_up_holds_the_rest_until_there_is_room() {
    let shop = shop_at(1_000.0).await;
    shop.bundle.ses().set_quota(1_000.0, 5.0);
    customers(&shop, 8).await;
    for number in 0..8 {
        shop.order(&format!("o{number}"), &format!("c{number}")).await;
        shop.quiet().await;
    }
    assert_eq!(sending(&shop).await, ("stopped".to_owned(), json!("daily_quota")));
    let shown = shop.get("/v1/sending").await;
    assert_eq!((&shown["per_day"], &shown["rate"]), (&json!(5.0), &json!(1000.0)), "{shown}");
    shop.advance("PT12H").await;
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (5, 0));
    shop.advance("PT13H").await;
    shop.drain().await;
    assert_eq!(shop.mails().len(), 8);
    for number in 0..8 {
        assert_eq!(shop.outcomes(&format!("c{number}")).await, ["SENT"]);
    }
}

#[tokio::test]
async fn whatever_keeps_all_mail_back_is_told_and_goes_by_itself() {
    let shop = shop_at(1_000.0).await;
    shop.customer("ada").await;
    let ses = shop.bundle.ses();
    type Stop<'s> = (&'s str, &'s str, &'s dyn Fn(bool));
    let stops: [Stop<'_>; 4] = [
        ("suspended", "account_suspended", &|stop| ses.suspend(stop)),
        ("set", "sending_paused", &|stop| ses.pause_set("cartwire", stop)),
        ("mail-from", "identity_not_verified", &|stop| ses.fail_mail_from(stop)),
        ("sender", "identity_not_verified", &|stop| match stop {
            true => ["example.com", "shop@example.com"].iter().for_each(|identity| ses.unverify(identity)),
            false => ses.verify("shop@example.com"),
        }),
    ];
    for (order, reason, stop) in stops {
        stop(true);
        shop.order(order, "ada").await;
        shop.quiet().await;
        assert_eq!(sending(&shop).await, ("stopped".to_owned(), json!(reason)), "{order}");
        stop(false);
        shop.drain().await;
        assert_eq!(sending(&shop).await.0, "going", "{order}");
        assert_eq!(times(&shop, |subject| subject == format!("order {order}")).len(), 1);
    }
    assert_eq!(shop.outcomes("ada").await, ["SENT"; 4]);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn in_the_sandbox_an_address_that_is_not_verified_stops_nobody_else() {
    let shop = shop_at(1_000.0).await;
    let ses = shop.bundle.ses();
    ses.sandbox(true);
    shop.put("/v1/customers/known", json!({ "email": "known@example.com", "first_name": "Known" })).await;
    shop.put("/v1/customers/other", json!({ "email": "other@elsewhere.example", "first_name": "Other" })).await;
    shop.order("o1", "other").await;
    shop.order("o2", "known").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("other").await, ["NOT_SENT not_verified"]);
    assert_eq!(shop.outcomes("known").await, ["SENT"]);
    assert_eq!(sending(&shop).await.0, "going");
}

#[tokio::test]
async fn what_ses_turns_away_unseen_is_sent_later_and_what_it_broke_down_over_is_unknown() {
    let shop = shop_at(1_000.0).await;
    for (customer, status, error, expected) in [
        ("slow", 503, "SlowDown", "SENT"),
        ("fast", 429, "TooManyRequestsException", "SENT"),
        ("virus", 400, "MessageRejected", "NOT_SENT refused_by_ses"),
        ("broken", 500, "InternalServiceErrorException", "UNKNOWN"),
    ] {
        shop.customer(customer).await;
        shop.fault(json!({
            "kind": "refuse", "service": "ses", "operation": "SendEmail", "status": status, "error": error, "next": 1,
        }));
        shop.order(customer, customer).await;
        shop.drain().await;
        assert_eq!(shop.outcomes(customer).await, [expected], "{customer}");
    }
    assert_eq!(shop.subjects(), ["order fast", "order slow"]);
    assert_eq!(shop.dead_letters().await, 0);
}
