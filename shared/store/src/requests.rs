use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::rows::{self, Item, failed, number, text, time};

/// How long the count of a window of requests is kept; long after it is over.
const COUNTED: SignedDuration = SignedDuration::from_mins(10);

/// A request under a key of its caller's, by which it is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is the same for the same key, caller and route.
    pub id: String,
    /// What is the same for the same body.
    pub body: String,
    /// When whoever carries it out is surely gone.
    pub until: Timestamp,
}

/// What became of the beginning of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is to be carried out, under this claim.
    Mine(String),
    /// It was answered with this, under this claim.
    Answered(Vec<u8>, String),
    /// It is being carried out, until then at the latest.
    UnderWay {
        /// When whoever carries it out is surely gone.
        until: Timestamp,
    },
    /// The key was used with another body.
    Another,
}

/// What became of a block of requests that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserved {
    /// It is the asker's; `taken` are taken in all.
    Done {
        /// How many are taken in all.
        taken: u32,
    },
    /// It would have been too many.
    Refused {
        /// How many are taken in all.
        taken: u32,
    },
}

/// The requests table: which requests have been answered, and how many a key has
/// made. Every row is forgotten after a while.
#[derive(Debug, Clone)]
pub struct Requests {
    db: Client,
    table: String,
}

#[derive(Deserialize)]
struct Row {
    body: String,
    claim: String,
    lease: Timestamp,
}

fn key(id: &str) -> Item {
    Item::from([("request".into(), text(id))])
}

/// The second from which a row counts as gone, whether or not DynamoDB has
/// deleted it.
fn expires(at: Timestamp) -> AttributeValue {
    number(at.as_second().unsigned_abs())
}

impl Requests {
    /// How long an answer is kept: for so long a key stands for its request.
    pub const KEPT: SignedDuration = SignedDuration::from_hours(24);

    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Claims a request, unless it was claimed before: then it is said what
    /// became of it. A claim of somebody who is gone without an answer is taken
    /// over.
    ///
    /// # Errors
    /// If the table cannot be written to, or the system has no randomness.
    pub async fn begin(&self, asked: &Asked, now: Timestamp) -> anyhow::Result<Begun> {
        let claim = claim()?;
        let put = self
            .db
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row(asked, &claim, now)))
            .condition_expression("attribute_not_exists(#request) OR expires <= :now")
            .expression_attribute_names("#request", "request")
            .expression_attribute_values(":now", expires(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut known = match put.send().await {
            Ok(_) => return Ok(Begun::Mine(claim)),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(refused) => {
                        refused.item.unwrap_or_default()
                    }
                    _ => Item::new(),
                }
            }
            Err(error) => return Err(failed("a request could not be claimed")(error)),
        };
        let answer = known.remove("answer");
        let known: Row = rows::decode(known)?;
        if known.body != asked.body {
            return Ok(Begun::Another);
        }
        if let Some(AttributeValue::B(answer)) = answer {
            return Ok(Begun::Answered(answer.into_inner(), known.claim));
        }
        if known.lease > now {
            return Ok(Begun::UnderWay { until: known.lease });
        }
        match self.take_over(asked, &known.claim, now, "claim = :seen AND attribute_not_exists(answer)").await? {
            Some(claim) => Ok(Begun::Mine(claim)),
            None => Ok(Begun::UnderWay { until: asked.until }),
        }
    }

    /// Claims a request anew whose answer is of no use any more; None if somebody
    /// else has.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_over(&self, asked: &Asked, seen: &str, now: Timestamp) -> anyhow::Result<Option<String>> {
        self.take_over(asked, seen, now, "claim = :seen").await
    }

    async fn take_over(&self, asked: &Asked, seen: &str, now: Timestamp, only: &str) -> anyhow::Result<Option<String>> {
        let claim = claim()?;
        let put = self.db.put_item().table_name(&self.table).set_item(Some(row(asked, &claim, now)));
        let put = put.condition_expression(only).expression_attribute_values(":seen", text(seen));
        match put.send().await {
            Ok(_) => Ok(Some(claim)),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(None),
            Err(error) => Err(failed("a request could not be claimed")(error)),
        }
    }

    /// Ends a claim, with the answer that the same request is to be given; with
    /// none it may be claimed again at once. Nothing happens if somebody else has
    /// claimed it since.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn finish(
        &self,
        asked: &Asked,
        claim: &str,
        answer: Option<Vec<u8>>,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&asked.id)))
            .condition_expression("claim = :claim")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":now", time(now));
        let update = match answer {
            Some(answer) => update
                .update_expression("SET answer = :answer, lease = :now")
                .expression_attribute_values(":answer", AttributeValue::B(Blob::new(answer))),
            None => update.update_expression("SET lease = :now"),
        };
        match update.send().await {
            Ok(_) => Ok(()),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(failed("an answer could not be kept")(error)),
        }
    }

    /// Takes `want` of the `quota` requests that a key may make in this window.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn reserve(
        &self,
        key_id: &str,
        window: i64,
        want: u32,
        quota: u32,
        now: Timestamp,
    ) -> anyhow::Result<Reserved> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&format!("rate#{key_id}#{window}"))))
            .update_expression("ADD taken :want SET expires = :expires")
            .condition_expression("attribute_not_exists(taken) OR taken <= :room")
            .expression_attribute_values(":want", number(want.into()))
            .expression_attribute_values(":room", number(quota.saturating_sub(want).into()))
            .expression_attribute_values(":expires", expires(now + COUNTED))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(done) => Ok(Reserved::Done { taken: taken(done.attributes.as_ref()) }),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                match error.into_err() {
                    aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(
                        refused,
                    ) => Ok(Reserved::Refused { taken: taken(refused.item.as_ref()) }),
                    _ => Ok(Reserved::Refused { taken: quota }),
                }
            }
            Err(error) => Err(failed("requests could not be counted")(error)),
        }
    }
}

fn row(asked: &Asked, claim: &str, now: Timestamp) -> Item {
    let mut row = key(&asked.id);
    row.insert("body".into(), text(&asked.body));
    row.insert("claim".into(), text(claim));
    row.insert("lease".into(), time(asked.until));
    row.insert("expires".into(), expires(now + Requests::KEPT));
    row
}

fn taken(row: Option<&Item>) -> u32 {
    let taken = row.and_then(|row| row.get("taken")).and_then(|taken| taken.as_n().ok());
    taken.and_then(|taken| taken.parse().ok()).unwrap_or(u32::MAX)
}

/// A name that no other claim has.
fn claim() -> anyhow::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}
