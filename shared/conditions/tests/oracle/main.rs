//! The language beside SQL: every condition is asked of a made-up shop twice.

mod cases;
mod random;
mod shop;
mod tables;

use std::fmt::Write as _;
use std::sync::LazyLock;

use cases::Case;
use conditions::{Collection, Condition, Facts, Needs, Program, Scope};
use jiff::Timestamp;
use random::{DAY, NOWS, Random, at, nanos};
use shop::Shop;

const CUSTOMERS: usize = 2_000;

const SEED: u64 = 20_260_228;

static SEGMENTS: LazyLock<Vec<(&str, Condition)>> =
    LazyLock::new(|| cases::segments().into_iter().map(|(code, json)| (code, parsed(&json))).collect());

fn parsed(json: &serde_json::Value) -> Condition {
    Condition::parse(json, &Scope::SEGMENT).unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}

fn program<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Program {
    Program::new(conditions, |wanted| SEGMENTS.iter().find(|(code, _)| *code == wanted).map(|(_, segment)| segment))
}

#[test]
fn a_condition_finds_the_customers_that_sql_finds() {
    let shop = Shop::of(CUSTOMERS, SEED);
    let cases = cases::all();
    let conditions: Vec<Condition> = cases.iter().map(|case| parsed(&case.json)).collect();
    let together = program(&conditions);
    let states: Vec<_> = shop.facts.iter().map(|facts| together.state(facts)).collect();

    let mut report = String::new();
    let mut telling = vec![false; cases.len()];
    for (now, zone) in NOWS {
        let at = at(nanos(now), zone);
        tables::set_clock(&shop.tables, nanos(now), zone);
        for (place, Case { json, sql }) in cases.iter().enumerate() {
            let mut found = vec![false; CUSTOMERS];
            let customers = tables::customers(&shop.tables, sql);
            telling[place] |= (CUSTOMERS / 100..=CUSTOMERS - CUSTOMERS / 100).contains(&customers.len());
            for customer in customers {
                found[customer] = true;
            }
            let wrong = |customer: &usize| together.holds(place, &states[*customer], &at) != found[*customer];
            let wrong: Vec<usize> = (0..CUSTOMERS).filter(wrong).collect();
            if let Some(&customer) = wrong.first() {
                let why = together.why(place, &states[customer], &at);
                let (count, found, sql) = (wrong.len(), found[customer], tables::expand(sql));
                write!(
                    report,
                    "\n{json}\n{count} differ at {now} in {zone}; the first is c-{customer}, found by SQL: {found}\n\
                     {sql}\n{why:?}\n"
                )
                .expect("text");
            }
        }
    }
    for (case, _) in cases.iter().zip(telling).filter(|(_, telling)| !telling) {
        writeln!(report, "\n{}\nholds for nearly all or nearly none, whatever the time", case.json).expect("text");
    }
    assert!(report.is_empty(), "{report}");
}

/// A few customers for each condition, looked at from one moment at which it may turn to
/// the next: between them SQL finds nothing else, and at each of them the same.
#[test]
fn sql_finds_no_turn_before_the_one_foretold() {
    const JUMPS: usize = 3;
    let shop = Shop::of(CUSTOMERS / 4, SEED);
    let mut random = Random(SEED);
    let mut report = String::new();
    for (place, Case { json, sql }) in cases::all().iter().enumerate() {
        let program = program([&parsed(json)]);
        for round in 0..6 {
            let (now, zone) = NOWS[(place + round) % NOWS.len()];
            // The calendars in the tables end soon after.
            let (mut now, end) = (nanos(now), nanos(now) + 400 * DAY);
            let customer = (place * 31 + round * 97) % shop.facts.len();
            let state = program.state(&shop.facts[customer]);
            for _ in 0..JUMPS {
                let verdict = program.verdict(0, &state, &at(now, zone));
                let next = verdict.next.map_or(end, nanoseconds).min(end);
                let between = [(); 3].map(|()| now + random.below(u64::try_from(next - now).expect("later")));
                for (when, expected) in [
                    (now, verdict.holds),
                    (between[0], verdict.holds),
                    (between[1], verdict.holds),
                    (between[2], verdict.holds),
                    (next - 1, verdict.holds),
                    (next, program.holds(0, &state, &at(next, zone))),
                ] {
                    tables::set_clock(&shop.tables, when, zone);
                    if tables::is_found(&shop.tables, sql, customer) != expected {
                        let (now, when) = (at(now, zone).now, at(when, zone).now);
                        let next = verdict.next;
                        write!(
                            report,
                            "\n{json}\nfor c-{customer} in {zone}: at {now} said to turn at {next:?}, which at {when} \
                             is to be {expected}, and SQL says that it is not\n"
                        )
                        .expect("text");
                    }
                }
                if next == end {
                    break;
                }
                now = next;
            }
        }
    }
    assert!(report.is_empty(), "{report}");
}

fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

#[test]
fn what_a_condition_does_not_need_makes_no_difference() {
    let shop = Shop::of(CUSTOMERS / 20, SEED);
    let cases = cases::all();
    let conditions: Vec<Condition> = cases.iter().map(|case| parsed(&case.json)).collect();
    let together = program(&conditions);
    for (place, (condition, Case { json, .. })) in conditions.iter().zip(&cases).enumerate() {
        let alone = program([condition]);
        let needs = &alone.needs()[0];
        for (customer, facts) in shop.facts.iter().enumerate() {
            let (all, needed) = (together.state(facts), alone.state(&without_the_rest(facts, needs)));
            let verdicts = NOWS.map(|(now, _)| {
                let at = at(nanos(now), "Europe/Riga");
                let holds = together.holds(place, &all, &at);
                assert_eq!(alone.holds(0, &needed, &at), holds, "{json}, of c-{customer}: {needs:?}");
                holds
            });
            let never_turns = verdicts.iter().all(|holds| *holds == verdicts[0]);
            assert!(needs.clock || never_turns, "{json}, of c-{customer}, turns with the clock");
        }
    }
}

/// What a condition needs of a customer's facts.
fn without_the_rest(facts: &Facts, needs: &Needs) -> Facts {
    let of = |over: Collection, things: &Vec<serde_json::Value>| {
        if needs.collections.contains(&over) { things.clone() } else { Vec::new() }
    };
    let named = |event: &serde_json::Value| {
        let name = event["name"].as_str().unwrap_or_default();
        needs.events.as_ref().is_none_or(|names| names.contains(name))
    };
    Facts {
        single: if needs.profile { facts.single.clone() } else { Default::default() },
        orders: if needs.collections.contains(&Collection::Lines) {
            facts.orders.clone()
        } else {
            of(Collection::Orders, &facts.orders)
        },
        events: of(Collection::Events, &facts.events).into_iter().filter(named).collect(),
        items: of(Collection::Items, &facts.items),
        containers: of(Collection::Containers, &facts.containers),
        messages: of(Collection::Messages, &facts.messages),
        audiences: facts.audiences.iter().filter(|code| needs.audiences.contains(*code)).cloned().collect(),
    }
}
