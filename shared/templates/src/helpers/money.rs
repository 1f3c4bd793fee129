//! Amounts and other numbers, exact to the last digit.

use handlebars::{Context, Helper, RenderError};
use rust_decimal::{Decimal, RoundingStrategy::MidpointAwayFromZero};
use serde_json::Value;

use super::{failed, required, shown};

/// `money amount currency`
pub(super) fn money(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let amount = required_decimal(helper, 0)?;
    let currency = required(helper, 1)?;
    let code = match currency.as_str() {
        Some(code) if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => code,
        _ => return Err(failed(format!("{} is not the code of a currency", shown(currency)))),
    };
    let digits = grouped(amount.abs(), minor_digits(code));
    // What rounds to nothing has no sign.
    let negative = amount.is_sign_negative() && digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    let minus = if negative { "-" } else { "" };
    Ok(Value::String(match sign(code) {
        Some(sign) => format!("{minus}{sign}{digits}"),
        None => format!("{code}\u{a0}{minus}{digits}"),
    }))
}

/// `number value decimals?`
pub(super) fn number(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let value = required_decimal(helper, 0)?;
    let decimals = match helper.param(1).map(|given| given.value()) {
        None => value.normalize().scale(),
        Some(given) => match given.as_u64() {
            Some(decimals @ 0..=10) => decimals as u32,
            _ => return Err(failed(format!("{} decimals: it must be 0 to 10", shown(given)))),
        },
    };
    let digits = grouped(value.abs(), decimals);
    let negative = value.is_sign_negative() && digits.bytes().any(|b| matches!(b, b'1'..=b'9'));
    Ok(Value::String(if negative { format!("-{digits}") } else { digits }))
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

/// Rounded half away from zero, as shops do, with a comma between thousands.
fn grouped(value: Decimal, decimals: u32) -> String {
    let rounded = value.round_dp_with_strategy(decimals, MidpointAwayFromZero);
    let digits = format!("{rounded:.0$}", decimals as usize);
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut grouped = String::with_capacity(digits.len() + whole / 3);
    for (index, digit) in digits[..whole].char_indices() {
        if index > 0 && (whole - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(&digits[whole..]);
    grouped
}

/// How many decimals a currency has (ISO 4217, list one).
fn minor_digits(code: &str) -> u32 {
    match code {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// The sign of a currency that every reader takes for that one. `$` alone is the US
/// dollar, `¥` the yen; other dollars, crowns and the yuan go by their codes.
fn sign(code: &str) -> Option<&'static str> {
    Some(match code {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        "ILS" => "₪",
        "UAH" => "₴",
        "TRY" => "₺",
        "VND" => "₫",
        _ => return None,
    })
}
