use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rows::{self, Item, Written, failed, text};

/// An API key, as it is kept: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// What it is called, for people.
    pub name: String,
    /// SHA-256 of its secret, in hex.
    pub hash: String,
    /// What it may be used for, as the API names it.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many requests a second it may make; None for as many as any key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// When its secret was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
    /// The secret before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
}

/// A secret that was replaced, and is good for a while yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// SHA-256 of it, in hex.
    pub hash: String,
    /// Until when it is good.
    pub until: Timestamp,
}

impl Key {
    /// The hashes of the secrets that are good now.
    pub fn hashes(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let previous = self.previous.as_ref().filter(|previous| now < previous.until);
        std::iter::once(self.hash.as_str()).chain(previous.map(|previous| previous.hash.as_str()))
    }
}

/// The API keys, which are rows of the definitions table.
#[derive(Debug, Clone)]
pub struct Keys {
    db: Client,
    table: String,
}

const KIND: &str = "key";

fn key(id: &str) -> Item {
    Item::from([("kind".into(), text(KIND)), ("id".into(), text(id))])
}

impl Keys {
    /// The keys in the definitions table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// A key by its id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self, id: &str) -> anyhow::Result<Option<Key>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true).send();
        got.await.map_err(failed("the keys could not be read"))?.item.map(rows::decode).transpose()
    }

    /// Keeps a key, in place of the one whose hash was read; with no hash, it
    /// must be a new one.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put(&self, id: &str, kept: &Key, read: Option<&str>) -> anyhow::Result<Written> {
        let mut item = rows::encode(kept)?;
        item.extend(key(id));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(kind)"),
            Some(hash) => put
                .condition_expression("#hash = :read")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":read", text(hash)),
        };
        match put.send().await {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(Written::Overtaken)
            }
            Err(error) => Err(failed("the key could not be kept")(error)),
        }
    }

    /// Forgets a key; false if there was none.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn delete(&self, id: &str) -> anyhow::Result<bool> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(id)));
        match delete.condition_expression("attribute_exists(kind)").send().await {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            Err(error) => Err(failed("the key could not be deleted")(error)),
        }
    }

    /// Up to `limit` keys by their ids, from the one after `after`, and the place
    /// from which to go on, unless there are no more.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn list(
        &self,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<(String, Key)>, Option<String>)> {
        let page = self
            .db
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", text(KIND))
            .limit(i32::try_from(limit)?)
            .set_exclusive_start_key(after.map(key))
            .send()
            .await
            .map_err(failed("the keys could not be listed"))?;
        let id = |item: &Item| item.get("id").and_then(|id| id.as_s().ok()).cloned();
        let next = page.last_evaluated_key.as_ref().and_then(id);
        let named = |item: Item| Some((id(&item)?, rows::readable(rows::decode(item))?));
        Ok((page.items.unwrap_or_default().into_iter().filter_map(named).collect(), next))
    }
}
