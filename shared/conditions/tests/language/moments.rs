//! Moments that move with the clock, and when a verdict turns.

use conditions::{At, Facts, Program};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::history::shopper;
use super::{check_of, map, parsed, utc};

/// In Riga it is the next day by then; in New York it is not.
const NOW: &str = "2026-05-20T22:30:00Z";

fn riga(now: &str) -> At {
    At { now: now.parse().unwrap(), shop: TimeZone::get("Europe/Riga").unwrap() }
}

fn of(value: &str, zone: Option<&str>) -> Facts {
    Facts::single(map(json!({"customer": {"x": value, "time_zone": zone}})))
}

/// Of a value, by the shop's zone in Riga and the customer's in New York.
#[track_caller]
fn check(value: &str, test: Value, expected: bool) {
    check_at(NOW, value, test, expected);
}

#[track_caller]
fn check_at(now: &str, value: &str, test: Value, expected: bool) {
    let mut leaf = test;
    leaf["field"] = json!("customer.x");
    check_of(&of(value, Some("America/New_York")), &riga(now), &leaf, expected);
}

#[test]
fn an_instant_is_held_against_a_moment_so_long_ago_or_ahead() {
    check("2026-05-20T20:30:00Z", json!({"is": {"ago": "2h"}}), true);
    check("2026-05-20T20:30:00Z", json!({"at_least": {"ago": "2h"}}), true);
    check("2026-05-20T20:30:00Z", json!({"more_than": {"ago": "2h"}}), false);
    check("2026-05-20T20:30:00.000000001Z", json!({"more_than": {"ago": "2h"}}), true);
    check("2026-05-20T20:29:59Z", json!({"less_than": {"ago": "PT2H"}}), true);
    check("2026-05-20T20:29:59Z", json!({"is_not": {"ago": "120m"}}), true);
    check("2026-05-21T22:30:00Z", json!({"at_most": {"ahead": "1d"}}), true);
    check("2026-05-21T22:30:01Z", json!({"at_most": {"ahead": "1d"}}), false);
    check("2026-05-20T22:00:00Z", json!({"between": [{"ago": "1h"}, {"ahead": "1h"}]}), true);
    check("2026-05-20T22:00:00Z", json!({"between": [{"ago": "10m"}, {"ahead": "1h"}]}), false);
    check("Riga", json!({"at_least": {"ago": "2h"}}), false);
    check("5", json!({"at_most": {"ago": "2h"}}), false);
    check("5", json!({"is_not": {"ago": "2h"}}), true);
}

#[test]
fn a_date_is_held_against_the_day_of_a_moment() {
    check("2026-05-21", json!({"is": {"ago": "1h"}}), true);
    check("2026-05-20", json!({"is": {"ago": "2h"}}), true);
    check("2026-05-20", json!({"less_than": {"ago": "1h"}}), true);
    check("2026-05-22", json!({"is": {"ahead": "1d"}}), true);
    check("2026-05-21", json!({"is": {"start_of": "day"}}), true);
    check("2026-05-20", json!({"is": {"start_of": "day", "zone": "customer"}}), true);
    check("2026-05-18", json!({"is": {"start_of": "week"}}), true);
    check("2026-05-25", json!({"is": {"start_of": "week", "offset": 1}}), true);
    check("2026-05-01", json!({"is": {"start_of": "month"}}), true);
    check("2026-02-01", json!({"is": {"start_of": "month", "offset": -3}}), true);
    check("2026-01-01", json!({"is": {"start_of": "year"}}), true);
    check("2024-01-01", json!({"is": {"start_of": "year", "offset": -2}}), true);
}

#[test]
fn a_stretch_of_the_calendar_starts_by_its_zone() {
    check("2026-05-20T21:00:00Z", json!({"is": {"start_of": "day"}}), true);
    check("2026-05-20T21:00:00Z", json!({"is": {"start_of": "day", "zone": "shop"}}), true);
    check("2026-05-20T04:00:00Z", json!({"is": {"start_of": "day", "zone": "customer"}}), true);
    check("2026-05-19T21:00:00Z", json!({"is": {"start_of": "day", "offset": -1}}), true);
    check("2026-05-22T04:00:00Z", json!({"is": {"start_of": "day", "offset": 2, "zone": "customer"}}), true);
    check("2026-05-17T21:00:00Z", json!({"is": {"start_of": "week"}}), true);
    check("2026-04-30T21:00:00Z", json!({"is": {"start_of": "month"}}), true);
    check("2026-03-01T05:00:00Z", json!({"is": {"start_of": "month", "offset": -2, "zone": "customer"}}), true);
    check("2025-12-31T22:00:00Z", json!({"is": {"start_of": "year"}}), true);
    check("2027-01-01T05:00:00Z", json!({"is": {"start_of": "year", "offset": 1, "zone": "customer"}}), true);
}

#[test]
fn whose_zone_is_not_known_goes_by_the_shops() {
    let leaf = json!({"field": "customer.x", "is": {"start_of": "day", "zone": "customer"}});
    check_of(&of("2026-05-21", None), &riga(NOW), &leaf, true);
    check_of(&of("2026-05-21", Some("Nowhere/Else")), &riga(NOW), &leaf, true);
    check_of(&of("2026-05-20", Some("America/New_York")), &riga(NOW), &leaf, true);
    // It begins in Tokyo while it is still the day before in Riga.
    check_of(&of("2026-05-21", Some("Asia/Tokyo")), &riga(NOW), &leaf, true);
    check_of(&of("2026-05-20T15:00:00Z", Some("Asia/Tokyo")), &riga(NOW), &leaf, true);
}

#[test]
fn a_length_is_exact_and_a_start_goes_by_the_clocks() {
    // On 29 March the clocks in Riga go forward at 01:00Z.
    check_at("2026-03-29T10:00:00Z", "2026-03-28T10:00:00Z", json!({"is": {"ago": "1d"}}), true);
    check_at("2026-03-29T10:00:00Z", "2026-03-28T22:00:00Z", json!({"is": {"start_of": "day"}}), true);
    check_at("2026-03-29T10:00:00Z", "2026-03-29T21:00:00Z", json!({"is": {"start_of": "day", "offset": 1}}), true);
}

#[test]
fn an_instant_beside_a_date_goes_by_its_day_in_the_shop() {
    check("2026-05-20T22:30:00Z", json!({"is": "2026-05-21"}), true);
    check("2026-05-20T20:59:59Z", json!({"is": "2026-05-20"}), true);
    check("2026-05-21", json!({"at_most": "2026-05-20T21:00:00Z"}), true);
    check("2026-05-20T22:30:00Z", json!({"between": ["2026-05-21", "2026-05-20T23:00:00Z"]}), true);
}

#[test]
fn an_anniversary_is_a_yearly_return_within_days_of_today() {
    let days = |from: i32, to: i32| json!({"anniversary": {"from_day": from, "to_day": to}});
    check("1990-05-21", days(0, 0), true);
    check("1990-05-21", json!({"anniversary": {}}), true);
    check("1990-05-20", days(0, 0), false);
    check("1990-05-20", json!({"anniversary": {"zone": "customer"}}), true);
    check("1990-05-20", days(-1, -1), true);
    check("1990-05-28", days(0, 7), true);
    check("1990-05-29", days(0, 7), false);
    check("1990-05-14", days(-7, 0), true);
    check("1990-05-13", days(-7, 0), false);
    check("1990-05-22", days(-3, 2), true);
    check("1990-12-01", days(-400, 400), true);
    // The first return is a year after.
    check("2026-05-21", days(0, 0), false);
    check("2025-05-21", days(0, 0), true);
    check("2026-05-22", days(0, 366), true);
    check("2027-05-21", days(0, 366), false);
    // An instant goes by its day.
    check("1990-05-20T22:00:00Z", days(0, 0), true);
    check("1990-05-20T22:00:00Z", json!({"anniversary": {"zone": "customer"}}), true);
    check("5", days(-400, 400), false);
    check("Riga", days(-400, 400), false);
}

#[test]
fn anniversaries_go_over_the_end_of_the_year() {
    let check = |now: &str, value: &str, from: i32, to: i32, expected: bool| {
        check_at(now, value, json!({"anniversary": {"from_day": from, "to_day": to}}), expected);
    };
    check("2026-12-30T12:00:00Z", "1990-01-02", 0, 3, true);
    check("2026-12-30T12:00:00Z", "1990-01-03", 0, 3, false);
    check("2027-01-02T12:00:00Z", "1990-12-30", -3, 0, true);
    check("2027-01-02T12:00:00Z", "1990-12-29", -3, 0, false);
    check("2026-12-31T22:30:00Z", "1990-01-01", 0, 0, true);
}

#[test]
fn the_29th_of_february_returns_on_the_28th() {
    let check = |now: &str, expected: bool| check_at(now, "2000-02-29", json!({"anniversary": {}}), expected);
    check("2027-02-28T12:00:00Z", true);
    check("2027-03-01T12:00:00Z", false);
    check("2028-02-28T12:00:00Z", false);
    check("2028-02-29T12:00:00Z", true);
    check_at("2028-02-29T12:00:00Z", "1999-02-28", json!({"anniversary": {}}), false);
}

/// That it holds or not, and until when.
#[track_caller]
fn turns(facts: &Facts, json: Value, expected: (bool, Option<&str>)) {
    let condition = parsed(&json);
    let program = Program::new([&condition], |_| None);
    let verdict = program.verdict(0, &program.state(facts), &utc("2026-05-20T12:00:00Z"));
    let next = expected.1.map(|next| next.parse().unwrap());
    assert_eq!((verdict.holds, verdict.next), (expected.0, next), "{json}");
}

#[test]
fn a_verdict_says_when_it_turns() {
    let facts = shopper();
    turns(&facts, json!({"count": "orders"}), (true, None));
    turns(&facts, json!({"count": "orders", "during": {"last": "30d"}}), (true, Some("2026-06-18T10:00:00Z")));
    turns(
        &facts,
        json!({"count": "orders", "during": {"last": "30d"}, "at_least": 3}),
        (true, Some("2026-05-31T10:00:00Z")),
    );
    turns(&facts, json!({"count": "orders", "during": {"last": "1h"}}), (false, None));
    turns(&facts, json!({"count": "events", "during": {"last": "1h"}, "is": 1}), (true, Some("2026-05-20T12:30:00Z")));
    turns(&facts, json!({"count": "events", "during": {"last": "1h"}, "is": 0}), (false, Some("2026-05-20T12:30:00Z")));
    turns(
        &facts,
        json!({"count": "events", "during": {"to": {"ago": "1h"}}, "is": 1}),
        (true, Some("2026-05-20T12:00:00.000000001Z")),
    );
    turns(
        &facts,
        json!({"count": "items", "during": {"from": {"start_of": "day"}}}),
        (true, Some("2026-05-21T00:00:00Z")),
    );
    turns(
        &facts,
        json!({"last": "orders.created_at", "less_than": {"ago": "2d"}}),
        (false, Some("2026-05-21T10:00:00.000000001Z")),
    );
    turns(
        &facts,
        json!({"last": "orders.created_at", "at_most": {"ago": "2d"}}),
        (false, Some("2026-05-21T10:00:00Z")),
    );
    turns(
        &facts,
        json!({"not": {"last": "orders.created_at", "at_most": {"ago": "2d"}}}),
        (true, Some("2026-05-21T10:00:00Z")),
    );
    let lost = json!({"count": "events", "where": {"field": "event.name", "is": "lost"}});
    let day = json!({"count": "orders", "during": {"last": "2d"}});
    let week = json!({"count": "orders", "during": {"last": "1w"}});
    turns(&facts, json!({"all": [day, week]}), (true, Some("2026-05-21T10:00:00Z")));
    turns(&facts, json!({"any": [day, week]}), (true, Some("2026-05-26T10:00:00Z")));
    turns(&facts, json!({"all": [day, lost]}), (false, None));
    turns(&facts, json!({"any": [day, {"audience": "vip"}]}), (true, None));
}

#[test]
fn an_anniversary_says_when_it_comes_and_goes() {
    let leaf = json!({"field": "customer.x", "anniversary": {"from_day": -1, "to_day": 7}});
    turns(&of("1990-05-20", None), leaf.clone(), (true, Some("2026-05-22T00:00:00Z")));
    turns(&of("1990-06-01", None), leaf.clone(), (false, Some("2026-05-25T00:00:00Z")));
    turns(&of("1990-05-18", None), leaf.clone(), (false, Some("2027-05-11T00:00:00Z")));
    // Of a day to come the first return is a year after it, however far that is.
    turns(&of("2040-06-01", None), leaf.clone(), (false, Some("2041-05-25T00:00:00Z")));
    turns(&of("Riga", None), leaf, (false, None));
    // Within a year to either side it always is, from the first on.
    let leaf = json!({"field": "customer.x", "anniversary": {"from_day": -400, "to_day": 400}});
    turns(&of("1990-06-01", None), leaf.clone(), (true, None));
    turns(&of("2040-06-01", None), leaf, (false, Some("2040-04-27T00:00:00Z")));
}
