use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use campaigns::{MailingProgress, Stage};
use domain::{CustomerId, MailingId, MessageId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::rows::{self, Item, Versioned, Written, failed, number, text, time};

/// The mailings in the checkpoints table: each one's checkpoint and the pages of
/// its audience; and one partition that lists those that are not sent yet.
#[derive(Debug, Clone)]
pub struct Mailings {
    db: Client,
    table: String,
}

/// A mailing that is not sent yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMailing {
    /// Which.
    pub id: MailingId,
    /// When it starts.
    pub at: Timestamp,
}

/// A page of a mailing's audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    /// To whom it is to go.
    Audience(Vec<CustomerId>),
    /// The messages that were written to them.
    Written(Vec<MessageId>),
}

const OPEN: &str = "open";
const PROGRESS: &str = "progress";

fn key(task: &str, item: impl Into<String>) -> Item {
    Item::from([("task".into(), text(task)), ("item".into(), text(item))])
}

fn partition(id: &MailingId) -> String {
    format!("mailing#{id}")
}

fn page_item(number: u32) -> String {
    format!("page#{number:08}")
}

fn progress_row(id: &MailingId, progress: &MailingProgress, version: u64) -> anyhow::Result<Item> {
    let mut item = key(&partition(id), PROGRESS);
    item.insert("body".into(), text(rows::body(progress)?));
    item.insert("version".into(), number(version));
    item.insert("stage".into(), text(stage(progress.stage)));
    Ok(item)
}

fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Scheduled => "scheduled",
        Stage::Collecting => "collecting",
        Stage::Sending => "sending",
        Stage::Sent => "sent",
    }
}

impl Mailings {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// What has to be written with a mailing's definition, in the same
    /// transaction: that it is open, and its first checkpoint. Refused by the
    /// table once work on the mailing has begun. The checkpoint's row takes the
    /// definition's version, so that a worker that read the one before is overtaken.
    ///
    /// # Errors
    /// If a row cannot be encoded.
    pub fn schedule(&self, id: &MailingId, version: u64, at: Timestamp) -> anyhow::Result<Vec<TransactWriteItem>> {
        let mut open = key(OPEN, id.as_str());
        open.insert("at".into(), time(at));
        let open = Put::builder().table_name(&self.table).set_item(Some(open)).build()?;
        let progress = Put::builder()
            .table_name(&self.table)
            .set_item(Some(progress_row(id, &MailingProgress::scheduled(version), version)?))
            .condition_expression("attribute_not_exists(task) OR stage = :scheduled")
            .expression_attribute_values(":scheduled", text(stage(Stage::Scheduled)));
        Ok(vec![
            TransactWriteItem::builder().put(open).build(),
            TransactWriteItem::builder().put(progress.build()?).build(),
        ])
    }

    /// The mailings that are not sent yet.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn open(&self) -> anyhow::Result<Vec<OpenMailing>> {
        let mut open = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("task = :open")
                .expression_attribute_values(":open", text(OPEN))
                .set_exclusive_start_key(start.take())
                .send()
                .await
                .map_err(failed("the open mailings could not be listed"))?;
            for item in page.items.unwrap_or_default() {
                let of = |name: &str| {
                    item.get(name).and_then(|value| value.as_s().ok()).context("an open mailing lacks an attribute")
                };
                open.push(OpenMailing { id: MailingId::parse(of("item")?)?, at: of("at")?.parse()? });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(open);
            }
        }
    }

    /// Notes that a mailing is sent.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn close(&self, id: &MailingId) -> anyhow::Result<()> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(key(OPEN, id.as_str()))).send();
        delete.await.map(drop).map_err(failed("the mailing could not be closed"))
    }

    /// How far a mailing is.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn progress(&self, id: &MailingId) -> anyhow::Result<Option<Versioned<MailingProgress>>> {
        let Some(item) = self.item(id, PROGRESS.into()).await? else { return Ok(None) };
        let body = item.get("body").and_then(|body| body.as_s().ok()).context("a checkpoint without a body")?;
        let version =
            item.get("version").and_then(|version| version.as_n().ok()).context("a checkpoint without a version")?;
        Ok(Some(Versioned { value: rows::parse(body)?, version: version.parse()? }))
    }

    /// Moves the checkpoint on, if it is still the one that was read.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn checkpoint(&self, id: &MailingId, progress: &MailingProgress, read: u64) -> anyhow::Result<Written> {
        let item = progress_row(id, progress, read + 1)?;
        rows::put_next(&self.db, &self.table, item, read, "the checkpoint could not be moved").await
    }

    /// Puts down a page of the audience and moves the checkpoint on, both or
    /// neither.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put_page(
        &self,
        id: &MailingId,
        number_of: u32,
        audience: &[CustomerId],
        progress: &MailingProgress,
        read: u64,
    ) -> anyhow::Result<Written> {
        let mut page = key(&partition(id), page_item(number_of));
        page.insert("body".into(), text(rows::body(&Page::Audience(audience.to_vec()))?));
        let page = Put::builder()
            .table_name(&self.table)
            .set_item(Some(page))
            .condition_expression("attribute_not_exists(task)")
            .build()?;
        let progress = Put::builder()
            .table_name(&self.table)
            .set_item(Some(progress_row(id, progress, read + 1)?))
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", number(read))
            .build()?;
        let actions = [page, progress].map(|put| TransactWriteItem::builder().put(put).build()).to_vec();
        rows::transact(&self.db, actions, "the page could not be put down").await
    }

    /// Notes that the messages of a page are written. They are the snapshot from now
    /// on: the page no longer names anybody.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn note_written(&self, id: &MailingId, number_of: u32, messages: &[MessageId]) -> anyhow::Result<()> {
        let mut page = key(&partition(id), page_item(number_of));
        page.insert("body".into(), text(rows::body(&Page::Written(messages.to_vec()))?));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(page)).send();
        put.await.map(drop).map_err(failed("a page of the audience could not be noted as written"))
    }

    /// A page of the audience.
    ///
    /// # Errors
    /// If the table cannot be read, or the page is not there.
    pub async fn page(&self, id: &MailingId, number_of: u32) -> anyhow::Result<Page> {
        let item = self.item(id, page_item(number_of)).await?.context("a page of the audience is not there")?;
        rows::parse(item.get("body").and_then(|body| body.as_s().ok()).context("a page without a body")?)
    }

    async fn item(&self, id: &MailingId, item: String) -> anyhow::Result<Option<Item>> {
        let got = self
            .db
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(&partition(id), item)))
            .consistent_read(true)
            .send();
        Ok(got.await.map_err(failed("the checkpoints table could not be read"))?.item)
    }
}
