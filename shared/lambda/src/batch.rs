//! Batches of records, of which each may fail alone.
//!
//! A handler is given one record at a time and never the batch, so that one bad
//! record cannot take the others with it. What fails, by an error or by a
//! panic, is named in the answer and comes again; what keeps failing ends in
//! the source's dead-letter queue.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use anyhow::{Context as _, anyhow};
use aws_lambda_events::sqs::SqsEvent;
use futures::{FutureExt, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How many records of a batch are worked on at the same time.
const AT_ONCE: usize = 10;

/// Names the records that failed.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(rename = "batchItemFailures")]
    failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Failure {
    #[serde(rename = "itemIdentifier")]
    id: String,
}

/// Hands each message of a batch from a queue to `work`, several at once.
///
/// # Errors
/// Only if a message has no id, which leaves nothing to name it by.
pub async fn messages<Body, Work>(event: SqsEvent, work: impl Fn(Body) -> Work) -> anyhow::Result<Answer>
where
    Body: DeserializeOwned,
    Work: Future<Output = anyhow::Result<()>>,
{
    let mut failures = Vec::new();
    let mut decoded = Vec::with_capacity(event.records.len());
    for (id, body) in read(event)? {
        match body {
            Ok(body) => decoded.push((id, work(body))),
            Err(error) => failures.push(failed(id, &error)),
        }
    }
    let outcomes = decoded.into_iter().map(async |(id, work)| (id, unwound(work).await));
    let outcomes: Vec<_> = futures::stream::iter(outcomes).buffered(AT_ONCE).collect().await;
    failures.extend(outcomes.into_iter().filter_map(|(id, outcome)| Some(failed(id, &outcome.err()?))));
    Ok(Answer { failures })
}

/// Hands the messages of a batch from a queue to `work`, those that are about the same
/// thing together, in the order in which they came. They fail together too.
///
/// # Errors
/// Only if a message has no id, which leaves nothing to name it by.
pub async fn grouped<Body, Thing, Work>(
    event: SqsEvent,
    about: impl Fn(&Body) -> Thing,
    work: impl Fn(Vec<Body>) -> Work,
) -> anyhow::Result<Answer>
where
    Body: DeserializeOwned,
    Thing: Ord,
    Work: Future<Output = anyhow::Result<()>>,
{
    let mut failures = Vec::new();
    let mut groups: BTreeMap<Thing, (Vec<String>, Vec<Body>)> = BTreeMap::new();
    for (id, body) in read(event)? {
        match body {
            Ok(body) => {
                let (ids, bodies) = groups.entry(about(&body)).or_default();
                ids.push(id);
                bodies.push(body);
            }
            Err(error) => failures.push(failed(id, &error)),
        }
    }
    let outcomes = groups.into_values().map(async |(ids, bodies)| (ids, unwound(work(bodies)).await));
    let outcomes: Vec<_> = futures::stream::iter(outcomes).buffered(AT_ONCE).collect().await;
    for (ids, outcome) in outcomes {
        if let Err(error) = outcome {
            failures.extend(ids.into_iter().map(|id| failed(id, &error)));
        }
    }
    Ok(Answer { failures })
}

/// Each message's id, and its body if it can be read.
fn read<Body: DeserializeOwned>(event: SqsEvent) -> anyhow::Result<Vec<(String, anyhow::Result<Body>)>> {
    let records = event.records.into_iter().map(|record| {
        let id = record.message_id.filter(|id| !id.is_empty()).context("a message came without an id")?;
        Ok((id, decode(record.body.as_deref().unwrap_or_default())))
    });
    records.collect()
}

fn failed(id: String, error: &anyhow::Error) -> Failure {
    tracing::error!(message_id = id, error = format!("{error:#}"), "a message failed and will come again");
    Failure { id }
}

/// A batch from a stream, each record still as it came.
#[derive(Debug, Deserialize)]
pub struct StreamEvent {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

/// One change of one row.
#[derive(Debug, Deserialize)]
pub struct StreamRecord {
    /// The ARN of the stream, which names the table.
    #[serde(rename = "eventSourceARN")]
    pub source: String,
    /// What changed.
    pub dynamodb: Images,
}

/// The row before and after.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Images {
    /// Its place in the stream.
    pub sequence_number: String,
    /// The row as it was, where the stream carries old images.
    #[serde(default)]
    pub old_image: Option<serde_dynamo::Item>,
    /// The row as it is; none if it was deleted.
    #[serde(default)]
    pub new_image: Option<serde_dynamo::Item>,
}

/// Just enough to name a record that does not decode.
#[derive(Deserialize)]
struct Place {
    dynamodb: Sequence,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sequence {
    sequence_number: String,
}

impl StreamEvent {
    /// Decodes the records up to the first that fails, and names that one.
    ///
    /// A stream goes on from the record that is named, so everything before it
    /// must be worked off and nothing behind it need be.
    ///
    /// # Errors
    /// If the first of several fails: named, it would be tried with those behind
    /// it, and given up on with them. A batch that fails as a whole is halved,
    /// until that record stands alone. And if a record has no sequence number to
    /// name it by.
    pub fn decode<T>(self, decode_one: impl Fn(StreamRecord) -> anyhow::Result<T>) -> anyhow::Result<(Vec<T>, Answer)> {
        let count = self.records.len();
        let mut decoded = Vec::with_capacity(count);
        for record in self.records {
            let outcome = decode(record.get()).and_then(&decode_one);
            match outcome {
                Ok(record) => decoded.push(record),
                Err(error) if decoded.is_empty() && count > 1 => {
                    return Err(error.context("the first record of a batch failed"));
                }
                Err(error) => {
                    let place: Place = decode(record.get()).context("a record came without a sequence number")?;
                    let id = place.dynamodb.sequence_number;
                    tracing::error!(
                        sequence_number = id,
                        error = format!("{error:#}"),
                        "a stream record failed and will come again"
                    );
                    return Ok((decoded, Answer { failures: vec![Failure { id }] }));
                }
            }
        }
        Ok((decoded, Answer::default()))
    }
}

/// JSON into a type, with an error that says where and of what kind, but never
/// what the text held.
///
/// # Errors
/// If the text is not JSON or not of that type.
pub fn decode<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        anyhow!("not readable ({:?} error at line {} column {})", error.classify(), error.line(), error.column())
    })
}

async fn unwound(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    AssertUnwindSafe(Box::pin(work)).catch_unwind().await.unwrap_or_else(|_| Err(anyhow!("the handler panicked")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn one_bad_message_fails_alone() {
        let record = |id: &str, body: &str| json!({"messageId": id, "body": body});
        let event = json!({"Records": [record("a", "1"), record("b", "{"), record("c", "3"), record("d", "4")]});
        let answer =
            futures::executor::block_on(messages(serde_json::from_value(event).unwrap(), async |body: u32| {
                assert_ne!(body, 4, "panics");
                if body == 3 { Err(anyhow!("no")) } else { Ok(()) }
            }));
        let failed =
            json!({"batchItemFailures": [{"itemIdentifier": "b"}, {"itemIdentifier": "c"}, {"itemIdentifier": "d"}]});
        let mut answer = serde_json::to_value(answer.unwrap()).unwrap();
        answer["batchItemFailures"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        assert_eq!(answer, failed);
    }

    #[test]
    fn messages_about_the_same_thing_are_worked_on_and_fail_together() {
        let record = |id: &str, body: &str| json!({"messageId": id, "body": body});
        let event = json!({"Records": [record("a", "11"), record("b", "20"), record("c", "12"), record("d", "x")]});
        let seen = std::sync::Mutex::new(Vec::new());
        let answer = futures::executor::block_on(grouped(
            serde_json::from_value(event).unwrap(),
            |body: &u32| body / 10,
            async |bodies: Vec<u32>| {
                seen.lock().unwrap().push(bodies.clone());
                if bodies.len() == 2 { Err(anyhow!("no")) } else { Ok(()) }
            },
        ));
        let failed: Vec<String> = answer.unwrap().failures.into_iter().map(|failure| failure.id).collect();
        assert_eq!(failed, ["d", "a", "c"]);
        assert_eq!(seen.into_inner().unwrap(), [vec![11, 12], vec![20]]);
    }

    #[test]
    fn a_stream_goes_on_from_the_first_bad_record() {
        let good = json!({"eventSourceARN": "s", "dynamodb": {"SequenceNumber": "1", "NewImage": {"a": {"S": "x"}}}});
        let bad = json!({"dynamodb": {"SequenceNumber": "2", "NewImage": 7}});
        let event: StreamEvent = serde_json::from_str(&json!({"Records": [good, bad, good]}).to_string()).unwrap();
        let (decoded, answer) = event.decode(|record| Ok(record.dynamodb.sequence_number)).unwrap();
        assert_eq!(decoded, ["1"]);
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    }

    #[test]
    fn a_bad_record_at_the_head_of_a_batch_is_named_only_when_it_stands_alone() {
        let good = json!({"eventSourceARN": "s", "dynamodb": {"SequenceNumber": "1"}});
        let bad = json!({"dynamodb": {"SequenceNumber": "2", "NewImage": 7}});
        let decode = |records: Value| {
            let event: StreamEvent = serde_json::from_str(&json!({"Records": records}).to_string()).unwrap();
            event.decode(|record| Ok(record.dynamodb.sequence_number))
        };
        assert!(decode(json!([bad, good])).is_err());
        let (_, answer) = decode(json!([bad])).unwrap();
        assert_eq!(serde_json::to_value(answer).unwrap(), json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
    }
}
