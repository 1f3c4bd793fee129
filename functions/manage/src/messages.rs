//! What was sent, what was not, and why: lists of messages, and one message's story.

use campaigns::Sending;
use contracts::{Kind, Problem};
use domain::message::{Origin, Reason, State, Terms};
use domain::{CampaignId, CustomerId, Fault, MailingId, MessageId};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use serde_json::{Map, Value, json};
use store::{DecidedBy, Entry, Evidence, Found, PutOffFor, Search, Whose};

use crate::Manage;

impl Manage {
    /// A page of the messages that are asked for, the newest first.
    pub(crate) async fn messages(&self, request: &Request) -> Result<Response, Failure> {
        let mut faults = Vec::new();
        let customer = parameter(request, "customer", CustomerId::parse, &mut faults);
        let campaign = parameter(request, "campaign", CampaignId::parse, &mut faults);
        let mailing = parameter(request, "mailing", MailingId::parse, &mut faults);
        let state = parameter(request, "state", state, &mut faults);
        let reason = parameter(request, "reason", reason, &mut faults);
        let tests = parameter(request, "test", is_true, &mut faults).is_some();
        if campaign.is_some() && mailing.is_some() {
            faults.push(Fault::new("?mailing", "cannot be given beside campaign"));
        }
        if reason.is_some() && state.is_some_and(|state| state != State::NotSent) {
            faults
                .push(Fault::new("?reason", "only what was not sent has one: state must be NOT_SENT, or be left out"));
        }
        if tests && (customer.is_some() || campaign.is_some() || mailing.is_some()) {
            faults.push(Fault::new("?test", "cannot be given beside customer, campaign or mailing"));
        }
        let whole = !tests && customer.is_none() && campaign.is_none() && mailing.is_none() && reason.is_none();
        if whole && !matches!(state, Some(State::NotSent | State::Unknown)) && !names(&faults) {
            let detail = "is required, or campaign or mailing, or a reason, or state NOT_SENT or UNKNOWN";
            faults.push(Fault::new("?customer", detail));
        }
        let page = request.page(is_place).map_err(|more| faults.extend(more)).ok();
        let Some(page) = page.filter(|_| faults.is_empty()) else { return Err(faults.into()) };
        let whose = match customer {
            Some(customer) => Whose::Customer(self.all_ids(&customer).await?),
            None => Whose::Everybody,
        };
        let decided_by = campaign.map(DecidedBy::Campaign).or(mailing.map(DecidedBy::Mailing));
        let decided_by = decided_by.or(tests.then_some(DecidedBy::Test));
        let search = Search { whose, decided_by, state, reason };
        let (entries, next) = self.messages.search(&search, page.limit, page.after.as_deref()).await?;
        Ok(Response::page(entries.iter().map(show).collect(), next.as_deref()))
    }

    /// One message, and all that became of it, with times.
    pub(crate) async fn message(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", MessageId::parse)?;
        let entry = self.messages.get(&id).await?;
        let entry = entry.ok_or_else(|| Problem::new(Kind::NotFound).because("no such message was ever decided on"))?;
        let mut shown = show(&entry);
        shown["terms"] = show_terms(&entry.message.terms);
        shown["in_words"] = json!(in_words(&entry));
        shown["story"] = story(&entry).into_iter().map(Told::show).collect();
        Ok(Response::json(200, &shown))
    }

    /// The ids under which a customer was known, the one that they have now first.
    pub(crate) async fn all_ids(&self, customer: &CustomerId) -> Result<Vec<CustomerId>, Failure> {
        let Found::Here { id, .. } = self.customers.resolve(customer).await? else {
            return Err(Problem::new(Kind::Gone).because("the customer was erased").into());
        };
        let mut ids = self.customers.aliases(&id).await?;
        ids.insert(0, id);
        Ok(ids)
    }
}

/// Whether a fault says already what is wrong with whose messages are asked for.
fn names(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| fault.pointer != "?reason")
}

/// A parameter of the query through a parser; a fault if it does not get through.
pub(crate) fn parameter<T, E: ToString>(
    request: &Request,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    match request.query(name).as_deref().map(parse)? {
        Ok(value) => Some(value),
        Err(error) => {
            faults.push(Fault::new(format!("?{name}"), error.to_string()));
            None
        }
    }
}

fn is_true(text: &str) -> Result<(), &'static str> {
    if text == "true" { Ok(()) } else { Err("must be true, or be left out") }
}

fn state(name: &str) -> Result<State, String> {
    let known = State::ALL.into_iter().find(|state| state.as_str() == name);
    known.ok_or_else(|| format!("must be one of {}", State::ALL.map(State::as_str).join(", ")))
}

fn reason(name: &str) -> Result<Reason, String> {
    let known = Reason::ALL.into_iter().find(|reason| reason.as_str() == name);
    known.ok_or_else(|| format!("must be one of {}", Reason::ALL.map(Reason::as_str).join(", ")))
}

/// Whether this is a place between two messages, as an answer's `next` names it.
fn is_place(after: &str) -> bool {
    let parts = after.split_once('#');
    parts.is_some_and(|(created, id)| created.parse::<Timestamp>().is_ok() && MessageId::parse(id).is_ok())
}

/// A message, and what became of it.
pub(crate) fn show(entry: &Entry) -> Value {
    let message = &entry.message;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("id", json!(message.id));
    match (&message.origin, entry.scrubbed) {
        (Origin::Test { .. }, _) => put("test", json!(true)),
        (_, true) => put("erased", json!(true)),
        (_, false) => put("customer_id", json!(message.customer_id)),
    }
    match &message.origin {
        Origin::Campaign { campaign_id, version, run_id, step, change, caused_at } => {
            put("campaign", json!(campaign_id));
            put("campaign_version", json!(version));
            put("run", json!(run_id));
            put("step", json!(step));
            put("cause", json!(change));
            put("caused_at", json!(caused_at));
        }
        Origin::Mailing { mailing_id, version } => {
            put("mailing", json!(mailing_id));
            put("mailing_version", json!(version));
        }
        Origin::Test { .. } => {}
    }
    put("purpose", json!(message.purpose));
    put("template", json!(message.template_id));
    put("template_version", json!(message.template_version));
    put("created_at", json!(message.created_at));
    put("state", json!(entry.state));
    put("reason", json!(entry.reason));
    put("detail", json!(entry.detail));
    put("settled_at", json!(entry.settled_at));
    put("ses_message_id", json!(entry.ses_id));
    for (name, at) in &entry.evidence {
        put(name, json!(at));
    }
    Value::Object(shown)
}

/// Where a message stands, in a sentence or two.
pub(crate) fn in_words(entry: &Entry) -> String {
    let mut words = entry.state.sentence().to_owned();
    if let Some(reason) = entry.reason {
        words = format!("{words} {}", reason.sentence());
    }
    if let (State::Pending, Some((until, why))) = (entry.state, entry.put_off) {
        words = format!("{words} It was put off until {until}: {}.", because(why));
    }
    words
}

/// The terms of a message, as its campaign or mailing says them.
fn show_terms(terms: &Terms) -> Value {
    let sending = Sending {
        category: terms.category.clone(),
        lifetime: terms.lifetime,
        any_hour: terms.any_hour,
        cap: terms.cap,
        over_cap: terms.over_cap,
        resend_after: terms.resend_after,
    };
    let mut shown = sending.show().unwrap_or_else(|| json!({}));
    if let Some(local_at) = terms.local_at {
        shown["local_at"] = json!(local_at);
    }
    shown
}

/// What kind of change or trigger it is, as people say it: `order_created` is an order
/// created.
pub(crate) fn kind_of(shown: &Value) -> String {
    shown["type"].as_str().unwrap_or_default().replace('_', " ")
}

/// One thing that became of a message.
struct Told {
    at: Timestamp,
    what: &'static str,
    in_words: String,
}

impl Told {
    fn show(self) -> Value {
        json!({ "at": self.at, "what": self.what, "in_words": self.in_words })
    }
}

/// What became of a message, in the order in which it did.
fn story(entry: &Entry) -> Vec<Told> {
    let message = &entry.message;
    let mut story = vec![Told { at: message.created_at, what: "decided", in_words: decided(entry) }];
    let mut tell = |at: Option<Timestamp>, what: &'static str, in_words: String| {
        story.extend(at.map(|at| Told { at, what, in_words }));
    };
    tell(entry.claimed_at, "claimed", "It was taken up to be handed to Amazon SES.".to_owned());
    let detail = entry.detail.as_deref().filter(|detail| Some(*detail) != entry.reason.map(Reason::as_str));
    let detail = detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
    match (entry.state, entry.reason) {
        (State::NotSent, reason) => {
            let why = reason.map_or("", Reason::sentence);
            tell(entry.settled_at, "not_sent", format!("{} {why}{detail}", entry.state.sentence()));
        }
        (State::Sent, _) => tell(entry.settled_at, "sent", entry.state.sentence().to_owned()),
        (State::Unknown, _) => tell(entry.settled_at, "unknown", entry.state.sentence().to_owned()),
        (State::Pending | State::Claimed, _) => {}
    }
    for (kind, at) in &entry.evidence {
        let kind = Evidence::ALL.into_iter().find(|known| known.attribute() == *kind);
        if let Some((what, in_words)) = kind.map(evidence) {
            tell(Some(*at), what, in_words.to_owned());
        }
    }
    if let Some((until, why)) = entry.put_off {
        // When that was decided is not kept, only until when.
        tell(Some(until), "put_off_until", format!("It was put off until then: {}.", because(why)));
    }
    story.sort_by_key(|told| told.at);
    story
}

fn decided(entry: &Entry) -> String {
    let Entry { message, .. } = entry;
    let template = format!("template {} version {}", message.template_id, message.template_version);
    match &message.origin {
        Origin::Campaign { campaign_id, version, step, change, caused_at, .. } => {
            let what = kind_of(&json!(change));
            format!(
                "Campaign {campaign_id}, version {version}, decided on it with its step {step}, by {template}, \
                 set off at {caused_at} by this: {what}."
            )
        }
        Origin::Mailing { mailing_id, version } => {
            format!("Mailing {mailing_id}, version {version}, decided on it, by {template}.")
        }
        Origin::Test { .. } => format!("Somebody tried it out: {template}."),
    }
}

fn evidence(kind: Evidence) -> (&'static str, &'static str) {
    match kind {
        Evidence::Accepted => ("accepted", "Amazon SES tells that it took it in."),
        Evidence::Rejected => {
            ("rejected", "Amazon SES did not send it on: it found something harmful in it, such as a virus.")
        }
        Evidence::Delivered => ("delivered", "The recipient's mail server took it in."),
        Evidence::Bounced => ("bounced", "It came back for good; the address is not written to any more."),
        Evidence::SoftBounced => ("soft_bounced", "It came back, but may be delivered another time."),
        Evidence::Complained => ("complained", "It was called spam; the address is not written to any more."),
        Evidence::Opened => ("opened", "It was opened for the first time."),
        Evidence::Clicked => ("clicked", "A link in it was followed for the first time."),
        Evidence::MachineOpened => ("machine_opened", "A machine opened it, and no person."),
        Evidence::MachineClicked => ("machine_clicked", "A machine followed a link in it, and no person."),
    }
}

fn because(why: PutOffFor) -> &'static str {
    match why {
        PutOffFor::LocalTime => "it goes out at a time of the customer's own clock",
        PutOffFor::QuietHours => "the customer's quiet hours were on",
        PutOffFor::FrequencyCap => "the customer had had as many messages as they may for the time",
        PutOffFor::Unknown => "nobody knows whether it went out, and if that stays so it is sent once more",
    }
}
