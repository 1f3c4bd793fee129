//! On what terms the messages of a campaign or a mailing go out.

use domain::Code;
use domain::message::{Cap, OverCap, Terms};
use domain::read::{self, Faults, Reader};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What a campaign or a mailing says of how its messages go out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sending {
    /// The mailing category that they are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Code>,
    /// How long after it was to go out a message is too late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<SignedDuration>,
    /// Whether they go out in quiet hours too.
    pub any_hour: bool,
    /// At most so many of this campaign or mailing to one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    /// What becomes of a message that is over a cap.
    pub over_cap: OverCap,
    /// How long after nobody knows whether it went out a message is sent once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resend_after: Option<SignedDuration>,
}

impl Sending {
    /// Reads what a definition says under `sending`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(mut reader: Reader<'_>) -> Result<Self, Faults> {
        let category = reader.optional("category", read::parsed(Code::parse));
        let lifetime = reader.optional("lifetime", read::duration);
        let any_hour = reader.optional("any_hour", |value| value.as_bool().ok_or("must be true or false"));
        let cap = reader.nested("cap", cap).flatten();
        let over_cap = reader.optional("over_cap", over_cap);
        let resend_after = reader.optional("if_unknown", if_unknown);
        reader.finish()?;
        Ok(Self {
            category,
            lifetime,
            any_hour: any_hour.unwrap_or_default(),
            cap,
            over_cap: over_cap.unwrap_or_default(),
            resend_after: resend_after.flatten(),
        })
    }

    /// As the API shows it; none if it says nothing beyond the usual.
    #[must_use]
    pub fn show(&self) -> Option<Value> {
        let mut shown = Map::new();
        read::put(&mut shown, "category", self.category.as_ref());
        read::put(&mut shown, "lifetime", self.lifetime.map(|length| length.to_string()));
        read::put(&mut shown, "any_hour", self.any_hour.then_some(true));
        read::put(&mut shown, "cap", self.cap.map(Cap::show));
        match self.over_cap {
            OverCap::Skip => {}
            OverCap::Defer => read::put(&mut shown, "over_cap", Some("defer")),
            OverCap::SendWithin(length) => {
                read::put(&mut shown, "over_cap", Some(json!({ "send_within": length.to_string() })));
            }
        }
        let again = self.resend_after.map(|length| json!({ "resend_after": length.to_string() }));
        read::put(&mut shown, "if_unknown", again);
        (!shown.is_empty()).then_some(Value::Object(shown))
    }

    /// The terms of a message.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            category: self.category.clone(),
            lifetime: self.lifetime,
            local_at: None,
            any_hour: self.any_hour,
            cap: self.cap,
            over_cap: self.over_cap,
            resend_after: self.resend_after,
        }
    }
}

fn cap(mut reader: Reader<'_>) -> Result<Option<Cap>, Faults> {
    let cap = Cap::take(&mut reader);
    reader.finish()?;
    Ok(cap)
}

fn over_cap(value: &Value) -> Result<OverCap, &'static str> {
    const WANT: &str = "must be \"skip\", \"defer\" or {\"send_within\": \"PT48H\"}";
    match value {
        Value::String(word) if word == "skip" => Ok(OverCap::Skip),
        Value::String(word) if word == "defer" => Ok(OverCap::Defer),
        _ => only(value, "send_within").map(OverCap::SendWithin).ok_or(WANT),
    }
}

fn if_unknown(value: &Value) -> Result<Option<SignedDuration>, &'static str> {
    const WANT: &str = "must be \"never_again\" or {\"resend_after\": \"PT6H\"}, of 15 minutes or more";
    match value {
        Value::String(word) if word == "never_again" => Ok(None),
        // SES's own events settle nearly all of them within minutes.
        _ => {
            only(value, "resend_after").filter(|length| *length >= SignedDuration::from_mins(15)).map(Some).ok_or(WANT)
        }
    }
}

/// The length of time that an object says, if it says nothing else.
fn only(value: &Value, key: &str) -> Option<SignedDuration> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    read::duration(fields.get(key)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Sending, Vec<String>> {
        let body = json!({ "sending": body });
        let mut reader = Reader::new(&body);
        let sending = reader.nested("sending", Sending::read);
        let pointers = |faults: Faults| faults.into_iter().map(|fault| fault.pointer).collect::<Vec<_>>();
        reader.finish().map_err(pointers)?;
        sending.ok_or_else(Vec::new)
    }

    #[test]
    fn what_is_said_of_sending_reads_as_it_is_shown() {
        for body in [
            json!({ "category": "news", "lifetime": "PT24H", "any_hour": true, "over_cap": "defer" }),
            json!({ "cap": { "most": 3, "per": "PT168H" }, "over_cap": { "send_within": "PT48H" } }),
            json!({ "if_unknown": { "resend_after": "PT6H" } }),
        ] {
            let sending = read(&body).unwrap();
            assert_eq!(sending.show(), Some(body));
            let kept = serde_json::to_value(&sending).unwrap();
            assert_eq!(serde_json::from_value::<Sending>(kept).unwrap(), sending);
        }
        let usual = json!({ "over_cap": "skip", "if_unknown": "never_again", "any_hour": false });
        assert_eq!(read(&usual).unwrap().show(), None);
    }

    #[test]
    fn what_is_wrong_with_it_is_named_by_its_place() {
        let check = |body: Value, places: &[&str]| assert_eq!(read(&body).unwrap_err(), places, "{body}");
        check(json!([]), &["/sending"]);
        check(json!({ "lifetime": "soon", "colour": 1 }), &["/sending/lifetime", "/sending/colour"]);
        check(json!({ "cap": { "most": 0, "per": "P32D" } }), &["/sending/cap/most", "/sending/cap/per"]);
        check(json!({ "cap": {} }), &["/sending/cap/most", "/sending/cap/per"]);
        check(json!({ "over_cap": { "send_within": 7 } }), &["/sending/over_cap"]);
        check(json!({ "over_cap": { "send": "P1D" } }), &["/sending/over_cap"]);
        check(json!({ "if_unknown": { "resend_after": "PT1M" } }), &["/sending/if_unknown"]);
    }
}
