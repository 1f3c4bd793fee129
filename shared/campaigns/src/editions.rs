use std::collections::{BTreeMap, BTreeSet};

use domain::Code;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::EditionOf;

/// Whose members are kept: of each segment the edition that serves, and those whose
/// members are still being found.
///
/// An edition is a segment by its condition at one time. Editing a segment makes another
/// edition of it, and of every segment that asks about it; the one before serves until the
/// members of all of these are found, and then they take over at once. Whatever is edited
/// meanwhile waits for the next such work, or begins this one anew if it is part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Editions {
    /// The number of the last work that was begun, whether it was ever done: the next gets
    /// the one after it, so that none is given twice.
    #[serde(default)]
    pub last: u64,
    /// The editions that serve.
    #[serde(default)]
    pub serving: BTreeMap<Code, Edition>,
    /// Whose members are being found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub building: Option<Building>,
    /// Segments of which another edition is to be built next.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub waiting: BTreeSet<Code>,
    /// No work begins before this: until then somebody may go by a word of the dictionary
    /// as it was before it was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The numbers of each segment's editions whose members are to be forgotten: nobody
    /// goes by them any more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", with = "runs")]
    pub gone: BTreeMap<Code, BTreeSet<u64>>,
}

/// A segment whose members are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// The version of its definition.
    pub version: u64,
    /// The number of the work that found its members; they are kept under it.
    pub number: u64,
    /// The number of the first edition of this segment that ever served; it stays when the
    /// segment is edited. One that was deleted and made again has another: so what is noted
    /// of a segment for good, such as its sizes, is noted under the code and this.
    #[serde(default)]
    pub first: u64,
}

/// The work of finding the members of segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Building {
    /// Its number.
    pub number: u64,
    /// The segments, each with the version of its definition.
    pub segments: BTreeMap<Code, u64>,
    /// When it begins, or began: not before everybody goes by the dictionary as it is.
    pub since: Timestamp,
    /// Whether somebody has stopped it for a while.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Editions {
    /// The same, but that what is begun from now on begins no earlier than this.
    #[must_use]
    pub fn no_earlier_than(&self, at: Timestamp) -> Self {
        Self { not_before: self.not_before.max(Some(at)), ..self.clone() }
    }

    /// Whether a segment's members are kept, are being found, or wait to be.
    #[must_use]
    pub fn is_known(&self, code: &Code) -> bool {
        let is_built = |building: &Building| building.segments.contains_key(code);
        self.serving.contains_key(code) || self.building.as_ref().is_some_and(is_built) || self.waiting.contains(code)
    }

    /// After an edit because of which these segments may have other members. `versions`
    /// are the versions in force of all segments.
    #[must_use]
    pub fn edited(&self, affected: &BTreeSet<Code>, versions: &BTreeMap<Code, u64>, now: Timestamp) -> Self {
        let mut after = self.clone();
        after.waiting.extend(affected.iter().cloned());
        let is_part = |building: &Building| affected.iter().any(|code| building.segments.contains_key(code));
        if let Some(building) = after.building.take_if(|building| is_part(building)) {
            after.waiting.extend(building.segments.into_keys());
        }
        after.with_what_waits(versions, now).in_place_of(self)
    }

    /// After a segment was deleted, which nothing asks about. Its first edition is gone once
    /// more, as what is noted of a segment for good is noted under that.
    #[must_use]
    pub fn without(&self, code: &Code, versions: &BTreeMap<Code, u64>, now: Timestamp) -> Self {
        let mut after = self.clone();
        let served = after.serving.remove(code);
        after.add_gone(served.map(|edition| (code.clone(), edition.first)));
        after.waiting.remove(code);
        if let Some(building) = &mut after.building {
            building.segments.remove(code);
        }
        after.building.take_if(|building| building.segments.is_empty());
        after.with_what_waits(versions, now).in_place_of(self)
    }

    /// After all members were found; none if it is another work that goes on by now.
    #[must_use]
    pub fn built(&self, number: u64, versions: &BTreeMap<Code, u64>, now: Timestamp) -> Option<Self> {
        let mut after = self.clone();
        let built = after.building.take_if(|building| building.number == number)?;
        for (code, version) in built.segments {
            let first = after.serving.get(&code).map_or(number, |edition| edition.first);
            after.serving.insert(code, Edition { version, number, first });
        }
        Some(after.with_what_waits(versions, now).in_place_of(self))
    }

    /// Notes which editions were kept before and are no more.
    fn in_place_of(mut self, before: &Self) -> Self {
        let kept = self.kept();
        self.add_gone(before.kept().into_iter().filter(|edition| !kept.contains(edition)));
        self
    }

    fn add_gone(&mut self, editions: impl IntoIterator<Item = EditionOf>) {
        for (code, number) in editions {
            self.gone.entry(code).or_default().insert(number);
        }
    }

    /// Once all members of these editions, which are gone, were forgotten.
    #[must_use]
    pub fn cleared(&self, cleared: &[EditionOf]) -> Self {
        let mut after = self.clone();
        for (code, number) in cleared {
            if let Some(numbers) = after.gone.get_mut(code) {
                numbers.remove(number);
            }
        }
        after.gone.retain(|_, numbers| !numbers.is_empty());
        after
    }

    /// The editions whose members are to be forgotten.
    pub fn all_gone(&self) -> impl Iterator<Item = EditionOf> {
        self.gone.iter().flat_map(|(code, numbers)| numbers.iter().map(|number| (code.clone(), *number)))
    }

    /// Begins with what waits if there is nothing else to do.
    fn with_what_waits(mut self, versions: &BTreeMap<Code, u64>, now: Timestamp) -> Self {
        self.waiting.retain(|code| versions.contains_key(code));
        if self.building.is_none() && !self.waiting.is_empty() {
            self.last += 1;
            let waiting = std::mem::take(&mut self.waiting);
            let segments = waiting.into_iter().filter_map(|code| Some((code.clone(), *versions.get(&code)?))).collect();
            let since = self.not_before.map_or(now, |not_before| now.max(not_before));
            self.building = Some(Building { number: self.last, segments, since, paused: false });
        }
        self
    }

    /// Whether this is the first edition of a segment that serves.
    #[must_use]
    pub fn is_first(&self, (code, number): &EditionOf) -> bool {
        self.serving.get(code).is_some_and(|edition| edition.first == *number)
    }

    /// The version of each segment's definition that goes for whoever asks about it.
    #[must_use]
    pub fn in_force(&self) -> BTreeMap<Code, u64> {
        self.serving.iter().map(|(code, edition)| (code.clone(), edition.version)).collect()
    }

    /// Whether this edition serves.
    #[must_use]
    pub fn serves(&self, (code, number): &EditionOf) -> bool {
        self.serving.get(code).is_some_and(|edition| edition.number == *number)
    }

    /// The same once what is being built serves.
    #[must_use]
    pub fn to_come(&self) -> BTreeMap<Code, u64> {
        let mut versions = self.in_force();
        versions.extend(self.building.iter().flat_map(|building| building.segments.clone()));
        versions
    }

    /// The editions under which members are kept, each by its segment and number.
    #[must_use]
    pub fn kept(&self) -> BTreeSet<EditionOf> {
        let serving = self.serving.iter().map(|(code, edition)| (code.clone(), edition.number));
        let building = self.building.iter().flat_map(|building| {
            building.segments.keys().map(|code| (code.clone(), building.number)).collect::<Vec<_>>()
        });
        serving.chain(building).collect()
    }
}

/// Numbers in runs, each from its first to its last. Each time that a work begins anew,
/// all its segments have one edition more that is gone, with the number after the one
/// before; and all of it has to fit into a row.
mod runs {
    use std::collections::{BTreeMap, BTreeSet};

    use domain::Code;
    use serde::{Deserialize, Deserializer, Serializer};

    type Numbers = BTreeMap<Code, BTreeSet<u64>>;

    pub(super) fn serialize<S: Serializer>(gone: &Numbers, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(gone.iter().map(|(code, numbers)| {
            let mut runs: Vec<[u64; 2]> = Vec::new();
            for number in numbers {
                match runs.last_mut() {
                    Some([_, last]) if *last + 1 == *number => *last = *number,
                    _ => runs.push([*number; 2]),
                }
            }
            (code, runs)
        }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Numbers, D::Error> {
        let runs: BTreeMap<Code, Vec<[u64; 2]>> = BTreeMap::deserialize(deserializer)?;
        let numbers = |runs: Vec<[u64; 2]>| runs.into_iter().flat_map(|[first, last]| first..=last).collect();
        Ok(runs.into_iter().map(|(code, runs)| (code, numbers(runs))).collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn code(name: &str) -> Code {
        Code::parse(name).unwrap()
    }

    fn codes(names: &[&str]) -> BTreeSet<Code> {
        names.iter().map(|name| code(name)).collect()
    }

    fn versions(known: &[(&str, u64)]) -> BTreeMap<Code, u64> {
        known.iter().map(|(name, version)| (code(name), *version)).collect()
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_edition_before_serves_until_the_next_is_complete() {
        let first = Editions::default().edited(&codes(&["a"]), &versions(&[("a", 1)]), NOW);
        assert_eq!((first.in_force(), first.to_come()), (versions(&[]), versions(&[("a", 1)])));
        let served = first.built(1, &versions(&[("a", 1)]), NOW).unwrap();
        let edited = served.edited(&codes(&["a"]), &versions(&[("a", 2)]), NOW);
        assert_eq!((edited.in_force(), edited.to_come()), (versions(&[("a", 1)]), versions(&[("a", 2)])));
        assert_eq!(edited.kept(), [(code("a"), 1), (code("a"), 2)].into());
        let after = edited.built(2, &versions(&[("a", 2)]), NOW).unwrap();
        assert_eq!(after.serving, [(code("a"), Edition { version: 2, number: 2, first: 1 })].into());
        assert_eq!(after.built(2, &versions(&[("a", 2)]), NOW), None);
    }

    #[test]
    fn what_is_edited_in_the_middle_begins_anew_with_all_that_waits_and_anything_else_waits() {
        let all = versions(&[("a", 1), ("b", 1), ("c", 1)]);
        let first = Editions::default().edited(&codes(&["a", "b"]), &all, NOW);
        let other = first.edited(&codes(&["c"]), &all, NOW);
        assert_eq!((&other.building, &other.waiting), (&first.building, &codes(&["c"])));
        let same = other.edited(&codes(&["b"]), &versions(&[("a", 1), ("b", 2), ("c", 1)]), NOW);
        let building = same.building.unwrap();
        assert_eq!((building.number, building.segments), (2, versions(&[("a", 1), ("b", 2), ("c", 1)])));
        let next = other.built(1, &all, NOW).unwrap();
        assert_eq!(next.building.unwrap().segments, versions(&[("c", 1)]));
    }

    #[test]
    fn a_deleted_segment_is_kept_nowhere_and_keeps_nobody_waiting() {
        let all = versions(&[("a", 1), ("b", 1)]);
        let first = Editions::default().edited(&codes(&["a"]), &all, NOW).edited(&codes(&["b"]), &all, NOW);
        let after = first.without(&code("a"), &versions(&[("b", 1)]), NOW);
        assert_eq!(after.kept(), [(code("b"), 2)].into());
        assert_eq!(after.all_gone().collect::<Vec<_>>(), [(code("a"), 1)]);
    }

    #[test]
    fn an_edited_segment_is_the_same_and_one_that_was_deleted_and_made_again_is_another() {
        let all = versions(&[("a", 1)]);
        let built = |editions: Editions| {
            let number = editions.last;
            editions.built(number, &all, NOW).unwrap()
        };
        let mut editions = built(Editions::default().edited(&codes(&["a"]), &all, NOW));
        editions = built(editions.edited(&codes(&["a"]), &all, NOW));
        assert!(editions.is_first(&(code("a"), 1)) && editions.serves(&(code("a"), 2)));
        editions = editions.cleared(&[(code("a"), 1)]);
        assert_eq!(editions.gone, BTreeMap::new());
        editions = editions.without(&code("a"), &versions(&[]), NOW);
        assert_eq!(editions.all_gone().collect::<Vec<_>>(), [(code("a"), 1), (code("a"), 2)]);
        assert_eq!(editions.cleared(&[(code("a"), 2)]).all_gone().collect::<Vec<_>>(), [(code("a"), 1)]);
        editions = built(editions.edited(&codes(&["a"]), &all, NOW));
        assert!(editions.is_first(&(code("a"), 3)) && !editions.is_first(&(code("a"), 1)));
    }

    #[test]
    fn a_segment_is_known_from_its_first_edit_until_it_is_deleted() {
        let all = versions(&[("a", 1), ("b", 1)]);
        assert!(!Editions::default().is_known(&code("a")));
        let editions = Editions::default().edited(&codes(&["a"]), &all, NOW).edited(&codes(&["b"]), &all, NOW);
        assert!(editions.is_known(&code("a")) && editions.waiting == codes(&["b"]) && editions.is_known(&code("b")));
        let editions = editions.built(1, &all, NOW).unwrap();
        assert!(editions.is_known(&code("a")) && editions.is_known(&code("b")));
        assert!(!editions.without(&code("a"), &versions(&[("b", 1)]), NOW).is_known(&code("a")));
    }

    #[test]
    fn as_many_segments_as_there_may_be_begun_anew_a_hundred_times_fit_into_a_row() {
        let name = |number: usize| format!("{number:a>64}");
        let all: BTreeMap<Code, u64> = (0..1_000).map(|number| (code(&name(number)), 1_000)).collect();
        let affected: BTreeSet<Code> = all.keys().cloned().collect();
        let mut editions = Editions { last: 1_000_000, ..Editions::default() }.edited(&affected, &all, NOW);
        editions = editions.built(editions.last, &all, NOW).unwrap();
        for _ in 0..101 {
            editions = editions.edited(&affected, &all, NOW);
        }
        assert_eq!(editions.all_gone().count(), 100_000);
        let bytes = serde_json::to_string(&editions).unwrap().len();
        // A row's body has room for 390 KB.
        assert!(bytes < 300 * 1024, "{bytes}");
    }

    proptest! {
        /// Whatever is edited, deleted and completed in whatever order: in the end every
        /// segment serves, by its last version, under a number that nothing else had; and
        /// no work begins before everybody goes by the words that were edited before it.
        #[test]
        fn in_the_end_every_segment_serves_by_its_last_version(
            steps in prop::collection::vec((0u8..6, 0usize..5), 1..60),
        ) {
            let names = ["a", "b", "c", "d", "e"];
            let mut editions = Editions::default();
            let mut defined = BTreeMap::<Code, u64>::new();
            let mut last_version = BTreeMap::<Code, u64>::new();
            let mut used = BTreeMap::new();
            let (mut now, mut words_are_known, mut begun) = (NOW, NOW, 0);
            for (what, which) in steps {
                let name = code(names[which]);
                now += SignedDuration::from_secs(1);
                match what {
                    0 | 1 => {
                        let version = last_version.entry(name.clone()).or_default();
                        *version += 1;
                        defined.insert(name.clone(), *version);
                        editions = editions.edited(&[name].into(), &defined, now);
                    }
                    4 => {
                        words_are_known = now + SignedDuration::from_secs(3);
                        let affected = defined.keys().filter(|code| **code <= name).cloned().collect();
                        editions = editions.no_earlier_than(words_are_known).edited(&affected, &defined, now);
                    }
                    2 => {
                        defined.remove(&name);
                        last_version.entry(name.clone()).and_modify(|version| *version += 1);
                        editions = editions.without(&name, &defined, now);
                    }
                    _ => {
                        let number = editions.building.as_ref().map_or(0, |building| building.number);
                        editions = editions.built(number, &defined, now).unwrap_or(editions);
                    }
                }
                if let Some(building) = editions.building.as_ref().filter(|building| building.number > begun) {
                    prop_assert!(building.since >= now.max(words_are_known));
                    begun = building.number;
                }
                let versions = editions.serving.iter().map(|(code, edition)| ((code.clone(), edition.number), edition.version));
                let building = editions.building.iter().flat_map(|building| {
                    building.segments.iter().map(|(code, version)| ((code.clone(), building.number), *version))
                });
                for (edition, version) in versions.chain(building) {
                    prop_assert_eq!(*used.entry(edition).or_insert(version), version);
                }
                let all: BTreeSet<EditionOf> = used.keys().cloned().collect();
                prop_assert_eq!(all, &editions.kept() | &editions.all_gone().collect());
                let text = serde_json::to_string(&editions).unwrap();
                prop_assert_eq!(serde_json::from_str::<Editions>(&text).unwrap(), editions.clone());
            }
            while let Some(number) = editions.building.as_ref().map(|building| building.number) {
                editions = editions.built(number, &defined, NOW).unwrap();
            }
            prop_assert_eq!(editions.in_force(), defined);
            prop_assert!(editions.waiting.is_empty());
        }
    }
}
