//! A running bundle.

mod folder;
mod look;
mod options;
mod start;
mod walk;

use crate::activity::Activity;
use crate::api::Api;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::events::Events;
use crate::faults::{Fault, Faults};
use crate::functions::Functions;
use crate::mappings::stream::Reader;
use crate::schedules::Running;
use crate::ses::Ses;
use crate::sqs::Queues;
use crate::template::Description;
use bytes::Bytes;
use folder::Folder;
use jiff::Timestamp;
pub use options::Options;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
pub use walk::WalkError;

/// How long running invocations may take to finish when the bundle is stopped.
const GRACE: Duration = Duration::from_secs(10);

/// A bundle that runs until it is stopped, or until the last handle that [`Bundle::start`]
/// gave is dropped.
pub struct Bundle {
    core: Arc<Core>,
    /// The servers' own handles do not keep the bundle running.
    owner: bool,
}

struct Core {
    description: Description,
    clock: Arc<Clock>,
    activity: Arc<Activity>,
    dynamodb: Arc<DynamoDb>,
    queues: Arc<Queues>,
    functions: Arc<Functions>,
    faults: Arc<Faults>,
    calls: Arc<Calls>,
    readers: Vec<Arc<Reader>>,
    schedules: Vec<Arc<Running>>,
    ses: Ses,
    events: Events,
    api: Arc<Api>,
    addresses: Addresses,
    stopping: watch::Sender<bool>,
    tasks: Mutex<Vec<AbortHandle>>,
    /// One walk of the clock at a time.
    walking: tokio::sync::Mutex<()>,
    /// Last, so that the lock goes when everything else has gone.
    folder: Folder,
}

struct Addresses {
    api: SocketAddr,
    page: SocketAddr,
    endpoint: SocketAddr,
}

/// An invocation that failed.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// There is no function of this name.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The function failed; `errorType` and `errorMessage` as Lambda has them.
    #[error("{0}")]
    Failed(Value),
}

/// The bundle is not quiet; the text says what goes on.
#[derive(Debug, thiserror::Error)]
#[error("the bundle is not quiet: {0}")]
pub struct NotQuiet(pub(crate) String);

impl Bundle {
    /// Reads the template and runs it.
    ///
    /// # Errors
    /// One line: what is wrong with the template, a port that is in use, a data folder
    /// that another runner has, or that holds other tables.
    pub async fn start(options: Options) -> anyhow::Result<Arc<Self>> {
        start::start(options).await
    }

    /// Where the HTTP API answers, without a slash at the end.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.core.addresses.api)
    }

    /// Where the page and `/state.json` answer, without a slash at the end.
    pub fn page_url(&self) -> String {
        format!("http://{}", self.core.addresses.page)
    }

    /// Where AWS answers, for SDKs and command lines.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.core.addresses.endpoint)
    }

    /// What the template describes.
    pub fn description(&self) -> &Description {
        &self.core.description
    }

    /// The bundle's clock.
    pub fn clock(&self) -> &Clock {
        &self.core.clock
    }

    /// The time in the bundle.
    pub fn now(&self) -> Timestamp {
        self.core.clock.now()
    }

    /// The mailbox and SES's settings.
    pub fn ses(&self) -> &Ses {
        &self.core.ses
    }

    /// Runs a function, by its short or full name, and returns its answer.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, InvokeError> {
        let answer = self.invoke_bytes(function, event.to_string().into()).await?;
        serde_json::from_slice(&answer).or_else(|_| Ok(Value::from(String::from_utf8_lossy(&answer))))
    }

    pub(crate) async fn invoke_bytes(&self, function: &str, event: Bytes) -> Result<Bytes, InvokeError> {
        let pool = self.core.functions.find(function).ok_or_else(|| InvokeError::Unknown(function.to_owned()))?;
        let (outcome, _busy) = self.core.functions.invoke(pool, event).await;
        outcome.map_err(|failure| InvokeError::Failed(failure.json()))
    }

    /// The newest log lines of a function, oldest first; `None` if there is no such function.
    pub fn logs(&self, function: &str) -> Option<Vec<String>> {
        self.core.functions.find(function).map(|pool| pool.logs())
    }

    /// Makes something go wrong.
    pub fn fault(&self, fault: Fault) {
        self.core.faults.add(vec![fault]);
    }

    /// What is still to go wrong.
    pub fn faults(&self) -> Vec<Fault> {
        self.core.faults.list()
    }

    /// Nothing is to go wrong any more.
    pub fn clear_faults(&self) {
        self.core.faults.clear();
    }

    /// Calls to AWS by `service.Operation`, since the start.
    pub fn aws_calls(&self) -> BTreeMap<String, u64> {
        self.core.calls.all()
    }

    /// The bodies of the messages in a queue, by its short name or logical id, oldest first.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn peek(&self, queue: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.core.queues.peek(self.queue(queue)?).await?)
    }

    /// Puts a message into a queue, by its short name or logical id.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn send(&self, queue: &str, body: impl Into<String>) -> anyhow::Result<()> {
        Ok(self.core.queues.put(self.queue(queue)?, body.into()).await?)
    }

    /// Carries out a DynamoDB operation as a person with all rights. `TableName` may be a table's
    /// short name.
    ///
    /// # Errors
    /// DynamoDB's own, as JSON.
    pub async fn dynamodb(&self, operation: &str, mut request: Value) -> Result<Value, Value> {
        let tables = &self.core.description.tables;
        let named = request["TableName"].as_str();
        let table =
            tables.iter().find(|table| Some(table.name.as_str()) == named || Some(table.table_name.as_str()) == named);
        let mut names = Vec::new();
        if let Some(table) = table {
            request["TableName"] = Value::from(table.table_name.as_str());
            names.push(table.table_name.clone());
        }
        let _busy = self.core.activity.begin();
        let answer = self.core.dynamodb.call(operation.to_owned(), request.to_string().into(), &names).await;
        let json = serde_json::from_str(&answer.json).unwrap_or(Value::Null);
        if answer.status == 200 { Ok(json) } else { Err(json) }
    }

    /// Hands an event, in EventBridge's envelope, to the default bus.
    pub async fn publish(&self, event: Value) {
        self.core.events.publish(event);
        self.core.events.flush().await;
    }

    /// Stops: nothing new is begun, what runs may finish for ten seconds, then all processes are
    /// ended. Nothing that was accepted is lost.
    pub async fn stop(&self) {
        let core = &self.core;
        core.stopping.send_replace(true);
        core.api.stop();
        core.functions.stop();
        let _ = tokio::time::timeout(GRACE, core.idle()).await;
        core.functions.kill_all().await;
        // Batches whose process was ended put their messages back.
        let _ = tokio::time::timeout(Duration::from_secs(1), core.idle()).await;
        core.abort();
        core.folder.release();
    }

    fn queue(&self, name: &str) -> anyhow::Result<&crate::template::Queue> {
        let queues = &self.core.description.queues;
        let queue =
            queues.iter().find(|queue| [&queue.name, &queue.logical_id, &queue.queue_name].contains(&&name.to_owned()));
        queue.ok_or_else(|| anyhow::anyhow!("there is no queue {name}"))
    }

    /// A handle that does not keep the bundle running.
    fn borrowed(core: &Arc<Core>) -> Arc<Self> {
        Arc::new(Self { core: Arc::clone(core), owner: false })
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        if self.owner {
            // The processes go with the tasks that wait for them.
            self.core.abort();
        }
    }
}

impl Core {
    async fn idle(&self) {
        loop {
            let changed = self.activity.changed();
            if self.activity.is_idle() {
                return;
            }
            changed.await;
        }
    }

    fn abort(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
        self.functions.forget();
    }

    fn keep(&self, task: AbortHandle) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}
