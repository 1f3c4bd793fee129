//! What the page asks of whoever runs the bundle.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The running bundle, as far as the page looks at it.
#[async_trait]
pub trait Runner: Send + Sync + 'static {
    /// The document of `/state.json`. What is missing in it is shown as nothing.
    async fn state(&self) -> Value;

    /// Moves the clock ahead.
    ///
    /// # Errors
    /// If the clock can't be moved.
    async fn advance(&self, by: SignedDuration) -> anyhow::Result<()>;

    /// The newest log lines of a function, oldest first; none if there is no
    /// such function.
    async fn logs(&self, function: &str) -> Option<Vec<String>>;
}

/// What of the state is shown.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Running {
    pub(super) quiet: bool,
    pub(super) now: Option<Timestamp>,
    pub(super) clock_offset_ms: i64,
    pub(super) functions: Vec<Function>,
    pub(super) queues: Vec<Queue>,
    pub(super) streams: Vec<Stream>,
    pub(super) aws_calls: Value,
    pub(super) tables: Vec<Table>,
    pub(super) next_due: Option<Timestamp>,
    pub(super) timers_pending: Option<u64>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) invocations: u64,
    pub(super) errors: u64,
    pub(super) cold_starts: u64,
    pub(super) instances: u64,
    pub(super) memory_bytes: u64,
    pub(super) peak_memory_bytes: u64,
    pub(super) cpu_ms: u64,
    pub(super) billed_ms: u64,
    pub(super) dynamodb: Units,
    pub(super) sqs_requests: u64,
    pub(super) last_error: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Units {
    pub(super) read_units: f64,
    pub(super) write_units: f64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) depth: u64,
    pub(super) in_flight: u64,
    pub(super) delayed: u64,
    pub(super) dead_letters: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Stream {
    pub(super) table: String,
    pub(super) pending: u64,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) items: u64,
    pub(super) read_units: f64,
    pub(super) write_units: f64,
}

impl Running {
    /// AWS calls by name, however they are nested (`{"dynamodb":{"PutItem":3}}`
    /// is `dynamodb PutItem`).
    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        let mut calls = BTreeMap::new();
        flatten("", &self.aws_calls, &mut calls);
        calls
    }
}

impl From<Value> for Running {
    /// What does not fit is shown as nothing at all: the page must not fail
    /// because a count has become something else.
    fn from(state: Value) -> Self {
        serde_json::from_value(state).unwrap_or_default()
    }
}

fn flatten(above: &str, value: &Value, calls: &mut BTreeMap<String, u64>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(format!("{above} {name}").trim(), value, calls);
            }
        }
        Value::Number(count) => {
            calls.insert(above.to_owned(), count.as_u64().unwrap_or_default());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn calls_are_counted_however_they_are_nested() {
        let state = json!({ "aws_calls": { "dynamodb": { "GetItem": 2 }, "SendEmail": 1 } });
        let calls = Running::from(state).calls();
        let expected = [("SendEmail", 1), ("dynamodb GetItem", 2)];
        assert!(calls.iter().map(|(name, n)| (name.as_str(), *n)).eq(expected));
    }
}
