//! What an order costs on its way to its mail, on the whole bundle.
//!
//! The bundle runs in a process of its own, functions in theirs, all as `cargo run --release -p local`
//! runs them. Orders come over the HTTP API; when a mail was sent is what SES's mailbox says.

mod idle;
mod latency;
pub(crate) mod mailbox;
mod mailing;
mod report;
pub(crate) mod shop;
mod sustained;

use crate::runner::{Runner, Scratch};
use anyhow::Context as _;
pub(crate) use report::Report;
use std::path::Path;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Orders of the sustained part.
    #[arg(long, default_value_t = 3_000, value_name = "N")]
    orders: usize,
    /// Clients of the sustained part.
    #[arg(long, default_value_t = 16, value_name = "N")]
    clients: usize,
    /// Orders that are sent one at a time.
    #[arg(long, default_value_t = 200, value_name = "N")]
    singles: usize,
    /// Customers, who are also the mailing's audience.
    #[arg(long, default_value_t = 5_000, value_name = "N")]
    customers: usize,
    /// For how long the idle bundle is watched, in seconds; 0 leaves it out.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    idle: u64,
    /// Keep everything in memory, where `cargo run -p local` keeps files unless told otherwise.
    #[arg(long)]
    memory: bool,
    /// Most processes of one function.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_instances: usize,
}

pub(crate) async fn run(args: Args, template: &Path) -> anyhow::Result<Report> {
    let folder = Scratch::new();
    let data = (!args.memory).then_some(folder.path());
    let runner = Runner::start(template, data, args.max_instances).await?;
    let report = measure(&args, &runner).await?;
    runner.stop().await?;
    Ok(report)
}

async fn measure(args: &Args, runner: &Runner) -> anyhow::Result<Report> {
    let key = shop::open(runner, args.customers, args.clients).await.context("the shop could not be set up")?;
    let single = latency::run(runner, &key, args.singles, args.customers).await?;
    let sustained = sustained::run(runner, &key, args).await?;
    let mailing = mailing::run(runner, &key, args.customers).await?;
    let idle = match args.idle {
        0 => None,
        seconds => Some(idle::run(runner, seconds).await?),
    };
    Ok(Report { single, sustained, mailing, idle, memory: args.memory })
}
