//! A row of the ledger, and what is read off it.

use anyhow::Context;
use domain::message::{Reason, State};
use domain::{Message, MessageId, sortable};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::search::origin_of;
use crate::rows::{self, Item, Written, text};

/// What became of a move that takes a message which is still to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It was made.
    Done,
    /// A sender has the message; its lease still runs.
    Busy,
    /// A sender had the message and was never heard of again.
    Lapsed(Lapsed),
    /// It is not known whether it went out, since then.
    Unknown {
        /// When its claim was closed.
        since: Timestamp,
        /// Whether it was the last attempt.
        twice: bool,
    },
    /// Nothing is left to do.
    Settled {
        /// Whether it was sent.
        sent: bool,
    },
    /// There is no such message.
    Absent,
}

/// A claim whose sender was never heard of again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    /// Its name.
    pub claim: String,
    /// The earliest that SES told of the message, which proves that it went
    /// out; none if SES told nothing.
    pub proof: Option<Timestamp>,
    /// Whether it was the second attempt.
    pub again: bool,
}

/// What becomes of a message whose second attempt came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AndThen {
    /// The attempt does not count, and may be made again.
    TriedAgain,
    /// It was the last.
    LeftAtThat,
}

/// Why a message was put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PutOffFor {
    /// It is to go out later by the customer's own clock.
    LocalTime,
    /// The customer's quiet hours.
    QuietHours,
    /// The customer has had as many messages as they may for now.
    FrequencyCap,
    /// Nobody knows whether it went out; it is sent once more if that stays so.
    Unknown,
}

impl PutOffFor {
    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LocalTime => "local_time",
            Self::QuietHours => "quiet_hours",
            Self::FrequencyCap => "frequency_cap",
            Self::Unknown => "unknown",
        }
    }
}

/// How an attempt to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// SES accepted it and gave it this id.
    Sent {
        /// SES's own message id.
        ses_id: String,
    },
    /// It was not sent.
    NotSent {
        /// Why.
        reason: Reason,
        /// What exactly, in words; never an address or a value.
        detail: Option<String>,
    },
}

/// What SES told of a message after it was handed over. Of each kind only the
/// earliest is kept, so that repetition and order of arrival do not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// SES took it in.
    Accepted,
    /// SES found in it what it does not send on, such as a virus, after it had taken it in.
    Rejected,
    /// The recipient's server took it in.
    Delivered,
    /// It came back for good.
    Bounced,
    /// It came back, but may be delivered another time.
    SoftBounced,
    /// The recipient called it spam.
    Complained,
    /// It was opened.
    Opened,
    /// A link in it was followed.
    Clicked,
    /// A machine opened it, such as one that looks for harmful mail.
    MachineOpened,
    /// A machine followed a link in it.
    MachineClicked,
}

impl Evidence {
    /// All kinds of it.
    pub const ALL: [Self; 10] = [
        Self::Accepted,
        Self::Rejected,
        Self::Delivered,
        Self::Bounced,
        Self::SoftBounced,
        Self::Complained,
        Self::Opened,
        Self::Clicked,
        Self::MachineOpened,
        Self::MachineClicked,
    ];

    /// By what name the time of it stands in a row, and beside the message.
    #[must_use]
    pub fn attribute(self) -> &'static str {
        match self {
            Self::Accepted => "accepted_at",
            Self::Rejected => "rejected_at",
            Self::Delivered => "delivered_at",
            Self::Bounced => "bounced_at",
            Self::SoftBounced => "soft_bounced_at",
            Self::Complained => "complained_at",
            Self::Opened => "opened_at",
            Self::Clicked => "clicked_at",
            Self::MachineOpened => "machine_opened_at",
            Self::MachineClicked => "machine_clicked_at",
        }
    }
}

/// A message and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As it was decided on.
    pub message: Message,
    /// Whether the customer's name was taken off it, because they were erased.
    pub scrubbed: bool,
    /// Where it stands.
    pub state: State,
    /// Why it was not sent.
    pub reason: Option<Reason>,
    /// What exactly, in words.
    pub detail: Option<String>,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
    /// When a sender took it up last.
    pub claimed_at: Option<Timestamp>,
    /// Until when it was put off, and why.
    pub put_off: Option<(Timestamp, PutOffFor)>,
    /// When it was put back onto its queue last, or to be tried again, to come within SQS's longest
    /// delay.
    pub waited_at: Option<Timestamp>,
    /// SES's own id for it.
    pub ses_id: Option<String>,
    /// What SES told of it, by kind.
    pub evidence: Vec<(&'static str, Timestamp)>,
}

#[derive(Deserialize)]
pub(super) struct Row {
    /// Not there once the customer was erased.
    pub(super) customer: Option<String>,
    pub(super) body: String,
    pub(super) state: State,
    pub(super) claim: Option<String>,
    claimed_at: Option<Timestamp>,
    lease: Option<Timestamp>,
    reason: Option<Reason>,
    detail: Option<String>,
    settled_at: Option<Timestamp>,
    ses_id: Option<String>,
    /// Until when it was put off.
    pub(super) due: Option<Timestamp>,
    /// Why.
    put_off_for: Option<PutOffFor>,
    /// Which of its copies put one back onto its queue last.
    pub(super) put_back_by: Option<String>,
    /// When that was, or a second attempt came to nothing that may be made again.
    waited_at: Option<Timestamp>,
    /// Whether it was claimed a second time, after nobody knew.
    #[serde(default)]
    again: bool,
    /// The earliest that SES told of the message.
    #[serde(skip)]
    pub(super) proof: Option<Timestamp>,
}

impl Row {
    pub(super) fn read(item: Item) -> anyhow::Result<Self> {
        let proof = evidence(&item).into_iter().map(|(_, at)| at).min();
        Ok(Self { proof, ..rows::decode(item)? })
    }
}

pub(super) fn key(id: &MessageId) -> Item {
    Item::from([("message".into(), text(id.as_str()))])
}

/// Where a message stands among its customer's: no two have the same place.
pub(super) fn created(message: &Message) -> String {
    format!("{}#{}", sortable(message.created_at), message.id)
}

/// When the message in a row was made.
pub(super) fn made_at(row: &Item) -> anyhow::Result<Timestamp> {
    let created = row.get("created").and_then(|created| created.as_s().ok()).and_then(|it| it.split_once('#'));
    created.and_then(|(at, _)| at.parse().ok()).context("a message without a time")
}

pub(super) fn new_row(message: &Message) -> anyhow::Result<Item> {
    let mut item = key(&message.id);
    item.insert("customer".into(), text(message.customer_id.as_str()));
    item.insert("created".into(), text(created(message)));
    item.insert("origin".into(), text(origin_of(message)));
    item.insert("state".into(), text(State::Pending.as_str()));
    item.insert("body".into(), text(rows::body(message)?));
    Ok(item)
}

/// What became of a move from one state to another.
pub(super) enum Move {
    /// It was made; the row as it is now, if that was asked for.
    Done(Option<Row>),
    /// The row was not where the move begins; the row as it is, if there is one.
    Refused(Option<Row>),
}

impl Move {
    pub(super) fn taken(self, now: Timestamp) -> Taken {
        match self {
            Self::Done(_) => Taken::Done,
            Self::Refused(None) => Taken::Absent,
            Self::Refused(Some(row)) => match (row.state, row.claim) {
                (State::Claimed, Some(claim)) if row.lease.is_none_or(|lease| now > lease) => {
                    Taken::Lapsed(Lapsed { claim, proof: row.proof, again: row.again })
                }
                (State::Claimed, _) => Taken::Busy,
                // Pending, but SES has told of it: it went out, and is settled in a moment.
                (State::Pending, _) => Taken::Busy,
                (State::Unknown, _) => Taken::Unknown { since: row.settled_at.unwrap_or(now), twice: row.again },
                (state @ (State::Sent | State::NotSent), _) => Taken::Settled { sent: state == State::Sent },
            },
        }
    }

    pub(super) fn written(&self) -> Written {
        match self {
            Self::Done(_) => Written::Done,
            Self::Refused(_) => Written::Overtaken,
        }
    }
}

/// What SES told of a message, by kind.
fn evidence(item: &Item) -> Vec<(&'static str, Timestamp)> {
    let told = Evidence::ALL.into_iter().filter_map(|kind| {
        let at = item.get(kind.attribute())?.as_s().ok()?;
        Some((kind.attribute(), at.parse().ok()?))
    });
    told.collect()
}

pub(super) fn entry(item: Item) -> anyhow::Result<Entry> {
    let evidence = evidence(&item);
    let scrubbed = !item.contains_key("customer");
    let row: Row = rows::decode(item)?;
    Ok(Entry {
        message: rows::parse(&row.body)?,
        scrubbed,
        state: row.state,
        reason: row.reason,
        detail: row.detail,
        settled_at: row.settled_at,
        claimed_at: row.claimed_at,
        put_off: row.due.zip(row.put_off_for),
        waited_at: row.waited_at,
        ses_id: row.ses_id,
        evidence,
    })
}
