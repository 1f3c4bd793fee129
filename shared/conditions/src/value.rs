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

/// A value as it is compared, and the text that it was.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    /// Of text and numbers, as they were written; else empty.
    pub(crate) text: Box<str>,
    /// Whether it was text.
    quoted: bool,
}

/// What a value is compared as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Decimal(Decimal),
    Instant(Timestamp),
    Date(Date),
    Text,
    Bool(bool),
}

/// What a field leads to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell {
    #[default]
    Nothing,
    One(Scalar),
    Many(Vec<Scalar>),
    /// Something that is compared with nothing, an object or a number out of range, or a
    /// list with such things in it; and what else is in that.
    Other(Value, Vec<Scalar>),
}

impl Cell {
    pub(crate) fn of(value: &Value) -> Cell {
        if !is_there(value) {
            return Cell::Nothing;
        }
        Scalar::of(value).map_or_else(|| Cell::Other(value.clone(), Vec::new()), Cell::One)
    }

    pub(crate) fn many<'v>(values: impl ExactSizeIterator<Item = &'v Value> + Clone) -> Cell {
        if values.len() == 0 {
            return Cell::Nothing;
        }
        let found: Vec<Scalar> = values.clone().filter(|value| is_there(value)).filter_map(Scalar::of).collect();
        if found.len() == values.len() { Cell::Many(found) } else { Cell::Other(values.cloned().collect(), found) }
    }

    /// Each value of it that can be compared.
    pub(crate) fn scalars(&self) -> &[Scalar] {
        match self {
            Cell::One(scalar) => std::slice::from_ref(scalar),
            Cell::Many(scalars) | Cell::Other(_, scalars) => scalars,
            Cell::Nothing => &[],
        }
    }

    pub(crate) fn to_value(&self) -> Option<Value> {
        match self {
            Cell::Nothing => None,
            Cell::One(scalar) => Some(scalar.to_value()),
            Cell::Many(scalars) => Some(scalars.iter().map(Scalar::to_value).collect()),
            Cell::Other(value, _) => Some(value.clone()),
        }
    }
}

impl Scalar {
    /// `None` for what is compared with nothing: lists, objects, and numbers out of range.
    pub(crate) fn of(value: &Value) -> Option<Scalar> {
        match value {
            Value::Bool(value) => Some(Scalar::truth(*value)),
            Value::Number(number) => {
                let text = number.to_string();
                let decimal = Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text));
                Some(Scalar { kind: Kind::Decimal(decimal.ok()?), text: text.into(), quoted: false })
            }
            Value::String(text) => Some(Scalar { kind: Kind::of_text(text), text: text.as_str().into(), quoted: true }),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(crate) fn truth(value: bool) -> Scalar {
        Scalar { kind: Kind::Bool(value), text: "".into(), quoted: false }
    }

    pub(crate) fn decimal(value: Decimal) -> Scalar {
        Scalar { kind: Kind::Decimal(value), text: "".into(), quoted: false }
    }

    pub(crate) fn to_value(&self) -> Value {
        match self.kind {
            Kind::Bool(value) => value.into(),
            Kind::Decimal(value) if self.text.is_empty() => number(value),
            Kind::Decimal(_) if !self.quoted => self.text.parse().map_or(Value::Null, Value::Number),
            Kind::Decimal(_) | Kind::Instant(_) | Kind::Date(_) | Kind::Text => self.text.as_ref().into(),
        }
    }

    /// `None` when the two are of different kinds or have no order. An instant is held
    /// against a date by its day in `zone`.
    #[inline]
    pub(crate) fn order(&self, other: &Scalar, zone: &TimeZone) -> Option<Ordering> {
        match (self.kind, other.kind) {
            (Kind::Text, Kind::Text) => Some(self.text.cmp(&other.text)),
            (Kind::Decimal(a), Kind::Decimal(b)) => Some(a.cmp(&b)),
            (Kind::Instant(a), Kind::Instant(b)) => Some(a.cmp(&b)),
            (Kind::Date(a), Kind::Date(b)) => Some(a.cmp(&b)),
            (Kind::Instant(a), Kind::Date(b)) => Some(day(a, zone).cmp(&b)),
            (Kind::Date(a), Kind::Instant(b)) => Some(a.cmp(&day(b, zone))),
            (Kind::Bool(a), Kind::Bool(b)) => (a == b).then_some(Ordering::Equal),
            _ => None,
        }
    }

    #[inline]
    pub(crate) fn equals(&self, other: &Scalar, zone: &TimeZone) -> bool {
        match (self.kind, other.kind) {
            (Kind::Text, Kind::Text) => self.text == other.text,
            _ => self.order(other, zone) == Some(Ordering::Equal),
        }
    }
}

impl Kind {
    fn of_text(text: &str) -> Kind {
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
        Kind::Text
    }
}

/// A number that was worked out: whole ones as such, others as exact text.
fn number(value: Decimal) -> Value {
    let value = value.normalize();
    match i64::try_from(value) {
        Ok(whole) if value.is_integer() => whole.into(),
        _ => value.to_string().into(),
    }
}

pub(crate) fn day(instant: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(instant).date()
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
        let order = Scalar::of(&a).zip(Scalar::of(&b)).and_then(|(a, b)| a.order(&b, &TimeZone::UTC));
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
