use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use campaigns::{EditionOf, Memberships, Turned};
use domain::{Code, CustomerId};
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::customers::{List, Row, key, partition};
use crate::rows::{self, Item, Written, failed, number, text};
use crate::{Timer, Timers};

/// The row that every change of a customer's memberships goes with, so that of two who
/// change them at once one is refused.
pub(crate) const SEGMENTS: &str = "segments";

/// What each membership's item begins with.
pub(crate) const SEGMENT: &str = "segment#";

/// How many memberships are deleted at the same time: of one customer, and of an edition
/// that is kept no more.
const FORGOTTEN_AT_ONCE: usize = 8;
const CLEARED_AT_ONCE: usize = 16;

/// In which segments a customer is: a row for each beside the customer, one that goes
/// with every change, and a timer for when they turn by themselves.
#[derive(Debug, Clone)]
pub struct MembershipRows {
    db: Client,
    customers: String,
    timers: Timers,
}

/// What goes with every change of a customer's memberships.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turns_at: Option<Timestamp>,
}

pub(crate) fn membership_item((code, number): &EditionOf) -> String {
    format!("{SEGMENT}{code}#{number}")
}

/// Of which edition of which segment a row is, by its item.
pub(crate) fn edition_of(item: &str) -> Option<EditionOf> {
    let (code, number) = item.strip_prefix(SEGMENT)?.rsplit_once('#')?;
    Some((Code::parse(code).ok()?, number.parse().ok()?))
}

impl MembershipRows {
    /// Over these tables.
    #[must_use]
    pub fn new(db: Client, customers: String, timers: Timers) -> Self {
        Self { db, customers, timers }
    }

    /// All that is kept of a customer's segments, with one consistent read.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn load(&self, id: &CustomerId) -> anyhow::Result<Memberships> {
        let (mut known, mut start) = (Memberships::default(), None);
        loop {
            let page = self
                .db
                .query()
                .table_name(&self.customers)
                .consistent_read(true)
                .key_condition_expression("customer = :customer AND begins_with(#item, :prefix)")
                .expression_attribute_names("#item", "item")
                .expression_attribute_values(":customer", text(partition(id)))
                .expression_attribute_values(":prefix", text("segment"))
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("the customer's segments could not be read"))?;
            for item in page.items.unwrap_or_default() {
                let row: Row = rows::decode(item)?;
                if row.item == SEGMENTS {
                    let state: State = rows::parse(&row.body)?;
                    known.version = Some(row.version);
                    (known.at, known.turns_at) = (Some(state.at), state.turns_at);
                } else if let Some(edition) = edition_of(&row.item) {
                    known.of.insert(edition, rows::parse(&row.body)?);
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(known);
            }
        }
    }

    /// Writes what has turned: all of it or nothing, if nobody wrote since `known` was
    /// read.
    ///
    /// # Errors
    /// If the tables cannot be written to.
    pub async fn apply(
        &self,
        id: &CustomerId,
        known: &Memberships,
        turned: &Turned,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let state = State { at: turned.at, turns_at: turned.turns_at };
        let row = Row::new(id, SEGMENTS.into(), &state, known.version, now)?;
        let put = Put::builder().table_name(&self.customers).set_item(Some(rows::encode(&row)?));
        let put = match known.version {
            None => put.condition_expression("attribute_not_exists(customer)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        let mut actions = vec![TransactWriteItem::builder().put(put.build()?).build()];
        for (edition, membership, change) in &turned.memberships {
            let row = Row {
                listed: membership.is_in.then(|| List::Segment(edition.clone()).part_of(id)),
                news: change.as_ref().map(rows::body).transpose()?,
                ..Row::new(id, membership_item(edition), membership, None, now)?
            };
            let put = Put::builder().table_name(&self.customers).set_item(Some(rows::encode(&row)?)).build()?;
            actions.push(TransactWriteItem::builder().put(put).build());
        }
        for edition in &turned.forgotten {
            actions.push(self.delete(key(partition(id), membership_item(edition)))?);
        }
        if known.turns_at != turned.turns_at {
            let timer = |at| Timer { customer_id: id.clone(), run_id: None, message: None, at };
            actions.extend(known.turns_at.map(|at| self.timers.delete(&timer(at))).transpose()?);
            actions.extend(turned.turns_at.map(|at| self.timers.put(&timer(at))).transpose()?);
        }
        self.transact(actions).await
    }

    /// Deletes all that is kept of the segments of somebody who is another one now, or was
    /// erased.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn forget(&self, id: &CustomerId) -> anyhow::Result<()> {
        loop {
            let known = self.load(id).await?;
            let rows = known.of.keys().map(|edition| key(partition(id), membership_item(edition)));
            self.delete_each(rows, FORGOTTEN_AT_ONCE).await?;
            let Some(version) = known.version else { return Ok(()) };
            let state = Delete::builder()
                .table_name(&self.customers)
                .set_key(Some(key(partition(id), SEGMENTS)))
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version))
                .build()?;
            let mut actions = vec![TransactWriteItem::builder().delete(state).build()];
            if let Some(at) = known.turns_at {
                actions.push(self.timers.delete(&Timer {
                    customer_id: id.clone(),
                    run_id: None,
                    message: None,
                    at,
                })?);
            }
            if self.transact(actions).await? == Written::Done {
                return Ok(());
            }
        }
    }

    /// Deletes a timer that no customer's row knows of.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget_timer(&self, id: &CustomerId, at: Timestamp) -> anyhow::Result<()> {
        let timer = Timer { customer_id: id.clone(), run_id: None, message: None, at };
        self.transact(vec![self.timers.delete(&timer)?]).await.map(drop)
    }

    /// Deletes what is kept of these customers' membership in a segment by an edition that
    /// is kept no more.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn clear(&self, edition: &EditionOf, members: &[CustomerId]) -> anyhow::Result<()> {
        let rows = members.iter().map(|id| key(partition(id), membership_item(edition)));
        self.delete_each(rows, CLEARED_AT_ONCE).await
    }

    async fn delete_each(&self, rows: impl Iterator<Item = Item>, at_once: usize) -> anyhow::Result<()> {
        let delete = async |row| {
            let delete = self.db.delete_item().table_name(&self.customers).set_key(Some(row)).send().await;
            delete.map(drop).map_err(failed("a membership could not be deleted"))
        };
        futures::stream::iter(rows.map(Ok)).try_for_each_concurrent(at_once, delete).await
    }

    fn delete(&self, key: Item) -> anyhow::Result<TransactWriteItem> {
        let delete = Delete::builder().table_name(&self.customers).set_key(Some(key)).build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    async fn transact(&self, actions: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        rows::transact(&self.db, actions, "the customer's segments could not be written").await
    }
}
