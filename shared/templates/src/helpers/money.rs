//! Amounts and other numbers, exact to the last digit, as the reader's language writes them.

use handlebars::{Context, Helper, RenderError};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{failed, language, required, shown};

/// `money amount currency`
pub(super) fn money(helper: &Helper<'_>, context: &Context) -> Result<Value, RenderError> {
    let amount = required_decimal(helper, 0)?;
    let currency = required(helper, 1)?;
    let code = match currency.as_str() {
        Some(code) if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => code,
        _ => return Err(failed(format!("{} is not the code of a currency", shown(currency)))),
    };
    Ok(Value::String(language::of(helper, context)?.money(amount, code)))
}

/// `number value decimals?`
pub(super) fn number(helper: &Helper<'_>, context: &Context) -> Result<Value, RenderError> {
    let value = required_decimal(helper, 0)?;
    let decimals = match helper.param(1).map(|given| given.value()) {
        None => value.normalize().scale(),
        Some(given) => match given.as_u64() {
            Some(decimals @ 0..=10) => decimals as u32,
            _ => return Err(failed(format!("{} decimals: it must be 0 to 10", shown(given)))),
        },
    };
    Ok(Value::String(language::of(helper, context)?.number(value, decimals)))
}

/// `plural n one many`, or `plural n one="…" few="…" many="…" other="…"`
pub(super) fn plural(helper: &Helper<'_>, context: &Context) -> Result<Value, RenderError> {
    let count = required_decimal(helper, 0)?;
    if helper.params().len() > 1 {
        return required(helper, if count == Decimal::ONE { 1 } else { 2 }).cloned();
    }
    let form = language::of(helper, context)?.category(count).name();
    let given = helper.hash_get(form).or_else(|| helper.hash_get("other"));
    // The check at compile time has seen to it that "other" is there.
    Ok(given.map(|given| given.value().clone()).unwrap_or_default())
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

fn required_decimal(helper: &Helper<'_>, index: usize) -> Result<Decimal, RenderError> {
    let value = required(helper, index)?;
    decimal(value).ok_or_else(|| failed(format!("{} is not a number", shown(value))))
}
