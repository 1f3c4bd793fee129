//! Addresses to which no mail goes, and what takes one off again: nobody but the shop.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use local::ses::Kind;
use serde_json::{Value, json};

use crate::support::{Shop, options};

const ADA: &str = "/v1/suppressions/ada@example.com";

/// A look at the slots, and a moment until the next.
const MOMENT: Duration = Duration::from_millis(100);

impl Shop {
    /// A shop that sends so few mails in a second that each waits for its slot.
    pub(crate) async fn that_sends(rate: f64) -> Self {
        let mut options = options();
        options.max_send_rate = rate;
        Self::open_with(options).await
    }

    /// Has a customer ring, until the message that this sets off has a slot: it was looked at
    /// by then, and waits.
    pub(crate) async fn ring_and_wait(&self, id: &str, customer: &str) {
        let before = self.next_slot().await;
        self.event(id, customer, "rang").await;
        while self.next_slot().await == before {
            if self.bundle.wait_quiet(MOMENT).await.is_ok() {
                assert_ne!(self.next_slot().await, before, "{id} took no slot");
            }
        }
    }

    async fn next_slot(&self) -> Value {
        let key = json!({ "task": { "S": "sending" }, "item": { "S": "pace" } });
        let get = json!({ "TableName": "checkpoints", "Key": key, "ConsistentRead": true });
        self.bundle.dynamodb("GetItem", get).await.unwrap()["Item"]["free_us"].clone()
    }
}

async fn open() -> Shop {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.customer("ada").await;
    shop
}

/// Orders, and tells what became of the mail about it.
async fn outcome(shop: &Shop, order: &str) -> String {
    shop.advance("PT1M").await;
    shop.order(order, "ada").await;
    shop.quiet().await;
    shop.outcomes("ada").await.remove(0)
}

/// Lets something happen to the mail about an order, so often.
async fn happens(shop: &Shop, order: &str, kind: Kind, times: usize) {
    let mail = shop.mails().into_iter().find(|mail| mail.subject == format!("order {order}")).unwrap();
    shop.advance("PT1M").await;
    shop.bundle.ses().inject(mail.n, kind, times).unwrap();
    shop.quiet().await;
}

async fn reason(shop: &Shop) -> Option<String> {
    let (status, body) = shop.ask("GET", ADA, Value::Null).await;
    (status == 200).then(|| body["reason"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn an_address_is_stopped_and_let_off_by_hand_and_nobody_can_read_which_it_is() {
    let shop = open().await;
    assert_eq!(shop.ask("GET", ADA, Value::Null).await.0, 404);
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 404);
    let (status, stopped) = shop.ask("PUT", "/v1/suppressions/Ada@Example.com", Value::Null).await;
    assert_eq!((status, &stopped["reason"]), (201, &json!("by_hand")));
    assert!(stopped["by"].is_string() && stopped["in_words"].is_string(), "{stopped}");
    shop.advance("PT1H").await;
    assert_eq!(shop.ask("PUT", ADA, Value::Null).await, (200, stopped.clone()), "it stays as it is");
    assert_eq!(shop.get(ADA).await, stopped);
    assert_eq!(outcome(&shop, "1").await, "NOT_SENT suppressed");
    for n in 0..5 {
        shop.ask("PUT", &format!("/v1/suppressions/c{n}@example.com"), Value::Null).await;
    }
    let listed = shop.all_of("/v1/suppressions?a=b", 2).await;
    assert_eq!(listed.len(), 6);
    assert!(listed.contains(&stopped) && !json!(listed).to_string().contains('@'), "{listed:?}");
    assert!(shop.all_rows().await.iter().all(|row| !row.contains("c3@example.com")), "an address is kept nowhere");

    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    assert_eq!(shop.ask("GET", ADA, Value::Null).await.0, 404);
    assert_eq!(outcome(&shop, "2").await, "SENT");
    assert_eq!(shop.all_of("/v1/suppressions?a=b", 4).await.len(), 5);
    assert_eq!(shop.ask("PUT", "/v1/suppressions/nobody", Value::Null).await.0, 404, "that is no address");
}

#[tokio::test]
async fn nothing_that_is_told_late_or_twice_lets_mail_go_to_an_address_again_or_stops_it_again() {
    let shop = open().await;
    assert_eq!(outcome(&shop, "1").await, "SENT");
    assert_eq!(outcome(&shop, "2").await, "SENT");
    happens(&shop, "1", Kind::Complaint, 3).await;
    for kind in [Kind::Delivery, Kind::Open, Kind::Bounce, Kind::SoftBounce] {
        happens(&shop, "2", kind, 2).await;
    }
    let since = shop.get(ADA).await["since"].clone();
    assert_eq!(reason(&shop).await.unwrap(), "complaint", "it stays what it was first");
    assert_eq!(outcome(&shop, "3").await, "NOT_SENT suppressed");

    shop.advance("PT1H").await;
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    // Of mails that were sent before: told again, and told late.
    happens(&shop, "1", Kind::Complaint, 2).await;
    happens(&shop, "2", Kind::Bounce, 2).await;
    assert_eq!(reason(&shop).await, None);
    // SES has them on a list of its own again by that, and says so of the next mail.
    assert_eq!(shop.ask("PUT", ADA, Value::Null).await.0, 201);
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    assert_eq!(outcome(&shop, "4").await, "SENT");
    assert_eq!(reason(&shop).await, None);
    // Of a mail that was sent since.
    happens(&shop, "4", Kind::Bounce, 2).await;
    assert_eq!(reason(&shop).await.unwrap(), "bounce");
    assert!(shop.get(ADA).await["since"].as_str() > since.as_str());
    assert_eq!(outcome(&shop, "5").await, "NOT_SENT suppressed");
}

#[tokio::test]
async fn an_address_to_which_so_many_mails_came_back_for_now_with_none_between_counts_as_gone() {
    let shop = open().await;
    shop.put("/v1/settings", json!({ "soft_bounces": 3 })).await;
    for order in ["1", "2", "3", "4"] {
        assert_eq!(outcome(&shop, order).await, "SENT");
    }
    // One mail counts once, however often it is told of.
    happens(&shop, "1", Kind::SoftBounce, 5).await;
    happens(&shop, "1", Kind::SoftBounce, 1).await;
    happens(&shop, "2", Kind::SoftBounce, 1).await;
    assert_eq!(reason(&shop).await, None);
    // One gets through: it is counted anew.
    assert_eq!(outcome(&shop, "5").await, "SENT");
    happens(&shop, "3", Kind::SoftBounce, 1).await;
    happens(&shop, "4", Kind::SoftBounce, 1).await;
    assert_eq!(reason(&shop).await, None);
    happens(&shop, "5", Kind::SoftBounce, 2).await;
    assert_eq!(reason(&shop).await.unwrap(), "soft_bounces");
    assert_eq!(outcome(&shop, "6").await, "NOT_SENT suppressed");
    // That one of them is delivered after all does not take it off; and what is told again
    // after it was taken off by hand does not stop it.
    happens(&shop, "5", Kind::Delivery, 1).await;
    assert_eq!(reason(&shop).await.unwrap(), "soft_bounces");
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    for order in ["1", "2", "3", "4", "5"] {
        happens(&shop, order, Kind::SoftBounce, 1).await;
    }
    assert_eq!((reason(&shop).await, outcome(&shop, "7").await), (None, "SENT".to_owned()));
}

#[tokio::test]
async fn an_erased_customers_address_stays_stopped_until_it_is_let_off_by_hand() {
    let shop = open().await;
    assert_eq!(outcome(&shop, "1").await, "SENT");
    happens(&shop, "1", Kind::Bounce, 1).await;
    shop.ask("DELETE", "/v1/customers/ada", Value::Null).await;
    shop.drain().await;
    assert_eq!(reason(&shop).await.unwrap(), "erased");
    shop.put("/v1/customers/ada-2", json!({ "email": "ada@example.com" })).await;
    shop.order("2", "ada-2").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada-2").await, ["NOT_SENT suppressed"]);
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    shop.order("3", "ada-2").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada-2").await, ["SENT", "NOT_SENT suppressed"]);
}

#[tokio::test]
async fn whoever_takes_an_address_off_sees_the_worst_that_is_known_of_it() {
    let shop = open().await;
    assert_eq!(outcome(&shop, "1").await, "SENT");
    assert_eq!(outcome(&shop, "2").await, "SENT");
    let (_, by_hand) = shop.ask("PUT", ADA, Value::Null).await;
    happens(&shop, "1", Kind::SoftBounce, 1).await;
    assert_eq!(shop.get(ADA).await, by_hand, "a mail that may still get through is no worse");
    happens(&shop, "1", Kind::Complaint, 2).await;
    let complained = shop.get(ADA).await;
    assert_eq!((&complained["reason"], &complained["by"]), (&json!("complaint"), &Value::Null));
    assert_eq!(complained["since"], by_hand["since"], "no mail went there since");
    happens(&shop, "2", Kind::Bounce, 2).await;
    assert_eq!((shop.get(ADA).await, shop.ask("PUT", ADA, Value::Null).await.1), (complained.clone(), complained));
    assert_eq!(shop.all_of("/v1/suppressions?a=b", 4).await.len(), 1);
    assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    happens(&shop, "1", Kind::Complaint, 1).await;
    assert_eq!(reason(&shop).await, None);
}

#[tokio::test]
async fn an_address_is_stopped_within_ten_seconds_of_what_ses_tells() {
    let shop = open().await;
    for (order, kind) in [("1", Kind::Bounce), ("2", Kind::Complaint)] {
        assert_eq!(outcome(&shop, order).await, "SENT");
        let mail = shop.mails().into_iter().find(|mail| mail.subject == format!("order {order}")).unwrap();
        let told = shop.bundle.now();
        shop.bundle.ses().inject(mail.n, kind, 1).unwrap();
        shop.quiet().await;
        assert!(shop.bundle.now().duration_since(told) < SignedDuration::from_secs(10));
        let since = shop.get(ADA).await["since"].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!(since.duration_since(told).abs() < SignedDuration::from_secs(10), "{since} {told}");
        assert_eq!(shop.ask("DELETE", ADA, Value::Null).await.0, 204);
    }
}

#[tokio::test]
async fn whoever_is_stopped_or_leaves_while_a_message_waits_for_its_slot_does_not_get_it() {
    // A slot in five seconds: bob's is free, and each of the others waits for the next.
    let shop = Shop::that_sends(0.2).await;
    shop.template("plain", "event {{event.id}}").await;
    let trigger = json!({ "type": "event_received", "name": "rang" });
    shop.campaign("rang", trigger, json!([{ "send": { "template": "plain" } }])).await;
    for customer in ["bob", "ada", "lea", "max"] {
        shop.customer(customer).await;
    }
    shop.ring_and_wait("1", "bob").await;
    shop.ring_and_wait("2", "ada").await;
    assert_eq!(shop.ask("PUT", ADA, Value::Null).await.0, 201);
    shop.ring_and_wait("3", "lea").await;
    shop.patch("/v1/customers/lea", json!({ "consent": { "email": "denied" } })).await;
    shop.quiet().await;
    shop.drain().await;
    // Whom nothing happened to in the meantime gets what waited as long.
    shop.ring_and_wait("4", "bob").await;
    shop.ring_and_wait("5", "max").await;
    shop.quiet().await;
    shop.drain().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT suppressed"]);
    assert_eq!(shop.outcomes("lea").await, ["NOT_SENT no_consent"]);
    assert_eq!(shop.subjects(), ["event 1", "event 4", "event 5"]);
    assert_eq!(shop.dead_letters().await, 0);
}
