//! A bundle of its own for each test, and a shop that speaks to it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use local::ses::{Find, Mail};
use local::shop::{Client, first_key};
use local::{Bundle, Fault, Options};
use serde_json::{Value, json};

/// How long, in real time, the bundle may take over what it was given.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running bundle and a shop with a key to it.
pub(crate) struct Shop {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) api: Client,
}

pub(crate) fn options() -> Options {
    let mut options = Options::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml"));
    options.exe = Some(PathBuf::from(env!("CARGO_BIN_EXE_local")));
    options
}

impl Shop {
    /// A bundle in memory that knows nothing yet.
    pub(crate) async fn open() -> Self {
        Self::open_with(options()).await
    }

    pub(crate) async fn open_with(options: Options) -> Self {
        let bundle = Bundle::start(options).await.unwrap();
        let api = Client::new(bundle.api_url(), first_key(&bundle).await.unwrap());
        Self { bundle, api }
    }

    /// A bundle with a template `plain`, which prints the order or the event.
    pub(crate) async fn with_plain_template() -> Self {
        let shop = Self::open().await;
        shop.template("plain", "{{#if order}}order {{order.id}}{{else if event}}event {{event.id}}{{else}}news{{/if}}")
            .await;
        shop
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        self.api.tell("PUT", path, &body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.api.get(path).await.unwrap();
        assert_eq!(reply.status, 200, "{path}");
        reply.json()
    }

    /// All of a list whose address has a question in it, so many a page.
    pub(crate) async fn all_of(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}&limit={limit}{after}")).await;
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit, "{path}: {}", items.len());
            all.extend(items.iter().cloned());
            let Some(next) = page["next"].as_str() else { return all };
            after = format!("&after={next}");
        }
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Value {
        self.api.tell("PATCH", path, &body).await.unwrap()
    }

    pub(crate) async fn tell(&self, path: &str, body: Value) -> Value {
        self.api.tell("POST", path, &body).await.unwrap()
    }

    /// What is answered, whatever it is; null is no body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let (content_type, body) =
            if body.is_null() { ("", Vec::new()) } else { ("application/json", body.to_string().into()) };
        let reply = self.api.send(method, path, content_type, body).await.unwrap();
        (reply.status, reply.json())
    }

    /// Every row of every table, as text.
    pub(crate) async fn all_rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for table in &self.bundle.description().tables {
            let mut scan = json!({ "TableName": table.name, "ConsistentRead": true });
            loop {
                let page = self.bundle.dynamodb("Scan", scan.clone()).await.unwrap();
                rows.extend(page["Items"].as_array().unwrap().iter().map(|row| format!("{}: {row}", table.name)));
                if page["LastEvaluatedKey"].is_null() {
                    break;
                }
                scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
            }
        }
        rows
    }

    pub(crate) async fn template(&self, id: &str, subject: &str) {
        let body = json!({ "subject": subject, "html": "<p>Hello {{default customer.first_name \"there\"}}</p>" });
        self.put(&format!("/v1/templates/{id}"), body).await;
    }

    /// A campaign of these steps, with this trigger.
    pub(crate) async fn campaign(&self, id: &str, trigger: Value, steps: Value) {
        self.put(&format!("/v1/campaigns/{id}"), json!({ "name": id, "trigger": trigger, "steps": steps })).await;
    }

    /// A campaign that sends `plain` for each new order.
    pub(crate) async fn confirm_orders(&self) {
        self.campaign("confirm", json!({ "type": "order_created" }), json!([{ "send": { "template": "plain" } }]))
            .await;
    }

    /// A customer with an address, who agreed to be written to.
    pub(crate) async fn customer(&self, id: &str) {
        let body = json!({ "email": format!("{id}@example.com"), "first_name": id, "consent": { "email": "granted" } });
        self.put(&format!("/v1/customers/{id}"), body).await;
    }

    pub(crate) async fn order(&self, id: &str, customer: &str) {
        self.put(&format!("/v1/orders/{id}"), order(customer)).await;
    }

    pub(crate) async fn event(&self, id: &str, customer: &str, name: &str) {
        let body = json!({ "id": id, "customer_id": customer, "name": name });
        self.api.tell("POST", "/v1/events", &body).await.unwrap();
    }

    /// Makes something go wrong, as `POST /faults` does.
    pub(crate) fn fault(&self, fault: Value) {
        self.bundle.fault(serde_json::from_value::<Fault>(fault).unwrap());
    }

    pub(crate) async fn quiet(&self) {
        self.bundle.wait_quiet(PATIENCE).await.unwrap();
    }

    pub(crate) async fn advance(&self, by: &str) {
        let by: Span = by.parse().unwrap();
        self.bundle.advance(by.to_duration(SpanRelativeTo::days_are_24_hours()).unwrap()).await.unwrap();
    }

    /// Lets the clock run until nothing waits to be tried again, or for its turn to be sent.
    pub(crate) async fn drain(&self) {
        for _ in 0..30 {
            self.advance("PT3M").await;
            if self.bundle.wait_quiet(Duration::ZERO).await.is_ok() && !self.waits_to_be_sent().await {
                return;
            }
        }
        self.quiet().await;
    }

    async fn waits_to_be_sent(&self) -> bool {
        let queues = self.bundle.state().await.queues;
        queues.iter().any(|queue| queue.name.ends_with("deliveries") && queue.delayed > 0)
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.bundle.ses().mails(&Find::default()).unwrap()
    }

    pub(crate) fn subjects(&self) -> Vec<String> {
        let mut subjects: Vec<String> = self.mails().into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        subjects
    }

    /// How many mails each message became.
    pub(crate) fn mails_by_message(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for mail in self.mails() {
            *counts.entry(mail.tags["message_id"].clone()).or_default() += 1;
        }
        counts
    }

    /// What the ledger says of a customer's messages, newest first.
    pub(crate) async fn messages(&self, customer: &str) -> Vec<Value> {
        self.get(&format!("/v1/messages?customer={customer}")).await["items"].as_array().unwrap().clone()
    }

    /// State, and reason if there is one, of each of a customer's messages.
    pub(crate) async fn outcomes(&self, customer: &str) -> Vec<String> {
        let said = |message: &Value| match message["reason"].as_str() {
            Some(reason) => format!("{} {reason}", message["state"].as_str().unwrap()),
            None => message["state"].as_str().unwrap().to_owned(),
        };
        self.messages(customer).await.iter().map(said).collect()
    }

    /// How many messages lie in dead-letter queues.
    pub(crate) async fn dead_letters(&self) -> u64 {
        self.bundle.state().await.queues.iter().map(|queue| queue.dead_letters).sum()
    }
}

/// The places and the details of a refusal.
pub(crate) async fn refused(shop: &Shop, path: &str, body: Value) -> Vec<(String, String)> {
    let (status, problem) = shop.ask("PUT", path, body).await;
    assert_eq!(status, 422, "{problem}");
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    problem["errors"].as_array().unwrap().iter().map(|error| (text(error, "pointer"), text(error, "detail"))).collect()
}

pub(crate) fn order(customer: &str) -> Value {
    json!({
        "customer_id": customer, "updated_at": "2026-11-01T10:00:00Z", "currency": "EUR", "total": "24.95",
        "status": { "general": "received" },
        "lines": [{ "id": "1", "product_id": "mug", "name": "Mug", "quantity": 1, "price": "24.95", "total": "24.95" }],
    })
}
