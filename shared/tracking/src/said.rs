//! What all calls have in common: who, when, and by what id.

use std::borrow::Cow;

use domain::{BadId, CustomerId, EventId, Fault, digest, sortable};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::plain;

/// A client's clock that is off by less than this is taken to be right: the
/// difference may as well be the time on the way. So a message that is sent
/// again is dated as it was the first time.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(10);

/// Before this nobody tracked anything: such a time is a clock that was never
/// set, or a zero. 1990-01-01.
const EARLIEST: i64 = 631_152_000;

/// One message, with what all calls have in common read from it.
pub(crate) struct Said<'a> {
    pub(crate) object: &'a Map<String, Value>,
    /// Where the message is in the request's body.
    pub(crate) pointer: String,
    pub(crate) context: Cow<'a, Map<String, Value>>,
    pub(crate) user: Option<String>,
    pub(crate) visitor: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) id: String,
    /// The currency where none is said.
    pub(crate) currency: &'a str,
    pub(crate) faults: Vec<Fault>,
}

/// What a batch says for all of its messages.
pub(crate) struct Around<'a> {
    pub(crate) context: Option<&'a Map<String, Value>>,
    pub(crate) sent_at: Option<&'a Value>,
    pub(crate) currency: &'a str,
    pub(crate) received: Timestamp,
}

impl<'a> Said<'a> {
    /// Reads what all calls have in common.
    ///
    /// # Errors
    /// Nobody it could be about, or not an object at all.
    pub(crate) fn read(message: &'a Value, pointer: String, around: &Around<'a>) -> Result<Self, Vec<Fault>> {
        let Some(object) = message.as_object() else {
            return Err(vec![Fault::new(pointer, "must be a JSON object")]);
        };
        let user = id(object, "userId", &pointer)?;
        let visitor = id(object, "anonymousId", &pointer)?;
        if let Some(Err(error)) = visitor.as_deref().map(as_customer) {
            return Err(vec![Fault::new(format!("{pointer}/anonymousId"), error.to_string())]);
        }
        if user.is_none() && visitor.is_none() {
            return Err(vec![Fault::new(pointer, "must have a \"userId\" or an \"anonymousId\"")]);
        }
        let context = merged(around.context, object.get("context").and_then(Value::as_object));
        let (at, dated) = time(object, around);
        let id = message_id(object, dated, around.received);
        Ok(Self { object, pointer, context, user, visitor, at, id, currency: around.currency, faults: Vec::new() })
    }

    /// Whose it is, as our API names them.
    pub(crate) fn customer(&self) -> String {
        match (&self.user, &self.visitor) {
            (Some(user), _) => user.clone(),
            (None, visitor) => format!("visitor:{}", visitor.as_deref().unwrap_or_default()),
        }
    }

    /// When it happened, as our API takes it.
    pub(crate) fn at(&self) -> String {
        sortable(self.at)
    }

    /// One of the message's objects, such as `properties`; none is an empty one.
    pub(crate) fn part(&mut self, name: &str) -> Cow<'a, Map<String, Value>> {
        match self.object.get(name) {
            Some(Value::Object(part)) => Cow::Borrowed(part),
            None | Some(Value::Null) => Cow::default(),
            Some(_) => {
                self.fault(&format!("/{name}"), "must be a JSON object");
                Cow::default()
            }
        }
    }

    /// Remembers that something could not be understood.
    pub(crate) fn fault(&mut self, place: &str, detail: impl Into<String>) {
        self.faults.push(Fault::new(format!("{}{place}", self.pointer), detail));
    }

    /// Another id from the same message, for a second thing that it tells.
    pub(crate) fn second_id(&self, what: &str) -> String {
        digest(&["segment", what, &self.id])
    }
}

/// An id, if there is one that says anything: clients send `null` and `""` for
/// nobody, and numbers where their shop has numbers.
pub(crate) fn id(object: &Map<String, Value>, name: &str, pointer: &str) -> Result<Option<String>, Vec<Fault>> {
    let fault = |detail: String| vec![Fault::new(format!("{pointer}/{name}"), detail)];
    let id = match object.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(fault("must be a text".to_owned())),
    };
    if id.starts_with("visitor:") {
        return Err(fault("must not begin with \"visitor:\", which is how anonymous visitors are named".to_owned()));
    }
    CustomerId::parse(&id).map_err(|error| fault(error.to_string()))?;
    Ok(Some(id))
}

/// A visitor's id as a customer's, as our API names visitors.
///
/// # Errors
/// If it is too long for that.
pub(crate) fn as_customer(visitor: &str) -> Result<String, BadId> {
    CustomerId::parse(&format!("visitor:{visitor}")).map(String::from)
}

fn merged<'a>(
    outer: Option<&'a Map<String, Value>>,
    inner: Option<&'a Map<String, Value>>,
) -> Cow<'a, Map<String, Value>> {
    match (outer, inner) {
        (None, None) => Cow::default(),
        (Some(one), None) | (None, Some(one)) => Cow::Borrowed(one),
        (Some(outer), Some(inner)) => {
            let mut all = outer.clone();
            for (name, value) in inner {
                match (all.get_mut(name), value) {
                    (Some(Value::Object(known)), Value::Object(value)) => known.extend(value.clone()),
                    _ => {
                        all.insert(name.clone(), value.clone());
                    }
                }
            }
            Cow::Owned(all)
        }
    }
}

/// When it happened by our clock, and whether the message says when at all.
fn time(object: &Map<String, Value>, around: &Around<'_>) -> (Timestamp, bool) {
    let received = around.received;
    let given = object.get("originalTimestamp").and_then(instant).or_else(|| object.get("timestamp").and_then(instant));
    let Some(given) = given else { return (received, false) };
    let sent = object.get("sentAt").or(around.sent_at).and_then(instant);
    let skew = sent.map_or(SignedDuration::ZERO, |sent| received.duration_since(sent));
    let at = if skew.abs() <= ON_THE_WAY { Ok(given) } else { given.checked_add(skew) };
    let plausible = |at: &Timestamp| at.as_second() >= EARLIEST && at.duration_since(received) <= ON_THE_WAY;
    (at.ok().filter(plausible).unwrap_or(received), true)
}

/// A time as clients write it: ISO 8601, without a zone in UTC, or the seconds
/// or milliseconds since 1970.
pub(crate) fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            let parse = |text: &str| text.parse::<Timestamp>().ok();
            let civil = || text.parse::<jiff::civil::DateTime>().ok();
            parse(text).or_else(|| civil()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))
        }
        Value::Number(number) => {
            let number = number.as_f64()?;
            // A hundred thousand million seconds are in the year 5138.
            let milliseconds = if number.abs() < 1e11 { number * 1_000.0 } else { number };
            if milliseconds.abs() > 9e15 {
                return None;
            }
            #[expect(clippy::cast_possible_truncation, reason = "it was looked at one line above")]
            Timestamp::from_millisecond(milliseconds as i64).ok()
        }
        _ => None,
    }
}

/// The message's own id if it is one, otherwise one made from what it says.
///
/// Without a time of its own the same content may well be a second occurrence;
/// it counts as sent again only within the same minute.
fn message_id(object: &Map<String, Value>, dated: bool, received: Timestamp) -> String {
    if let Some(own) = plain::text(object.get("messageId")) {
        return if EventId::parse(&own).is_ok() { own } else { digest(&["segment", &own]) };
    }
    let mut content: Vec<(&String, String)> = object
        .iter()
        .filter(|(name, _)| !["sentAt", "receivedAt", "writeKey", "_metadata"].contains(&name.as_str()))
        .map(|(name, value)| (name, value.to_string()))
        .collect();
    content.sort();
    let minute = if dated { String::new() } else { (received.as_second() / 60).to_string() };
    let mut parts = vec!["segment", "content", &minute];
    parts.extend(content.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
    digest(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const RECEIVED: &str = "2026-11-22T12:00:00Z";

    fn said(message: &Value, context: Option<&Value>) -> Said<'static> {
        let message: &'static Value = Box::leak(Box::new(message.clone()));
        let context = context.map(|context| &*Box::leak(Box::new(context.clone())));
        let around = Around {
            context: context.and_then(Value::as_object),
            sent_at: None,
            currency: "EUR",
            received: RECEIVED.parse().unwrap(),
        };
        Said::read(message, String::new(), &around).ok().unwrap()
    }

    #[test]
    fn times_are_corrected_by_how_far_the_clients_clock_is_off() {
        let check = |times: Value, want: &str| {
            let mut message = times.as_object().unwrap().clone();
            message.insert("userId".into(), "u".into());
            assert_eq!(said(&message.into(), None).at(), want, "{times}");
        };
        let now = "2026-11-22T12:00:00.000Z";
        check(json!({}), now);
        check(json!({"timestamp": "2026-11-22T11:00:00Z"}), "2026-11-22T11:00:00.000Z");
        check(
            json!({"timestamp": "2026-11-22T14:55:00Z", "sentAt": "2026-11-22T15:00:00Z"}),
            "2026-11-22T11:55:00.000Z",
        );
        check(
            json!({"originalTimestamp": "2020-01-01T00:00:00Z", "timestamp": "x", "sentAt": "2020-01-01T00:05:00Z"}),
            "2026-11-22T11:55:00.000Z",
        );
        // The way to us is no error of the clock.
        check(
            json!({"timestamp": "2026-11-22T11:59:00.123Z", "sentAt": "2026-11-22T11:59:58Z"}),
            "2026-11-22T11:59:00.123Z",
        );
        check(json!({"timestamp": "2012-12-02T00:30:08.276+0200", "sentAt": RECEIVED}), "2012-12-01T22:30:08.276Z");
        check(json!({"timestamp": "2026-11-22T10:00:00"}), "2026-11-22T10:00:00.000Z");
        check(json!({"timestamp": 1_795_341_600}), "2026-11-22T10:00:00.000Z");
        check(json!({"timestamp": 1_795_341_600_000_i64}), "2026-11-22T10:00:00.000Z");
        // What cannot be true is now.
        for bad in [json!("0001-01-01T00:00:00Z"), json!("2039-01-01T00:00:00Z"), json!(0), json!("soon"), json!([])] {
            check(json!({"timestamp": bad}), now);
        }
        check(json!({"timestamp": "2026-11-22T11:00:00Z", "sentAt": "0001-01-01T00:00:00Z"}), now);
    }

    #[test]
    fn a_message_without_an_id_is_known_by_its_content() {
        let one = json!({"userId": "u", "event": "E", "timestamp": "2026-11-22T11:00:00Z", "sentAt": "a"});
        let again = json!({"sentAt": "b", "timestamp": "2026-11-22T11:00:00Z", "event": "E", "userId": "u"});
        let other = json!({"userId": "u", "event": "E", "timestamp": "2026-11-22T11:00:01Z"});
        assert_eq!(said(&one, None).id, said(&again, None).id);
        assert_ne!(said(&one, None).id, said(&other, None).id);
        assert_eq!(said(&json!({"userId": "u", "messageId": "m-1"}), None).id, "m-1");
        let long = "m".repeat(300);
        let (first, second) = (json!({"userId": "u", "messageId": long}), json!({"userId": "v", "messageId": long}));
        assert_eq!(said(&first, None).id, said(&second, None).id);
    }

    #[test]
    fn a_batchs_context_lies_below_each_messages_own() {
        let outer = json!({"device": {"type": "phone", "name": "x"}, "locale": "de"});
        let message = json!({"userId": 7, "context": {"device": {"name": "y"}, "app": {"name": "shop"}}});
        let said = said(&message, Some(&outer));
        let want = json!({"device": {"type": "phone", "name": "y"}, "locale": "de", "app": {"name": "shop"}});
        assert_eq!(Value::Object(said.context.into_owned()), want);
        assert_eq!(said.user.as_deref(), Some("7"));
    }
}
