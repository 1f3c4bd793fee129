//! `cargo run -p local`: the whole bundle on one machine.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to whoever typed it")]

mod cli;

use clap::Parser as _;
use cli::{Cli, Command};
use local::shop::{self, Demo, Mail};
use local::{Bundle, InvokeError, Options};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Function { name }) => function(&name),
        Some(Command::Demo { json, what }) => run(async || demo(json, what.options()).await),
        Some(Command::Invoke { function, event, what }) => {
            run(async || invoke(&function, &event, what.options()).await)
        }
        Some(Command::Serve(serve)) => run(async || self::serve(serve.options()).await),
        None => run(async || self::serve(cli.serve.options()).await),
    };
    result.unwrap_or_else(|e| {
        eprintln!("local: {e:#}");
        ExitCode::FAILURE
    })
}

fn run(work: impl AsyncFnOnce() -> anyhow::Result<ExitCode>) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work())
}

fn function(name: &str) -> anyhow::Result<ExitCode> {
    match local::linked::run(name) {
        None => anyhow::bail!("there is no function {name}"),
        Some(Ok(())) => Ok(ExitCode::SUCCESS),
        // The runner is gone: there is nobody to tell.
        Some(Err(_)) => Ok(ExitCode::FAILURE),
    }
}

async fn serve(options: Options) -> anyhow::Result<ExitCode> {
    let folder = options.data.clone();
    let bundle = Bundle::start(options).await?;
    let shop = shop::opened(&bundle, folder.as_deref()).await?;
    println!("Cartwire runs. Stop it with Ctrl-C.\n");
    println!("  the page   {}   mails, functions, queues, clock", bundle.page_url());
    println!("  HTTP API   {}", bundle.api_url());
    println!("  API key    {}", shop.key());
    println!("  AWS        {}   for SDKs and command lines\n", bundle.endpoint_url());
    println!("Place an order, then look at the mailbox:\n\n{}\n", curl(&bundle.api_url(), shop.key()));
    interrupted().await?;
    println!("stopping");
    bundle.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn curl(api: &str, key: &str) -> String {
    let body = r#"{"customer_id": "ada", "currency": "EUR", "total": "24.95", "status": {"general": "received"}, "lines": [{"id": "1", "product_id": "mug-blue", "name": "Blue mug", "quantity": 1, "price": "24.95", "total": "24.95"}]}"#;
    format!(
        "curl -X PUT {api}/v1/orders/3001 -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{body}'"
    )
}

async fn demo(json: bool, options: Options) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::start(options).await?;
    let shop = shop::opened(&bundle, None).await?;
    let told = |line: &str| {
        if !json {
            println!("  {line}");
        }
    };
    let demo = shop::demo(&bundle, &shop, told).await?;
    bundle.stop().await;
    if json {
        println!("{}", serde_json::to_string(&demo)?);
    } else {
        show(&demo);
    }
    Ok(if demo.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(demo: &Demo) {
    let of = |mail: &Mail| mail.campaign.clone().or_else(|| mail.mailing.clone()).unwrap_or_default();
    let width =
        |column: fn(&Mail) -> String| demo.mails.iter().map(|mail| column(mail).chars().count()).max().unwrap_or(0);
    let (to, by) = (
        width(|mail| mail.to.clone()),
        width(|mail| mail.campaign.clone().or_else(|| mail.mailing.clone()).unwrap_or_default()),
    );
    println!("\n  {:to$}  {:by$}  subject", "to", "sent by");
    for mail in &demo.mails {
        println!("  {:to$}  {:by$}  {}", mail.to, of(mail), mail.subject);
    }
    for mail in &demo.missing {
        println!("  MISSING: {} to {}", of(mail), mail.to);
    }
    for mail in &demo.unexpected {
        println!("  UNEXPECTED: {} to {}", of(mail), mail.to);
    }
    println!(
        "\n  {} requests, {} mails, {} ms: {}",
        demo.requests,
        demo.mails.len(),
        demo.elapsed_ms,
        if demo.ok { "all as it should be" } else { "NOT as it should be" }
    );
}

async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

async fn invoke(function: &str, event: &Path, options: Options) -> anyhow::Result<ExitCode> {
    let event = std::fs::read(event).map_err(|e| anyhow::anyhow!("cannot read {}: {e}", event.display()))?;
    let event = serde_json::from_slice(&event).map_err(|e| anyhow::anyhow!("the event is not JSON: {e}"))?;
    let bundle = Bundle::start(options).await?;
    let outcome = bundle.invoke(function, &event).await;
    bundle.stop().await;
    match outcome {
        Ok(answer) => {
            println!("{answer}");
            Ok(ExitCode::SUCCESS)
        }
        Err(InvokeError::Failed(error)) => {
            eprintln!("local: {function} failed: {error}");
            Ok(ExitCode::FAILURE)
        }
        Err(e) => Err(e.into()),
    }
}
