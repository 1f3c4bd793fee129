use std::collections::BTreeMap;

use contracts::Problem;
use contracts::event::{self, Received};
use domain::dictionary::json_type;
use domain::{Conflict, Event, EventKind, Fault};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::Value;
use store::{Found, PutEvent};

use crate::{Intake, Known, Taken, at_once, erased};

impl Intake {
    /// Takes in an event, once. An event that names both a visitor and a customer says
    /// that the one is the other.
    ///
    /// `anything` is whether the caller may tell of more than web events.
    ///
    /// # Errors
    /// What is wrong with the body, or that another event has this id; that the
    /// customer was erased.
    pub async fn event(&self, body: &Value, anything: bool, now: Timestamp) -> Result<Taken, Failure> {
        self.received(event::read(body, now)?, anything, &Known::default(), now).await
    }

    /// Takes in several events, each as [`Self::event`] does; the answers come in the
    /// order of the events. What could not be read stays what it is.
    ///
    /// # Errors
    /// If it cannot be looked up who the customers are.
    pub async fn events(
        &self,
        bodies: Vec<Result<Value, Problem>>,
        anything: bool,
        now: Timestamp,
    ) -> Result<Vec<Result<Taken, Failure>>, Failure> {
        let read = |body: Result<Value, Problem>| Ok::<_, Failure>(event::read(&body?, now)?);
        let received: Vec<Result<Received, Failure>> = bodies.into_iter().map(read).collect();
        let customers = received.iter().flatten().filter_map(|received| received.event.customer_id.clone());
        let known = &self.known(customers).await?;
        Ok(at_once(received, async |received| self.received(received?, anything, known, now).await).await)
    }

    pub(crate) async fn received(
        &self,
        received: Received,
        anything: bool,
        known: &Known,
        now: Timestamp,
    ) -> Result<Taken, Failure> {
        let Received { mut event, dated, visitor } = received;
        if event.kind != EventKind::WebEvent && !anything {
            let detail =
                "is not \"web_event\", which takes a key with the scope \"ingest\"; this one may tell of web events";
            return Err(vec![Fault::new("/kind", detail)].into());
        }
        if let Some(customer_id) = &event.customer_id {
            match self.who(known, customer_id).await? {
                Found::Here { id, .. } => event.customer_id = Some(id),
                Found::Erased => return Err(erased()),
            }
        }
        let (event, is_new) = match self.customers.put_event(&event, now).await? {
            PutEvent::New => (event, true),
            PutEvent::Known(known) if known.same_as(&event, dated) => (*known, false),
            PutEvent::Known(_) => {
                let detail = "is recorded already, with another content; an event does not change";
                return Err(Conflict::new("/id", detail).into());
            }
        };
        // Nothing else that the event tells may be written before it is taken. A visitor
        // who is somebody else already stays that; the event names whose it is.
        if let (Some(visitor), Some(customer_id)) = (&visitor, &event.customer_id) {
            self.note_link(visitor, customer_id, known, now).await?;
        }
        self.note_seen(&event, now).await;
        Ok(taken(&event, is_new))
    }

    /// Lists an event that nobody defined as seen. The event is taken in either way.
    async fn note_seen(&self, event: &Event, now: Timestamp) {
        let noted = async {
            if self.dictionary.current(now).await?.event_type(event.name.as_str()).is_some() {
                return Ok(());
            }
            let fields: BTreeMap<String, &'static str> =
                event.context.iter().map(|(name, value)| (name.clone(), json_type(value))).collect();
            self.dictionary.note_seen(&event.name, event.kind, event.source.as_ref(), &fields, event.at).await
        };
        if let Err(error) = noted.await {
            let error: anyhow::Error = error;
            tracing::warn!(error = format!("{error:#}"), "an event that nobody defined could not be noted");
        }
    }
}

fn taken(event: &Event, is_new: bool) -> Taken {
    Taken { id: event.id.to_string(), is_new, shown: event::show(event) }
}
