//! When two values are the same, and which is more.

use std::cmp::Ordering;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use rust_decimal::Decimal;
use serde_json::Value;

/// Whether there is anything: see the crate's documentation.
pub(crate) fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A value as it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind<'v> {
    Decimal(Decimal),
    Instant(Timestamp),
    Date(Date),
    Text(&'v str),
    Bool(bool),
}

impl<'v> Kind<'v> {
    /// `None` for what is compared with nothing: lists, objects, and numbers out of range.
    pub(crate) fn of(value: &'v Value) -> Option<Kind<'v>> {
        match value {
            Value::Bool(value) => Some(Kind::Bool(*value)),
            Value::Number(number) => {
                let text = number.to_string();
                let decimal = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
                decimal.ok().map(Kind::Decimal)
            }
            Value::String(text) => Some(Kind::of_text(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn of_text(text: &str) -> Kind<'_> {
        let bytes = text.as_bytes();
        // Most text is neither; the parsers are asked only when it may be.
        if is_decimal(bytes)
            && let Ok(decimal) = Decimal::from_str_exact(text)
        {
            return Kind::Decimal(decimal);
        }
        if bytes.len() >= 10 && bytes[4] == b'-' && bytes[..4].iter().all(u8::is_ascii_digit) {
            if bytes.len() == 10
                && let Ok(date) = text.parse()
            {
                return Kind::Date(date);
            }
            if let Ok(instant) = text.parse() {
                return Kind::Instant(instant);
            }
        }
        Kind::Text(text)
    }

    /// `None` when the two are of different kinds or have no order.
    pub(crate) fn order(self, other: Kind<'_>) -> Option<Ordering> {
        match (self, other) {
            (Kind::Decimal(a), Kind::Decimal(b)) => Some(a.cmp(&b)),
            (Kind::Instant(a), Kind::Instant(b)) => Some(a.cmp(&b)),
            (Kind::Date(a), Kind::Date(b)) => Some(a.cmp(&b)),
            (Kind::Instant(a), Kind::Date(b)) => Some(day(a).cmp(&b)),
            (Kind::Date(a), Kind::Instant(b)) => Some(a.cmp(&day(b))),
            (Kind::Text(a), Kind::Text(b)) => Some(a.cmp(b)),
            (Kind::Bool(a), Kind::Bool(b)) => (a == b).then_some(Ordering::Equal),
            _ => None,
        }
    }

    pub(crate) fn equals(self, other: Kind<'_>) -> bool {
        self.order(other) == Some(Ordering::Equal)
    }
}

fn day(instant: Timestamp) -> Date {
    instant.to_zoned(TimeZone::UTC).date()
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?`
fn is_decimal(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let fraction = &text[whole..];
    let whole_fits = whole == 1 || whole > 1 && text[0] != b'0';
    let fraction_fits = fraction.is_empty()
        || fraction.len() > 1 && fraction[0] == b'.' && fraction[1..].iter().all(u8::is_ascii_digit);
    whole_fits && fraction_fits
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(a: Value, b: Value, expected: Option<Ordering>) {
        let order = Kind::of(&a).zip(Kind::of(&b)).and_then(|(a, b)| a.order(b));
        assert_eq!(order, expected, "{a} and {b}");
    }

    #[test]
    fn values_of_one_kind_have_an_order() {
        use Ordering::*;
        check(json!("10.00"), json!(10), Some(Equal));
        check(json!("-0.5"), json!(0.5), Some(Less));
        check(json!("9"), json!("10"), Some(Less));
        check(json!("2026-05-01T00:30:00+02:00"), json!("2026-04-30T22:30:00Z"), Some(Equal));
        check(json!("2026-05-01"), json!("2026-04-30"), Some(Greater));
        check(json!("2026-04-30T23:59:59Z"), json!("2026-04-30"), Some(Equal));
        check(json!("2026-05-01"), json!("2026-04-30T23:59:59Z"), Some(Greater));
        check(json!("Riga"), json!("Rome"), Some(Less));
        check(json!(true), json!(true), Some(Equal));
    }

    #[test]
    fn values_of_different_kinds_have_none() {
        check(json!("007"), json!(7), None);
        check(json!("+37120000000"), json!("37120000000"), None);
        check(json!("1e3"), json!(1000), None);
        check(json!(true), json!("true"), None);
        check(json!(true), json!(false), None);
        check(json!("Riga"), json!(5), None);
        check(json!([1]), json!(1), None);
        check(json!(1e300), json!(1e300), None);
        check(json!("2026-13-01"), json!("2026-01-01"), None);
    }
}
