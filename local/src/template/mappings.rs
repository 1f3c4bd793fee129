//! Event source mappings, SAM's and CloudFormation's.

use super::{Description, Properties, QueueMapping, StreamMapping};
use crate::iam::Wanted;
use crate::pattern::Pattern;
use serde_json::Value;
use std::time::Duration;

/// Most invocations at once for a mapping that does not say.
const UNLIMITED: usize = 1000;

/// `AWS::Lambda::EventSourceMapping`.
pub(super) fn add(description: &mut Description, logical_id: &str, properties: Properties<'_>) -> Result<(), String> {
    let function = properties.need("FunctionName")?;
    let function = match function.starts_with("arn:") {
        true => function.to_owned(),
        false => crate::names::arn("lambda", &format!("function:{function}")),
    };
    mapping(description, logical_id, &function, properties, properties.need("EventSourceArn")?)
}

/// An `SQS` or `DynamoDB` event of a SAM function.
pub(super) fn from_event(
    description: &mut Description,
    logical_id: &str,
    function: &str,
    properties: Properties<'_>,
    source: &str,
) -> Result<(), String> {
    mapping(description, logical_id, function, properties, properties.need(source)?)
}

fn mapping(
    description: &mut Description,
    logical_id: &str,
    function: &str,
    properties: Properties<'_>,
    source: &str,
) -> Result<(), String> {
    if properties.flag("Enabled") == Some(false) {
        return Ok(());
    }
    let partial_answers = responses(properties)?;
    let filters = filters(properties)?;
    let window = properties.seconds("MaximumBatchingWindowInSeconds")?.unwrap_or_default();
    let batch_size = |default| {
        Ok::<_, String>(usize::try_from(properties.number("BatchSize")?.unwrap_or(default)).unwrap_or(1).max(1))
    };
    if source.starts_with("arn:aws:sqs:") {
        let concurrency = properties.within("ScalingConfig").number("MaximumConcurrency")?;
        description.queue_mappings.push(QueueMapping {
            logical_id: logical_id.to_owned(),
            queue: source.to_owned(),
            function: function.to_owned(),
            batch_size: batch_size(10)?,
            window,
            max_concurrency: concurrency.and_then(|n| usize::try_from(n).ok()).unwrap_or(UNLIMITED),
            partial_answers,
            filters,
        });
        return Ok(());
    }
    let Some((_, table)) = source.split_once(":table/").filter(|_| source.starts_with("arn:aws:dynamodb:")) else {
        return Err(format!("{source} is neither a queue nor a table's stream"));
    };
    if properties.number("ParallelizationFactor")?.unwrap_or(1) != 1 {
        return Err("ParallelizationFactor above 1 is not supported".to_owned());
    }
    let from_latest = match properties.need("StartingPosition")? {
        "TRIM_HORIZON" => false,
        "LATEST" => true,
        other => return Err(format!("StartingPosition {other} is not supported")),
    };
    // Both are -1 for "without end".
    let positive = |name| Ok::<_, String>(properties.number(name)?.and_then(|n| u32::try_from(n).ok()));
    description.stream_mappings.push(StreamMapping {
        logical_id: logical_id.to_owned(),
        table_name: table.split('/').next().unwrap_or(table).to_owned(),
        stream: source.to_owned(),
        function: function.to_owned(),
        batch_size: batch_size(100)?,
        window,
        max_retries: positive("MaximumRetryAttempts")?,
        max_age: positive("MaximumRecordAgeInSeconds")?.map(|n| Duration::from_secs(n.into())),
        bisect: properties.flag("BisectBatchOnFunctionError").unwrap_or(false),
        partial_answers,
        on_failure: properties.within("DestinationConfig").within("OnFailure").text("Destination").map(str::to_owned),
        filters,
        from_latest,
    });
    Ok(())
}

fn responses(properties: Properties<'_>) -> Result<bool, String> {
    let mut partial = false;
    for response in properties.list("FunctionResponseTypes") {
        match response.value().as_str() {
            Some("ReportBatchItemFailures") => partial = true,
            _ => return Err(format!("FunctionResponseTypes {} is not known", response.value())),
        }
    }
    Ok(partial)
}

fn filters(properties: Properties<'_>) -> Result<Vec<Pattern>, String> {
    let filter = |filter: Properties<'_>| {
        let pattern: Value = match filter.get("Pattern") {
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|e| format!("filter: {e}"))?,
            Some(value) => value.clone(),
            None => return Err("a filter needs Pattern".to_owned()),
        };
        Pattern::parse(&pattern).map_err(|e| format!("filter: {e}"))
    };
    properties.within("FilterCriteria").list("Filters").map(filter).collect()
}

/// What Lambda does in the name of a function that is fed by a queue.
const FROM_QUEUE: &[&str] = &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
/// What Lambda does in the name of a function that is fed by a stream.
const FROM_STREAM: &[&str] = &["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"];

/// A mapping reads with its function's rights; AWS does not create one that may not. Those of
/// SAM's own making (not `plain`) come with the rights they need.
pub(super) fn check_rights(description: &Description, plain: impl Fn(&str) -> bool) -> Result<(), String> {
    let check = |id: &str, function: &str, actions: &[&str], resource: &str| {
        let Some(function) = description.functions.iter().find(|known| known.arn == function) else { return Ok(()) };
        for action in actions.iter().filter(|_| plain(id)) {
            let wanted = Wanted { action: (*action).to_owned(), resource: resource.to_owned(), context: Vec::new() };
            if !function.policy.allows(&wanted) {
                return Err(format!("resource {id}: {} may not {action} on {resource}", function.logical_id));
            }
        }
        Ok(())
    };
    for mapping in &description.queue_mappings {
        check(&mapping.logical_id, &mapping.function, FROM_QUEUE, &mapping.queue)?;
    }
    for mapping in &description.stream_mappings {
        check(&mapping.logical_id, &mapping.function, FROM_STREAM, &mapping.stream)?;
        if let Some(queue) = &mapping.on_failure {
            check(&mapping.logical_id, &mapping.function, &["sqs:SendMessage"], queue)?;
        }
    }
    Ok(())
}

/// Everything that is pointed at must be there.
pub(super) fn check(description: &Description) -> Result<(), String> {
    let function = |id: &str, arn: &str| match description.functions.iter().any(|function| function.arn == arn) {
        true => Ok(()),
        false => Err(format!("resource {id}: there is no function {arn}")),
    };
    let queue = |id: &str, arn: &str| match description.queues.iter().any(|queue| queue.arn == arn) {
        true => Ok(()),
        false => Err(format!("resource {id}: there is no queue {arn}")),
    };
    for mapping in &description.queue_mappings {
        function(&mapping.logical_id, &mapping.function)?;
        queue(&mapping.logical_id, &mapping.queue)?;
    }
    for mapping in &description.stream_mappings {
        function(&mapping.logical_id, &mapping.function)?;
        let table = description.tables.iter().find(|table| table.table_name == mapping.table_name);
        if table.is_none_or(|table| table.stream_view_type.is_none()) {
            return Err(format!("resource {}: {} is not the stream of a table", mapping.logical_id, mapping.stream));
        }
        mapping.on_failure.iter().try_for_each(|arn| queue(&mapping.logical_id, arn))?;
    }
    for route in &description.routes {
        function(&route.key, &route.function)?;
        route.authorizer.iter().try_for_each(|authorizer| function(&authorizer.logical_id, &authorizer.function))?;
    }
    for schedule in &description.schedules {
        function(&schedule.logical_id, &schedule.function)?;
    }
    for rule in &description.rules {
        rule.queues.iter().try_for_each(|arn| queue(&rule.logical_id, arn))?;
    }
    for source in &description.queues {
        source.redrive.iter().try_for_each(|(arn, _)| queue(&source.logical_id, arn))?;
    }
    Ok(())
}
