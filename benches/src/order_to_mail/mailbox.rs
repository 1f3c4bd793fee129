//! What SES has taken.

use crate::http::Client;
use anyhow::Context as _;
use jiff::Timestamp;
use serde::Deserialize;
use std::time::{Duration, Instant};

/// How long nothing may move before something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
pub(crate) struct Mail {
    /// To the millisecond.
    pub(crate) time: Timestamp,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
}

/// How many mails there have been.
pub(crate) async fn count(page: &mut Client) -> anyhow::Result<u64> {
    page.get("/ses").await?["mails"].as_u64().context("the runner does not count mails")
}

/// Waits for so many mails in all, as long as there come more, looking seldom.
pub(crate) async fn wait(page: &mut Client, wanted: u64, every: Duration) -> anyhow::Result<()> {
    let (mut newest, mut since) = (0, Instant::now());
    loop {
        let count = count(page).await?;
        if count >= wanted {
            return Ok(());
        }
        if count > newest {
            (newest, since) = (count, Instant::now());
        }
        if since.elapsed() > PATIENCE {
            // What is missing is the caller's to say.
            return Ok(());
        }
        tokio::time::sleep(every).await;
    }
}

/// The newest `limit` mails.
pub(crate) async fn newest(page: &mut Client, limit: u64) -> anyhow::Result<Vec<Mail>> {
    let mails = page.get(&format!("/mailbox.json?limit={limit}")).await?;
    Ok(serde_json::from_value(mails)?)
}
