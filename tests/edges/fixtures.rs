//! The recorded payloads of `events/`, each fed to its function, in the order of
//! the story that they tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use contracts::ApiKey;
use serde_json::{Value, json};

use crate::support::Shop;

/// The secret that the token in the recorded links is signed with.
const LINK_SECRET: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The secret that the recorded webhooks are signed with.
const WEBHOOK_SECRET: &str = "0123456789abcdef";

/// What a function must answer.
enum Answers {
    /// An HTTP response of this status.
    Status(u16),
    /// No record of the batch failed.
    Done,
    /// Something else.
    With(fn(&Value) -> bool),
}

use Answers::{Done, Status, With};

const STORY: [(&str, Answers); 44] = [
    ("manage.create-key", With(|answer| answer["key"].as_str().is_some_and(|key| key.starts_with("cw_")))),
    ("authorizer.request", With(|answer| answer == &json!({ "isAuthorized": true, "context": caller() }))),
    ("manage.put-field", Status(200)),
    ("manage.put-template", Status(200)),
    ("manage.put-campaign", Status(200)),
    ("manage.put-mailing", Status(200)),
    ("ingest-customers.put", Status(201)),
    ("ingest-customers.get", Status(200)),
    ("ingest-orders.put", Status(201)),
    ("ingest-orders.status", Status(200)),
    ("ingest-orders.get", Status(200)),
    ("ingest-events.post", Status(201)),
    ("ingest-tracking.batch", Status(200)),
    ("ingest-webhooks.shopify", With(|answer| became(answer).iter().all(|became| became == "created"))),
    ("ingest-webhooks.woocommerce", With(|answer| became(answer) == ["created"])),
    ("ingest-products.put", Status(201)),
    ("ingest-products.import", Status(202)),
    ("import-products.queue", Done),
    ("fan-out.customers", Done),
    ("fan-out.messages", Done),
    ("fan-out.timers", Done),
    ("fan-out.catalogue", Done),
    ("product-changes.queue", Done),
    ("evaluate.changed", Done),
    ("evaluate.due", Done),
    ("evaluate.schedule", With(|answer| answer["deleted"].is_number())),
    ("timers.schedule", With(|answer| answer["handed_on"].is_number())),
    ("mass-messaging.schedule", With(|answer| answer["due"].is_number())),
    ("mass-messaging.queue", Done),
    ("backfill.schedule", With(|answer| answer["again"].is_number())),
    ("backfill.queue", Done),
    ("sender.deliveries", Done),
    ("feedback.send", Done),
    ("feedback.reject", Done),
    ("feedback.delivery", Done),
    ("feedback.open", Done),
    ("feedback.click", Done),
    ("preferences.view", With(|answer| answer["body"].as_str().is_some_and(|page| page.contains("Thank you, ")))),
    ("preferences.look", Status(200)),
    ("preferences.choose", Status(200)),
    ("preferences.leave", Status(200)),
    ("feedback.bounce", Done),
    ("feedback.complaint", Done),
    ("manage.get-messages", Status(200)),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_recorded_payload_is_answered_as_it_should_be() {
    let shop = Shop::open().await;
    allow_the_recorded_key_and_links(&shop).await;
    let (template, spring) = ("order-confirmation", "spring");
    shop.template(spring).await;
    for (name, answers) in &STORY {
        let function = name.split('.').next().unwrap();
        let answer = shop.bundle.invoke(function, &read(name)).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name} failed: {error}"));
        let right = match answers {
            Status(status) => answer["statusCode"] == *status,
            Done => answer == json!({ "batchItemFailures": [] }),
            With(right) => right(&answer),
        };
        assert!(right, "{name}: {answer}");
        shop.quiet().await;
    }

    // What came a second time, from the files, was mailed once.
    let messages = shop.messages("c-1").await;
    let of = |name: &str| messages.iter().filter(|message| message["template"] == name).collect::<Vec<_>>();
    assert_eq!((of(template).len(), of(spring).len(), messages.len()), (1, 1, 2), "{messages:?}");
    let confirmation = of(template)[0];
    assert_eq!(confirmation["state"], "SENT");
    for evidence in ["accepted_at", "delivered_at", "opened_at", "clicked_at", "bounced_at", "complained_at"] {
        assert!(confirmation[evidence].is_string(), "{evidence}: {confirmation}");
    }
    assert!(confirmation.get("rejected_at").is_none() && of(spring)[0]["rejected_at"].is_string(), "{messages:?}");
    let customer = shop.api.get("/v1/customers/c-1").await.unwrap().json();
    assert_eq!(customer["consent"]["email"]["state"], "denied");
}

#[test]
fn every_file_is_in_the_story_and_holds_no_address_of_anybody() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str().unwrap().strip_suffix(".json").map(str::to_owned))
        .collect();
    let story: BTreeSet<String> = STORY.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, story);
    for name in &files {
        let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        for domain in text.split('@').skip(1) {
            let known = ["example.com", "email.amazonses.com"].iter().any(|known| domain.starts_with(known));
            assert!(known, "{name}: @{}", &domain[..domain.len().min(30)]);
        }
    }
}

/// What the authorizer says of the recorded key.
fn caller() -> Value {
    json!({ "key": "0123456789abcdef", "scopes": "ingest manage", "rate": 500 })
}

/// The key and the links' secret that the payloads were recorded with, as if
/// this bundle had made them.
async fn allow_the_recorded_key_and_links(shop: &Shop) {
    let request = read("authorizer.request");
    let key = ApiKey::from_header(request["headers"]["authorization"].as_str().unwrap()).unwrap();
    let kept = json!({
        "kind": { "S": "key" }, "id": { "S": key.id() }, "name": { "S": "recorded" }, "hash": { "S": key.hash() },
        "scopes": { "L": [{ "S": "ingest" }, { "S": "manage" }] }, "created_at": { "S": "2026-11-22T10:00:00Z" },
    });
    shop.put_row("definitions", kept).await;
    let secret = json!({ "kind": { "S": "secret" }, "id": { "S": "links" }, "secret": { "S": LINK_SECRET } });
    shop.put_row("definitions", secret).await;
    for kind in ["shopify", "woocommerce"] {
        let code = kind.replace("commerce", "");
        let source = json!({ "name": kind, "webhook": { "kind": kind, "secret": WEBHOOK_SECRET } });
        shop.put(&format!("/v1/sources/{code}-shop"), source).await;
    }
}

/// What became of each thing that a webhook told.
fn became(answer: &Value) -> Vec<Value> {
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    body["told"].as_array().unwrap().iter().map(|told| told["became"].clone()).collect()
}

fn read(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap()).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}
