//! What puts a message off or stops it by the clock and by count.

use std::time::Duration;

use futures::StreamExt as _;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::mailings::sent;
use crate::support::Shop;

impl Shop {
    /// A campaign, named as the event that sets it off, whose mails go out on these terms.
    async fn on_terms(&self, name: &str, sending: Value) {
        let trigger = json!({ "type": "event_received", "name": name });
        let steps = json!([{ "send": { "template": "plain" } }]);
        let body = json!({ "name": name, "trigger": trigger, "steps": steps, "sending": sending });
        self.put(&format!("/v1/campaigns/{name}"), body).await;
    }

    async fn customer_in(&self, id: &str, more: Value) {
        self.customer(id).await;
        self.patch(&format!("/v1/customers/{id}"), more).await;
    }

    /// When mails went to a customer, in order.
    fn times(&self, customer: &str) -> Vec<Timestamp> {
        let address = format!("{customer}@example.com");
        let theirs = self.mails().into_iter().filter(|mail| mail.to == [address.clone()]);
        let mut times: Vec<Timestamp> = theirs.map(|mail| mail.time).collect();
        times.sort();
        times
    }

    /// How many of a customer's messages ended so.
    async fn ended(&self, customer: &str, outcome: &str) -> usize {
        let messages = self.all_of(&format!("/v1/messages?customer={customer}"), 50).await;
        let ended = |message: &&Value| [&message["reason"], &message["state"]].iter().any(|is| **is == outcome);
        messages.iter().filter(ended).count()
    }
}

/// Quiet hours in Tokyo that began so many hours ago, and when they are over.
fn quiet_in_tokyo(shop: &Shop, ago: i64, still: i64) -> (Value, Timestamp) {
    let now = shop.bundle.now().to_zoned(TimeZone::get("Asia/Tokyo").unwrap());
    let (from, to) = (&now - ago.hours(), &now + still.hours());
    let hours = json!({ "from": from.strftime("%H:%M").to_string(), "to": to.strftime("%H:%M").to_string() });
    let over = to.with().time(Time::constant(to.hour(), to.minute(), 0, 0)).build().unwrap();
    (hours, over.timestamp())
}

/// Lets the clock run past a moment, at which a mail goes to each of these customers, and
/// one only.
async fn all_are_written_to_at(shop: &Shop, customers: &[&str], at: Timestamp) {
    // The clock is moved in steps, and a mail bears the time at which its step ends.
    let before = at.duration_since(shop.bundle.now()) - SignedDuration::from_secs(8);
    shop.bundle.advance(before).await.unwrap();
    let early = customers.iter().filter(|customer| !shop.times(customer).is_empty()).count();
    assert_eq!(early, 0, "it is not time yet");
    shop.advance("PT30S").await;
    for customer in customers {
        let times = shop.times(customer);
        let in_time = |time: &Timestamp| *time >= at && *time < at + SignedDuration::from_mins(1);
        assert!(times.len() == 1 && times.iter().all(in_time), "{customer}: {times:?}, at {at}");
        assert_eq!(shop.outcomes(customer).await, ["SENT"], "{customer}");
    }
}

#[tokio::test]
async fn what_comes_in_quiet_hours_goes_out_in_the_first_minute_after_and_once_whoever_dies() {
    let shop = Shop::with_plain_template().await;
    let (quiet_hours, over) = quiet_in_tokyo(&shop, 1, 6);
    shop.put("/v1/settings", json!({ "quiet_hours": quiet_hours, "time_zone": "Asia/Tokyo" })).await;
    shop.on_terms("seen", json!({})).await;
    shop.on_terms("urgent", json!({ "any_hour": true })).await;
    shop.confirm_orders().await;
    // Elsewhere it is half a day earlier.
    shop.customer_in("awake", json!({ "time_zone": "Etc/GMT+3" })).await;
    shop.customer_in("abroad", json!({ "country": "BR" })).await;
    shop.customer_in("asleep", json!({ "time_zone": "Asia/Tokyo" })).await;
    for (event, customer) in [("seen", "awake"), ("seen", "abroad"), ("urgent", "asleep")] {
        shop.event(&format!("{event}-{customer}"), customer, event).await;
    }
    shop.order("1", "asleep").await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["event seen-abroad", "event seen-awake", "event urgent-asleep", "order 1"]);

    shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 3 }));
    let mut customers = Vec::new();
    for (at_call, operation) in [(1, "BatchGetItem"), (1, "TransactWriteItems"), (2, "TransactWriteItems")] {
        for when in ["before", "after"] {
            let customer = format!("{operation}-{at_call}-{when}");
            shop.customer(&customer).await;
            shop.fault(json!({
                "kind": "kill", "function": "sender", "at_call": at_call, "operation": operation, "when": when,
            }));
            shop.event(&customer, &customer, "seen").await;
            shop.drain().await;
            customers.push(customer);
        }
    }
    assert!(shop.bundle.now() < over - SignedDuration::from_mins(20));
    assert_eq!(shop.mails().len(), 4, "it is night");
    shop.bundle.clear_faults();
    all_are_written_to_at(&shop, &customers.iter().map(String::as_str).collect::<Vec<_>>(), over).await;
    shop.drain().await;
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (4 + customers.len(), 0));
}

#[tokio::test]
async fn of_a_hundred_that_come_at_once_exactly_as_many_go_out_as_the_cap_lets_through() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/settings", json!({ "caps": [{ "most": 3, "per": "P1D" }] })).await;
    shop.on_terms("seen", json!({})).await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    for order in 1..=4 {
        shop.order(&order.to_string(), "ada").await;
    }
    shop.quiet().await;
    assert_eq!(shop.mails().len(), 4, "order mail is not capped");
    shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 2 }));
    let events = (0..100).map(|number| {
        let shop = &shop;
        async move { shop.event(&format!("e-{number}"), "ada", "seen").await }
    });
    futures::stream::iter(events).buffer_unordered(25).collect::<Vec<()>>().await;
    shop.drain().await;
    assert_eq!(shop.mails().len(), 4 + 3, "and does not count");
    assert_eq!((shop.ended("ada", "SENT").await, shop.ended("ada", "frequency_cap").await), (7, 97));
    assert!(shop.mails_by_message().values().all(|mails| *mails == 1));
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn what_is_over_a_cap_waits_until_there_is_room_or_it_expires_or_it_may_wait_no_longer() {
    let shop = Shop::with_plain_template().await;
    let hourly = |most: u32| json!({ "most": most, "per": "PT1H" });
    shop.on_terms("patient", json!({ "cap": hourly(2), "over_cap": "defer" })).await;
    shop.on_terms("brief", json!({ "cap": hourly(1), "over_cap": "defer", "lifetime": "PT90M" })).await;
    let must = json!({ "cap": { "most": 1, "per": "P1D" }, "over_cap": { "send_within": "PT2H" } });
    shop.on_terms("must", must).await;
    for (name, count) in [("patient", 6), ("brief", 3), ("must", 2)] {
        shop.customer(name).await;
        for number in 0..count {
            shop.event(&format!("{name}-{number}"), name, name).await;
        }
    }
    shop.quiet().await;
    let so_far = |shop: &Shop| ["patient", "brief", "must"].map(|name| shop.times(name).len());
    assert_eq!(so_far(&shop), [2, 1, 1]);
    shop.advance("PT59M").await;
    assert_eq!(so_far(&shop), [2, 1, 1]);
    shop.advance("PT4M").await;
    assert_eq!(so_far(&shop), [4, 2, 1]);
    assert_eq!(shop.outcomes("brief").await.iter().filter(|outcome| *outcome == "NOT_SENT expired").count(), 1);
    shop.advance("PT1H10M").await;
    assert_eq!(so_far(&shop), [6, 2, 2]);
    let times = shop.times("patient");
    // A mail leaves a moment after its place was taken.
    let least = SignedDuration::from_mins(60) - SignedDuration::from_secs(5);
    assert!(times.windows(3).all(|three| three[2].duration_since(three[0]) > least), "{times:?}");
    let times = shop.times("must");
    assert!(times[1].duration_since(times[0]) > SignedDuration::from_mins(119), "{times:?}");
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
}

#[tokio::test]
async fn two_who_are_one_have_had_what_either_had_and_what_was_refused_did_not_count() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/settings", json!({ "caps": [{ "most": 3, "per": "P1D" }] })).await;
    shop.on_terms("seen", json!({})).await;
    shop.customer("ada").await;
    shop.customer("bob").await;
    // SES refuses what goes to an address that nobody verified.
    shop.bundle.ses().sandbox(true);
    shop.patch("/v1/customers/ada", json!({ "email": "ada@elsewhere.org" })).await;
    shop.event("e-0", "ada", "seen").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT not_verified"]);
    shop.bundle.ses().sandbox(false);
    shop.patch("/v1/customers/ada", json!({ "email": "ada@example.com" })).await;
    shop.event("e-1", "ada", "seen").await;
    shop.event("e-2", "bob", "seen").await;
    shop.quiet().await;
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    shop.quiet().await;
    let places = async || shop.all_rows().await.iter().filter(|row| row.contains(r#""item":{"S":"places"}"#)).count();
    assert_eq!(places().await, 1);
    for event in ["e-3", "e-4"] {
        shop.event(event, "ada", "seen").await;
        shop.quiet().await;
    }
    assert_eq!((shop.mails().len(), shop.ended("ada", "frequency_cap").await), (3, 1));
    shop.advance("P1DT1H").await;
    shop.event("e-5", "ada", "seen").await;
    shop.quiet().await;
    assert_eq!((shop.ended("ada", "SENT").await, shop.mails().len()), (4, 4));
}

#[tokio::test]
async fn a_mailing_by_the_customers_own_clock_reaches_each_at_their_ten() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    shop.put("/v1/settings", json!({ "time_zone": "America/Sao_Paulo" })).await;
    let zones = [("tokyo", "Asia/Tokyo"), ("riga", "Europe/Riga"), ("shop", "America/Sao_Paulo")];
    shop.customer_in("tokyo", json!({ "time_zone": "Asia/Tokyo", "country": "LV" })).await;
    shop.customer_in("riga", json!({ "country": "LV" })).await;
    shop.customer("shop").await;
    let tomorrow = shop.bundle.now().to_zoned(TimeZone::UTC).date() + 2.days();
    let local = tomorrow.at(10, 0, 0, 0);
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "news", "local_at": local })).await;
    let start: DateTime = local - 14.hours();
    let until = start.to_zoned(TimeZone::UTC).unwrap().timestamp().duration_since(shop.bundle.now());
    shop.bundle.advance(until - SignedDuration::from_mins(5)).await.unwrap();
    assert_eq!(shop.get("/v1/mailings/news").await["progress"]["stage"], "scheduled");
    for (customer, zone) in zones {
        let ten = local.to_zoned(TimeZone::get(zone).unwrap()).unwrap().timestamp();
        all_are_written_to_at(&shop, &[customer], ten).await;
    }
    shop.advance("PT12H").await;
    assert_eq!(sent(&shop, "news").await["sent"], 3);
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
}

#[tokio::test]
async fn a_message_whose_lifetime_passes_expires_and_says_so() {
    let shop = Shop::with_plain_template().await;
    let (quiet_hours, _) = quiet_in_tokyo(&shop, 1, 3);
    shop.put("/v1/settings", json!({ "quiet_hours": quiet_hours, "time_zone": "Asia/Tokyo" })).await;
    shop.on_terms("short", json!({ "lifetime": "PT2H" })).await;
    shop.on_terms("shorter", json!({ "lifetime": "PT30S", "any_hour": true })).await;
    shop.customer("ada").await;
    shop.event("e-1", "ada", "short").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT expired"], "at once: the night is longer");
    let detail = shop.messages("ada").await[0]["detail"].clone();
    assert!(detail.as_str().unwrap().contains("quiet_hours"), "{detail}");

    shop.customer("bob").await;
    shop.fault(json!({ "kind": "kill", "function": "sender", "at_call": 1, "when": "before", "next": 2 }));
    shop.event("e-2", "bob", "shorter").await;
    shop.drain().await;
    assert_eq!((shop.outcomes("bob").await, shop.mails().len()), (vec!["NOT_SENT expired".to_owned()], 0));
}

#[tokio::test]
async fn nothing_is_left_of_somebody_erased_whose_message_was_put_off() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/settings", json!({ "caps": [{ "most": 1, "per": "PT3H" }] })).await;
    shop.on_terms("seen", json!({ "over_cap": "defer" })).await;
    shop.customer("lovelace").await;
    for number in 0..3 {
        shop.event(&format!("e-{number}"), "lovelace", "seen").await;
    }
    shop.quiet().await;
    let state = shop.bundle.state().await;
    assert_eq!((shop.mails().len(), state.timers_pending), (1, Some(2)));
    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
    shop.drain().await;
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
    let rows: Vec<String> = shop.all_rows().await.into_iter().filter(|row| row.contains("lovelace")).collect();
    assert!(rows.is_empty(), "{rows:?}");
    shop.advance("PT7H").await;
    assert_eq!((shop.mails().len(), shop.dead_letters().await), (1, 0));
}

#[tokio::test]
async fn what_nobody_knows_of_is_sent_once_more_if_its_terms_say_so_and_ses_has_not_told_of_it() {
    let shop = Shop::with_plain_template().await;
    shop.on_terms("seen", json!({ "if_unknown": { "resend_after": "PT6H" } })).await;
    let kill = |when: &str| json!({ "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": when });
    for (customer, when) in [("once", "before"), ("told", "after"), ("twice", "before")] {
        shop.customer(customer).await;
        shop.fault(kill(when));
        shop.event(customer, customer, "seen").await;
        shop.drain().await;
        assert!(shop.bundle.faults().is_empty());
    }
    let so_far = |shop: &Shop| ["once", "told", "twice"].map(|customer| shop.times(customer).len());
    assert_eq!((shop.outcomes("once").await, so_far(&shop)), (vec!["UNKNOWN".to_owned()], [0, 1, 0]));
    assert_eq!(shop.outcomes("told").await, ["SENT"]);
    shop.advance("PT5H").await;
    assert_eq!(so_far(&shop), [0, 1, 0]);
    // The first comes up, and then the third, of which nobody hears a second time either.
    let first = shop.messages("once").await[0]["settled_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let due = first + SignedDuration::from_hours(6) + SignedDuration::from_mins(1);
    shop.bundle.advance(due.duration_since(shop.bundle.now())).await.unwrap();
    assert_eq!((shop.outcomes("once").await, so_far(&shop)), (vec!["SENT".to_owned()], [1, 1, 0]));
    shop.fault(kill("before"));
    shop.advance("PT1H").await;
    shop.drain().await;
    assert!(shop.bundle.faults().is_empty(), "it was tried a second time");
    shop.advance("P2D").await;
    assert_eq!((shop.outcomes("twice").await, so_far(&shop)), (vec!["UNKNOWN".to_owned()], [1, 1, 0]));
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
}

#[tokio::test]
async fn what_is_to_be_sent_once_more_in_quiet_hours_is_when_they_are_over() {
    let shop = Shop::with_plain_template().await;
    let (quiet_hours, over) = quiet_in_tokyo(&shop, -1, 4);
    shop.put("/v1/settings", json!({ "quiet_hours": quiet_hours, "time_zone": "Asia/Tokyo" })).await;
    shop.on_terms("seen", json!({ "if_unknown": { "resend_after": "PT2H" } })).await;
    shop.customer("ada").await;
    shop.fault(json!({
        "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before",
    }));
    shop.event("e-1", "ada", "seen").await;
    shop.drain().await;
    assert_eq!(shop.outcomes("ada").await, ["UNKNOWN"]);
    all_are_written_to_at(&shop, &["ada"], over).await;
}

#[tokio::test]
async fn what_ses_says_of_a_second_attempt_it_does_not_say_of_the_first() {
    let shop = Shop::with_plain_template().await;
    shop.on_terms("seen", json!({ "if_unknown": { "resend_after": "PT2H" } })).await;
    let second = |status: u16, error: &str| {
        json!({ "kind": "refuse", "service": "ses", "operation": "SendEmail",
            "status": status, "error": error, "message": "no", "next": 1 })
    };
    let seconds = [("refused", second(400, "MessageRejected")), ("later", second(429, "TooManyRequestsException"))];
    for (customer, fault) in seconds {
        shop.customer(customer).await;
        shop.fault(json!({
            "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before",
        }));
        shop.event(customer, customer, "seen").await;
        shop.drain().await;
        assert_eq!(shop.outcomes(customer).await, ["UNKNOWN"]);
        shop.fault(fault);
        shop.advance("PT3H").await;
        shop.drain().await;
        assert!(shop.bundle.faults().is_empty(), "it was tried a second time");
    }
    assert_eq!((shop.outcomes("refused").await, shop.times("refused").len()), (vec!["UNKNOWN".to_owned()], 0));
    assert_eq!((shop.outcomes("later").await, shop.times("later").len()), (vec!["SENT".to_owned()], 1));
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
}

#[tokio::test]
async fn nothing_is_left_of_somebody_who_is_erased_while_it_is_not_known_whether_their_mail_went_out() {
    let shop = Shop::with_plain_template().await;
    shop.on_terms("seen", json!({ "if_unknown": { "resend_after": "P9D" } })).await;
    shop.customer("lovelace").await;
    shop.fault(json!({
        "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before",
    }));
    shop.event("e-1", "lovelace", "seen").await;
    while !shop.bundle.faults().is_empty() {
        shop.advance("PT1S").await;
    }
    assert_eq!(shop.messages("lovelace").await[0]["state"], "CLAIMED");
    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
    shop.drain().await;
    assert_eq!(shop.bundle.state().await.timers_pending, Some(0));
    let rows: Vec<String> = shop.all_rows().await.into_iter().filter(|row| row.contains("lovelace")).collect();
    assert!(rows.is_empty(), "{rows:?}");
}

#[tokio::test]
async fn a_mailing_is_not_over_while_a_mail_of_it_waits_to_be_sent_once_more() {
    let shop = Shop::with_plain_template().await;
    shop.customer("ada").await;
    shop.fault(json!({
        "kind": "kill", "function": "sender", "at_call": 1, "operation": "SendEmail", "when": "before",
    }));
    let sending = json!({ "if_unknown": { "resend_after": "PT1H" } });
    shop.put("/v1/mailings/news", json!({ "name": "News", "template": "plain", "sending": sending })).await;
    shop.drain().await;
    assert_eq!(shop.outcomes("ada").await, ["UNKNOWN"]);
    // Its time comes while sending is stopped.
    shop.bundle.ses().pause(true);
    shop.bundle.advance_in_steps(SignedDuration::from_hours(3), Duration::from_secs(300)).await.unwrap();
    assert_eq!((shop.outcomes("ada").await, shop.times("ada").len()), (vec!["UNKNOWN".to_owned()], 0));
    shop.bundle.ses().pause(false);
    let progress = sent(&shop, "news").await;
    assert_eq!((shop.times("ada").len(), &progress["sent"], &progress["unknown"]), (1, &json!(1), &json!(0)));
}
