//! Amounts and other numbers, exact to the last digit, as the reader's language writes them.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::run::Stop;

use super::{Answer, Given, failed, language, required, shown};

/// `money amount currency`
pub(super) fn money<'v>(given: &Given<'v>) -> Answer<'v> {
    let amount = required_decimal(given, 0)?;
    let currency = required(given, 1)?;
    let code = match currency.as_str() {
        Some(code) if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => code,
        _ => return Err(failed(format!("{} is not the code of a currency", shown(currency)))),
    };
    Ok(Cow::Owned(Value::String(language::of(given)?.money(amount, code))))
}

/// `number value decimals?`
pub(super) fn number<'v>(given: &Given<'v>) -> Answer<'v> {
    let value = required_decimal(given, 0)?;
    let decimals = match given.param(1).map(|given| &*given.value) {
        None => value.normalize().scale(),
        Some(given) => match given.as_u64() {
            Some(decimals @ 0..=10) => decimals as u32,
            _ => return Err(failed(format!("{} decimals: it must be 0 to 10", shown(given)))),
        },
    };
    Ok(Cow::Owned(Value::String(language::of(given)?.number(value, decimals))))
}

/// `plural n one many`, or `plural n one="…" few="…" many="…" other="…"`
pub(super) fn plural<'v>(given: &Given<'v>) -> Answer<'v> {
    let count = required_decimal(given, 0)?;
    if given.params.len() > 1 {
        return given.required_as_it_is(if count == Decimal::ONE { 1 } else { 2 });
    }
    let form = language::of(given)?.category(count).name();
    let chosen = given.named(form).or_else(|| given.named("other"));
    // The check at compile time has seen to it that "other" is there.
    Ok(chosen.map(|chosen| chosen.value.clone()).unwrap_or_default())
}

/// A number, or text that is one. Not exact, not a number here.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => Decimal::from_str_exact(text).ok(),
        Value::Number(number) => {
            let text = number.to_string();
            Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
        }
        _ => None,
    }
}

fn required_decimal(given: &Given<'_>, index: usize) -> Result<Decimal, Stop> {
    let value = required(given, index)?;
    decimal(value).ok_or_else(|| failed(format!("{} is not a number", shown(value))))
}
