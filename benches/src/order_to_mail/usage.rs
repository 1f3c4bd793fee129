//! Processor time and calls to AWS, before and after.

use crate::http::Client;
use crate::proc;
use crate::runner::Runner;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts since the start.
#[derive(Debug, Clone, Default)]
pub(super) struct Usage {
    runner_cpu_ms: u64,
    functions: BTreeMap<String, Function>,
}

#[derive(Debug, Clone, Default)]
struct Function {
    cpu_ms: u64,
    invocations: u64,
    aws_calls: BTreeMap<String, u64>,
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
}

pub(super) async fn now(runner: &Runner, page: &mut Client) -> anyhow::Result<Usage> {
    let state = page.get("/state.json").await?;
    let mut functions = BTreeMap::new();
    for function in state["functions"].as_array().into_iter().flatten() {
        let name = function["name"].as_str().unwrap_or_default().to_owned();
        let number = |field: &str| function[field].as_u64().unwrap_or_default();
        let aws_calls = serde_json::from_value(function["aws_calls"].clone())?;
        functions.insert(name, Function { cpu_ms: number("cpu_ms"), invocations: number("invocations"), aws_calls });
    }
    Ok(Usage { runner_cpu_ms: proc::cpu_ms(runner.process)?, functions })
}

impl Usage {
    /// What has been used since `before`, divided by how many it was used for.
    pub(super) fn cost(&self, before: &Self, many: usize) -> Cost {
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
                FunctionCost {
                    name: name.clone(),
                    cpu_ms: share(after.cpu_ms, before.cpu_ms),
                    invocations: share(after.invocations, before.invocations),
                    aws_calls: after.aws_calls.iter().map(calls).filter(|(_, count)| *count > 0.0).collect(),
                }
            })
            .filter(|cost| cost.invocations > 0.0)
            .collect();
        let functions_cpu_ms: f64 = functions.iter().map(|cost| cost.cpu_ms).sum();
        let runner_cpu_ms = share(self.runner_cpu_ms, before.runner_cpu_ms);
        Cost { cpu_ms: functions_cpu_ms + runner_cpu_ms, functions_cpu_ms, runner_cpu_ms, functions }
    }
}
