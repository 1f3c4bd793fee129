//! What processes take of the machine, where the system tells (Linux).

use std::fs;

/// Memory and processor time of a process, or of several together.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Usage {
    pub(super) memory_bytes: u64,
    pub(super) peak_memory_bytes: u64,
    pub(super) cpu_ms: u64,
}

/// Linux counts processor time in hundredths of a second, whatever it runs on.
const TICK_MS: u64 = 10;

/// `None` where there is no `/proc`, or no such process.
pub(super) fn of(process: u32) -> Option<Usage> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()
    };
    // The command's name is in parentheses and may hold anything; what follows it is numbers.
    let mut numbers =
        stat.rsplit_once(')')?.1.split_whitespace().skip(11).map(|n| n.parse::<u64>().unwrap_or_default());
    let ticks = numbers.next()? + numbers.next()?;
    Some(Usage {
        memory_bytes: kib("VmRSS:").unwrap_or_default() * 1024,
        peak_memory_bytes: kib("VmHWM:").unwrap_or_default() * 1024,
        cpu_ms: ticks * TICK_MS,
    })
}
