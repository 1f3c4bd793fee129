use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Map, Value, json};

/// What is known of an event that came in without being defined.
///
/// It is a set of what was seen, an earliest and a latest day, so it is the same
/// whatever the order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeenEvent {
    /// On which kinds it came.
    pub kinds: BTreeSet<String>,
    /// From which sources.
    pub sources: BTreeSet<String>,
    /// What its context brought, each as `TYPE NAME`.
    pub fields: BTreeSet<String>,
    /// The earliest day of any, in UTC.
    pub first: Option<Date>,
    /// The latest day of any, in UTC.
    pub last: Option<Date>,
}

impl SeenEvent {
    /// Whether it says all that the other says.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let earlier = |day: Option<Date>| day.is_none() || self.first.is_some_and(|first| Some(first) <= day);
        let later = |day: Option<Date>| self.last >= day;
        self.kinds.is_superset(&other.kinds)
            && self.sources.is_superset(&other.sources)
            && self.fields.is_superset(&other.fields)
            && earlier(other.first)
            && later(other.last)
    }

    /// Takes in what the other says.
    pub fn add(&mut self, other: Self) {
        self.kinds.extend(other.kinds);
        self.sources.extend(other.sources);
        self.fields.extend(other.fields);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
    }

    /// What it says, as it goes out over the API.
    #[must_use]
    pub fn show(&self, name: &str) -> Value {
        let mut fields: Map<String, Value> = Map::new();
        for (r#type, name) in self.fields.iter().filter_map(|field| field.split_once(' ')) {
            if let Some(types) = fields.entry(name).or_insert_with(|| json!([])).as_array_mut() {
                types.push(json!(r#type));
            }
        }
        json!({
            "code": name, "defined": false, "kinds": self.kinds, "sources": self.sources, "fields": fields,
            "first_seen": self.first, "last_seen": self.last,
        })
    }
}

/// What kind of JSON a value is.
#[must_use]
pub fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
