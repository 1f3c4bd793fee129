//! Mailing categories, and what customers see on their page beside them.

use std::collections::BTreeMap;

use domain::dictionary::MailingCategory;
use domain::read::{self, Reader};
use serde_json::{Value, json};

/// The most languages in which a category may have a name of its own.
const MOST_NAMES: usize = 50;

/// The longest description, in characters.
const LONGEST_DESCRIPTION: usize = 500;

/// The longest address of a logo, in characters.
const LONGEST_LOGO: usize = 2_000;

pub(super) fn read(reader: &mut Reader<'_>, code: &str) -> Option<MailingCategory> {
    let name = reader.required("name", super::name);
    let names = reader.optional("names", names).unwrap_or_default();
    let description = reader.optional("description", |value| read::text(value, LONGEST_DESCRIPTION));
    let visible = reader.optional("visible", super::yes_or_no).unwrap_or(true);
    let default = reader.optional("default", on_or_off).unwrap_or(true);
    let active = reader.optional("active", super::yes_or_no).unwrap_or(true);
    let code = crate::customer::category(code).ok()?;
    Some(MailingCategory { code, name: name?, names, description, visible, default, active })
}

fn names(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let want = || format!("must be an object of at most {MOST_NAMES} names, each by a language tag (BCP 47)");
    let named = value.as_object().filter(|named| named.len() <= MOST_NAMES).ok_or_else(want)?;
    let mut names = BTreeMap::new();
    for (tag, value) in named {
        let tag = super::language(tag).ok_or_else(want)?.to_lowercase();
        names.insert(tag, super::name(value).map_err(|detail| format!("has a name that {detail}"))?);
    }
    Ok(names)
}

fn on_or_off(value: &Value) -> Result<bool, &'static str> {
    match value.as_str() {
        Some("on") => Ok(true),
        Some("off") => Ok(false),
        _ => Err("must be \"on\" or \"off\""),
    }
}

pub(super) fn show(category: &MailingCategory, mut put: impl FnMut(&str, Value)) {
    put("name", json!(category.name));
    if !category.names.is_empty() {
        put("names", json!(category.names));
    }
    put("description", json!(category.description));
    put("visible", json!(category.visible));
    put("default", json!(if category.default { "on" } else { "off" }));
    put("active", json!(category.active));
}

/// The address of a picture that a page may show whose policy names its host.
pub(super) fn logo(value: &Value) -> Result<String, &'static str> {
    const WANT: &str = "must be an https address, such as \"https://shop.example.com/logo.png\"";
    let text = value.as_str().filter(|text| text.len() <= LONGEST_LOGO).ok_or(WANT)?;
    let rest = text.strip_prefix("https://").ok_or(WANT)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_host = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b));
    let is_plain = rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\`".contains(&b));
    if is_host && is_plain { Ok(text.to_owned()) } else { Err(WANT) }
}
