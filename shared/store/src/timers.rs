use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::{CustomerId, Message, RunId, sortable};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rows::{self, Item, failed, text};

/// How many parts the timers are dealt into. One part takes about a thousand
/// writes a second.
pub const SHARDS: u32 = 8;

/// Something that falls due: a run that has waited long enough, a message that was put off,
/// or a time at which a customer's segments may be others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Whose.
    pub customer_id: CustomerId,
    /// Which run; none for the segments, for which a customer has one timer at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Which message, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<Message>>,
    /// When.
    pub at: Timestamp,
}

impl Timer {
    /// The timer of a message that was put off.
    #[must_use]
    pub fn of_message(message: &Message, at: Timestamp) -> Self {
        let message = message.clone();
        Self { customer_id: message.customer_id.clone(), run_id: None, message: Some(Box::new(message)), at }
    }
}

/// How far ahead the schedule looks each minute: until it comes again, with some
/// to spare.
pub const TIMERS_AHEAD: SignedDuration = SignedDuration::from_secs(75);

/// How near a timer must be, when its row is seen in the stream, to be handed on
/// from there.
///
/// Twice as far as the schedule looks: whatever is written with more time than
/// this is always still in front of the schedule.
pub const TIMERS_SOON: SignedDuration = SignedDuration::from_secs(150);

/// The timers table: what falls due when.
///
/// A slot is one part of them, in the order in which they fall due, so that what
/// is due since any instant is one range, however long ago that was. A timer stays until what it was for is done; whoever does that deletes it in
/// the same transaction. So a timer that is still there was not yet seen to.
#[derive(Debug, Clone)]
pub struct Timers {
    db: Client,
    table: String,
}

fn slot(shard: u32) -> String {
    format!("shard#{shard}")
}

fn key(timer: &Timer) -> Item {
    let (name, at) = match (&timer.run_id, &timer.message) {
        (Some(run_id), _) => (run_id.to_string(), sortable(timer.at)),
        (None, Some(message)) => (message.id.to_string(), sortable(timer.at)),
        // What holds up to a moment turns a nanosecond after what holds before it: two
        // timers, of which one is set as the other is deleted.
        (None, None) => (domain::digest(&["segments", timer.customer_id.as_str()]), format!("{:.9}", timer.at)),
    };
    let shard = rows::part(&name, SHARDS);
    let due = format!("{at}#{name}");
    Item::from([("slot".into(), text(slot(shard))), ("due".into(), text(due))])
}

impl Timers {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Goes through a shard's timers that fall due after `from` and up to
    /// `to`, a page at a time, and hands each page to `take`. A row that is no
    /// timer is passed over: those behind it cannot wait for it.
    ///
    /// # Errors
    /// If the table cannot be read, or what `take` fails with.
    pub async fn due(
        &self,
        shard: u32,
        from: Timestamp,
        to: Timestamp,
        mut take: impl AsyncFnMut(Vec<Timer>) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut start = None;
        loop {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("slot = :slot AND due BETWEEN :from AND :to")
                .expression_attribute_values(":slot", text(slot(shard)))
                // '~' sorts behind every digest, so `to` itself is within and
                // everything due at `from` itself is behind us.
                .expression_attribute_values(":from", text(format!("{}~", sortable(from))))
                .expression_attribute_values(":to", text(format!("{}~", sortable(to))))
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("the timers could not be read"))?;
            let timers: Vec<Timer> = page
                .items
                .unwrap_or_default()
                .into_iter()
                .filter_map(|item| rows::readable(rows::decode(item)))
                .collect();
            if !timers.is_empty() {
                take(timers).await?;
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Deletes a timer; one that is gone already is no error.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget(&self, timer: &Timer) -> anyhow::Result<()> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(timer))).send();
        delete.await.map(drop).map_err(failed("a timer could not be deleted"))
    }

    pub(crate) fn put(&self, timer: &Timer) -> anyhow::Result<TransactWriteItem> {
        let mut item = rows::encode(timer)?;
        item.extend(key(timer));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(crate) fn delete(&self, timer: &Timer) -> anyhow::Result<TransactWriteItem> {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(key(timer))).build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}
