//! The figures, for people.

use super::active::Active;
use super::asked::CONCERNED;
use super::backfill::{BackFill, BackFills};
use super::engine::Engine;
use super::pure::Pure;
use crate::table::Table;
use serde::Serialize;
use std::fmt;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) engine: Engine,
    pub(super) pure: Vec<Pure>,
    pub(super) active: Vec<Active>,
    pub(super) back_fills: Option<BackFills>,
    /// How long a call to AWS was taken to last there.
    pub(super) call_ms: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.engine)?;
        for pure in &self.pure {
            write!(f, "\n{}", stages(pure))?;
        }
        if !self.active.is_empty() {
            write!(f, "\n{}", changes(&self.active))?;
            let cost = |active: &Active| active.changes.iter().map(|change| change.cpu_ms).sum::<f64>();
            let concerned = self.active.iter().find(|active| active.segments == CONCERNED);
            if let (Some(few), Some(many)) = (concerned, self.active.last()) {
                let ratio = cost(many) / cost(few).max(f64::EPSILON);
                writeln!(
                    f,
                    "{} segments of which {CONCERNED} can turn cost {ratio:.2} times the CPU of those {CONCERNED} alone (aim: about 1)",
                    many.segments,
                )?;
            }
        }
        let Some(fills) = &self.back_fills else { return Ok(()) };
        write!(f, "\n{}", back_fills(fills))?;
        write!(f, "\n{}", shares(fills))?;
        for fill in &fills.fills {
            let heading = format!("{} segments, of a customer", fill.segments);
            write!(f, "\n{}", crate::ingest::functions(&heading, &fill.cost))?;
        }
        writeln!(
            f,
            "\nPrices are the list prices of us-east-1. A function's time is its processor time at its share of a processor, \
             {} ms for each call, and half a millisecond of rounding. Memory is of a process that has all functions and the \
             runner linked into it. Aim: flat, so the last quarter is about the first.",
            self.call_ms,
        )
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the three conditions hold for {:?} customers\n", self.held)?;
        let heading = format!("{} customers of 10 orders and 50 events, one core", self.customers);
        let mut table = Table::new([heading.as_str(), "ns each", "each/s", "aim"]);
        for speed in self.evaluations.iter().chain(&self.reading) {
            let aim = speed.aim_each_second.map(|aim| format!("{aim:.0}")).unwrap_or_default();
            table.row([speed.what.into(), format!("{:.0}", speed.ns), format!("{:.0}", speed.each_second), aim]);
        }
        writeln!(f, "{table}")?;
        let mut table = Table::new(["conditions at once", "read a customer, µs", "evaluate all, µs"]);
        for size in &self.programs {
            table.row([
                size.conditions.to_string(),
                format!("{:.1}", size.read_us),
                format!("{:.1}", size.evaluate_us),
            ]);
        }
        write!(f, "{table}")
    }
}

fn stages(pure: &Pure) -> Table {
    let heading = format!(
        "{} customers of {} orders and {} events × {} segments ({:.1} of them each), one core, from",
        pure.customers, pure.history.orders, pure.history.events, pure.segments, pure.memberships_each,
    );
    let mut table = Table::new([heading.as_str(), "µs a customer", "customers/s"]);
    for stage in &pure.stages {
        table.row([stage.from.into(), format!("{:.1}", stage.us), format!("{:.0}", stage.customers_each_second)]);
    }
    table
}

fn changes(active: &[Active]) -> Table {
    let mut table = Table::new([
        "a change",
        "active",
        "can turn",
        "CPU ms",
        "from",
        "to",
        "fan-out",
        "evaluate",
        "read units",
        "write units",
        "evaluations",
        "SQS requests",
        "$ a million",
        "others %",
    ]);
    for kind in 0..super::active::Kind::ALL.len() {
        for active in active {
            let Some(change) = active.changes.get(kind) else { continue };
            let figures = [
                change.cpu_ms,
                change.cpu_ms_from,
                change.cpu_ms_to,
                change.fan_out_cpu_ms,
                change.evaluate_cpu_ms,
                change.read_units,
                change.write_units,
                change.evaluations,
                change.sqs_requests,
                change.usd_per_million,
            ];
            let [a, b, c, d, e, g, h, i, j, k] = figures.map(|figure| format!("{figure:.2}"));
            let can_turn = if change.kind.is_asked_about() { active.concerned } else { 0 };
            let name = change.kind.name().to_owned();
            let others = format!("{:.0}", active.others_percent);
            table.row([name, active.segments.to_string(), can_turn.to_string(), a, b, c, d, e, g, h, i, j, k, others]);
        }
    }
    table
}

fn back_fills(fills: &BackFills) -> Table {
    let heading = format!(
        "{} customers of {} orders and {} events ({:.0} s to write them)",
        fills.customers, fills.history.orders, fills.history.events, fills.loading_seconds,
    );
    let mut table = Table::new([
        heading.as_str(),
        "in segments each",
        "seconds",
        "customers/s",
        "peak MB",
        "first quarter",
        "last quarter",
        "others %",
    ]);
    for fill in &fills.fills {
        let memory = &fill.memory;
        table.row([
            segments(fill),
            format!("{:.2}", fill.memberships_each),
            format!("{:.1}", fill.seconds),
            format!("{:.0}", fill.customers_each_second),
            format!("{:.1}", memory.peak_mb),
            format!("{:.1}", memory.first_quarter_mb),
            format!("{:.1}", memory.last_quarter_mb),
            format!("{:.0}", fill.others_percent),
        ]);
    }
    table
}

/// What a customer costs, and ten million do.
fn shares(fills: &BackFills) -> Table {
    let mut table = Table::new([
        "of a customer",
        "CPU ms",
        "of it backfill",
        "read units",
        "write units",
        "calls to AWS",
        "SQS requests",
        "$ reads, ten million",
        "writes",
        "function time",
        "total",
    ]);
    for fill in &fills.fills {
        let (of, dollars) = (&fill.whole, &fill.whole.usd_per_million);
        let [a, b] = [of.cpu_ms, fill.itself.cpu_ms].map(|ms| format!("{ms:.3}"));
        let counts = [of.read_units, of.write_units, of.aws_calls, of.sqs_requests];
        let [c, d, e, g] = counts.map(|count| format!("{count:.3}"));
        let ten_million = [dollars.dynamodb_reads, dollars.dynamodb_writes, dollars.function_time];
        let [h, i, j] = ten_million.map(|dollars| format!("{:.2}", dollars * 10.0));
        table.row([segments(fill), a, b, c, d, e, g, h, i, j, format!("{:.2}", fill.ten_million_usd)]);
    }
    table
}

fn segments(fill: &BackFill) -> String {
    match fill.segments {
        1 => "one segment that nobody is in".to_owned(),
        segments => format!("{segments} segments at once"),
    }
}
