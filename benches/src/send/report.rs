//! The figures, for people.

use super::handover::Handover;
use super::paced::Paced;
use super::through::Through;
use crate::ingest::functions;
use crate::table::Table;
use serde::Serialize;
use std::fmt;

/// What was measured.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Report {
    /// The sender in the bundle.
    Bundle(Box<Bundle>),
    /// The calls to SES alone.
    Handover(Handover),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(bundle) => bundle.fmt(f),
            Self::Handover(handover) => handover.fmt(f),
        }
    }
}

/// What was measured of the sender in the bundle.
#[derive(Debug, Serialize)]
pub(crate) struct Bundle {
    /// Messages that were queued before.
    pub(super) through: Option<Through>,
    /// A mailing from its definition.
    pub(super) mailing: Option<Through>,
    pub(super) paced: Vec<Paced>,
    /// How long a call to AWS was taken to last there.
    pub(super) call_ms: f64,
    /// Whether the bundle kept nothing on the disk.
    pub(super) memory: bool,
}

impl fmt::Display for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "tables, queues and mailbox {}\n", if self.memory { "in memory" } else { "in files" })?;
        let fast: Vec<(&str, &Through)> =
            [("queued messages", self.through.as_ref()), ("a mailing, from its definition", self.mailing.as_ref())]
                .into_iter()
                .filter_map(|(name, of)| Some((name, of?)))
                .collect();
        if !fast.is_empty() {
            writeln!(f, "{}", speeds(&fast))?;
            writeln!(f, "{}", takes(&fast))?;
            for (name, of) in &fast {
                writeln!(f, "{}", functions(name, &of.cost))?;
            }
        }
        if !self.paced.is_empty() {
            writeln!(f, "{}", rates(&self.paced))?;
        }
        writeln!(
            f,
            "Prices are the list prices of us-east-1, SES's own not among them, nor the time that senders wait for \
             their turn. A function's time is its processor time at its share of a processor, {} ms for each call, and \
             half a millisecond of rounding.",
            self.call_ms,
        )?;
        writeln!(
            f,
            "aims: 1.5 ms of CPU a message, by functions; $5 a million beyond SES; 95 % of the rate and none over it; \
             order mail within 5 s"
        )
    }
}

fn speeds(of: &[(&str, &Through)]) -> Table {
    let mut table = Table::new(["", "messages", "seconds", "per second", "lost or twice", "others %"]);
    for (name, of) in of {
        table.row([
            (*name).to_owned(),
            of.messages.to_string(),
            format!("{:.1}", of.seconds),
            format!("{:.0}", of.per_second),
            of.lost_or_twice.to_string(),
            format!("{:.0}", of.others_percent),
        ]);
    }
    table
}

fn takes(of: &[(&str, &Through)]) -> Table {
    let mut table = Table::new([
        "for one message",
        "CPU ms",
        "calls to AWS",
        "write units",
        "read units",
        "SQS requests",
        "$ a million",
        "writes",
        "reads",
        "SQS",
        "functions",
    ]);
    for (name, of) in of {
        for (by, share) in [("the sender", &of.sender), ("all functions", &of.whole)] {
            let dollars = &share.usd_per_million;
            let figures = [share.cpu_ms, share.aws_calls, share.write_units, share.read_units, share.sqs_requests];
            let [cpu, calls, writes, reads, sqs] = figures.map(|figure| format!("{figure:.2}"));
            let functions = dollars.invocations + dollars.function_time;
            let figures = [dollars.total, dollars.dynamodb_writes, dollars.dynamodb_reads, dollars.sqs, functions];
            let [total, for_writes, for_reads, for_sqs, for_functions] = figures.map(|figure| format!("{figure:.2}"));
            let name = format!("{name}: {by}");
            table.row([name, cpu, calls, writes, reads, sqs, total, for_writes, for_reads, for_sqs, for_functions]);
        }
    }
    table
}

fn rates(of: &[Paced]) -> Table {
    let mut table = Table::new([
        "mails a second",
        "queued",
        "seconds",
        "mails",
        "used %",
        "refused",
        "most in a second",
        "order to mail: p50 ms",
        "p95",
        "most",
        "orders lost",
        "others %",
    ]);
    for of in of {
        table.row([
            of.rate.to_string(),
            of.queued.to_string(),
            format!("{:.1}", of.seconds),
            of.mails.to_string(),
            format!("{:.1}", of.used_percent),
            of.too_fast.to_string(),
            of.most_in_a_second.to_string(),
            format!("{:.0}", of.order_to_mail.p50_ms),
            format!("{:.0}", of.order_to_mail.p95_ms),
            format!("{:.0}", of.order_to_mail.max_ms),
            of.orders_lost.to_string(),
            format!("{:.0}", of.others_percent),
        ]);
    }
    table
}
