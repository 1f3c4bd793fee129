//! Customers, a newsletter and a confirmation, told through the public API.

use crate::http::Client;
use crate::order_to_mail::shop::{confirmation, news};
use crate::runner::Runner;
use hyper::Method;
use serde_json::json;

/// The template of mailings.
pub(super) const NEWS: &str = "news";
/// How many customers one request tells of.
const AT_ONCE: usize = 250;

/// Makes a key, templates, a campaign that confirms orders, and so many customers. Answers the key.
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
    let clients = clients.max(1);
    let told = (0..clients).map(|first| told(runner, &key, first * AT_ONCE, clients * AT_ONCE, customers));
    futures::future::try_join_all(told).await?;
    crate::runner::quiet(&mut runner.page().await?).await?;
    Ok(key)
}

async fn told(runner: &Runner, key: &str, first: usize, step: usize, of: usize) -> anyhow::Result<()> {
    let mut api = runner.api(key).await?;
    for from in (first..of).step_by(step) {
        let customers: Vec<_> = (from..(from + AT_ONCE).min(of)).map(customer).collect();
        post(&mut api, &json!(customers).to_string()).await?;
    }
    Ok(())
}

async fn post(api: &mut Client, body: &str) -> anyhow::Result<()> {
    let (status, answer) = api.send(Method::POST, "/v1/customers/batch", body.to_owned()).await?;
    anyhow::ensure!(status == 207, "customers were answered {status}: {}", String::from_utf8_lossy(&answer));
    Ok(())
}

fn customer(number: usize) -> serde_json::Value {
    json!({
        "id": format!("c-{number}"), "email": format!("c-{number}@example.com"), "first_name": "Ada",
        "last_name": format!("Number {number}"), "consent": {"email": "granted"},
    })
}
