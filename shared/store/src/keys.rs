use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::Change;
use crate::definitions::{Kind, noted};
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
    /// How often it was changed, its making included.
    #[serde(default)]
    pub version: u64,
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

    /// What of it is put down with its changes: nothing that opens anything, nor a hash of
    /// it.
    fn told(&self) -> Value {
        let told = [
            ("name", json!(self.name)),
            ("scopes", json!(self.scopes)),
            ("rate", json!(self.rate)),
            ("created_at", json!(self.created_at)),
            ("rotated_at", json!(self.rotated_at)),
            ("previous_until", json!(self.previous.as_ref().map(|previous| previous.until))),
        ];
        told.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The API keys, which are rows of the definitions table.
#[derive(Debug, Clone)]
pub struct Keys {
    db: Client,
    table: String,
    by: Option<String>,
}

const KIND: &str = "key";

/// That the row is still the one that was read: every change changes its secret.
const AS_READ: &str = "#hash = :read";

fn key(id: &str) -> Item {
    Item::from([("kind".into(), text(KIND)), ("id".into(), text(id))])
}

impl Keys {
    /// The keys in the definitions table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table, by: None }
    }

    /// The same keys, where whatever is changed is put down to the key with this id.
    #[must_use]
    pub fn by(&self, key_id: Option<&str>) -> Self {
        Self { by: key_id.map(str::to_owned), ..self.clone() }
    }

    /// A key by its id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self, id: &str) -> anyhow::Result<Option<Key>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true).send();
        got.await.map_err(failed("the keys could not be read"))?.item.map(rows::decode).transpose()
    }

    /// Keeps a key as its next version, in place of the one that was read; if none was,
    /// it must be a new one.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put(&self, id: &str, kept: Key, read: Option<&Key>, now: Timestamp) -> anyhow::Result<Written> {
        let kept = Key { version: read.map_or(0, |read| read.version) + 1, ..kept };
        let mut item = rows::encode(&kept)?;
        item.extend(key(id));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(kind)"),
            Some(read) => put
                .condition_expression(AS_READ)
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":read", text(&read.hash)),
        };
        let put = TransactWriteItem::builder().put(put.build()?).build();
        self.change(id, kept.version, Some(&kept), put, now).await
    }

    /// Forgets a key as it was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn delete(&self, id: &str, read: &Key, now: Timestamp) -> anyhow::Result<Written> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .condition_expression(AS_READ)
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":read", text(&read.hash));
        let delete = TransactWriteItem::builder().delete(delete.build()?).build();
        self.change(id, read.version + 1, None, delete, now).await
    }

    /// Carries out a change of a key, together with what goes with every change.
    async fn change(
        &self,
        id: &str,
        version: u64,
        after: Option<&Key>,
        action: TransactWriteItem,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let change = Change { at: now, kind: Kind::Key, id: id.to_owned(), version, by: self.by.clone(), done: None };
        let after = after.map(|after| rows::body(&after.told())).transpose()?;
        let mut actions = vec![action];
        actions.extend(noted(&self.table, &change, after.as_ref())?);
        rows::transact(&self.db, actions, "the key could not be changed").await
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
