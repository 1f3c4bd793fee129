//! `cargo run --release -p benches`: how large the functions are, how quickly they start,
//! what an order costs on its way to a mail, what it costs to be told things, what segments cost,
//! and how fast mail leaves.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to whoever typed it")]

mod build;
mod cold_start;
mod http;
mod ingest;
mod order_to_mail;
mod others;
mod proc;
mod render;
mod runner;
mod segments;
mod send;
mod size;
mod stats;
mod table;
mod usage;

use build::Programs;
use clap::{Parser, Subcommand};
use serde::Serialize;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures the bundle that template.yaml describes.
#[derive(Debug, Parser)]
#[command(name = "benches")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// The template; functions/ is looked for beside it.
    #[arg(long, global = true, default_value = "template.yaml", value_name = "FILE")]
    template: PathBuf,
    /// Where cargo builds to.
    #[arg(long, global = true, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Measure the programs that are there.
    #[arg(long, global = true)]
    no_build: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bytes of each function's program, as it deploys.
    Size,
    /// From the start of a function's process to its first poll, and to its first answer.
    ColdStart(cold_start::Args),
    /// From an order's request to its mail; throughput, mailings, and what it costs when idle.
    OrderToMail(order_to_mail::Args),
    /// What a shop tells: requests a second, processor time, and what a million would cost on AWS.
    Ingest(ingest::Args),
    /// How quickly conditions are evaluated, and what segments cost that are kept up to date.
    Segments(segments::Args),
    /// How fast mail leaves, what that takes, and how exactly the account's rate is kept.
    Send(send::Args),
    /// How quickly mails are rendered, and templates compiled.
    Render(render::Args),
    /// Run the bundle until the standard input ends.
    #[command(hide = true)]
    Runner(runner::Args),
    /// Run one function's process. The runner starts it.
    #[command(hide = true)]
    Function {
        /// The function's name.
        name: String,
    },
}

fn main() -> ExitCode {
    run(Cli::parse()).unwrap_or_else(|e| {
        eprintln!("benches: {e:#}");
        ExitCode::FAILURE
    })
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let programs = Programs::new(&cli.template, cli.target_dir, !cli.no_build);
    match cli.command {
        Command::Size => show(&size::run(&programs?)?, cli.json),
        Command::ColdStart(args) => show(&wait(cold_start::run(args, &programs?, &cli.template))?, cli.json),
        Command::OrderToMail(args) => show(&wait(order_to_mail::run(args, &cli.template))?, cli.json),
        Command::Ingest(args) => show(&wait(ingest::run(args, &cli.template))?, cli.json),
        Command::Segments(args) => show(&wait(segments::run(args, &cli.template))?, cli.json),
        Command::Send(args) => show(&wait(send::run(args, &cli.template))?, cli.json),
        Command::Render(args) => show(&render::run(&args)?, cli.json),
        Command::Runner(args) => wait(runner::run(args, &cli.template)),
        Command::Function { name } => match local::linked::run(&name) {
            None => anyhow::bail!("there is no function {name}"),
            Some(Ok(())) => Ok(()),
            // The runner is gone: there is nobody to tell.
            Some(Err(_)) => return Ok(ExitCode::FAILURE),
        },
    }?;
    Ok(ExitCode::SUCCESS)
}

fn wait<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn show(report: &(impl Serialize + Display), json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
