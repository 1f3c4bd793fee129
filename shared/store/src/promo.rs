//! Promo codes: those that are free, and which message was given which.
//!
//! They are rows of the definitions table, dealt into partitions so that many can be given at
//! once. A code that is made is one row under the code itself, which names its message. One that
//! was uploaded is a row for good, under which it is known when it is uploaded again, and a second
//! one while it is free; giving it takes that one away and puts one in its place under
//! the message's id, in one transaction. So a message finds its own code again, whoever died.

use std::collections::BTreeSet;

use anyhow::{anyhow, bail};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, Select, TransactWriteItem};
use domain::{MessageId, PromoCode, PromoGroup, PromoGroupId, PromoPattern};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::Counted;
use crate::customers::{Part, in_parts};
use crate::definitions::{Definitions, Kind, key};
use crate::rows::{self, Item, Written, failed, part, text, time};

/// Into how many partitions the codes of a group are dealt: so that some thousands can be given
/// in a second.
const SHARDS: u32 = crate::CUSTOMER_SHARDS;

/// How many free codes are looked at, of which one is taken: those who look at the same moment
/// do not all reach for the same.
const LOOKED_AT: usize = 25;

/// How often a message reaches for a code that another one takes first, before it is left to
/// come again.
const REACHES: u32 = 30;

/// How often a code is made that another message has already, before there are none left.
const ATTEMPTS: u32 = 40;

/// How many codes are put down in one transaction, by two rows each.
const TOGETHER: usize = 50;

/// How many such transactions are under way at once, and how often one is tried that others are
/// in the way of.
const AT_ONCE: usize = 4;
const TRIES: u32 = 10;

/// Under which it is kept how the codes of each group come about.
const PATTERN: &str = "promo-pattern";

/// A code that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenCode {
    /// The code.
    pub code: String,
    /// To which message.
    pub message_id: MessageId,
    /// When.
    pub at: Timestamp,
}

/// What a message got of a group of uploaded codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenCode {
    /// The code.
    pub code: String,
    /// Whether only a few are left: about two hundred, or fewer.
    pub few_left: bool,
}

/// The partition of codes that are known, free or given.
fn known(group: &PromoGroupId, shard: u32) -> String {
    format!("promo-code#{group}#{shard}")
}

fn free(group: &PromoGroupId, shard: u32) -> String {
    format!("promo-free#{group}#{shard}")
}

fn given(group: &PromoGroupId, shard: u32) -> String {
    format!("promo-given#{group}#{shard}")
}

/// Where an uploaded code stands while it is free: in no order that its text would give, so that
/// any place is as near to a code as any other.
fn free_id(code: &str) -> String {
    domain::digest(&["promo-code", code])
}

fn attribute<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

fn given_row(partition: &str, id: &str, code: &str, message_id: &MessageId, now: Timestamp) -> Item {
    let mut row = key(partition, id);
    row.extend([("code".into(), text(code)), ("message".into(), text(message_id.as_str())), ("at".into(), time(now))]);
    row
}

impl GivenCode {
    fn of_row(row: &Item) -> Option<Self> {
        Some(Self {
            code: attribute(row, "code")?.to_owned(),
            message_id: MessageId::parse(attribute(row, "message")?).ok()?,
            at: attribute(row, "at")?.parse().ok()?,
        })
    }
}

impl Definitions {
    /// Saves a group of promo codes, and its version. None, if its codes were to come about in
    /// another way until now, be it before it was deleted: what was given of them holds.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn save_promo_group(
        &self,
        id: &PromoGroupId,
        group: &PromoGroup,
        now: Timestamp,
    ) -> anyhow::Result<Option<u64>> {
        let pattern = group.pattern.as_ref().map(|pattern| pattern.as_str()).unwrap_or_default();
        let mut row = key(PATTERN, id.as_str());
        row.insert("pattern".into(), text(pattern));
        let same = |_| {
            let put = Put::builder()
                .table_name(self.table())
                .set_item(Some(row.clone()))
                .condition_expression("attribute_not_exists(kind) OR #pattern = :pattern")
                .expression_attribute_names("#pattern", "pattern")
                .expression_attribute_values(":pattern", text(pattern));
            Ok(vec![TransactWriteItem::builder().put(put.build()?).build()])
        };
        self.save(Kind::PromoGroup, id.as_str(), group, now, same).await
    }

    /// Gives a message a code that is made for it: `made` says which at each attempt, always the
    /// same. None, if other messages have all of them.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn give_made_code(
        &self,
        group: &PromoGroupId,
        message_id: &MessageId,
        made: impl Fn(u32) -> String,
        now: Timestamp,
    ) -> anyhow::Result<Option<String>> {
        for code in (0..ATTEMPTS).map(made) {
            let partition = given(group, part(&code, SHARDS));
            let put = self
                .db()
                .put_item()
                .table_name(self.table())
                .set_item(Some(given_row(&partition, &code, &code, message_id, now)))
                .condition_expression("attribute_not_exists(kind)")
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let has_it = match put.send().await {
                Ok(_) => return Ok(Some(code)),
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                    match error.into_err() {
                        PutItemError::ConditionalCheckFailedException(refused) => refused.item.unwrap_or_default(),
                        _ => Item::new(),
                    }
                }
                Err(error) => return Err(failed("a promo code could not be given")(error)),
            };
            if attribute(&has_it, "message") == Some(message_id.as_str()) {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    /// The code of a group that a message was given, be it that the group is gone since. `made`
    /// says which code a pattern makes for it at each attempt.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn given_code_of(
        &self,
        group: &PromoGroupId,
        message_id: &MessageId,
        made: impl Fn(&PromoPattern, u32) -> String,
    ) -> anyhow::Result<Option<String>> {
        let Some(row) = self.item(PATTERN, group.as_str()).await? else { return Ok(None) };
        let pattern = attribute(&row, "pattern").filter(|pattern| !pattern.is_empty());
        match pattern.map(PromoPattern::parse).transpose().map_err(|error| anyhow!("a group's pattern {error}"))? {
            Some(pattern) => self.made_code_of(group, message_id, |attempt| made(&pattern, attempt)).await,
            None => self.uploaded_code_of(group, message_id).await,
        }
    }

    /// The code that was made for a message, if it was given one.
    async fn made_code_of(
        &self,
        group: &PromoGroupId,
        message_id: &MessageId,
        made: impl Fn(u32) -> String,
    ) -> anyhow::Result<Option<String>> {
        for code in (0..ATTEMPTS).map(made) {
            let Some(row) = self.item(&given(group, part(&code, SHARDS)), &code).await? else { return Ok(None) };
            if attribute(&row, "message") == Some(message_id.as_str()) {
                return Ok(Some(code));
            }
        }
        Ok(None)
    }

    /// Gives a message one of the codes that were uploaded, or the one that it has already. None,
    /// if no code is free.
    ///
    /// # Errors
    /// If the table cannot be read or written to, or others are quicker again and again.
    pub async fn take_uploaded_code(
        &self,
        group: &PromoGroupId,
        message_id: &MessageId,
        now: Timestamp,
    ) -> anyhow::Result<Option<TakenCode>> {
        for _ in 0..REACHES {
            if let Some(code) = self.uploaded_code_of(group, message_id).await? {
                return Ok(Some(TakenCode { code, few_left: false }));
            }
            let Some((code, few_left)) = self.any_free_code(group).await? else {
                // Another copy of the message may have taken the last one meanwhile.
                let code = self.uploaded_code_of(group, message_id).await?;
                return Ok(code.map(|code| TakenCode { code, few_left: true }));
            };
            if self.hand_over(group, &code, message_id, now).await? == Written::Done {
                return Ok(Some(TakenCode { code, few_left }));
            }
        }
        bail!("other messages took each promo code first; try again");
    }

    /// The uploaded code that a message was given, if it was given one.
    async fn uploaded_code_of(&self, group: &PromoGroupId, message_id: &MessageId) -> anyhow::Result<Option<String>> {
        let id = message_id.as_str();
        let row = self.item(&given(group, part(id, SHARDS)), id).await?;
        Ok(row.as_ref().and_then(|row| attribute(row, "code")).map(str::to_owned))
    }

    /// Whether any of the uploaded codes is free.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn has_free_code(&self, group: &PromoGroupId) -> anyhow::Result<bool> {
        Ok(self.any_free_code(group).await?.is_some())
    }

    /// Any of the codes that are free, and whether there are only a few.
    async fn any_free_code(&self, group: &PromoGroupId) -> anyhow::Result<Option<(String, bool)>> {
        let first = fastrand::u32(..SHARDS);
        for shard in (0..SHARDS).map(|index| (first + index) % SHARDS) {
            let partition = free(group, shard);
            let place = format!("{:032x}", fastrand::u128(..));
            let mut rows = self.query_after(&partition, Some(&place), LOOKED_AT, true).await?;
            let mut few = rows.len() < LOOKED_AT;
            if few {
                rows = self.query_after(&partition, None, LOOKED_AT, true).await?;
                few = rows.len() < LOOKED_AT;
            }
            let codes: Vec<&str> = rows.iter().filter_map(|row| attribute(row, "code")).collect();
            if let Some(code) = fastrand::choice(codes) {
                return Ok(Some((code.to_owned(), few)));
            }
        }
        Ok(None)
    }

    /// Makes a free code a message's own, if it is still free and the message has none.
    async fn hand_over(
        &self,
        group: &PromoGroupId,
        code: &str,
        message_id: &MessageId,
        now: Timestamp,
    ) -> anyhow::Result<Written> {
        let id = message_id.as_str();
        let given = given_row(&given(group, part(id, SHARDS)), id, code, message_id, now);
        let put = Put::builder()
            .table_name(self.table())
            .set_item(Some(given))
            .condition_expression("attribute_not_exists(kind)");
        let delete = Delete::builder()
            .table_name(self.table())
            .set_key(Some(key(&free(group, part(code, SHARDS)), &free_id(code))))
            .condition_expression("attribute_exists(kind)");
        let actions = vec![
            TransactWriteItem::builder().put(put.build()?).build(),
            TransactWriteItem::builder().delete(delete.build()?).build(),
        ];
        rows::transact(self.db(), actions, "a promo code could not be given").await
    }

    /// Puts codes into a group; how many of them were not in it before.
    ///
    /// # Errors
    /// If the table cannot be written to. Some may have been put down by then; the same codes
    /// once more do no harm.
    pub async fn add_codes(
        &self,
        group: &PromoGroupId,
        codes: impl IntoIterator<Item = PromoCode>,
        now: Timestamp,
    ) -> anyhow::Result<usize> {
        let codes: Vec<String> = codes.into_iter().map(String::from).collect::<BTreeSet<_>>().into_iter().collect();
        let added = futures::stream::iter(codes.chunks(TOGETHER).map(<[String]>::to_vec))
            .map(|codes| self.add_some_codes(group, codes, now))
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<usize>>();
        Ok(added.await?.into_iter().sum())
    }

    async fn add_some_codes(
        &self,
        group: &PromoGroupId,
        mut codes: Vec<String>,
        now: Timestamp,
    ) -> anyhow::Result<usize> {
        for _ in 0..TRIES {
            if codes.is_empty() {
                return Ok(0);
            }
            let mut actions = Vec::with_capacity(2 * codes.len());
            for code in &codes {
                let shard = part(code, SHARDS);
                let mut as_known = key(&known(group, shard), code);
                as_known.insert("at".into(), time(now));
                let mut as_free = key(&free(group, shard), &free_id(code));
                as_free.insert("code".into(), text(code));
                let put = |row| Put::builder().table_name(self.table()).set_item(Some(row));
                let as_known = put(as_known).condition_expression("attribute_not_exists(kind)").build()?;
                for put in [as_known, put(as_free).build()?] {
                    actions.push(TransactWriteItem::builder().put(put).build());
                }
            }
            let error = match self.db().transact_write_items().set_transact_items(Some(actions)).send().await {
                Ok(_) => return Ok(codes.len()),
                Err(error) => error,
            };
            let known = match &error {
                SdkError::ServiceError(error) => stops(error.err()),
                _ => None,
            };
            // Those that are known already; none, if others were at the same ones just now.
            let Some(known) = known else { return Err(failed("the promo codes could not be kept")(error)) };
            let mut index = 0..;
            codes.retain(|_| index.next().is_none_or(|index: usize| !known.contains(&(2 * index))));
        }
        bail!("others are at the same promo codes; try again");
    }

    /// How many codes of a group are free, of those that were uploaded, and how many were given;
    /// as many as can be told while there is time.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn count_codes(&self, group: &PromoGroupId, has_time: impl Fn() -> bool) -> anyhow::Result<Counted<2>> {
        let has_time = &has_time;
        in_parts(async |shard| {
            let free = self.count_rows(&free(group, shard), has_time).await?;
            let given = self.count_rows(&given(group, shard), has_time).await?;
            Ok(Part { of: [free.0, given.0], is_whole: free.1 && given.1 })
        })
        .await
    }

    /// How many rows a partition has, and whether that was all.
    async fn count_rows(&self, partition: &str, has_time: impl Fn() -> bool) -> anyhow::Result<(u64, bool)> {
        let (mut count, mut start) = (0, None);
        loop {
            if !has_time() {
                return Ok((count, false));
            }
            let query = self
                .db()
                .query()
                .table_name(self.table())
                .key_condition_expression("kind = :kind")
                .expression_attribute_values(":kind", text(partition))
                .select(Select::Count)
                .set_exclusive_start_key(start.take());
            let page = query.send().await.map_err(failed("the promo codes could not be counted"))?;
            count += u64::try_from(page.count)?;
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok((count, true));
            }
        }
    }

    /// At most `limit` of the codes that were given, in no order that means anything, from behind
    /// a place; and the place behind them, unless they are the last.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn given_codes(
        &self,
        group: &PromoGroupId,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<GivenCode>, Option<String>)> {
        let (mut shard, mut from) = match after.and_then(place) {
            Some((shard, id)) => (shard, Some(id.to_owned())),
            None => (0, None),
        };
        let mut found: Vec<(String, GivenCode)> = Vec::new();
        // One more than fit on the page tell whether it is the last.
        while shard < SHARDS && found.len() <= limit {
            let rows = self.query_after(&given(group, shard), from.as_deref(), limit + 1 - found.len(), true).await?;
            let named = |row: &Item| Some((format!("{shard}#{}", attribute(row, "id")?), GivenCode::of_row(row)?));
            found.extend(rows.iter().filter_map(named));
            (shard, from) = (shard + 1, None);
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(place, _)| place.clone());
        Ok((found.into_iter().map(|(_, given)| given).collect(), next))
    }

    /// Whether a text can be a place in the list of codes that were given.
    #[must_use]
    pub fn is_given_place(text: &str) -> bool {
        place(text).is_some()
    }
}

/// The partition and the key of a place.
fn place(text: &str) -> Option<(u32, &str)> {
    let (shard, id) = text.split_once('#')?;
    let shard = shard.parse().ok().filter(|known: &u32| *known < SHARDS && known.to_string() == shard)?;
    (!id.is_empty() && id.len() <= 200).then_some((shard, id))
}

/// Which actions of a transaction were stopped by their own conditions; None, if it failed for
/// another reason than these and others who were at the same rows.
fn stops(error: &TransactWriteItemsError) -> Option<Vec<usize>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else { return None };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("None")).collect();
    let is_known = |code: &&str| matches!(*code, "None" | "ConditionalCheckFailed" | "TransactionConflict");
    let stopped = codes.iter().enumerate().filter(|(_, code)| **code == "ConditionalCheckFailed");
    codes.iter().all(is_known).then(|| stopped.map(|(index, _)| index).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_a_partition_and_what_is_in_it() {
        assert_eq!(place("0#SUMMER-BCDF-2345"), Some((0, "SUMMER-BCDF-2345")));
        assert_eq!(place("7#a#b"), Some((7, "a#b")));
        for wrong in ["", "0", "0#", "8#a", "07#a", "+1#a", "x#a", &format!("1#{}", "x".repeat(201))] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
