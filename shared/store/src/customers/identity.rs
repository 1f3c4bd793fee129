//! Who somebody is now.
//!
//! An anonymous visitor becomes a customer, two customers turn out to be one, and
//! somebody is erased. Each is one row beside the partition that is left, which
//! every writer reads before it writes. A writer that read it too early is found by
//! `fan-out`, which sees each row that is written, and what it wrote follows.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use domain::CustomerId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{IDENTITY, alias_item};
use super::{Customers, Row, attribute, key, overtaken, partition};
use crate::rows::{self, Item, Written, text, time};

/// How many times somebody may have become somebody else.
const MOST_HOPS: usize = 16;

/// What became of an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Identity {
    /// It is this customer now.
    Is(CustomerId),
    /// The customer was erased.
    Erased,
}

/// What was looked for, under the id that somebody has now.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<T> {
    /// It is theirs.
    Here {
        /// The customer's id now.
        id: CustomerId,
        /// What was found.
        what: T,
    },
    /// The customer was erased.
    Erased,
}

impl<T> Found<T> {
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> anyhow::Result<U>) -> anyhow::Result<Found<U>> {
        Ok(match self {
            Self::Here { id, what } => Found::Here { id, what: of(what)? },
            Self::Erased => Found::Erased,
        })
    }
}

/// What became of saying that somebody is somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Linked {
    /// They are, now or already.
    Done(CustomerId),
    /// They are a third one already, or the two are one the other way round.
    IsAnother,
    /// One of the two was erased.
    Erased,
}

impl Customers {
    /// Who somebody is now.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn resolve(&self, id: &CustomerId) -> anyhow::Result<Found<()>> {
        self.find(id, &[]).await?.map(|_| Ok(()))
    }

    /// The ids under which somebody was known, from this one to the one that was erased;
    /// none if they were not.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn erased_as(&self, id: &CustomerId) -> anyhow::Result<Vec<CustomerId>> {
        let mut way = vec![id.clone()];
        for _ in 0..MOST_HOPS {
            let Some(last) = way.last().cloned() else { break };
            match self.identities(std::slice::from_ref(&last)).await?.remove(&last) {
                None => return Ok(Vec::new()),
                Some(Identity::Erased) => return Ok(way),
                Some(Identity::Is(now)) => way.push(now),
            }
        }
        Ok(Vec::new())
    }

    /// What became of these ids, those of them that are not who they were.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn identities(&self, ids: &[CustomerId]) -> anyhow::Result<BTreeMap<CustomerId, Identity>> {
        let mut known = BTreeMap::new();
        for ids in ids.chunks(100) {
            let mut places = BTreeMap::new();
            for id in ids {
                places.insert(self.identity_place(id).await?, id);
            }
            for item in self.batch(places.keys().map(|place| key(place, IDENTITY)).collect()).await? {
                if let Some(id) = attribute(&item, "customer").and_then(|place| places.get(place)) {
                    known.insert((*id).clone(), read(&item)?);
                }
            }
        }
        Ok(known)
    }

    /// Rows of a customer, under the id that they have now.
    pub(super) async fn find(&self, id: &CustomerId, items: &[String]) -> anyhow::Result<Found<Vec<Row>>> {
        let mut id = id.clone();
        for _ in 0..MOST_HOPS {
            let place = self.identity_place(&id).await?;
            let mut keys: Vec<Item> = vec![key(&place, IDENTITY)];
            keys.extend(items.iter().map(|item| key(partition(&id), item)));
            let (mut identity, mut what) = (None, Vec::new());
            for item in self.batched(keys).await? {
                match attribute(&item, "item") {
                    Some(IDENTITY) => identity = Some(read(&item)?),
                    _ => what.push(rows::decode(item)?),
                }
            }
            match identity {
                None => return Ok(Found::Here { id, what }),
                Some(Identity::Erased) => return Ok(Found::Erased),
                Some(Identity::Is(now)) => id = now,
            }
        }
        anyhow::bail!("somebody became somebody else more than {MOST_HOPS} times")
    }

    /// Says that `from` is `into`. What `from` has follows by and by.
    ///
    /// # Errors
    /// If the table cannot be read or written to.
    pub async fn link(&self, from: &CustomerId, into: &CustomerId, now: Timestamp) -> anyhow::Result<Linked> {
        loop {
            let mut known = self.identities(&[from.clone(), into.clone()]).await?;
            let known_as = match known.remove(into) {
                None => into.clone(),
                Some(Identity::Erased) => return Ok(Linked::Erased),
                Some(Identity::Is(_)) => match self.resolve(into).await? {
                    Found::Here { id, .. } => id,
                    Found::Erased => return Ok(Linked::Erased),
                },
            };
            match known.remove(from) {
                Some(Identity::Erased) => return Ok(Linked::Erased),
                Some(Identity::Is(is)) if is == known_as => return Ok(Linked::Done(known_as)),
                Some(Identity::Is(_)) => return self.is_now(from, known_as).await,
                None if from == into => return Ok(Linked::Done(known_as)),
                None if *from == known_as => return Ok(Linked::IsAnother),
                None => {}
            }
            if self.become_another(from, &known_as, now).await? == Written::Done {
                return Ok(Linked::Done(known_as));
            }
            // Somebody has said meanwhile who one of the two is: it is looked at again.
        }
    }

    /// Writes that `from` is `into`, if each is nobody else yet: so two who are said to
    /// be each other at once do not go round in a circle, and nobody becomes one who
    /// is erased. Whoever erases the customer finds by the second row who they were.
    async fn become_another(&self, from: &CustomerId, into: &CustomerId, now: Timestamp) -> anyhow::Result<Written> {
        let mut item = key(self.identity_place(from).await?, IDENTITY);
        item.insert("into".into(), text(into.as_str()));
        item.insert("since".into(), time(now));
        // So that the stream tells whose rows are to follow.
        item.insert("of".into(), text(from.as_str()));
        let nobody_else = "attribute_not_exists(customer)";
        let is = Put::builder().table_name(&self.table).set_item(Some(item)).condition_expression(nobody_else);
        let stays = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key(self.identity_place(into).await?, IDENTITY)))
            .condition_expression(nobody_else);
        let alias = rows::encode(&Row::new(into, alias_item(from), from, None, now)?)?;
        let alias = Put::builder().table_name(&self.table).set_item(Some(alias));
        self.commit(vec![
            TransactWriteItem::builder().put(is.build()?).build(),
            TransactWriteItem::builder().condition_check(stays.build()?).build(),
            TransactWriteItem::builder().put(alias.build()?).build(),
        ])
        .await
    }

    async fn is_now(&self, from: &CustomerId, into: CustomerId) -> anyhow::Result<Linked> {
        Ok(match self.resolve(from).await? {
            Found::Here { id, .. } if id == into => Linked::Done(into),
            Found::Here { .. } => Linked::IsAnother,
            Found::Erased => Linked::Erased,
        })
    }

    /// Says that a customer is erased. What they have is deleted by and by.
    ///
    /// The row stays for ever, so that nothing that arrives late brings them back. It
    /// names them by a keyed hash once everything else is gone.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn mark_erased(&self, id: &CustomerId, now: Timestamp) -> anyhow::Result<()> {
        let mut item = key(self.identity_place(id).await?, IDENTITY);
        item.insert("erased".into(), AttributeValue::Bool(true));
        item.insert("since".into(), time(now));
        item.insert("of".into(), text(id.as_str()));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(customer) OR erased <> :erased")
            .expression_attribute_values(":erased", AttributeValue::Bool(true));
        overtaken(put.send().await).map(drop)
    }

    /// Takes the name off the row that says that somebody is erased.
    pub(super) async fn forget_name(&self, id: &CustomerId) -> anyhow::Result<()> {
        let mut item = key(self.identity_place(id).await?, IDENTITY);
        item.insert("erased".into(), AttributeValue::Bool(true));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        overtaken(put.send().await).map(drop)
    }

    pub(super) async fn identity_place(&self, id: &CustomerId) -> anyhow::Result<String> {
        Ok(format!("{IDENTITY}#{}", self.fingerprint("id", id.as_str()).await?))
    }

    async fn batched(&self, keys: Vec<Item>) -> anyhow::Result<Vec<Item>> {
        let mut found = Vec::new();
        for keys in keys.chunks(100) {
            found.extend(self.batch(keys.to_vec()).await?);
        }
        Ok(found)
    }
}

fn read(item: &Item) -> anyhow::Result<Identity> {
    match attribute(item, "into") {
        Some(into) => Ok(Identity::Is(CustomerId::parse(into)?)),
        None => Ok(Identity::Erased),
    }
}
