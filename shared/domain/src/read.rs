//! Reading a caller's JSON into domain types.
//!
//! A [`Reader`] takes an object apart field by field and remembers everything
//! that was wrong, each with its place, so that the caller hears of all of it
//! at once. What no one asked for is a fault as well: a field that is silently
//! lost is worse than one that is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Amount;

/// One thing that is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the request's body; empty for the whole.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Fault {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Takes one JSON object apart.
pub struct Reader<'a> {
    pointer: String,
    object: Option<&'a Map<String, Value>>,
    asked: BTreeSet<&'static str>,
    faults: Vec<Fault>,
}

/// A [`Reader`]'s answer when anything was wrong.
pub type Faults = Vec<Fault>;

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

impl<'a> Reader<'a> {
    /// A reader of a whole body.
    #[must_use]
    pub fn new(value: &'a Value) -> Self {
        Self::at(String::new(), value)
    }

    fn at(pointer: String, value: &'a Value) -> Self {
        let mut faults = Vec::new();
        if !value.is_object() {
            faults.push(Fault::new(pointer.clone(), "must be a JSON object"));
        }
        Self { pointer, object: value.as_object(), asked: BTreeSet::new(), faults }
    }

    /// Whether there is an object to read; if there is none, that alone is the fault.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.object.is_some()
    }

    /// The pointer to one of this object's fields.
    #[must_use]
    pub fn place(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, escaped(key))
    }

    /// Remembers that a field is wrong.
    pub fn fault(&mut self, key: &str, detail: impl Into<String>) {
        let place = self.place(key);
        self.faults.push(Fault::new(place, detail));
    }

    /// Takes over what was wrong further in.
    pub fn faults(&mut self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.extend(faults);
    }

    /// The field as it came; `null` counts as absent.
    pub fn raw(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.insert(key);
        self.object?.get(key).filter(|value| !value.is_null())
    }

    /// An optional field through a parser of JSON values.
    pub fn optional<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.raw(key)?;
        parse(value).map_err(|error| self.fault(key, error.to_string())).ok()
    }

    /// A field that must be there, through a parser of JSON values.
    pub fn required<T, E: ToString>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&'a Value) -> Result<T, E>,
    ) -> Option<T> {
        if self.object.is_some() && self.raw(key).is_none() {
            self.fault(key, "is required");
        }
        self.optional(key, parse)
    }

    /// An object within this one, through a function that reads it.
    pub fn nested<T>(&mut self, key: &'static str, read: impl FnOnce(Reader<'a>) -> Result<T, Faults>) -> Option<T> {
        let value = self.raw(key)?;
        read(Reader::at(self.place(key), value)).map_err(|faults| self.faults(faults)).ok()
    }

    /// A list of objects, each through a function that reads it. Absent is an
    /// empty list.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        most: usize,
        read: impl Fn(Reader<'a>) -> Result<T, Faults>,
    ) -> Vec<T> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.fault(key, "must be a list");
            return Vec::new();
        };
        if items.len() > most {
            self.fault(key, format!("has {} entries; at most {most} are taken", items.len()));
            return Vec::new();
        }
        let place = self.place(key);
        let mut taken = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match read(Reader::at(format!("{place}/{index}"), item)) {
                Ok(item) => taken.push(item),
                Err(faults) => self.faults(faults),
            }
        }
        taken
    }

    /// An object of objects, each through a function that reads it, given its key. Absent is
    /// an empty one.
    pub fn objects<T>(
        &mut self,
        key: &'static str,
        most: usize,
        read: impl Fn(&str, Reader<'a>) -> Result<T, Faults>,
    ) -> BTreeMap<String, T> {
        let Some(value) = self.raw(key) else { return BTreeMap::new() };
        let Some(objects) = value.as_object() else {
            self.fault(key, "must be a JSON object");
            return BTreeMap::new();
        };
        if objects.len() > most {
            self.fault(key, format!("has {} entries; at most {most} are taken", objects.len()));
            return BTreeMap::new();
        }
        let place = self.place(key);
        let mut taken = BTreeMap::new();
        for (name, object) in objects {
            match read(name, Reader::at(format!("{place}/{}", escaped(name)), object)) {
                Ok(object) => drop(taken.insert(name.clone(), object)),
                Err(faults) => self.faults(faults),
            }
        }
        taken
    }

    /// Ends the reading: every field that nobody asked for is a fault.
    ///
    /// # Errors
    /// All that was wrong, in the order in which it was found.
    pub fn finish(mut self) -> Result<(), Faults> {
        for key in self.object.into_iter().flat_map(Map::keys) {
            if !self.asked.contains(key.as_str()) {
                let detail = match nearest(key, &self.asked) {
                    Some(near) => format!("is not a known field; did you mean {near:?}?"),
                    None => "is not a known field".to_owned(),
                };
                self.faults.push(Fault::new(format!("{}/{}", self.pointer, escaped(key)), detail));
            }
        }
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}

fn nearest<'k>(key: &str, known: &BTreeSet<&'k str>) -> Option<&'k str> {
    let plain = |text: &str| text.to_lowercase().replace(['_', '-'], "");
    let key = plain(key);
    known.iter().copied().find(|name| {
        let name = plain(name);
        name == key || (key.len() >= 4 && (name.starts_with(&key) || key.starts_with(&name)))
    })
}

/// Text of at most `most` characters.
///
/// # Errors
/// Says what is wrong.
pub fn text(value: &Value, most: usize) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?;
    if text.chars().count() > most {
        return Err(format!("must be at most {most} characters long"));
    }
    Ok(text.to_owned())
}

/// A short text: a name, a city.
///
/// # Errors
/// Says what is wrong.
pub fn short(value: &Value) -> Result<String, String> {
    text(value, 500)
}

/// Text through a parser of text.
///
/// # Errors
/// Says what is wrong.
pub fn parsed<T, E: ToString>(parse: impl FnOnce(&str) -> Result<T, E>) -> impl FnOnce(&Value) -> Result<T, String> {
    |value| parse(value.as_str().ok_or("must be a text")?).map_err(|error| error.to_string())
}

/// A list of short texts, at most a hundred.
///
/// # Errors
/// Says what is wrong.
pub fn texts(value: &Value) -> Result<Vec<String>, String> {
    const WANT: &str = "must be a list of at most 100 texts";
    let items = value.as_array().filter(|items| items.len() <= 100).ok_or(WANT)?;
    items.iter().map(short).collect()
}

/// Puts what was read into an object, if it was there.
pub fn put<T: Serialize>(fields: &mut Map<String, Value>, key: &str, value: Option<T>) {
    if let Some(value) = value.and_then(|value| serde_json::to_value(value).ok()) {
        fields.insert(key.to_owned(), value);
    }
}

/// Puts the nulls of a body into what was read of it, objects in it included: in a
/// part, null takes a field away. `but` names the body's fields that are no fields
/// of the thing.
pub fn take_nulls(fields: &mut Map<String, Value>, body: &Value, but: &[&str]) {
    for (key, value) in body.as_object().into_iter().flatten().filter(|(key, _)| !but.contains(&key.as_str())) {
        match value {
            Value::Null => {
                fields.insert(key.clone(), Value::Null);
            }
            Value::Object(_) => {
                if let Some(Value::Object(inner)) = fields.get_mut(key) {
                    // What was read of an object has a null for each of its own fields
                    // that the body does not name.
                    inner.retain(|_, known| !known.is_null());
                    take_nulls(inner, value, &[]);
                }
            }
            _ => {}
        }
    }
}

/// An exact decimal, as text (`"24.95"`) or as a number.
///
/// # Errors
/// Says what is wrong.
pub fn amount(value: &Value) -> Result<Amount, String> {
    match value {
        Value::String(text) => Amount::parse(text),
        Value::Number(number) => Amount::parse(&number.to_string()),
        _ => Err("must be a decimal number, such as \"24.95\""),
    }
    .map_err(str::to_owned)
}

/// An instant with its zone (RFC 3339), between the years 1970 and 9999,
/// rounded down to the millisecond.
///
/// # Errors
/// Says what is wrong.
pub fn instant(value: &Value) -> Result<Timestamp, String> {
    const WANT: &str = "must be a time with its zone (RFC 3339), such as \"2026-11-22T10:00:00Z\"";
    let instant: Timestamp = value.as_str().and_then(|text| text.parse().ok()).ok_or(WANT)?;
    if instant < Timestamp::UNIX_EPOCH {
        return Err("must not be before 1970".to_owned());
    }
    Timestamp::from_millisecond(instant.as_millisecond()).map_err(|_| WANT.to_owned())
}

/// A length of time as ISO 8601 writes it (`PT2H`, `P3D`): more than nothing,
/// at most a year. A day is 24 hours.
///
/// # Errors
/// Says what is wrong.
pub fn duration(value: &Value) -> Result<SignedDuration, &'static str> {
    const WANT: &str = "must be a length of time (ISO 8601) of at most 365 days, such as \"PT2H\" or \"P3D\"";
    let span: Span = value.as_str().and_then(|text| text.parse().ok()).ok_or(WANT)?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| WANT)?;
    let fits = length >= SignedDuration::from_secs(1) && length <= SignedDuration::from_hours(365 * 24);
    if fits { Ok(length) } else { Err(WANT) }
}

/// Custom fields: an object of texts, numbers, truth values and lists of them.
///
/// # Errors
/// Says what is wrong.
pub fn fields(value: &Value) -> Result<Map<String, Value>, String> {
    let fields = value.as_object().ok_or("must be a JSON object")?;
    let plain = |value: &Value| !value.is_object() && !value.is_array();
    for (name, value) in fields {
        let fits = plain(value) || value.as_array().is_some_and(|items| items.iter().all(plain));
        if !fits {
            return Err(format!("has {name:?}, which must be a text, a number, true, false or a list of these"));
        }
    }
    Ok(fields.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_fault_is_found_and_named() {
        let body = json!({"id": 7, "lines": [{"n": "x"}, 5], "by": {"a/b": {"n": "x"}, "c": 5}, "totl": "1"});
        let mut reader = Reader::new(&body);
        reader.required("id", short);
        reader.required("at", instant);
        reader.optional("total", amount);
        reader.list("lines", 10, |mut line| {
            let n = line.required("n", amount);
            line.finish()?;
            Ok(n)
        });
        reader.objects("by", 10, |_, mut object| {
            let n = object.required("n", amount);
            object.finish()?;
            Ok(n)
        });
        let places: Vec<String> = reader.finish().unwrap_err().into_iter().map(|f| f.pointer).collect();
        assert_eq!(places, ["/id", "/at", "/lines/0/n", "/lines/1", "/by/a~1b/n", "/by/c", "/totl"]);
    }

    #[test]
    fn instants_need_a_zone_and_a_real_year() {
        for bad in ["2026-11-22T10:00:00", "10000-01-01T00:00:00Z", "yesterday", "1969-12-31T23:59:59Z"] {
            assert!(instant(&json!(bad)).is_err(), "{bad}");
        }
        assert_eq!(instant(&json!("2026-11-22T12:00:00.1239+02:00")).unwrap().to_string(), "2026-11-22T10:00:00.123Z");
    }
}
