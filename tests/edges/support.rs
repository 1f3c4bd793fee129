//! A bundle for a group of tests, and what is asked of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::ROUTES;
use hmac::{Hmac, KeyInit, Mac};
use local::shop::{Client, first_key};
use local::{Bundle, Options};
use serde_json::{Value, json};
use sha2::Sha256;

/// How long, in real time, the bundle may take over what it was given.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running bundle and a client with a key of all scopes.
pub(crate) struct Shop {
    pub(crate) bundle: Arc<Bundle>,
    pub(crate) api: Client,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let mut options = Options::new(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml"));
        options.exe = Some(PathBuf::from(env!("CARGO_BIN_EXE_local")));
        let bundle = Bundle::start(options).await.unwrap();
        let api = Client::new(bundle.api_url(), first_key(&bundle).await.unwrap());
        Self { bundle, api }
    }

    /// A client with a new key of these scopes.
    pub(crate) async fn client(&self, scopes: &[&str]) -> Client {
        let event = json!({ "create_key": { "name": scopes.join(" "), "scopes": scopes } });
        let key = self.bundle.invoke("manage", &event).await.unwrap();
        Client::new(self.bundle.api_url(), key["key"].as_str().unwrap())
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Value {
        self.api.tell("PUT", path, &body).await.unwrap()
    }

    pub(crate) async fn customer(&self, id: &str) {
        let body = json!({ "email": format!("{id}@example.com"), "first_name": id, "consent": { "email": "granted" } });
        self.put(&format!("/v1/customers/{id}"), body).await;
    }

    pub(crate) async fn template(&self, id: &str) {
        self.put(&format!("/v1/templates/{id}"), json!({ "subject": id, "html": "<p>Hello</p>" })).await;
    }

    /// What the routes of [`bodied`] speak of: an order with a line, an audience.
    pub(crate) async fn known(&self) {
        self.put("/v1/orders/o", order("c")).await;
        self.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
        self.quiet().await;
    }

    pub(crate) async fn messages(&self, customer: &str) -> Vec<Value> {
        let reply = self.api.get(&format!("/v1/messages?customer={customer}")).await.unwrap();
        assert_eq!(reply.status, 200);
        reply.json()["items"].as_array().unwrap().clone()
    }

    pub(crate) async fn quiet(&self) {
        self.bundle.wait_quiet(PATIENCE).await.unwrap();
    }

    /// Lets the clock run until nothing waits to be tried again.
    pub(crate) async fn drain(&self) {
        for _ in 0..20 {
            self.bundle.advance("PT6M".parse().unwrap()).await.unwrap();
            if self.bundle.wait_quiet(Duration::ZERO).await.is_ok() {
                return;
            }
        }
        self.quiet().await;
    }

    /// Every row of every table, but for how far the timers were looked through,
    /// how often each key has called, and the secrets that are made at first use.
    pub(crate) async fn rows(&self) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        for table in &self.bundle.description().tables {
            let mut scan = self.bundle.dynamodb("Scan", json!({ "TableName": table.name })).await.unwrap();
            if let Some(items) = scan["Items"].as_array_mut() {
                items.retain(|item| item["item"]["S"] != "cursor");
                items.retain(|item| !item["request"]["S"].as_str().is_some_and(|id| id.starts_with("rate#")));
                items.retain(|item| item["secret"].is_null());
            }
            rows.insert(table.name.clone(), scan["Items"].take());
        }
        rows
    }

    pub(crate) async fn put_row(&self, table: &str, item: Value) {
        self.bundle.dynamodb("PutItem", json!({ "TableName": table, "Item": item })).await.unwrap();
    }

    /// No function failed, and none of their processes ended before its time.
    pub(crate) async fn nothing_failed(&self) {
        for function in self.bundle.state().await.functions {
            assert_eq!(function.errors, 0, "{}: {:?}", function.name, function.last_error);
        }
        self.nothing_crashed().await;
    }

    /// No process of a function ended before its time.
    pub(crate) async fn nothing_crashed(&self) {
        for function in self.bundle.state().await.functions {
            let ended = function.cold_starts - function.instances as u64;
            assert_eq!(ended, 0, "{}: {:?}", function.name, self.bundle.logs(&function.name));
        }
    }
}

/// Every keyed route that takes a body of these methods, with a path that speaks of
/// something that is there, if [`Shop::known`] was asked for it.
pub(crate) fn bodied(methods: &[&str]) -> Vec<(&'static str, String)> {
    let keyed = ROUTES.iter().filter(|route| !route.scopes.is_empty());
    let split = keyed.filter_map(|route| route.key.split_once(' '));
    split.filter(|(method, _)| methods.contains(method)).map(|(method, path)| (method, path_on(path, "o"))).collect()
}

/// A route's path with an id where it takes one, and good codes for the rest.
pub(crate) fn path_on(path: &str, id: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    for place in 1..parts.len() {
        let named = parts[place - 1];
        parts[place] = match (named, parts[place]) {
            ("containers", "{code}") => "cart",
            ("audiences", "{code}") => "vip",
            ("fields", "{code}") => "order.note_to_us",
            ("statuses", "{code}") => "delivery.at_customs",
            (_, "{code}") => "news",
            (_, "{line}") => "1",
            (_, "{address}") => "ada@example.com",
            (_, "{id}") => id,
            (_, part) => part,
        };
    }
    parts.join("/")
}

/// How Shopify and WooCommerce sign what they send.
pub(crate) fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// An order that nothing is wrong with.
pub(crate) fn order(customer: &str) -> Value {
    json!({
        "customer_id": customer, "updated_at": "2026-11-01T10:00:00Z", "currency": "EUR", "total": "24.95",
        "lines": [{ "id": "1", "product_id": "mug", "quantity": 1 }],
    })
}

/// A campaign that nothing is wrong with.
pub(crate) fn campaign(template: &str) -> Value {
    json!({ "name": "a", "trigger": { "type": "order_created" }, "steps": [{ "send": { "template": template } }] })
}

/// The object with these fields put over its own; null takes one away.
pub(crate) fn with(mut body: Value, patch: Value) -> Value {
    for (name, value) in patch.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}
