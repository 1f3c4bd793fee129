//! Messages as they are asked for.

use std::cmp::Reverse;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{CustomerId, MessageId, sortable};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use super::Messages;
use super::ledger::{Entry, created, entry, key};
use super::search::place;
use crate::merged::{Part, merged};
use crate::rows::{Item, failed, text};

/// How many ids' messages are looked for at the same time.
const LISTS_AT_ONCE: usize = 8;

impl Messages {
    /// One message and what became of it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self, id: &MessageId) -> anyhow::Result<Option<Entry>> {
        self.item(id).await?.map(entry).transpose()
    }

    /// A page of a customer's messages, newest first, and the place behind which the
    /// next begins.
    ///
    /// A message stays with the id that the customer had then, so `aliases` are the
    /// other ids under which they were known. Nobody is written to as an anonymous
    /// visitor.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn of_customer(
        &self,
        id: &CustomerId,
        aliases: &[CustomerId],
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Entry>, Option<String>)> {
        self.of_customer_since(id, aliases, None, limit, after).await
    }

    /// The same of those that are not older than a moment, all pages with the same: what
    /// is older is not read.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn of_customer_since(
        &self,
        id: &CustomerId,
        aliases: &[CustomerId],
        since: Option<Timestamp>,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Entry>, Option<String>)> {
        let written_to = std::iter::once(id).chain(aliases.iter().filter(|alias| !alias.is_visitor()));
        let parts = futures::stream::iter(written_to).map(|id| self.listed(id, since, limit, after));
        let parts = parts.buffered(LISTS_AT_ONCE);
        let (listed, next) = merged(parts.try_collect().await?, limit);
        let ids: Vec<MessageId> = listed.into_iter().map(|(_, id)| id).collect();
        let mut entries = self.entries(&ids, true).await?;
        entries.sort_by_cached_key(|entry| Reverse(created(&entry.message)));
        Ok((entries, next))
    }

    /// A page of the messages of one id, newest first, of those before a place.
    async fn listed(
        &self,
        id: &CustomerId,
        since: Option<Timestamp>,
        limit: usize,
        before: Option<&str>,
    ) -> anyhow::Result<Part<MessageId>> {
        let since = since.map(sortable);
        let (by, most) = match (&since, before) {
            (None, None) => ("", limit),
            (None, Some(_)) => (" AND created < :before", limit),
            (Some(_), None) => (" AND created >= :since", limit),
            // Only both ends included can be asked for: what stands at the place is one more.
            (Some(_), Some(_)) => (" AND created BETWEEN :since AND :before", limit.saturating_add(1)),
        };
        let mut query = self
            .db
            .query()
            .table_name(&self.table)
            .index_name("by-customer")
            .key_condition_expression(format!("customer = :customer{by}"))
            .expression_attribute_values(":customer", text(id.as_str()))
            .scan_index_forward(false)
            .limit(i32::try_from(most)?);
        if let Some(since) = since {
            query = query.expression_attribute_values(":since", text(since));
        }
        if let Some(before) = before {
            query = query.expression_attribute_values(":before", text(before));
        }
        let page = query.send().await.map_err(failed("a customer's messages could not be listed"))?;
        let items: anyhow::Result<Vec<_>> = page.items.unwrap_or_default().iter().map(place).collect();
        let mut items = items?;
        items.retain(|(place, _)| before.is_none_or(|before| place.as_str() < before));
        Ok(Part::whole(items, page.last_evaluated_key.is_some()))
    }

    /// These messages and what became of them, in no particular order; those
    /// that are not there are left out. With `consistent` unset, which costs half, what was
    /// written a moment ago may be missing; that a message is sent, or is not, is true then too.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn entries(&self, ids: &[MessageId], consistent: bool) -> anyhow::Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(ids.len());
        for ids in ids.chunks(100) {
            let keys = ids.iter().map(key).collect();
            let mut open = Some(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build()?);
            while let Some(request) = open.take() {
                let got = self.db.batch_get_item().request_items(&self.table, request).send();
                let got = got.await.map_err(failed("messages could not be read"))?;
                let items = got.responses.unwrap_or_default().remove(&self.table).unwrap_or_default();
                for item in items {
                    entries.push(entry(item)?);
                }
                open = got.unprocessed_keys.unwrap_or_default().remove(&self.table);
            }
        }
        Ok(entries)
    }

    async fn item(&self, id: &MessageId) -> anyhow::Result<Option<Item>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true).send();
        Ok(got.await.map_err(failed("a message could not be read"))?.item)
    }
}
