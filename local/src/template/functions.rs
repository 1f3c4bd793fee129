//! `AWS::Serverless::Function`, with the events it is fed by.

use super::{Description, Function, Properties, Stack, intrinsics, mappings, schedules};
use crate::iam::Policy;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

impl Stack {
    pub(super) fn function(&self, description: &mut Description, logical_id: &str) -> Result<(), String> {
        let own = self.resources.get(logical_id).and_then(|resource| resource.get("Properties"));
        let merged = merge(self.globals.get("Function"), own.unwrap_or(&Value::Null));
        let resolved = self.resolve(&merged)?.unwrap_or(Value::Null);
        let properties = Properties::new(&resolved);
        let function_name = self.named(logical_id, "FunctionName")?;
        let arn = crate::names::arn("lambda", &format!("function:{function_name}"));
        let memory = properties.number("MemorySize")?.unwrap_or(128);
        for (name, event) in properties.get("Events").and_then(Value::as_object).into_iter().flatten() {
            let event_id = format!("{logical_id}{name}");
            event_of(description, &event_id, &arn, Properties::new(event)).map_err(|e| format!("event {name}: {e}"))?;
        }
        description.functions.push(Function {
            logical_id: logical_id.to_owned(),
            name: self.short_name(logical_id, &function_name),
            function_name,
            arn,
            environment: environment(properties)?,
            timeout: properties.seconds("Timeout")?.unwrap_or(Duration::from_secs(3)),
            memory: u32::try_from(memory).map_err(|_| "MemorySize is out of range")?,
            policy: self.policy(properties)?,
        });
        Ok(())
    }

    fn policy(&self, properties: Properties<'_>) -> Result<Policy, String> {
        let mut policy = Policy::default();
        let own = match properties.get("Policies") {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for document in own {
            match document {
                Value::String(name) => policy.add_managed(crate::names::last(name, '/')),
                document if document.get("Statement").is_some() => policy.add(document)?,
                _ => return Err("policy templates are not supported: write Version and Statement".to_owned()),
            }
        }
        if let Some(role) = properties.text("Role") {
            let name = crate::names::last(role, '/');
            for (logical_id, resource) in &self.resources {
                let is_role = resource.get("Type").and_then(Value::as_str) == Some("AWS::IAM::Role");
                if is_role && self.named(logical_id, "RoleName")? == name {
                    let inline = self.property(logical_id, "Policies").cloned().unwrap_or(Value::Null);
                    let inline = self.resolve(&inline)?.unwrap_or(Value::Null);
                    for entry in inline.as_array().into_iter().flatten() {
                        policy.add(entry.get("PolicyDocument").unwrap_or(&Value::Null))?;
                    }
                }
            }
        }
        Ok(policy)
    }
}

fn environment(properties: Properties<'_>) -> Result<BTreeMap<String, String>, String> {
    let variables = properties.within("Environment").get("Variables").and_then(Value::as_object);
    variables
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            let text = intrinsics::plain(value).ok_or(format!("environment variable {name} is not a text"))?;
            Ok((name.clone(), text))
        })
        .collect()
}

fn event_of(
    description: &mut Description,
    logical_id: &str,
    function: &str,
    event: Properties<'_>,
) -> Result<(), String> {
    let properties = event.within("Properties");
    match event.need("Type")? {
        "SQS" => mappings::from_event(description, logical_id, function, properties, "Queue"),
        "DynamoDB" => mappings::from_event(description, logical_id, function, properties, "Stream"),
        "Schedule" => {
            description.schedules.extend(schedules::of_function(logical_id, function, properties, "aws.events")?);
            Ok(())
        }
        "ScheduleV2" => {
            description.schedules.extend(schedules::of_function(logical_id, function, properties, "aws.scheduler")?);
            Ok(())
        }
        other => Err(format!("{other} is not known here")),
    }
}

/// SAM's rule for Globals: maps are merged, everything else is the function's own.
fn merge(globals: Option<&Value>, own: &Value) -> Value {
    match (globals, own) {
        (Some(Value::Object(globals)), Value::Object(own)) if !is_function(globals) && !is_function(own) => {
            let mut merged = globals.clone();
            for (key, value) in own {
                let value = merge(globals.get(key), value);
                merged.insert(key.clone(), value);
            }
            Value::Object(merged)
        }
        (Some(globals), Value::Null) => globals.clone(),
        (_, own) => own.clone(),
    }
}

fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}
