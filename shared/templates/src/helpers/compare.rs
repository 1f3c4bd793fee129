//! Comparisons, by value: `"10.00"`, `"10"` and `10` are the same amount.

use std::cmp::Ordering;

use handlebars::{Context, Helper, JsonTruthy, RenderError};
use rust_decimal::Decimal;
use serde_json::Value;

use super::money::decimal;

type Answer = Result<Value, RenderError>;

/// `eq a b`
pub(super) fn eq(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(is_equal(helper)))
}

/// `ne a b`
pub(super) fn ne(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(!is_equal(helper)))
}

/// `gt a b`
pub(super) fn gt(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(order(helper).is_some_and(Ordering::is_gt)))
}

/// `gte a b`
pub(super) fn gte(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(order(helper).is_some_and(Ordering::is_ge)))
}

/// `lt a b`
pub(super) fn lt(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(order(helper).is_some_and(Ordering::is_lt)))
}

/// `lte a b`
pub(super) fn lte(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(order(helper).is_some_and(Ordering::is_le)))
}

/// `and a b…`
pub(super) fn and(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(helper.params().iter().all(|given| given.value().is_truthy(false))))
}

/// `or a b…`
pub(super) fn or(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(helper.params().iter().any(|given| given.value().is_truthy(false))))
}

/// `not a`
pub(super) fn not(helper: &Helper<'_>, _: &Context) -> Answer {
    Ok(Value::Bool(!helper.params().iter().any(|given| given.value().is_truthy(false))))
}

fn given<'a>(helper: &'a Helper<'_>, index: usize) -> &'a Value {
    helper.param(index).map_or(&Value::Null, |given| given.value())
}

fn is_equal(helper: &Helper<'_>) -> bool {
    let (a, b) = (given(helper, 0), given(helper, 1));
    match (amount(a), amount(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn order(helper: &Helper<'_>) -> Option<Ordering> {
    let (a, b) = (given(helper, 0), given(helper, 1));
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
