//! How fast mail leaves, and whether it may leave at all: one row for all senders.
//!
//! A sender takes slots, moments at which it may call SES, by one write that moves the next
//! free slot on. The row says too what the account may do, and that sending is stopped: the
//! write is refused then, so that nobody goes on who has not heard of it.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::WhyStopped;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::rows::{self, Item, Written, failed, text, time};

/// That nothing is sent for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub since: Timestamp,
    /// When one message is tried again.
    pub until: Timestamp,
    /// Why.
    pub why: WhyStopped,
    /// Whether somebody is trying one message; `until` is then how long that may take.
    pub probed: bool,
}

/// What the account may do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendingAccount {
    /// Mails in a second.
    pub rate: f64,
    /// Mails in any 24 hours; none is no limit.
    pub per_day: Option<f64>,
    /// Mails of the last 24 hours.
    pub used: f64,
}

/// What the row says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sending {
    /// The next free slot, in microseconds since 1970.
    pub free_us: i64,
    /// What the account may do.
    pub account: SendingAccount,
    /// When that was read.
    pub read_at: Timestamp,
    /// Whether sending is stopped.
    pub stop: Option<Stop>,
}

/// Slots that are asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WantedSlots {
    /// How many.
    pub count: i64,
    /// How far apart, in microseconds.
    pub every_us: i64,
    /// The rate that this was made of: another one in the row refuses them.
    pub rate: f64,
    /// The present, in microseconds since 1970.
    pub now_us: i64,
    /// When the first one is to be at the latest.
    pub latest_us: i64,
}

/// What became of slots that were asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Slots {
    /// They are the asker's.
    Given {
        /// When the first one is, in microseconds since 1970.
        first_us: i64,
        /// The row since.
        sending: Sending,
    },
    /// They are not; this is the row, if there is one.
    Refused(Option<Sending>),
}

/// How fast mail leaves, in the checkpoints table.
#[derive(Debug, Clone)]
pub struct Pace {
    db: Client,
    table: String,
}

#[derive(Deserialize)]
struct Row {
    free_us: Option<i64>,
    send_rate: Option<f64>,
    day_quota: Option<f64>,
    day_used: Option<f64>,
    read_at: Option<Timestamp>,
    stopped_since: Option<Timestamp>,
    stopped_until: Option<Timestamp>,
    stopped_for: Option<WhyStopped>,
    #[serde(default)]
    probed: bool,
}

impl Sending {
    /// None if the account has not been read yet.
    fn read(item: Item) -> anyhow::Result<Option<Self>> {
        let row: Row = rows::decode(item)?;
        let (Some(free_us), Some(rate), Some(read_at)) = (row.free_us, row.send_rate, row.read_at) else {
            return Ok(None);
        };
        let account = SendingAccount { rate, per_day: row.day_quota, used: row.day_used.unwrap_or_default() };
        let stop = match (row.stopped_since, row.stopped_until, row.stopped_for) {
            (Some(since), Some(until), Some(why)) => Some(Stop { since, until, why, probed: row.probed }),
            _ => None,
        };
        Ok(Some(Self { free_us, account, read_at, stop }))
    }
}

fn key() -> Item {
    Item::from([("task".into(), text("sending")), ("item".into(), text("pace"))])
}

fn micros(us: i64) -> AttributeValue {
    AttributeValue::N(us.to_string())
}

fn decimal(value: f64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

impl Pace {
    /// The row in the table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// The row; none before the account was read for the first time.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self) -> anyhow::Result<Option<Sending>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key())).consistent_read(true).send();
        let item = got.await.map_err(failed("the pace of sending could not be read"))?.item;
        item.map_or(Ok(None), Sending::read)
    }

    /// Takes slots one after the other, the first the next free one; all of them or none.
    /// They are refused while sending is stopped, or at another rate. An `idle` row is one
    /// whose next free slot has passed: then the first slot is now.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn reserve(&self, wanted: &WantedSlots, idle: bool) -> anyhow::Result<Slots> {
        const GOING: &str = "send_rate = :rate AND attribute_not_exists(stopped_until)";
        let length = wanted.count * wanted.every_us;
        let update = self
            .update()
            .expression_attribute_values(":rate", decimal(wanted.rate))
            .expression_attribute_values(":now", micros(wanted.now_us));
        let update = if idle {
            update
                .update_expression("SET free_us = :behind")
                .condition_expression(format!("{GOING} AND free_us <= :now"))
                .expression_attribute_values(":behind", micros(wanted.now_us + length))
        } else {
            update
                .update_expression("ADD free_us :length")
                .condition_expression(format!("{GOING} AND free_us > :now AND free_us <= :latest"))
                .expression_attribute_values(":length", micros(length))
                .expression_attribute_values(":latest", micros(wanted.latest_us))
        };
        Ok(match self.write(update).await? {
            Outcome::Done(Some(sending)) => Slots::Given { first_us: sending.free_us - length, sending },
            Outcome::Done(None) => Slots::Refused(None),
            Outcome::Refused(sending) => Slots::Refused(sending),
        })
    }

    /// Keeps slots free until then, in microseconds since 1970.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn hold(&self, until_us: i64) -> anyhow::Result<Option<Sending>> {
        let update = self
            .update()
            .update_expression("SET free_us = :until")
            .condition_expression("free_us < :until")
            .expression_attribute_values(":until", micros(until_us));
        Ok(self.write(update).await?.row())
    }

    /// Brings the next free slot back to now if it is where nobody can have taken it, and
    /// still what was seen: somebody's clock was wrong.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn bring_back(&self, seen: &Sending, now_us: i64) -> anyhow::Result<Option<Sending>> {
        let update = self
            .update()
            .update_expression("SET free_us = :now")
            .condition_expression("free_us = :seen")
            .expression_attribute_values(":now", micros(now_us))
            .expression_attribute_values(":seen", micros(seen.free_us));
        Ok(self.write(update).await?.row())
    }

    /// Takes it upon the caller to read the account, if nobody has since it was `seen`.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn begin_reading(&self, seen: &Sending, now: Timestamp) -> anyhow::Result<Written> {
        let update = self
            .update()
            .update_expression("SET read_at = :now")
            .condition_expression("read_at = :seen")
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":seen", time(seen.read_at));
        Ok(self.write(update).await?.written())
    }

    /// Notes what the account may do, as read then.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn note_account(&self, account: &SendingAccount, read_at: Timestamp) -> anyhow::Result<Option<Sending>> {
        const SET: &str =
            "SET send_rate = :rate, day_used = :used, read_at = :now, free_us = if_not_exists(free_us, :zero)";
        let update = self
            .update()
            .expression_attribute_values(":rate", decimal(account.rate))
            .expression_attribute_values(":used", decimal(account.used))
            .expression_attribute_values(":now", time(read_at))
            .expression_attribute_values(":zero", micros(0));
        let update = match account.per_day {
            Some(per_day) => update
                .update_expression(format!("{SET}, day_quota = :quota"))
                .expression_attribute_values(":quota", decimal(per_day)),
            None => update.update_expression(format!("{SET} REMOVE day_quota")),
        };
        Ok(self.write(update).await?.row())
    }

    /// Stops sending; since when stays if it is stopped already, and what holds longer holds.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn stop(&self, why: WhyStopped, now: Timestamp, until: Timestamp) -> anyhow::Result<Option<Sending>> {
        let update = self
            .update()
            .update_expression(
                "SET stopped_since = if_not_exists(stopped_since, :now), stopped_until = :until, stopped_for = :why \
                 REMOVE probed",
            )
            .condition_expression("attribute_not_exists(stopped_until) OR stopped_until < :until")
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":why", text(why.as_str()));
        Ok(self.write(update).await?.row())
    }

    /// Takes it upon the caller to try one message, once the time of the stop is over; until
    /// `lease` nobody else does. Overtaken means that somebody does already.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn probe(&self, seen: &Stop, lease: Timestamp) -> anyhow::Result<Written> {
        let update = self
            .update()
            .update_expression("SET stopped_until = :lease, probed = :probed")
            .condition_expression("stopped_until = :seen")
            .expression_attribute_values(":lease", time(lease))
            .expression_attribute_values(":probed", AttributeValue::Bool(true))
            .expression_attribute_values(":seen", time(seen.until));
        Ok(self.write(update).await?.written())
    }

    /// Lets everything go on, since the one message of this lease was taken.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn go_on(&self, lease: Timestamp) -> anyhow::Result<Option<Sending>> {
        let update = self
            .update()
            .update_expression("REMOVE stopped_since, stopped_until, stopped_for, probed")
            .condition_expression("stopped_until = :lease")
            .expression_attribute_values(":lease", time(lease));
        Ok(self.write(update).await?.row())
    }

    /// Gives up a lease under which no message was tried: somebody else may at once.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn end_probe(&self, lease: Timestamp, now: Timestamp) -> anyhow::Result<Option<Sending>> {
        let update = self
            .update()
            .update_expression("SET stopped_until = :now REMOVE probed")
            .condition_expression("stopped_until = :lease")
            .expression_attribute_values(":lease", time(lease))
            .expression_attribute_values(":now", time(now));
        Ok(self.write(update).await?.row())
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn write(&self, update: UpdateItemFluentBuilder) -> anyhow::Result<Outcome> {
        let row = |item: Option<Item>| item.map_or(Ok(None), Sending::read);
        match update.send().await {
            Ok(done) => Ok(Outcome::Done(row(done.attributes)?)),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                let old = match error.into_err() {
                    UpdateItemError::ConditionalCheckFailedException(refused) => refused.item,
                    _ => None,
                };
                Ok(Outcome::Refused(row(old)?))
            }
            Err(error) => Err(failed("the pace of sending could not be written")(error)),
        }
    }
}

/// What a write came to, with the row since, or as it is.
enum Outcome {
    Done(Option<Sending>),
    Refused(Option<Sending>),
}

impl Outcome {
    fn written(&self) -> Written {
        match self {
            Self::Done(_) => Written::Done,
            Self::Refused(_) => Written::Overtaken,
        }
    }

    fn row(self) -> Option<Sending> {
        match self {
            Self::Done(row) | Self::Refused(row) => row,
        }
    }
}

impl SendingAccount {
    /// How long it takes, about, until another mail may go: as long as it takes for those
    /// that are too many to have been sent more than 24 hours ago, if they were spread evenly.
    #[must_use]
    pub fn room_in(&self) -> SignedDuration {
        const DAY_SECONDS: f64 = 24.0 * 60.0 * 60.0;
        let Some(per_day) = self.per_day else { return SignedDuration::ZERO };
        let too_many = self.used - per_day + 1.0;
        if too_many <= 0.0 || self.used <= 0.0 {
            return SignedDuration::ZERO;
        }
        SignedDuration::try_from_secs_f64((DAY_SECONDS * too_many / self.used).min(DAY_SECONDS))
            .unwrap_or(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_as_what_was_sent_grows_old() {
        let room = |used, per_day| SendingAccount { rate: 1.0, per_day, used }.room_in().as_secs();
        assert_eq!(room(200.0, Some(200.0)), 432);
        assert_eq!(room(0.0, Some(0.0)), 0);
        assert_eq!(room(199.0, Some(200.0)), 0);
        assert_eq!(room(1e9, None), 0);
        assert_eq!(room(400.0, Some(100.0)), 65_016);
    }
}
