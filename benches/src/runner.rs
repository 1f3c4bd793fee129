//! The bundle in a process of its own, so that what it takes can be told from what measuring takes.

use crate::http::Client;
use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use local::{Bundle, Options};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// How the bundle is run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Where everything is kept; in memory without.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Most processes of one function.
    #[arg(long, default_value_t = 4, value_name = "N")]
    max_instances: usize,
    /// Mails in a second that SES takes. By default it is not what limits.
    #[arg(long, default_value_t = 100_000.0, value_name = "RATE")]
    max_send_rate: f64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Addresses {
    api: String,
    page: String,
    aws: String,
}

/// Runs the bundle until the standard input ends.
#[expect(clippy::print_stdout, reason = "the line is for the process that started this one")]
pub(crate) async fn run(args: Args, template: &Path) -> anyhow::Result<()> {
    let mut options = Options::new(template);
    options.data = args.data;
    options.max_instances = args.max_instances;
    options.max_send_rate = args.max_send_rate;
    let bundle = Bundle::start(options).await?;
    let addresses = Addresses { api: bundle.api_url(), page: bundle.page_url(), aws: bundle.endpoint_url() };
    println!("{}", serde_json::to_string(&addresses)?);
    let _ = tokio::io::stdin().read(&mut [0]).await;
    bundle.stop().await;
    Ok(())
}

/// A bundle that runs beside this process, and ends with it.
pub(crate) struct Runner {
    child: Child,
    pub(crate) process: u32,
    addresses: Addresses,
}

impl Runner {
    pub(crate) async fn start(template: &Path, data: Option<&Path>, max_instances: usize) -> anyhow::Result<Self> {
        Self::start_at(template, data, max_instances, None).await
    }

    /// As [`Runner::start`], with an account that may send so many mails in a second.
    pub(crate) async fn start_at(
        template: &Path,
        data: Option<&Path>,
        max_instances: usize,
        max_send_rate: Option<f64>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("runner").arg("--template").arg(template);
        command.args(["--max-instances", &max_instances.to_string()]);
        if let Some(rate) = max_send_rate {
            command.args(["--max-send-rate", &rate.to_string()]);
        }
        if let Some(data) = data {
            command.arg("--data").arg(data);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = child.stdout.take().context("the runner has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let addresses = serde_json::from_str(&line).context("the runner did not start")?;
        let process = child.id().context("the runner has ended")?;
        Ok(Self { child, process, addresses })
    }

    /// To the HTTP API.
    pub(crate) async fn api(&self, key: &str) -> anyhow::Result<Client> {
        Client::connect(&self.addresses.api, Some(format!("Bearer {key}"))).await
    }

    /// To the HTTP API as clients come that send their key as a user's name.
    pub(crate) async fn api_basic(&self, key: &str) -> anyhow::Result<Client> {
        let pair = STANDARD.encode(format!("{key}:"));
        Client::connect(&self.addresses.api, Some(format!("Basic {pair}"))).await
    }

    /// Makes a key that may do everything, as often as a key may at most.
    pub(crate) async fn key(&self) -> anyhow::Result<String> {
        let key = json!({"create_key": {"name": "bench", "scopes": ["track", "ingest", "manage"], "rate": 10_000}});
        let made = self.page().await?.json(Method::POST, "/invoke/manage", &key).await?;
        Ok(made["key"].as_str().context("no key was made")?.to_owned())
    }

    /// To the bundle's AWS, as somebody who may do everything.
    pub(crate) async fn aws(&self) -> anyhow::Result<Client> {
        Client::connect(&self.addresses.aws, None).await
    }

    /// To the runner itself.
    pub(crate) async fn page(&self) -> anyhow::Result<Client> {
        Client::connect(&self.addresses.page, None).await
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}

/// How long the bundle may take to become quiet.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until nothing goes on any more.
pub(crate) async fn quiet(page: &mut Client) -> anyhow::Result<()> {
    quiet_within(page, PATIENCE, Duration::from_millis(200)).await
}

/// As [`quiet`], for work that takes as long as `patience`, looking every so often.
pub(crate) async fn quiet_within(page: &mut Client, patience: Duration, every: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let state = page.get("/state.json").await?;
        if state["quiet"] == true {
            return Ok(());
        }
        if begun.elapsed() > patience {
            bail!("the bundle does not become quiet: {}", state["busy_with"]);
        }
        tokio::time::sleep(every).await;
    }
}

/// A folder that is deleted with all that is in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        Self(std::env::temp_dir().join(format!("benches-{}", std::process::id())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // In memory it was never made.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
