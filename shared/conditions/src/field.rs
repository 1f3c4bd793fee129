//! Which value a leaf is about.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use crate::value::is_there;

/// Where a path begins. What asks for a condition says which of these it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Root {
    /// The customer's profile; always there.
    Customer,
    /// The order that something happened to.
    Order,
    /// The event that happened.
    Event,
    /// The product that something happened to.
    Product,
    /// What changed.
    Change,
}

impl Root {
    /// Every root.
    pub const ALL: &[Root] = &[Root::Customer, Root::Order, Root::Event, Root::Product, Root::Change];

    /// Its name in a path.
    pub const fn name(self) -> &'static str {
        match self {
            Root::Customer => "customer",
            Root::Order => "order",
            Root::Event => "event",
            Root::Product => "product",
            Root::Change => "change",
        }
    }
}

/// A dotted path: a root and at least one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field(String);

impl Field {
    pub(crate) fn parse(path: &str, roots: &[Root]) -> Result<Field, String> {
        const MOST: usize = 256;
        if path.len() > MOST {
            return Err(format!("a field is at most {MOST} bytes long"));
        }
        let names = || roots.iter().map(|root| root.name()).collect::<Vec<_>>().join(", ");
        let (root, rest) = path.split_once('.').unwrap_or((path, ""));
        if !roots.iter().any(|known| known.name() == root) {
            return Err(format!("a field begins with one of {} here, not with {root:?}", names()));
        }
        if rest.split('.').any(|name| name.trim().is_empty()) {
            return Err(format!("{path:?} lacks a name: write {root}.something"));
        }
        Ok(Field(path.to_owned()))
    }

    pub(crate) fn path(&self) -> &str {
        &self.0
    }

    /// What the facts have there, `None` when nothing is.
    pub(crate) fn seen<'f>(&self, facts: &'f Value) -> Option<Seen<'f>> {
        let mut value = facts;
        let mut rest = self.0.as_str();
        while !rest.is_empty() {
            let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
            match value {
                Value::Object(fields) => value = fields.get(name)?,
                Value::Array(items) => {
                    let mut found = Vec::new();
                    gather(items, rest, &mut found);
                    return (!found.is_empty()).then_some(Seen::Many(found));
                }
                _ => return None,
            }
            rest = tail;
        }
        match value {
            Value::Array(items) if is_there(value) => Some(Seen::Many(items.iter().collect())),
            value => is_there(value).then_some(Seen::One(value)),
        }
    }
}

/// Follows a path from each item. Lists in lists become one.
fn gather<'f>(items: &'f [Value], path: &str, found: &mut Vec<&'f Value>) {
    for item in items {
        let mut value = Some(item);
        let mut rest = path;
        while let (Some(Value::Object(fields)), false) = (value, rest.is_empty()) {
            let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
            value = fields.get(name);
            rest = tail;
        }
        match value {
            Some(Value::Array(inner)) => gather(inner, rest, found),
            Some(value) if rest.is_empty() && is_there(value) => found.push(value),
            _ => {}
        }
    }
}

/// In words: `customer.first_name` is the customer first name.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace(['.', '_'], " "))
    }
}

/// What a field leads to.
pub(crate) enum Seen<'f> {
    One(&'f Value),
    Many(Vec<&'f Value>),
}

impl Seen<'_> {
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Seen::One(value) => (*value).clone(),
            Seen::Many(values) => values.iter().copied().cloned().collect(),
        }
    }

    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Seen::One(Value::String(text)) => Some(Cow::Borrowed(text)),
            Seen::One(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
            _ => None,
        }
    }
}
