//! Quiet hours and local times around every change of a clock from 2024 to 2028, in every
//! zone of the database, against a walk from minute to minute over the zones' offsets.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

use std::collections::{BTreeMap, BTreeSet};

use domain::dictionary::QuietHours;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use sending::hours::{instant_of, quiet_until};
use sending::zones;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How far, in minutes, a walk goes to both sides of a change: as far as quiet hours may
/// last, and only over a night where those of one night are looked at.
const FAR: i64 = 28 * 60;
const NIGHT: i64 = 9 * 60;

/// How near to a change each moment is looked at.
const NEAR: i64 = 4 * 60;

/// What a clock shows from minute to minute around one moment.
struct Walk {
    zone: TimeZone,
    side: i64,
    start: Timestamp,
    shown: Vec<DateTime>,
}

impl Walk {
    fn around(zone: &TimeZone, middle: Timestamp, side: i64) -> Self {
        let start = middle - SignedDuration::from_mins(side);
        let at = |minute: i64| {
            let at = start + SignedDuration::from_mins(minute);
            zone.to_offset(at).to_datetime(at)
        };
        Self { zone: zone.clone(), side, start, shown: (0..2 * side).map(at).collect() }
    }

    fn at(&self, minute: i64) -> Timestamp {
        self.start + SignedDuration::from_mins(minute)
    }

    /// What is shown so many minutes after the change.
    fn shown(&self, after: i64) -> DateTime {
        self.shown[usize::try_from(self.side + after).unwrap()]
    }

    /// The first minute outside quiet hours, from each minute on.
    fn loud(&self, quiet: QuietHours) -> Vec<Option<i64>> {
        let minutes = |time: Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
        let (from, to) = (minutes(quiet.from), minutes(quiet.to));
        let (mut next, mut loud) = (None, vec![None; self.shown.len()]);
        for (minute, shown) in self.shown.iter().enumerate().rev() {
            // How long the quiet hours have lasted by what the clock shows.
            let since = (minutes(shown.time()) - from).rem_euclid(24 * 60);
            if since >= (to - from).rem_euclid(24 * 60) {
                next = i64::try_from(minute).ok();
            }
            loud[minute] = next;
        }
        loud
    }

    fn check_quiet(&self, (from, to): (Time, Time), step: usize) -> u64 {
        let quiet = QuietHours { from, to };
        let loud = self.loud(quiet);
        let mut checked = 0;
        for minute in (-NEAR..NEAR).step_by(step).chain([-1, 0, 1]) {
            let minute = self.side + minute;
            let now = self.at(minute);
            let expected = loud[usize::try_from(minute).unwrap()].map(|minute| self.at(minute)).unwrap();
            let until = quiet_until(quiet, &self.zone, now);
            assert_eq!(until, (expected != now).then_some(expected), "{:?} {quiet:?} at {now}", self.zone);
            checked += 1;
        }
        // Within a minute the answer is the same.
        let (now, within) = (self.at(self.side - 1), SignedDuration::from_millis(59_999));
        assert_eq!(quiet_until(quiet, &self.zone, now + within), quiet_until(quiet, &self.zone, now));
        checked
    }

    fn check_local(&self) -> u64 {
        let mut first = BTreeMap::new();
        for minute in -NEAR..NEAR {
            first.entry(self.shown(minute)).or_insert(self.at(self.side + minute));
        }
        let (before, after) = (self.shown(-1), self.shown(0));
        let (mut local, last) = (before.min(after) - 30.minutes(), before.max(after) + 30.minutes());
        let mut checked = 0;
        while local <= last {
            let shown = first.get(&local);
            assert!(shown.is_some() || (before < local && local < after), "{:?}: only a gap is never shown", self.zone);
            let expected = *shown.unwrap_or(&self.at(self.side));
            assert_eq!(instant_of(local, &self.zone), Some(expected), "{:?} {local}", self.zone);
            local += 1.minute();
            checked += 1;
        }
        checked
    }
}

/// The moments from 2024 to 2028 at which a zone's clocks are changed. No zone has two in
/// six hours.
fn changes(zone: &TimeZone) -> Vec<Timestamp> {
    let (mut at, end): (Timestamp, Timestamp) =
        ("2024-01-01T00:00:00Z".parse().unwrap(), "2029-01-01T00:00:00Z".parse().unwrap());
    let (mut offset, mut changes) = (zone.to_offset(at), Vec::new());
    while at < end {
        let next = at + SignedDuration::from_hours(6);
        let then = zone.to_offset(next);
        if then != offset {
            let minutes = (1..=6 * 60).map(|minute| at + MINUTE * minute);
            changes.extend(minutes.into_iter().find(|at| zone.to_offset(*at) == then));
        }
        (at, offset) = (next, then);
    }
    changes
}

/// Quiet hours that begin, end and lie in every way around what a clock shows at a change.
fn quiet_hours(walk: &Walk) -> BTreeSet<(Time, Time)> {
    let (before, after) = (walk.shown(-1).time(), walk.shown(0).time());
    let mut edges = BTreeSet::new();
    for edge in [before.wrapping_add(1.minute()), after] {
        edges.extend([-60, -30, 0, 30, 60].map(|minutes| edge.wrapping_add(minutes.minutes())));
    }
    let time = |text: &str| text.parse::<Time>().unwrap();
    let mut hours = BTreeSet::from([(time("21:00"), time("08:00")), (time("12:00"), time("13:00"))]);
    let edges: Vec<Time> = edges.into_iter().collect();
    for edge in &edges {
        hours.extend([(*edge, time("13:00")), (time("20:00"), *edge)]);
    }
    for pair in edges.windows(2) {
        hours.extend([(pair[0], pair[1]), (pair[1], pair[0])]);
    }
    hours.retain(|(from, to)| from != to);
    hours
}

#[test]
fn around_every_change_of_every_clock_nothing_goes_in_quiet_hours_and_nothing_later_than_the_first_minute_after() {
    let (mut seen, mut checked, mut zones_seen) = (BTreeSet::new(), 0, 0);
    for zone in zones() {
        zones_seen += 1;
        for at in changes(&zone) {
            let walk = Walk::around(&zone, at, NIGHT);
            let night = ("21:00".parse().unwrap(), walk.shown(0).time());
            checked += walk.check_local() + walk.check_quiet(night, 30);
            // Many zones have their clocks changed alike: each is looked at, and each way
            // in which that is done is looked at minute by minute.
            if seen.insert((at, walk.shown(-1), walk.shown(0))) {
                let walk = Walk::around(&zone, at, FAR);
                checked += walk.check_quiet(night, 1);
                checked += quiet_hours(&walk).into_iter().map(|hours| walk.check_quiet(hours, 20)).sum::<u64>();
            }
        }
    }
    assert!(zones_seen > 500 && seen.len() > 100 && checked > 200_000, "{zones_seen} {} {checked}", seen.len());
}

#[test]
fn in_every_zone_an_ordinary_day_has_quiet_hours_that_end_on_their_minute() {
    for zone in zones() {
        let walk = Walk::around(&zone, "2026-06-10T12:00:00Z".parse().unwrap(), FAR);
        for (from, to) in [("21:00", "08:00"), ("13:00", "13:01"), ("22:00", "00:00")] {
            walk.check_quiet((from.parse().unwrap(), to.parse().unwrap()), 60);
        }
    }
}
