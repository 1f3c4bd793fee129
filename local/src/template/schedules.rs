//! What runs by the clock, and EventBridge rules.

use super::{Description, Properties, Rule, Schedule};
use crate::due::Due;
use crate::pattern::Pattern;
use serde_json::Value;

/// `AWS::Scheduler::Schedule`.
pub(super) fn scheduler(logical_id: &str, properties: Properties<'_>) -> Result<Option<Schedule>, String> {
    let target = properties.within("Target");
    schedule(logical_id, target.need("Arn")?, properties, "ScheduleExpression", target.get("Input"), "aws.scheduler")
}

/// A `Schedule` or `ScheduleV2` event of a SAM function.
pub(super) fn of_function(
    logical_id: &str,
    function: &str,
    properties: Properties<'_>,
    source: &'static str,
) -> Result<Option<Schedule>, String> {
    let name = if source == "aws.scheduler" { "ScheduleExpression" } else { "Schedule" };
    schedule(logical_id, function, properties, name, properties.get("Input"), source)
}

/// `AWS::Events::Rule`: by the clock, or by a pattern.
pub(super) fn rule(description: &mut Description, logical_id: &str, properties: Properties<'_>) -> Result<(), String> {
    if properties.get("ScheduleExpression").is_some() {
        for target in properties.list("Targets") {
            let input = target.get("Input");
            let function = target.need("Arn")?;
            let schedule = schedule(logical_id, function, properties, "ScheduleExpression", input, "aws.events")?;
            description.schedules.extend(schedule);
        }
        return Ok(());
    }
    if properties.text("State") == Some("DISABLED") {
        return Ok(());
    }
    let pattern = properties.get("EventPattern").ok_or("a rule needs EventPattern or ScheduleExpression")?;
    let mut queues = Vec::new();
    for target in properties.list("Targets") {
        if target.get("InputTransformer").or(target.get("InputPath")).or(target.get("Input")).is_some() {
            return Err("a rule's target that changes the event is not supported".to_owned());
        }
        queues.push(target.need("Arn")?.to_owned());
    }
    let pattern = Pattern::parse(pattern)?;
    description.rules.push(Rule { logical_id: logical_id.to_owned(), pattern, queues });
    Ok(())
}

fn schedule(
    logical_id: &str,
    function: &str,
    properties: Properties<'_>,
    expression: &str,
    input: Option<&Value>,
    source: &'static str,
) -> Result<Option<Schedule>, String> {
    if properties.text("State") == Some("DISABLED") || properties.flag("Enabled") == Some(false) {
        return Ok(None);
    }
    if properties.text("ScheduleExpressionTimezone").is_some_and(|zone| zone != "UTC") {
        return Err("a schedule in another zone than UTC is not supported".to_owned());
    }
    let input = match input {
        Some(Value::String(text)) => Some(serde_json::from_str(text).map_err(|e| format!("Input: {e}"))?),
        other => other.cloned(),
    };
    Ok(Some(Schedule {
        logical_id: logical_id.to_owned(),
        function: function.to_owned(),
        due: Due::parse(properties.need(expression)?)?,
        input,
        source,
    }))
}
