//! What a template describes, resolved to the names it has on this machine.

use crate::due::Due;
use crate::iam::Policy;
use crate::pattern::Pattern;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Everything the runner runs.
#[derive(Debug, Default)]
pub struct Description {
    /// DynamoDB tables.
    pub tables: Vec<Table>,
    /// SQS queues.
    pub queues: Vec<Queue>,
    /// Lambda functions.
    pub functions: Vec<Function>,
    /// Event source mappings of queues.
    pub queue_mappings: Vec<QueueMapping>,
    /// Event source mappings of table streams.
    pub stream_mappings: Vec<StreamMapping>,
    /// The HTTP API's routes.
    pub routes: Vec<Route>,
    /// What runs by the clock.
    pub schedules: Vec<Schedule>,
    /// EventBridge rules with a pattern.
    pub rules: Vec<Rule>,
    /// SES resources as they stand in the template, references resolved.
    pub ses: Vec<Resource>,
}

/// A resource of which only the properties are known here.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its name in the template.
    pub logical_id: String,
    /// E.g. `AWS::SES::ConfigurationSet`.
    pub kind: String,
    /// With every reference resolved.
    pub properties: Value,
}

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name in the template.
    pub logical_id: String,
    /// Short name, for people: `customers`.
    pub name: String,
    /// The name calls use.
    pub table_name: String,
    /// `CreateTable`'s request.
    pub create: Value,
    /// `None` without a stream.
    pub stream_view_type: Option<String>,
    /// The attribute that holds the second an item expires at.
    pub ttl_attribute: Option<String>,
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its name in the template.
    pub logical_id: String,
    /// Short name, for people and faults: `bulk-deliveries`.
    pub name: String,
    /// The name in its ARN and URL.
    pub queue_name: String,
    /// What calls name it by.
    pub url: String,
    /// What policies and mappings name it by.
    pub arn: String,
    /// How long a received message stays out of sight.
    pub visibility: Duration,
    /// Added to every message without a delay of its own.
    pub delay: Duration,
    /// ARN of the dead-letter queue and the receives before a message goes there.
    pub redrive: Option<(String, u32)>,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its name in the template.
    pub logical_id: String,
    /// Short name: that of its binary, `ingest-orders`.
    pub name: String,
    /// The full name, with the stack's before it.
    pub function_name: String,
    /// What mappings, routes and schedules name it by.
    pub arn: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The longest an invocation may take.
    pub timeout: Duration,
    /// In MiB.
    pub memory: u32,
    /// What its role may do.
    pub policy: Policy,
}

/// A queue that feeds a function.
#[derive(Debug, Clone)]
pub struct QueueMapping {
    /// Its name in the template.
    pub logical_id: String,
    /// ARN of the queue.
    pub queue: String,
    /// ARN of the function.
    pub function: String,
    /// Most messages in one invocation.
    pub batch_size: usize,
    /// How long to gather a fuller batch.
    pub window: Duration,
    /// Most invocations at once.
    pub max_concurrency: usize,
    /// `ReportBatchItemFailures`.
    pub partial_answers: bool,
    /// A message must match one of them; empty: all pass.
    pub filters: Vec<Pattern>,
}

/// A table stream that feeds a function.
#[derive(Debug, Clone)]
pub struct StreamMapping {
    /// Its name in the template; the checkpoint is kept under it.
    pub logical_id: String,
    /// The table's name.
    pub table_name: String,
    /// ARN of the stream.
    pub stream: String,
    /// ARN of the function.
    pub function: String,
    /// Most records in one invocation.
    pub batch_size: usize,
    /// How long to gather a fuller batch.
    pub window: Duration,
    /// `None`: for as long as it takes.
    pub max_retries: Option<u32>,
    /// `None`: however old.
    pub max_age: Option<Duration>,
    /// Halve a batch that failed as a whole.
    pub bisect: bool,
    /// `ReportBatchItemFailures`.
    pub partial_answers: bool,
    /// ARN of the queue that hears of what was given up.
    pub on_failure: Option<String>,
    /// A record must match one of them; empty: all pass.
    pub filters: Vec<Pattern>,
    /// `LATEST` instead of `TRIM_HORIZON` when there is no checkpoint yet.
    pub from_latest: bool,
}

/// One route of the HTTP API.
#[derive(Debug, Clone)]
pub struct Route {
    /// `PUT /v1/orders/{id}`.
    pub key: String,
    /// ARN of the function.
    pub function: String,
    /// Milliseconds the integration may take.
    pub timeout: Duration,
    /// Who is asked first.
    pub authorizer: Option<Authorizer>,
}

/// A REQUEST authorizer, payload format 2.0, simple answers.
#[derive(Debug, Clone)]
pub struct Authorizer {
    /// Its name in the template.
    pub logical_id: String,
    /// ARN of the function.
    pub function: String,
    /// E.g. `$request.header.Authorization`.
    pub identity_sources: Vec<String>,
    /// How long an answer holds for the same identity.
    pub ttl: Duration,
}

/// A function started by the clock.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Its name in the template.
    pub logical_id: String,
    /// ARN of the function.
    pub function: String,
    /// When it is started.
    pub due: Due,
    /// The event, when the template gives one.
    pub input: Option<Value>,
    /// The event source when it does not: `aws.scheduler` or `aws.events`.
    pub source: &'static str,
}

/// An EventBridge rule on the default bus.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name in the template.
    pub logical_id: String,
    /// What an event must look like.
    pub pattern: Pattern,
    /// ARNs of the queues that get it.
    pub queues: Vec<String>,
}
