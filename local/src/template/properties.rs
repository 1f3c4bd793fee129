//! Typed looks at resolved properties.

use serde_json::Value;
use std::time::Duration;

/// The properties of a resource, or a part of them.
#[derive(Clone, Copy)]
pub(super) struct Properties<'a>(&'a Value);

impl<'a> Properties<'a> {
    pub(super) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    pub(super) fn within(self, name: &str) -> Self {
        Self(self.0.get(name).unwrap_or(&Value::Null))
    }

    pub(super) fn value(self) -> &'a Value {
        self.0
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    pub(super) fn need(self, name: &str) -> Result<&'a str, String> {
        self.text(name).ok_or(format!("{name} is missing"))
    }

    pub(super) fn list(self, name: &str) -> impl Iterator<Item = Properties<'a>> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().map(Properties)
    }

    pub(super) fn number(self, name: &str) -> Result<Option<i64>, String> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            // Parameters come as texts.
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| format!("{name} is not a number")),
            Some(value) => value.as_i64().map(Some).ok_or(format!("{name} is not a whole number")),
        }
    }

    pub(super) fn seconds(self, name: &str) -> Result<Option<Duration>, String> {
        let seconds = self.number(name)?;
        seconds
            .map(|n| u64::try_from(n).map(Duration::from_secs).map_err(|_| format!("{name} is negative")))
            .transpose()
    }

    pub(super) fn flag(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(b) => Some(*b),
            Value::String(text) => Some(text == "true"),
            _ => None,
        }
    }
}
