//! Taking a shop's payload apart.
//!
//! Shops send much that we have no use for, and leave out, null or blank what they
//! do not know. So nothing but what a thing cannot be without is a fault: what is
//! missing or not of the kind that our API takes is left out.

use std::str::FromStr;

use domain::{Amount, Code, Fault, read};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The longest name, in characters; what is longer is cut.
const SHORT: usize = 500;
/// The longest note, in characters; what is longer is cut. A longer URL is left out.
pub(crate) const LONG: usize = 2_000;

/// A body of our own API under way: what is not there is not put in.
#[derive(Default)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn put(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Puts in null, which takes a field away, if there is no value.
    pub(crate) fn put_or_null(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        self.0.insert(key.to_owned(), value.map_or(Value::Null, Into::into));
        self
    }

    /// Puts in an object, if there is anything in it.
    pub(crate) fn nest(self, key: &str, inner: Self) -> Self {
        let inner = (!inner.0.is_empty()).then_some(inner.0);
        self.put(key, inner)
    }

    pub(crate) fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// A text that says something, cut to `most` characters.
pub(crate) fn text_of(value: &Value, most: usize) -> Option<String> {
    let text = value.as_str()?.trim();
    (!text.is_empty()).then(|| text.chars().take(most).collect())
}

pub(crate) fn text(from: &Value, key: &str) -> Option<String> {
    text_of(from.get(key)?, SHORT)
}

pub(crate) fn long_text(from: &Value, key: &str) -> Option<String> {
    text_of(from.get(key)?, LONG)
}

pub(crate) fn url(from: &Value, key: &str) -> Option<String> {
    let text = from.get(key)?.as_str()?.trim();
    let fits = !text.is_empty() && text.chars().count() <= LONG;
    fits.then(|| text.to_owned())
}

/// An id, which shops write as a number, a text or, in Shopify's GraphQL, a URI
/// that ends with the number. Zero is nobody's id.
pub(crate) fn id(from: &Value, key: &str) -> Option<String> {
    let id = match from.get(key)? {
        Value::Number(number) if number.is_u64() => number.to_string(),
        Value::String(text) => match text.strip_prefix("gid://") {
            Some(path) => path.rsplit('/').next()?.to_owned(),
            None => text.trim().to_owned(),
        },
        _ => return None,
    };
    let fits = id != "0" && domain::OrderId::parse(&id).is_ok();
    fits.then_some(id)
}

/// An id that the thing cannot be without.
pub(crate) fn required_id(from: &Value) -> Result<String, Vec<Fault>> {
    id(from, "id").ok_or_else(|| vec![Fault::new("/id", "is required, as a number or a text of at most 200 bytes")])
}

/// An exact decimal, as the shop writes it. A number may have come out of a
/// division in the shop, so what it has behind the ninth digit is rounded away.
pub(crate) fn amount(from: &Value, key: &str) -> Option<String> {
    amount_of(from.get(key)?)
}

pub(crate) fn amount_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => {
            let decimal = Decimal::from_str(&number.to_string()).ok()?;
            if decimal.scale() > 9 { decimal.round_dp(9).normalize().to_string() } else { number.to_string() }
        }
        _ => return None,
    };
    Amount::parse(&text).ok().map(|_| text)
}

/// An amount to be reckoned with.
pub(crate) fn decimal(from: &Value, key: &str) -> Option<Decimal> {
    Decimal::from_str(&amount(from, key)?).ok()
}

/// What was reckoned, if it is an amount.
pub(crate) fn reckoned(decimal: Option<Decimal>) -> Option<String> {
    decimal.map(|decimal| decimal.to_string()).filter(|text| Amount::parse(text).is_ok())
}

/// An instant with its zone.
pub(crate) fn instant(from: &Value, key: &str) -> Option<Timestamp> {
    read::instant(from.get(key)?).ok()
}

/// An instant in UTC that is written without a zone, as WooCommerce does.
pub(crate) fn instant_gmt(from: &Value, key: &str) -> Option<Timestamp> {
    let value = from.get(key)?;
    let civil = || value.as_str()?.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let instant = read::instant(value).ok().or_else(|| civil().map(|zoned| zoned.timestamp()))?;
    (instant >= Timestamp::UNIX_EPOCH).then_some(instant)
}

/// A two-letter country code.
pub(crate) fn country(from: &Value, key: &str) -> Option<String> {
    text(from, key).filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
}

/// A code as our dictionaries have them.
pub(crate) fn code(from: &Value, key: &str) -> Option<String> {
    text(from, key).filter(|code| Code::parse(code).is_ok())
}

pub(crate) fn boolean(from: &Value, key: &str) -> Option<bool> {
    from.get(key)?.as_bool()
}

/// The entries of a list; none if it is no list.
pub(crate) fn list<'a>(from: &'a Value, key: &str) -> &'a [Value] {
    from.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a key of each entry of a list says, if any says something.
pub(crate) fn texts(from: &Value, key: &str, of_each: &str) -> Option<Vec<String>> {
    let texts: Vec<String> = list(from, key).iter().filter_map(|entry| text(entry, of_each)).collect();
    (!texts.is_empty()).then_some(texts)
}

/// An object within this one; null, which has no fields, if there is none.
pub(crate) fn object<'a>(from: &'a Value, key: &str) -> &'a Value {
    from.get(key).filter(|value| value.is_object()).unwrap_or(&Value::Null)
}

/// That the payload is an object at all.
pub(crate) fn check(payload: &Value) -> Result<(), Vec<Fault>> {
    if payload.is_object() { Ok(()) } else { Err(vec![Fault::new("", "must be a JSON object")]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_numbers_texts_and_uris_and_never_zero() {
        let of = |value: Value| id(&json!({ "id": value }), "id");
        assert_eq!(of(json!(820_982_911_946_154_508_u64)).as_deref(), Some("820982911946154508"));
        assert_eq!(of(json!("gid://shopify/Customer/1")).as_deref(), Some("1"));
        assert_eq!(of(json!(" a ")).as_deref(), Some("a"));
        for none in [json!(0), json!("0"), json!(-1), json!(1.5), json!(""), json!("x".repeat(201)), json!(null)] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn amounts_stay_as_they_are_written_and_divisions_are_cut() {
        let of = |value: Value| amount_of(&value);
        assert_eq!(of(json!("24.90")).as_deref(), Some("24.90"));
        assert_eq!(of(json!(3)).as_deref(), Some("3"));
        assert_eq!(of(json!(8.264_462_809_917_355)).as_deref(), Some("8.26446281"));
        for none in [json!(""), json!("NaN"), json!(1e300), json!("9".repeat(40)), json!([])] {
            assert_eq!(of(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn a_time_without_a_zone_is_in_utc() {
        let of = |text: &str| instant_gmt(&json!({ "at": text }), "at").map(|at| at.to_string());
        assert_eq!(of("2026-11-22T10:00:00").as_deref(), Some("2026-11-22T10:00:00Z"));
        assert_eq!(of("2026-11-22T12:00:00+02:00").as_deref(), Some("2026-11-22T10:00:00Z"));
        for none in ["", "0000-00-00T00:00:00", "1969-12-31T23:59:59", "10000-01-01T00:00:00"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
