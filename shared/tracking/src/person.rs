//! Who somebody is.

use contracts::told::Told;
use domain::sortable;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::plain;
use crate::said::{self, Said};

/// The longest text that a field of the profile takes, in characters.
const MOST: usize = 500;

/// Traits that are texts of the profile, by all of their spellings.
const TEXTS: &[(&str, &[&str])] = &[
    ("email", &["email"]),
    ("phone", &["phone"]),
    ("first_name", &["firstName", "first_name"]),
    ("last_name", &["lastName", "last_name"]),
    ("gender", &["gender"]),
    ("city", &["city"]),
    ("zip", &["postalCode", "postal_code", "zip"]),
];

/// What an `identify` tells: the profile, and who the visitor is.
///
/// Only what a client says in `traits` is taken: those in the context of other
/// calls are copies from an earlier `identify`, and may be old.
pub(crate) fn identified(said: &mut Said<'_>) -> Vec<Told> {
    let traits = said.part("traits");
    let mut body = profile(said, &traits);
    body.insert("updated_at".into(), said.at().into());
    let mut told = vec![Told::Customer { id: said.customer(), body: body.into() }];
    if let (Some(customer), Some(visitor)) = (&said.user, &said.visitor) {
        told.push(Told::Identified { visitor: visitor.clone(), customer: customer.clone() });
    }
    told
}

/// What an `alias` tells. The previous id may be a visitor's or a customer's, and
/// only where the message says so as well is it certain which; otherwise both are
/// told, of which one is about nobody.
pub(crate) fn alias(said: &mut Said<'_>) -> Option<Vec<Told>> {
    let Some(into) = said.user.clone() else {
        said.fault("/userId", "is required");
        return None;
    };
    let previous = said::id(said.object, "previousId", &said.pointer)
        .map_err(|faults| said.faults.extend(faults))
        .ok()?
        .or_else(|| said.visitor.clone());
    let Some(previous) = previous else {
        said.fault("/previousId", "is required");
        return None;
    };
    if previous == into {
        return Some(Vec::new());
    }
    let mut told = Vec::new();
    if said::as_customer(&previous).is_ok() {
        told.push(Told::Identified { visitor: previous.clone(), customer: into.clone() });
    }
    if said.visitor.as_ref() != Some(&previous) {
        told.push(Told::Merged { from: previous, into });
    }
    Some(told)
}

/// The traits as a profile. A trait that the profile has no room for, or that is
/// not what it should be, is kept as a field under its own name.
fn profile(said: &mut Said<'_>, traits: &Map<String, Value>) -> Map<String, Value> {
    let mut body = Map::new();
    let mut rest = traits.clone();
    // The shop's own id again, which is in the message anyway.
    if plain::text(rest.get("id")) == said.user {
        rest.remove("id");
    }
    let nested = match rest.remove("address") {
        Some(Value::Object(address)) => Some(address),
        Some(other) => {
            rest.insert("address".into(), other);
            None
        }
        None => None,
    };
    let mut address = nested.unwrap_or_default();
    for (name, spellings) in TEXTS {
        let wanted = if matches!(*name, "city" | "zip") { &mut address } else { &mut rest };
        take(wanted, spellings, name, &mut body, |value| {
            plain::text(Some(value)).filter(|text| text.chars().count() <= MOST)
        });
    }
    // Some clients say it beside the address.
    for (name, spellings) in &TEXTS[5..] {
        take(&mut rest, spellings, name, &mut body, |value| {
            plain::text(Some(value)).filter(|text| text.chars().count() <= MOST)
        });
    }
    take(&mut address, &["country", "countryCode", "country_code"], "country", &mut body, country);
    take(&mut rest, &["country", "countryCode", "country_code"], "country", &mut body, country);
    take(&mut rest, &["birthday"], "birthday", &mut body, birthday);
    take(&mut rest, &["createdAt", "created_at"], "registered_at", &mut body, |value| {
        said::instant(value).filter(|at| at.as_second() >= 0 && *at <= said.at).map(sortable)
    });
    take(&mut rest, &["language", "locale"], "language", &mut body, language);
    take(&mut rest, &["timezone", "timeZone", "time_zone"], "time_zone", &mut body, zone);
    for (name, found) in [
        ("language", said.context.get("locale").and_then(language)),
        ("time_zone", said.context.get("timezone").and_then(zone)),
    ] {
        if let Some(found) = found.filter(|_| !body.contains_key(name)) {
            body.insert(name.into(), found.into());
        }
    }
    split_name(&mut rest, &mut body);

    let mut fields = Map::new();
    plain::flatten(&rest, &[], &mut fields);
    for (name, value) in &address {
        plain::put(format!("address_{name}"), value, &mut fields);
    }
    if !fields.is_empty() {
        body.insert("fields".into(), fields.into());
    }
    body
}

/// Moves a trait into the profile, by the first of its spellings under which it
/// makes sense. `null` goes along: it takes away what is known.
fn take(
    from: &mut Map<String, Value>,
    spellings: &[&str],
    name: &str,
    into: &mut Map<String, Value>,
    read: impl Fn(&Value) -> Option<String>,
) {
    for spelling in spellings {
        let Some(value) = from.get(*spelling) else { continue };
        let taken = if value.is_null() { Some(Value::Null) } else { read(value).map(Value::from) };
        if value == "" {
            from.remove(*spelling);
        } else if let Some(taken) = taken
            && !into.contains_key(name)
        {
            into.insert(name.to_owned(), taken);
            from.remove(*spelling);
        }
    }
}

/// The full name as first and last, where these are not said: what is before the
/// first space, and the rest.
fn split_name(rest: &mut Map<String, Value>, body: &mut Map<String, Value>) {
    if body.contains_key("first_name") || body.contains_key("last_name") {
        return;
    }
    let Some(name) = rest.get("name").and_then(Value::as_str).map(str::trim) else { return };
    if name.is_empty() || name.chars().count() > MOST {
        return;
    }
    let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
    body.insert("first_name".into(), first.into());
    if !last.trim().is_empty() {
        body.insert("last_name".into(), last.trim().into());
    }
    rest.remove("name");
}

/// A country's code of two letters; there is no telling what other texts mean.
fn country(value: &Value) -> Option<String> {
    let code = value.as_str()?.trim();
    (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic())).then(|| code.to_ascii_uppercase())
}

/// The day of birth, of which clients often make a midnight.
fn birthday(value: &Value) -> Option<String> {
    let day: Date = value.as_str()?.trim().get(..10)?.parse().ok()?;
    Some(day.to_string())
}

/// A language's tag; operating systems write `en_US`.
fn language(value: &Value) -> Option<String> {
    let tag = value.as_str()?.trim().replace('_', "-");
    let fits = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (tag.len() <= 35 && tag.split('-').all(fits)).then_some(tag)
}

fn zone(value: &Value) -> Option<String> {
    let name = value.as_str()?.trim();
    TimeZone::get(name).is_ok().then(|| name.to_owned())
}
