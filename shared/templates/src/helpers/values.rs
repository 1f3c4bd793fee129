//! Helpers that choose, count and cut values, and the one that stops the message.

use std::fmt::Write;

use handlebars::{Context, Helper, RenderError, RenderErrorReason};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{failed, is_blank, missing, money::decimal, required, shown};

/// `plural n one many`
pub(super) fn plural(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let count = required(helper, 0)?;
    let Some(count) = decimal(count) else {
        return Err(failed(format!("{} is not a number", shown(count))));
    };
    required(helper, if count == Decimal::ONE { 1 } else { 2 }).cloned()
}

/// `default value other…`
pub(super) fn default(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let chosen = helper.params().iter().map(|given| given.value()).find(|value| !is_blank(value));
    // As a condition nothing is false; as text it is missing, which the printer sees to.
    Ok(chosen.cloned().unwrap_or_default())
}

/// `limit list n`
pub(super) fn limit(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let list = required(helper, 0)?;
    let most = required(helper, 1)?;
    match (list, most.as_u64()) {
        (Value::Array(items), Some(most)) => {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            Ok(Value::Array(items.iter().take(most).cloned().collect()))
        }
        (Value::Array(_), None) => Err(failed(format!("{} is not a number of items", shown(most)))),
        _ => Err(failed(format!("{} is not a list", shown(list)))),
    }
}

/// `len value`
pub(super) fn len(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    Ok(Value::from(match helper.param(0).map(|given| given.value()) {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(fields)) => fields.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => 0,
    }))
}

/// `lookup container key`
pub(super) fn lookup(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let key = required(helper, 1)?;
    let container = helper.param(0).map_or(&Value::Null, |given| given.value());
    let found = match (container, key) {
        (Value::Array(items), key) => {
            key.as_u64().and_then(|index| usize::try_from(index).ok()).and_then(|index| items.get(index))
        }
        (Value::Object(fields), Value::String(key)) => fields.get(key),
        _ => None,
    };
    Ok(found.cloned().unwrap_or_default())
}

/// `url base name=value…`
pub(super) fn url(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let given = required(helper, 0)?;
    let base = given.as_str().unwrap_or_default();
    let scheme = base.split_once("://").map_or("", |(scheme, _)| scheme);
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        // A link in a mail has no page to be relative to, and another scheme may run code.
        return Err(failed(format!("{} is not an http or https address", shown(given))));
    }
    let (base, fragment) = base.find('#').map_or((base, ""), |at| base.split_at(at));
    let mut url = base.to_owned();
    for (name, given) in helper.hash() {
        let value = match given.value() {
            value if is_blank(value) => return Err(missing(given.relative_path().cloned(), helper)),
            Value::String(text) => text.clone(),
            value @ (Value::Array(_) | Value::Object(_)) => {
                return Err(failed(format!("{name} is {} and cannot be in a link", shown(value))));
            }
            value => value.to_string(),
        };
        if !url.ends_with(['?', '&']) {
            url.push(if url.contains('?') { '&' } else { '?' });
        }
        push_encoded(&mut url, name);
        url.push('=');
        push_encoded(&mut url, &value);
    }
    url.push_str(fragment);
    Ok(Value::String(url))
}

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3).
fn push_encoded(url: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(byte)),
            _ => {
                // Writing to a String does not fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
    }
}

/// `block reason`
pub(super) fn block(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let reason = required(helper, 0)?;
    let text = reason.as_str().map_or_else(|| shown(reason), |text| text.chars().take(200).collect());
    Err(RenderErrorReason::NestedError(Box::new(Blocked(text))).into())
}

/// The template does not want this message sent, for this reason.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Blocked(String);
