use anyhow::Context;
use aws_sdk_dynamodb::Client;
use domain::Code;
use jiff::civil::Date;

use crate::rows::{Item, failed, number, text};

/// In the checkpoints table: how many were in each segment, a row for each day (UTC).
#[derive(Debug, Clone)]
pub struct Sizes {
    db: Client,
    table: String,
}

fn task(segment: &Code) -> String {
    format!("sizes#{segment}")
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
    pub async fn put_size(&self, segment: &Code, day: Date, members: u64) -> anyhow::Result<()> {
        let item = Item::from([
            ("task".into(), text(task(segment))),
            ("item".into(), text(day.to_string())),
            ("members".into(), number(members)),
        ]);
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send();
        put.await.map(drop).map_err(failed("a segment's size could not be noted"))
    }

    /// How many were in a segment on each day of which it was noted, from a day on, of at
    /// most so many days.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn sizes(&self, segment: &Code, from: Date, limit: i32) -> anyhow::Result<Vec<(Date, u64)>> {
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
}
