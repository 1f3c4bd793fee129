//! How busy the machine was with something else: a figure that was measured beside a compiler is
//! worth less.

use crate::proc;
use crate::runner::Runner;
use std::time::Instant;

/// Watches from when it is made.
pub(crate) struct Others {
    begun: Instant,
    busy_ms: u64,
    own_ms: u64,
}

impl Others {
    pub(crate) fn watch(runner: &Runner) -> anyhow::Result<Self> {
        Ok(Self { begun: Instant::now(), busy_ms: proc::machine_busy_ms()?, own_ms: own_ms(runner)? })
    }

    /// Processor time of all other processes since, in percent of one core.
    pub(crate) fn percent(&self, runner: &Runner) -> anyhow::Result<f64> {
        let busy = proc::machine_busy_ms()?.saturating_sub(self.busy_ms);
        let own = own_ms(runner)?.saturating_sub(self.own_ms);
        Ok(busy.saturating_sub(own) as f64 / 10.0 / self.begun.elapsed().as_secs_f64().max(0.001))
    }
}

fn own_ms(runner: &Runner) -> anyhow::Result<u64> {
    Ok(proc::tree_cpu_ms(runner.process)? + proc::cpu_ms(std::process::id())?)
}
