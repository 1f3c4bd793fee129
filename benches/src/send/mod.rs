//! How fast mail leaves, what that takes, and how exactly the account's rate is kept.
//!
//! The bundle runs in a process of its own, functions in theirs. Messages are queued while SES is
//! paused, so that what is measured after it goes on is the sender, with the feedback of what it sent.

mod handover;
mod held;
mod paced;
mod report;
mod shop;
mod through;

use crate::runner::{Runner, Scratch};
use anyhow::Context as _;
use report::Bundle;
pub(crate) use report::Report;
use std::path::Path;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Messages that go as fast as the machine can; 0 leaves that out.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    messages: usize,
    /// Rates of the account, in mails a second, of which the use is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [100.0, 14.0], value_name = "RATE")]
    rates: Vec<f64>,
    /// How long each of them is watched.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    seconds: u32,
    /// Mass mails that are queued meanwhile, if that is more than go out in this time.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    queued: usize,
    /// Clients that tell of customers at the same time.
    #[arg(long, default_value_t = 4, value_name = "N")]
    clients: usize,
    /// How long a call to AWS takes there, for what a function's time is billed. Here it takes less.
    #[arg(long, default_value_t = 5.0, value_name = "MS")]
    call_ms: f64,
    /// Keep everything in memory, where `cargo run -p local` keeps files unless told otherwise.
    #[arg(long)]
    memory: bool,
    /// Measure nothing but what handing finished mails over to SES takes, one a call or many.
    #[arg(long)]
    handover: bool,
    /// Most processes of one function.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_instances: usize,
}

pub(crate) async fn run(args: Args, template: &Path) -> anyhow::Result<Report> {
    if args.handover {
        // On a thread of its own, which is all that is counted.
        let handover = tokio::task::spawn_blocking(move || handover::run(&args)).await??;
        return Ok(Report::Handover(handover));
    }
    let mut report =
        Bundle { through: None, mailing: None, paced: Vec::new(), call_ms: args.call_ms, memory: args.memory };
    if args.messages > 0 {
        let (folder, runner) = start(&args, template, None).await?;
        let key = shop::open(&runner, args.messages, args.clients).await.context("the shop could not be set up")?;
        report.through = Some(through::held(&runner, &key, &args).await?);
        report.mailing = Some(through::mailing(&runner, &key, &args).await?);
        runner.stop().await?;
        drop(folder);
    }
    for &rate in &args.rates {
        let (folder, runner) = start(&args, template, Some(rate)).await?;
        let queued = args.queued.max((rate * f64::from(args.seconds) * 1.1).ceil() as usize);
        let key = shop::open(&runner, queued, args.clients).await.context("the shop could not be set up")?;
        report.paced.push(paced::run(&runner, &key, rate, queued, args.seconds).await?);
        runner.stop().await?;
        drop(folder);
    }
    Ok(Report::Bundle(Box::new(report)))
}

/// A bundle of its own: senders learn of another rate only by and by.
async fn start(args: &Args, template: &Path, rate: Option<f64>) -> anyhow::Result<(Scratch, Runner)> {
    let folder = Scratch::new();
    let data = (!args.memory).then(|| folder.path().to_owned());
    let runner = Runner::start_at(template, data.as_deref(), args.max_instances, rate).await?;
    Ok((folder, runner))
}
