use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Code, Conflict};

/// Which of an order's three independent status sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusSet {
    /// The order as a whole: received, confirmed, …
    General,
    /// Where the goods are: shipped, delivered, …
    Delivery,
    /// Where the money is: paid, refunded, …
    Payment,
}

impl StatusSet {
    /// All three.
    pub const ALL: [Self; 3] = [Self::General, Self::Delivery, Self::Payment];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Delivery => "delivery",
            Self::Payment => "payment",
        }
    }

    /// The set of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.as_str() == name)
    }
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A status that was in force from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Since when, by the shop's own account.
    pub at: Timestamp,
    /// Which status.
    pub code: Code,
    /// Who said so, if they gave a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
}

/// A change from one status to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The status before, if one is known.
    pub from: Option<Code>,
    /// The status after.
    pub to: Code,
    /// When it changed, by the shop's own account.
    pub at: Timestamp,
    /// Who said so, if they gave a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Code>,
    /// For the how-manieth time the set came to this status, from 1.
    ///
    /// This and the status are what a transition is known by. What it came from
    /// and when may be learned later, as older entries arrive; but an entry that
    /// arrives never takes a transition away, so whatever the order of arrival,
    /// the same ones are seen in the end.
    pub nth: usize,
}

/// One status set over time: everything the shop has said of it, by the time
/// the shop gave.
///
/// The history is a set of entries, so it is the same whatever the order in
/// which they arrive and however often, and so are the transitions read off it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History(Vec<Entry>);

impl History {
    /// The most entries that one history may hold.
    pub const MAX_ENTRIES: usize = 1_000;

    /// Adds what held from `at` on; `false` if that was known.
    ///
    /// # Errors
    /// If another status is recorded for the same instant, or the history is
    /// full; `pointer` says where the caller gave it.
    pub fn record(&mut self, entry: Entry, pointer: &str) -> Result<bool, Conflict> {
        match self.0.binary_search_by_key(&entry.at, |known| known.at) {
            Ok(place) if self.0[place].code == entry.code => {
                // Of two who say the same, the same one is named whoever came first.
                let known = &mut self.0[place].source;
                let named = [known.as_ref(), entry.source.as_ref()].into_iter().flatten().min().cloned();
                let new = *known != named;
                *known = named;
                Ok(new)
            }
            Ok(place) => Err(Conflict::new(
                pointer,
                format!(
                    "is {:?}, but {:?} is recorded for the same time {}",
                    entry.code.as_str(),
                    self.0[place].code.as_str(),
                    entry.at
                ),
            )),
            Err(_) if self.0.len() >= Self::MAX_ENTRIES => Err(Conflict::new(
                pointer,
                format!("would be change number {}; at most that many less one are kept", Self::MAX_ENTRIES + 1),
            )),
            Err(place) => {
                self.0.insert(place, entry);
                Ok(true)
            }
        }
    }

    /// Two accounts of one history as one. Of two statuses for one instant the one
    /// whose code sorts later stays, so that it does not matter which account is which.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        for entry in &other.0 {
            match joined.0.binary_search_by_key(&entry.at, |known| known.at) {
                Ok(place) if joined.0[place].code.as_str() < entry.code.as_str() => joined.0[place] = entry.clone(),
                Ok(_) => {}
                Err(place) => joined.0.insert(place, entry.clone()),
            }
        }
        joined
    }

    /// The status in force, if any was ever set.
    #[must_use]
    pub fn current(&self) -> Option<&Entry> {
        self.0.last()
    }

    /// Every change of status, oldest first. A status said again is no change.
    #[must_use]
    pub fn transitions(&self) -> Vec<Transition> {
        let mut transitions: Vec<Transition> = Vec::new();
        for entry in &self.0 {
            let from = transitions.last().map(|last| last.to.clone());
            if from.as_ref() != Some(&entry.code) {
                let before = transitions.iter().filter(|known| known.to == entry.code).count();
                transitions.push(Transition {
                    from,
                    to: entry.code.clone(),
                    at: entry.at,
                    source: entry.source.clone(),
                    nth: before + 1,
                });
            }
        }
        transitions
    }
}

/// An order's three status sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statuses {
    /// The order as a whole.
    #[serde(default)]
    pub general: History,
    /// Where the goods are.
    #[serde(default)]
    pub delivery: History,
    /// Where the money is.
    #[serde(default)]
    pub payment: History,
}

impl Statuses {
    /// The history of one set.
    #[must_use]
    pub fn of(&self, set: StatusSet) -> &History {
        match set {
            StatusSet::General => &self.general,
            StatusSet::Delivery => &self.delivery,
            StatusSet::Payment => &self.payment,
        }
    }

    /// The history of one set, to add to.
    pub fn of_mut(&mut self, set: StatusSet) -> &mut History {
        match set {
            StatusSet::General => &mut self.general,
            StatusSet::Delivery => &mut self.delivery,
            StatusSet::Payment => &mut self.payment,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    fn history(entries: &[(i64, &str)]) -> History {
        let mut history = History::default();
        for (at, code) in entries {
            let entry =
                Entry { at: Timestamp::from_second(*at).unwrap(), code: Code::parse(code).unwrap(), source: None };
            history.record(entry, "").unwrap();
        }
        history
    }

    #[test]
    fn a_status_said_again_is_no_transition() {
        let transitions = history(&[(1, "packed"), (5, "packed"), (9, "shipped")]).transitions();
        let codes: Vec<_> = transitions.iter().map(|t| (t.from.as_ref().map(Code::as_str), t.to.as_str())).collect();
        assert_eq!(codes, [(None, "packed"), (Some("packed"), "shipped")]);
    }

    #[test]
    fn two_statuses_for_one_instant_are_a_conflict() {
        let mut known = history(&[(1, "packed")]);
        let other =
            Entry { at: Timestamp::from_second(1).unwrap(), code: Code::parse("shipped").unwrap(), source: None };
        assert!(known.record(other, "/status/delivery").is_err());
        assert_eq!(known, history(&[(1, "packed")]));
    }

    proptest! {
        #[test]
        fn the_transitions_seen_on_the_way_are_those_seen_in_the_end(
            entries in prop::collection::btree_map(0i64..50, "[abc]", 0..12),
            keys in prop::collection::vec(any::<u32>(), 12),
        ) {
            let known = |history: &History| -> BTreeSet<(String, usize)> {
                history.transitions().into_iter().map(|t| (t.to.to_string(), t.nth)).collect()
            };
            let mut arriving: Vec<(u32, (i64, &str))> =
                keys.into_iter().zip(entries.iter().map(|(at, code)| (*at, code.as_str()))).collect();
            arriving.sort_unstable();
            let arriving: Vec<(i64, &str)> = arriving.into_iter().map(|(_, entry)| entry).collect();
            let seen: BTreeSet<_> = (0..=arriving.len()).flat_map(|count| known(&history(&arriving[..count]))).collect();
            prop_assert_eq!(seen, known(&history(&arriving)));
        }

        #[test]
        fn order_and_repetition_of_arrival_do_not_matter(
            entries in prop::collection::btree_map(0i64..50, "[abc]", 0..12),
            shuffle in any::<prop::sample::Index>(),
        ) {
            let entries: Vec<(i64, &str)> = entries.iter().map(|(at, code)| (*at, code.as_str())).collect();
            let mut other = entries.clone();
            other.rotate_left(shuffle.index(entries.len().max(1)).min(entries.len()));
            other.reverse();
            other.extend(entries.iter().copied());
            prop_assert_eq!(history(&entries), history(&other));
        }
    }
}
