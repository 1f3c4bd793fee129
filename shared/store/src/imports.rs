use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use feeds::import::Import;
use serde::Deserialize;

use crate::rows::{self, Item, Versioned, Written, failed, number, text};

/// The imports in the checkpoints table: each one's checkpoint and, where the feed
/// was sent along, the feed itself in parts.
#[derive(Debug, Clone)]
pub struct Imports {
    db: Client,
    table: String,
}

/// The most bytes of a part: what fits into an item.
const PART: usize = 380 * 1024;

const PROGRESS: &str = "progress";

#[derive(Deserialize)]
struct Row {
    body: String,
    version: u64,
}

fn key(id: &str, item: impl Into<String>) -> Item {
    Item::from([("task".into(), text(format!("import#{id}"))), ("item".into(), text(item))])
}

fn part_item(number_of: u32) -> String {
    format!("part#{number_of:08}")
}

impl Imports {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// The parts that a feed is kept in.
    pub fn parts(feed: &[u8]) -> impl ExactSizeIterator<Item = &[u8]> {
        feed.chunks(PART)
    }

    /// Keeps one part of a feed. Written before the import itself: parts of an
    /// import that never came harm nobody.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_part(&self, id: &str, number_of: u32, part: &[u8]) -> anyhow::Result<()> {
        let mut item = key(id, part_item(number_of));
        item.insert("part".into(), AttributeValue::B(Blob::new(part)));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send();
        put.await.map(drop).map_err(failed("a feed could not be kept"))
    }

    /// A part of a feed.
    ///
    /// # Errors
    /// If the table cannot be read, or the part is not there.
    pub async fn part(&self, id: &str, number_of: u32) -> anyhow::Result<Vec<u8>> {
        let mut item = self.item(id, part_item(number_of)).await?.context("a part of a feed is not there")?;
        match item.remove("part") {
            Some(AttributeValue::B(part)) => Ok(part.into_inner()),
            _ => anyhow::bail!("a part of a feed has nothing in it"),
        }
    }

    /// Forgets a part of a feed.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn delete_part(&self, id: &str, number_of: u32) -> anyhow::Result<()> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(id, part_item(number_of)))).send();
        delete.await.map(drop).map_err(failed("a feed could not be forgotten"))
    }

    /// How far an import has come.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self, id: &str) -> anyhow::Result<Option<Versioned<Import>>> {
        let Some(item) = self.item(id, PROGRESS.into()).await? else { return Ok(None) };
        let row: Row = rows::decode(item)?;
        Ok(Some(Versioned { value: rows::parse(&row.body)?, version: row.version }))
    }

    /// Writes how far an import has come, if its row is still at the version that
    /// was read; none for a new one.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put(&self, import: &Import, read: Option<u64>) -> anyhow::Result<Written> {
        let mut item = key(&import.id, PROGRESS);
        item.insert("body".into(), text(rows::body(import)?));
        item.insert("version".into(), number(read.unwrap_or(0) + 1));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(task)"),
            Some(version) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", number(version)),
        };
        match put.send().await {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(failed("an import's checkpoint could not be moved")(error)),
        }
    }

    async fn item(&self, id: &str, item: String) -> anyhow::Result<Option<Item>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(id, item))).consistent_read(true).send();
        Ok(got.await.map_err(failed("the checkpoints table could not be read"))?.item)
    }
}
