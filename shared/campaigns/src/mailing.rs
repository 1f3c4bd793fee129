use std::collections::BTreeMap;

use conditions::{Condition, Root};
use domain::message::{Message, Origin, Purpose, Reason, State, Terms};
use domain::read::{self, Faults, Reader};
use domain::{CustomerId, Fault, MailingId, TemplateId};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Sending;

/// A mass mailing as it was defined: what goes to whom, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mailing {
    /// Its id. A mailing goes to a customer at most once, whatever happens.
    pub id: MailingId,
    /// Its name, for people.
    pub name: String,
    /// The template that fills it.
    pub template: TemplateId,
    /// The version of the template when the mailing was saved.
    pub template_version: u64,
    /// Whom it goes to; `None` is every customer.
    pub audience: Option<Condition>,
    /// When it starts.
    pub at: Timestamp,
    /// When it goes out by each customer's own clock, if it does: then [`Self::at`] is when
    /// that comes first anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_at: Option<DateTime>,
    /// On what terms its messages go out.
    #[serde(default)]
    pub sending: Sending,
}

/// By how much the clocks that are the furthest ahead are ahead of UTC (Kiritimati).
const FIRST_CLOCKS: SignedDuration = SignedDuration::from_hours(14);

impl Mailing {
    /// Reads a definition as it came over the API. `at` is `now` if it is not
    /// given. The template's version is filled in by whoever looks it up.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(id: MailingId, body: &Value, now: Timestamp) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let name = reader.required("name", read::short);
        let template = reader.required("template", read::parsed(TemplateId::parse));
        let audience = crate::definition::condition(&mut reader, "audience", &[Root::Customer]);
        crate::definition::ignore_words(&mut reader, "audience_in_words");
        let at = reader.optional("at", read::instant);
        let local_at = reader.optional("local_at", read::parsed(local_time));
        if at.is_some() && local_at.is_some() {
            reader.fault("local_at", "cannot be given beside \"at\"");
        }
        let sending = reader.nested("sending", Sending::read).unwrap_or_default();
        reader.finish()?;
        let first = local_at
            .and_then(|local: DateTime| local.to_zoned(TimeZone::UTC).ok()?.timestamp().checked_sub(FIRST_CLOCKS).ok());
        let at = at.or(first).unwrap_or(now);
        match (name, template) {
            (Some(name), Some(template)) => {
                Ok(Self { id, name, template, template_version: 0, audience, at, local_at, sending })
            }
            _ => Err(vec![Fault::new("", "could not be read")]),
        }
    }

    /// The definition as it goes out over the API, with its audience in plain English too.
    #[must_use]
    pub fn show(&self) -> Value {
        let mut shown = self.definition();
        crate::definition::put_words(&mut shown, "audience_in_words", self.audience.as_ref());
        shown
    }

    /// What was defined, and nothing that is made of it.
    #[must_use]
    pub fn definition(&self) -> Value {
        let mut shown = json!({ "id": self.id, "name": self.name, "template": self.template });
        match self.local_at {
            Some(local) => shown["local_at"] = json!(local),
            None => shown["at"] = json!(self.at),
        }
        if let Some(sending) = self.sending.show() {
            shown["sending"] = sending;
        }
        if let Some(audience) = &self.audience {
            shown["audience"] = json!(audience);
        }
        shown
    }

    /// One customer's message of it.
    #[must_use]
    pub fn message(&self, version: u64, customer_id: &CustomerId, now: Timestamp) -> Message {
        Message {
            id: Message::id_of_mailing(&self.id, customer_id),
            customer_id: customer_id.clone(),
            origin: Origin::Mailing { mailing_id: self.id.clone(), version },
            purpose: Purpose::Marketing,
            terms: Terms { local_at: self.local_at, ..self.sending.terms() },
            template_id: self.template.clone(),
            template_version: self.template_version,
            created_at: now,
        }
    }
}

fn local_time(text: &str) -> Result<DateTime, &'static str> {
    // With an offset it would be an instant, and by nobody's own clock.
    let plain = !text.contains(['Z', 'z', '+', '[']);
    let time = text.parse().ok().filter(|time: &DateTime| plain && (1970..=9998).contains(&time.year()));
    time.ok_or("must be a time without a zone, such as \"2026-12-01T10:00:00\"")
}

/// How far a mailing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Its time has not come.
    Scheduled,
    /// Its audience is being put down, page by page.
    Collecting,
    /// Its audience is complete; its messages are on their way.
    Sending,
    /// Every customer of its audience is accounted for.
    Sent,
}

/// A mailing's progress: the checkpoint from which any worker can go on.
///
/// The audience is put down in numbered pages. A page is written once and never
/// changed, so it is both the snapshot and the proof of who is in it; the
/// messages are made from the pages, and the accounts are made by going over
/// the pages again. Each count only ever grows, and the accounts are closed when
/// `tallied` has reached the last page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailingProgress {
    /// How far it is.
    pub stage: Stage,
    /// The version of the definition that is being sent.
    pub definition_version: u64,
    /// The part of the customers that is being gone through, from 0.
    pub shard: u32,
    /// The last customer of it that was looked at.
    pub after: Option<String>,
    /// How many pages are put down.
    pub pages: u32,
    /// How many of them have all their messages.
    pub written: u32,
    /// How many of them are accounted for.
    pub tallied: u32,
    /// How many customers are on the pages.
    pub audience: u64,
    /// How many of the accounted were sent.
    pub sent: u64,
    /// How many of the accounted nobody knows about.
    pub unknown: u64,
    /// How many of the accounted were not sent, by reason.
    pub not_sent: BTreeMap<Reason, u64>,
    /// When its work began.
    pub started_at: Option<Timestamp>,
    /// When the accounts were closed.
    pub ended_at: Option<Timestamp>,
}

impl MailingProgress {
    /// The progress of a mailing on which no work was done.
    #[must_use]
    pub fn scheduled(definition_version: u64) -> Self {
        Self {
            stage: Stage::Scheduled,
            definition_version,
            shard: 0,
            after: None,
            pages: 0,
            written: 0,
            tallied: 0,
            audience: 0,
            sent: 0,
            unknown: 0,
            not_sent: BTreeMap::new(),
            started_at: None,
            ended_at: None,
        }
    }

    /// Takes one page into the accounts, each of its messages by its state and
    /// reason.
    pub fn tally(&mut self, page: impl IntoIterator<Item = (State, Option<Reason>)>) {
        for (state, reason) in page {
            match (state, reason) {
                (State::Sent, _) => self.sent += 1,
                (State::NotSent, Some(reason)) => *self.not_sent.entry(reason).or_default() += 1,
                _ => self.unknown += 1,
            }
        }
        self.tallied += 1;
    }

    /// How many customers are accounted for.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.sent + self.unknown + self.not_sent.values().sum::<u64>()
    }

    /// The progress as it goes out over the API.
    #[must_use]
    pub fn show(&self) -> Value {
        json!({
            "stage": self.stage,
            "audience": self.audience,
            "sent": self.sent,
            "unknown": self.unknown,
            "not_sent": self.not_sent,
            "under_way": self.audience - self.accounted(),
            "started_at": self.started_at,
            "ended_at": self.ended_at,
        })
    }
}
