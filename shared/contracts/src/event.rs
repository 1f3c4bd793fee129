//! Events over the API.

use domain::read::{self, Faults, Reader};
use domain::{Code, CustomerId, Event, EventId, EventKind, Fault, VisitorId};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::times::not_ahead;

/// An event as a caller gives it, and whether the caller dated it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The event; dated `now` if the caller gave no time.
    pub event: Event,
    /// Whether `at` is the caller's own.
    pub dated: bool,
    /// The anonymous visitor who is that customer, if the caller names both.
    pub visitor: Option<VisitorId>,
}

/// Reads the body of `POST /v1/events`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(body: &Value, now: Timestamp) -> Result<Received, Faults> {
    let mut reader = Reader::new(body);
    let id = reader.required("id", read::parsed(EventId::parse));
    let customer_id = reader.optional("customer_id", read::parsed(CustomerId::parse));
    let visitor = reader.optional("anonymous_id", read::parsed(VisitorId::parse));
    let name = reader.required("name", read::parsed(Code::parse));
    let kind = reader.optional("kind", read::parsed(EventKind::parse));
    let at = reader.optional("at", read::instant);
    let source = reader.optional("source", read::parsed(Code::parse));
    let session_id = reader.optional("session_id", read::short);
    let context = reader.optional("context", |value| value.as_object().cloned().ok_or("must be a JSON object"));
    not_ahead(&mut reader, "at", at, now);
    let kind = kind.unwrap_or(EventKind::WebEvent);
    if kind == EventKind::System {
        if customer_id.is_some() || visitor.is_some() {
            reader.fault("kind", "is \"system\", which is about nobody in particular; leave out whom it happened to");
        }
    } else if body.is_object()
        && [body.get("customer_id"), body.get("anonymous_id")].into_iter().flatten().all(Value::is_null)
    {
        reader.fault("customer_id", "is required, or \"anonymous_id\" for a visitor whom nobody knows yet");
    }
    reader.finish()?;
    let (Some(id), Some(name)) = (id, name) else {
        return Err(vec![Fault::new("", "could not be read")]);
    };
    let event = Event {
        id,
        customer_id: customer_id.clone().or_else(|| visitor.as_ref().map(CustomerId::of_visitor)),
        name,
        kind,
        at: at.unwrap_or(now),
        source,
        session_id,
        context: context.unwrap_or_default(),
    };
    Ok(Received { event, dated: at.is_some(), visitor: visitor.filter(|_| customer_id.is_some()) })
}

/// To whom the event of a body happened, if it names them rightly.
#[must_use]
pub fn whom(body: &Value) -> Option<CustomerId> {
    let named = |name| body.get(name).and_then(Value::as_str);
    let visitor = || VisitorId::parse(named("anonymous_id")?).ok().map(|visitor| CustomerId::of_visitor(&visitor));
    named("customer_id").and_then(|id| CustomerId::parse(id).ok()).or_else(visitor)
}

/// The event as the API shows it and as templates and conditions see it.
#[must_use]
pub fn show(event: &Event) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("id", json!(event.id));
    put("customer_id", json!(event.customer_id));
    put("name", json!(event.name));
    put("kind", json!(event.kind));
    put("at", json!(event.at));
    put("source", json!(event.source));
    put("session_id", json!(event.session_id));
    put("context", json!(event.context));
    Value::Object(shown)
}
