//! What it takes to be told things, on the whole bundle: the function that is told, and all that
//! follows from it.
//!
//! The bundle runs in a process of its own, functions in theirs. What AWS would bill is counted by the
//! runner: request units of the tables, requests to SQS, invocations.

mod bodies;
mod kinds;
mod load;
pub(crate) mod price;
mod report;
mod shop;

use crate::runner::{Runner, Scratch};
use anyhow::Context as _;
use kinds::Kind;
use load::Measured;
pub(crate) use report::{Report, functions};
use std::path::Path;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// New orders, each in a request of its own.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    orders: usize,
    /// Web events, each in a request of its own.
    #[arg(long, default_value_t = 3_000, value_name = "N")]
    events: usize,
    /// Batches of 100 events, both of Segment's kind and of ours.
    #[arg(long, default_value_t = 50, value_name = "N")]
    batches: usize,
    /// Batches of 500 products.
    #[arg(long, default_value_t = 20, value_name = "N")]
    product_batches: usize,
    /// Feeds of 5,000 products.
    #[arg(long, default_value_t = 4, value_name = "N")]
    feeds: usize,
    /// Clients that send at the same time.
    #[arg(long, default_value_t = 8, value_name = "N")]
    clients: usize,
    /// Customers whom orders and events are of.
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    customers: usize,
    /// How long a call to AWS takes there, for what a function's time is billed. Here it takes less.
    #[arg(long, default_value_t = 5.0, value_name = "MS")]
    call_ms: f64,
    /// Only these kinds, by their names; all if left out.
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    only: Vec<Kind>,
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
    let key = shop::open(&runner, args.customers, args.clients).await.context("the shop could not be set up")?;
    let mut told = Vec::new();
    for kind in Kind::ALL {
        if args.only.is_empty() || args.only.contains(&kind) {
            told.push(measure(&args, &runner, &key, kind).await.with_context(|| kind.name().to_owned())?);
        }
    }
    runner.stop().await?;
    Ok(Report { told, call_ms: args.call_ms, memory: args.memory })
}

async fn measure(args: &Args, runner: &Runner, key: &str, kind: Kind) -> anyhow::Result<Measured> {
    let requests = match kind {
        Kind::Order => args.orders,
        Kind::Event => args.events,
        Kind::SegmentBatch | Kind::EventBatch | Kind::PageBatch => args.batches,
        Kind::ProductBatch => args.product_batches,
        Kind::Feed | Kind::FeedAgain => args.feeds,
    };
    let wanted = load::Wanted { kind, requests: requests.max(1), clients: args.clients, customers: args.customers };
    load::run(runner, key, wanted, args.call_ms).await
}
