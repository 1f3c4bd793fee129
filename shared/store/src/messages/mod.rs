mod ledger;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use anyhow::Context;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    KeysAndAttributes, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use domain::message::{Reason, State};
use domain::{CustomerId, Message, MessageId, sortable};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::merged::{Part, merged};
use crate::rows::{self, Item, Written, failed, text, time};

pub use ledger::{Entry, Evidence, Outcome, Taken};
use ledger::{Move, Row, created, entry, key, new_row};

/// How many ids' messages are looked for at the same time.
const LISTS_AT_ONCE: usize = 8;

/// The messages table: the send ledger, one row per message, ever.
///
/// A row is written once and its state only moves forward, each move by a
/// conditional write. See [`domain::message`] for the moves.
#[derive(Debug, Clone)]
pub struct Messages {
    db: Client,
    table: String,
}

impl Messages {
    /// The table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Writes a message that is to be sent. One that is there already, in
    /// whatever state, is left as it is.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn put(&self, message: &Message) -> anyhow::Result<()> {
        let put = self.db.put_item().table_name(&self.table).set_item(Some(new_row(message)?));
        match put.condition_expression("attribute_not_exists(message)").send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            put => put.map(drop).map_err(failed("a message could not be written")),
        }
    }

    pub(crate) fn put_in_transaction(&self, message: &Message) -> anyhow::Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(new_row(message)?))
            .condition_expression("attribute_not_exists(message)");
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Takes a message up, right before SES is called.
    ///
    /// `claim` names this attempt and no other; the claim holds until `lease`.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn claim(&self, id: &MessageId, claim: &str, lease: Timestamp, now: Timestamp) -> anyhow::Result<Taken> {
        let update = self
            .update(id)
            .update_expression("SET #state = :claimed, claim = :claim, lease = :lease")
            .condition_expression("#state = :pending AND attribute_not_exists(accepted_at)")
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":pending", text(State::Pending.as_str()))
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":lease", time(lease));
        match self.moved(update).await? {
            // The first try of this very write got through and its answer got lost.
            Move::Refused(Some(row)) if row.state == State::Claimed && row.claim.as_deref() == Some(claim) => {
                Ok(Taken::Done)
            }
            moved => Ok(moved.taken(now)),
        }
    }

    /// Notes that a message is not going to be sent, and why, before anybody
    /// took it up.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn refuse(
        &self,
        id: &MessageId,
        reason: Reason,
        detail: Option<&str>,
        now: Timestamp,
    ) -> anyhow::Result<Taken> {
        let update = self
            .update(id)
            .update_expression("SET #state = :not_sent, settled_at = :now, reason = :reason, detail = :detail")
            .condition_expression("#state = :pending AND attribute_not_exists(accepted_at)")
            .expression_attribute_values(":pending", text(State::Pending.as_str()))
            .expression_attribute_values(":not_sent", text(State::NotSent.as_str()))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":reason", text(reason.as_str()))
            .expression_attribute_values(":detail", text(detail.unwrap_or(reason.as_str())));
        Ok(self.moved(update).await?.taken(now))
    }

    /// Notes how the attempt of this claim ended. A claim that lapsed meanwhile
    /// may still be settled: its sender is back with the truth.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn settle(
        &self,
        id: &MessageId,
        claim: &str,
        outcome: &Outcome,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let update = self
            .update(id)
            .condition_expression("claim = :claim AND #state IN (:claimed, :unknown)")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
            .expression_attribute_values(":now", time(now));
        let update = match outcome {
            Outcome::Sent { ses_id } => update
                .update_expression("SET #state = :settled, settled_at = :now, ses_id = :ses_id REMOVE lease")
                .expression_attribute_values(":settled", text(State::Sent.as_str()))
                .expression_attribute_values(":ses_id", text(ses_id)),
            Outcome::NotSent { reason, detail } => update
                .update_expression(
                    "SET #state = :settled, settled_at = :now, reason = :reason, detail = :detail REMOVE lease",
                )
                .expression_attribute_values(":settled", text(State::NotSent.as_str()))
                .expression_attribute_values(":reason", text(reason.as_str()))
                .expression_attribute_values(":detail", text(detail.as_deref().unwrap_or(reason.as_str()))),
        };
        Ok(self.moved(update).await?.written())
    }

    /// Gives a message back that SES was not asked to send, or refused for now.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn give_back(&self, id: &MessageId, claim: &str) -> anyhow::Result<Written> {
        let update = self
            .update(id)
            .update_expression("SET #state = :pending REMOVE claim, lease")
            .condition_expression("claim = :claim AND #state = :claimed")
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":pending", text(State::Pending.as_str()));
        Ok(self.moved(update).await?.written())
    }

    /// Closes a claim that lapsed: SENT where SES told of the message, UNKNOWN
    /// where nobody knows. Overtaken means that it is closed already, or that SES
    /// has told of it only now.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn close_lapsed(
        &self,
        id: &MessageId,
        claim: &str,
        proof: Option<Timestamp>,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let silent = Evidence::ALL.map(|kind| format!("attribute_not_exists({})", kind.attribute())).join(" AND ");
        let (state, condition) = match proof {
            Some(_) => (State::Sent, "claim = :claim AND #state = :claimed".to_owned()),
            None => (State::Unknown, format!("claim = :claim AND #state = :claimed AND {silent}")),
        };
        let update = self
            .update(id)
            .update_expression("SET #state = :closed, settled_at = :at REMOVE lease")
            .condition_expression(condition)
            .expression_attribute_values(":claim", text(claim))
            .expression_attribute_values(":claimed", text(State::Claimed.as_str()))
            .expression_attribute_values(":closed", text(state.as_str()))
            .expression_attribute_values(":at", time(proof.unwrap_or(now)));
        Ok(self.moved(update).await?.written())
    }

    /// Notes what SES told of a message. Whatever SES tells proves that the mail
    /// went out. A message that is claimed is left to its sender, who is about to
    /// say so itself; should it be gone, what is noted here settles the claim when
    /// it lapses.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn record(
        &self,
        id: &MessageId,
        evidence: &BTreeMap<Evidence, Timestamp>,
        ses_id: &str,
    ) -> anyhow::Result<()> {
        let Some(earliest) = evidence.values().min().copied() else { return Ok(()) };
        let row = match self.note(id, evidence, |kind, _| format!("attribute_not_exists({kind})")).await? {
            Move::Done(row) | Move::Refused(row @ None) => row,
            // Some of it was told before: each goes by itself.
            Move::Refused(row) => {
                let earlier = |kind: &str, at: &str| format!("(attribute_not_exists({kind}) OR {kind} > {at})");
                let mut latest = row;
                for (kind, at) in evidence {
                    match self.note(id, &BTreeMap::from([(*kind, *at)]), earlier).await? {
                        Move::Done(row) | Move::Refused(row) => latest = row,
                    }
                }
                latest
            }
        };
        if row.is_some_and(|row| matches!(row.state, State::Pending | State::Unknown)) {
            let update = self
                .update(id)
                .update_expression("SET #state = :sent, settled_at = :at, ses_id = :ses_id REMOVE lease")
                .condition_expression("#state IN (:pending, :unknown)")
                .expression_attribute_values(":pending", text(State::Pending.as_str()))
                .expression_attribute_values(":sent", text(State::Sent.as_str()))
                .expression_attribute_values(":unknown", text(State::Unknown.as_str()))
                .expression_attribute_values(":at", time(earliest))
                .expression_attribute_values(":ses_id", text(ses_id));
            self.moved(update).await?;
        }
        Ok(())
    }

    /// Notes evidence, if the row meets a condition for each kind of it, made from the
    /// names of what is known of that kind and of what is to be noted.
    async fn note(
        &self,
        id: &MessageId,
        evidence: &BTreeMap<Evidence, Timestamp>,
        each: impl Fn(&str, &str) -> String,
    ) -> anyhow::Result<Move> {
        let (mut set, mut condition) = (Vec::new(), vec!["attribute_exists(message)".to_owned()]);
        let (mut names, mut values) = (HashMap::new(), HashMap::new());
        for (number, (kind, at)) in evidence.iter().enumerate() {
            let (name, value) = (format!("#kind{number}"), format!(":at{number}"));
            set.push(format!("{name} = {value}"));
            condition.push(each(&name, &value));
            names.insert(name, kind.attribute().to_owned());
            values.insert(value, time(*at));
        }
        // The names take the place of #state, which these expressions have no use for.
        let update = self
            .update(id)
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(condition.join(" AND "))
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew);
        self.moved(update).await
    }

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
        let mut entries = self.entries(&ids).await?;
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
        let listed = |item: &Item| {
            let named = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
            let message = named("message").context("a message without an id")?;
            anyhow::Ok((named("created").context("a message without a time")?.clone(), MessageId::parse(message)?))
        };
        let items: anyhow::Result<Vec<_>> = page.items.unwrap_or_default().iter().map(listed).collect();
        let mut items = items?;
        items.retain(|(place, _)| before.is_none_or(|before| place.as_str() < before));
        Ok(Part { items, more: page.last_evaluated_key.is_some() })
    }

    /// These messages and what became of them, in no particular order; those
    /// that are not there are left out.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn entries(&self, ids: &[MessageId]) -> anyhow::Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(ids.len());
        for ids in ids.chunks(100) {
            let keys = ids.iter().map(key).collect();
            let mut open = Some(KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?);
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

    /// Takes a customer's name off all their messages, which stay for the accounts of
    /// what was sent and what was not. One that is still to be sent is not.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn scrub(&self, id: &CustomerId, now: Timestamp) -> anyhow::Result<()> {
        let mut after = None;
        loop {
            let (entries, next) = self.of_customer(id, &[], 100, after.as_deref()).await?;
            for Entry { message, state, .. } in entries {
                if state == State::Pending {
                    self.refuse(&message.id, Reason::Erased, None, now).await?;
                }
                self.scrub_one(&message).await?;
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Takes the customer's name off one message.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn scrub_one(&self, message: &Message) -> anyhow::Result<()> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&message.id)))
            .update_expression("SET body = :body REMOVE customer")
            .condition_expression("attribute_exists(message)")
            .expression_attribute_values(":body", text(rows::body(&message.scrubbed())?));
        self.moved(update).await.map(drop)
    }

    async fn item(&self, id: &MessageId) -> anyhow::Result<Option<Item>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key(id))).consistent_read(true).send();
        Ok(got.await.map_err(failed("a message could not be read"))?.item)
    }

    fn update(&self, id: &MessageId) -> UpdateItemFluentBuilder {
        self.db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(id)))
            .expression_attribute_names("#state", "state")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn moved(&self, update: UpdateItemFluentBuilder) -> anyhow::Result<Move> {
        match update.send().await {
            Ok(done) => Ok(Move::Done(done.attributes.map(Row::read).transpose()?)),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => {
                    Ok(Move::Refused(failed.item.map(Row::read).transpose()?))
                }
                error => {
                    let code = error.code().unwrap_or("an error that was not named");
                    Err(anyhow::anyhow!("a message could not be moved on: {code}"))
                }
            },
            Err(error) => Err(failed("a message could not be moved on")(error)),
        }
    }
}
