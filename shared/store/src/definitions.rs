use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use domain::dictionary::Word;
use domain::sortable;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::audit::Change;
pub use crate::kind::Kind;
use crate::rows::{self, Item, Versioned, failed, number, text, time};
use crate::runs::stopped_by;

/// Where a definition stands: its id and the version in force.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Head {
    /// Its id.
    pub id: String,
    /// The version in force.
    pub version: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    kind: String,
    id: String,
    pub(crate) body: String,
    pub(crate) version: u64,
    saved: String,
    /// Whether this version is that there is none any more.
    #[serde(default, skip_serializing_if = "is_false")]
    gone: bool,
    /// The id of the key that saved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

impl Row {
    /// The definition; none, if there is none any more.
    pub(crate) fn body(&self) -> Option<&str> {
        (!self.gone).then_some(&self.body)
    }

    /// A row that an edit writes.
    pub(crate) fn of(change: &Change, kind: &str, id: String, body: Option<&String>) -> Self {
        Self {
            kind: kind.into(),
            id,
            body: body.cloned().unwrap_or_default(),
            version: change.version,
            saved: sortable(change.at),
            gone: body.is_none(),
            by: change.by.clone(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What became of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone since this version.
    Now(u64),
    /// There was nothing to delete.
    Before,
    /// What goes with it was refused.
    Refused,
}

/// The definitions table: what the shop has defined, in all its versions.
///
/// Beside each definition in force stand its versions, which never change; that
/// it was deleted is a version too, so that no number is given twice. One more row,
/// the revision, moves with every edit, so that a function can keep what is in
/// force in memory and see with one small read whether it still is.
#[derive(Debug, Clone)]
pub struct Definitions {
    db: Client,
    table: String,
    by: Option<String>,
    /// The revision at which alone something is saved; none if it may be any.
    only_at: Option<u64>,
}

/// A word of the shop's dictionary as it was last saved.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedWord {
    /// Its id.
    pub id: String,
    /// The version in force.
    pub version: u64,
    /// The word; `None` if it was deleted.
    pub word: Option<Word>,
}

pub(crate) fn key(kind: &str, id: &str) -> Item {
    Item::from([("kind".into(), text(kind)), ("id".into(), text(id))])
}

fn version_id(id: &str, version: u64) -> String {
    format!("{id}@{version}")
}

impl Definitions {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table, by: None, only_at: None }
    }

    /// The same table, where whatever is saved is put down to the key with this id.
    #[must_use]
    pub fn by(&self, key_id: Option<&str>) -> Self {
        Self { by: key_id.map(str::to_owned), ..self.clone() }
    }

    /// The same table, where [`Self::save`] and [`Self::delete`] are refused if anything was
    /// edited since this revision was read.
    #[must_use]
    pub fn only_at(&self, revision: u64) -> Self {
        Self { only_at: Some(revision), ..self.clone() }
    }

    /// Saves a definition as a new version, with whatever `also` makes of that
    /// version in the same transaction. The same definition again is not a new
    /// version. None if the table refused what `also` made, or something was edited since
    /// ([`Self::only_at`]).
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
        self.write(kind, id, Some(body), now, also).await
    }

    /// Deletes a definition. Its versions stay. `unknown` says what to do with one
    /// that was never saved: a word that is there by itself is deleted by a row that
    /// says so. What `also` makes goes into the same transaction; [`Deleted::Refused`] if
    /// the table refused that, or something was edited since ([`Self::only_at`]).
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn delete(
        &self,
        kind: Kind,
        id: &str,
        unknown: bool,
        now: Timestamp,
        also: impl Fn(u64) -> anyhow::Result<Vec<TransactWriteItem>>,
    ) -> anyhow::Result<Deleted> {
        let known: Option<Row> = self.row(kind.heads(), id).await?;
        if known.as_ref().map_or(!unknown, |known| known.gone) {
            return Ok(Deleted::Before);
        }
        Ok(self.write(kind, id, None, now, also).await?.map_or(Deleted::Refused, Deleted::Now))
    }

    /// Writes the next version of a definition; without a body, that it is gone.
    async fn write(
        &self,
        kind: Kind,
        id: &str,
        body: Option<String>,
        now: Timestamp,
        also: impl Fn(u64) -> anyhow::Result<Vec<TransactWriteItem>>,
    ) -> anyhow::Result<Option<u64>> {
        let gone = body.is_none();
        let body = body.unwrap_or_default();
        loop {
            let known: Option<Row> = self.row(kind.heads(), id).await?;
            if let Some(known) = known.as_ref().filter(|known| known.gone == gone && known.body == body) {
                return Ok(Some(known.version));
            }
            let read = known.map(|known| known.version);
            let version = read.unwrap_or(0) + 1;
            let change = Change { at: now, kind, id: id.to_owned(), version, by: self.by.clone(), done: None };
            let head = put(&self.table, &Row::of(&change, kind.heads(), id.into(), (!gone).then_some(&body)))?;
            let head = match read {
                None => head.condition_expression("attribute_not_exists(kind)"),
                Some(read) => head
                    .condition_expression("#version = :read")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":read", number(read)),
            };
            let mut actions = also(version)?;
            let others = actions.len();
            actions.push(TransactWriteItem::builder().put(head.build()?).build());
            actions.push(self.moved_on_from(self.only_at)?);
            actions.extend(noted(&self.table, &change, (!gone).then_some(&body))?);
            match self.db.transact_write_items().set_transact_items(Some(actions)).send().await {
                Ok(_) => return Ok(Some(version)),
                Err(SdkError::ServiceError(error))
                    if refused(error.err(), others)
                        || self.only_at.is_some() && stopped_by(error.err(), "ConditionalCheckFailed") =>
                {
                    return Ok(None);
                }
                // Somebody saved at the same time: theirs is one version, ours the next.
                Err(SdkError::ServiceError(error))
                    if stopped_by(error.err(), "ConditionalCheckFailed")
                        || stopped_by(error.err(), "TransactionConflict") => {}
                Err(error) => return Err(failed("the definition could not be saved")(error)),
            }
        }
    }

    /// Moves the revision on, as goes with every edit.
    pub(crate) fn moved_on(&self) -> anyhow::Result<TransactWriteItem> {
        self.moved_on_from(None)
    }

    /// The same, if the revision is still the one that was read.
    pub(crate) fn moved_on_from(&self, read: Option<u64>) -> anyhow::Result<TransactWriteItem> {
        let revision = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key("revision", "definitions")))
            .update_expression("ADD #version :one")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":one", number(1));
        let revision = match read {
            None => revision,
            Some(0) => revision.condition_expression("attribute_not_exists(kind)"),
            Some(read) => {
                revision.condition_expression("#version = :read").expression_attribute_values(":read", number(read))
            }
        };
        Ok(TransactWriteItem::builder().update(revision.build()?).build())
    }

    pub(crate) fn db(&self) -> &Client {
        &self.db
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// To which key edits are put down.
    pub(crate) fn key_id(&self) -> Option<String> {
        self.by.clone()
    }

    /// A definition in force.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get<T: DeserializeOwned>(&self, kind: Kind, id: &str) -> anyhow::Result<Option<Versioned<T>>> {
        let Some(row) = self.row(kind.heads(), id).await?.filter(|row| !row.gone) else { return Ok(None) };
        Ok(Some(Versioned { value: rows::parse(&row.body)?, version: row.version }))
    }

    /// One version of a definition, which is the same for ever.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn version<T: DeserializeOwned>(&self, kind: Kind, id: &str, version: u64) -> anyhow::Result<Option<T>> {
        let row = self.row(kind.versions(), &version_id(id, version)).await?;
        row.filter(|row| !row.gone).map(|row| rows::parse(&row.body)).transpose()
    }

    /// The same, with when it was saved.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn version_and_time<T: DeserializeOwned>(
        &self,
        kind: Kind,
        id: &str,
        version: u64,
    ) -> anyhow::Result<Option<(T, Timestamp)>> {
        let row = self.row(kind.versions(), &version_id(id, version)).await?;
        let Some(row) = row.filter(|row| !row.gone) else { return Ok(None) };
        Ok(Some((rows::parse(&row.body)?, row.saved.parse().context("a definition's version without its time")?)))
    }

    /// The edit that made a version of a definition; none, if there is no such version.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn made(&self, kind: Kind, id: &str, version: u64) -> anyhow::Result<Option<Change>> {
        let Some(row) = self.row(kind.versions(), &version_id(id, version)).await? else { return Ok(None) };
        let at = row.saved.parse().context("a definition's version without its time")?;
        Ok(Some(Change { at, kind, id: id.to_owned(), version, by: row.by, done: None }))
    }

    /// All definitions of a kind that are in force. One that cannot be read, as
    /// after a roll-back of the code, is logged and left out: it must not stop the
    /// others.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn list<T: DeserializeOwned>(&self, kind: Kind) -> anyhow::Result<Vec<Versioned<T>>> {
        Ok(self.list_by_id(kind).await?.into_iter().map(|(_, definition)| definition).collect())
    }

    /// [`Self::list`], each with its id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn list_by_id<T: DeserializeOwned>(&self, kind: Kind) -> anyhow::Result<Vec<(String, Versioned<T>)>> {
        let rows = self.query(kind.heads(), None).await?;
        let read = |item| {
            let row: Row = rows::decode(item)?;
            if row.gone {
                return Ok(None);
            }
            let value = value(&row)?;
            anyhow::Ok(Some((row.id, Versioned { value, version: row.version })))
        };
        Ok(rows.into_iter().filter_map(|item| rows::readable(read(item)).flatten()).collect())
    }

    /// All words of the shop's dictionary that were ever saved, by id. One that
    /// cannot be read is logged and left out.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn words(&self) -> anyhow::Result<Vec<SavedWord>> {
        let rows = self.query(Kind::Word.heads(), None).await?;
        let read = |item| {
            let row: Row = rows::decode(item)?;
            let word = if row.gone { None } else { Some(value(&row)?) };
            anyhow::Ok(SavedWord { id: row.id, version: row.version, word })
        };
        Ok(rows.into_iter().filter_map(|item| rows::readable(read(item))).collect())
    }

    /// The version in force of each definition of a kind, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn heads(&self, kind: Kind) -> anyhow::Result<Vec<Head>> {
        let mut rows = self.query(kind.heads(), Some("id, #version, gone")).await?;
        rows.retain(|row| !row.contains_key("gone"));
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

    pub(crate) async fn item(&self, kind: &str, id: &str) -> anyhow::Result<Option<Item>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(kind, id))).consistent_read(true).send();
        Ok(got.await.map_err(failed("the definitions could not be read"))?.item)
    }

    pub(crate) async fn row(&self, kind: &str, id: &str) -> anyhow::Result<Option<Row>> {
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

    /// At most `limit` rows of a kind after this id, by id or backwards.
    pub(crate) async fn query_after(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
        forward: bool,
    ) -> anyhow::Result<Vec<Item>> {
        let query = self
            .db
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("kind = :kind")
            .expression_attribute_values(":kind", text(kind))
            .set_exclusive_start_key(after.map(|id| key(kind, id)))
            .scan_index_forward(forward)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        Ok(query.send().await.map_err(failed("the definitions could not be listed"))?.items.unwrap_or_default())
    }

    /// An update of one row, to be said and sent.
    pub(crate) fn update(&self, kind: &str, id: &str) -> UpdateItemFluentBuilder {
        self.db.update_item().table_name(&self.table).set_key(Some(key(kind, id)))
    }
}

/// What goes with every edit, in its transaction: the version that it made, and who made
/// it. Without a body, there is none any more since then.
pub(crate) fn noted(table: &str, change: &Change, body: Option<&String>) -> anyhow::Result<[TransactWriteItem; 2]> {
    let id = version_id(&change.id, change.version);
    let kept = put(table, &Row::of(change, change.kind.versions(), id, body))?;
    let kept = kept.condition_expression("attribute_not_exists(kind)").build()?;
    let change = Put::builder().table_name(table).set_item(Some(change.row())).build()?;
    Ok([kept, change].map(|put| TransactWriteItem::builder().put(put).build()))
}

pub(crate) fn put(table: &str, row: &Row) -> anyhow::Result<PutBuilder> {
    Ok(Put::builder().table_name(table).set_item(Some(rows::encode(row)?)))
}

/// The definition in a row; an error says which row.
fn value<T: DeserializeOwned>(row: &Row) -> anyhow::Result<T> {
    rows::parse(&row.body).with_context(|| format!("{} {:?}", row.kind, row.id))
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
