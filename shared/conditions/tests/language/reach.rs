//! How far back conditions look, so that nobody need read what is older.

use conditions::{Condition, Facts, Needs, Program};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{parsed, utc};

const NOW: &str = "2026-05-20T12:00:00Z";

fn needs(json: &Value) -> Needs {
    let recent = parsed(&json!({"count": "events", "during": {"last": "3d"}}));
    Program::new([&parsed(json)], |code| (code == "recent").then_some(&recent)).all_needs()
}

/// Since when a condition needs events: `null` for all that there are.
#[track_caller]
fn events_since(json: Value, expected: Value) {
    let since = needs(&json).events_back.since(utc(NOW).now);
    assert_eq!(json!(since), expected, "{json}");
}

#[test]
fn a_condition_says_how_far_back_it_looks() {
    let during = |window: Value| json!({"count": "events", "during": window});
    let (three, week) = (during(json!({"last": "3d"})), during(json!({"from": {"ago": "1w"}, "to": {"ago": "1d"}})));
    events_since(during(json!({"last": "1s"})), json!("2026-05-20T11:59:59Z"));
    events_since(during(json!({"last": "P30D"})), json!("2026-04-20T12:00:00Z"));
    events_since(json!({"last": "events.value", "during": {"last": "36h"}, "is": 1}), json!("2026-05-19T00:00:00Z"));
    events_since(during(json!({"from": {"ago": "2d"}})), json!("2026-05-18T12:00:00Z"));
    events_since(during(json!({"from": "2026-03-01T00:00:00Z", "to": {"ago": "1d"}})), json!("2026-03-01T00:00:00Z"));
    // It may begin later.
    events_since(during(json!({"from": {"ahead": "1d"}})), json!(NOW));
    events_since(during(json!({"from": "2026-06-01T00:00:00Z"})), json!(NOW));

    // Of several, as far as the one that looks the furthest.
    events_since(json!({"all": [three, {"not": week}]}), json!("2026-05-13T12:00:00Z"));
    events_since(json!({"any": [week, {"not": three}]}), json!("2026-05-13T12:00:00Z"));
    events_since(
        json!({"all": [three, during(json!({"from": "2026-05-01T00:00:00Z"}))]}),
        json!("2026-05-01T00:00:00Z"),
    );
    events_since(json!({"not": {"segment": "recent"}}), json!("2026-05-17T12:00:00Z"));

    // Whatever is as old as can be may count.
    events_since(json!({"count": "events"}), Value::Null);
    events_since(json!({"last": "events.value", "is": 1}), Value::Null);
    events_since(during(json!({"to": {"ago": "1d"}})), Value::Null);
    events_since(during(json!({"since": {"last": "orders"}})), Value::Null);
    events_since(json!({"count": "orders", "during": {"since": {"first": "events"}}}), Value::Null);
    events_since(json!({"all": [three, {"count": "events"}]}), Value::Null);
}

#[test]
fn messages_are_looked_back_at_by_themselves() {
    let json = json!({"all": [
        {"count": "messages", "during": {"last": "3d"}}, {"count": "events"},
        {"count": "orders", "during": {"last": "9d"}},
    ]});
    let Needs { messages_back, events_back, .. } = needs(&json);
    assert_eq!(messages_back.since(utc(NOW).now), Some("2026-05-17T12:00:00Z".parse().unwrap()));
    assert_eq!(events_back.since(utc(NOW).now), None);
}

#[test]
fn what_is_needed_of_some_is_what_each_of_them_needs() {
    let json = [
        json!({"count": "events", "where": {"field": "event.name", "is": "a"}, "during": {"last": "3d"}}),
        json!({"count": "messages"}),
        json!({"count": "events", "where": {"field": "event.name", "is": "b"}, "during": {"last": "2d"}}),
        json!({"all": [{"audience": "vip"}, {"field": "customer.seen_at", "at_least": {"ago": "1d"}}]}),
        json!({"count": "events"}),
    ];
    let conditions: Vec<Condition> = json.iter().map(parsed).collect();
    let program = Program::new(&conditions, |_| None);
    let joined = |places: &[usize]| {
        let mut joined = Needs::default();
        places.iter().for_each(|place| joined.join(&program.needs()[*place]));
        joined
    };
    assert_eq!(joined(&[]), Program::new([], |_| None).all_needs());
    for some in [&[0, 1][..], &[0, 2], &[2, 0], &[1, 3], &[0, 4, 2], &[0, 1, 2, 3, 4]] {
        let alone: Vec<&Condition> = some.iter().map(|place| &conditions[*place]).collect();
        assert_eq!(joined(some), Program::new(alone, |_| None).all_needs(), "{some:?}");
    }
    assert_eq!(joined(&[0, 2]).events, Some(["a".to_owned(), "b".to_owned()].into()));
    assert_eq!(joined(&[0, 4, 2]).events, None);
}

/// Of all the start of a stretch of the calendar can be, in whatever zone.
#[test]
fn a_start_of_the_calendar_is_never_before_what_is_read() {
    let zones = ["UTC", "Pacific/Kiritimati", "Pacific/Niue", "America/St_Johns", "Asia/Beirut"];
    let days = ["2026-03-29T00:30:00Z", "2026-12-31T23:59:59Z", "2028-03-01T00:00:00Z", "2027-01-03T10:00:00Z"];
    for (unit, offset) in ["day", "week", "month", "year"].iter().flat_map(|unit| [(unit, 0), (unit, -1), (unit, -13)])
    {
        let condition = parsed(&json!({"count": "events", "during": {"from": {"start_of": unit, "offset": offset}}}));
        let program = Program::new([&condition], |_| None);
        for (zone, day) in zones.iter().flat_map(|zone| days.map(|day| (zone, day))) {
            let mut at = utc(day);
            at.shop = jiff::tz::TimeZone::get(zone).unwrap();
            let since = program.all_needs().events_back.since(at.now).unwrap();
            let holds = |then: Timestamp| {
                let facts = Facts { events: vec![json!({"at": then})], ..Facts::default() };
                program.holds(0, &program.state(&facts), &at)
            };
            let older = (1..500).map(|hours| since - SignedDuration::from_hours(hours));
            assert!(!older.into_iter().any(holds), "{unit} {offset} in {zone} at {day}");
            assert!(holds(at.now));
        }
    }
}

/// What a filter says of them will change more often than it is looked ahead for.
#[test]
fn what_is_too_old_for_a_window_turns_nothing() {
    let condition = parsed(&json!({
        "count": "events", "during": {"last": "1d"}, "where": {"field": "event.until", "at_least": {"ago": "1s"}},
    }));
    let now = utc(NOW).now;
    let event = |at: Timestamp, minutes: i64| json!({"at": at, "until": now + SignedDuration::from_mins(minutes)});
    let old = (0..200).map(|minutes| event(now - SignedDuration::from_hours(48), minutes));
    let recent = event(now, 9_999);
    let facts = Facts { events: old.chain([recent]).collect(), ..Facts::default() };
    let program = Program::new([&condition], |_| None);
    let verdict = program.verdict(0, &program.state(&facts), &utc(NOW));
    assert_eq!((verdict.holds, verdict.next), (true, Some(now + SignedDuration::from_hours(24))));
}
