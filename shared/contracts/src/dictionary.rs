//! The shop's own words over the API.

mod category;

use std::collections::BTreeMap;

use domain::dictionary::{
    Audience, Container, Dictionary, EventType, FieldDefinition, FieldType, Limits, Object, OrderStatus, QuietHours,
    Secret, Settings, ShopCap, Source, Webhook, WebhookKind, Word, WordKind, is_system,
};
use domain::message::Cap;
use domain::read::{self, Faults, Reader};
use domain::{Code, Currency, EventKind, Fault, StatusSet};
use jiff::civil::Time;
use serde_json::{Map, Value, json};

/// The most values that a field may be limited to.
const MOST_ALLOWED: usize = 200;

/// The longest of these, in characters.
const LONGEST_ALLOWED: usize = 200;

/// The most fields of an event's context that a definition may name.
const MOST_BROUGHT: usize = 100;

/// The most caps that a shop may have.
const MOST_CAPS: usize = 10;

/// What limits the values of a field.
const LIMITS: [&str; 4] = ["allowed", "min", "max", "max_length"];

/// What a webhook's secret is shown as, and what may be sent back in its place.
const KEPT: &str = "set";

/// Checks that a code can be one of this kind.
///
/// # Errors
/// Says what is wrong with it, in words that follow the word "code".
pub fn check_code(kind: WordKind, code: &str) -> Result<String, String> {
    let within = |name: &str| Code::parse(name).map(drop).map_err(|error| error.to_string());
    match kind {
        WordKind::Field => {
            let objects = Object::ALL.map(Object::as_str).join(", ");
            let field = code.split_once('.').filter(|(object, _)| Object::parse(object).is_some());
            let (_, name) = field.ok_or_else(|| format!("must be OBJECT.NAME, OBJECT one of {objects}"))?;
            within(name)?;
            if name.contains('.') {
                return Err("must have no dot in the field's name".to_owned());
            }
            if Dictionary::is_taken(name) {
                return Err(format!("names {name:?}, which the API uses for something else"));
            }
        }
        WordKind::Status => {
            let status = code.split_once('.').filter(|(set, _)| StatusSet::parse(set).is_some());
            let (_, status) = status.ok_or("must be SET.CODE, SET one of general, delivery, payment")?;
            within(status)?;
        }
        WordKind::MailingCategory => drop(crate::customer::category(code)?),
        _ => within(code)?,
    }
    Ok(code.to_owned())
}

/// Reads the body of `PUT /v1/KIND/{code}`. The code has passed [`check_code`].
/// `known` is the word as it stands: a webhook's secret that the body does not tell
/// is kept. What is shown may be sent back as it is.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(kind: WordKind, code: &str, body: &Value, known: Option<&Word>) -> Result<Word, Faults> {
    let mut reader = Reader::new(body);
    // What an answer has beside what can be set.
    for key in ["version", "system", "defined"] {
        reader.raw(key);
    }
    if kind != WordKind::Settings {
        echo(&mut reader, "code", code);
    }
    let word = match kind {
        WordKind::Field => field(&mut reader, code).map(Word::Field),
        WordKind::Status => status(&mut reader, code).map(Word::Status),
        WordKind::EventType => event_type(&mut reader, code).map(Word::EventType),
        WordKind::Source => {
            let known = match known {
                Some(Word::Source(source)) => source.webhook.as_ref(),
                _ => None,
            };
            source(&mut reader, code, known).map(Word::Source)
        }
        WordKind::Container => container(&mut reader, code).map(Word::Container),
        WordKind::Audience => audience(&mut reader, code).map(Word::Audience),
        WordKind::MailingCategory => category::read(&mut reader, code).map(Word::MailingCategory),
        WordKind::Settings => Some(Word::Settings(settings(&mut reader))),
    };
    if let Some(word) = &word
        && is_system(kind, code)
    {
        keep_system(&mut reader, word);
    }
    reader.finish()?;
    word.ok_or_else(|| vec![Fault::new("", "could not be read")])
}

/// What a word that is always there must stay.
fn keep_system(reader: &mut Reader<'_>, word: &Word) {
    let default = Dictionary::default();
    match (word, default.get(word.kind(), &word.code())) {
        (Word::Field(field), Some(Word::Field(system))) => {
            if field.r#type != system.r#type {
                reader.fault("type", format!("must stay {:?}: this field is always there", system.r#type.as_str()));
            }
            for key in LIMITS.into_iter().filter(|key| reader.raw(key).is_some()).collect::<Vec<_>>() {
                reader.fault(key, "cannot be set: this field is always there");
            }
        }
        (Word::EventType(event), Some(Word::EventType(system))) if event.kind != system.kind => {
            reader.fault("kind", "must stay \"web_event\": this event is always there");
        }
        _ => {}
    }
}

/// A part of the code that may be said again.
fn echo(reader: &mut Reader<'_>, key: &'static str, wanted: &str) {
    let same =
        |value: &Value| if value == wanted { Ok(()) } else { Err(format!("must be {wanted:?}, as in the path")) };
    reader.optional(key, same);
}

fn name(value: &Value) -> Result<String, String> {
    let text = read::text(value, 200)?;
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(text) }
}

fn yes_or_no(value: &Value) -> Result<bool, &'static str> {
    value.as_bool().ok_or("must be true or false")
}

fn field(reader: &mut Reader<'_>, code: &str) -> Option<FieldDefinition> {
    let (object, field) = code.split_once('.')?;
    echo(reader, "object", object);
    echo(reader, "name", field);
    let label = reader.required("label", name);
    let r#type = reader.required("type", field_type);
    let limits = limits(reader, r#type);
    let (object, name) = (Object::parse(object)?, Code::parse(field).ok()?);
    Some(FieldDefinition { object, name, label: label?, r#type: r#type?, limits })
}

fn field_type(value: &Value) -> Result<FieldType, String> {
    let known = FieldType::ALL.map(FieldType::as_str).join("\", \"");
    value.as_str().and_then(FieldType::parse).ok_or_else(|| format!("must be one of \"{known}\""))
}

fn limits(reader: &mut Reader<'_>, r#type: Option<FieldType>) -> Limits {
    let list = reader.optional("allowed", |value| {
        let items = value.as_array().filter(|items| (1..=MOST_ALLOWED).contains(&items.len()));
        items.ok_or_else(|| format!("must be a list of 1 to {MOST_ALLOWED} values"))
    });
    let min = reader.raw("min");
    let max = reader.raw("max");
    let max_length = reader.optional("max_length", |value| {
        let length = value.as_u64().filter(|length| (1..=10_000).contains(length));
        length.and_then(|length| usize::try_from(length).ok()).ok_or("must be a whole number from 1 to 10000")
    });
    let Some(r#type) = r#type else { return Limits::default() };

    let mut limits = Limits { max_length, ..Limits::default() };
    for (index, value) in list.into_iter().flatten().enumerate() {
        let read = match (r#type, value) {
            (_, Value::String(text)) if text.chars().count() > LONGEST_ALLOWED => {
                Err(format!("must be at most {LONGEST_ALLOWED} characters long"))
            }
            // An item of the list, not a list of it.
            (FieldType::List, Value::Array(_) | Value::Object(_) | Value::Null) => {
                Err("must be a text, a number, true or false".to_owned())
            }
            (FieldType::List, value) => Ok(value.clone()),
            (r#type, value) => r#type.read(value),
        };
        match read {
            Ok(value) => limits.allowed.push(value),
            Err(detail) => reader.faults([Fault::new(format!("/allowed/{index}"), detail)]),
        }
    }
    for (key, value, end) in [("min", min, &mut limits.min), ("max", max, &mut limits.max)] {
        let Some(value) = value else { continue };
        if r#type.is_ordered() {
            *end = r#type.read(value).map_err(|detail| reader.fault(key, detail)).ok();
        } else {
            reader.fault(key, "goes with the types \"integer\", \"decimal\", \"date\" and \"datetime\"");
        }
    }
    if limits.is_impossible(r#type) {
        reader.fault("min", "must not be more than \"max\"");
    }
    if max_length.is_some() && !matches!(r#type, FieldType::String | FieldType::List) {
        reader.fault("max_length", "goes with the types \"string\" and \"list\"");
    }
    limits
}

fn status(reader: &mut Reader<'_>, code: &str) -> Option<OrderStatus> {
    let (set, status) = code.split_once('.')?;
    echo(reader, "set", set);
    let name = reader.required("name", name);
    let default = match Dictionary::default().get(WordKind::Status, code) {
        Some(Word::Status(status)) => status.in_analytics,
        _ => true,
    };
    let in_analytics = reader.optional("in_analytics", yes_or_no).unwrap_or(default);
    let (set, code) = (StatusSet::parse(set)?, Code::parse(status).ok()?);
    Some(OrderStatus { set, code, name: name?, in_analytics })
}

fn event_type(reader: &mut Reader<'_>, code: &str) -> Option<EventType> {
    let name = reader.required("name", name);
    let kind = reader.optional("kind", read::parsed(EventKind::parse)).unwrap_or(EventKind::WebEvent);
    let named = reader.optional("fields", |value| {
        let fields = value.as_object().filter(|fields| fields.len() <= MOST_BROUGHT);
        fields.ok_or_else(|| format!("must be an object of at most {MOST_BROUGHT} names, each with a type"))
    });
    let mut fields = BTreeMap::new();
    let place = reader.place("fields");
    for (name, value) in named.into_iter().flatten() {
        let r#type = match name.chars().count() {
            1..=100 => field_type(value),
            _ => Err("must have a name of 1 to 100 characters".to_owned()),
        };
        match r#type {
            Ok(r#type) => drop(fields.insert(name.clone(), r#type)),
            Err(detail) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                reader.faults([Fault::new(format!("{place}/{name}"), detail)]);
            }
        }
    }
    Some(EventType { code: Code::parse(code).ok()?, name: name?, kind, fields })
}

fn source(reader: &mut Reader<'_>, code: &str, known: Option<&Webhook>) -> Option<Source> {
    let name = reader.required("name", name);
    let domain = reader.optional("domain", domain_name);
    let active = reader.optional("active", yes_or_no).unwrap_or(true);
    let webhook = reader.nested("webhook", |mut reader| {
        let kind = reader.required("kind", |value| {
            let kind = WebhookKind::ALL.into_iter().find(|kind| value == kind.as_str());
            kind.ok_or("must be \"shopify\" or \"woocommerce\"")
        });
        let told = reader.optional("secret", secret).flatten();
        let kept = known.filter(|known| Some(known.kind) == kind).map(|known| known.secret.clone());
        let secret = told.or(kept);
        if kind.is_some() && secret.is_none() && reader.raw("secret").is_none_or(|value| value == KEPT) {
            reader.fault("secret", "is required, as none is known yet");
        }
        reader.finish()?;
        let (kind, secret) = kind.zip(secret).ok_or_else(Vec::new)?;
        Ok(Webhook { kind, secret })
    });
    Some(Source { code: Code::parse(code).ok()?, name: name?, domain, active, webhook })
}

/// A secret, or `None` if it is to stay what it is.
fn secret(value: &Value) -> Result<Option<Secret>, &'static str> {
    match value.as_str() {
        Some(KEPT) => Ok(None),
        Some(text) if (8..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(Secret::new(text.to_owned())))
        }
        _ => Err("must be 8 to 200 visible ASCII characters, or \"set\" to stay what it is"),
    }
}

fn domain_name(value: &Value) -> Result<String, &'static str> {
    const WANT: &str = "must be a domain, such as \"shop.example.com\"";
    let text = value.as_str().filter(|text| !text.is_empty() && text.len() <= 253).ok_or(WANT)?;
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-');
    if text.split('.').all(part) { Ok(text.to_lowercase()) } else { Err(WANT) }
}

fn container(reader: &mut Reader<'_>, code: &str) -> Option<Container> {
    let name = reader.required("name", name);
    let idle_after = reader.optional("idle_after", read::duration);
    let lifetime = reader.optional("lifetime", read::duration);
    Some(Container { code: Code::parse(code).ok()?, name: name?, idle_after, lifetime })
}

fn audience(reader: &mut Reader<'_>, code: &str) -> Option<Audience> {
    let name = reader.required("name", name);
    Some(Audience { code: Code::parse(code).ok()?, name: name? })
}

fn settings(reader: &mut Reader<'_>) -> Settings {
    Settings {
        company: reader.optional("company", name),
        time_zone: reader.optional("time_zone", crate::customer::time_zone),
        currency: reader.optional("currency", read::parsed(Currency::parse)),
        languages: reader.optional("languages", languages).unwrap_or_default(),
        country: reader.optional("country", crate::customer::country),
        logo: reader.optional("logo", category::logo),
        quiet_hours: reader.nested("quiet_hours", quiet_hours).flatten(),
        caps: reader.list("caps", MOST_CAPS, shop_cap).into_iter().flatten().collect(),
        soft_bounces: reader.optional("soft_bounces", soft_bounces),
    }
}

fn soft_bounces(value: &Value) -> Result<u32, &'static str> {
    let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
    let count = count.filter(|count| (1..=Settings::MOST_SOFT_BOUNCES).contains(count));
    count.ok_or("must be a whole number from 1 to 20")
}

fn quiet_hours(mut reader: Reader<'_>) -> Result<Option<QuietHours>, Faults> {
    let from = reader.required("from", wall_time);
    let to = reader.required("to", wall_time);
    if from.is_some() && from == to {
        reader.fault("to", "must be another time than \"from\"");
    }
    reader.finish()?;
    Ok(from.zip(to).map(|(from, to)| QuietHours { from, to }))
}

fn wall_time(value: &Value) -> Result<Time, &'static str> {
    const WANT: &str = "must be a time of day, such as \"21:00\"";
    let text = value.as_str().filter(|text| text.len() == 5).ok_or(WANT)?;
    Time::strptime("%H:%M", text).map_err(|_| WANT)
}

fn shop_cap(mut reader: Reader<'_>) -> Result<Option<ShopCap>, Faults> {
    let cap = Cap::take(&mut reader);
    let category = reader.optional("category", read::parsed(Code::parse));
    reader.finish()?;
    Ok(cap.map(|cap| ShopCap { cap, category }))
}

/// A language tag, as far as its form goes.
fn language(tag: &str) -> Option<&str> {
    let fits = (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then_some(tag)
}

fn languages(value: &Value) -> Result<Vec<String>, &'static str> {
    const WANT: &str = "must be a list of at most 20 language tags (BCP 47), such as [\"lv\", \"en-GB\"]";
    let tag = |tag: &Value| tag.as_str().and_then(language).map(str::to_owned);
    let tags = value.as_array().filter(|tags| tags.len() <= 20).ok_or(WANT)?;
    tags.iter().map(tag).collect::<Option<_>>().ok_or(WANT)
}

/// A word as the API shows it. A secret is never shown, only that there is one.
#[must_use]
pub fn show(word: &Word) -> Value {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| {
        if !value.is_null() {
            shown.insert(key.to_owned(), value);
        }
    };
    if word.kind() != WordKind::Settings {
        put("code", json!(word.code()));
        put("system", json!(word.is_system()));
    }
    match word {
        Word::Field(field) => {
            put("object", json!(field.object));
            put("name", json!(field.name));
            put("label", json!(field.label));
            put("type", json!(field.r#type));
            if !field.limits.allowed.is_empty() {
                put("allowed", json!(field.limits.allowed));
            }
            put("min", json!(field.limits.min));
            put("max", json!(field.limits.max));
            put("max_length", json!(field.limits.max_length));
        }
        Word::Status(status) => {
            put("set", json!(status.set));
            put("name", json!(status.name));
            put("in_analytics", json!(status.in_analytics));
        }
        Word::EventType(event) => {
            put("name", json!(event.name));
            put("kind", json!(event.kind));
            put("fields", json!(event.fields));
            put("defined", json!(true));
        }
        Word::Source(source) => {
            put("name", json!(source.name));
            put("domain", json!(source.domain));
            put("active", json!(source.active));
            if let Some(webhook) = &source.webhook {
                put("webhook", json!({ "kind": webhook.kind, "secret": KEPT }));
            }
        }
        Word::Container(container) => {
            put("name", json!(container.name));
            put("idle_after", json!(container.idle_after.map(|length| length.to_string())));
            put("lifetime", json!(container.lifetime.map(|length| length.to_string())));
        }
        Word::Audience(audience) => put("name", json!(audience.name)),
        Word::MailingCategory(category) => category::show(category, put),
        Word::Settings(settings) => {
            put("company", json!(settings.company));
            put("time_zone", json!(settings.time_zone));
            put("currency", json!(settings.currency));
            if !settings.languages.is_empty() {
                put("languages", json!(settings.languages));
            }
            put("country", json!(settings.country));
            put("soft_bounces", json!(settings.soft_bounces));
            put("logo", json!(settings.logo));
            if let Some(QuietHours { from, to }) = settings.quiet_hours {
                let shown = |time: Time| time.strftime("%H:%M").to_string();
                put("quiet_hours", json!({ "from": shown(from), "to": shown(to) }));
            }
            if !settings.caps.is_empty() {
                put("caps", settings.caps.iter().map(show_shop_cap).collect());
            }
        }
    }
    Value::Object(shown)
}

fn show_shop_cap(ShopCap { cap, category }: &ShopCap) -> Value {
    let mut shown = cap.show();
    if let Some(category) = category {
        shown["category"] = json!(category);
    }
    shown
}

#[cfg(test)]
mod tests;
