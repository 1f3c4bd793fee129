//! Finding the members of new segments among many customers, through the whole bundle.

use super::Args;
use super::asked::{BUILT, built, nobody};
use super::customers::{self, History};
use super::shop::Shop;
use super::{engine, pure};
use crate::ingest::price::{Price, Share};
use crate::others::Others;
use crate::proc;
use crate::usage::{self, Cost};
use anyhow::{Context as _, ensure};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The function that goes through the customers.
const FUNCTION: &str = "backfill";
/// How often its memory is looked at.
const SAMPLE: Duration = Duration::from_millis(250);

/// Back-fills of one shop.
#[derive(Debug, Serialize)]
pub(crate) struct BackFills {
    pub(super) history: History,
    pub(super) customers: usize,
    /// How long it took to write the customers' rows.
    pub(super) loading_seconds: f64,
    pub(super) fills: Vec<BackFill>,
}

/// One back-fill; all but the first few figures are for one customer.
#[derive(Debug, Serialize)]
pub(crate) struct BackFill {
    pub(super) segments: usize,
    /// In how many of the segments a customer is, in the mean.
    pub(super) memberships_each: f64,
    /// From the last request to when everything is quiet.
    pub(super) seconds: f64,
    pub(super) customers_each_second: f64,
    /// The function that goes through the customers, and all that have a part in it.
    pub(super) itself: Share,
    pub(super) whole: Share,
    /// What ten million customers would cost, in dollars.
    pub(super) ten_million_usd: f64,
    pub(super) memory: Memory,
    pub(super) cost: Cost,
    /// What the machine did beside, in percent of one core.
    pub(super) others_percent: f64,
}

/// Resident memory of the largest process that went through the customers.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Memory {
    pub(super) samples: usize,
    pub(super) peak_mb: f64,
    /// In the mean over the first and the last quarter of the time.
    pub(super) first_quarter_mb: f64,
    pub(super) last_quarter_mb: f64,
}

pub(super) async fn run(args: &Args, template: &Path) -> anyhow::Result<BackFills> {
    let history = History { orders: args.orders, events: args.events };
    let mut shop = Shop::open(args, template, history).await.context("the shop could not be set up")?;
    let first = shop.models();
    let customers = args.customers.max(first);
    let loading_seconds = shop.copy(first, customers).await?;
    let mut fills = Vec::new();
    // One segment with nobody in it: what it takes to go through everybody.
    fills.push(measure(args, &mut shop, customers, &["nobody".to_owned()], vec![nobody(0)], 0.0).await?);
    let codes: Vec<String> = (0..BUILT).map(|number| format!("s-{number}")).collect();
    // While the first is being built the others wait; edited, it is built anew together with them.
    shop.put_segment(&codes[0], &nobody(1)).await?;
    shop.pause(&codes[0]).await.context("too few customers: a segment is built before it can be paused")?;
    for (code, condition) in codes.iter().zip(built()).skip(1) {
        shop.put_segment(code, &condition).await?;
    }
    shop.settle(Duration::from_millis(200)).await?;
    let expected = expected(&shop, customers)?;
    let memberships = expected.iter().sum::<usize>() as f64 / customers as f64;
    fills.push(measure(args, &mut shop, customers, &codes, vec![built().swap_remove(0)], memberships).await?);
    // It is no measurement if not everybody was found.
    for which in [0, 2] {
        let (found, wanted) = (shop.members(&codes[which]).await?, expected[which]);
        ensure!(found == wanted, "{found} customers are in segment {which} and not {wanted}");
    }
    shop.stop().await?;
    Ok(BackFills { history, customers, loading_seconds, fills })
}

/// How many customers are to be found in each segment, by the engine alone.
fn expected(shop: &Shop, customers: usize) -> anyhow::Result<Vec<usize>> {
    let (at, program) = (engine::at()?, pure::program()?);
    let history = shop.history;
    let mut expected = vec![0; program.len()];
    for model in 0..shop.models() {
        let rows = customers::rows(u32::try_from(model)?, history, at.now.checked_sub(super::shop::OFF)?)?;
        let held = pure::held(&program, &program.state(&rows.facts()?), &at);
        let copies = (model..customers).step_by(shop.models()).count();
        expected.iter_mut().zip(held).filter(|(_, held)| *held).for_each(|(expected, _)| *expected += copies);
    }
    Ok(expected)
}

/// Measures the building that begins when the first of these segments is defined so.
async fn measure(
    args: &Args,
    shop: &mut Shop,
    customers: usize,
    codes: &[String],
    conditions: Vec<serde_json::Value>,
    memberships_each: f64,
) -> anyhow::Result<BackFill> {
    let before = usage::now(&shop.runner, &mut shop.page).await?;
    let others = Others::watch(&shop.runner)?;
    let begun = Instant::now();
    for (code, condition) in codes.iter().zip(&conditions) {
        shop.put_segment(code, condition).await?;
    }
    let every = Duration::from_millis(if customers > 5_000 { 1_000 } else { 100 });
    let memory = watched(shop, every).await?;
    let seconds = begun.elapsed().as_secs_f64();
    for code in codes {
        shop.ensure_built(code).await?;
    }
    let others_percent = others.percent(&shop.runner)?;
    let cost = usage::now(&shop.runner, &mut shop.page).await?.cost(&before, customers);
    let price = Price { api_requests: 0.0, call_ms: args.call_ms };
    let itself = price.of(cost.functions.iter().filter(|cost| cost.name == FUNCTION));
    ensure!(itself.invocations > 0.0, "nothing was built");
    // What runs by the clock costs the same whatever there is; defining is a request or two.
    let apart = ["timers", "mass-messaging", "manage", "authorizer"];
    let whole = price.of(cost.functions.iter().filter(|cost| !apart.contains(&cost.name.as_str())));
    Ok(BackFill {
        segments: codes.len(),
        memberships_each,
        seconds,
        customers_each_second: customers as f64 / seconds,
        itself,
        whole,
        ten_million_usd: whole.usd_per_million.total * 10.0,
        memory,
        cost,
        others_percent,
    })
}

/// Waits until everything is quiet, looking at memory meanwhile.
async fn watched(shop: &mut Shop, every: Duration) -> anyhow::Result<Memory> {
    let done = AtomicBool::new(false);
    let process = shop.runner.process;
    let sampled = async {
        let mut samples = Vec::new();
        while !done.load(Ordering::Relaxed) {
            samples.extend(sample(process)?);
            tokio::time::sleep(SAMPLE).await;
        }
        anyhow::Ok(samples)
    };
    let settled = async {
        let settled = shop.settle(every).await;
        done.store(true, Ordering::Relaxed);
        settled
    };
    let (samples, settled) = futures::join!(sampled, settled);
    settled?;
    Ok(summed_up(&samples?))
}

/// Of the largest process, its memory now and the most that it has had; none if there is none.
fn sample(runner: u32) -> anyhow::Result<Option<[u64; 2]>> {
    let processes = proc::of_function(runner, FUNCTION)?.into_iter();
    let memory = processes.filter_map(|process| Some([proc::rss_bytes(process)?, proc::peak_bytes(process)?]));
    Ok(memory.reduce(|[now, peak], [other_now, other_peak]| [now.max(other_now), peak.max(other_peak)]))
}

fn summed_up(samples: &[[u64; 2]]) -> Memory {
    let quarter = samples.len().div_ceil(4);
    let mean = |samples: &[[u64; 2]]| {
        samples.iter().map(|[now, _]| *now as f64 / 1e6).sum::<f64>() / samples.len().max(1) as f64
    };
    Memory {
        samples: samples.len(),
        peak_mb: samples.iter().map(|[_, peak]| *peak).max().unwrap_or_default() as f64 / 1e6,
        first_quarter_mb: mean(samples.get(..quarter).unwrap_or_default()),
        last_quarter_mb: mean(samples.get(samples.len() - quarter..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_told_by_its_quarters_and_its_peak() {
        let samples: Vec<[u64; 2]> = (1..=8).map(|n| [n * 1_000_000, (n + 1) * 1_000_000]).collect();
        let memory = summed_up(&samples);
        assert_eq!((memory.samples, memory.peak_mb), (8, 9.0));
        assert_eq!((memory.first_quarter_mb, memory.last_quarter_mb), (1.5, 7.5));
        assert_eq!(summed_up(&[]).peak_mb, 0.0);
    }
}
