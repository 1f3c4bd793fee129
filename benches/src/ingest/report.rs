//! The figures, for people.

use super::load::Measured;
use super::price::Share;
use crate::table::Table;
use crate::usage::Cost;
use serde::Serialize;
use std::fmt;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) told: Vec<Measured>,
    /// How long a call to AWS was taken to last there.
    pub(super) call_ms: f64,
    /// Whether the bundle kept nothing on the disk.
    pub(super) memory: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tables, queues and mailbox {}\n", if self.memory { "in memory" } else { "in files" })?;
        writeln!(f, "{}", self.load())?;
        writeln!(f, "{}", self.shares("counted for one, by the function that is told", |told| &told.itself))?;
        writeln!(f, "{}", self.shares("… and with all that follows", |told| &told.whole))?;
        writeln!(f, "{}", self.prices("dollars a million, by the function that is told", |told| &told.itself))?;
        writeln!(f, "{}", self.prices("… and with all that follows", |told| &told.whole))?;
        for told in &self.told {
            writeln!(f, "{}", functions(told.name, &told.cost))?;
        }
        writeln!(
            f,
            "Prices are the list prices of us-east-1; mails and stored gigabytes are not in them. A function's time is its \
             processor time at its share of a processor, {} ms for each call, and half a millisecond of rounding.",
            self.call_ms,
        )?;
        writeln!(
            f,
            "aims: 1 ms of CPU an order, 0.3 ms an event in a batch; 4 write units an order, 1 an event beyond its size"
        )
    }
}

impl Report {
    fn load(&self) -> Table {
        let mut table = Table::new([
            "",
            "requests",
            "in one",
            "requests/s",
            "each/s",
            "… done with",
            "p50 ms",
            "p99 ms",
            "CPU ms a request",
            "CPU ms each",
            "with all",
            "others %",
        ]);
        for told in &self.told {
            table.row([
                told.name.to_owned(),
                told.requests.to_string(),
                told.in_one.to_string(),
                format!("{:.0}", told.requests_per_second),
                format!("{:.0}", told.requests_per_second * told.in_one as f64),
                format!("{:.0}", (told.requests * told.in_one) as f64 / told.whole_seconds),
                format!("{:.1}", told.to_answer.p50_ms),
                format!("{:.1}", told.to_answer.p99_ms),
                format!("{:.2}", told.cpu_ms_per_request),
                format!("{:.3}", told.itself.cpu_ms),
                format!("{:.3}", told.whole.cpu_ms),
                format!("{:.0}", told.others_percent),
            ]);
        }
        table
    }

    fn shares(&self, heading: &str, share: fn(&Measured) -> &Share) -> Table {
        let mut table = Table::new([
            heading,
            "write units",
            "read units",
            "SQS requests",
            "invocations",
            "calls to AWS",
            "ms here",
            "ms billed",
        ]);
        for told in &self.told {
            let Share { write_units, read_units, sqs_requests, invocations, aws_calls, .. } = *share(told);
            let [a, b, c, d, e] =
                [write_units, read_units, sqs_requests, invocations, aws_calls].map(|count| format!("{count:.3}"));
            let [g, h] = [share(told).billed_ms_here, share(told).billed_ms].map(|ms| format!("{ms:.2}"));
            table.row([told.name.to_owned(), a, b, c, d, e, g, h]);
        }
        table
    }

    fn prices(&self, heading: &str, share: fn(&Measured) -> &Share) -> Table {
        let mut table =
            Table::new([heading, "HTTP API", "invocations", "function time", "writes", "reads", "SQS", "total"]);
        for told in &self.told {
            let of = share(told).usd_per_million;
            let prices = [
                of.http_api,
                of.invocations,
                of.function_time,
                of.dynamodb_writes,
                of.dynamodb_reads,
                of.sqs,
                of.total,
            ];
            let [a, b, c, d, e, g, h] = prices.map(|dollars| format!("{dollars:.2}"));
            table.row([told.name.to_owned(), a, b, c, d, e, g, h]);
        }
        table
    }
}

/// What one takes in each function, and of which tables.
pub(crate) fn functions(heading: &str, cost: &Cost) -> Table {
    let mut table = Table::new([heading, "CPU ms", "invocations", "write units", "read units", "calls to AWS"]);
    for function in &cost.functions {
        let units = |of: fn(&crate::usage::Units) -> f64| {
            let tables = function.dynamodb.iter().filter(|(_, units)| of(units) > 0.0);
            tables.map(|(table, units)| format!("{:.2} {table}", of(units))).collect::<Vec<_>>().join(", ")
        };
        let calls: Vec<String> = function.aws_calls.iter().map(|(call, count)| format!("{count:.2} {call}")).collect();
        table.row([
            function.name.clone(),
            format!("{:.3}", function.cpu_ms),
            format!("{:.3}", function.invocations),
            units(|units| units.write_units),
            units(|units| units.read_units),
            calls.join(", "),
        ]);
    }
    table
}
