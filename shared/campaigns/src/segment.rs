use std::collections::{BTreeMap, BTreeSet};

use conditions::Condition;
use domain::read::{self, Faults, Reader};
use domain::{Code, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::definition::{condition, ignore_words, put_words};

/// How deep segments may stand in segments.
const DEEPEST: usize = 16;

/// A condition with a name: whoever meets it is in the segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// By which it is named in conditions.
    pub code: Code,
    /// Its name, for people.
    pub name: String,
    /// Who is in it.
    pub condition: Condition,
}

impl Segment {
    /// Reads a definition as it came over the API.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(code: Code, body: &Value) -> Result<Self, Faults> {
        let mut reader = Reader::new(body);
        let name = reader.required("name", read::short);
        let condition = condition(&mut reader, "condition", conditions::Scope::SEGMENT.roots);
        if body.is_object() && body.get("condition").is_none_or(Value::is_null) {
            reader.fault("condition", "is required");
        }
        ignore_words(&mut reader, "condition_in_words");
        reader.finish()?;
        match (name, condition) {
            (Some(name), Some(condition)) => Ok(Self { code, name, condition }),
            _ => Err(vec![Fault::new("", "could not be read")]),
        }
    }

    /// The definition as it goes out over the API, with its condition in plain English too.
    #[must_use]
    pub fn show(&self) -> Value {
        let mut shown = self.definition();
        put_words(&mut shown, "condition_in_words", Some(&self.condition));
        shown
    }

    /// What was defined, and nothing that is made of it.
    #[must_use]
    pub fn definition(&self) -> Value {
        json!({ "code": self.code, "name": self.name, "condition": self.condition })
    }
}

/// The segments in force, by their codes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segments(BTreeMap<String, Condition>);

impl FromIterator<Segment> for Segments {
    fn from_iter<T: IntoIterator<Item = Segment>>(segments: T) -> Self {
        Self(segments.into_iter().map(|segment| (segment.code.to_string(), segment.condition)).collect())
    }
}

impl Segments {
    /// Who is in a segment.
    #[must_use]
    pub fn condition(&self, code: &str) -> Option<&Condition> {
        self.0.get(code)
    }

    /// The codes, in their order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What keeps a segment from having this condition: that it would ask, by way of other
    /// segments, about itself, or go deeper than anybody could follow. None if nothing does.
    #[must_use]
    pub fn hindrance(&self, code: &str, condition: &Condition) -> Option<String> {
        let mut way = vec![code];
        let mut done = BTreeSet::new();
        self.follow(code, condition, &mut way, &mut done).err()
    }

    /// Follows the segments that a condition names, each of them once.
    fn follow<'s>(
        &'s self,
        code: &str,
        condition: &'s Condition,
        way: &mut Vec<&'s str>,
        done: &mut BTreeSet<&'s str>,
    ) -> Result<(), String>
    where
        's: 's,
    {
        for next in condition.segments() {
            if next == code {
                return Err(format!("goes round in a circle: {} → {next}", way.join(" → ")));
            }
            if way.len() > DEEPEST {
                return Err(format!("goes through more than {DEEPEST} segments, one within the other"));
            }
            if let Some(inner) = self.condition(next).filter(|_| !done.contains(next)) {
                way.push(next);
                self.follow(code, inner, way, done)?;
                way.pop();
                done.insert(next);
            }
        }
        Ok(())
    }
}
