//! One customer whom several look at at once, each step by step, as `membership` does:
//! what is read may be old when something is written, and whoever looks may die.

use std::collections::BTreeSet;
use std::sync::Arc;

use campaigns::{By, Chosen, Memberships, Upkeep};
use conditions::{Collection, Facts};
use domain::Touched;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::alone::apply;
use crate::generate::LENGTHS;
use crate::histories::{BASE, Deed, SEGMENTS, asked, deed, profile};
use crate::shop::{Part, Shop};

/// How many look at once at most.
const LOOKERS: usize = 4;

/// A timer that is nearer than this is handed on as soon as it is set.
const SOON: SignedDuration = SignedDuration::from_secs(150);

/// Everything that happens, and in which order.
#[derive(Clone, Debug)]
pub(crate) struct Race {
    pub(crate) segments: Vec<Value>,
    pub(crate) before: Vec<Deed>,
    pub(crate) turns: Vec<Turn>,
}

#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// Somebody who looks does the next things, so many.
    Goes(u8, usize),
    /// Somebody begins to look, by a clock that is so much ahead.
    Begins(u8, SignedDuration),
    /// Somebody dies; what they were at comes again.
    Dies(u8),
    /// What was done comes once more.
    Again(u8),
    Does(Deed),
    Edits(&'static str, Value),
    Deletes(&'static str),
    Built,
    Passes(SignedDuration),
    /// Time passes until the timer goes off.
    Due,
}

#[derive(Clone, Debug, PartialEq)]
enum Look {
    Touched(Vec<Touched>),
    Turns(Timestamp),
    Found(u64),
}

/// A look as far as it has come.
struct Looker {
    look: Look,
    ahead: SignedDuration,
    upkeep: Arc<Upkeep>,
    wrote: Option<Chosen>,
    /// What is known of their segments, once it is read.
    known: Option<Memberships>,
    reading: Option<Reading>,
}

/// What was read so far.
struct Reading {
    known: Memberships,
    now: Timestamp,
    chosen: Chosen,
    facts: Facts,
    parts: usize,
}

struct World {
    shop: Shop,
    row: Memberships,
    /// The timers that are set.
    timers: BTreeSet<Timestamp>,
    queue: Vec<Look>,
    done: Vec<Look>,
    lookers: Vec<Looker>,
    /// The last work of finding members that was begun.
    begun: u64,
    /// How often the customer entered or left.
    turned: usize,
}

impl Race {
    /// Everything is done, and comes to rest; then the timers go off, one after the other.
    /// How often the customer entered or left.
    pub(crate) fn runs(&self) -> Result<usize, TestCaseError> {
        let mut world = World {
            shop: Shop::new(BASE, "Europe/Riga"),
            row: Memberships::default(),
            timers: BTreeSet::new(),
            queue: Vec::new(),
            done: Vec::new(),
            lookers: Vec::new(),
            begun: 1,
            turned: 0,
        };
        for (segment, condition) in SEGMENTS.iter().zip(&self.segments) {
            world.shop.edit(segment, condition);
        }
        world.shop.built(1);
        for deed in &self.before {
            world.does(deed);
        }
        for turn in &self.turns {
            world.turn(turn)?;
        }
        for _ in 0..4 {
            world.comes_to_rest()?;
            let Some(at) = world.row.turns_at else { break };
            world.shop.now = world.shop.now.max(at);
        }
        Ok(world.turned)
    }
}

impl World {
    fn turn(&mut self, turn: &Turn) -> Result<(), TestCaseError> {
        match turn {
            Turn::Goes(which, steps) if !self.lookers.is_empty() => {
                let which = usize::from(*which) % self.lookers.len();
                for _ in 0..*steps {
                    if !self.goes(which)? {
                        break;
                    }
                }
            }
            Turn::Begins(which, ahead) if !self.queue.is_empty() && self.lookers.len() < LOOKERS => {
                let look = self.queue.remove(usize::from(*which) % self.queue.len());
                self.begins(look, *ahead);
            }
            Turn::Dies(which) if !self.lookers.is_empty() => {
                let dead = self.lookers.remove(usize::from(*which) % self.lookers.len());
                self.queue.push(dead.look);
            }
            Turn::Again(which) if !self.done.is_empty() => {
                self.queue.push(self.done[usize::from(*which) % self.done.len()].clone())
            }
            Turn::Does(deed) => self.does(deed),
            Turn::Edits(segment, condition) => self.shop.edit(segment, condition),
            Turn::Deletes(segment) => self.shop.delete(segment),
            Turn::Built => {
                if let Some(number) = self.shop.found {
                    self.shop.built(number);
                }
            }
            Turn::Passes(length) => {
                self.shop.now += *length;
                self.minute();
            }
            Turn::Due => {
                self.shop.now = self.row.turns_at.map_or(self.shop.now, |at| at.max(self.shop.now));
                self.minute();
            }
            Turn::Goes(..) | Turn::Begins(..) | Turn::Dies(_) | Turn::Again(_) => {}
        }
        self.hands_on();
        Ok(())
    }

    fn does(&mut self, deed: &Deed) {
        self.queue.extend(self.shop.does(deed).map(|touched| Look::Touched(vec![touched])));
    }

    /// What is to be built is looked at.
    fn hands_on(&mut self) {
        if let Some(building) = self.shop.editions.building.as_ref().filter(|building| building.number > self.begun) {
            self.begun = building.number;
            self.queue.push(Look::Found(building.number));
        }
    }

    /// The timers that are due are handed on, as every minute.
    fn minute(&mut self) {
        for at in self.timers.range(..=self.shop.now) {
            if !self.queue.contains(&Look::Turns(*at)) {
                self.queue.push(Look::Turns(*at));
            }
        }
    }

    fn begins(&mut self, look: Look, ahead: SignedDuration) {
        match look {
            // It stays in the queue until then.
            Look::Turns(at) if at > self.shop.now + ahead + SignedDuration::from_secs(2) => self.queue.push(look),
            look => {
                let upkeep = Arc::clone(&self.shop.upkeep);
                self.lookers.push(Looker { look, ahead, upkeep, wrote: None, known: None, reading: None });
            }
        }
    }

    /// One step of one who looks. Whether there is another.
    fn goes(&mut self, which: usize) -> Result<bool, TestCaseError> {
        let mut looker = self.lookers.remove(which);
        let goes_on = looker.goes(self)?;
        if goes_on {
            self.lookers.insert(which, looker);
        } else {
            if let Look::Found(number) = looker.look {
                self.shop.found = Some(number);
            }
            self.done.push(looker.look);
        }
        Ok(goes_on)
    }

    /// Whatever is to be done is done, and then everything is as it should be.
    fn comes_to_rest(&mut self) -> Result<(), TestCaseError> {
        self.shop.now += SignedDuration::from_secs(5);
        self.minute();
        for steps in 0.. {
            prop_assert!(steps < 20_000, "it does not come to rest");
            let now = self.shop.now;
            let is_to_come = |look: &Look| matches!(look, Look::Turns(at) if *at > now);
            if !self.lookers.is_empty() {
                self.goes(self.lookers.len() - 1)?;
            } else if let Some(place) = self.queue.iter().position(|look| !is_to_come(look)) {
                let look = self.queue.remove(place);
                self.begins(look, SignedDuration::ZERO);
            } else {
                self.minute();
                if self.queue.iter().all(is_to_come) {
                    break;
                }
            }
            self.hands_on();
        }
        let (now, turns_at) = (self.shop.now, self.row.turns_at);
        prop_assert!(
            turns_at.is_none_or(|at| at > now && self.timers.contains(&at)),
            "{turns_at:?}, {:?}",
            self.timers
        );
        for edition in self.shop.complete() {
            let is_in = self.row.of.get(&edition).is_some_and(|known| known.is_in);
            let verdict = self.shop.verdict(&edition, now);
            let text = &self.shop.alone[&edition].text;
            prop_assert_eq!(is_in, self.shop.is_known() && verdict.holds, "{:?} at {}: {}", edition, now, text);
            if let Some(next) = verdict.next.filter(|_| self.shop.is_known()) {
                prop_assert!(turns_at.is_some_and(|at| at <= next), "{edition:?} turns at {next}: {text}");
            }
        }
        Ok(())
    }
}

impl Looker {
    /// Does one step. Whether there is another.
    fn goes(&mut self, world: &mut World) -> Result<bool, TestCaseError> {
        let Some(reading) = &mut self.reading else { return Ok(self.begins(world)) };
        if let Some(part) = Part::ALL.get(reading.parts) {
            reading.parts += 1;
            let needs = self.upkeep.needs(&reading.chosen);
            world.shop.read_part(*part, &needs, reading.now, &mut reading.facts);
            return Ok(true);
        }
        let Some(Reading { known, now, chosen, facts, .. }) = self.reading.take() else { return Ok(false) };
        let judged = self.upkeep.judged(&chosen, &facts, &world.shop.at(now));
        let by = match &self.look {
            Look::Touched(what) => By::Touched(what.clone()),
            Look::Turns(_) => By::Time,
            Look::Found(_) => By::Found,
        };
        let Some(turned) = known.turned(&judged, self.upkeep.editions(), &by, now) else { return Ok(false) };
        // Refused: somebody wrote meanwhile.
        if known.version == world.row.version {
            if known.turns_at != turned.turns_at {
                world.timers.retain(|at| Some(*at) != known.turns_at);
                world.timers.extend(turned.turns_at);
                let is_soon = |at: &Timestamp| *at <= world.shop.now + SOON;
                world.queue.extend(turned.turns_at.filter(is_soon).map(Look::Turns));
            }
            apply(&mut world.row, &turned);
            world.turned += turned.memberships.iter().filter(|(.., change)| change.is_some()).count();
            // What is in force is read anew.
            let is_same = Arc::ptr_eq(&self.upkeep, &world.shop.upkeep);
            self.upkeep = Arc::clone(&world.shop.upkeep);
            self.wrote = Some(if is_same { chosen } else { self.upkeep.all() });
        }
        Ok(true)
    }

    /// Reads what is known of the customer's segments, and then who they are: were it the
    /// other way round, one who is slow would bring back what was.
    fn begins(&mut self, world: &mut World) -> bool {
        let Some(known) = self.known.take() else {
            self.known = Some(world.row.clone());
            return true;
        };
        let single = world.shop.facts.single.clone();
        // Of a timer that was overtaken somebody may have begun with what is to be done then,
        // and died before they looked once more.
        if let (None, Look::Turns(at)) = (&self.wrote, &self.look)
            && known.turns_at != Some(*at)
        {
            world.timers.remove(at);
        }
        let chosen = match (&self.wrote, &self.look) {
            (Some(chosen), _) => chosen.clone(),
            (None, Look::Turns(_)) => self.upkeep.timed(),
            (None, Look::Touched(what)) => self.upkeep.touched_by(what),
            (None, Look::Found(number)) => self.upkeep.found(*number),
        };
        if !world.shop.is_known() || (chosen.is_empty() && !matches!(self.look, Look::Turns(_))) {
            return false;
        }
        let mut now = known.at.into_iter().fold(world.shop.now + self.ahead, Timestamp::max);
        if let Look::Turns(at) = self.look {
            now = now.max(at);
        }
        let facts = Facts { single, ..Facts::default() };
        self.reading = Some(Reading { known, now, chosen, facts, parts: 0 });
        true
    }
}

/// Conditions of which several may turn by the same thing.
fn simple() -> BoxedStrategy<Value> {
    let length = || select(LENGTHS.map(|(text, _)| text).to_vec());
    let fields = || select(vec!["orders.created_at", "items.since", "messages.created_at", "events.at"]);
    let idle = (fields(), length()).prop_map(|(field, ago)| json!({"max": field, "less_than": {"ago": ago}}));
    let few = (select(vec!["orders", "events", "items", "messages"]), length(), select(vec!["at_least", "at_most"]))
        .prop_map(|(over, last, test)| json!({"count": over, "during": {"last": last}, test: 1}));
    let leaf = prop_oneof![
        3 => idle,
        3 => few,
        1 => select(vec!["a", "b"]).prop_map(|code| json!({"audience": code})),
        1 => Just(json!({"field": "customer.consent.email.state", "is": "given"})),
        1 => Just(json!({"field": "customer.points", "at_least": 2})),
    ]
    .boxed();
    prop_oneof![
        4 => leaf.clone(),
        1 => (leaf.clone(), leaf.clone()).prop_map(|(a, b)| json!({"all": [a, {"not": b}]})),
        1 => vec(leaf, 2).prop_map(|any| json!({"any": any})),
        1 => asked(),
    ]
    .boxed()
}

pub(crate) fn race(turns: std::ops::Range<usize>) -> impl Strategy<Value = Race> {
    let segment = || select(&SEGMENTS[..]);
    let length = SignedDuration::from_secs;
    let passes = prop_oneof![(0..10_i64).prop_map(length), (0..200_000_i64).prop_map(length)];
    let turn = prop_oneof![
        20 => (any::<u8>(), 1..12_usize).prop_map(|(which, steps)| Turn::Goes(which, steps)),
        10 => (any::<u8>(), -1000..1000_i64)
            .prop_map(|(which, millis)| Turn::Begins(which, SignedDuration::from_millis(millis))),
        3 => any::<u8>().prop_map(Turn::Dies),
        1 => any::<u8>().prop_map(Turn::Again),
        6 => deed().prop_map(Turn::Does),
        1 => (segment(), simple()).prop_map(|(code, condition)| Turn::Edits(code, condition)),
        1 => segment().prop_map(Turn::Deletes),
        1 => Just(Turn::Built),
        1 => passes.prop_map(Turn::Passes),
        5 => Just(Turn::Due),
    ];
    (vec(simple(), 2..=SEGMENTS.len()), profile(), vec(deed(), 0..6), vec(turn, turns)).prop_map(
        |(segments, profile, deeds, turns)| {
            let before = std::iter::once(profile).chain(deeds).collect();
            Race { segments, before, turns }
        },
    )
}

/// By so many steps somebody comes to where they write: they read the
/// memberships, the profile and each part.
const READS: usize = 2 + Part::ALL.len();

fn begins() -> Turn {
    Turn::Begins(0, SignedDuration::ZERO)
}

/// Whoever has begun to look, or is to, comes to an end.
fn all_come_to_an_end() -> Vec<Turn> {
    (0..8).flat_map(|_| [begins(), Turn::Goes(0, 50)]).collect()
}

fn ordered() -> Turn {
    Turn::Does(Deed::Put(Collection::Orders, json!({"created_at": BASE})))
}

/// A customer who has ordered and done something else, and two segments: one that they are
/// in a day after they ordered, and another.
fn idle(other: Value, turns: Vec<Vec<Turn>>) -> Race {
    let Turn::Does(order) = ordered() else { unreachable!("an order") };
    let event = Deed::Put(Collection::Events, json!({"name": "a", "at": BASE}));
    Race {
        segments: vec![json!({"max": "orders.created_at", "less_than": {"ago": "1d"}}), other],
        before: vec![Deed::Profile(json!({"city": "Riga"})), order, event],
        turns: [all_come_to_an_end(), vec![Turn::Built], turns.concat()].concat(),
    }
}

#[test]
fn whoever_wrote_what_was_old_and_died_does_no_harm() {
    let other = json!({"max": "events.at", "less_than": {"ago": "1w"}});
    let slow = vec![Turn::Due, begins(), Turn::Goes(0, READS)];
    // They order again, which is looked at and turns nothing.
    let meanwhile = vec![ordered(), begins(), Turn::Goes(1, 50)];
    idle(other, vec![slow, meanwhile, vec![Turn::Goes(0, 1), Turn::Dies(0)]]).runs().expect("all is as it should be");
}

#[test]
fn whoever_did_not_know_of_an_edition_and_died_does_no_harm() {
    let other = json!({"audience": "a"});
    // Two who look by what is in force before somebody edits a segment.
    let slow = vec![Turn::Due, begins(), ordered(), begins()];
    let edited = json!({"max": "events.at", "less_than": {"ago": "36h"}});
    let meanwhile = vec![Turn::Edits("s-2", edited), begins(), Turn::Goes(2, 50)];
    let last = vec![Turn::Goes(1, READS + 1), Turn::Dies(1), Turn::Goes(0, 50)];
    idle(other, vec![slow, meanwhile, last]).runs().expect("all is as it should be");
}

#[test]
fn whoever_does_not_know_of_an_edition_leaves_its_members_alone() {
    let due = vec![Turn::Due, begins(), Turn::Goes(0, 50)];
    let slow = vec![ordered(), begins()];
    let edited = Turn::Edits("s-2", json!({"not": {"audience": "b"}}));
    let meanwhile = vec![edited, begins(), Turn::Goes(1, 50), Turn::Goes(0, READS + 1), Turn::Dies(0)];
    idle(json!({"audience": "a"}), vec![due, slow, meanwhile]).runs().expect("all is as it should be");
}

#[test]
fn nobody_enters_and_leaves_because_somebody_was_slow() {
    let points = |points: i64| Deed::Profile(json!({"points": points}));
    let race = Race {
        segments: vec![
            json!({"all": [{"field": "customer.points", "at_least": 2}, {"count": "orders", "at_least": 0}]}),
        ],
        before: vec![points(0)],
        turns: [
            all_come_to_an_end(),
            vec![ordered(), begins(), Turn::Goes(0, 1)],
            vec![Turn::Does(points(2)), begins(), Turn::Goes(1, 50)],
            vec![Turn::Goes(0, 50)],
        ]
        .concat(),
    };
    assert_eq!(race.runs().expect("all is as it should be"), 1);
}
