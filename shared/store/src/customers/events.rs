//! Events: each beside the customer to whom it happened.

use anyhow::Context;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{CustomerId, Event, sortable};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::row::{EVERYBODY_PARTS, event_item, everybody, everybody_of};
use super::{Customers, List, Row, attribute, partition};
use crate::merged::{Part, merged};
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

/// How many parts of the events about nobody in particular are read at the same time.
const PARTS_AT_ONCE: usize = 8;

/// The most bytes of such events on one page: an answer may have 6 MB.
const MOST_ON_A_PAGE: usize = 3 * 1024 * 1024;

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
        self.events_since(owner, None, after, limit).await
    }

    /// The same of those that are not older than a moment, all pages with the same: what
    /// is older is not read.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn events_since(
        &self,
        owner: &CustomerId,
        since: Option<Timestamp>,
        after: Option<&str>,
        limit: i32,
    ) -> anyhow::Result<(Vec<Event>, Option<String>)> {
        let start = after.and_then(|after| {
            let (moment, item) = after.split_once('#')?;
            let mut start = super::key(partition(owner), item);
            start.insert("moment".into(), text(moment));
            Some(start)
        });
        let query = self.newest(partition(owner), limit);
        let query = match since {
            None => query.key_condition_expression("customer = :customer"),
            Some(since) => query
                .key_condition_expression("customer = :customer AND moment >= :since")
                .expression_attribute_values(":since", text(sortable(since))),
        };
        let page = query
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

    /// A page of the events about nobody in particular, the newest first, and the place
    /// behind which the next begins.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn events_of_nobody(
        &self,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Event>, Option<String>)> {
        // A part has about a sixteenth of a page. Should one have more than is read of it,
        // the page is shorter.
        let each = limit.min(limit / 4 + 4);
        let parts = futures::stream::iter(0..EVERYBODY_PARTS);
        let parts = parts.map(|part| self.part_of_nobody(part, each, after)).buffered(PARTS_AT_ONCE);
        let (mut bodies, mut next) = merged(parts.try_collect().await?, limit);
        let mut size = 0;
        let fit = bodies.iter().take_while(|(_, body)| {
            size += body.len();
            size <= MOST_ON_A_PAGE
        });
        let fit = fit.count().max(1);
        if fit < bodies.len() {
            bodies.truncate(fit);
            next = bodies.last().map(|(place, _)| place.clone());
        }
        let events: anyhow::Result<Vec<Event>> = bodies.iter().map(|(_, body)| rows::parse(body)).collect();
        Ok((events?, next))
    }

    /// The events of one part that are before a place, each as it is kept.
    async fn part_of_nobody(&self, part: u32, limit: usize, before: Option<&str>) -> anyhow::Result<Part<String>> {
        let query = self.newest(everybody(part), i32::try_from(limit)?);
        let query = match before {
            None => query.key_condition_expression("customer = :customer"),
            Some(before) => query
                .key_condition_expression("customer = :customer AND moment < :before")
                .expression_attribute_values(":before", text(before)),
        };
        let page = query.send().await.map_err(failed("the events could not be read"))?;
        let read = |item| {
            let row: Row = rows::decode(item)?;
            anyhow::Ok((row.moment.context("an event without its time")?, row.body))
        };
        let items: anyhow::Result<Vec<_>> = page.items.unwrap_or_default().into_iter().map(read).collect();
        Ok(Part::whole(items?, page.last_evaluated_key.is_some()))
    }

    /// The events of a partition, the newest first, still without the condition by which
    /// they are looked for.
    fn newest(&self, partition: String, limit: i32) -> QueryFluentBuilder {
        self.db
            .query()
            .table_name(&self.table)
            .index_name("by-time")
            .consistent_read(true)
            .expression_attribute_values(":customer", text(partition))
            .scan_index_forward(false)
            .limit(limit)
    }
}

pub(super) fn event_row(event: &Event, now: Timestamp) -> anyhow::Result<Row> {
    let item = event_item(&event.id);
    let Some(owner) = &event.customer_id else {
        let moment = Some(format!("{}#{}", sortable(event.at), event.id));
        return Ok(Row { moment, ..Row::of_nobody(everybody_of(&event.id), item, event, None, now)? });
    };
    let product = event.product_ids().first().filter(|_| event.name.as_str() == VIEWED).map(|id| (*id).to_owned());
    Ok(Row {
        moment: Some(sortable(event.at)),
        listed: product.map(|product| List::Viewed(product).part_of(owner)),
        ..Row::new(owner, item, event, None, now)?
    })
}
