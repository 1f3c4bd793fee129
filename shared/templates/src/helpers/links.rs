//! Helpers that write addresses and what is shown from them.

use std::fmt::Write;

use handlebars::{Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError};
use serde_json::Value;

use super::{failed, is_blank, missing, print, required, shown};

/// `url base name=value…`
pub(super) fn url(helper: &Helper<'_>, _: &Context) -> Result<Value, RenderError> {
    let base = web_address(required(helper, 0)?)?;
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

/// An address of the web. A link in a mail has no page to be relative to, and another scheme
/// may run code.
fn web_address(given: &Value) -> Result<&str, RenderError> {
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

/// `image url alt="…" width=…`: a picture; in plain text what it is described by.
pub(super) struct Image {
    pub(super) html: bool,
}

impl Image {
    /// What else may be said of a picture, in the order in which it is written.
    pub(super) const NAMED: &[&str] = &["alt", "width", "height", "class", "style"];
}

impl HelperDef for Image {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let address = web_address(required(helper, 0)?)?;
        if !self.html {
            return Ok(out.write(&attribute(helper, "alt")?.unwrap_or_default())?);
        }
        out.write("<img src=\"")?;
        print::write_escaped(address, out)?;
        out.write("\"")?;
        for name in Self::NAMED {
            if let Some(value) = attribute(helper, name)? {
                out.write(" ")?;
                out.write(name)?;
                out.write("=\"")?;
                print::write_escaped(&value, out)?;
                out.write("\"")?;
            }
        }
        Ok(out.write(">")?)
    }
}

/// What the call gives under a name. A description may be empty where the template says so,
/// as of a picture that only adorns.
fn attribute(helper: &Helper<'_>, name: &str) -> Result<Option<String>, RenderError> {
    let Some(given) = helper.hash_get(name) else { return Ok(None) };
    match given.value() {
        Value::String(text) if text.is_empty() && given.relative_path().is_none() => Ok(Some(String::new())),
        value if is_blank(value) => Err(missing(given.relative_path().cloned(), helper)),
        value @ (Value::Array(_) | Value::Object(_)) => Err(failed(format!("{name} is {}", shown(value)))),
        Value::String(text) => Ok(Some(text.clone())),
        value => Ok(Some(value.to_string())),
    }
}
