//! One customer to whom one thing happens after the other.

use std::collections::BTreeMap;

use campaigns::{By, Chosen, EditionOf, Memberships, Turned};
use conditions::Facts;
use domain::{Change, Touched};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::histories::{History, SEGMENTS, Step, What};
use crate::shop::Shop;

const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// More often no timer goes off between one step and the next.
const MOST_TIMERS: usize = 20_000;

/// A customer whose memberships are kept.
pub(crate) struct Kept {
    pub(crate) shop: Shop,
    known: Memberships,
    /// What was said last of each edition that serves.
    said: BTreeMap<EditionOf, bool>,
    /// The timers that there were.
    timers: Vec<Timestamp>,
    /// How often somebody entered or left.
    pub(crate) turned: usize,
}

/// What was turned goes into what is known.
pub(crate) fn apply(known: &mut Memberships, turned: &Turned) {
    known.version = Some(known.version.unwrap_or_default() + 1);
    known.at = Some(turned.at);
    known.turns_at = turned.turns_at;
    for (edition, membership, _) in &turned.memberships {
        known.of.insert(edition.clone(), membership.clone());
    }
    for edition in &turned.forgotten {
        known.of.remove(edition);
    }
}

impl Kept {
    pub(crate) fn lives(history: &History) -> Result<Self, TestCaseError> {
        let mut kept = Self {
            shop: Shop::new(history.start, history.zone),
            known: Memberships::default(),
            said: BTreeMap::new(),
            timers: Vec::new(),
            turned: 0,
        };
        for (segment, condition) in SEGMENTS.iter().zip(&history.segments) {
            kept.shop.edit(segment, condition);
        }
        if history.is_built {
            kept.shop.built(1);
        }
        for step in &history.steps {
            kept.step(step)?;
        }
        // What is still to go off does.
        kept.passes(SignedDuration::from_secs(61), SignedDuration::ZERO, None)?;
        prop_assert!(!kept.is_due());
        Ok(kept)
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let until_due = || self.known.turns_at.map_or(SignedDuration::ZERO, |at| at.duration_since(self.shop.now));
        let length = step.after.unwrap_or_else(until_due).max(SignedDuration::ZERO);
        self.passes(length, step.late, Some(step))?;
        match &step.what {
            What::Deeds(deeds) => {
                let mut touched: Vec<Touched> = deeds.iter().filter_map(|deed| self.shop.does(deed)).collect();
                touched.sort();
                touched.dedup();
                self.touched(touched)?;
            }
            What::Edit(segment, condition) => self.shop.edit(segment, condition),
            What::Delete(segment) => self.shop.delete(segment),
            What::Found => self.found()?,
            What::Built => {
                self.found()?;
                if let Some(building) = &self.shop.editions.building {
                    let number = building.number;
                    self.shop.built(number);
                }
            }
            What::Gone => {
                self.shop.facts = Facts::default();
                self.known = Memberships::default();
                // Nobody is told that they left; whoever comes under this name is somebody new.
                self.said.clear();
            }
            What::Again(which) => {
                if !self.timers.is_empty() {
                    let at = *which.get(&self.timers);
                    self.turns(at)?;
                }
            }
        }
        self.is_as_it_should_be()
    }

    fn is_due(&self) -> bool {
        self.known.turns_at.is_some_and(|at| at <= self.shop.now)
    }

    fn touched(&mut self, touched: Vec<Touched>) -> Result<(), TestCaseError> {
        let chosen = self.shop.upkeep.touched_by(&touched);
        let is_of_events = touched.iter().any(|touched| matches!(touched, Touched::Event(_)));
        let speaking = |alone: &&crate::shop::Alone| touched.iter().any(|touched| alone.speaks_of(touched));
        let concerned = self.shop.alone.values().filter(speaking).count();
        if is_of_events {
            prop_assert!(chosen.len() <= concerned, "{} of {concerned} by {touched:?}", chosen.len());
        } else {
            prop_assert_eq!(chosen.len(), concerned, "{:?}", touched);
        }
        for one in &touched {
            prop_assert!(!chosen.is_empty() || !self.shop.upkeep.heeds(one));
        }
        self.look(&chosen, &By::Touched(touched))
    }

    fn found(&mut self) -> Result<(), TestCaseError> {
        let Some(number) = self.shop.editions.building.as_ref().map(|building| building.number) else { return Ok(()) };
        let chosen = self.shop.upkeep.building(number);
        self.look(&chosen, &By::Found)?;
        self.shop.found = Some(number);
        Ok(())
    }

    /// A timer goes off.
    fn turns(&mut self, at: Timestamp) -> Result<(), TestCaseError> {
        let is_overtaken = self.known.turns_at != Some(at);
        let (turned, serving) = (self.turned, self.known.turns_at);
        // Of one that was overtaken somebody may have begun and not finished, so it is looked
        // at; as a rule there is nothing to do.
        if at <= self.shop.now {
            let chosen = self.shop.upkeep.timed();
            self.look(&chosen, &By::Time)?;
        }
        if is_overtaken && serving.is_none_or(|at| at > self.shop.now) {
            prop_assert_eq!(self.turned, turned);
        }
        Ok(())
    }

    fn look(&mut self, chosen: &Chosen, by: &By) -> Result<(), TestCaseError> {
        let mut writes = 0;
        while !chosen.is_empty() || *by == By::Time {
            if !self.shop.is_known() {
                break;
            }
            let now = self.shop.now;
            let needs = self.shop.upkeep.needs(chosen);
            let judged = self.shop.upkeep.judged(chosen, &self.shop.read(&needs, now), &self.shop.at(now));
            prop_assert_eq!(judged.len(), chosen.len());
            let Some(turned) = self.known.turned(&judged, self.shop.upkeep.editions(), by, now) else { break };
            writes += 1;
            prop_assert_eq!(writes, 1, "there was something left to write");
            self.hears_of(&turned)?;
            apply(&mut self.known, &turned);
            self.timers.extend(turned.turns_at);
            let last = self.shop.upkeep.editions().iter().map(|(_, number)| *number).max();
            let is_kept = |edition: &EditionOf| self.shop.upkeep.editions().contains(edition);
            prop_assert!(self.known.of.keys().all(|edition| is_kept(edition) || Some(edition.1) > last));
        }
        Ok(())
    }

    /// Each change is told of once, of what serves and nothing else, and later than the one
    /// before.
    fn hears_of(&mut self, turned: &Turned) -> Result<(), TestCaseError> {
        for (edition, membership, change) in &turned.memberships {
            let before = self.known.of.get(edition);
            prop_assert_ne!(membership.is_in, before.is_some_and(|before| before.is_in));
            prop_assert!(membership.since >= self.shop.now);
            prop_assert!(before.is_none_or(|before| before.since < membership.since));
            let alone = &self.shop.alone[edition];
            prop_assert_eq!(change.is_some(), alone.serves);
            let of = match change {
                Some(Change::SegmentEntered { segment, at }) => Some((segment, *at, true)),
                Some(Change::SegmentLeft { segment, at }) => Some((segment, *at, false)),
                Some(other) => return Err(TestCaseError::fail(format!("{other:?}"))),
                None => None,
            };
            if let Some((segment, at, entered)) = of {
                prop_assert_eq!((segment, at, entered), (&edition.0, membership.since, membership.is_in));
                // What was said last of it was the other.
                let said = self.said.insert(edition.clone(), entered);
                prop_assert_ne!(said, Some(entered));
                self.turned += 1;
            }
        }
        Ok(())
    }

    /// Time goes by, and timers go off, each so much late.
    fn passes(
        &mut self,
        length: SignedDuration,
        late: SignedDuration,
        step: Option<&Step>,
    ) -> Result<(), TestCaseError> {
        let end = self.shop.now + length;
        for fired in 0.. {
            prop_assert!(fired < MOST_TIMERS, "timers do not come to an end");
            let Some(at) = self.known.turns_at else { break };
            let goes_off = (at + late).max(self.shop.now);
            if goes_off > end {
                break;
            }
            // Until then nothing turns.
            if at > self.shop.now && fired < 20 {
                let length = at.duration_since(self.shop.now);
                let some = |step: &Step| self.shop.now + length / 1000 * step.between.index(1000) as i32;
                for now in step.map(some).into_iter().chain([at - NANO]) {
                    self.is_so(now)?;
                }
            }
            self.shop.now = goes_off;
            self.turns(at)?;
            prop_assert!(self.known.turns_at.is_none_or(|next| next > goes_off));
            if fired < 20 {
                self.is_as_it_should_be()?;
            }
        }
        self.shop.now = end;
        self.is_as_it_should_be()
    }

    /// Every membership is what its condition says then, asked from scratch.
    fn is_so(&self, now: Timestamp) -> Result<(), TestCaseError> {
        for edition in self.shop.complete() {
            let is_in = self.known.of.get(&edition).is_some_and(|known| known.is_in);
            let holds = self.shop.is_known() && self.shop.verdict(&edition, now).holds;
            prop_assert_eq!(is_in, holds, "{:?} at {}: {}", edition, now, self.shop.alone[&edition].text);
        }
        Ok(())
    }

    fn is_as_it_should_be(&self) -> Result<(), TestCaseError> {
        let (now, is_due) = (self.shop.now, self.is_due());
        if !is_due {
            self.is_so(now)?;
        }
        if !self.shop.is_known() {
            prop_assert_eq!(&self.known, &Memberships::default());
            return Ok(());
        }
        for edition in self.shop.complete() {
            let verdict = self.shop.verdict(&edition, now);
            let is_in = self.known.of.get(&edition).is_some_and(|known| known.is_in);
            let alone = &self.shop.alone[&edition];
            let is_timed = alone.program.needs()[0].clock;
            // While a timer is late, whatever goes by the clock may be.
            if !is_timed {
                prop_assert_eq!(is_in, verdict.holds, "{:?} at {}: {}", edition, now, alone.text);
            }
            if let Some(next) = verdict.next.filter(|_| !is_due) {
                prop_assert!(
                    self.known.turns_at.is_some_and(|at| at <= next),
                    "{edition:?} turns at {next}: {}",
                    alone.text
                );
            }
        }
        Ok(())
    }
}
