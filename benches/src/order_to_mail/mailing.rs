//! A mailing to everybody.

use super::{mailbox, shop};
use crate::others::Others;
use crate::runner::{self, Runner};
use crate::usage::{self, Cost};
use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::collections::HashSet;
use std::time::Duration;

/// What a mailing comes to.
#[derive(Debug, Serialize)]
pub(crate) struct Mailing {
    pub(crate) recipients: usize,
    /// From when it was due to the first mail.
    pub(crate) first_seconds: f64,
    /// From when it was due to the last mail.
    pub(crate) seconds: f64,
    pub(crate) mails_per_second: f64,
    /// Customers without a mail.
    pub(crate) lost: usize,
    /// Mails beyond one of a customer.
    pub(crate) twice: usize,
    /// Per mail, until everything is quiet again.
    pub(crate) cost: Cost,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

pub(super) async fn run(runner: &Runner, key: &str, customers: usize) -> anyhow::Result<Mailing> {
    let mut api = runner.api(key).await?;
    let mut page = runner.page().await?;
    let taken = mailbox::count(&mut page).await?;
    let before = usage::now(runner, &mut page).await?;
    // It is due when the schedule looks the next time: the wait for that is no work.
    let due = page.get("/state.json").await?["timers"]["next_schedule"].clone();
    let due: Timestamp = due.as_str().context("nothing runs by the clock")?.parse()?;
    api.put("/v1/mailings/news", &json!({"name": "News", "template": shop::NEWS, "at": due})).await?;
    let left = due.duration_since(Timestamp::now());
    tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
    let others = Others::watch(runner)?;
    mailbox::wait(&mut page, taken + customers as u64, Duration::from_millis(250)).await?;
    runner::quiet(&mut page).await?;
    let cost = usage::now(runner, &mut page).await?.cost(&before, customers);
    let others_percent = others.percent(runner)?;
    let all = mailbox::count(&mut page).await? - taken;
    let mails = mailbox::newest(&mut page, all).await?;
    let reached: HashSet<&str> = mails.iter().flat_map(|mail| mail.to.iter().map(String::as_str)).collect();
    let since_due = |time: Option<Timestamp>| time.map_or(0.0, |time| time.duration_since(due).as_secs_f64());
    let seconds = since_due(mails.iter().map(|mail| mail.time).max());
    Ok(Mailing {
        recipients: customers,
        first_seconds: since_due(mails.iter().map(|mail| mail.time).min()),
        seconds,
        mails_per_second: mails.len() as f64 / seconds.max(0.001),
        lost: (0..customers).filter(|number| !reached.contains(shop::address(*number).as_str())).count(),
        twice: mails.len().saturating_sub(reached.len()),
        cost,
        others_percent,
    })
}
