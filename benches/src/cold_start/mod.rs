//! How quickly a function's process starts: to its first poll, and to its first answer.
//!
//! The processes are those that deploy. The Runtime API is a small server in this program. To the
//! first poll they are started as on AWS, where setting up TLS is part of it; to the first answer
//! with the AWS of a bundle in memory, over plain HTTP, so that the answers are real but the way
//! to AWS is not in them.

mod event;
mod process;
mod runtime_api;

use crate::build::Programs;
use crate::stats::Times;
use crate::table::Table;
use anyhow::Context as _;
use local::{Bundle, Options};
use process::Started;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What is to be reached at the median, in milliseconds.
const AIM_POLL_MS: f64 = 15.0;
const AIM_ANSWER_MS: f64 = 20.0;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often each function is started.
    #[arg(long, default_value_t = 50, value_name = "N")]
    runs: usize,
    /// Only this function.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// Every function's start.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    functions: Vec<Start>,
    aim_poll_ms: f64,
    aim_answer_ms: f64,
}

#[derive(Debug, Serialize)]
struct Start {
    name: String,
    first_poll: Times,
    first_answer: Times,
    /// Processor time to the first answer, at the median, in milliseconds.
    cpu_ms: f64,
    /// The most memory any of the processes had.
    peak_bytes: u64,
}

pub(crate) async fn run(args: Args, programs: &Programs, template: &Path) -> anyhow::Result<Report> {
    programs.built()?;
    let bundle = Bundle::start(Options::new(template)).await?;
    let mut functions = Vec::new();
    for name in programs.names().iter().filter(|name| args.only.as_ref().is_none_or(|only| only == *name)) {
        let functions_of = &bundle.description().functions;
        let function = functions_of.iter().find(|function| &function.name == name);
        let function = function.with_context(|| format!("the template has no function {name}"))?;
        let program = programs.program(name)?;
        let event = event::first(name, template)?;
        let mut starts = Vec::new();
        // The first start reads the program from the disk; on Lambda that is not the process's doing.
        for _ in 0..=args.runs {
            starts.push(process::start(&program, function, &event, &bundle).await?);
        }
        functions.push(summed_up(name, &starts[1..]));
    }
    bundle.stop().await;
    Ok(Report { functions, aim_poll_ms: AIM_POLL_MS, aim_answer_ms: AIM_ANSWER_MS })
}

fn summed_up(name: &str, starts: &[Started]) -> Start {
    let times = |time: fn(&Started) -> Duration| Times::of(&starts.iter().map(time).collect::<Vec<_>>());
    Start {
        name: name.to_owned(),
        first_poll: times(|start| start.poll),
        first_answer: times(|start| start.answer),
        cpu_ms: times(|start| start.taken.cpu).p50_ms,
        peak_bytes: starts.iter().map(|start| start.taken.peak_bytes).max().unwrap_or_default(),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["function", "poll p50", "p95", "answer p50", "p95", "CPU ms", "peak MB"];
        let mut table = Table::new(heading);
        for start in &self.functions {
            let (poll, answer) = (start.first_poll, start.first_answer);
            let times = [poll.p50_ms, poll.p95_ms, answer.p50_ms, answer.p95_ms, start.cpu_ms];
            let [a, b, c, d, e] = times.map(|ms| format!("{ms:.1}"));
            table.row([start.name.clone(), a, b, c, d, e, format!("{:.1}", start.peak_bytes as f64 / 1e6)]);
        }
        writeln!(f, "{table}milliseconds from the process's start")?;
        writeln!(
            f,
            "aim at the median: {} ms to the first poll, {} ms to the first answer",
            self.aim_poll_ms, self.aim_answer_ms
        )
    }
}
