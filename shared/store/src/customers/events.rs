//! Events: each beside the customer to whom it happened.

use anyhow::Context;
use domain::{CustomerId, Event, sortable};
use jiff::Timestamp;

use super::row::{EVERYBODY, event_item};
use super::{Customers, List, Row, attribute, partition};
use crate::rows::{self, Item, Written, failed, text};

/// What became of an event that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub enum PutEvent {
    /// It is recorded now.
    New,
    /// An event of this id was recorded before; here it is.
    Known(Box<Event>),
}

/// The event by whose context it is known who viewed a product.
const VIEWED: &str = "product_viewed";

impl Customers {
    /// Records an event, once.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_event(&self, event: &Event, now: Timestamp) -> anyhow::Result<PutEvent> {
        let row = event_row(event, now)?;
        match self.put(&row, None).await? {
            Written::Done => Ok(PutEvent::New),
            Written::Overtaken => {
                let known = self.item(row.customer, row.item).await?.context("an event that was there is gone")?;
                Ok(PutEvent::Known(Box::new(rows::parse(&rows::decode::<Row>(known)?.body)?)))
            }
        }
    }

    /// A page of a customer's events, the newest first, and the place where the next
    /// begins.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn events(
        &self,
        owner: &CustomerId,
        after: Option<&str>,
        limit: i32,
    ) -> anyhow::Result<(Vec<Event>, Option<String>)> {
        let start = after.and_then(|after| {
            let (moment, item) = after.split_once('#')?;
            let mut start = super::key(partition(owner), item);
            start.insert("moment".into(), text(moment));
            Some(start)
        });
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .index_name("by-time")
            .consistent_read(true)
            .key_condition_expression("customer = :customer")
            .expression_attribute_values(":customer", text(partition(owner)))
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(failed("the customer's events could not be read"))?;
        let place = |key: &Item| Some(format!("{}#{}", attribute(key, "moment")?, attribute(key, "item")?));
        let next = page.last_evaluated_key.as_ref().and_then(place);
        let read = |item| rows::parse(&rows::decode::<Row>(item)?.body);
        let events: anyhow::Result<Vec<Event>> = page.items.unwrap_or_default().into_iter().map(read).collect();
        Ok((events?, next))
    }
}

pub(super) fn event_row(event: &Event, now: Timestamp) -> anyhow::Result<Row> {
    let item = event_item(&event.id);
    let Some(owner) = &event.customer_id else { return Row::of_nobody(EVERYBODY.into(), item, event, None, now) };
    let product = event.product_ids().first().filter(|_| event.name.as_str() == VIEWED).map(|id| (*id).to_owned());
    Ok(Row {
        moment: Some(sortable(event.at)),
        listed: product.map(|product| List::Viewed(product).part_of(owner)),
        ..Row::new(owner, item, event, None, now)?
    })
}
