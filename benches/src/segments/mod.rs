//! Conditions, and the segments that are made of them: in the engine alone, and in the whole bundle.
//!
//! The bundle runs in a process of its own, functions in theirs, as `cargo run --release -p local` runs
//! them. A hundred customers are told over the HTTP API; all others are copies of their rows under
//! other ids, written into the bundle's table, as to tell of millions of things would take hours.

mod active;
mod asked;
mod backfill;
mod customers;
mod engine;
mod pure;
mod report;
mod shop;

use customers::History;
pub(crate) use report::Report;
use std::path::Path;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Customers of the engine's part, each with 10 orders and 50 events of their own.
    #[arg(long, default_value_t = 500, value_name = "N")]
    engine_customers: u32,
    /// Rounds of the engine's part, of which the median counts.
    #[arg(long, default_value_t = 9, value_name = "N")]
    rounds: usize,
    /// Only the engine, and no bundle.
    #[arg(long)]
    engine_only: bool,
    /// How many segments are active when a change is measured; several, with commas.
    #[arg(long, value_delimiter = ',', default_values_t = [0, 1, 10, 100, 1_000], value_name = "N")]
    active: Vec<usize>,
    /// Changes of each kind in a round; 0 leaves these out.
    #[arg(long, default_value_t = 60, value_name = "N")]
    changes: usize,
    /// Rounds of changes, of which the median counts.
    #[arg(long, default_value_t = 5, value_name = "N")]
    active_rounds: usize,
    /// Customers of the back-fills; 0 leaves these out.
    #[arg(long, default_value_t = 20_000, value_name = "N")]
    customers: usize,
    /// Orders of each of them in the bundle. In the engine it is 10, too.
    #[arg(long, default_value_t = 2, value_name = "N")]
    orders: u32,
    /// Events of each of them in the bundle. In the engine it is 50, too.
    #[arg(long, default_value_t = 5, value_name = "N")]
    events: u32,
    /// Clients that send at the same time.
    #[arg(long, default_value_t = 8, value_name = "N")]
    clients: usize,
    /// How long a call to AWS takes there, for what a function's time is billed. Here it takes less.
    #[arg(long, default_value_t = 5.0, value_name = "MS")]
    call_ms: f64,
    /// Keep everything in memory, where `cargo run -p local` keeps files unless told otherwise.
    #[arg(long)]
    memory: bool,
    /// Most processes of one function.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_instances: usize,
}

pub(crate) async fn run(args: Args, template: &Path) -> anyhow::Result<Report> {
    // What else would run takes nothing of the one core.
    let engine = engine::run(&args)?;
    let mut report = Report { engine, pure: Vec::new(), active: Vec::new(), back_fills: None, call_ms: args.call_ms };
    if args.customers > 0 {
        for history in [History::FULL, History { orders: args.orders, events: args.events }] {
            report.pure.push(pure::run(history, args.customers)?);
        }
    }
    if args.engine_only {
        return Ok(report);
    }
    if args.changes > 0 {
        report.active = active::run(&args, template).await?;
    }
    if args.customers > 0 {
        report.back_fills = Some(backfill::run(&args, template).await?);
    }
    Ok(report)
}
