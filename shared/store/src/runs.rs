use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use campaigns::{Progress, Run};
use jiff::Timestamp;

use crate::customers::{Row, run_item};
use crate::rows::{self, Written, failed, number};
use crate::{Messages, Timer, Timers};

/// How often a transaction is tried that met another one.
const TRIES: u32 = 4;

/// Campaign runs: the run's row beside its customer, the messages that it wrote
/// and the timer that it set, always in one transaction.
#[derive(Debug, Clone)]
pub struct Runs {
    db: Client,
    customers: String,
    messages: Messages,
    timers: Timers,
}

impl Runs {
    /// Runs over these tables.
    #[must_use]
    pub fn new(db: Client, customers: String, messages: Messages, timers: Timers) -> Self {
        Self { db, customers, messages, timers }
    }

    /// Writes what came of going on with a run: all of it or nothing.
    ///
    /// `read` is the run as it was read, with its row's version; none if the
    /// run is new. A new run that is there already is [`Written::Overtaken`].
    ///
    /// # Errors
    /// If the tables cannot be written to.
    pub async fn apply(
        &self,
        progress: &Progress,
        read: Option<(&Run, u64)>,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let run = &progress.run;
        let version = read.map(|(_, version)| version);
        let item = rows::encode(&Row::new(&run.customer_id, run_item(&run.id), run, version, now)?)?;
        let put = Put::builder().table_name(&self.customers).set_item(Some(item));
        let put = match version {
            None => put.condition_expression("attribute_not_exists(customer)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        let mut actions = vec![TransactWriteItem::builder().put(put.build()?).build()];
        for message in &progress.messages {
            actions.push(self.messages.put_in_transaction(message)?);
        }
        let (before, after) = (read.and_then(|(run, _)| timer(run)), timer(run));
        if before != after {
            actions.extend(before.map(|timer| self.timers.delete(&timer)).transpose()?);
            actions.extend(after.map(|timer| self.timers.put(&timer)).transpose()?);
        }
        self.commit(actions).await
    }

    /// Deletes the timers of runs that are no more.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget_timers(&self, runs: &[Run]) -> anyhow::Result<()> {
        for timer in runs.iter().filter_map(timer) {
            let actions = vec![self.timers.delete(&timer)?];
            self.commit(actions).await?;
        }
        Ok(())
    }

    /// Deletes a timer whose run is no more.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget_timer(&self, timer: &Timer) -> anyhow::Result<()> {
        self.commit(vec![self.timers.delete(timer)?]).await.map(drop)
    }

    async fn commit(&self, actions: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        let mut tried = 0;
        loop {
            tried += 1;
            let written = self.db.transact_write_items().set_transact_items(Some(actions.clone())).send().await;
            match written {
                Ok(_) => return Ok(Written::Done),
                Err(SdkError::ServiceError(error)) if stopped_by(error.err(), "ConditionalCheckFailed") => {
                    return Ok(Written::Overtaken);
                }
                Err(SdkError::ServiceError(error))
                    if tried < TRIES && stopped_by(error.err(), "TransactionConflict") =>
                {
                    // Another transaction held one of the rows; it is over in
                    // milliseconds.
                    tokio::time::sleep(Duration::from_millis(20 * u64::from(tried))).await;
                }
                Err(error) => return Err(failed("the run could not be written")(error)),
            }
        }
    }
}

/// The timer that a run has set.
fn timer(run: &Run) -> Option<Timer> {
    run.due().map(|at| Timer { customer_id: run.customer_id.clone(), run_id: Some(run.id.clone()), message: None, at })
}

/// Whether a transaction was cancelled for this reason.
pub(crate) fn stopped_by(error: &TransactWriteItemsError, code: &str) -> bool {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some(code))
        }
        _ => false,
    }
}
