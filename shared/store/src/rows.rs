//! What rows of several tables have in common.

use std::collections::HashMap;

use anyhow::{Error, anyhow};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use domain::TooLarge;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::runs::stopped_by;

/// A row of a table, as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A thing and the version of its row, which the next write must name.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// The thing.
    pub value: T,
    /// Its version, from 1.
    pub version: u64,
}

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was carried out.
    Done,
    /// Somebody else wrote first: read again and decide again.
    Overtaken,
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn time(at: Timestamp) -> AttributeValue {
    AttributeValue::S(domain::sortable(at))
}

/// The largest `body`, in bytes: an item may have 400 KB, its keys and whatever
/// stands beside the body included.
pub const MAX_BODY: usize = 390 * 1024;

/// A domain object as the text of a `body`.
pub(crate) fn body(value: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string(value)
        .map_err(|error| anyhow!("a row could not be encoded ({:?} error)", error.classify()))?;
    if text.len() > MAX_BODY {
        return Err(TooLarge { bytes: text.len(), most: MAX_BODY }.into());
    }
    Ok(text)
}

/// A row that is not what a row of its kind is, however often it is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Whether it failed for a reason that lies in the rows themselves, and not in a table that
/// could not be reached: it will fail again.
#[must_use]
pub fn lies_in_rows(error: &Error) -> bool {
    error.is::<Unreadable>() || error.is::<TooLarge>()
}

/// What keeps the definitions from being read. It is no reason to pass over a customer, even
/// if it lies in a row.
pub(crate) fn of_definitions(error: Error) -> Error {
    anyhow!("{error:#}")
}

/// The domain object in a `body`.
pub(crate) fn parse<T: DeserializeOwned>(body: &str) -> anyhow::Result<T> {
    serde_json::from_str(body).map_err(|error| {
        let (class, column) = (error.classify(), error.column());
        Unreadable(format!("a row could not be decoded ({class:?} error at column {column})")).into()
    })
}

/// The row as a type.
pub(crate) fn decode<T: DeserializeOwned>(item: Item) -> anyhow::Result<T> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item)
        .map_err(|_| Unreadable("a row does not have the attributes of its kind".to_owned()).into())
}

/// The type as a row.
pub(crate) fn encode(row: &impl Serialize) -> anyhow::Result<Item> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(|_| anyhow!("a row could not be encoded"))
}

/// What could not be done, and the SDK's error in words that may be logged.
pub(crate) fn failed<E, R>(what: &'static str) -> impl FnOnce(SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    move |error| anyhow!("{what}: {}", aws::describe(&error))
}

/// Carries out a transaction whose conditions say that nobody else wrote first; `what`
/// is what could not be done if it fails otherwise.
pub(crate) async fn transact(
    db: &Client,
    actions: Vec<TransactWriteItem>,
    what: &'static str,
) -> anyhow::Result<Written> {
    match db.transact_write_items().set_transact_items(Some(actions)).send().await {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(error))
            if stopped_by(error.err(), "ConditionalCheckFailed") || stopped_by(error.err(), "TransactionConflict") =>
        {
            Ok(Written::Overtaken)
        }
        Err(error) => Err(failed(what)(error)),
    }
}

/// Puts a row whose version is the next after `read`, if it is still the one that was read;
/// `what` is what could not be done if it fails otherwise.
///
/// The row says which call wrote it: one whose answer got lost is made once more by the SDK,
/// and would otherwise take what it wrote itself for somebody else's.
pub(crate) async fn put_next(
    db: &Client,
    table: &str,
    mut item: Item,
    read: u64,
    what: &'static str,
) -> anyhow::Result<Written> {
    const CALL: &str = "call";
    let call = text(format!("{:016x}", fastrand::u64(..)));
    item.insert(CALL.into(), call.clone());
    let put = db
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("#version = :read")
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":read", number(read))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match put.send().await {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
            let found = match error.into_err() {
                PutItemError::ConditionalCheckFailedException(refused) => refused.item,
                _ => None,
            };
            let is_ours = found.is_some_and(|found| found.get(CALL) == Some(&call));
            Ok(if is_ours { Written::Done } else { Written::Overtaken })
        }
        Err(error) => Err(failed(what)(error)),
    }
}

/// What could be read; what could not is logged, and must not stop the rest.
pub(crate) fn readable<T>(read: anyhow::Result<T>) -> Option<T> {
    read.map_err(|error| tracing::error!(error = format!("{error:#}"), "a row cannot be read and is passed over")).ok()
}

/// Part number `key` falls into, of `parts`. Always the same for the same key.
pub(crate) fn part(key: &str, parts: u32) -> u32 {
    let digest = domain::digest(&["part", key]);
    u32::from_str_radix(&digest[..8], 16).unwrap_or_default() % parts
}
