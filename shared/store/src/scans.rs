//! Scans in the checkpoints table: what is to be done with many customers, and how far each
//! part of them is; and one partition that lists those that are not done yet.

use std::collections::BTreeMap;

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ScanPlace;
use crate::rows::{self, Item, Versioned, Written, failed, number, text};

/// Into how many parts all customers are divided, each of which is gone through by itself.
pub const SCAN_PARTS: u32 = 16;

/// The checkpoints table, as far as scans go.
#[derive(Debug, Clone)]
pub struct Scans {
    db: Client,
    table: String,
}

/// How far one part of a scan is. `T` is what has come of the customers so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanPart<T> {
    /// Behind which row it goes on; none is the beginning, or that it is done.
    pub place: Option<ScanPlace>,
    /// How many rows lie behind it.
    pub rows: u64,
    /// How many customers lie behind it.
    pub customers: u64,
    /// How many of them could not be looked at, for a reason that lies in their rows, and
    /// were passed over.
    #[serde(default)]
    pub failed: u64,
    /// What has come of them.
    pub tally: T,
    /// Whether all of it was gone through.
    pub done: bool,
    /// When it was moved on last.
    pub moved_at: Timestamp,
}

/// A scan with all its parts. `W` is what is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan<W, T> {
    /// What is to be done.
    pub work: W,
    /// How far each part is, by its number.
    pub parts: BTreeMap<u32, Versioned<ScanPart<T>>>,
}

impl<W, T> Scan<W, T> {
    /// Whether all parts are done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.parts.values().all(|part| part.value.done)
    }
}

/// A scan that is not noted as done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenScan {
    /// Its kind and id, as it was begun with.
    pub name: String,
    /// When it began.
    pub begun_at: Timestamp,
}

const OPEN: &str = "scans";
const WORK: &str = "work";

#[derive(Deserialize)]
struct Row {
    item: String,
    body: String,
    version: u64,
}

fn key(task: &str, item: impl Into<String>) -> Item {
    Item::from([("task".into(), text(task)), ("item".into(), text(item))])
}

fn partition(name: &str) -> String {
    format!("scan#{name}")
}

fn part_item(part: u32) -> String {
    format!("part#{part:02}")
}

fn row(key: Item, value: &impl Serialize, version: u64) -> anyhow::Result<Item> {
    let mut item = key;
    item.insert("body".into(), text(rows::body(value)?));
    item.insert("version".into(), number(version));
    Ok(item)
}

impl Scans {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// What has to be written for a scan in so many parts to begin, for a transaction: what is
    /// to be done, its parts, each with an empty tally, and that it is open. Refused by the
    /// table if it was begun before.
    ///
    /// # Errors
    /// If a row cannot be encoded.
    pub fn beginning<W: Serialize, T: Serialize + Default>(
        &self,
        name: &str,
        work: &W,
        parts: u32,
        now: Timestamp,
    ) -> anyhow::Result<Vec<TransactWriteItem>> {
        let part =
            ScanPart { place: None, rows: 0, customers: 0, failed: 0, tally: T::default(), done: false, moved_at: now };
        let mut open = key(OPEN, name);
        open.insert("at".into(), rows::time(now));
        let mut items = vec![open, row(key(&partition(name), WORK), work, 1)?];
        for number_of in 0..parts {
            items.push(row(key(&partition(name), part_item(number_of)), &part, 1)?);
        }
        let put = |item| {
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = put.condition_expression("attribute_not_exists(task)").build()?;
            Ok(TransactWriteItem::builder().put(put).build())
        };
        items.into_iter().map(put).collect()
    }

    /// Begins a scan in so many parts, of which there may be [`SCAN_PARTS`]; overtaken if it
    /// was begun before.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn begin<W: Serialize, T: Serialize + Default>(
        &self,
        name: &str,
        work: &W,
        parts: u32,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        rows::transact(&self.db, self.beginning::<W, T>(name, work, parts, now)?, "the scan could not be begun").await
    }

    /// What has to be written for a scan to be forgotten, for a transaction. Whoever is at one
    /// of its parts is overtaken.
    ///
    /// # Errors
    /// If a key cannot be encoded.
    pub fn forgetting(&self, name: &str) -> anyhow::Result<Vec<TransactWriteItem>> {
        let parts = (0..SCAN_PARTS).map(|part| key(&partition(name), part_item(part)));
        let others = parts.chain([key(OPEN, name)]).map(|key| (key, None));
        // Of two who forget it at once, one does.
        let work = (key(&partition(name), WORK), Some("attribute_exists(task)".to_owned()));
        let delete = |(key, condition)| {
            let delete = Delete::builder().table_name(&self.table).set_key(Some(key));
            let delete = delete.set_condition_expression(condition).build()?;
            Ok(TransactWriteItem::builder().delete(delete).build())
        };
        others.chain([work]).map(delete).collect()
    }

    /// Forgets a scan, done or not. Overtaken if there is none any more, or one of its parts
    /// was moved on at that very moment.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn forget(&self, name: &str) -> anyhow::Result<Written> {
        rows::transact(&self.db, self.forgetting(name)?, "the scan could not be forgotten").await
    }

    /// What is to be done in a scan.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn work<W: DeserializeOwned>(&self, name: &str) -> anyhow::Result<Option<W>> {
        self.row(name, WORK.into()).await?.map(|row| rows::parse(&row.body)).transpose()
    }

    /// How far a part is.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn part<T: DeserializeOwned>(
        &self,
        name: &str,
        part: u32,
    ) -> anyhow::Result<Option<Versioned<ScanPart<T>>>> {
        self.row(name, part_item(part)).await?.map(|row| versioned(&row)).transpose()
    }

    /// A scan with all its parts.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get<W: DeserializeOwned, T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> anyhow::Result<Option<Scan<W, T>>> {
        let (mut work, mut parts) = (None, BTreeMap::new());
        for item in self.all_of(&partition(name)).await? {
            let row: Row = rows::decode(item)?;
            if row.item == WORK {
                work = Some(rows::parse(&row.body)?);
            } else if let Some(part) = row.item.strip_prefix("part#").and_then(|part| part.parse().ok()) {
                parts.insert(part, versioned(&row)?);
            }
        }
        Ok(work.map(|work| Scan { work, parts }))
    }

    /// Moves a part on, if it is still as it was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn advance<T: Serialize>(
        &self,
        name: &str,
        part: u32,
        moved: &ScanPart<T>,
        read: u64,
    ) -> anyhow::Result<Written> {
        let item = row(key(&partition(name), part_item(part)), moved, read + 1)?;
        rows::put_next(&self.db, &self.table, item, read, "a part of a scan could not be moved on").await
    }

    /// The scans that are not noted as done.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn open(&self) -> anyhow::Result<Vec<OpenScan>> {
        let open = self.all_of(OPEN).await?.into_iter().map(|item| {
            let of =
                |name: &str| item.get(name).and_then(|value| value.as_s().ok()).context("a scan lacks an attribute");
            Ok(OpenScan { name: of("item")?.clone(), begun_at: of("at")?.parse()? })
        });
        open.collect()
    }

    /// Notes that a scan is done. A second time changes nothing.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn close(&self, name: &str) -> anyhow::Result<()> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(OPEN, name))).send();
        delete.await.map(drop).map_err(failed("a scan could not be noted as done"))
    }

    async fn row(&self, name: &str, item: String) -> anyhow::Result<Option<Row>> {
        let key = key(&partition(name), item);
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true).send();
        let item = got.await.map_err(failed("a scan could not be read"))?.item;
        item.map(rows::decode).transpose()
    }

    async fn all_of(&self, task: &str) -> anyhow::Result<Vec<Item>> {
        let query = self.db.query().table_name(&self.table).consistent_read(true);
        let query = query.key_condition_expression("task = :task").expression_attribute_values(":task", text(task));
        let items = query.into_paginator().items().send().collect::<Result<_, _>>().await;
        items.map_err(failed("the scans could not be read"))
    }
}

fn versioned<T: DeserializeOwned>(row: &Row) -> anyhow::Result<Versioned<ScanPart<T>>> {
    Ok(Versioned { value: rows::parse(&row.body)?, version: row.version })
}
