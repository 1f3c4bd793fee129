//! A shop with a campaign, made through the public API.

use crate::http::Client;
use crate::runner::Runner;
use hyper::Method;
use serde_json::{Value, json};

/// The template of the mailing.
pub(super) const NEWS: &str = "news";

/// Makes a key, templates, a campaign and customers `c-0` and on. Answers the key.
pub(super) async fn open(runner: &Runner, customers: usize, clients: usize) -> anyhow::Result<String> {
    let key = runner.key().await?;
    let mut api = runner.api(&key).await?;
    api.put("/v1/templates/order-confirmation", &confirmation()).await?;
    api.put(&format!("/v1/templates/{NEWS}"), &news()).await?;
    let campaign = json!({
        "name": "Order confirmation", "status": "active", "trigger": {"type": "order_created"},
        "steps": [{"send": {"template": "order-confirmation"}}],
    });
    api.put("/v1/campaigns/order-confirmation", &campaign).await?;
    let clients = (0..clients.max(1)).map(|first| some_customers(runner, &key, first, clients.max(1), customers));
    futures::future::try_join_all(clients).await?;
    Ok(key)
}

async fn some_customers(runner: &Runner, key: &str, first: usize, step: usize, of: usize) -> anyhow::Result<()> {
    let mut api = runner.api(key).await?;
    for number in (first..of).step_by(step) {
        let customer = json!({
            "email": address(number), "first_name": "Ada", "last_name": format!("Number {number}"),
            "consent": {"email": "granted"},
        });
        api.put(&format!("/v1/customers/c-{number}"), &customer).await?;
    }
    Ok(())
}

/// Sends an order of a customer; it has to be a new one.
pub(crate) async fn order(api: &mut Client, id: &str, customer: usize) -> anyhow::Result<()> {
    let order = json!({
        "customer_id": format!("c-{customer}"), "updated_at": "2026-11-22T10:00:00Z", "currency": "EUR",
        "total": "64.85", "status": {"general": "received"},
        "lines": [
            {"id": "1", "product_id": "p-1", "name": "Mug", "quantity": 2, "price": "24.95", "total": "49.90"},
            {"id": "2", "product_id": "p-7", "name": "Tea towel", "quantity": 1, "price": "14.95", "total": "14.95"},
        ],
    });
    let (status, answer) = api.send(Method::PUT, &format!("/v1/orders/{id}"), order.to_string()).await?;
    anyhow::ensure!(status == 201, "an order was answered {status}: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

/// A customer's address.
pub(super) fn address(number: usize) -> String {
    format!("c-{number}@example.com")
}

/// The order's number is the subject, by which its mail is known.
pub(crate) fn confirmation() -> Value {
    json!({
        "subject": "{{order.id}}",
        "html": "<h1>Thank you, {{customer.first_name}}</h1>\n<table>{{#each order.lines}}<tr><td>{{this.quantity}} ×</td>\
                 <td>{{this.name}}</td><td>{{this.total}}</td></tr>{{/each}}</table>\n<p>Total: {{order.total}} {{order.currency}}</p>",
    })
}

/// What mailings send.
pub(crate) fn news() -> Value {
    json!({
        "subject": "News for {{customer.first_name}}",
        "html": "<h1>What is new</h1><p>Dear {{customer.first_name}} {{customer.last_name}}, there are new mugs.</p>\
                 <p><a href=\"{{links.unsubscribe}}\">No more of this</a></p>",
    })
}
