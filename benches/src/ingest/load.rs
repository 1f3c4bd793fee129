//! Requests of one kind from several clients, and what they took.

use super::kinds::Kind;
use super::price::{Price, Share};
use crate::http::Client;
use crate::others::Others;
use crate::runner::{self, Runner};
use crate::stats::Times;
use crate::usage::{self, Cost, FunctionCost};
use anyhow::{bail, ensure};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What is sent.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) requests: usize,
    pub(super) clients: usize,
    pub(super) customers: usize,
}

/// What things of one kind come to; all but the first few figures are for one of them.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) kind: Kind,
    pub(crate) name: &'static str,
    pub(crate) requests: usize,
    /// How many are in one request.
    pub(crate) in_one: usize,
    pub(crate) clients: usize,
    /// Until the last was answered.
    pub(crate) seconds: f64,
    pub(crate) requests_per_second: f64,
    /// Until everything that follows was done too.
    pub(crate) whole_seconds: f64,
    pub(crate) to_answer: Times,
    /// Processor time of the functions that were asked, for a whole request.
    pub(crate) cpu_ms_per_request: f64,
    /// The functions that were asked, the authorizer with them.
    pub(crate) itself: Share,
    /// And all functions that follow.
    pub(crate) whole: Share,
    pub(crate) cost: Cost,
    /// What the machine did beside, in percent of one core.
    pub(crate) others_percent: f64,
}

/// # Errors
/// The route is not there, or something was not taken.
pub(super) async fn run(runner: &Runner, key: &str, wanted: Wanted, call_ms: f64) -> anyhow::Result<Measured> {
    let Wanted { kind, requests, .. } = wanted;
    let mut page = runner.page().await?;
    // Numbers that the others do not have, for what comes a second time is not new.
    send(runner, key, Wanted { requests: kind.warm_up(), ..wanted }, 1_000_000).await?;
    runner::quiet(&mut page).await?;
    let before = usage::now(runner, &mut page).await?;
    let others = Others::watch(runner)?;
    let begun = Instant::now();
    let sent = send(runner, key, wanted, 0).await?;
    let seconds = begun.elapsed().as_secs_f64().max(0.001);
    runner::quiet(&mut page).await?;
    let whole_seconds = begun.elapsed().as_secs_f64();
    let others_percent = others.percent(runner)?;
    let in_one = kind.in_one();
    let used = usage::now(runner, &mut page).await?;
    check_imports(runner, key, &sent, in_one).await?;
    let cost = used.cost(&before, requests * in_one);
    // 512 KB of a request are billed as one.
    let billed: usize = sent.iter().map(|sent| sent.bytes.div_ceil(512 * 1024).max(1)).sum();
    let per_million = Price { api_requests: billed as f64 / (requests * in_one) as f64, call_ms };
    let part = |which: fn(&FunctionCost) -> bool| per_million.of(cost.functions.iter().filter(|cost| which(cost)));
    let itself = part(|cost| {
        ["ingest-", "import-"].iter().any(|prefix| cost.name.starts_with(prefix)) || cost.name == "authorizer"
    });
    // What runs by the clock costs the same whatever comes in.
    let whole = part(|cost| !matches!(cost.name.as_str(), "timers" | "mass-messaging"));
    Ok(Measured {
        kind,
        name: kind.name(),
        requests,
        in_one,
        clients: wanted.clients.max(1),
        seconds,
        requests_per_second: requests as f64 / seconds,
        whole_seconds,
        to_answer: Times::of(&sent.iter().map(|sent| sent.answered).collect::<Vec<_>>()),
        cpu_ms_per_request: itself.cpu_ms * in_one as f64,
        itself,
        whole,
        cost,
        others_percent,
    })
}

struct Sent {
    answered: Duration,
    bytes: usize,
    /// Of what is worked on after the answer.
    import: Option<String>,
}

async fn send(runner: &Runner, key: &str, wanted: Wanted, first: usize) -> anyhow::Result<Vec<Sent>> {
    let next = AtomicUsize::new(0);
    let clients = (0..wanted.clients.max(1)).map(|_| client(runner, key, wanted, first, &next));
    Ok(futures::future::try_join_all(clients).await?.into_iter().flatten().collect())
}

async fn client(
    runner: &Runner,
    key: &str,
    wanted: Wanted,
    first: usize,
    next: &AtomicUsize,
) -> anyhow::Result<Vec<Sent>> {
    let mut api: Client =
        if wanted.kind.is_segments() { runner.api_basic(key).await? } else { runner.api(key).await? };
    let mut sent = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= wanted.requests {
            return Ok(sent);
        }
        let shot = wanted.kind.shot(first + number, wanted.customers);
        let bytes = shot.body.len();
        let begun = Instant::now();
        let (status, answer) = api.shoot(shot).await?;
        let answered = begun.elapsed();
        sent.push(Sent { answered, bytes, import: check(status, &answer)? });
    }
}

/// That everything was taken, each part of a batch too; the import's id, if it is one.
fn check(status: u16, answer: &Bytes) -> anyhow::Result<Option<String>> {
    ensure!(status < 300, "answered {status}: {}", String::from_utf8_lossy(answer));
    if !matches!(status, 202 | 207) {
        return Ok(None);
    }
    let answer: Value = serde_json::from_slice(answer)?;
    let mut items = answer["items"].as_array().into_iter().flatten();
    match items.find(|item| item["status"].as_u64().is_none_or(|status| status >= 300)) {
        Some(item) => bail!("part of a batch was answered {item}"),
        None => Ok(answer["id"].as_str().map(str::to_owned)),
    }
}

/// That every row of every import was taken.
async fn check_imports(runner: &Runner, key: &str, sent: &[Sent], rows: usize) -> anyhow::Result<()> {
    let mut api = runner.api(key).await?;
    for id in sent.iter().filter_map(|sent| sent.import.as_ref()) {
        let import = api.get(&format!("/v1/products/import/{id}")).await?;
        let taken = import["rows"]["read"] == rows && import["faults"].as_array().is_none_or(Vec::is_empty);
        ensure!(taken && import["ended_at"].is_string(), "an import came to {import}");
    }
    Ok(())
}
