//! The operations by which a queue is received from without a mapping, in awsJson1_0: to receive, to delete, and to
//! give back.

use super::endpoint::{Refusal, check_batch};
use super::{Queues, engine};
use crate::template::Queue;
use serde_json::{Value, json};
use std::time::Duration;

/// Most seconds a message may be kept out of sight.
const MOST_VISIBILITY: i64 = 43_200;
/// Most seconds a receive may wait.
const MOST_WAIT: i64 = 20;

impl Queues {
    /// What is visible now. A receive that may wait does not: there is one store, which knows at once that a queue is
    /// empty. Of a message's attributes none are told.
    pub(super) async fn receive_messages(&self, queue: &Queue, body: &Value) -> Result<Value, Refusal> {
        let most = number(body, "MaxNumberOfMessages", 1..=10)?.unwrap_or(1);
        number(body, "WaitTimeSeconds", 0..=MOST_WAIT)?;
        let visibility = number(body, "VisibilityTimeout", 0..=MOST_VISIBILITY)?;
        let visibility = visibility.map_or(queue.visibility, |seconds| Duration::from_secs(seconds.unsigned_abs()));
        let most = usize::try_from(most).unwrap_or(1);
        let received = self.receive_for(queue, most, visibility).await.map_err(|e| internal(&e))?;
        let messages = received.messages.iter().map(|message| {
            json!({
                "MessageId": message.message_id, "ReceiptHandle": handle(message.id),
                "MD5OfBody": message.md5, "Body": message.body,
            })
        });
        let messages: Vec<Value> = messages.collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    pub(super) async fn delete_message(&self, queue: &Queue, body: &Value) -> Result<Value, Refusal> {
        self.on_receipt(queue, body, Act::Delete).await.map(|()| json!({}))
    }

    pub(super) async fn change_visibility(&self, queue: &Queue, body: &Value) -> Result<Value, Refusal> {
        self.on_receipt(queue, body, visible_after(body)?).await.map(|()| json!({}))
    }

    pub(super) async fn delete_batch(&self, queue: &Queue, body: &Value) -> Result<Value, Refusal> {
        self.on_receipts(queue, body, |_| Ok(Act::Delete)).await
    }

    pub(super) async fn change_visibility_batch(&self, queue: &Queue, body: &Value) -> Result<Value, Refusal> {
        self.on_receipts(queue, body, visible_after).await
    }

    async fn on_receipts(
        &self,
        queue: &Queue,
        body: &Value,
        act: impl Fn(&Value) -> Result<Act, Refusal>,
    ) -> Result<Value, Refusal> {
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        check_batch(entries)?;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let outcome = match act(entry) {
                Ok(act) => self.on_receipt(queue, entry, act).await,
                Err(refusal) => Err(refusal),
            };
            let id = &entry["Id"];
            match outcome {
                Ok(()) => done.push(json!({"Id": id})),
                Err(e) => failed.push(json!({"Id": id, "SenderFault": true, "Code": e.code, "Message": e.message})),
            }
        }
        Ok(json!({"Successful": done, "Failed": failed}))
    }

    async fn on_receipt(&self, queue: &Queue, entry: &Value, act: Act) -> Result<(), Refusal> {
        let id = entry["ReceiptHandle"].as_str().and_then(id).ok_or_else(|| {
            Refusal::new("ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle.")
        })?;
        let (name, now) = (queue.queue_name.clone(), self.clock.now_ms());
        let found = self.store.run(move |db| match act {
            Act::Delete => engine::delete(db, &name, id).map(|()| true),
            Act::VisibleAfter(ms) => engine::change_visibility(db, &name, id, ms, now),
        });
        if !found.await.map_err(|e| internal(&e))? {
            let message = "The specified message isn't in flight.";
            return Err(Refusal::new("MessageNotInflight", message));
        }
        self.wake(&queue.queue_name);
        Ok(())
    }
}

/// What is done with a message that was received.
enum Act {
    Delete,
    /// Keeps it out of sight for so many milliseconds from now.
    VisibleAfter(i64),
}

fn visible_after(entry: &Value) -> Result<Act, Refusal> {
    let seconds = number(entry, "VisibilityTimeout", 0..=MOST_VISIBILITY)?;
    let seconds = seconds
        .ok_or_else(|| Refusal::new("MissingParameter", "The request must contain the parameter VisibilityTimeout."))?;
    Ok(Act::VisibleAfter(seconds * 1000))
}

fn number(body: &Value, name: &str, range: std::ops::RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
    match body[name].as_i64() {
        Some(number) if !range.contains(&number) => {
            let (least, most) = (range.start(), range.end());
            let message = format!(
                "Value {number} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if provided."
            );
            Err(Refusal::new("InvalidParameterValue", message))
        }
        number => Ok(number),
    }
}

/// A message's receipt. It holds for as long as the message is in this queue.
fn handle(id: i64) -> String {
    format!("receipt-{id}")
}

fn id(handle: &str) -> Option<i64> {
    handle.strip_prefix("receipt-")?.parse().ok()
}

fn internal(error: &crate::store::StoreError) -> Refusal {
    Refusal::new("InternalError", error.to_string())
}
