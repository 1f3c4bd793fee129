//! The verdict, why, and when it turns.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;

use crate::condition::Node;
use crate::field::Collection;
use crate::moment::{At, Clock, Turns};
use crate::program::{Place, Program, Ready, ReadyField};
use crate::state::{State, Table};
use crate::value::Cell;

/// After how many moments at which something may turn one that does is no longer looked
/// for: then it is said to turn at the next, and is looked at again.
pub(crate) const MOST_TURNS: usize = 64;

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// The earliest time at which that may be otherwise if nothing else happens; never,
    /// if there is none. Until then it does not change.
    pub next: Option<Timestamp>,
}

/// The leaves that decided a verdict: of an `all` that fails, those that fail; of one
/// that holds, every leaf. Empty only for conditions that always hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Why {
    /// In the order of the condition.
    pub leaves: Vec<Decided>,
}

/// A leaf that decided. It carries the customer's data: for who may see that, not for logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Decided {
    /// The leaf in words.
    pub leaf: String,
    /// What the field was, or what things came to; `None` when there was nothing.
    pub seen: Option<Value>,
    /// Whether the leaf itself holds.
    pub holds: bool,
}

impl Program {
    /// Whether a condition holds, by its place among them. Stops at the first leaf that
    /// settles it. One that there is not never holds.
    #[must_use]
    pub fn holds(&self, condition: usize, state: &State, at: &At) -> bool {
        self.conditions.get(condition).is_some_and(|ready| Look::new(state, at).holds(ready))
    }

    /// Whether a condition holds, and until when that is certain.
    #[must_use]
    pub fn verdict(&self, condition: usize, state: &State, at: &At) -> Verdict {
        let Some(ready) = self.conditions.get(condition) else { return Verdict { holds: false, next: None } };
        Look::new(state, at).verdict(ready)
    }

    /// Which leaves make a condition hold or not. Looks at every leaf.
    #[must_use]
    pub fn why(&self, condition: usize, state: &State, at: &At) -> Why {
        let mut leaves = Vec::new();
        if let Some(ready) = self.conditions.get(condition) {
            Look::new(state, at).explain(ready, &mut leaves);
        }
        Why { leaves }
    }
}

/// A customer, looked at at some time; and a thing of theirs, if one is gone through.
#[derive(Clone, Copy)]
pub(crate) struct Look<'s> {
    pub(crate) state: &'s State,
    pub(crate) clock: Clock<'s>,
    pub(crate) thing: Option<(Collection, usize)>,
}

impl<'s> Look<'s> {
    fn new(state: &'s State, at: &'s At) -> Self {
        let customer: &TimeZone = state.zone.as_ref().unwrap_or(&at.shop);
        Self { state, clock: Clock { now: at.now, shop: &at.shop, customer }, thing: None }
    }

    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { clock: self.clock.at(now), ..self }
    }

    pub(crate) fn table(&self, over: Collection) -> &'s Table {
        &self.state.tables[over as usize]
    }

    fn cell(&self, place: Place) -> &'s Cell {
        match (place, self.thing) {
            (Place::Single(place), _) => &self.state.single[place],
            (Place::Thing(place), Some((over, row))) => self.table(over).cell(row, place),
            (Place::Order(place), Some((over, row))) => {
                self.table(Collection::Orders).cell(self.table(over).links[row], place)
            }
            (Place::Thing(_) | Place::Order(_), None) => &Cell::Nothing,
        }
    }

    pub(crate) fn holds(&self, ready: &Ready) -> bool {
        match ready {
            Ready::All(nodes, _) => nodes.iter().all(|node| self.holds(node)),
            Ready::Any(nodes, _) => nodes.iter().any(|node| self.holds(node)),
            Ready::Not(node) => !self.holds(node),
            Ready::Field(field) => field.test.holds(self.cell(field.place), self.clock),
            Ready::Aggregate(aggregate) => aggregate.test.holds(&self.total(aggregate), self.clock),
            Ready::Audience(place, _) => self.state.audiences[*place],
            Ready::Never(_) => false,
        }
    }

    pub(crate) fn verdict(&self, ready: &Ready) -> Verdict {
        if !ready.is_timed() {
            return Verdict { holds: self.holds(ready), next: None };
        }
        match ready {
            // What fails goes on failing until the last of what fails turns; what holds
            // goes on until the first turns.
            Ready::All(nodes, _) => self.joined(nodes, false),
            Ready::Any(nodes, _) => self.joined(nodes, true),
            Ready::Not(node) => {
                let Verdict { holds, next } = self.verdict(node);
                Verdict { holds: !holds, next }
            }
            Ready::Field(field) => self.turning(
                |look| field.test.holds(look.cell(field.place), look.clock),
                |look, turns| field.test.turns(look.cell(field.place), look.clock, turns),
            ),
            Ready::Aggregate(aggregate) => self.aggregate_verdict(aggregate),
            Ready::Audience(..) | Ready::Never(_) => Verdict { holds: self.holds(ready), next: None },
        }
    }

    fn joined(&self, nodes: &[Ready], settles: bool) -> Verdict {
        let mut settled: Option<Option<Timestamp>> = None;
        let mut earliest: Option<Timestamp> = None;
        for node in nodes {
            let Verdict { holds, next } = self.verdict(node);
            if holds == settles {
                settled = Some(match settled {
                    None => next,
                    Some(latest) => latest.zip(next).map(|(a, b)| a.max(b)),
                });
                if settled == Some(None) {
                    break;
                }
            } else {
                earliest = earliest.into_iter().chain(next).min();
            }
        }
        match settled {
            Some(next) => Verdict { holds: settles, next },
            None => Verdict { holds: !settles, next: earliest },
        }
    }

    /// Whether something holds, and when it first does not, or does.
    pub(crate) fn turning(&self, holds: impl Fn(&Self) -> bool, may_turn: impl Fn(&Self, &mut Turns)) -> Verdict {
        let now_holds = holds(self);
        let mut look = *self;
        let mut next = None;
        for _ in 0..MOST_TURNS {
            let mut turns = Turns::default();
            may_turn(&look, &mut turns);
            next = turns.after(look.clock.now);
            match next {
                None => break,
                Some(turn) => look = look.at(turn),
            }
            if holds(&look) != now_holds {
                break;
            }
        }
        Verdict { holds: now_holds, next }
    }

    pub(crate) fn passes(&self, over: Collection, row: usize, filter: Option<&Ready>) -> bool {
        filter.is_none_or(|filter| Self { thing: Some((over, row)), ..*self }.holds(filter))
    }

    /// Adds the leaves that decide to `decided`.
    fn explain(&self, ready: &Ready, decided: &mut Vec<Decided>) -> bool {
        let mut leaf = |node: &Node, seen: Option<Value>, holds: bool| {
            decided.push(Decided { leaf: node.to_string(), seen, holds });
            holds
        };
        match ready {
            Ready::Not(node) => !self.explain(node, decided),
            Ready::Field(field) => {
                let ReadyField { place, test, leaf: node, .. } = field.as_ref();
                let cell = self.cell(*place);
                leaf(node, cell.to_value(), test.holds(cell, self.clock))
            }
            Ready::Aggregate(aggregate) => {
                let total = self.total(aggregate);
                leaf(&aggregate.leaf, total.to_value(), aggregate.test.holds(&total, self.clock))
            }
            Ready::Audience(place, node) => {
                let holds = self.state.audiences[*place];
                leaf(node, Some(holds.into()), holds)
            }
            Ready::Never(node) => leaf(node, None, false),
            // An `all` is settled by what fails, an `any` by what holds; else by everything.
            Ready::All(nodes, _) => self.explain_joined(nodes, false, decided),
            Ready::Any(nodes, _) => self.explain_joined(nodes, true, decided),
        }
    }

    fn explain_joined(&self, nodes: &[Ready], settles: bool, decided: &mut Vec<Decided>) -> bool {
        let start = decided.len();
        let mut settled = false;
        for node in nodes {
            let mark = decided.len();
            if self.explain(node, decided) == settles {
                if !settled {
                    settled = true;
                    decided.drain(start..mark);
                }
            } else if settled {
                decided.truncate(mark);
            }
        }
        settled == settles
    }
}
