//! What a bundle is doing, for programs and people: `/state.json`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A bundle at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    /// Whether nothing is going on and nothing waits but for its time.
    pub quiet: bool,
    /// What keeps it from being quiet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_with: Option<String>,
    /// The time in the bundle.
    pub now: Timestamp,
    /// How far that is ahead of the system's clock.
    pub clock_offset_ms: i64,
    /// By name.
    pub functions: Vec<FunctionState>,
    /// All but the dead-letter queues of others.
    pub queues: Vec<QueueState>,
    /// One for each mapping of a stream.
    pub streams: Vec<StreamState>,
    /// What runs by the clock.
    pub timers: TimersState,
    /// Items in the table whose name in the template is `Timers` or `TimersTable`, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timers_pending: Option<u64>,
    /// Calls to AWS by `service.Operation`, since the start.
    pub aws_calls: BTreeMap<String, u64>,
    /// By name.
    pub tables: Vec<TableState>,
    /// When the next delayed or invisible message comes up.
    pub next_due: Option<Timestamp>,
}

/// A function; counts are since the start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionState {
    /// Its short name.
    pub name: String,
    /// How often it was started, errors included.
    pub invocations: u64,
    /// How often that failed.
    pub errors: u64,
    /// How often a process was started for it.
    pub cold_starts: u64,
    /// Its processes now.
    pub instances: usize,
    /// Memory of all its processes together; 0 where the system does not tell.
    pub memory_bytes: u64,
    /// The most memory one of its processes had.
    pub peak_memory_bytes: u64,
    /// Processor time of all its processes so far.
    pub cpu_ms: u64,
    /// What the last failure said.
    pub last_error: Option<String>,
    /// Its calls to AWS by `service.Operation`.
    #[serde(default)]
    pub aws_calls: BTreeMap<String, u64>,
    /// What the tables would be billed for it.
    #[serde(default)]
    pub dynamodb: TableUnits,
    /// Its requests to SQS as they are billed, one for each 64 KB.
    #[serde(default)]
    pub sqs_requests: u64,
    /// The requests of its mappings that brought something, and those that deleted it. AWS bills
    /// them too, and on top what long polls of an empty queue come to with time.
    #[serde(default)]
    pub sqs_polls: u64,
    /// How many messages of queues it was given, each as often as it came.
    #[serde(default)]
    pub sqs_messages: u64,
    /// How long its invocations took in all, each rounded up to a millisecond. This machine is not
    /// AWS: its processor is shared otherwise, and its tables are nearer.
    #[serde(default)]
    pub billed_ms: u64,
    /// The memory it is given in the template, in MiB.
    #[serde(default)]
    pub memory_mb: u32,
}

/// Request units of DynamoDB as AWS bills them, indexes included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Units {
    /// 4 KB read strongly consistent each; eventually consistent counts half.
    pub read_units: f64,
    /// 1 KB written each; in a transaction it counts twice.
    pub write_units: f64,
}

/// Request units in all and by table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableUnits {
    /// Of all tables.
    #[serde(flatten)]
    pub all: Units,
    /// By the table's short name.
    pub tables: BTreeMap<String, Units>,
}

/// A queue's messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct QueueState {
    /// Its short name.
    pub name: String,
    /// Visible ones.
    pub depth: u64,
    /// Received ones, being worked on or waiting to be visible again.
    pub in_flight: u64,
    /// Not due yet.
    pub delayed: u64,
    /// In its dead-letter queue.
    pub dead_letters: u64,
}

/// A stream and one who reads it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StreamState {
    /// The table's short name.
    pub table: String,
    /// The mapping's name in the template.
    pub mapping: String,
    /// Records not done yet.
    pub pending: u64,
}

/// What runs by the clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TimersState {
    /// When the next schedule starts its function.
    pub next_schedule: Option<Timestamp>,
}

/// A table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableState {
    /// Its short name.
    pub name: String,
    /// How many items are in it.
    pub items: u64,
    /// What it would be billed since the start, whoever asked.
    #[serde(flatten)]
    pub units: Units,
}
