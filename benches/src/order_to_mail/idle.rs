//! What the bundle takes while nobody wants anything of it.

use crate::proc;
use crate::runner::{self, Runner};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Processes without work are ended after a minute; a look every ten seconds finds them.
const REAPED: Duration = Duration::from_secs(75);

/// The whole bundle: the runner and whatever processes of functions are left.
#[derive(Debug, Serialize)]
pub(crate) struct Idle {
    pub(crate) seconds: f64,
    pub(crate) processes: usize,
    /// Resident, shared pages counted with each process.
    pub(crate) rss_mb: f64,
    /// Resident, shared pages divided among those who share them.
    pub(crate) pss_mb: f64,
    /// Of one core. Schedules go on meanwhile.
    pub(crate) cpu_percent: f64,
}

pub(super) async fn run(runner: &Runner, seconds: u64) -> anyhow::Result<Idle> {
    runner::quiet(&mut runner.page().await?).await?;
    tokio::time::sleep(REAPED).await;
    let (begun, before) = (Instant::now(), proc::tree_cpu_ms(runner.process)?);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let used = proc::tree_cpu_ms(runner.process)?.saturating_sub(before);
    let took = begun.elapsed().as_secs_f64();
    let memory = proc::tree_memory(runner.process)?;
    Ok(Idle {
        seconds: took,
        processes: memory.processes,
        rss_mb: memory.rss_bytes as f64 / 1e6,
        pss_mb: memory.pss_bytes as f64 / 1e6,
        cpu_percent: used as f64 / 10.0 / took,
    })
}
