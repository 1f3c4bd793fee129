//! At the account's rate, with order mail in between.

use super::held;
use crate::order_to_mail::{mailbox, shop};
use crate::others::Others;
use crate::runner::Runner;
use crate::stats::Times;
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use std::time::Duration;

/// How long order mail may take that was ordered last.
const LAST: Duration = Duration::from_secs(10);

/// What became of the rate.
#[derive(Debug, Serialize)]
pub(crate) struct Paced {
    /// What the account may send in a second.
    pub(crate) rate: f64,
    /// Mass mails that waited when it began.
    pub(crate) queued: usize,
    /// Over how long it was watched.
    pub(crate) seconds: f64,
    /// Mails in this time, order mail included.
    pub(crate) mails: usize,
    /// Of the rate.
    pub(crate) used_percent: f64,
    /// Mails that SES refused because they were too many in a second.
    pub(crate) too_fast: u64,
    /// The most in any second.
    pub(crate) most_in_a_second: usize,
    /// From an order's request to its mail.
    pub(crate) order_to_mail: Times,
    /// Orders without a mail when time was up.
    pub(crate) orders_lost: usize,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

pub(super) async fn run(runner: &Runner, key: &str, rate: f64, queued: usize, seconds: u32) -> anyhow::Result<Paced> {
    let mut api = runner.api(key).await?;
    let mut page = runner.page().await?;
    held::queue(runner, &mut api, "held", queued).await?;
    let taken = mailbox::count(&mut page).await?;
    let others = Others::watch(runner)?;
    held::release(runner).await?;
    mailbox::wait(&mut page, taken + 5, Duration::from_millis(20)).await?;
    let mut ordered = HashMap::new();
    let mut every = tokio::time::interval(Duration::from_secs(1));
    every.tick().await;
    for number in 0..seconds {
        every.tick().await;
        let id = format!("between-{number}");
        let now = page.get("/clock").await?["now"].clone();
        ordered.insert(id.clone(), now.as_str().context("the runner has no clock")?.parse::<Timestamp>()?);
        shop::order(&mut api, &id, number as usize % queued).await?;
    }
    tokio::time::sleep(LAST).await;
    let others_percent = others.percent(runner)?;
    let count = mailbox::count(&mut page).await? - taken;
    let mails = mailbox::newest(&mut page, count).await?;
    let to_mail: Vec<Duration> = mails
        .iter()
        .filter_map(|mail| Duration::try_from(mail.time.duration_since(*ordered.get(&mail.subject)?)).ok())
        .collect();
    let mut times: Vec<Timestamp> = mails.iter().map(|mail| mail.time).collect();
    times.sort();
    // Behind the one that was tried while all others waited.
    let first = *times.get(1).context("there were no mails")?;
    let end = first + SignedDuration::from_secs(seconds.into());
    times.retain(|time| *time >= first && *time < end);
    let span = times.last().map_or(0.0, |last| last.duration_since(first).as_secs_f64());
    let used = times.len().saturating_sub(1) as f64 / span.max(0.001);
    Ok(Paced {
        rate,
        queued,
        seconds: span,
        mails: times.len(),
        used_percent: used / rate * 100.0,
        too_fast: page.get("/ses").await?["too_fast"].as_u64().context("the runner does not count refusals")?,
        most_in_a_second: most_in_a_second(&times),
        orders_lost: ordered.len() - to_mail.len(),
        order_to_mail: Times::of(&to_mail),
        others_percent,
    })
}

/// The most of these, which are in order, that lie within any second.
fn most_in_a_second(times: &[Timestamp]) -> usize {
    let second = SignedDuration::from_secs(1);
    let within = |(at, time): (usize, &Timestamp)| at + 1 - times.partition_point(|earlier| *earlier <= *time - second);
    times.iter().enumerate().map(within).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holds_what_lies_less_than_a_second_apart() {
        let at = |ms: &[i64]| {
            let times: Vec<_> = ms.iter().map(|ms| Timestamp::from_millisecond(*ms).unwrap()).collect();
            most_in_a_second(&times)
        };
        assert_eq!(at(&[]), 0);
        assert_eq!(at(&[0, 1_000, 2_000]), 1);
        assert_eq!(at(&[0, 999, 1_000, 1_500, 1_998, 3_000]), 4);
    }
}
