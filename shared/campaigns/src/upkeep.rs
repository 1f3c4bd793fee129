//! The segments whose members are kept, made ready to be judged together.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use conditions::{At, Collection, Facts, Needs, Program};
use domain::{Code, Touched};

use crate::membership::{EditionOf, Judged};
use crate::{Editions, Segments};

/// How many different choices of segments are kept ready: about as many as there are kinds
/// of things that happen.
const MOST_CHOICES: usize = 100;

/// How many conditions these have together at most: each choice has a copy of its own, of
/// which thousands take some ten megabytes.
const MOST_CONDITIONS: usize = 5_000;

/// The segments whose members are kept.
#[derive(Default)]
pub struct Upkeep {
    /// Those that serve first.
    kept: Vec<Kept>,
    editions: BTreeSet<EditionOf>,
    /// What the segments mean that are asked about by those that serve, and by those that
    /// are being built.
    meaning: [Segments; 2],
    ready: Mutex<HashMap<Vec<usize>, Arc<Vec<Ready>>>>,
}

struct Kept {
    edition: EditionOf,
    serves: bool,
    /// None if its condition cannot be answered: then nothing of it changes.
    needs: Option<Needs>,
}

/// Conditions that are judged together.
struct Ready {
    program: Program,
    /// For which of the segments.
    of: Vec<usize>,
}

/// Some of the segments, by their places in the [`Upkeep`] that gave them: in one of other
/// editions they would be other segments. See [`Upkeep::keeps_the_same`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    which: Vec<usize>,
}

impl Chosen {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.which.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.which.len()
    }
}

impl Upkeep {
    /// The segments of these editions. `meant` and `to_come` are the segments by the
    /// versions that are in force, and by those that will be once what is being built
    /// serves.
    #[must_use]
    pub fn new(editions: &Editions, meant: Segments, to_come: Segments) -> Self {
        let serving = editions.serving.iter().map(|(code, edition)| ((code.clone(), edition.number), true));
        let building = editions
            .building
            .iter()
            .flat_map(|building| building.segments.keys().map(|code| ((code.clone(), building.number), false)));
        let meaning = [meant, to_come];
        let kept = serving.chain(building).map(|(edition, serves)| {
            let segments = &meaning[usize::from(!serves)];
            let program = Program::new(segments.condition(edition.0.as_str()), |code| segments.condition(code));
            let needs = Some(program.all_needs()).filter(|_| program.is_whole() && program.len() == 1);
            Kept { edition, serves, needs }
        });
        Self { kept: kept.collect(), editions: editions.kept(), meaning, ready: Mutex::default() }
    }

    /// The editions whose members are kept.
    #[must_use]
    pub fn editions(&self) -> &BTreeSet<EditionOf> {
        &self.editions
    }

    /// The edition of a segment that serves.
    #[must_use]
    pub fn serving(&self, code: &str) -> Option<EditionOf> {
        self.kept.iter().find(|kept| kept.serves && kept.edition.0.as_str() == code).map(|kept| kept.edition.clone())
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Chosen {
        self.those(|_, _| true)
    }

    /// Those that may turn by the passing of time alone.
    #[must_use]
    pub fn timed(&self) -> Chosen {
        self.those(|_, needs| needs.clock)
    }

    /// Those that are being built under this number.
    #[must_use]
    pub fn building(&self, number: u64) -> Chosen {
        self.those(|kept, _| !kept.serves && kept.edition.1 == number)
    }

    /// The same, and where a segment has another condition than before, the edition of it
    /// that serves: that somebody entered or left by that one is to be told of before nobody
    /// goes by it any more.
    #[must_use]
    pub fn found(&self, number: u64) -> Chosen {
        let [meant, to_come] = &self.meaning;
        let built = self.building(number);
        let is_built = |code: &Code| built.which.iter().any(|place| self.kept[*place].edition.0 == *code);
        self.those(|kept, _| {
            let code = &kept.edition.0;
            let differs = || meant.condition(code.as_str()) != to_come.condition(code.as_str());
            if kept.serves { is_built(code) && differs() } else { kept.edition.1 == number }
        })
    }

    /// Whether the same editions are kept, and the same of them serve: then what was chosen
    /// of the one means the same in the other.
    #[must_use]
    pub fn keeps_the_same(&self, other: &Self) -> bool {
        let kept = |upkeep: &Self| -> Vec<(EditionOf, bool)> {
            upkeep.kept.iter().map(|kept| (kept.edition.clone(), kept.serves)).collect()
        };
        kept(self) == kept(other)
    }

    /// Those that may turn because of what was written.
    #[must_use]
    pub fn touched_by(&self, touched: &[Touched]) -> Chosen {
        self.those(|_, needs| touched.iter().any(|touched| depends(needs, touched)))
    }

    /// Whether any may turn because of what was written.
    #[must_use]
    pub fn heeds(&self, touched: &Touched) -> bool {
        self.kept.iter().any(|kept| kept.needs.as_ref().is_some_and(|needs| depends(needs, touched)))
    }

    fn those(&self, is_meant: impl Fn(&Kept, &Needs) -> bool) -> Chosen {
        let is_meant = |kept: &Kept| kept.needs.as_ref().is_some_and(|needs| is_meant(kept, needs));
        let which = self.kept.iter().enumerate().filter(|(_, kept)| is_meant(kept)).map(|(place, _)| place);
        Chosen { which: which.collect() }
    }

    /// What these segments can depend on.
    #[must_use]
    pub fn needs(&self, chosen: &Chosen) -> Needs {
        let mut all: Option<Needs> = None;
        for needs in chosen.which.iter().filter_map(|place| self.kept.get(*place)?.needs.as_ref()) {
            match &mut all {
                Some(all) => all.join(needs),
                None => all = Some(needs.clone()),
            }
        }
        all.unwrap_or_default()
    }

    /// What these segments' conditions say of a customer, of whom all that they
    /// need was read.
    #[must_use]
    pub fn judged(&self, chosen: &Chosen, facts: &Facts, at: &At) -> Vec<Judged> {
        let mut judged = Vec::with_capacity(chosen.len());
        for Ready { program, of } in self.ready(chosen).iter() {
            let state = program.state(facts);
            for (condition, place) in of.iter().enumerate() {
                let Kept { edition, serves, .. } = &self.kept[*place];
                let verdict = program.verdict(condition, &state, at);
                judged.push(Judged { edition: edition.clone(), serves: *serves, verdict });
            }
        }
        judged
    }

    /// The segments made ready: as a rule in one program for those that serve and one for
    /// those that are being built.
    fn ready(&self, chosen: &Chosen) -> Arc<Vec<Ready>> {
        let mut kept = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = kept.get(&chosen.which) {
            return Arc::clone(ready);
        }
        let conditions = kept.keys().map(Vec::len).sum::<usize>() + chosen.len();
        if kept.len() >= MOST_CHOICES || conditions > MOST_CONDITIONS {
            kept.clear();
        }
        let (serving, building): (Vec<usize>, Vec<usize>) =
            chosen.which.iter().partition(|place| self.kept[**place].serves);
        let mut ready = Vec::new();
        self.make_ready(&serving, &self.meaning[0], &mut ready);
        self.make_ready(&building, &self.meaning[1], &mut ready);
        let ready = Arc::new(ready);
        kept.insert(chosen.which.clone(), Arc::clone(&ready));
        ready
    }

    /// Each of these can be answered by itself; should they ask too much together, they are
    /// made ready in parts.
    fn make_ready(&self, which: &[usize], segments: &Segments, ready: &mut Vec<Ready>) {
        if which.is_empty() {
            return;
        }
        let conditions = which.iter().filter_map(|place| segments.condition(self.kept[*place].edition.0.as_str()));
        let program = Program::new(conditions, |code| segments.condition(code));
        if program.is_whole() || which.len() == 1 {
            ready.push(Ready { program, of: which.to_vec() });
        } else {
            let (some, others) = which.split_at(which.len() / 2);
            self.make_ready(some, segments, ready);
            self.make_ready(others, segments, ready);
        }
    }
}

/// Whether a condition may be otherwise because of what was written.
fn depends(needs: &Needs, touched: &Touched) -> bool {
    let goes_through = |over: Collection| needs.collections.contains(&over);
    match touched {
        Touched::Everything => true,
        Touched::Profile => needs.profile,
        Touched::Orders => goes_through(Collection::Orders) || goes_through(Collection::Lines),
        Touched::Event(name) => {
            let is_named = needs.events.as_ref().is_none_or(|names| names.contains(name.as_str()));
            goes_through(Collection::Events) && is_named
        }
        Touched::Containers => goes_through(Collection::Containers) || goes_through(Collection::Items),
        Touched::Audience(code) => needs.audiences.contains(code.as_str()),
        Touched::Messages => goes_through(Collection::Messages),
    }
}

impl fmt::Debug for Upkeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upkeep").field("editions", &self.editions).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use conditions::{Condition, Scope};
    use domain::Code;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use serde_json::json;

    use super::*;
    use crate::Segment;

    #[test]
    fn however_many_choices_are_made_few_conditions_are_kept_ready() {
        const SEGMENTS: usize = 120;
        let segments: Segments = (0..SEGMENTS)
            .map(|number| {
                let condition = json!({ "field": "customer.city", "is": number.to_string() });
                let condition = Condition::parse(&condition, &Scope::SEGMENT).unwrap();
                Segment { code: Code::parse(&format!("s{number:03}")).unwrap(), name: "s".into(), condition }
            })
            .collect();
        let versions = segments.codes().map(|code| (Code::parse(code).unwrap(), 1)).collect();
        let now = Timestamp::UNIX_EPOCH;
        let codes = segments.codes().map(|code| Code::parse(code).unwrap()).collect();
        let editions = Editions::default().edited(&codes, &versions, now).built(1, &versions, now).unwrap();
        let upkeep = Upkeep::new(&editions, segments, Segments::default());
        let at = At { now, shop: TimeZone::UTC };
        for first in 0..SEGMENTS {
            let chosen = Chosen { which: (first..SEGMENTS).collect() };
            assert_eq!(upkeep.judged(&chosen, &Facts::default(), &at).len(), SEGMENTS - first);
            let kept: usize = upkeep.ready.lock().unwrap().keys().map(Vec::len).sum();
            assert!((SEGMENTS - first..=MOST_CONDITIONS).contains(&kept), "{kept}");
        }
    }
}
