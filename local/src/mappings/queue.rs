//! A queue that feeds a function.

use super::answer::{self, Batch};
use super::{PAYLOAD_BYTES, Parts};
use crate::clock::millis;
use crate::functions::{Failure, Pool};
use crate::names::REGION;
use crate::sqs::engine::Message;
use crate::template::{Queue, QueueMapping};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Brings the queue's messages to the function until the runner stops.
pub(crate) async fn run(mapping: QueueMapping, parts: Parts) {
    let (Some(queue), Some(pool)) = (parts.queues.find(&mapping.queue), parts.functions.find(&mapping.function)) else {
        return;
    };
    let (queue, pool) = (queue.clone(), Arc::clone(pool));
    let Some(mut woken) = parts.queues.subscribe(&queue) else { return };
    let mapping = Arc::new(mapping);
    let permits = Arc::new(Semaphore::new(mapping.max_concurrency.min(processes(&mapping, &parts)).max(1)));
    loop {
        // A message is only taken when there is somebody to give it to: its time out of sight runs.
        let permit = tokio::select! {
            () = parts.stopped() => return,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { return };
        woken.mark_unchanged();
        let (messages, next_ms) = gather(&mapping, &queue, &parts).await;
        if !messages.is_empty() {
            let (mapping, queue, pool, parts) = (Arc::clone(&mapping), queue.clone(), Arc::clone(&pool), parts.clone());
            tokio::spawn(async move {
                deliver(&mapping, &queue, &pool, messages, &parts).await;
                drop(permit);
            });
            continue;
        }
        drop(permit);
        // What went to the dead letters, or was filtered out, may have been the last.
        parts.activity.touch();
        let due = async {
            match next_ms {
                Some(next_ms) => parts.clock.sleep_until(next_ms).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = parts.stopped() => return,
            _ = woken.changed() => {}
            () = due => {}
        }
    }
}

/// How many processes the mapping may keep busy. A function has as many as it wants on AWS, and
/// few here: where several queues feed it, none of them takes the last one from the others.
fn processes(mapping: &QueueMapping, parts: &Parts) -> usize {
    let shared = parts.queue_mappings.iter().filter(|other| other.function == mapping.function).count() > 1;
    parts.most_instances - usize::from(shared && parts.most_instances > 1)
}

/// Takes a batch, waiting for a fuller one if the mapping has a window.
async fn gather(mapping: &QueueMapping, queue: &Queue, parts: &Parts) -> (Vec<Message>, Option<i64>) {
    let mut batch: Vec<Message> = Vec::new();
    let mut bytes = 0;
    let mut ends_ms = None;
    loop {
        let wanted = mapping.batch_size - batch.len();
        let received = match parts.queues.receive(queue, wanted).await {
            Ok(received) => received,
            Err(_) => {
                // The store is closed or the disk is full: neither gets better by asking at once again.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                return (batch, None);
            }
        };
        bytes += received.messages.iter().map(|message| message.body.len()).sum::<usize>();
        batch.extend(received.messages);
        let window = millis(mapping.window);
        if batch.is_empty() || batch.len() >= mapping.batch_size || window == 0 || bytes > PAYLOAD_BYTES / 2 {
            return (batch, received.next_ms);
        }
        let now_ms = parts.clock.now_ms();
        let ends_ms = *ends_ms.get_or_insert(now_ms + window);
        if now_ms >= ends_ms || parts.is_stopping() {
            return (batch, None);
        }
        let Some(mut woken) = parts.queues.subscribe(queue) else { return (batch, None) };
        tokio::select! {
            () = parts.clock.sleep_until(ends_ms) => {}
            () = parts.stopped() => {}
            _ = woken.changed() => {}
        }
    }
}

async fn deliver(mapping: &QueueMapping, queue: &Queue, pool: &Pool, messages: Vec<Message>, parts: &Parts) {
    let (mut records, mut kept, mut unwanted) = (Vec::new(), Vec::new(), Vec::new());
    let messages_received = messages.len();
    let bytes = messages.iter().map(|message| message.body.len()).sum();
    for message in messages {
        let record = record(queue, &message);
        match passes(mapping, &record) {
            true => {
                records.push(record);
                kept.push(message);
            }
            // What does not pass the filter is deleted, as on AWS.
            false => unwanted.push(message.id),
        }
    }
    let busy = parts.activity.begin();
    let ids: Vec<i64> = kept.iter().map(|message| message.id).collect();
    let (done, failed) = if kept.is_empty() {
        (unwanted, Vec::new())
    } else {
        let (outcome, _busy) = parts.functions.invoke(pool, json!({"Records": records}).to_string()).await;
        let batch = match outcome {
            Ok(answer) if mapping.partial_answers => {
                let ids: Vec<&str> = kept.iter().map(|message| message.message_id.as_str()).collect();
                answer::read(&answer, &ids)
            }
            Ok(_) => Batch::Done,
            Err(Failure::Stopping) => {
                let _ = parts.queues.release(ids).await;
                return;
            }
            // The runner kills what does not finish in time when it stops.
            Err(Failure::Crashed(_)) if parts.is_stopping() => {
                let _ = parts.queues.release(ids).await;
                return;
            }
            Err(_) => Batch::Failed,
        };
        let (mut done, failed) = split(&ids, &batch);
        done.extend(unwanted);
        (done, failed)
    };
    parts.calls.polled(&pool.function.name, messages_received, bytes, done.len());
    // If the store fails, the messages come again: at least once is what is promised.
    let _ = parts.queues.settle(done, failed).await;
    drop(busy);
    parts.activity.touch();
}

fn split(ids: &[i64], batch: &Batch) -> (Vec<i64>, Vec<i64>) {
    match batch {
        Batch::Done => (ids.to_vec(), Vec::new()),
        Batch::Failed => (Vec::new(), ids.to_vec()),
        Batch::Partly(positions) => {
            let (failed, done): (Vec<_>, Vec<_>) =
                ids.iter().enumerate().partition(|(position, _)| positions.contains(position));
            let ids = |part: Vec<(usize, &i64)>| part.into_iter().map(|(_, id)| *id).collect();
            (ids(done), ids(failed))
        }
    }
}

fn passes(mapping: &QueueMapping, record: &Value) -> bool {
    if mapping.filters.is_empty() {
        return true;
    }
    // A filter looks into a body that is JSON.
    let mut seen = record.clone();
    let body = seen["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    if let Some(body) = body.filter(|body| body.is_object()) {
        seen["body"] = body;
    }
    mapping.filters.iter().any(|filter| filter.matches(&seen))
}

/// A message as Lambda hands it to a function.
fn record(queue: &Queue, message: &Message) -> Value {
    let attributes = message.attributes.as_deref().and_then(|text| serde_json::from_str(text).ok());
    json!({
        "messageId": message.message_id,
        "receiptHandle": format!("{}.{}", message.id, message.receives),
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.receives.to_string(),
            "SentTimestamp": message.sent_ms.to_string(),
            "SenderId": message.sender,
            "ApproximateFirstReceiveTimestamp": message.first_received_ms.to_string(),
        },
        "messageAttributes": attributes.unwrap_or_else(|| json!({})),
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": REGION,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_answer_keeps_the_failures_only() {
        assert_eq!(split(&[7, 8, 9], &Batch::Partly(vec![1])), (vec![7, 9], vec![8]));
        assert_eq!(split(&[7, 8], &Batch::Failed), (vec![], vec![7, 8]));
        assert_eq!(split(&[7, 8], &Batch::Done), (vec![7, 8], vec![]));
    }
}
