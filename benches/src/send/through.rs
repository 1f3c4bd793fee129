//! As fast as the machine can.

use super::{Args, held, shop};
use crate::http::Client;
use crate::ingest::price::{Price, Share};
use crate::order_to_mail::mailbox;
use crate::others::Others;
use crate::runner::{self, Runner};
use crate::usage::{self, Cost};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// How long the whole may take.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// What so many messages come to.
#[derive(Debug, Serialize)]
pub(crate) struct Through {
    pub(crate) messages: usize,
    /// From the first mail to the last.
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    /// Messages without a mail, or mails beyond one.
    pub(crate) lost_or_twice: i64,
    /// For one message, by the sender alone.
    pub(crate) sender: Share,
    /// For one message, by all functions.
    pub(crate) whole: Share,
    pub(crate) cost: Cost,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

/// Messages that are queued already: the sender, and the feedback of what it sent.
pub(super) async fn held(runner: &Runner, key: &str, args: &Args) -> anyhow::Result<Through> {
    held::queue(runner, &mut runner.api(key).await?, "held", args.messages).await?;
    let measuring = Measuring::begin(runner).await?;
    held::release(runner).await?;
    measuring.end(runner, args, held::BESIDE).await
}

/// A mailing from its definition: everybody is looked at, and each message written and queued.
pub(super) async fn mailing(runner: &Runner, key: &str, args: &Args) -> anyhow::Result<Through> {
    let measuring = Measuring::begin(runner).await?;
    let mailing = json!({"name": "News", "template": shop::NEWS});
    runner.api(key).await?.put("/v1/mailings/whole", &mailing).await?;
    measuring.end(runner, args, 0).await
}

struct Measuring {
    page: Client,
    taken: u64,
    before: usage::Usage,
    others: Others,
}

impl Measuring {
    async fn begin(runner: &Runner) -> anyhow::Result<Self> {
        let mut page = runner.page().await?;
        let taken = mailbox::count(&mut page).await?;
        let before = usage::now(runner, &mut page).await?;
        Ok(Self { page, taken, before, others: Others::watch(runner)? })
    }

    async fn end(mut self, runner: &Runner, args: &Args, beside: u64) -> anyhow::Result<Through> {
        let page = &mut self.page;
        let expected = args.messages as u64 + beside;
        mailbox::wait(page, self.taken + expected, Duration::from_millis(500)).await?;
        runner::quiet_within(page, PATIENCE, Duration::from_millis(250)).await?;
        let cost = usage::now(runner, page).await?.cost(&self.before, args.messages);
        let others_percent = self.others.percent(runner)?;
        let all = mailbox::count(page).await? - self.taken;
        let mut times: Vec<Timestamp> = mailbox::newest(page, all).await?.iter().map(|mail| mail.time).collect();
        times.sort();
        // The first one is the one that was tried while all others waited.
        let seconds = match (times.get(1), times.last()) {
            (Some(first), Some(last)) => last.duration_since(*first).as_secs_f64(),
            _ => 0.0,
        };
        let price = Price { api_requests: 0.0, call_ms: args.call_ms };
        Ok(Through {
            messages: args.messages,
            seconds,
            per_second: times.len().saturating_sub(2) as f64 / seconds.max(0.001),
            lost_or_twice: i64::try_from(all)? - i64::try_from(expected)?,
            sender: price.of(cost.functions.iter().filter(|function| function.name == "sender")),
            whole: price.of(cost.functions.iter()),
            cost,
            others_percent,
        })
    }
}
