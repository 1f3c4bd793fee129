//! Comparisons, by value: `"10.00"`, `"10"` and `10` are the same amount.

use std::{borrow::Cow, cmp::Ordering};

use handlebars::JsonTruthy;
use rust_decimal::Decimal;
use serde_json::Value;

use super::{Answer, Given, is_blank, money::decimal};

/// A comparison of two values.
#[derive(Clone, Copy)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
}

impl Operator {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "gte" => Self::Gte,
            "lt" => Self::Lt,
            "lte" => Self::Lte,
            _ => return None,
        })
    }

    /// Whether it holds; an absent amount is never more or less than another.
    pub(super) fn holds(self, a: &Value, b: &Value) -> bool {
        match self {
            Self::Eq => is_equal(a, b),
            Self::Ne => !is_equal(a, b),
            Self::Gt => order(a, b).is_some_and(Ordering::is_gt),
            Self::Gte => order(a, b).is_some_and(Ordering::is_ge),
            Self::Lt => order(a, b).is_some_and(Ordering::is_lt),
            Self::Lte => order(a, b).is_some_and(Ordering::is_le),
        }
    }
}

/// What a list is ordered by: amounts, then text, then everything else, and nothing at the end.
pub(super) enum Key<'v> {
    Amount(Decimal),
    Text(&'v str),
    Other,
    Blank,
}

impl<'v> Key<'v> {
    pub(super) fn of(value: &'v Value) -> Self {
        match (amount(value), value) {
            (Some(amount), _) => Self::Amount(amount),
            (None, value) if is_blank(value) => Self::Blank,
            (None, Value::String(text)) => Self::Text(text),
            _ => Self::Other,
        }
    }

    /// How two keys follow each other.
    pub(super) fn order(&self, other: &Self, descending: bool) -> Ordering {
        let within = match (self, other) {
            (Self::Amount(a), Self::Amount(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => return self.rank().cmp(&other.rank()),
        };
        if descending { within.reverse() } else { within }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Amount(_) => 0,
            Self::Text(_) => 1,
            Self::Other => 2,
            Self::Blank => 3,
        }
    }
}

/// `eq a b`
pub(super) fn eq<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Eq.holds(value(given, 0), value(given, 1)))))
}

/// `ne a b`
pub(super) fn ne<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Ne.holds(value(given, 0), value(given, 1)))))
}

/// `gt a b`
pub(super) fn gt<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Gt.holds(value(given, 0), value(given, 1)))))
}

/// `gte a b`
pub(super) fn gte<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Gte.holds(value(given, 0), value(given, 1)))))
}

/// `lt a b`
pub(super) fn lt<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Lt.holds(value(given, 0), value(given, 1)))))
}

/// `lte a b`
pub(super) fn lte<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(Operator::Lte.holds(value(given, 0), value(given, 1)))))
}

/// `and a b…`
pub(super) fn and<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(given.params.iter().all(|given| given.value.is_truthy(false)))))
}

/// `or a b…`
pub(super) fn or<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(given.params.iter().any(|given| given.value.is_truthy(false)))))
}

/// `not a`
pub(super) fn not<'v>(given: &Given<'v>) -> Answer<'v> {
    Ok(Cow::Owned(Value::Bool(!given.params.iter().any(|given| given.value.is_truthy(false)))))
}

fn value<'a>(given: &'a Given<'_>, index: usize) -> &'a Value {
    given.param(index).map_or(&Value::Null, |given| &given.value)
}

fn is_equal(a: &Value, b: &Value) -> bool {
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        (None, None) => Some(a.as_str()?.cmp(b.as_str()?)),
        _ => None,
    }
}

/// A number, or text that is written as one. "007" and "+371…" are not: an order, a
/// postcode or a telephone number is not an amount.
fn amount(value: &Value) -> Option<Decimal> {
    if let Value::String(text) = value {
        let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
        let plain = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        let padded = matches!(digits, [b'0', second, ..] if *second != b'.');
        if !plain || padded || !digits.first().is_some_and(u8::is_ascii_digit) || digits.ends_with(b".") {
            return None;
        }
    }
    decimal(value)
}
