//! The operations functions call, in awsJson1_0.

use super::engine::Outgoing;
use super::{Queues, digest};
use crate::clock::millis;
use crate::template::Queue;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Most bytes of a message, and of all messages of a batch together.
const MOST_BYTES: usize = 1024 * 1024;
/// Most seconds a message may be delayed.
const MOST_DELAY: i64 = 900;

/// What SQS says when it refuses.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl Queues {
    /// Carries out one operation on one queue.
    ///
    /// # Errors
    /// [`Refusal`], as SQS has it.
    pub(crate) async fn call(
        &self,
        operation: &str,
        queue: &Queue,
        body: &Value,
        sender: &str,
    ) -> Result<Value, Refusal> {
        match operation {
            "SendMessage" => self.send_message(queue, body, sender).await,
            "SendMessageBatch" => self.send_batch(queue, body, sender).await,
            "ReceiveMessage" => self.receive_messages(queue, body).await,
            "DeleteMessage" => self.delete_message(queue, body).await,
            "DeleteMessageBatch" => self.delete_batch(queue, body).await,
            "ChangeMessageVisibility" => self.change_visibility(queue, body).await,
            "ChangeMessageVisibilityBatch" => self.change_visibility_batch(queue, body).await,
            "GetQueueUrl" => Ok(json!({"QueueUrl": queue.url})),
            "GetQueueAttributes" => self.attributes(queue).await,
            other => Err(Refusal::new("InvalidAction", format!("{other} is not served on this machine"))),
        }
    }

    async fn send_message(&self, queue: &Queue, body: &Value, sender: &str) -> Result<Value, Refusal> {
        let (message, answer) = self.read(queue, body, sender)?;
        self.keep(queue, vec![message]).await?;
        Ok(Value::Object(answer))
    }

    async fn send_batch(&self, queue: &Queue, body: &Value, sender: &str) -> Result<Value, Refusal> {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        check_batch(entries)?;
        let (mut messages, mut done, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let id = entry["Id"].clone();
            match self.read(queue, entry, sender) {
                Ok((message, mut answer)) => {
                    answer.insert("Id".to_owned(), id);
                    messages.push(message);
                    done.push(Value::Object(answer));
                }
                Err(e) => failed.push(json!({"Id": id, "SenderFault": true, "Code": e.code, "Message": e.message})),
            }
        }
        self.keep(queue, messages).await?;
        Ok(match failed.is_empty() {
            true => json!({"Successful": done}),
            false => json!({"Successful": done, "Failed": failed}),
        })
    }

    async fn keep(&self, queue: &Queue, messages: Vec<Outgoing>) -> Result<(), Refusal> {
        self.send(queue, messages).await.map_err(|e| Refusal::new("InternalError", e.to_string()))
    }

    /// A message, and what is answered once it is kept.
    fn read(&self, queue: &Queue, entry: &Value, sender: &str) -> Result<(Outgoing, Map<String, Value>), Refusal> {
        let body = entry["MessageBody"].as_str().unwrap_or_default();
        if body.is_empty() {
            return Err(Refusal::new("MissingParameter", "The request must contain the parameter MessageBody."));
        }
        if let Some(c) = body.chars().find(|c| !is_allowed(*c)) {
            let message = format!("Invalid characters found: '#x{:x}'.", u32::from(c));
            return Err(Refusal::new("InvalidMessageContents", message));
        }
        if message_bytes(entry) > MOST_BYTES {
            let message =
                format!("One or more parameters are invalid. Reason: Message must be shorter than {MOST_BYTES} bytes.");
            return Err(Refusal::new("InvalidParameterValue", message));
        }
        let delay_ms = match entry["DelaySeconds"].as_i64() {
            Some(seconds @ 0..=MOST_DELAY) => seconds * 1000,
            Some(seconds) => {
                let message = format!(
                    "Value {seconds} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= {MOST_DELAY}."
                );
                return Err(Refusal::new("InvalidParameterValue", message));
            }
            None => millis(queue.delay),
        };
        let message_id = uuid::Uuid::new_v4().to_string();
        let md5 = digest::of_body(body);
        let mut answer = Map::new();
        answer.insert("MessageId".to_owned(), message_id.clone().into());
        answer.insert("MD5OfMessageBody".to_owned(), md5.clone().into());
        let attributes = entry["MessageAttributes"].as_object().filter(|attributes| !attributes.is_empty());
        if let Some(attributes) = attributes {
            answer.insert("MD5OfMessageAttributes".to_owned(), digest::of_attributes(attributes).into());
        }
        let message = Outgoing {
            message_id,
            body: body.to_owned(),
            attributes: attributes.map(|attributes| for_lambda(attributes).to_string()),
            md5,
            sender: sender.to_owned(),
            visible_ms: self.clock.now_ms() + delay_ms,
        };
        Ok((message, answer))
    }

    async fn attributes(&self, queue: &Queue) -> Result<Value, Refusal> {
        let depths = self.depths(vec![queue.queue_name.clone()]).await;
        let depth = depths.map_err(|e| Refusal::new("InternalError", e.to_string()))?.pop().unwrap_or_default();
        Ok(json!({"Attributes": {
            "QueueArn": queue.arn,
            "ApproximateNumberOfMessages": depth.visible.to_string(),
            "ApproximateNumberOfMessagesNotVisible": depth.in_flight.to_string(),
            "ApproximateNumberOfMessagesDelayed": depth.delayed.to_string(),
            "VisibilityTimeout": queue.visibility.as_secs().to_string(),
            "DelaySeconds": queue.delay.as_secs().to_string(),
        }}))
    }
}

pub(super) fn check_batch(entries: &[Value]) -> Result<(), Refusal> {
    let ids: HashSet<_> = entries.iter().map(|entry| entry["Id"].as_str().unwrap_or_default()).collect();
    let fits = |id: &&str| {
        (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if entries.is_empty() {
        Err(Refusal::new("EmptyBatchRequest", "There should be at least one entry in the request."))
    } else if entries.len() > 10 {
        let message = format!("Maximum number of entries per request are 10. You have sent {}.", entries.len());
        Err(Refusal::new("TooManyEntriesInBatchRequest", message))
    } else if !ids.iter().all(fits) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.";
        Err(Refusal::new("InvalidBatchEntryId", message))
    } else if ids.len() < entries.len() {
        Err(Refusal::new("BatchEntryIdsNotDistinct", "Two or more batch entries have the same id in the request."))
    } else if entries.iter().map(message_bytes).sum::<usize>() > MOST_BYTES {
        Err(Refusal::new("BatchRequestTooLong", format!("Batch requests cannot be longer than {MOST_BYTES} bytes.")))
    } else {
        Ok(())
    }
}

/// Body and attributes count, names and types too.
pub(crate) fn message_bytes(entry: &Value) -> usize {
    let length = |value: &Value| value.as_str().map_or(0, str::len);
    let attributes = entry["MessageAttributes"].as_object().into_iter().flatten().map(|(name, attribute)| {
        name.len()
            + length(&attribute["DataType"])
            + length(&attribute["StringValue"])
            + length(&attribute["BinaryValue"]) / 4 * 3
    });
    length(&entry["MessageBody"]) + attributes.sum::<usize>()
}

/// What XML 1.0 allows.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Message attributes as Lambda shows them.
fn for_lambda(attributes: &Map<String, Value>) -> Value {
    let shown = attributes.iter().map(|(name, attribute)| {
        let mut shown = json!({
            "stringListValues": [], "binaryListValues": [], "dataType": attribute["DataType"],
        });
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute.get(from) {
                shown[to] = value.clone();
            }
        }
        (name.clone(), shown)
    });
    Value::Object(shown.collect())
}
