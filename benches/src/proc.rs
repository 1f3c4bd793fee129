//! What processes take of the machine, as Linux tells it.

use anyhow::Context as _;
use std::fs;
use std::time::Duration;

/// Linux counts processor time in hundredths of a second, whatever it runs on.
const TICK_MS: u64 = 10;

/// Processor time of a process alone, in milliseconds.
pub(crate) fn cpu_ms(process: u32) -> anyhow::Result<u64> {
    let [user, system, ..] = times(process)?;
    Ok(user + system)
}

/// Processor time of a process, of its children now, and of those that have ended, in milliseconds.
pub(crate) fn tree_cpu_ms(process: u32) -> anyhow::Result<u64> {
    let mut sum: u64 = times(process)?.iter().sum();
    for child in children(process)? {
        // One that ends right now is counted with its parent the next time.
        sum += cpu_ms(child).unwrap_or_default();
    }
    Ok(sum)
}

/// Processor time of everything on the machine since it was started, in milliseconds.
pub(crate) fn machine_busy_ms() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu ")).context("an unknown form of /proc")?;
    let ticks: Vec<u64> = line.split_whitespace().map(|ticks| ticks.parse().unwrap_or_default()).collect();
    // User, nice, system, then idle and waiting for the disk, then interrupts; guests are in the first two.
    let busy = ticks.iter().enumerate().filter(|(place, _)| ![3, 4].contains(place) && *place < 8);
    Ok(busy.map(|(_, ticks)| ticks * TICK_MS).sum())
}

/// Memory of a process and its children now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    pub(crate) processes: usize,
    /// Pages that several of them share are counted with each.
    pub(crate) rss_bytes: u64,
    /// Pages that several share are divided among them: the sum is what they take in all.
    pub(crate) pss_bytes: u64,
}

pub(crate) fn tree_memory(process: u32) -> anyhow::Result<Memory> {
    let mut sum = Memory::default();
    for process in children(process)?.into_iter().chain([process]) {
        let Ok(rollup) = fs::read_to_string(format!("/proc/{process}/smaps_rollup")) else { continue };
        sum.processes += 1;
        sum.rss_bytes += kib(&rollup, "Rss:").unwrap_or_default() * 1024;
        sum.pss_bytes += kib(&rollup, "Pss:").unwrap_or_default() * 1024;
    }
    Ok(sum)
}

/// The most memory that a process has had, in bytes.
pub(crate) fn peak_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(kib(&status, "VmHWM:")? * 1024)
}

/// Processor time of a process so far, in microseconds. The scheduler's own account of each
/// thread: finer than hundredths of a second.
pub(crate) fn fine_cpu_us(process: u32) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let nanoseconds = threads.filter_map(|thread| {
        let account = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        account.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(nanoseconds.sum::<u64>() / 1000)
}

/// How long the thread that asks has had a processor, by the scheduler's own account.
pub(crate) fn thread_cpu() -> anyhow::Result<Duration> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().context("/proc/thread-self/schedstat is empty")?;
    Ok(Duration::from_nanos(nanoseconds.parse()?))
}

/// The processes of one function that a runner has now.
pub(crate) fn of_function(runner: u32, name: &str) -> anyhow::Result<Vec<u32>> {
    let is_its = |process: &u32| {
        let words = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let mut words = words.split(|byte| *byte == 0).skip_while(|word| *word != b"function");
        words.nth(1) == Some(name.as_bytes())
    };
    Ok(children(runner)?.into_iter().filter(is_its).collect())
}

/// Memory of a process now, in bytes.
pub(crate) fn rss_bytes(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    Some(kib(&status, "VmRSS:")? * 1024)
}

fn children(process: u32) -> anyhow::Result<Vec<u32>> {
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        // A child belongs to the thread that started it.
        let text = fs::read_to_string(thread?.path().join("children")).unwrap_or_default();
        children.extend(text.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
    }
    Ok(children)
}

/// User and system time, its own and that of children that have ended.
fn times(process: u32) -> anyhow::Result<[u64; 4]> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the process has ended")?;
    // The command's name is in parentheses and may hold anything; what follows it is numbers.
    let numbers = stat.rsplit_once(')').context("an unknown form of /proc")?.1.split_whitespace().skip(11);
    let mut times = [0; 4];
    for (time, text) in times.iter_mut().zip(numbers) {
        *time = text.parse::<u64>()? * TICK_MS;
    }
    Ok(times)
}

fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
