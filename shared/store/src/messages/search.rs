//! Messages by what decided on them, and by what became of them.
//!
//! Two indexes beside the one by customer. `by-origin` has every message under its
//! campaign or mailing; its keys never change, so it costs one write for each message
//! and none for what becomes of it. `unsent` is sparse: a message stands in it from when
//! it was not sent, or nobody knows whether it was, until somebody does. Both are dealt
//! into parts, as one mailing is written faster than one partition of an index takes.

use anyhow::Context;
use domain::message::{Origin, Reason, State};
use domain::{CampaignId, CustomerId, MailingId, Message, MessageId};
use futures::{StreamExt, TryStreamExt};

use super::Messages;
use super::ledger::{Entry, created};
use crate::merged::{Part, merged};
use crate::rows::{self, Item, failed, text};

/// Into how many parts the messages of one origin are dealt: a partition of an index
/// takes a thousand writes a second.
const PARTS: u32 = 8;

/// How many messages are looked at with one call at least where only some are wanted.
const AT_ONCE: usize = 100;

/// How often it is looked on for one page, so that a search for what is rare ends in time.
const MOST_ROUNDS: usize = 10;

/// Whose messages are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those to this customer, under all of these ids.
    Customer(Vec<CustomerId>),
    /// Everybody's.
    Everybody,
}

/// What decided on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// A campaign.
    Campaign(CampaignId),
    /// A mailing.
    Mailing(MailingId),
    /// Somebody who tries a template out.
    Test,
}

impl DecidedBy {
    fn of(origin: &Origin) -> Self {
        match origin {
            Origin::Campaign { campaign_id, .. } => Self::Campaign(campaign_id.clone()),
            Origin::Mailing { mailing_id, .. } => Self::Mailing(mailing_id.clone()),
            Origin::Test { .. } => Self::Test,
        }
    }

    fn part(&self, part: u32) -> String {
        match self {
            Self::Campaign(id) => format!("campaign#{part}#{id}"),
            Self::Mailing(id) => format!("mailing#{part}#{id}"),
            Self::Test => format!("test#{part}"),
        }
    }
}

/// What is looked for among the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Whose.
    pub whose: Whose,
    /// What decided on them.
    pub decided_by: Option<DecidedBy>,
    /// Where they stand.
    pub state: Option<State>,
    /// Why they were not sent.
    pub reason: Option<Reason>,
}

impl Search {
    fn wants(&self, entry: &Entry) -> bool {
        self.decided_by.as_ref().is_none_or(|by| *by == DecidedBy::of(&entry.message.origin))
            && self.state.is_none_or(|state| state == entry.state)
            && self.reason.is_none_or(|reason| entry.reason == Some(reason))
    }

    /// The state by which the sparse index finds them, if it does.
    fn unsent(&self) -> Option<State> {
        match (self.state, self.reason) {
            (None, Some(_)) => Some(State::NotSent),
            (state, _) => state.filter(|state| is_unsent(*state)),
        }
    }
}

/// One list in an index.
struct List {
    index: &'static str,
    key: &'static str,
    is: String,
    /// What else the rows must have, by attribute.
    also: Vec<(&'static str, String)>,
}

impl Messages {
    /// A page of the messages that are looked for, newest first, and the place behind
    /// which the next begins. Where only some of those that are gone through are wanted,
    /// a page may have fewer than asked for, or none, and not be the last.
    ///
    /// The indexes may lag behind by a moment; what is told of each message is so now.
    ///
    /// # Errors
    /// If the table cannot be read, or everybody's messages of no campaign or mailing are
    /// looked for that were sent or are still to be.
    pub async fn search(
        &self,
        search: &Search,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Entry>, Option<String>)> {
        let by_both = search.decided_by.is_some() && search.whose != Whose::Everybody;
        let filters = search.state.is_some() || search.reason.is_some() || by_both;
        let page = if filters { limit.max(AT_ONCE) } else { limit };
        let (mut found, mut place) = (Vec::new(), after.map(str::to_owned));
        for _ in 0..MOST_ROUNDS {
            let (entries, next) = self.looked_through(search, page, place.as_deref()).await?;
            found.extend(entries.into_iter().filter(|entry| search.wants(entry)));
            place = next;
            if found.len() > limit {
                found.truncate(limit);
                place = found.last().map(|entry| created(&entry.message));
            }
            if place.is_none() || found.len() == limit {
                break;
            }
        }
        Ok((found, place))
    }

    /// A page of the shortest list in which all are that are looked for.
    async fn looked_through(
        &self,
        search: &Search,
        limit: usize,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Entry>, Option<String>)> {
        if let Whose::Customer(ids) = &search.whose {
            let (id, aliases) = ids.split_first().context("a customer without an id")?;
            return self.of_customer(id, aliases, limit, after).await;
        }
        let lists = (0..PARTS).map(|part| search.list(part));
        let lists: Vec<List> = lists.collect::<Option<_>>().context("there is no list of all messages")?;
        let parts = futures::stream::iter(&lists).map(|list| self.in_list(list, limit, after)).buffered(PARTS as usize);
        let (places, next) = merged(parts.try_collect().await?, limit);
        let ids: Vec<MessageId> = places.into_iter().map(|(_, id)| id).collect();
        let mut entries = self.entries(&ids, true).await?;
        entries.sort_by_cached_key(|entry| std::cmp::Reverse(created(&entry.message)));
        Ok((entries, next))
    }

    /// A page of one list of an index, of those before a place.
    async fn in_list(&self, list: &List, limit: usize, before: Option<&str>) -> anyhow::Result<Part<MessageId>> {
        let by = if before.is_some() { " AND created < :before" } else { "" };
        let mut query = self
            .db
            .query()
            .table_name(&self.table)
            .index_name(list.index)
            .key_condition_expression(format!("{} = :is{by}", list.key))
            .expression_attribute_values(":is", text(&list.is))
            .scan_index_forward(false);
        if let Some(before) = before {
            query = query.expression_attribute_values(":before", text(before));
        }
        for (name, value) in &list.also {
            query = query.expression_attribute_values(format!(":{name}"), text(value));
        }
        let also: Vec<String> = list.also.iter().map(|(name, _)| format!("{name} = :{name}")).collect();
        // A limit counts what is looked at, and not what is found: a whole page is looked at
        // where only some of it are meant.
        let query = match also.is_empty() {
            true => query.limit(i32::try_from(limit)?),
            false => query.filter_expression(also.join(" AND ")),
        };
        let page = query.send().await.map_err(failed("the messages could not be listed"))?;
        let items: anyhow::Result<Vec<_>> = page.items.unwrap_or_default().iter().map(place).collect();
        let read_to = page.last_evaluated_key.as_ref().map(place).transpose()?.map(|(place, _)| place);
        Ok(Part { items: items?, read_to })
    }
}

impl Search {
    /// A part of the list that has them.
    fn list(&self, part: u32) -> Option<List> {
        let origin = self.decided_by.as_ref().map(|by| by.part(part));
        let Some(state) = self.unsent() else {
            return Some(List { index: "by-origin", key: "origin", is: origin?, also: Vec::new() });
        };
        let reason = self.reason.map(|reason| ("reason", reason.as_str().to_owned()));
        let also = origin.map(|origin| ("origin", origin)).into_iter().chain(reason).collect();
        Some(List { index: "unsent", key: "unsent", is: unsent_part(state, part), also })
    }
}

/// Where a message stands in an index, and which it is.
pub(super) fn place(row: &Item) -> anyhow::Result<(String, MessageId)> {
    let named = |name: &str| row.get(name).and_then(|value| value.as_s().ok());
    let message = named("message").context("a message without an id")?;
    Ok((named("created").context("a message without a time")?.clone(), MessageId::parse(message)?))
}

/// The list of its campaign or mailing in which a message stands.
pub(super) fn origin_of(message: &Message) -> String {
    DecidedBy::of(&message.origin).part(rows::part(message.id.as_str(), PARTS))
}

/// The list in which a message stands that was not sent, or of which nobody knows.
pub(super) fn unsent_of(id: &MessageId, state: State) -> String {
    unsent_part(state, rows::part(id.as_str(), PARTS))
}

fn unsent_part(state: State, part: u32) -> String {
    format!("{}#{part}", state.as_str())
}

fn is_unsent(state: State) -> bool {
    matches!(state, State::NotSent | State::Unknown)
}
