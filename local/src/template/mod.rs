//! `template.yaml`: what is written there is what runs here.

mod api;
mod description;
mod functions;
mod intrinsics;
mod mappings;
mod properties;
mod queues;
mod schedules;
mod tables;
#[cfg(test)]
mod tests;
mod yaml;

pub use description::{
    Authorizer, Description, Function, Queue, QueueMapping, Resource, Route, Rule, Schedule, StreamMapping, Table,
};
use properties::Properties;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What is wrong with a template, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

/// Resource types that stand for nothing that runs on one machine.
const NOTHING_LOCAL: &[&str] = &[
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::Logs::QueryDefinition",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",
];

/// A template while it is being read.
struct Stack {
    name: String,
    /// Where the HTTP API answers on this machine.
    api_url: String,
    parameters: BTreeMap<String, Value>,
    conditions: Map<String, Value>,
    globals: Map<String, Value>,
    resources: Map<String, Value>,
}

/// Reads the template and resolves it.
///
/// # Errors
/// One line that names the file and, where there is one, the resource.
pub(crate) fn read(
    path: &Path,
    parameters: &BTreeMap<String, String>,
    stack_name: &str,
    api_url: &str,
) -> Result<Description, TemplateError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| TemplateError(format!("cannot read the template {}: {e}", path.display())))?;
    describe(&text, parameters, stack_name, api_url).map_err(|e| TemplateError(format!("{}: {e}", path.display())))
}

fn describe(
    text: &str,
    overrides: &BTreeMap<String, String>,
    stack_name: &str,
    api_url: &str,
) -> Result<Description, String> {
    let document = yaml::parse(text)?;
    let section = |name: &str| document.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let stack = Stack {
        name: stack_name.to_owned(),
        api_url: api_url.to_owned(),
        parameters: parameters(&section("Parameters"), overrides)?,
        conditions: section("Conditions"),
        globals: section("Globals"),
        resources: section("Resources"),
    };
    if stack.resources.is_empty() {
        return Err("there are no Resources in it".to_owned());
    }
    let mut description = Description::default();
    for (logical_id, resource) in &stack.resources {
        stack.add(&mut description, logical_id, resource).map_err(|e| format!("resource {logical_id}: {e}"))?;
    }
    mappings::check(&description)?;
    mappings::check_rights(&description, |id| stack.resources.contains_key(id))?;
    Ok(description)
}

fn parameters(
    declared: &Map<String, Value>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Value>, String> {
    if let Some(name) = overrides.keys().find(|name| !declared.contains_key(*name)) {
        return Err(format!("there is no parameter {name}"));
    }
    declared
        .iter()
        .map(|(name, parameter)| {
            let value = match (overrides.get(name), parameter.get("Default")) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => intrinsics::plain(default).unwrap_or_default(),
                (None, None) => return Err(format!("parameter {name} has no default and needs a value")),
            };
            let list = parameter.get("Type").and_then(Value::as_str).is_some_and(|kind| kind.contains("List"));
            let value = if list { value.split(',').map(str::trim).collect() } else { Value::String(value) };
            Ok((name.clone(), value))
        })
        .collect()
}

impl Stack {
    fn add(&self, description: &mut Description, logical_id: &str, resource: &Value) -> Result<(), String> {
        if !self.is_wanted(resource)? {
            return Ok(());
        }
        let kind = self.kind(logical_id)?;
        if NOTHING_LOCAL.contains(&kind) {
            return Ok(());
        }
        let resolved = self.resolve(resource.get("Properties").unwrap_or(&Value::Null))?.unwrap_or(Value::Null);
        let properties = Properties::new(&resolved);
        match kind {
            "AWS::DynamoDB::Table" => description.tables.push(self.table(logical_id, properties)?),
            "AWS::SQS::Queue" => description.queues.push(self.queue(logical_id, properties)?),
            "AWS::Serverless::Function" => self.function(description, logical_id)?,
            "AWS::Lambda::EventSourceMapping" => mappings::add(description, logical_id, properties)?,
            "AWS::ApiGatewayV2::Route" => description.routes.push(self.route(properties)?),
            "AWS::Scheduler::Schedule" => description.schedules.extend(schedules::scheduler(logical_id, properties)?),
            "AWS::Events::Rule" => schedules::rule(description, logical_id, properties)?,
            kind if kind.starts_with("AWS::SES::") => description.ses.push(Resource {
                logical_id: logical_id.to_owned(),
                kind: kind.to_owned(),
                properties: resolved,
            }),
            kind => return Err(format!("{kind} is not known here")),
        }
        Ok(())
    }

    fn is_wanted(&self, resource: &Value) -> Result<bool, String> {
        match resource.get("Condition").and_then(Value::as_str) {
            Some(name) => self.condition(name),
            None => Ok(true),
        }
    }

    fn kind(&self, logical_id: &str) -> Result<&str, String> {
        let resource =
            self.resources.get(logical_id).ok_or(format!("there is no resource or parameter {logical_id}"))?;
        resource.get("Type").and_then(Value::as_str).ok_or(format!("{logical_id} has no Type"))
    }

    fn property(&self, logical_id: &str, name: &str) -> Option<&Value> {
        self.resources.get(logical_id)?.get("Properties")?.get(name)
    }

    /// The short name: without the stack's before it, or from the logical id.
    fn short_name(&self, logical_id: &str, full: &str) -> String {
        match full.strip_prefix(&format!("{}-", self.name)) {
            Some(short) if short != logical_id => short.to_owned(),
            _ => crate::names::short(logical_id),
        }
    }
}
