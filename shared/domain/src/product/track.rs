use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Amount;
use crate::dated::Said;

/// What was said of a field, by when. The latest are kept; which they are does not
/// depend on the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Track<T>(pub(super) BTreeMap<Timestamp, Option<T>>);

impl<T> Default for Track<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

/// How many sayings a track keeps. More would make most rows larger than the 1,024
/// bytes that a write unit is counted in.
const TRACKED: usize = 10;

impl<T: PartialEq> Track<T> {
    fn record(&mut self, at: Timestamp, value: Option<T>) {
        self.0.entry(at).or_insert(value);
        if self.0.len() > TRACKED {
            self.0.pop_first();
        }
    }

    /// What held at an instant, as far back as is known.
    pub(super) fn of(&self, at: Timestamp) -> Option<&T> {
        self.0.range(..=at).next_back().and_then(|(_, value)| value.as_ref())
    }

    /// Since when it is known what held, if something older may have fallen off.
    pub(super) fn known_since(&self) -> Option<Timestamp> {
        self.0.keys().next().copied().filter(|_| self.0.len() >= TRACKED)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tracks {
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(super) price: Track<Amount>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(super) stock: Track<Amount>,
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(super) available: Track<bool>,
}

fn is_empty<T>(track: &Track<T>) -> bool {
    track.0.is_empty()
}

impl Tracks {
    pub(super) fn record(&mut self, said: &Said, at: Timestamp) {
        let is_said = |name: &str| said.whole || said.fields.contains_key(name);
        let amount = |name: &str| said.fields.get(name).and_then(|value| crate::read::amount(value).ok());
        if is_said("price") {
            self.price.record(at, amount("price"));
        }
        if is_said("stock") {
            self.stock.record(at, amount("stock"));
        }
        if is_said("available") {
            self.available.record(at, said.fields.get("available").and_then(Value::as_bool));
        }
    }
}

/// Each step of a track from one value to another.
pub(super) fn steps<T: PartialEq + Copy>(track: &Track<T>) -> impl Iterator<Item = (Option<T>, Option<T>, Timestamp)> {
    let pairs = track.0.values().zip(track.0.iter().skip(1));
    pairs.filter(|(from, (_, to))| from != to).map(|(from, (at, to))| (*from, *to, *at))
}

/// The last of them, from what to what.
pub(super) fn last_step<T: PartialEq + Copy>(track: &Track<T>) -> Option<(Option<T>, Option<T>)> {
    steps(track).last().map(|(from, to, _)| (from, to))
}
