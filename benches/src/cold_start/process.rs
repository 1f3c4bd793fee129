//! One start of a function's program.

use super::runtime_api::{Did, RuntimeApi};
use crate::proc;
use anyhow::{Context as _, bail};
use bytes::Bytes;
use jiff::SignedDuration;
use local::{Bundle, Function};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// How long a start may take before something is wrong with it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Times since just before a process was started.
pub(super) struct Started {
    /// To the first poll of one that would speak to AWS itself, over TLS.
    pub(super) poll: Duration,
    /// To the first answer of one whose AWS is on this machine, over plain HTTP.
    pub(super) answer: Duration,
    /// What the latter took.
    pub(super) taken: Taken,
}

/// What a process took of the machine.
pub(super) struct Taken {
    pub(super) cpu: Duration,
    pub(super) peak_bytes: u64,
}

pub(super) async fn start(
    program: &Path,
    function: &Function,
    event: &Bytes,
    bundle: &Bundle,
) -> anyhow::Result<Started> {
    let polled = until(program, function, event, bundle, Until::Poll).await?;
    let answered = until(program, function, event, bundle, Until::Answer).await?;
    Ok(Started { poll: polled.0, answer: answered.0, taken: answered.1 })
}

#[derive(Clone, Copy, PartialEq)]
enum Until {
    Poll,
    Answer,
}

async fn until(
    program: &Path,
    function: &Function,
    event: &Bytes,
    bundle: &Bundle,
    wanted: Until,
) -> anyhow::Result<(Duration, Taken)> {
    let timeout = SignedDuration::try_from(function.timeout)?;
    let mut api = RuntimeApi::start(event.clone(), &function.arn, timeout).await?;
    let mut command = command(program, function, &api, bundle);
    if wanted == Until::Answer {
        for service in ["DYNAMODB", "SQS", "SESV2"] {
            command.env(format!("AWS_ENDPOINT_URL_{service}"), bundle.endpoint_url());
        }
    }
    let begun = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
    let process = child.id().unwrap_or_default();
    let at = loop {
        match tokio::time::timeout(PATIENCE, api.did.recv()).await {
            Ok(Some(Did::Poll(at))) if wanted == Until::Poll => break at,
            Ok(Some(Did::Poll(_))) => {}
            Ok(Some(Did::Answer(at))) => break at,
            Ok(Some(Did::Fail(error))) => bail!("{} failed: {error}", function.name),
            Ok(None) | Err(_) => bail!("{} has not answered", function.name),
        }
    };
    let taken = Taken {
        cpu: Duration::from_micros(proc::fine_cpu_us(process).unwrap_or_default()),
        peak_bytes: proc::peak_bytes(process).unwrap_or_default(),
    };
    child.kill().await?;
    Ok((at.duration_since(begun), taken))
}

/// With the environment that the bundle's own runner gives, but for where AWS answers.
fn command(program: &Path, function: &Function, api: &RuntimeApi, bundle: &Bundle) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.function_name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string())
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023")
        .env("_HANDLER", "bootstrap")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", format!("{}.1", function.name))
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("CARTWIRE_CLOCK", bundle.clock().path())
        .envs(&function.environment)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}
