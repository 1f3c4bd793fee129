//! One order at a time.

use super::{mailbox, shop};
use crate::others::Others;
use crate::runner::{self, Runner};
use crate::stats::Times;
use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Orders before those that count.
const WARM_UP: usize = 30;
/// Nothing looks at the bundle in this time after an order, so that looking costs the order nothing.
const LEFT_ALONE: Duration = Duration::from_millis(150);

/// How long an order takes when it is alone.
#[derive(Debug, Serialize)]
pub(crate) struct Single {
    /// From before the request is sent to SES's taking the mail.
    pub(crate) to_mail: Times,
    /// From before the request is sent to its answer.
    pub(crate) to_answer: Times,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

pub(super) async fn run(runner: &Runner, key: &str, count: usize, customers: usize) -> anyhow::Result<Single> {
    let mut api = runner.api(key).await?;
    let mut page = runner.page().await?;
    let before = mailbox::count(&mut page).await?;
    let others = Others::watch(runner)?;
    let (mut sent, mut answers) = (HashMap::new(), Vec::new());
    for number in 0..WARM_UP + count {
        let id = format!("single-{number}");
        let (at, begun) = (Timestamp::now().as_millisecond(), Instant::now());
        shop::order(&mut api, &id, number % customers.max(1)).await?;
        answers.push(begun.elapsed());
        sent.insert(id, at);
        tokio::time::sleep(LEFT_ALONE).await;
        mailbox::wait(&mut page, before + number as u64 + 1, Duration::from_millis(20)).await?;
    }
    let others_percent = others.percent(runner)?;
    let mut mails = mailbox::newest(&mut page, (WARM_UP + count) as u64).await?;
    runner::quiet(&mut page).await?;
    let mut times = Vec::new();
    for mail in mails.drain(..).skip(WARM_UP) {
        let at = sent.get(&mail.subject).context("a mail that nobody asked for")?;
        // Both are cut to the millisecond, which evens out.
        let ms = mail.time.as_millisecond().saturating_sub(*at);
        times.push(Duration::from_millis(u64::try_from(ms).unwrap_or_default()));
    }
    let to_answer = Times::of(answers.get(WARM_UP..).unwrap_or_default());
    Ok(Single { to_mail: Times::of(&times), to_answer, others_percent })
}
