//! Why a customer got a message of a campaign or a mailing, or did not.
//!
//! Whatever was decided on has a row, which says what became of it. Where there is none,
//! the rows of the definitions, of the runs and of the mailing's checkpoint say how far it
//! got; and only what none of them says is worked out, as of now, and marked so.

mod campaign;
mod causes;
mod mailing;

use contracts::{Kind, Problem};
use domain::message::State;
use domain::{CampaignId, Customer, CustomerId, Fault, MailingId};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use serde_json::{Map, Value, json};
use store::{DecidedBy, Entry, Evidence, Found, Search, Whose};

pub(crate) use causes::{OnRecord, latest, of_order};

use crate::Manage;
use crate::messages::{in_words, parameter, show};

/// How many of the customer's messages are shown.
const SHOWN: usize = 20;

/// An answer to the question why.
struct Because {
    /// In one word.
    answer: &'static str,
    /// Whether the customer got it; none if nobody knows.
    got_it: Option<bool>,
    /// As people say it.
    in_words: String,
    /// What else there is to it, by name.
    more: Map<String, Value>,
    /// What is so as of now, and on no record; none if nothing had to be worked out.
    worked_out: Option<Value>,
}

impl Because {
    fn not(answer: &'static str, in_words: impl Into<String>) -> Self {
        Self { answer, got_it: Some(false), in_words: in_words.into(), more: Map::new(), worked_out: None }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    fn worked_out(self, value: Value) -> Self {
        Self { worked_out: Some(value), ..self }
    }

    /// What the row of a message says.
    fn of_message(entry: &Entry) -> Self {
        let told = |kind: Evidence| entry.evidence.iter().any(|(name, _)| *name == kind.attribute());
        let mut in_words = in_words(entry);
        let (answer, got_it) = match entry.state {
            State::Pending | State::Claimed => ("on_its_way", Some(false)),
            State::Unknown => ("unknown", None),
            State::NotSent => ("not_sent", Some(false)),
            State::Sent if told(Evidence::Rejected) => {
                in_words += " Then it found something harmful in it, such as a virus, and did not send it on.";
                ("rejected", Some(false))
            }
            State::Sent if told(Evidence::Bounced) => {
                in_words += " It came back for good.";
                ("bounced", Some(false))
            }
            State::Sent => {
                in_words += match told(Evidence::Delivered) {
                    true => " The recipient's mail server took it in.",
                    false => " Nothing was heard yet of whether it was delivered.",
                };
                ("sent", Some(true))
            }
        };
        let mut because = Self { answer, got_it, in_words, more: Map::new(), worked_out: None };
        if let Some(reason) = entry.reason {
            because = because.with("reason", json!(reason));
        }
        if let Some(detail) = &entry.detail {
            because = because.with("detail", json!(detail));
        }
        match (entry.state, entry.put_off) {
            (State::Pending, Some((until, why))) => {
                because.with("waits_until", json!(until)).with("put_off_for", json!(why))
            }
            _ => because,
        }
    }
}

/// What is asked about.
enum About {
    Campaign(CampaignId),
    Mailing(MailingId),
}

/// A customer under all ids, at a time.
struct Asked {
    customer: Customer,
    ids: Vec<CustomerId>,
    now: Timestamp,
}

impl Manage {
    /// Why a customer got what a campaign or a mailing sends, or did not.
    pub(crate) async fn why(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CustomerId::parse)?;
        let about = about(request)?;
        let ids = self.all_ids(&id).await?;
        let known = match self.customers.profile(&id).await? {
            Found::Here { what: Some(known), .. } => Some(known.value),
            _ => None,
        };
        let is_known = known.is_some();
        // Somebody of whom nothing was told but an order, say, may have messages too.
        let customer = known.unwrap_or_else(|| Customer::unknown(ids[0].clone()));
        let asked = Asked { ids, customer, now: self.clock.now() };
        let mut shown = json!({ "customer_id": asked.customer.id, "as_of": asked.now });
        let (because, messages, runs) = match about {
            About::Campaign(id) => {
                shown["campaign"] = json!(id);
                self.why_campaign(&id, &asked).await?
            }
            About::Mailing(id) => {
                shown["mailing"] = json!(id);
                let (because, messages) = self.why_mailing(&id, &asked).await?;
                (because, messages, Vec::new())
            }
        };
        if !is_known && messages.is_empty() && runs.is_empty() {
            return Err(Problem::new(Kind::NotFound).because("no such customer is known").into());
        }
        shown["answer"] = json!(because.answer);
        shown["got_it"] = json!(because.got_it);
        shown["in_words"] = json!(because.in_words);
        for (name, value) in because.more {
            shown[name] = value;
        }
        shown["known"] = json!({ "messages": messages.iter().map(show).collect::<Vec<_>>(), "runs": runs });
        shown["worked_out"] = json!(because.worked_out);
        Ok(Response::json(200, &shown))
    }

    /// The newest messages to a customer that this decided on.
    async fn decided_by(&self, by: DecidedBy, asked: &Asked) -> anyhow::Result<Vec<Entry>> {
        let whose = Whose::Customer(asked.ids.clone());
        let search = Search { whose, decided_by: Some(by), state: None, reason: None };
        let mut after = None;
        loop {
            let (found, next) = self.messages.search(&search, SHOWN, after.as_deref()).await?;
            after = next;
            if !found.is_empty() || after.is_none() {
                return Ok(found);
            }
        }
    }
}

fn about(request: &Request) -> Result<About, Vec<Fault>> {
    let mut faults = Vec::new();
    let campaign = parameter(request, "campaign", CampaignId::parse, &mut faults);
    let mailing = parameter(request, "mailing", MailingId::parse, &mut faults);
    match (campaign, mailing) {
        _ if !faults.is_empty() => Err(faults),
        (Some(campaign), None) => Ok(About::Campaign(campaign)),
        (None, Some(mailing)) => Ok(About::Mailing(mailing)),
        (Some(_), Some(_)) => Err(vec![Fault::new("?mailing", "cannot be given beside campaign")]),
        (None, None) => Err(vec![Fault::new("?campaign", "is required, or mailing")]),
    }
}
