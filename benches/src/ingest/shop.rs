//! A shop with customers and a campaign, made through the public API.

use crate::runner::{self, Runner};
use serde_json::json;

/// Answers the key.
pub(super) async fn open(runner: &Runner, customers: usize, clients: usize) -> anyhow::Result<String> {
    let key = runner.key().await?;
    let mut api = runner.api(&key).await?;
    let confirmation = json!({"subject": "{{order.id}}", "html": "<h1>Thank you, {{customer.first_name}}</h1>"});
    api.put("/v1/templates/order-confirmation", &confirmation).await?;
    // What a shop has at least: so an order goes all the way, and an event as far as a campaign that
    // is about something else.
    let campaign = json!({
        "name": "Order confirmation", "status": "active", "trigger": {"type": "order_created"},
        "steps": [{"send": {"template": "order-confirmation"}}],
    });
    api.put("/v1/campaigns/order-confirmation", &campaign).await?;
    let clients = clients.max(1);
    futures::future::try_join_all((0..clients).map(|first| some_customers(runner, &key, first, clients, customers)))
        .await?;
    runner::quiet(&mut runner.page().await?).await?;
    Ok(key)
}

async fn some_customers(runner: &Runner, key: &str, first: usize, step: usize, of: usize) -> anyhow::Result<()> {
    let mut api = runner.api(key).await?;
    for number in (first..of.max(1)).step_by(step) {
        let customer = json!({
            "email": format!("c-{number}@example.com"), "first_name": "Ada", "last_name": format!("Number {number}"),
            "consent": {"email": "granted"},
        });
        api.put(&format!("/v1/customers/c-{number}"), &customer).await?;
    }
    Ok(())
}
