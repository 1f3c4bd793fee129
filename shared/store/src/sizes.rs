use anyhow::Context;
use aws_sdk_dynamodb::Client;
use campaigns::EditionOf;
use futures::TryStreamExt;
use jiff::civil::Date;

use crate::rows::{Item, failed, number, text};

/// How many rows are deleted at the same time.
const AT_ONCE: usize = 8;

/// What the sizes were noted of last: the key's two halves.
const NOTED: (&str, &str) = ("sizes", "noted");

/// In the checkpoints table: how many were in each segment, a row for each day (UTC). A
/// segment is meant by its first edition, so that one that was deleted is not taken for one
/// that is made under the same code.
#[derive(Debug, Clone)]
pub struct Sizes {
    db: Client,
    table: String,
}

fn task((segment, first): &EditionOf) -> String {
    format!("sizes#{segment}#{first}")
}

impl Sizes {
    /// The sizes in the table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Notes how many were in a segment on a day, in place of what was noted of it before.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_size(&self, segment: &EditionOf, day: Date, members: u64) -> anyhow::Result<()> {
        let item = Item::from([
            ("task".into(), text(task(segment))),
            ("item".into(), text(day.to_string())),
            ("members".into(), number(members)),
        ]);
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send();
        put.await.map(drop).map_err(failed("a segment's size could not be noted"))
    }

    /// Through which number the first editions of all segments go whose sizes are noted of
    /// this day; none if not all were.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn noted(&self, day: Date) -> anyhow::Result<Option<u64>> {
        let (task, item) = NOTED;
        let get = self.db.get_item().table_name(&self.table).key("task", text(task)).key("item", text(item)).send();
        let row = get.await.map_err(failed("of what sizes were noted could not be read"))?.item;
        let Some(row) = row.filter(|row| row.get("day") == Some(&text(day.to_string()))) else { return Ok(None) };
        let through = row.get("through").and_then(|through| through.as_n().ok());
        Ok(Some(through.context("a day without a number")?.parse()?))
    }

    /// Notes that the sizes were noted of all segments through this number, of a day.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_noted(&self, day: Date, through: u64) -> anyhow::Result<()> {
        let (task, item) = NOTED;
        let row = Item::from([
            ("task".into(), text(task)),
            ("item".into(), text(item)),
            ("day".into(), text(day.to_string())),
            ("through".into(), number(through)),
        ]);
        let put = self.db.put_item().table_name(&self.table).set_item(Some(row)).send();
        put.await.map(drop).map_err(failed("of what sizes were noted could not be written"))
    }

    /// How many were in a segment on each day of which it was noted, from a day on, of at
    /// most so many days.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn sizes(&self, segment: &EditionOf, from: Date, limit: i32) -> anyhow::Result<Vec<(Date, u64)>> {
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .key_condition_expression("task = :task AND #item >= :from")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":task", text(task(segment)))
            .expression_attribute_values(":from", text(from.to_string()))
            .limit(limit)
            .send()
            .await
            .map_err(failed("a segment's sizes could not be read"))?;
        let read = |item: Item| {
            let day = item.get("item").and_then(|day| day.as_s().ok()).context("a size without a day")?;
            let members = item.get("members").and_then(|members| members.as_n().ok());
            Ok((day.parse()?, members.context("a size without a number")?.parse()?))
        };
        page.items.unwrap_or_default().into_iter().map(read).collect()
    }

    /// Forgets all that was noted of a segment.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn forget(&self, segment: &EditionOf) -> anyhow::Result<()> {
        let query = self.db.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("task = :task");
        let query = query.expression_attribute_values(":task", text(task(segment)));
        let noted: Vec<Item> = query
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .map_err(failed("a segment's sizes could not be read"))?;
        let delete = async |mut size: Item| {
            size.remove("members");
            let delete = self.db.delete_item().table_name(&self.table).set_key(Some(size)).send().await;
            delete.map(drop).map_err(failed("a segment's size could not be forgotten"))
        };
        futures::stream::iter(noted.into_iter().map(Ok)).try_for_each_concurrent(AT_ONCE, delete).await
    }
}
