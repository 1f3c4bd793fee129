//! Messages that wait: put off until a time comes, or put back onto their queue for a while.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::message::State;
use domain::{Message, MessageId, sortable};
use jiff::Timestamp;

use super::ledger::{Move, PutOffFor, Row, Taken, key};
use super::{Messages, silent};
use crate::rows::{Item, failed, text, time};
use crate::runs::stopped_by;
use crate::{Timer, Timers};

/// What the copy of a message is called that was not put back yet.
const FIRST: &str = "first";

/// That it is not settled what becomes of a message.
const OPEN: &str = "#state IN (:pending, :claimed, :unknown)";

/// The row that a transaction found otherwise than its first action asks for.
fn found(error: TransactWriteItemsError) -> Option<Item> {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            cancelled.cancellation_reasons?.into_iter().next()?.item
        }
        _ => None,
    }
}

impl Messages {
    /// Puts a message off: it stays as it is until its timer falls due. It has one timer
    /// at most; `woken_by` is the one that it was put off with before, as far as is known.
    /// What nobody knows of is put off only by the timer at which it is sent once more.
    ///
    /// # Errors
    /// If the tables cannot be written to.
    pub async fn put_off(
        &self,
        timers: &Timers,
        message: &Message,
        why: PutOffFor,
        until: Timestamp,
        woken_by: Option<Timestamp>,
        now: Timestamp,
    ) -> anyhow::Result<Taken> {
        let mut before = woken_by;
        loop {
            let moved = self.move_timer(timers, message, why, until, before).await?;
            match &moved {
                Move::Refused(Some(row)) if row.state == State::Pending && row.due != before => {
                    if row.due.map(sortable) == Some(sortable(until)) {
                        // Another copy put it off just so.
                        return Ok(Taken::Done);
                    }
                    before = row.due;
                }
                _ => return Ok(moved.taken(now)),
            }
        }
    }

    /// Puts a message off that was put off until `before`.
    async fn move_timer(
        &self,
        timers: &Timers,
        message: &Message,
        why: PutOffFor,
        until: Timestamp,
        before: Option<Timestamp>,
    ) -> anyhow::Result<Move> {
        let known = match before {
            None => "#state = :pending AND attribute_not_exists(due)",
            Some(_) if message.terms.resend_after.is_none() => "#state = :pending AND due = :before",
            Some(_) => "(#state = :pending OR (#state = :unknown AND attribute_not_exists(again))) AND due = :before",
        };
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&message.id)))
            .update_expression("SET due = :until, put_off_for = :why REMOVE waits, put_back_by, waited_at")
            .condition_expression(format!("{known} AND {}", silent()))
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":pending", text(State::Pending.as_str()))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":why", text(why.as_str()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(before) = before {
            update = update.expression_attribute_values(":before", time(before));
            if message.terms.resend_after.is_some() {
                update = update.expression_attribute_values(":unknown", text(State::Unknown.as_str()));
            }
        }
        let mut actions = vec![TransactWriteItem::builder().update(update.build()?).build()];
        actions.push(timers.put(&Timer::of_message(message, until))?);
        if let Some(before) = before {
            actions.push(timers.delete(&Timer::of_message(message, before))?);
        }
        match self.db.transact_write_items().set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(Move::Done(None)),
            Err(SdkError::ServiceError(error)) if stopped_by(error.err(), "ConditionalCheckFailed") => {
                Ok(Move::Refused(found(error.into_err()).map(Row::read).transpose()?))
            }
            Err(error) => Err(failed("a message could not be put off")(error)),
        }
    }

    /// Lets a copy of a message wait on its queue: `next`, which is put there right after this,
    /// by the copy `by`, woken by the timer that was `due`. Done means that it is to be put
    /// there; anything else that it is not: another one waits, or there is nothing left to
    /// wait for.
    ///
    /// The row knows who put a copy back last, and every copy that this one put there. If
    /// whoever says here that `next` waits dies before it is on the queue, `by` comes again and
    /// is still known; if `by` was brought twice at once, each may have put one there. Of these
    /// the first that goes on is known from then on, and the others are not put back any
    /// more, so that copies do not grow in number however long sending is stopped.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_back(
        &self,
        id: &MessageId,
        due: Option<Timestamp>,
        by: Option<&str>,
        next: &str,
        now: Timestamp,
    ) -> anyhow::Result<Taken> {
        let waits = |update: UpdateItemFluentBuilder| {
            update
                .expression_attribute_values(":pending", text(State::Pending.as_str()))
                .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
                .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
                .expression_attribute_values(":by", text(by.unwrap_or(FIRST)))
                .expression_attribute_values(":next", AttributeValue::Ss(vec![next.to_owned()]))
                .expression_attribute_values(":now", time(now))
        };
        let of_timer = |update: UpdateItemFluentBuilder, condition: &str| match (by, due) {
            (Some(_), _) => update.condition_expression(format!("{OPEN} AND {condition}")),
            (None, None) => {
                update.condition_expression(format!("{OPEN} AND attribute_not_exists(due) AND {condition}"))
            }
            (None, Some(due)) => update
                .condition_expression(format!("{OPEN} AND due = :due AND {condition}"))
                .expression_attribute_values(":due", time(due)),
        };
        let is_known = if by.is_some() { "contains(waits, :by)" } else { "attribute_not_exists(waits)" };
        let goes_on =
            waits(self.update(id)).update_expression("SET waits = :next, put_back_by = :by, waited_at = :now");
        match self.moved(of_timer(goes_on, is_known)).await? {
            Move::Refused(Some(row)) if row.put_back_by.as_deref() == Some(by.unwrap_or(FIRST)) => {
                let again = waits(self.update(id)).update_expression("SET waited_at = :now ADD waits :next");
                Ok(self.moved(of_timer(again, "put_back_by = :by")).await?.taken(now))
            }
            moved => Ok(moved.taken(now)),
        }
    }
}
