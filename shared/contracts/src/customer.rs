//! Customers over the API.

use domain::read::{self, Faults, Reader};
use domain::{ConsentState, ConsentUpdate, Customer, CustomerId, CustomerUpdate, EmailAddress, Fault, Profile};
use serde_json::{Map, Value, json};

/// Reads the body of `PUT /v1/customers/{id}`.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(id: CustomerId, body: &Value) -> Result<CustomerUpdate, Faults> {
    let mut reader = Reader::new(body);
    let update = CustomerUpdate {
        id,
        updated_at: reader.optional("updated_at", read::instant),
        profile: Profile {
            email: reader.optional("email", read::parsed(EmailAddress::parse)),
            phone: reader.optional("phone", read::short),
            first_name: reader.optional("first_name", read::short),
            last_name: reader.optional("last_name", read::short),
            birthday: reader.optional("birthday", birthday),
            city: reader.optional("city", read::short),
            zip: reader.optional("zip", read::short),
            country: reader.optional("country", country),
            language: reader.optional("language", read::short),
            time_zone: reader.optional("time_zone", time_zone),
            fields: reader.optional("fields", read::fields).unwrap_or_default(),
        },
        email_consent: reader.nested("consent", |mut reader| {
            let email = consent(&mut reader);
            reader.finish()?;
            email.ok_or_else(Vec::new)
        }),
    };
    reader.finish()?;
    Ok(update)
}

/// `"granted"`, or `{"state": "granted", "at": "…"}` with when it was said.
fn consent(reader: &mut Reader<'_>) -> Option<ConsentUpdate> {
    if reader.raw("email").is_some_and(Value::is_object) {
        reader.nested("email", |mut reader| {
            let state = reader.required("state", consent_state);
            let at = reader.optional("at", read::instant);
            reader.finish()?;
            Ok(ConsentUpdate { state: state.ok_or_else(Vec::<Fault>::new)?, at })
        })
    } else {
        let state = reader.required("email", consent_state)?;
        Some(ConsentUpdate { state, at: None })
    }
}

fn consent_state(value: &Value) -> Result<ConsentState, &'static str> {
    match value.as_str() {
        Some("granted") => Ok(ConsentState::Granted),
        Some("denied") => Ok(ConsentState::Denied),
        _ => Err("must be \"granted\" or \"denied\", or an object with \"state\" and \"at\""),
    }
}

fn birthday(value: &Value) -> Result<jiff::civil::Date, &'static str> {
    const WANT: &str = "must be a day, such as \"1990-05-17\"";
    value.as_str().filter(|text| text.len() == 10).and_then(|text| text.parse().ok()).ok_or(WANT)
}

fn country(value: &Value) -> Result<String, &'static str> {
    const WANT: &str = "must be a country's two-letter code in capitals (ISO 3166-1), such as \"LV\"";
    let code = value.as_str().ok_or(WANT)?;
    let fits = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if fits { Ok(code.to_owned()) } else { Err(WANT) }
}

fn time_zone(value: &Value) -> Result<String, &'static str> {
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
    put("email", json!(profile.email));
    put("phone", json!(profile.phone));
    put("first_name", json!(profile.first_name));
    put("last_name", json!(profile.last_name));
    put("birthday", json!(profile.birthday));
    put("city", json!(profile.city));
    put("zip", json!(profile.zip));
    put("country", json!(profile.country));
    put("language", json!(profile.language));
    put("time_zone", json!(profile.time_zone));
    put("fields", json!(profile.fields));
    put("consent", json!({ "email": customer.email_consent }));
    put("updated_at", json!(customer.updated_at));
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(body: &Value) -> Vec<String> {
        let id = CustomerId::parse("c").unwrap();
        read(id, body).err().unwrap_or_default().into_iter().map(|fault| fault.pointer).collect()
    }

    #[test]
    fn a_customer_is_read_or_every_fault_is_named() {
        let check = |body: Value, want: &[&str]| assert_eq!(places(&body), want, "{body}");
        check(json!({"email": "ada@example.com", "consent": {"email": "granted"}, "fields": {"tier": 3}}), &[]);
        check(json!({"consent": {"email": {"state": "denied", "at": "2026-01-01T00:00:00Z"}}}), &[]);
        check(json!({"email": "ada", "country": "Latvia", "time_zone": "Riga"}), &["/email", "/country", "/time_zone"]);
        check(json!({"consent": {"email": "yes", "sms": "granted"}}), &["/consent/email", "/consent/sms"]);
        check(json!({"fields": {"a": {"b": 1}}, "firstname": "Ada"}), &["/fields", "/firstname"]);
        check(json!([]), &[""]);
    }
}
