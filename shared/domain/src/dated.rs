//! Things of which each field has its own time.
//!
//! A shop says a thing as a whole, or some of its fields; it says so twice, late
//! and out of order. Each field keeps what was said of it last, by the time the
//! shop gave, so that the same sayings end the same in whatever order they
//! arrive.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Conflict;

/// What is said of a thing at one time, as checked JSON.
///
/// Objects within it are taken field by field; everything else, lists included,
/// is one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Whether this is all there is to say, so that what it leaves out is gone.
    pub whole: bool,
    /// The fields. In a part, null takes a field away.
    pub fields: Map<String, Value>,
}

impl Said {
    /// Whether it says nothing at all: a part without a field.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        !self.whole && self.fields.is_empty()
    }
}

/// A thing as it stands, and since when each of its fields does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// The thing.
    pub content: T,
    /// When it was said.
    pub times: Times,
}

/// When a thing was said as a whole, and which fields were said later than that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Timestamp>,
    /// By JSON pointer; a pointer to an object holds for all that is in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<String, Timestamp>,
}

type Leaves = BTreeMap<String, Value>;

impl Times {
    /// When anything of it was said last.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.fields.values().copied().chain(self.whole).max()
    }

    /// When the whole was said last.
    #[must_use]
    pub fn whole(&self) -> Option<Timestamp> {
        self.whole
    }

    /// Since when the field at this JSON pointer holds, said or left out.
    #[must_use]
    pub fn of(&self, pointer: &str) -> Option<Timestamp> {
        if self.fields.is_empty() {
            return self.whole;
        }
        let above = pointer.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(end, _)| &pointer[..end]);
        let said = above.chain([pointer]).filter_map(|pointer| self.fields.get(pointer)).max().copied();
        said.max(self.whole)
    }
}

impl<T: Serialize + DeserializeOwned> Dated<T> {
    /// The thing with what was said worked in; `None` if that says nothing new.
    ///
    /// Without `at` it is said now, and only if it differs from what is known:
    /// then it is the newest there is, even beside something that the shop's clock
    /// dated ahead of ours.
    ///
    /// # Errors
    /// A [`Conflict`] if something else was said for the same time, or if a part
    /// takes away what the thing cannot be without.
    pub fn merge(
        known: Option<&Self>,
        said: &Said,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<Self>, Conflict> {
        let before = known.map(|known| flat(&json(&known.content))).unwrap_or_default();
        let times = known.map(|known| known.times.clone()).unwrap_or_default();
        let leaves = if said.whole {
            // As it would be kept, with whatever it has by default.
            flat(&json(&read::<T>(flat(&said.fields))?))
        } else {
            flat_with_nulls(&said.fields, true)
        };
        let at = match at {
            Some(at) => at,
            None if known.is_some() && !differs(&before, &leaves, said.whole) => return Ok(None),
            None => times.latest().map_or(now, |latest| now.max(latest + SignedDuration::from_millis(1))),
        };
        let merged = if said.whole { whole(&before, &times, leaves, at)? } else { part(&before, &times, leaves, at)? };
        let Some((leaves, times)) = merged else {
            return match known {
                Some(_) => Ok(None),
                // A part that says nothing still says that the thing is there.
                None => Ok(Some(Self { content: read(Leaves::new())?, times })),
            };
        };
        Ok(Some(Self { content: read(leaves)?, times }))
    }

    /// Two accounts of one thing as one: of each field the one that was said later;
    /// of two at the same time the larger text, so that it does not matter which
    /// account is which.
    ///
    /// # Errors
    /// If the two have no common content, which takes two different kinds of thing.
    pub fn joined(&self, other: &Self) -> Result<Self, Conflict> {
        let (ours, theirs) = (flat(&json(&self.content)), flat(&json(&other.content)));
        let mut leaves = Leaves::new();
        for pointer in ours.keys().chain(theirs.keys()) {
            let (mine, other_at) = (self.times.of(pointer), other.times.of(pointer));
            let (a, b) = (ours.get(pointer), theirs.get(pointer));
            let value = match mine.cmp(&other_at) {
                std::cmp::Ordering::Greater => a,
                std::cmp::Ordering::Less => b,
                std::cmp::Ordering::Equal => a.max_by_text(b),
            };
            if let Some(value) = value {
                leaves.insert(pointer.clone(), value.clone());
            }
        }
        let whole = self.times.whole.max(other.times.whole);
        let mut fields = BTreeMap::new();
        for pointer in self.times.fields.keys().chain(other.times.fields.keys()) {
            let at = self.times.of(pointer).max(other.times.of(pointer));
            if at > whole {
                fields.extend(at.map(|at| (pointer.clone(), at)));
            }
        }
        // Where one account was said as a whole, what the other knows and was said
        // before that is gone; what was said after it keeps its own time.
        Ok(Self { content: read(leaves)?, times: Times { whole, fields } })
    }
}

impl<T: Serialize + DeserializeOwned> Dated<T> {
    /// Two things that turn out to be one, as one: as [`Self::joined`], but what only one
    /// of them has stays. That the other was said as a whole without it says nothing of
    /// the two together.
    ///
    /// # Errors
    /// If the two have no common content.
    pub fn filled(&self, other: &Self) -> Result<Self, Conflict> {
        let Self { content, mut times } = self.joined(other)?;
        let Some(whole) = times.whole else { return Ok(Self { content, times }) };
        let mut leaves = flat(&json(&content));
        // Said, as it were, right after both.
        let at = whole + SignedDuration::from_millis(1);
        for (pointer, value) in [self, other].into_iter().flat_map(|one| flat(&json(&one.content))) {
            let is_gone = times.of(&pointer) > Some(whole);
            if !is_gone && !leaves.contains_key(&pointer) {
                leaves.insert(pointer.clone(), value);
                times.fields.insert(pointer, at);
            }
        }
        Ok(Self { content: read(leaves)?, times })
    }
}

trait LargerText<'a> {
    fn max_by_text(self, other: Option<&'a Value>) -> Option<&'a Value>;
}

impl<'a> LargerText<'a> for Option<&'a Value> {
    fn max_by_text(self, other: Option<&'a Value>) -> Option<&'a Value> {
        match (self, other) {
            (Some(a), Some(b)) => {
                let (first, second) = (a.to_string(), b.to_string());
                Some(if first >= second { a } else { b })
            }
            (one, other) => one.or(other),
        }
    }
}

/// The whole, said at `at`: it holds for every field that was not said later.
fn whole(before: &Leaves, times: &Times, said: Leaves, at: Timestamp) -> Result<Option<(Leaves, Times)>, Conflict> {
    if times.whole.is_some_and(|whole| at < whole) {
        return Ok(None);
    }
    let holds = |pointer: &str| times.of(pointer).is_some_and(|time| time > at);
    for (pointer, value) in before.iter().filter(|(pointer, _)| times.of(pointer) == Some(at)) {
        if said.get(pointer) != Some(value) {
            return Err(other_content());
        }
    }
    if times.whole == Some(at) {
        let new = said.iter().any(|(pointer, value)| !holds(pointer) && before.get(pointer) != Some(value));
        return if new { Err(other_content()) } else { Ok(None) };
    }
    let mut leaves: Leaves = said.into_iter().filter(|(pointer, _)| !holds(pointer)).collect();
    leaves.extend(before.iter().filter(|(pointer, _)| holds(pointer)).map(|(p, v)| (p.clone(), v.clone())));
    let fields = times.fields.iter().filter(|(_, time)| **time > at).map(|(p, t)| (p.clone(), *t)).collect();
    Ok(Some((leaves, Times { whole: Some(at), fields })))
}

/// Some fields, said at `at`: each holds unless it was said later.
fn part(before: &Leaves, times: &Times, said: Leaves, at: Timestamp) -> Result<Option<(Leaves, Times)>, Conflict> {
    let (mut leaves, mut times, mut new) = (before.clone(), times.clone(), false);
    for (pointer, value) in said {
        let within = format!("{pointer}/");
        let value = Some(value).filter(|value| !value.is_null());
        match times.of(&pointer) {
            Some(time) if time > at => continue,
            Some(time) if time == at => {
                let known = leaves.get(&pointer);
                let inner = leaves.keys().any(|known| known.starts_with(&within) && times.of(known) == Some(at));
                if same(known, value.as_ref()) && !inner {
                    continue;
                }
                return Err(Conflict::new(pointer, "differs from what is recorded for the same time"));
            }
            _ => {}
        }
        new = true;
        // What was said later of a field within an object stays, whatever is said of
        // the object.
        leaves.retain(|known, _| {
            !(known == &pointer || known.starts_with(&within)) || times.of(known).is_some_and(|time| time > at)
        });
        times.fields.retain(|known, time| !known.starts_with(&within) || *time > at);
        if let Some(value) = value {
            leaves.insert(pointer.clone(), value);
        }
        times.fields.insert(pointer, at);
    }
    Ok(new.then_some((leaves, times)))
}

fn other_content() -> Conflict {
    Conflict::new("/updated_at", "is recorded already, with another content; give the newer one a later time")
}

fn differs(before: &Leaves, said: &Leaves, whole: bool) -> bool {
    if whole {
        return before != said;
    }
    said.iter().any(|(pointer, value)| {
        if value.is_null() {
            let within = format!("{pointer}/");
            !same(before.get(pointer), None) || before.keys().any(|known| known.starts_with(&within))
        } else {
            before.get(pointer) != Some(value)
        }
    })
}

/// Whether what is said of a field is what is known of it: a list that was taken away
/// is kept as an empty one where the thing always has that list.
fn same(known: Option<&Value>, said: Option<&Value>) -> bool {
    let is_nothing = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    known == said || (said.is_none() && known.is_some_and(is_nothing))
}

fn json(content: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(content) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn read<T: DeserializeOwned>(leaves: Leaves) -> Result<T, Conflict> {
    serde_json::from_value(nested(leaves))
        .map_err(|_| Conflict::new("", "would leave out something that cannot be missing"))
}

fn flat(map: &Map<String, Value>) -> Leaves {
    flat_with_nulls(map, false)
}

/// The values of an object and of the objects in it, each by its JSON pointer.
fn flat_with_nulls(map: &Map<String, Value>, nulls: bool) -> Leaves {
    fn walk(map: &Map<String, Value>, place: &str, nulls: bool, leaves: &mut Leaves) {
        for (key, value) in map {
            let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
            match value {
                Value::Object(inner) => walk(inner, &pointer, nulls, leaves),
                Value::Null if !nulls => {}
                value => {
                    leaves.insert(pointer, value.clone());
                }
            }
        }
    }
    let mut leaves = Leaves::new();
    walk(map, "", nulls, &mut leaves);
    leaves
}

fn nested(leaves: Leaves) -> Value {
    let mut root = Map::new();
    for (pointer, value) in leaves {
        let mut parts = pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).peekable();
        let mut place = &mut root;
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                place.insert(part, value);
                break;
            }
            let inner = place.entry(part).or_insert_with(|| Value::Object(Map::new()));
            match inner {
                Value::Object(inner) => place = inner,
                // A value where an object is wanted: neither is lost for the other's sake
                // in what is read field by field, so this takes content of another kind.
                _ => break,
            }
        }
    }
    Value::Object(root)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    type Thing = Dated<Map<String, Value>>;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(sayings: &[(bool, Value, i64)]) -> Result<Option<Thing>, Conflict> {
        sayings.iter().try_fold(None, |known: Option<Thing>, (whole, fields, second)| {
            let said = Said { whole: *whole, fields: fields.as_object().unwrap().clone() };
            Ok(Thing::merge(known.as_ref(), &said, Some(at(*second)), at(99))?.or(known))
        })
    }

    fn content(sayings: &[(bool, Value, i64)]) -> Value {
        Value::Object(told(sayings).unwrap().unwrap().content)
    }

    #[test]
    fn a_part_changes_its_fields_alone_and_a_later_whole_replaces_them() {
        let whole = (true, json!({"name": "Mug", "d": {"by": "post", "to": "Riga"}}), 1);
        let part = (false, json!({"d": {"by": "courier"}, "note": "x"}), 3);
        let both = json!({"name": "Mug", "d": {"by": "courier", "to": "Riga"}, "note": "x"});
        assert_eq!(content(&[whole.clone(), part.clone()]), both);
        assert_eq!(content(&[whole.clone(), part.clone(), (true, json!({"name": "Cup"}), 5)]), json!({"name": "Cup"}));
        let between = (true, json!({"name": "Cup"}), 2);
        assert_eq!(content(&[whole, part, between]), json!({"name": "Cup", "d": {"by": "courier"}, "note": "x"}));
    }

    #[test]
    fn null_takes_a_field_away_for_good_but_not_what_was_said_later() {
        let sayings = [
            (true, json!({"d": {"by": "post", "to": "Riga"}}), 1),
            (false, json!({"d": {"to": "Cesis"}}), 5),
            (false, json!({"d": null}), 3),
            (false, json!({"d": {"by": "late"}}), 2),
        ];
        assert_eq!(content(&sayings), json!({"d": {"to": "Cesis"}}));
    }

    #[test]
    fn two_contents_for_one_time_are_a_conflict() {
        let first = (true, json!({"a": 1}), 1);
        assert!(told(&[first.clone(), (true, json!({"a": 2}), 1)]).is_err());
        assert!(told(&[first.clone(), (true, json!({"a": 1, "b": 1}), 1)]).is_err());
        assert!(told(&[first.clone(), (false, json!({"a": 2}), 1)]).is_err());
        assert!(told(&[first.clone(), first]).is_ok());
    }

    #[test]
    fn of_two_that_are_one_what_only_one_has_stays_and_what_was_taken_away_does_not() {
        let older = told(&[(true, json!({"a": 1, "b": 1, "c": 1}), 1)]).unwrap().unwrap();
        let later = [(true, json!({"a": 2, "d": 2}), 5), (false, json!({"c": null}), 7)];
        let newer = told(&later).unwrap().unwrap();
        let both = older.filled(&newer).unwrap();
        assert_eq!(Value::Object(both.content.clone()), json!({"a": 2, "b": 1, "d": 2}));
        assert_eq!(both, newer.filled(&older).unwrap());
        // The later one, told again, changes nothing.
        let said = Said { whole: true, fields: later[0].1.as_object().unwrap().clone() };
        assert_eq!(Thing::merge(Some(&both), &said, Some(at(5)), at(99)).unwrap(), None);
    }

    #[test]
    fn what_is_said_undated_is_the_newest_if_it_differs_and_nothing_if_not() {
        let known = told(&[(true, json!({"a": 1}), 50)]).unwrap().unwrap();
        let say = |fields: Value| {
            let said = Said { whole: false, fields: fields.as_object().unwrap().clone() };
            Thing::merge(Some(&known), &said, None, at(40)).unwrap()
        };
        assert_eq!(say(json!({"a": 1})), None);
        let newer = say(json!({"a": 2})).unwrap();
        assert_eq!((newer.content["a"].clone(), newer.times.latest() > Some(at(50))), (json!(2), true));
    }

    /// Sayings of distinct times, so that none contradicts another.
    fn sayings() -> impl Strategy<Value = Vec<(bool, Value, i64)>> {
        let value = || prop::option::of(0u8..3);
        let fields = (value(), value(), prop::option::of((value(), value())), any::<bool>());
        prop::collection::btree_map(1i64..60, (any::<bool>(), fields), 1..9).prop_map(|by_time| {
            let say = |(second, (whole, (a, b, inner, gone)))| {
                let mut fields = json!({});
                for (name, value) in [("a", a), ("b", b)] {
                    match value {
                        Some(2) => fields[name] = Value::Null,
                        Some(value) => fields[name] = json!(value),
                        None => {}
                    }
                }
                match inner {
                    Some((x, y)) => fields["o"] = json!({"x": x, "y": y}),
                    None if gone => fields["o"] = Value::Null,
                    None => {}
                }
                (whole, fields, second)
            };
            by_time.into_iter().map(say).collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_and_repetition_of_arrival_do_not_matter(
            sayings in sayings(),
            shuffle in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let mut other: Vec<_> = sayings.iter().chain(&sayings).cloned().collect();
            let length = other.len();
            for (place, to) in shuffle.iter().enumerate().take(length) {
                other.swap(place, to.index(length));
            }
            prop_assert_eq!(told(&sayings), told(&other));
        }

        #[test]
        fn an_account_told_in_two_places_and_joined_is_the_account_told_in_one(
            sayings in sayings(),
            here in prop::collection::vec(any::<bool>(), 9),
        ) {
            let (ours, theirs): (Vec<_>, Vec<_>) =
                sayings.iter().cloned().zip(here).partition(|(_, here)| *here);
            let side = |side: Vec<((bool, Value, i64), bool)>| {
                told(&side.into_iter().map(|(saying, _)| saying).collect::<Vec<_>>()).unwrap()
            };
            if let (Some(ours), Some(theirs)) = (side(ours), side(theirs)) {
                let all = told(&sayings).unwrap().unwrap();
                prop_assert_eq!(&ours.joined(&theirs).unwrap().content, &all.content);
                prop_assert_eq!(ours.joined(&theirs).unwrap(), theirs.joined(&ours).unwrap());
            }
        }
    }
}
