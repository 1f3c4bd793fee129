//! Processor time and calls to AWS, before and after.

use crate::http::Client;
use crate::proc;
use crate::runner::Runner;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Counts since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Usage {
    runner_cpu_ms: u64,
    functions: BTreeMap<String, Function>,
}

/// As `/state.json` has it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Function {
    name: String,
    cpu_ms: u64,
    invocations: u64,
    billed_ms: u64,
    memory_mb: u32,
    aws_calls: BTreeMap<String, u64>,
    dynamodb: Tables,
    sqs_requests: u64,
    sqs_polls: u64,
    sqs_messages: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Tables {
    tables: BTreeMap<String, Units>,
}

/// Request units of DynamoDB.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Units {
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

/// What one order, or one mail, costs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Cost {
    /// Processor time of everything, in milliseconds.
    pub(crate) cpu_ms: f64,
    /// Of that, the functions' processes.
    pub(crate) functions_cpu_ms: f64,
    /// Of that, the runner: tables, queues, SES, the API.
    pub(crate) runner_cpu_ms: f64,
    pub(crate) functions: Vec<FunctionCost>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct FunctionCost {
    pub(crate) name: String,
    pub(crate) cpu_ms: f64,
    pub(crate) invocations: f64,
    /// By `service.Operation`.
    pub(crate) aws_calls: BTreeMap<String, f64>,
    /// How long its invocations took here, each rounded up to a millisecond.
    pub(crate) billed_ms: f64,
    /// What it is given, in MiB.
    pub(crate) memory_mb: u32,
    /// By table.
    pub(crate) dynamodb: BTreeMap<String, Units>,
    /// As SQS bills them: its own, and those of its mappings that brought something.
    pub(crate) sqs_requests: f64,
    /// Messages of queues that it was given.
    pub(crate) sqs_messages: f64,
}

impl FunctionCost {
    /// Units of all tables together.
    pub(crate) fn units(&self) -> Units {
        self.dynamodb.values().fold(Units::default(), |sum, units| Units {
            read_units: sum.read_units + units.read_units,
            write_units: sum.write_units + units.write_units,
        })
    }

    /// Calls to AWS of all kinds together.
    pub(crate) fn calls(&self) -> f64 {
        self.aws_calls.values().sum()
    }
}

pub(crate) async fn now(runner: &Runner, page: &mut Client) -> anyhow::Result<Usage> {
    let state = page.get("/state.json").await?;
    let functions: Vec<Function> = serde_json::from_value(state["functions"].clone())?;
    let functions = functions.into_iter().map(|function| (function.name.clone(), function)).collect();
    Ok(Usage { runner_cpu_ms: proc::cpu_ms(runner.process)?, functions })
}

impl Usage {
    /// What has been used since `before`, divided by how many it was used for.
    pub(crate) fn cost(&self, before: &Self, many: usize) -> Cost {
        let share = |after: u64, before: u64| after.saturating_sub(before) as f64 / many.max(1) as f64;
        let none = Function::default();
        let functions: Vec<FunctionCost> = self
            .functions
            .iter()
            .map(|(name, after)| {
                let before = before.functions.get(name).unwrap_or(&none);
                let calls = |(call, count): (&String, &u64)| {
                    (call.clone(), share(*count, before.aws_calls.get(call).copied().unwrap_or_default()))
                };
                let part = |after: f64, before: f64| (after - before) / many.max(1) as f64;
                let units = |(table, after): (&String, &Units)| {
                    let before = before.dynamodb.tables.get(table).copied().unwrap_or_default();
                    let read_units = part(after.read_units, before.read_units);
                    (table.clone(), Units { read_units, write_units: part(after.write_units, before.write_units) })
                };
                FunctionCost {
                    name: name.clone(),
                    cpu_ms: share(after.cpu_ms, before.cpu_ms),
                    invocations: share(after.invocations, before.invocations),
                    aws_calls: after.aws_calls.iter().map(calls).filter(|(_, count)| *count > 0.0).collect(),
                    billed_ms: share(after.billed_ms, before.billed_ms),
                    memory_mb: after.memory_mb,
                    dynamodb: after.dynamodb.tables.iter().map(units).collect(),
                    sqs_requests: share(after.sqs_requests + after.sqs_polls, before.sqs_requests + before.sqs_polls),
                    sqs_messages: share(after.sqs_messages, before.sqs_messages),
                }
            })
            .filter(|cost| cost.invocations > 0.0)
            .collect();
        let functions_cpu_ms: f64 = functions.iter().map(|cost| cost.cpu_ms).sum();
        let runner_cpu_ms = share(self.runner_cpu_ms, before.runner_cpu_ms);
        Cost { cpu_ms: functions_cpu_ms + runner_cpu_ms, functions_cpu_ms, runner_cpu_ms, functions }
    }
}
