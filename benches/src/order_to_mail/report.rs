//! The figures, for people.

use super::idle::Idle;
use super::latency::Single;
use super::mailing::Mailing;
use super::sustained::Sustained;
use crate::stats::Times;
use crate::table::Table;
use crate::usage::Cost;
use serde::Serialize;
use std::fmt;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) single: Single,
    pub(super) sustained: Sustained,
    pub(super) mailing: Mailing,
    pub(super) idle: Option<Idle>,
    /// Whether the bundle kept nothing on the disk.
    pub(super) memory: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { single, sustained, mailing, idle, memory } = self;
        writeln!(f, "tables, queues and mailbox {}\n", if *memory { "in memory" } else { "in files" })?;
        let mut times = Table::new(["milliseconds", "count", "p50", "p95", "p99", "most"]);
        let mut row = |name: &str, of: &Times| {
            let [a, b, c, d] = [of.p50_ms, of.p95_ms, of.p99_ms, of.max_ms].map(|ms| format!("{ms:.1}"));
            times.row([name.to_owned(), of.count.to_string(), a, b, c, d]);
        };
        row("one at a time: order to mail", &single.to_mail);
        row("one at a time: order to answer", &single.to_answer);
        row("sustained: order to mail", &sustained.to_mail);
        row("sustained: order to answer", &sustained.to_answer);
        writeln!(f, "{times}")?;

        let mut flow =
            Table::new(["", "count", "seconds", "per second", "lost", "twice", "CPU ms each", "functions", "runner"]);
        let cpu = |cost: &Cost| [cost.cpu_ms, cost.functions_cpu_ms, cost.runner_cpu_ms].map(|ms| format!("{ms:.2}"));
        let [a, b, c] = cpu(&sustained.cost);
        flow.row([
            format!("orders of {} clients", sustained.clients),
            sustained.orders.to_string(),
            format!("{:.1}", sustained.seconds),
            format!("{:.0}", sustained.orders_per_second),
            sustained.lost.to_string(),
            sustained.twice.to_string(),
            a,
            b,
            c,
        ]);
        let [a, b, c] = cpu(&mailing.cost);
        flow.row([
            format!("a mailing (first after {:.2} s)", mailing.first_seconds),
            mailing.recipients.to_string(),
            format!("{:.1}", mailing.seconds),
            format!("{:.0}", mailing.mails_per_second),
            mailing.lost.to_string(),
            mailing.twice.to_string(),
            a,
            b,
            c,
        ]);
        writeln!(f, "{flow}")?;
        writeln!(f, "{}", costs("per order", &sustained.cost))?;
        writeln!(f, "{}", costs("per mail of the mailing", &mailing.cost))?;
        let [a, b, c] = [single.others_percent, sustained.others_percent, mailing.others_percent];
        writeln!(
            f,
            "meanwhile other processes took {a:.0}, {b:.0} and {c:.0} % of a core (one at a time, sustained, mailing)"
        )?;
        if let Some(idle) = idle {
            let Idle { seconds, processes, rss_mb, pss_mb, cpu_percent } = idle;
            writeln!(
                f,
                "idle: {processes} processes, {pss_mb:.1} MB ({rss_mb:.1} MB if shared pages count with each), \
                 {cpu_percent:.2} % of a core over {seconds:.0} s"
            )?;
        }
        writeln!(
            f,
            "aims: p50 of 40 ms; 200 orders/s; 500 mails/s; 10 ms of CPU an order, functions 4; 100 MB idle; none lost, none twice"
        )
    }
}

fn costs(of: &str, cost: &Cost) -> Table {
    let mut table = Table::new([of, "CPU ms", "invocations", "calls to AWS"]);
    for function in &cost.functions {
        let calls: Vec<String> = function.aws_calls.iter().map(|(call, count)| format!("{count:.2} {call}")).collect();
        let figures = [function.cpu_ms, function.invocations].map(|figure| format!("{figure:.2}"));
        let [cpu, invocations] = figures;
        table.row([function.name.clone(), cpu, invocations, calls.join(", ")]);
    }
    table
}
