//! Moving what somebody has to who they are now.
//!
//! Each row is put in its new place and deleted in its old one in one transaction,
//! so that it is in one of the two at any time and moves once, however often and by
//! however many this is done.

use anyhow::Context;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::{Container, Customer, CustomerId, Event, Item, Order, OrderId};
use futures::TryStreamExt;
use jiff::Timestamp;
use sending::caps::Ledger;

use super::containers::item_row;
use super::events::event_row;
use super::row::{PLACES, POINTER, order_item};
use super::{Customers, Moved, Row, key, partition};
use crate::memberships::{SEGMENT, SEGMENTS};
use crate::rows::{self, Written, number, text};

/// How many rows are moved at the same time.
const AT_ONCE: usize = 8;

impl Customers {
    /// Moves everything that `from` has to `into`, but for campaign runs, which go on
    /// under the id under which they began, and the segments that they are in: `into` is
    /// in others then.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn take_over(&self, from: &CustomerId, into: &CustomerId, now: Timestamp) -> anyhow::Result<()> {
        let mut rows = self.all_beginning(&partition(from), "").await?;
        rows.retain(|row| !row.item.starts_with("run#") || from.is_visitor());
        rows.retain(|row| row.item != SEGMENTS && !row.item.starts_with(SEGMENT));
        futures::stream::iter(rows.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |row| {
                // Overtaken: somebody else moved it, or it changed in its old place or in
                // the new one. It is looked at again.
                let mut row = Some(row);
                while let Some(source) = row.take() {
                    if self.move_row(&source, from, into, now).await? == Written::Overtaken {
                        row = self.rows_of(from, std::slice::from_ref(&source.item)).await?.pop();
                    }
                }
                Ok(())
            })
            .await
    }

    /// Moves one order ahead of everything else, and whose it is.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn take_over_order(
        &self,
        from: &CustomerId,
        into: &CustomerId,
        id: &OrderId,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        match self.rows_of(from, &[order_item(id)]).await?.pop() {
            // Overtaken means that somebody else is at it; who asks looks again.
            Some(row) => self.move_row(&row, from, into, now).await.map(drop),
            None => self.commit(vec![self.owner_is(id, into)?]).await.map(drop),
        }
    }

    /// That an order is this customer's.
    fn owner_is(&self, id: &OrderId, owner: &CustomerId) -> anyhow::Result<TransactWriteItem> {
        let mut pointer = key(order_item(id), POINTER);
        pointer.insert("owner".into(), text(owner.as_str()));
        let put = Put::builder().table_name(&self.table).set_item(Some(pointer)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    async fn move_row(
        &self,
        source: &Row,
        from: &CustomerId,
        into: &CustomerId,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        if source.has_expired(now) {
            return self.commit(vec![self.gone(source)?]).await;
        }
        let known = self.rows_of(into, std::slice::from_ref(&source.item)).await?.pop();
        let read = known.as_ref().map(|known| known.version);
        let moved = Some(if from.is_visitor() { Moved::FromVisitor } else { Moved::FromCustomer });
        let mut actions = vec![self.gone(source)?];
        let target = match source.item.split_once('#').map_or(source.item.as_str(), |(kind, _)| kind) {
            "profile" => {
                let ours: Customer = match &known {
                    Some(known) => rows::parse(&known.body)?,
                    None => Customer::unknown(into.clone()),
                };
                let joined = ours.joined(&rows::parse(&source.body)?)?;
                Row { moved, ..self.profile_row(&joined, read, now).await? }
            }
            "container" => {
                let mut ours: Container =
                    known.as_ref().map(|known| rows::parse(&known.body)).transpose()?.unwrap_or_default();
                let theirs: Container = rows::parse(&source.body)?;
                let mut news = known.as_ref().and_then(|known| known.news.clone());
                if let Some(later) = theirs.floor.and_then(|floor| ours.emptied(floor)) {
                    (ours, news) = (later, source.news.clone());
                }
                Row { moved, news, ..Row::new(into, source.item.clone(), &ours, read, now)? }
            }
            "item" => {
                let theirs: Item = rows::parse(&source.body)?;
                let item = match &known {
                    Some(known) => rows::parse::<Item>(&known.body)?.joined(&theirs, None),
                    None => theirs,
                };
                Row { moved, ..item_row(into, &item, read, now)? }
            }
            // Told of to both while one became the other.
            "order" if known.is_some() => {
                let ours: Order =
                    known.as_ref().map(|known| rows::parse(&known.body)).transpose()?.context("no order")?;
                Row::new(into, source.item.clone(), &ours.joined(&rows::parse(&source.body)?)?, read, now)?
            }
            PLACES => {
                let ours: Ledger =
                    known.as_ref().map(|known| rows::parse(&known.body)).transpose()?.unwrap_or_default();
                Row::new(into, source.item.clone(), &ours.joined(rows::parse(&source.body)?), read, now)?
            }
            // What is there already under the same id is the same thing, told twice.
            _ if known.is_some() => return self.commit(actions).await,
            "event" => {
                let event = Event { customer_id: Some(into.clone()), ..rows::parse(&source.body)? };
                Row { moved, ..event_row(&event, now)? }
            }
            "order" => {
                let order = Order { customer_id: into.clone(), ..rows::parse(&source.body)? };
                actions.push(self.owner_is(&order.id, into)?);
                Row { moved, ..Row::new(into, source.item.clone(), &order, None, now)? }
            }
            "audience" => {
                let code = domain::Code::parse(source.item.trim_start_matches("audience#"))?;
                let listed = Some(super::List::Audience(code).part_of(into));
                Row { customer: partition(into), listed, expires: None, ..source.clone() }
            }
            _ => Row { customer: partition(into), expires: None, ..source.clone() },
        };
        let put = Put::builder().table_name(&self.table).set_item(Some(rows::encode(&target)?));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(customer)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        actions.push(TransactWriteItem::builder().put(put.build()?).build());
        self.commit(actions).await
    }

    /// That a row is deleted, if it is still as it was read.
    fn gone(&self, row: &Row) -> anyhow::Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(&row.customer, &row.item)))
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(row.version));
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }

    pub(super) async fn commit(&self, actions: Vec<TransactWriteItem>) -> anyhow::Result<Written> {
        rows::transact(&self.db, actions, "a row could not be moved").await
    }
}
