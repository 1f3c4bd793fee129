//! One process of a function.

use super::Launch;
use super::logs::Log;
use crate::names::REGION;
use crate::template::Function;
use std::io;
use std::process::{ExitStatus, Stdio};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

/// A handle to a running process.
#[derive(Clone)]
pub(super) struct Process {
    /// The system's number for it.
    pub(super) id: u32,
    kill: mpsc::Sender<()>,
    ended: watch::Receiver<bool>,
}

impl Process {
    /// Ends it at once, as a crash would, and returns when it has ended.
    pub(super) async fn kill(&self) {
        let _ = self.kill.try_send(());
        let mut ended = self.ended.clone();
        // A closed channel is an ended process too.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Ends it soon.
    pub(super) fn kill_later(&self) {
        let _ = self.kill.try_send(());
    }
}

/// Starts a process; `ended` is called once, when it has ended for whatever reason.
pub(super) fn start(
    launch: &Launch,
    function: &Function,
    instance: u64,
    log: &Log,
    ended: impl FnOnce(ExitStatus) + Send + 'static,
) -> io::Result<Process> {
    let mut child = command(launch, function, instance, log)?.spawn()?;
    if let Some(output) = child.stdout.take() {
        log.follow(output);
    }
    if let Some(output) = child.stderr.take() {
        log.follow(output);
    }
    let id = child.id().unwrap_or_default();
    let (kill, asked) = mpsc::channel(1);
    let (done, ended_receiver) = watch::channel(false);
    tokio::spawn(async move {
        let status = wait(child, asked).await;
        // First the pool knows, then whoever asked for the end.
        ended(status);
        let _ = done.send(true);
    });
    Ok(Process { id, kill, ended: ended_receiver })
}

async fn wait(mut child: Child, mut asked: mpsc::Receiver<()>) -> ExitStatus {
    // Held open while the process may run: its end is how the process learns that the runner is gone.
    let stdin = child.stdin.take();
    loop {
        tokio::select! {
            status = child.wait() => {
                drop(stdin);
                return status.unwrap_or_default();
            }
            Some(()) = asked.recv() => {
                let _ = child.start_kill();
            }
        }
    }
}

fn command(launch: &Launch, function: &Function, instance: u64, log: &Log) -> io::Result<Command> {
    let name = &function.name;
    let mut command = match &launch.bootstraps {
        Some(folder) => Command::new(folder.join(name).join("bootstrap")),
        None => {
            let mut command = Command::new(&launch.exe);
            command.args(["function", name]);
            command
        }
    };
    let (out, err) = log.output()?;
    let base = &launch.base_url;
    command
        .env_clear()
        // With its scheme: without one it could not have a path.
        .env("AWS_LAMBDA_RUNTIME_API", format!("{base}/runtime/{name}/{instance}"))
        .env("AWS_LAMBDA_FUNCTION_NAME", &function.function_name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory.to_string())
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.function_name))
        .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/{instance}"))
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023")
        .env("_HANDLER", "bootstrap")
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", format!("{name}.{instance}"))
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL_DYNAMODB", base)
        .env("AWS_ENDPOINT_URL_SQS", base)
        .env("AWS_ENDPOINT_URL_SESV2", base)
        .env("CARTWIRE_CLOCK", &launch.clock)
        .envs(&function.environment)
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(err)
        .kill_on_drop(true);
    Ok(command)
}
