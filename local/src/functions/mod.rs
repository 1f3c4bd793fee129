//! The functions: processes that ask for work over Lambda's Runtime API.

mod logs;
mod pool;
mod process;
mod runtime_api;
mod usage;

use crate::activity::{Activity, Busy};
use crate::clock::Clock;
use crate::template::Function;
use bytes::Bytes;
pub(crate) use pool::Pool;
pub(crate) use runtime_api::router;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of an invocation's event, and of its answer: six megabytes and a little.
pub(crate) const PAYLOAD_BYTES: usize = 6_291_556;

/// What an invocation came to: the function's answer as it gave it.
pub(crate) type Outcome = Result<Bytes, Failure>;

/// Why an invocation has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Failure {
    /// The function said so itself; the body as it gave it.
    #[error("{}", String::from_utf8_lossy(.0))]
    Function(Bytes),
    #[error("timed out after {} seconds", .0.as_secs())]
    TimedOut(Duration),
    #[error("the process ended ({0})")]
    Crashed(String),
    #[error("the process could not be started: {0}")]
    NotStarted(String),
    #[error("the runner is stopping")]
    Stopping,
}

impl Failure {
    /// `errorType` and `errorMessage`, as Lambda answers an invocation.
    pub(crate) fn json(&self) -> Value {
        let kind = match self {
            Self::Function(body) => {
                return serde_json::from_slice(body)
                    .unwrap_or_else(|_| json!({"errorType": "Unknown", "errorMessage": self.to_string()}));
            }
            Self::TimedOut(_) => "Sandbox.Timedout",
            Self::Crashed(_) => "Runtime.ExitError",
            Self::NotStarted(_) => "Runtime.InvalidEntrypoint",
            Self::Stopping => "Runner.Stopping",
        };
        json!({"errorType": kind, "errorMessage": self.to_string()})
    }
}

/// What is counted of a function.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    pub(crate) invocations: u64,
    pub(crate) errors: u64,
    pub(crate) cold_starts: u64,
    pub(crate) instances: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) peak_memory_bytes: u64,
    pub(crate) cpu_ms: u64,
    /// How long invocations took, each rounded up to a millisecond.
    pub(crate) billed_ms: u64,
    pub(crate) last_error: Option<String>,
}

/// What a process needs to be started.
pub(crate) struct Launch {
    /// This program, or another that does as `local function NAME` does.
    pub(crate) exe: PathBuf,
    /// Folder of `NAME/bootstrap` binaries to run instead.
    pub(crate) bootstraps: Option<PathBuf>,
    /// Where the Runtime API and AWS answer.
    pub(crate) base_url: String,
    /// The clock's file.
    pub(crate) clock: PathBuf,
    /// Folder of log files; in memory without.
    pub(crate) logs: Option<PathBuf>,
    /// The time, for deadlines.
    pub(crate) time: Arc<Clock>,
}

impl Launch {
    fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }
}

/// The functions of a bundle.
pub(crate) struct Functions {
    pools: BTreeMap<String, Arc<Pool>>,
    by_arn: BTreeMap<String, String>,
    activity: Arc<Activity>,
}

impl Functions {
    pub(crate) fn new(functions: &[Function], launch: Launch, most: usize, activity: Arc<Activity>) -> Self {
        let launch = Arc::new(launch);
        let pools = functions
            .iter()
            .map(|function| (function.name.clone(), Pool::new(function.clone(), Arc::clone(&launch), most.max(1))));
        let by_arn = functions.iter().map(|function| (function.arn.clone(), function.name.clone())).collect();
        Self { pools: pools.collect(), by_arn, activity }
    }

    /// By short name.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Pool>> {
        self.pools.get(name)
    }

    /// By ARN, full name or short name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Pool>> {
        let short = self.by_arn.get(name).map_or(name, String::as_str);
        self.get(short).or_else(|| self.pools.values().find(|pool| pool.function.function_name == name))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.pools.values()
    }

    /// Runs a function. The work counts as going on until the guard is dropped, so that
    /// what follows from the answer can be put down before anybody finds the bundle quiet.
    pub(crate) async fn invoke(&self, pool: &Pool, payload: impl Into<Bytes>) -> (Outcome, Busy) {
        let busy = self.activity.begin();
        (pool.invoke(payload.into()).await, busy)
    }

    /// Ends idle processes, over and over.
    pub(crate) async fn reap(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            self.pools.values().for_each(|pool| pool.reap());
        }
    }

    /// Takes no more work.
    pub(crate) fn stop(&self) {
        self.pools.values().for_each(|pool| pool.stop());
    }

    /// Ends all processes soon.
    pub(crate) fn forget(&self) {
        self.stop();
        self.pools.values().for_each(|pool| pool.kill_later());
    }

    /// Ends all processes and returns when they have ended.
    pub(crate) async fn kill_all(&self) {
        futures::future::join_all(self.pools.values().map(|pool| pool.kill_all())).await;
    }
}
