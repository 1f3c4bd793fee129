//! Addresses that must not be written to.
//!
//! An address is kept as a keyed hash: who reads the table cannot find out whether
//! somebody's is among them. What SES tells comes late, more than once and in any order,
//! so nothing of it ever takes an address off. That is done by hand, and stays in the
//! row: only what becomes of a mail that was sent after that puts the address back.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{EmailAddress, MessageId, SuppressedFor};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::SUPPRESSION;
use super::{Customers, attribute, key};
use crate::CUSTOMER_SHARDS;
use crate::rows::{self, Written, failed, number, text, time};

/// How the partition of an address begins.
const ADDRESS: &str = "address#";

/// The most mails that came back for now that are kept of an address.
const MOST_SOFT: usize = 20;

/// That an address must not be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub reason: SuppressedFor,
    /// Since when.
    pub since: Timestamp,
    /// The id of the key that said so, if somebody did.
    pub by: Option<String>,
}

/// A mail that came back, but may be delivered another time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoftBounce {
    /// Which message.
    pub message_id: MessageId,
    /// When it came back.
    pub at: Timestamp,
}

#[derive(Default, Deserialize)]
struct AddressRow {
    /// Not there while mail may go to the address.
    reason: Option<SuppressedFor>,
    since: Option<Timestamp>,
    by: Option<String>,
    /// When it was last taken off by hand.
    lifted: Option<Timestamp>,
    /// Whether somebody had it who is erased, should it have been taken off since.
    #[serde(default)]
    was_erased: bool,
    /// The mails to it that came back for now.
    soft: Option<String>,
    #[serde(default)]
    version: u64,
}

impl AddressRow {
    fn suppression(self) -> Option<Suppression> {
        let (reason, since) = self.reason.zip(self.since)?;
        Some(Suppression { reason, since, by: self.by })
    }
}

impl Customers {
    /// Whether an address must not be written to, and why.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn suppression(&self, address: &EmailAddress) -> anyhow::Result<Option<Suppression>> {
        Ok(self.address_row(&self.address_place(address).await?).await?.and_then(AddressRow::suppression))
    }

    /// Stops all mail to an address. One that is stopped already stays as it is, but for this:
    /// a bounce or a complaint takes the place of a lesser reason, so that whoever takes the
    /// address off knows of it. `sent` is when the mail went out of which SES tells; one that
    /// went out before the address was taken off by hand stops nothing.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn suppress(
        &self,
        address: &EmailAddress,
        suppression: &Suppression,
        sent: Option<Timestamp>,
    ) -> anyhow::Result<Written> {
        let place = self.address_place(address).await?;
        let listed = text(suppressed_part(&place));
        let set = "SET reason = :reason, since = if_not_exists(since, :since), listed = :listed";
        let mut update = self.of_address(&place).expression_attribute_names("#by", "by");
        update = match &suppression.by {
            Some(by) => update
                .update_expression(format!("{set}, #by = :by REMOVE soft"))
                .expression_attribute_values(":by", text(by)),
            None => update.update_expression(format!("{set} REMOVE soft, #by")),
        };
        let mut condition = "attribute_not_exists(reason)".to_owned();
        if matches!(suppression.reason, SuppressedFor::Bounce | SuppressedFor::Complaint) {
            condition = format!("({condition} OR reason IN (:by_hand, :soft_bounces))");
            update = update
                .expression_attribute_values(":by_hand", text(SuppressedFor::ByHand.as_str()))
                .expression_attribute_values(":soft_bounces", text(SuppressedFor::SoftBounces.as_str()));
        }
        if let Some(sent) = sent {
            condition += " AND (attribute_not_exists(lifted) OR lifted < :sent)";
            update = update.expression_attribute_values(":sent", time(sent));
        }
        let update = update
            .condition_expression(condition)
            .expression_attribute_values(":reason", text(suppression.reason.as_str()))
            .expression_attribute_values(":since", time(suppression.since))
            .expression_attribute_values(":listed", listed);
        written(update).await
    }

    /// Lets mail go to an address again, whatever it was stopped for. Answers what that was;
    /// nothing, if it was not stopped.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn lift(&self, address: &EmailAddress, now: Timestamp) -> anyhow::Result<Option<Suppression>> {
        let place = self.address_place(address).await?;
        loop {
            let row = self.address_row(&place).await?.unwrap_or_default();
            let (was_erased, version) = (row.was_erased, row.version);
            let Some(suppression) = row.suppression() else { return Ok(None) };
            let was_erased = was_erased || suppression.reason == SuppressedFor::Erased;
            let update = self
                .of_address(&place)
                .update_expression(
                    "SET lifted = :now, was_erased = :was_erased, #version = :next REMOVE reason, since, #by, soft, listed",
                )
                .condition_expression("reason = :reason")
                .expression_attribute_names("#by", "by")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":now", time(now))
                .expression_attribute_values(":was_erased", AttributeValue::Bool(was_erased))
                .expression_attribute_values(":next", number(version + 1))
                .expression_attribute_values(":reason", text(suppression.reason.as_str()));
            if written(update).await? == Written::Done {
                return Ok(Some(suppression));
            }
        }
    }

    /// Notes that a mail to an address, sent then, came back for now. Answers which did so
    /// since the address was taken off by hand, the latest of them; none, if it is stopped.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn soft_bounced(
        &self,
        address: &EmailAddress,
        bounce: &SoftBounce,
        sent: Timestamp,
    ) -> anyhow::Result<Vec<SoftBounce>> {
        let place = self.address_place(address).await?;
        loop {
            let row = self.address_row(&place).await?.unwrap_or_default();
            if row.reason.is_some() || row.lifted.is_some_and(|lifted| lifted >= sent) {
                return Ok(Vec::new());
            }
            let mut known: Vec<SoftBounce> = row.soft.as_deref().map(rows::parse).transpose()?.unwrap_or_default();
            if known.iter().any(|known| known.message_id == bounce.message_id) {
                return Ok(known);
            }
            known.push(bounce.clone());
            known.sort_by_key(|bounce| bounce.at);
            known.drain(..known.len().saturating_sub(MOST_SOFT));
            let update = self
                .of_address(&place)
                .update_expression("SET soft = :soft, #version = :next")
                .condition_expression(
                    "attribute_not_exists(reason) AND (attribute_not_exists(#version) OR #version = :read)",
                )
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":soft", text(rows::body(&known)?))
                .expression_attribute_values(":next", number(row.version + 1))
                .expression_attribute_values(":read", number(row.version));
            if written(update).await? == Written::Done {
                return Ok(known);
            }
        }
    }

    /// A page of the addresses that are stopped, each by its fingerprint, and the place where
    /// the next begins. The index may lag behind by a moment.
    ///
    /// # Errors
    /// If the table or the index cannot be read.
    pub async fn suppressions(
        &self,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<(String, Suppression)>, Option<String>)> {
        let (mut part, mut behind) = match after.and_then(suppression_place) {
            Some((part, behind)) => (part, Some(behind).filter(|behind| !behind.is_empty())),
            None => (0, None),
        };
        let mut places: Vec<String> = Vec::new();
        while part < CUSTOMER_SHARDS && places.len() < limit {
            let query = self.in_list(format!("{SUPPRESSED}{part}")).limit(i32::try_from(limit - places.len())?);
            let query = match &behind {
                Some(behind) => query
                    .key_condition_expression("listed = :listed AND customer > :behind")
                    .expression_attribute_values(":behind", text(behind)),
                None => query.key_condition_expression("listed = :listed"),
            };
            let page = query.send().await.map_err(failed("the stopped addresses could not be listed"))?;
            let found: Vec<String> =
                page.items.iter().flatten().filter_map(|row| attribute(row, "customer").map(str::to_owned)).collect();
            match page.last_evaluated_key {
                Some(_) => behind = found.last().cloned().or(behind),
                None => (part, behind) = (part + 1, None),
            }
            places.extend(found);
        }
        let next = (part < CUSTOMER_SHARDS).then(|| format!("{part}\n{}", behind.unwrap_or_default()));
        let mut found = Vec::with_capacity(places.len());
        for item in self.batch(places.iter().map(|place| key(place, SUPPRESSION)).collect()).await? {
            let place = attribute(&item, "customer").unwrap_or_default().to_owned();
            // Taken off a moment ago.
            let Some(suppression) = rows::decode::<AddressRow>(item)?.suppression() else { continue };
            found.push((place.trim_start_matches(ADDRESS).to_owned(), suppression));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok((found, next))
    }

    /// Whether a text may be a place that [`Self::suppressions`] has given.
    #[must_use]
    pub fn is_suppression_place(text: &str) -> bool {
        suppression_place(text).is_some()
    }

    /// The name under which an address is kept.
    ///
    /// # Errors
    /// If the secret of the fingerprints cannot be read.
    pub async fn fingerprint_of(&self, address: &EmailAddress) -> anyhow::Result<String> {
        self.fingerprint("address", &address.as_str().to_lowercase()).await
    }

    /// Whether mail to an address was stopped because whoever had it was erased.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn is_erased(&self, address: &EmailAddress) -> anyhow::Result<bool> {
        let row = self.address_row(&self.address_place(address).await?).await?.unwrap_or_default();
        Ok(row.was_erased || row.reason == Some(SuppressedFor::Erased))
    }

    /// In place of a bounce or a complaint: neither is anybody's any more, and who comes
    /// upon the address later has to see that it was somebody's who is erased.
    pub(super) async fn suppress_erased(&self, address: &EmailAddress, now: Timestamp) -> anyhow::Result<()> {
        let place = self.address_place(address).await?;
        let mut item = key(&place, SUPPRESSION);
        item.insert("reason".into(), text(SuppressedFor::Erased.as_str()));
        item.insert("since".into(), time(now));
        item.insert("listed".into(), text(suppressed_part(&place)));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send().await;
        put.map(drop).map_err(failed("an address could not be stopped"))
    }

    async fn address_place(&self, address: &EmailAddress) -> anyhow::Result<String> {
        Ok(format!("{ADDRESS}{}", self.fingerprint_of(address).await?))
    }

    async fn address_row(&self, place: &str) -> anyhow::Result<Option<AddressRow>> {
        self.item(place.to_owned(), SUPPRESSION.into()).await?.map(rows::decode).transpose()
    }

    fn of_address(&self, place: &str) -> UpdateItemFluentBuilder {
        self.db.update_item().table_name(&self.table).set_key(Some(key(place, SUPPRESSION)))
    }
}

/// How the lists of stopped addresses begin.
const SUPPRESSED: &str = "suppressed#";

fn suppressed_part(place: &str) -> String {
    format!("{SUPPRESSED}{}", rows::part(place, CUSTOMER_SHARDS))
}

/// A part of the list, and the address behind which to go on; the first, if that is empty.
fn suppression_place(text: &str) -> Option<(u32, String)> {
    let (part, behind) = text.split_once('\n')?;
    let part = part.parse().ok().filter(|part| *part < CUSTOMER_SHARDS)?;
    (behind.is_empty() || behind.starts_with(ADDRESS)).then(|| (part, behind.to_owned()))
}

async fn written(update: UpdateItemFluentBuilder) -> anyhow::Result<Written> {
    match update.send().await {
        Ok(_) => Ok(Written::Done),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
            Ok(Written::Overtaken)
        }
        Err(error) => Err(failed("what is kept of an address could not be written")(error)),
    }
}
