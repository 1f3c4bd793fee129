//! Customers over the API.

use domain::dated::Said;
use domain::read::{self, Faults, Reader, put};
use domain::{
    Allows, Code, ConsentState, ConsentUpdate, Contact, Customer, CustomerId, CustomerUpdate, EmailAddress, Fault,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::times::not_ahead;

/// The most mailing categories of which one body may say something.
const MOST_CATEGORIES: usize = 100;

/// Reads the body of `PUT /v1/customers/{id}`, which is the whole, or of `PATCH`,
/// which is a part of it: there, null takes a field away.
///
/// An e-mail address or a telephone number that cannot be one is kept as it came,
/// and shown among the customer's `invalid` contacts. A number without a country's
/// prefix is read as one of the customer's `country`, if the body names it.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(id: CustomerId, body: &Value, whole: bool, now: Timestamp) -> Result<CustomerUpdate, Faults> {
    let mut reader = Reader::new(body);
    let updated_at = reader.optional("updated_at", read::instant);
    let country = reader.optional("country", country);
    let mut fields = Map::new();
    put(&mut fields, "email", reader.optional("email", email));
    put(&mut fields, "phone", reader.optional("phone", |value| phone(value, country.as_deref())));
    put(&mut fields, "country", country);
    for name in ["first_name", "last_name", "gender", "city", "zip", "language"] {
        put(&mut fields, name, reader.optional(name, read::short));
    }
    put(&mut fields, "birthday", reader.optional("birthday", birthday));
    put(&mut fields, "time_zone", reader.optional("time_zone", time_zone));
    put(&mut fields, "registered_at", reader.optional("registered_at", read::instant));
    put(&mut fields, "fields", reader.optional("fields", read::fields));
    let source = reader.optional("source", read::parsed(Code::parse));
    let consents = reader.nested("consent", |reader| consents(reader, now)).unwrap_or_default();
    not_ahead(&mut reader, "updated_at", updated_at, now);
    reader.finish()?;
    if !whole {
        read::take_nulls(&mut fields, body, &["updated_at", "source", "consent"]);
    }
    if whole || !fields.is_empty() {
        put(&mut fields, "source", source);
    }
    Ok(CustomerUpdate { id, updated_at, said: Said { whole, fields }, consents })
}

/// An address in the one way in which all are written, or as it came.
fn email(value: &Value) -> Result<Contact, String> {
    let text = read::short(value)?;
    Ok(match EmailAddress::parse(&text) {
        Ok(address) => Contact::Valid(address.as_str().to_owned()),
        Err(_) => Contact::Invalid(text),
    })
}

/// A number in the international form (E.164), or as it came.
fn phone(value: &Value, country: Option<&str>) -> Result<Contact, String> {
    let text = read::short(value)?;
    Ok(match international(&text, country) {
        Some(number) => Contact::Valid(number),
        None => Contact::Invalid(text),
    })
}

/// A telephone number in the international form (E.164), if it is one.
#[must_use]
pub fn international(text: &str, country: Option<&str>) -> Option<String> {
    let country = country.and_then(|country| country.parse().ok());
    let number = phonenumber::parse(country, text).ok().filter(phonenumber::is_valid)?;
    Some(number.format().mode(phonenumber::Mode::E164).to_string())
}

/// What is said of being written to at all, and of mailing categories by their codes.
fn consents(mut reader: Reader<'_>, now: Timestamp) -> Result<Vec<(Allows, ConsentUpdate)>, Faults> {
    let has_categories = reader.raw("categories").is_some();
    if reader.is_object() && !has_categories && reader.raw("email").is_none() {
        reader.fault("email", "is required, or \"categories\"");
    }
    let place = reader.place("");
    let mut faults = Faults::new();
    let mut said = Vec::new();
    if let Some(value) = reader.raw("email") {
        match consent(value, now) {
            Ok(email) => said.push((Allows::Email, email)),
            Err(within) => faults.extend(placed(&format!("{place}email"), within)),
        }
    }
    let categories = reader.optional("categories", |value| {
        let categories = value.as_object().filter(|categories| categories.len() <= MOST_CATEGORIES);
        categories
            .ok_or_else(|| format!("must be an object of at most {MOST_CATEGORIES} consents, each by its category"))
    });
    for (name, value) in categories.into_iter().flatten() {
        let code = category(name).map_err(|detail| vec![Fault::new("", detail)]);
        match code.and_then(|code| Ok((Allows::Category(code), consent(value, now)?))) {
            Ok(consent) => said.push(consent),
            Err(within) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                faults.extend(placed(&format!("{place}categories/{name}"), within));
            }
        }
    }
    reader.faults(faults);
    reader.finish()?;
    Ok(said)
}

fn placed(place: &str, within: Faults) -> impl Iterator<Item = Fault> {
    within.into_iter().map(move |fault| Fault::new(format!("{place}{}", fault.pointer), fault.detail))
}

/// The code of a mailing category; without a dot, which paths are made of.
pub(crate) fn category(name: &str) -> Result<Code, String> {
    let code = Code::parse(name).map_err(|error| error.to_string())?;
    if name.contains('.') { Err("must have no dot in the category's code".to_owned()) } else { Ok(code) }
}

/// `"granted"`, or `{"state": "granted", "at": "…"}` with when it was said.
fn consent(value: &Value, now: Timestamp) -> Result<ConsentUpdate, Faults> {
    if !value.is_object() {
        let state = consent_state(value).map_err(|detail| vec![Fault::new("", detail)])?;
        return Ok(ConsentUpdate { state, at: None });
    }
    let mut reader = Reader::new(value);
    let state = reader.required("state", consent_state);
    let at = reader.optional("at", read::instant);
    not_ahead(&mut reader, "at", at, now);
    reader.finish()?;
    state.map(|state| ConsentUpdate { state, at }).ok_or_else(Vec::new)
}

fn consent_state(value: &Value) -> Result<ConsentState, &'static str> {
    value
        .as_str()
        .and_then(ConsentState::parse)
        .ok_or("must be \"granted\", \"denied\" or \"requested\", or an object with \"state\" and \"at\"")
}

fn birthday(value: &Value) -> Result<jiff::civil::Date, &'static str> {
    const WANT: &str = "must be a day, such as \"1990-05-17\"";
    value.as_str().filter(|text| text.len() == 10).and_then(|text| text.parse().ok()).ok_or(WANT)
}

pub(crate) fn country(value: &Value) -> Result<String, &'static str> {
    const WANT: &str = "must be a country's two-letter code in capitals (ISO 3166-1), such as \"LV\"";
    let code = value.as_str().ok_or(WANT)?;
    let fits = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if fits { Ok(code.to_owned()) } else { Err(WANT) }
}

pub(crate) fn time_zone(value: &Value) -> Result<String, &'static str> {
    const WANT: &str = "must be a time zone's name, such as \"Europe/Riga\"";
    let name = value.as_str().ok_or(WANT)?;
    jiff::tz::TimeZone::get(name).map(|_| name.to_owned()).map_err(|_| WANT)
}

/// The customer as the API shows them and as templates and conditions see them.
#[must_use]
pub fn show(customer: &Customer) -> Value {
    let profile = &customer.profile;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("id", json!(customer.id));
    let contacts = [("email", &profile.email), ("phone", &profile.phone)];
    for (name, contact) in contacts {
        put(name, json!(contact.as_ref().map(Contact::text)));
    }
    let invalid: Vec<&str> = contacts
        .into_iter()
        .filter(|(_, contact)| contact.as_ref().is_some_and(|contact| contact.valid().is_none()))
        .map(|(name, _)| name)
        .collect();
    if !invalid.is_empty() {
        put("invalid", json!(invalid));
    }
    put("first_name", json!(profile.first_name));
    put("last_name", json!(profile.last_name));
    put("birthday", json!(profile.birthday));
    put("gender", json!(profile.gender));
    put("city", json!(profile.city));
    put("zip", json!(profile.zip));
    put("country", json!(profile.country));
    put("language", json!(profile.language));
    put("time_zone", json!(profile.time_zone));
    put("registered_at", json!(profile.registered_at));
    put("source", json!(profile.source));
    put("fields", json!(profile.fields));
    let mut consent = json!({ "email": customer.email_consent });
    if !customer.category_consents.is_empty() {
        consent["categories"] = json!(customer.category_consents);
    }
    put("consent", consent);
    put("updated_at", json!(customer.times.latest()));
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(body: &Value) -> Vec<String> {
        let id = CustomerId::parse("c").unwrap();
        read(id, body, true, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(24 * 365 * 60))
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    }

    #[test]
    fn a_customer_is_read_or_every_fault_is_named() {
        let check = |body: Value, want: &[&str]| assert_eq!(places(&body), want, "{body}");
        check(json!({"email": "ada@example.com", "consent": {"email": "granted"}, "fields": {"tier": 3}}), &[]);
        check(json!({"consent": {"email": {"state": "denied", "at": "2026-01-01T00:00:00Z"}}}), &[]);
        check(json!({"email": 7, "country": "Latvia", "time_zone": "Riga"}), &["/country", "/email", "/time_zone"]);
        check(json!({"consent": {"email": "yes", "sms": "granted"}}), &["/consent/email", "/consent/sms"]);
        check(json!({"consent": {"email": "requested", "categories": {"news": {"state": "denied"}}}}), &[]);
        check(json!({"consent": {}}), &["/consent/email"]);
        check(json!({"consent": {"categories": ["news"]}}), &["/consent/categories"]);
        check(
            json!({"consent": {"categories": {"news": "no", "a.b": "denied", "tips": {"at": "9999-01-01T00:00:00Z"}}}}),
            &[
                "/consent/categories/a.b",
                "/consent/categories/news",
                "/consent/categories/tips/state",
                "/consent/categories/tips/at",
            ],
        );
        check(json!({"fields": {"a": {"b": 1}}, "firstname": "Ada"}), &["/fields", "/firstname"]);
        check(json!({"updated_at": "9999-01-01T00:00:00Z"}), &["/updated_at"]);
        check(json!([]), &[""]);
    }

    #[test]
    fn contacts_are_written_in_one_way_and_kept_if_they_cannot_be_used() {
        let now = Timestamp::UNIX_EPOCH;
        let shown = |body: Value| {
            let update = read(CustomerId::parse("c").unwrap(), &body, true, now).unwrap();
            show(&Customer::merge(None, update, now).unwrap().unwrap())
        };
        let known = shown(json!({"email": "Ada@Example.COM", "phone": "(0) 20 7946 0018", "country": "GB"}));
        assert_eq!((&known["email"], &known["phone"]), (&json!("Ada@example.com"), &json!("+442079460018")));
        let known = shown(json!({"email": "ada", "phone": "123"}));
        assert_eq!(
            (&known["email"], &known["phone"], &known["invalid"]),
            (&json!("ada"), &json!("123"), &json!(["email", "phone"]))
        );
    }
}
