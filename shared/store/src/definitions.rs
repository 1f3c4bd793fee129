use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use domain::sortable;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::rows::{self, Item, Versioned, failed, number, text, time};
use crate::runs::stopped_by;

/// What a definition defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A template.
    Template,
    /// A campaign.
    Campaign,
    /// A mass mailing.
    Mailing,
}

impl Kind {
    fn heads(self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Campaign => "campaign",
            Self::Mailing => "mailing",
        }
    }

    fn versions(self) -> &'static str {
        match self {
            Self::Template => "template-version",
            Self::Campaign => "campaign-version",
            Self::Mailing => "mailing-version",
        }
    }
}

/// Where a definition stands: its id and the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// Its id.
    pub id: String,
    /// The version in force.
    pub version: u64,
}

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
}

#[derive(Serialize, Deserialize)]
struct Row {
    kind: String,
    id: String,
    body: String,
    version: u64,
    saved: String,
}

/// The definitions table: what the shop has defined, in all its versions.
///
/// Beside each definition in force stand its versions, which never change. One
/// more row, the revision, moves with every edit, so that a function can keep
/// what is in force in memory and see with one small read whether it still is.
#[derive(Debug, Clone)]
pub struct Definitions {
    db: Client,
    table: String,
}

const KEYS: &str = "key";

fn key(kind: &str, id: &str) -> Item {
    Item::from([("kind".into(), text(kind)), ("id".into(), text(id))])
}

fn version_id(id: &str, version: u64) -> String {
    format!("{id}@{version}")
}

impl Definitions {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Saves a definition as a new version, with whatever `also` makes of that
    /// version in the same transaction. The same definition again is not a new
    /// version. None if the table refused what `also` made.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn save(
        &self,
        kind: Kind,
        id: &str,
        definition: &impl Serialize,
        now: Timestamp,
        also: impl Fn(u64) -> anyhow::Result<Vec<TransactWriteItem>>,
    ) -> anyhow::Result<Option<u64>> {
        let body = rows::body(definition)?;
        loop {
            let known: Option<Row> = self.row(kind.heads(), id).await?;
            if let Some(known) = known.as_ref().filter(|known| known.body == body) {
                return Ok(Some(known.version));
            }
            let read = known.map(|known| known.version);
            let version = read.unwrap_or(0) + 1;
            let row = |kind: &str, id: String| Row {
                kind: kind.into(),
                id,
                body: body.clone(),
                version,
                saved: sortable(now),
            };
            let head = self.put(&row(kind.heads(), id.into()))?;
            let head = match read {
                None => head.condition_expression("attribute_not_exists(kind)"),
                Some(read) => head
                    .condition_expression("#version = :read")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":read", number(read)),
            };
            let kept = self
                .put(&row(kind.versions(), version_id(id, version)))?
                .condition_expression("attribute_not_exists(kind)");
            let revision = Update::builder()
                .table_name(&self.table)
                .set_key(Some(key("revision", "definitions")))
                .update_expression("ADD #version :one")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":one", number(1));
            let mut actions = also(version)?;
            let others = actions.len();
            actions.push(TransactWriteItem::builder().put(head.build()?).build());
            actions.push(TransactWriteItem::builder().put(kept.build()?).build());
            actions.push(TransactWriteItem::builder().update(revision.build()?).build());
            match self.db.transact_write_items().set_transact_items(Some(actions)).send().await {
                Ok(_) => return Ok(Some(version)),
                Err(SdkError::ServiceError(error)) if refused(error.err(), others) => return Ok(None),
                // Somebody saved at the same time: theirs is one version, ours the next.
                Err(SdkError::ServiceError(error))
                    if stopped_by(error.err(), "ConditionalCheckFailed")
                        || stopped_by(error.err(), "TransactionConflict") => {}
                Err(error) => return Err(failed("the definition could not be saved")(error)),
            }
        }
    }

    /// A definition in force.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get<T: DeserializeOwned>(&self, kind: Kind, id: &str) -> anyhow::Result<Option<Versioned<T>>> {
        let Some(row) = self.row(kind.heads(), id).await? else { return Ok(None) };
        Ok(Some(Versioned { value: rows::parse(&row.body)?, version: row.version }))
    }

    /// One version of a definition, which is the same for ever.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn version<T: DeserializeOwned>(&self, kind: Kind, id: &str, version: u64) -> anyhow::Result<Option<T>> {
        let row = self.row(kind.versions(), &version_id(id, version)).await?;
        row.map(|row| rows::parse(&row.body)).transpose()
    }

    /// All definitions of a kind that are in force, by id. One that cannot be
    /// read, as after a roll-back of the code, is logged and left out: it must not
    /// stop the others.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn list<T: DeserializeOwned>(&self, kind: Kind) -> anyhow::Result<Vec<Versioned<T>>> {
        let rows = self.query(kind.heads(), None).await?;
        let read = |item| {
            let row: Row = rows::decode(item)?;
            let value = rows::parse(&row.body).with_context(|| format!("{} {:?}", row.kind, row.id))?;
            anyhow::Ok(Versioned { value, version: row.version })
        };
        Ok(rows.into_iter().filter_map(|item| rows::readable(read(item))).collect())
    }

    /// The version in force of each definition of a kind, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn heads(&self, kind: Kind) -> anyhow::Result<Vec<Head>> {
        let rows = self.query(kind.heads(), Some("id, #version")).await?;
        rows.into_iter().map(rows::decode).collect()
    }

    /// A number that moves with every edit.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn revision(&self) -> anyhow::Result<u64> {
        let item = self.item("revision", "definitions").await?;
        let version = item.as_ref().and_then(|item| item.get("version")).and_then(|version| version.as_n().ok());
        version.map_or(Ok(0), |version| version.parse().context("the revision is no number"))
    }

    /// An API key by its id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn key(&self, id: &str) -> anyhow::Result<Option<Key>> {
        self.item(KEYS, id).await?.map(rows::decode).transpose()
    }

    /// Keeps a new API key.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_key(&self, id: &str, kept: &Key) -> anyhow::Result<()> {
        let mut item = rows::encode(kept)?;
        item.extend(key(KEYS, id));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(kind)").send().await;
        put.map(drop).map_err(failed("the key could not be kept"))
    }

    /// The secret that signs the links in our mails; made at the first call.
    ///
    /// # Errors
    /// If the table cannot be read or written to, or the system has no
    /// randomness.
    pub async fn link_secret(&self, now: Timestamp) -> anyhow::Result<String> {
        loop {
            if let Some(item) = self.item("secret", "links").await? {
                let secret = item.get("secret").and_then(|secret| secret.as_s().ok());
                return secret.cloned().context("the links' secret is not there");
            }
            let mut random = [0; 32];
            getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
            let mut item = key("secret", "links");
            item.insert("secret".into(), text(random.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
            item.insert("saved".into(), time(now));
            let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
            match put.condition_expression("attribute_not_exists(kind)").send().await {
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {}
                put => drop(put.map_err(failed("the links' secret could not be kept"))?),
            }
        }
    }

    async fn item(&self, kind: &str, id: &str) -> anyhow::Result<Option<Item>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(kind, id))).consistent_read(true).send();
        Ok(got.await.map_err(failed("the definitions could not be read"))?.item)
    }

    async fn row(&self, kind: &str, id: &str) -> anyhow::Result<Option<Row>> {
        self.item(kind, id).await?.map(rows::decode).transpose()
    }

    async fn query(&self, kind: &str, only: Option<&str>) -> anyhow::Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let query = self
                .db
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", text(kind))
                .set_exclusive_start_key(start.take());
            let query = match only {
                Some(attributes) => {
                    query.projection_expression(attributes).expression_attribute_names("#version", "version")
                }
                None => query,
            };
            let page = query.send().await.map_err(failed("the definitions could not be listed"))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    fn put(&self, row: &Row) -> anyhow::Result<aws_sdk_dynamodb::types::builders::PutBuilder> {
        Ok(Put::builder().table_name(&self.table).set_item(Some(rows::encode(row)?)))
    }
}

/// Whether one of the first `count` actions of a transaction was refused.
fn refused(error: &TransactWriteItemsError, count: usize) -> bool {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons().iter().take(count);
            reasons.into_iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
        }
        _ => false,
    }
}
