//! Jumping from one moment at which a verdict may turn to the next finds what looking at
//! every moment would find.

mod generate;

use std::collections::BTreeSet;

use conditions::{At, Condition, Facts, Needs, Program, State};
use generate::{Case, LENGTHS, SEGMENTS, case, condition, parsed};
use jiff::{SignedDuration, Timestamp, civil::Date};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// How far a walk goes.
const SPAN: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Of how many moments at which something may turn one is looked at, where each takes long.
const STRIDE: usize = 29;

const NANO: SignedDuration = SignedDuration::from_nanos(1);

/// From when on a condition holds or not, and from when on that never changes.
type Walk = (Vec<(Timestamp, bool)>, Option<Timestamp>);

/// A case made ready.
struct Ready {
    program: Program,
    state: State,
    at: At,
}

impl Ready {
    fn of(case: &Case, conditions: &[Condition]) -> Self {
        let segments: Vec<Condition> = case.segments.iter().map(parsed).collect();
        let place = |code: &str| SEGMENTS.iter().position(|known| *known == code);
        let program = Program::new(conditions, |code| place(code).map(|place| &segments[place]));
        let state = program.state(&case.facts);
        Self { program, state, at: case.at.clone() }
    }

    fn at(&self, now: Timestamp) -> At {
        At { now, shop: self.at.shop.clone() }
    }

    fn holds(&self, now: Timestamp) -> bool {
        self.program.holds(0, &self.state, &self.at(now))
    }

    /// Jumps from one moment at which it may turn to the next.
    fn walk(&self) -> Result<Walk, TestCaseError> {
        let mut now = self.at.now;
        let end = now + SPAN;
        let mut found = Vec::new();
        loop {
            let verdict = self.program.verdict(0, &self.state, &self.at(now));
            prop_assert_eq!(verdict.holds, self.holds(now));
            found.push((now, verdict.holds));
            match verdict.next {
                None => return Ok((found, Some(now))),
                Some(next) => {
                    prop_assert!(next > now, "{next} is not after {now}");
                    now = next;
                }
            }
            if now > end {
                return Ok((found, None));
            }
        }
    }
}

/// When something may turn, or right before or after: each time that is in the facts, so
/// much later and earlier, and when days begin.
fn telling(case: &Case) -> BTreeSet<Timestamp> {
    let Facts { single, orders, events, items, containers, messages, .. } = &case.facts;
    let things = [orders, events, items, containers, messages].into_iter().flatten().chain(single.values());
    let mut values: Vec<&Value> = things.chain(&case.conditions).chain(&case.segments).collect();
    let customer = single["customer"]["time_zone"].as_str().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    let zones: Vec<_> = [Some(case.at.shop.clone()), customer].into_iter().flatten().collect();
    let mut times = BTreeSet::from([case.at.now]);
    while let Some(value) = values.pop() {
        match value {
            Value::Array(list) => values.extend(list),
            Value::Object(fields) => values.extend(fields.values()),
            Value::String(text) => {
                times.extend(text.parse::<Timestamp>());
                if let Ok(day) = text.parse::<Date>() {
                    let begins = |zone: &jiff::tz::TimeZone| day.to_zoned(zone.clone()).ok();
                    times.extend(zones.iter().filter_map(begins).map(|day| day.timestamp()));
                }
            }
            _ => {}
        }
    }
    let mut later: BTreeSet<Timestamp> = times.clone();
    for (_, seconds) in LENGTHS {
        let length = SignedDuration::from_secs(seconds);
        later.extend(times.iter().flat_map(|time| [time.checked_add(length), time.checked_sub(length)]).flatten());
    }
    for zone in &zones {
        for days in 0..=10 {
            let day = (case.at.now.to_zoned(zone.clone()).date()).saturating_add(jiff::Span::new().days(days));
            later.extend(day.to_zoned(zone.clone()).and_then(|day| day.start_of_day()).map(|day| day.timestamp()));
        }
    }
    later.iter().flat_map(|time| [*time - NANO, *time, *time + NANO]).collect()
}

fn every(step: SignedDuration, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(Some(from), move |now| now.checked_add(step).ok()).take_while(move |now| *now < until)
}

/// What is left of a case if no more is read than there is need of.
fn without_the_old(case: &Case, needs: &Needs) -> Case {
    let mut case = case.clone();
    let Facts { events, messages, .. } = &mut case.facts;
    for (things, time, reach) in [(events, "at", needs.events_back), (messages, "created_at", needs.messages_back)] {
        let since = reach.since(case.at.now).unwrap_or(Timestamp::MIN);
        things
            .retain(|thing| thing[time].as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok_and(|at| at >= since)));
    }
    case
}

/// So many, unless the environment says otherwise.
fn cases(default: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(default),
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_verdict_stands_until_it_is_said_to_turn(case in case(1..2), minutes in prop_oneof![19 => Just(47), 1 => Just(1)]) {
        let ready = Ready::of(&case, &[parsed(&case.conditions[0])]);
        let (walked, forever) = ready.walk()?;
        let (start, end) = (case.at.now, case.at.now + SPAN);
        let telling = telling(&case).into_iter().filter(|now| (start..end).contains(now));
        for now in every(SignedDuration::from_mins(minutes), start, end).chain(telling) {
            let (since, said) = walked[walked.partition_point(|(from, _)| *from <= now) - 1];
            prop_assert_eq!(ready.holds(now), said, "at {}, said at {}", now, since);
        }
        if let Some(forever) = forever {
            let (_, said) = walked[walked.len() - 1];
            for now in every(SignedDuration::from_hours(6), forever, forever + SignedDuration::from_hours(24 * 400)) {
                prop_assert_eq!(ready.holds(now), said, "at {}, said for ever at {}", now, forever);
            }
        }
    }

    #[test]
    fn a_condition_that_needs_no_clock_never_turns(case in case(1..2)) {
        let ready = Ready::of(&case, &[parsed(&case.conditions[0])]);
        if !ready.program.needs()[0].clock {
            prop_assert_eq!(ready.program.verdict(0, &ready.state, &ready.at).next, None);
        }
    }

    #[test]
    fn conditions_say_together_what_each_says_alone(case in case(1..5)) {
        let conditions: Vec<Condition> = case.conditions.iter().map(parsed).collect();
        let together = Ready::of(&case, &conditions);
        for (place, condition) in conditions.iter().enumerate() {
            let alone = Ready::of(&case, std::slice::from_ref(condition));
            let verdict = alone.program.verdict(0, &alone.state, &case.at);
            prop_assert_eq!(&together.program.verdict(place, &together.state, &case.at), &verdict);
            prop_assert_eq!(together.program.holds(place, &together.state, &case.at), verdict.holds);
            let why = alone.program.why(0, &alone.state, &case.at);
            prop_assert_eq!(together.program.why(place, &together.state, &case.at), why);
            prop_assert_eq!(&together.program.needs()[place], &alone.program.needs()[0]);
        }
    }

    #[test]
    fn what_is_older_than_is_looked_at_makes_no_difference(case in case(1..4), skipped in 0..STRIDE) {
        let conditions: Vec<Condition> = case.conditions.iter().map(parsed).collect();
        let all = Ready::of(&case, &conditions);
        let needs = all.program.all_needs();
        let some = Ready::of(&without_the_old(&case, &needs), &conditions);
        prop_assert_eq!(some.walk()?, all.walk()?);
        for now in telling(&case).into_iter().skip(skipped).step_by(STRIDE) {
            let at = all.at(now);
            let then = Case { at: at.clone(), ..case.clone() };
            let some = Ready::of(&without_the_old(&then, &needs), &conditions);
            for place in 0..conditions.len() {
                let of = |Ready { program, state, .. }: &Ready| {
                    (program.verdict(place, state, &at), program.why(place, state, &at))
                };
                prop_assert_eq!(of(&some), of(&all), "at {}", now);
            }
        }
    }

    #[test]
    fn reasons_agree_with_what_holds(case in case(1..2)) {
        let tree = &case.conditions[0];
        let ready = Ready::of(&case, &[parsed(tree)]);
        let opposite = Ready::of(&case, &[parsed(&json!({"not": tree}))]);
        let (holds, why) = (ready.holds(case.at.now), ready.program.why(0, &ready.state, &case.at));
        prop_assert_eq!(opposite.holds(case.at.now), !holds);
        prop_assert_eq!(&opposite.program.why(0, &opposite.state, &case.at), &why);
        let next = ready.program.verdict(0, &ready.state, &case.at).next;
        prop_assert_eq!(opposite.program.verdict(0, &opposite.state, &case.at).next, next);
        let is_leaf = |node: &Value| ["all", "any", "not", "segment"].iter().all(|name| node.get(name).is_none());
        if is_leaf(tree) {
            prop_assert_eq!(why.leaves.len(), 1);
        }
        let all_leaves = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(is_leaf));
        if is_leaf(tree) || all_leaves(&tree["all"]) || all_leaves(&tree["any"]) {
            prop_assert!(why.leaves.iter().all(|leaf| leaf.holds == holds), "{}", why);
        }
    }

    #[test]
    fn what_is_serialised_parses_to_the_same(tree in condition("2026-11-01T06:00:00Z".parse().unwrap())) {
        let condition = parsed(&tree);
        let written = serde_json::to_value(&condition).unwrap();
        prop_assert_eq!(&parsed(&written), &condition);
        prop_assert_eq!(serde_json::to_value(parsed(&written)).unwrap(), written.clone());
        prop_assert_eq!(serde_json::from_value::<Condition>(written).unwrap().to_string(), condition.to_string());
    }

    #[test]
    fn the_order_in_which_things_come_does_not_matter(case in case(1..2)) {
        let mut turned = case.clone();
        let Facts { orders, events, items, containers, messages, audiences, .. } = &mut turned.facts;
        [orders, events, items, containers, messages].into_iter().for_each(|things| things.reverse());
        audiences.reverse();
        let conditions = [parsed(&case.conditions[0])];
        let (ready, turned) = (Ready::of(&case, &conditions), Ready::of(&turned, &conditions));
        prop_assert_eq!(ready.program.verdict(0, &ready.state, &case.at), turned.program.verdict(0, &turned.state, &case.at));
    }
}

/// Else the walks would show nothing.
#[test]
fn a_good_part_of_the_walks_turn() {
    let mut runner = TestRunner::deterministic();
    let cases = case(1..2);
    let turning = (0..200).filter(|_| {
        let case = cases.new_tree(&mut runner).expect("a case").current();
        let (walked, _) = Ready::of(&case, &[parsed(&case.conditions[0])]).walk().expect("a walk");
        walked.iter().any(|(_, holds)| *holds != walked[0].1)
    });
    let turning = turning.count();
    assert!(turning > 30, "only {turning} of 200 turn");
}
