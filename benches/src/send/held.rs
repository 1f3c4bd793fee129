//! Messages that wait on their queue because SES is paused, and then go.

use super::shop;
use crate::http::Client;
use crate::order_to_mail::shop::order;
use crate::runner::{self, Runner};
use anyhow::Context as _;
use hyper::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// How long it may take to write and queue the messages of a mailing.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// Mails beside those of the mailing: the order's by which it is known that SES is paused.
pub(super) const BESIDE: u64 = 1;

/// A mailing whose messages all wait.
///
/// Sending is stopped for so long before there are any that it is tried again every quarter of
/// an hour, and they wait for as long.
pub(super) async fn queue(runner: &Runner, api: &mut Client, id: &str, messages: usize) -> anyhow::Result<()> {
    let mut page = runner.page().await?;
    page.json(Method::POST, "/ses", &json!({"paused": true})).await?;
    order(api, &format!("before-{id}"), 0).await?;
    runner::quiet(&mut page).await?;
    pass(runner, "PT40M").await?;
    runner::quiet(&mut page).await?;
    api.put(&format!("/v1/mailings/{id}"), &json!({"name": id, "template": shop::NEWS})).await?;
    pass(runner, "PT1M").await?;
    runner::quiet_within(&mut page, PATIENCE, Duration::from_millis(250)).await?;
    let state = page.get("/state.json").await?;
    let queues = state["queues"].as_array().context("the runner has no queues")?;
    let waiting = queues.iter().find(|queue| queue["name"] == "bulk-deliveries").map(|queue| &queue["delayed"]);
    let waiting = waiting.and_then(Value::as_u64).unwrap_or_default();
    anyhow::ensure!(waiting >= messages as u64, "{waiting} of {messages} messages wait");
    Ok(())
}

/// Lets them go: SES takes mail again, and the time has come at which that is tried.
pub(super) async fn release(runner: &Runner) -> anyhow::Result<()> {
    let mut page = runner.page().await?;
    page.json(Method::POST, "/ses", &json!({"paused": false})).await?;
    pass(runner, "PT16M").await
}

/// Moves the clock on. What that brings up is not waited for: it is what is measured.
async fn pass(runner: &Runner, by: &str) -> anyhow::Result<()> {
    let mut page = runner.page().await?;
    // It moves as soon as nothing goes on; that it has is seen by the time itself.
    let before = page.get("/clock").await?["offset_ms"].clone();
    let mut mover = runner.page().await?;
    let body = json!({"advance": by}).to_string();
    tokio::spawn(async move { mover.send(Method::POST, "/clock", body).await.map(drop) });
    for _ in 0..1_200 {
        if page.get("/clock").await?["offset_ms"] != before {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the clock was not moved")
}
