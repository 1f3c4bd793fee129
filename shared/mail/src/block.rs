//! Whom a template is not meant for: its own conditions, asked at the last moment.

use conditions::{At, Facts, Program, State, Why};
use domain::Message;
use domain::message::Reason;
use jiff::Timestamp;
use serde_json::{Map, Value};
use templates::Block;

use crate::composer::{About, Composer, Stopped};

/// One of a template's conditions, and what it says of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The condition in plain English.
    pub in_words: String,
    /// Why a message is kept back of which it holds.
    pub reason: String,
    /// Whether it holds, and which of its leaves make it so; they carry the customer's data.
    /// None, if it asks about what a customer did and has, and no customer is named.
    pub found: Option<(bool, Why)>,
}

/// A template's conditions, and of what they are asked.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) blocks: &'a [Block],
    pub(crate) message: &'a Message,
    /// None, if nobody is named.
    pub(crate) about: Option<&'a About>,
    /// What takes the place of what there is.
    pub(crate) given: &'a Map<String, Value>,
}

/// A message, looked at by a template's conditions.
struct Looked {
    program: Program,
    state: State,
    at: At,
}

impl Composer {
    /// What of a template's conditions keeps a message back, if anything does. What they ask
    /// about is read, and nothing if there are none. A test is held to them as a preview is: by
    /// what is given, and where nobody is named, to those alone that this answers.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(crate) async fn blocked(
        &self,
        blocks: &[Block],
        message: &Message,
        about: &About,
        now: Timestamp,
    ) -> anyhow::Result<Option<Stopped>> {
        if blocks.is_empty() {
            return Ok(None);
        }
        if let Some(trial) = message.origin.trial() {
            let asked = Asked { blocks, message, about: trial.of_customer.then_some(about), given: &trial.given };
            return Ok(match self.judged(asked, now).await? {
                Ok(judged) => judged.iter().find_map(Judged::stopped),
                Err(stopped) => Some(stopped),
            });
        }
        let asked = Asked { blocks, message, about: Some(about), given: &Map::new() };
        let looked = match self.look_at(asked, now).await? {
            Ok(looked) => looked,
            Err(stopped) => return Ok(Some(stopped)),
        };
        let Looked { program, state, at } = &looked;
        let blocked = blocks.iter().enumerate().find(|(place, _)| program.holds(*place, state, at));
        Ok(blocked.map(|(_, block)| stopped_by(&block.reason)))
    }

    /// What each of a template's conditions says of a message, or why none can say anything.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub(crate) async fn judged(
        &self,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> anyhow::Result<Result<Vec<Judged>, Stopped>> {
        let Asked { blocks, about, .. } = asked;
        if blocks.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let Looked { program, state, at } = match self.look_at(asked, now).await? {
            Ok(looked) => looked,
            Err(stopped) => return Ok(Err(stopped)),
        };
        let is_known = |place: usize| {
            let needs = program.needs().get(place);
            about.is_some() || needs.is_some_and(|needs| needs.collections.is_empty() && needs.audiences.is_empty())
        };
        let found = |place: usize| (program.holds(place, &state, &at), program.why(place, &state, &at));
        let judged = blocks.iter().enumerate().map(|(place, block)| Judged {
            in_words: block.when.to_string(),
            reason: block.reason.clone(),
            found: is_known(place).then(|| found(place)),
        });
        Ok(Ok(judged.collect()))
    }

    async fn look_at(&self, asked: Asked<'_>, now: Timestamp) -> anyhow::Result<Result<Looked, Stopped>> {
        let Asked { blocks, message, about, given } = asked;
        let names_segments = blocks.iter().any(|block| !block.when.segments().is_empty());
        let active = if names_segments { Some(self.active.current().await?) } else { None };
        let conditions = blocks.iter().map(|block| &block.when);
        let program = Program::new(conditions, |code| active.as_ref()?.segments.condition(code));
        if !program.is_whole() {
            // An old version may name a segment that was deleted since. Whoever was to be kept
            // out by it must not get the mail.
            let detail = "a block condition names a segment that is not there any more, or asks too much";
            return Ok(Err((Reason::TemplateFailed, Some(detail.to_owned()))));
        }
        let mut facts = match about {
            None => Facts::single(given.clone()),
            Some(about) => {
                let About { customer, order, event, product, .. } = about;
                let (order, event, product) = (order.as_ref(), event.as_ref(), product.as_ref());
                let change = message.origin.change();
                let mut single = contracts::facts::of(Some(customer), order, event, product, change);
                if let Some(order) = order {
                    single.insert("order".into(), self.history.order(order, now).await?);
                }
                single.extend(given.clone());
                self.history.facts(&customer.id, single, &program.all_needs(), now).await?
            }
        };
        // It is in the ledger already, and nothing that the customer has had.
        facts.messages.retain(|shown| shown["id"].as_str() != Some(message.id.as_str()));
        let state = program.state(&facts);
        Ok(Ok(Looked { state, program, at: self.history.at(now).await? }))
    }
}

impl Judged {
    /// What becomes of the message by it, if it keeps it back.
    pub(crate) fn stopped(&self) -> Option<Stopped> {
        self.found.as_ref().filter(|(holds, _)| *holds).map(|_| stopped_by(&self.reason))
    }
}

fn stopped_by(reason: &str) -> Stopped {
    (Reason::BlockedByTemplate, Some(reason.to_owned()))
}
