use std::collections::{BTreeMap, BTreeSet};

use conditions::{Condition, Needs, Program};
use domain::read::{self, Faults, Reader};
use domain::{Code, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::definition::{condition, ignore_words, put_words};

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

    /// This segment, and those that ask about it, directly or by way of others.
    #[must_use]
    pub fn asking_about(&self, code: &Code) -> BTreeSet<Code> {
        let mut found = BTreeSet::from([code.clone()]);
        let mut open = vec![code.to_string()];
        while let Some(about) = open.pop() {
            for asking in self.naming(&about) {
                if Code::parse(asking).is_ok_and(|code| found.insert(code)) {
                    open.push(asking.to_owned());
                }
            }
        }
        found
    }

    /// The segments that name this one themselves.
    pub fn naming<'s>(&'s self, code: &'s str) -> impl Iterator<Item = &'s str> {
        let naming = self.0.iter().filter(move |(_, condition)| condition.segments().contains(&code));
        naming.map(|(naming, _)| naming.as_str())
    }

    /// Of each segment what it needs, with all segments that it asks about; of those that
    /// cannot be answered nothing.
    pub fn needs(&self) -> impl Iterator<Item = (Code, Needs)> {
        self.0.iter().filter_map(|(code, condition)| {
            let program = Program::new([condition], |code| self.condition(code));
            Some((Code::parse(code).ok()?, program.is_whole().then(|| program.all_needs())?))
        })
    }

    /// Takes a segment in, in place of the one of its code.
    pub fn insert(&mut self, segment: Segment) {
        self.0.insert(segment.code.to_string(), segment.condition);
    }

    /// These segments, and of the others those that are not among them.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (code, condition) in others.0 {
            self.0.entry(code).or_insert(condition);
        }
        self
    }

    /// What keeps a segment from having this condition: that it would ask, by way of other
    /// segments, about itself, or that it or a segment that names it would come to ask more
    /// than can be answered. None if nothing does.
    #[must_use]
    pub fn hindrance(&self, code: &str, condition: &Condition) -> Option<String> {
        let mut segments = self.clone();
        segments.0.insert(code.to_owned(), condition.clone());
        if let Some(circle) = segments.circle(code, &mut vec![code], &mut BTreeSet::new()) {
            return Some(format!("goes round in a circle: {circle}"));
        }
        let too_much = segments.0.iter().find(|(_, condition)| !segments.can_answer(condition));
        too_much.map(|(asking, _)| format!("makes the segment {asking:?} ask more than can be answered"))
    }

    /// Whether a condition asks about segments that there are, and with all that these ask
    /// no more than can be answered.
    #[must_use]
    pub fn can_answer(&self, condition: &Condition) -> bool {
        self.can_answer_all([condition])
    }

    /// [`Self::can_answer`] of conditions that are asked together, which may be more than can be
    /// answered though each alone is not.
    #[must_use]
    pub fn can_answer_all<'c>(&'c self, conditions: impl IntoIterator<Item = &'c Condition>) -> bool {
        Program::new(conditions, |code| self.condition(code)).is_whole()
    }

    /// The way on which the segment at the beginning of `way` comes back to itself from the
    /// one at its end. Each segment is gone through once.
    fn circle<'s>(&'s self, code: &str, way: &mut Vec<&'s str>, done: &mut BTreeSet<&'s str>) -> Option<String> {
        let condition = self.condition(way.last()?)?;
        for next in condition.segments() {
            if next == code {
                return Some(format!("{} → {next}", way.join(" → ")));
            }
            if done.insert(next) {
                way.push(next);
                if let Some(circle) = self.circle(code, way, done) {
                    return Some(circle);
                }
                way.pop();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(defined: &[(String, Value)]) -> Segments {
        let read = |(code, condition): &(String, Value)| {
            Segment::read(Code::parse(code).unwrap(), &json!({ "name": "n", "condition": condition })).unwrap()
        };
        defined.iter().map(read).collect()
    }

    fn condition(json: Value) -> Condition {
        Segment::read(Code::parse("x").unwrap(), &json!({ "name": "n", "condition": json })).unwrap().condition
    }

    /// Segments `a1` … `an`, each of which names the next.
    fn chain(of: &str, length: usize) -> Vec<(String, Value)> {
        let named = |number: usize| json!({ "segment": format!("{of}{}", number + 1) });
        let last = json!({ "field": "customer.city", "is": "Riga" });
        let link = |number| if number == length { last.clone() } else { named(number) };
        (1..=length).map(|number| (format!("{of}{number}"), link(number))).collect()
    }

    #[test]
    fn a_segment_that_is_saved_leaves_every_segment_answerable() {
        let mut both = chain("a", 10);
        both.extend(chain("b", 10));
        let known = segments(&both);
        assert_eq!(known.hindrance("c", &condition(json!({ "segment": "a1" }))), None);
        // The chains, joined in their middle, are too long for whoever names the first.
        let hindrance = known.hindrance("a10", &condition(json!({ "segment": "b1" }))).unwrap();
        assert!(hindrance.contains("\"a1\" ask more than can be answered"), "{hindrance}");
        assert_eq!(known.hindrance("a5", &condition(json!({ "segment": "b1" }))), None);
        let circle = known.hindrance("b10", &condition(json!({ "segment": "b8" })));
        assert_eq!(circle.unwrap(), "goes round in a circle: b10 → b8 → b9 → b10");
    }

    #[test]
    fn what_names_a_segment_that_is_not_there_cannot_be_answered() {
        let known = segments(&chain("a", 2));
        assert!(known.can_answer(&condition(json!({ "not": { "segment": "a1" } }))));
        assert!(!known.can_answer(&condition(json!({ "not": { "segment": "b1" } }))));
    }

    #[test]
    fn many_segments_in_many_are_refused() {
        let all =
            |of: &str| json!({ "any": (0..11).map(|n| json!({ "segment": format!("{of}{n}") })).collect::<Vec<_>>() });
        let mut defined: Vec<_> = (0..11).map(|n| (format!("c{n}"), json!({ "count": "orders" }))).collect();
        defined.extend((0..11).map(|n| (format!("b{n}"), all("c"))));
        let known = segments(&defined);
        assert_eq!(known.hindrance("a0", &condition(all("b"))), None);
        defined.extend((0..11).map(|n| (format!("a{n}"), all("b"))));
        assert!(segments(&defined).hindrance("x", &condition(all("a"))).is_some());
    }
}
