//! Helpers that write addresses and what is shown from them.

use std::{borrow::Cow, fmt::Write};

use serde_json::Value;

use crate::run::{Stop, push_escaped};

use super::{Answer, Given, failed, is_blank, required, shown};

/// `url base name=value…`
pub(super) fn url<'v>(given: &Given<'v>) -> Answer<'v> {
    let base = web_address(required(given, 0)?)?;
    let (base, fragment) = base.find('#').map_or((base, ""), |at| base.split_at(at));
    let mut url = base.to_owned();
    for (name, named) in &given.named {
        let value = match &*named.value {
            value if is_blank(value) => return Err(named.missing()),
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
    Ok(Cow::Owned(Value::String(url)))
}

/// An address of the web. A link in a mail has no page to be relative to, and another scheme
/// may run code.
fn web_address(given: &Value) -> Result<&str, Stop> {
    let address = given.as_str().unwrap_or_default();
    let scheme = address.split_once("://").map_or("", |(scheme, _)| scheme);
    if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        Ok(address)
    } else {
        Err(failed(format!("{} is not an http or https address", shown(given))))
    }
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

/// What else may be said of a picture, in the order in which it is written.
pub(super) const OF_IMAGES: &[&str] = &["alt", "width", "height", "class", "style"];

/// `image url alt="…" width=…`: a picture; in plain text what it is described by.
pub(super) fn image(given: &Given<'_>, html: bool, out: &mut String) -> Result<(), Stop> {
    let address = web_address(required(given, 0)?)?;
    if !html {
        out.push_str(&attribute(given, "alt")?.unwrap_or_default());
        return Ok(());
    }
    out.push_str("<img src=\"");
    push_escaped(address, out);
    out.push('"');
    for name in OF_IMAGES {
        if let Some(value) = attribute(given, name)? {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            push_escaped(&value, out);
            out.push('"');
        }
    }
    out.push('>');
    Ok(())
}

/// What the call gives under a name. A description may be empty where the template says so,
/// as of a picture that only adorns.
fn attribute(given: &Given<'_>, name: &str) -> Result<Option<String>, Stop> {
    let Some(named) = given.named(name) else { return Ok(None) };
    match &*named.value {
        Value::String(text) if text.is_empty() && named.path.is_none() => Ok(Some(String::new())),
        value if is_blank(value) => Err(named.missing()),
        value @ (Value::Array(_) | Value::Object(_)) => Err(failed(format!("{name} is {}", shown(value)))),
        Value::String(text) => Ok(Some(text.clone())),
        value => Ok(Some(value.to_string())),
    }
}
