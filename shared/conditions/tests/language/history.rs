//! What several things come to.

use conditions::{At, Facts};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{check_of, map, utc};

/// A Wednesday.
const NOW: &str = "2026-05-20T12:00:00Z";

fn list(json: Value) -> Vec<Value> {
    serde_json::from_value(json).unwrap()
}

pub(crate) fn shopper() -> Facts {
    Facts {
        single: map(json!({"customer": {"id": "c-1", "time_zone": "America/New_York"}})),
        // The oldest last: how things come does not matter.
        orders: list(json!([
            {"id": "o-3", "created_at": "2026-05-19T10:00:00Z", "total": "49.50", "status": "delivered", "coupon": "X",
             "lines": [{"product_id": "p-3", "quantity": 3, "price": "16.50"}]},
            {"id": "o-2", "created_at": "2026-05-10T10:00:00Z", "total": "30.50", "status": "cancelled",
             "lines": [{"product_id": "p-1", "quantity": 1, "price": "30.50"}]},
            {"id": "o-1", "created_at": "2026-05-01T10:00:00Z", "total": "20.00", "status": "delivered",
             "lines": [{"product_id": "p-1", "quantity": 2, "price": "5.00", "tags": ["new", "red"]},
                       {"product_id": "p-2", "quantity": 1, "price": "10.00"}]},
        ])),
        events: list(json!([
            {"id": "e-1", "at": "2026-05-18T12:00:00Z", "name": "viewed", "product_id": "p-1"},
            {"id": "e-2", "at": "2026-05-20T11:00:00Z", "name": "viewed", "product_id": "p-2"},
            {"id": "e-3", "at": "2026-05-20T11:30:00Z", "name": "carted", "value": 7},
            {"id": "e-4", "at": "2026-05-21T00:00:00Z", "name": "viewed", "product_id": "p-3"},
        ])),
        items: list(json!([
            {"container": "wishlist", "since": "2026-05-20T11:59:00Z", "product_id": "p-8", "price": "4.50"},
            {"container": "cart", "since": "2026-05-15T00:00:00Z", "product_id": "p-9", "price": "8.00"},
        ])),
        containers: list(json!([
            {"code": "cart", "changed_at": "2026-05-20T11:59:00Z", "total": "8.00"},
            {"code": "wishlist", "changed_at": "2026-04-01T00:00:00Z", "total": "100"},
        ])),
        messages: list(json!([
            {"id": "m-1", "created_at": "2026-05-02T08:00:00Z", "channel": "email", "cost": "0.01",
             "opened_at": "2026-05-03T08:00:00Z"},
            {"id": "m-2", "created_at": "2026-05-19T08:00:00Z", "channel": "sms", "cost": "0.05"},
            {"id": "m-3", "created_at": "2026-05-20T12:00:00Z", "channel": "email", "cost": "0.01"},
        ])),
        audiences: vec!["vip".to_owned()],
    }
}

#[track_caller]
fn check(json: Value, expected: bool) {
    check_of(&shopper(), &utc(NOW), &json, expected);
}

/// That something comes to this and to nothing else.
#[track_caller]
fn comes_to(mut json: Value, expected: Value) {
    json["is"] = expected;
    check(json.clone(), true);
    let none = Facts::default();
    let is_zero = json["is"] == json!(0);
    check_of(&none, &utc(NOW), &json, is_zero);
}

#[test]
fn things_are_counted() {
    comes_to(json!({"count": "orders"}), json!(3));
    comes_to(json!({"count": "lines"}), json!(4));
    comes_to(json!({"count": "events"}), json!(4));
    comes_to(json!({"count": "items"}), json!(2));
    comes_to(json!({"count": "containers"}), json!(2));
    comes_to(json!({"count": "messages"}), json!(3));
    check(json!({"count": "orders"}), true);
    check(json!({"count": "orders", "where": {"field": "order.status", "is": "lost"}}), false);
    check(json!({"count": "orders", "at_least": 3}), true);
    check(json!({"count": "orders", "more_than": 3}), false);
    check(json!({"count": "orders", "less_than": "3.5"}), true);
    check(json!({"count": "orders", "at_most": 2}), false);
    check(json!({"count": "orders", "is_not": 3}), false);
    check(json!({"count": "orders", "in": [1, 3]}), true);
    check(json!({"count": "orders", "between": [3, 4]}), true);
    check(json!({"count": "orders", "set": true}), true);
}

#[test]
fn different_values_are_counted_once() {
    comes_to(json!({"distinct": "orders.status"}), json!(2));
    comes_to(json!({"distinct": "lines.product_id"}), json!(3));
    comes_to(json!({"distinct": "lines.tags"}), json!(2));
    comes_to(json!({"distinct": "orders.lines.product_id"}), json!(3));
    comes_to(json!({"distinct": "events.name"}), json!(2));
    comes_to(json!({"distinct": "events.nothing"}), json!(0));
    comes_to(json!({"distinct": "items.container"}), json!(2));
    comes_to(json!({"distinct": "containers.code"}), json!(2));
    comes_to(json!({"distinct": "messages.channel"}), json!(2));
}

#[test]
fn numbers_add_up() {
    comes_to(json!({"sum": "orders.total"}), json!(100));
    comes_to(json!({"sum": "orders.lines.quantity"}), json!(7));
    comes_to(json!({"sum": "lines.quantity"}), json!(7));
    comes_to(json!({"sum": "events.value"}), json!(7));
    comes_to(json!({"sum": "items.price"}), json!(12.5));
    comes_to(json!({"sum": "containers.total"}), json!("108.00"));
    comes_to(json!({"sum": "messages.cost"}), json!(0.07));
    comes_to(json!({"sum": "orders.status"}), json!(0));
    comes_to(json!({"average": "lines.quantity"}), json!(1.75));
    comes_to(json!({"average": "events.value"}), json!(7));
    comes_to(json!({"average": "items.price"}), json!(6.25));
    comes_to(json!({"average": "containers.total"}), json!(54));
    check(json!({"average": "orders.total", "between": [33.33, 33.34]}), true);
    check(json!({"average": "messages.cost", "between": ["0.0233", "0.0234"]}), true);
    check(json!({"average": "orders.status", "set": false}), true);
    check(json!({"average": "orders.status", "at_least": 0}), false);
}

#[test]
fn the_least_and_the_greatest_are_found() {
    comes_to(json!({"min": "orders.total"}), json!(20));
    comes_to(json!({"min": "orders.lines.price"}), json!(5));
    comes_to(json!({"min": "lines.price"}), json!(5));
    comes_to(json!({"min": "events.product_id"}), json!("p-1"));
    comes_to(json!({"min": "items.price"}), json!("4.5"));
    comes_to(json!({"min": "containers.total"}), json!(8));
    comes_to(json!({"min": "messages.channel"}), json!("email"));
    comes_to(json!({"max": "orders.total"}), json!(49.5));
    comes_to(json!({"max": "lines.product_id"}), json!("p-3"));
    comes_to(json!({"max": "events.at"}), json!("2026-05-21T02:00:00+02:00"));
    comes_to(json!({"max": "items.since"}), json!("2026-05-20"));
    comes_to(json!({"max": "containers.total"}), json!(100));
    comes_to(json!({"max": "messages.created_at"}), json!(NOW));
    check(json!({"max": "messages.channel", "starts_with": "s"}), true);
    check(json!({"max": "messages.nothing", "set": false}), true);
}

#[test]
fn the_first_and_the_last_that_there_are_go_by_time() {
    comes_to(json!({"first": "orders.id"}), json!("o-1"));
    comes_to(json!({"first": "orders.coupon"}), json!("X"));
    comes_to(json!({"first": "lines.product_id"}), json!("p-1"));
    comes_to(json!({"first": "events.name"}), json!("viewed"));
    comes_to(json!({"first": "items.product_id"}), json!("p-9"));
    comes_to(json!({"first": "containers.code"}), json!("wishlist"));
    comes_to(json!({"first": "messages.id"}), json!("m-1"));
    comes_to(json!({"last": "orders.id"}), json!("o-3"));
    comes_to(json!({"last": "lines.product_id"}), json!("p-3"));
    comes_to(json!({"last": "events.value"}), json!(7));
    comes_to(json!({"last": "items.product_id"}), json!("p-8"));
    comes_to(json!({"last": "containers.code"}), json!("cart"));
    comes_to(json!({"last": "messages.opened_at"}), json!("2026-05-03"));
    check(json!({"last": "lines.tags", "contains": "red"}), true);
    check(json!({"last": "messages.channel", "matches": "^e"}), true);
    check(json!({"last": "messages.channel", "contains": "mai"}), true);
    check(json!({"last": "orders.created_at", "at_least": {"ago": "26h"}}), true);
    check(json!({"last": "orders.created_at", "more_than": {"ago": "26h"}}), false);
    check(json!({"first": "orders.created_at", "anniversary": {"from_day": 340, "to_day": 350}}), true);
}

#[test]
fn where_says_which_things() {
    let count = |over: &str, filter: Value| json!({"count": over, "where": filter});
    comes_to(count("orders", json!({"field": "order.status", "is": "delivered"})), json!(2));
    comes_to(count("orders", json!({"not": {"field": "order.coupon", "set": true}})), json!(2));
    comes_to(count("orders", json!({"field": "order.lines.product_id", "contains": "p-1"})), json!(2));
    comes_to(count("lines", json!({"field": "line.product_id", "is": "p-1"})), json!(2));
    comes_to(
        count(
            "lines",
            json!({"all": [{"field": "line.product_id", "is": "p-1"}, {"field": "order.status", "is": "cancelled"}]}),
        ),
        json!(1),
    );
    comes_to(count("lines", json!({"field": "order.id", "is": "o-1"})), json!(2));
    comes_to(count("events", json!({"field": "event.at", "at_least": {"ago": "1h"}})), json!(3));
    comes_to(count("items", json!({"field": "item.container", "is": "cart"})), json!(1));
    comes_to(count("containers", json!({"field": "container.total", "more_than": 50})), json!(1));
    comes_to(count("messages", json!({"field": "message.opened_at", "set": true})), json!(1));
    comes_to(count("messages", json!({"all": []})), json!(3));
    comes_to(json!({"sum": "orders.total", "where": {"field": "order.status", "is": "delivered"}}), json!(69.5));
    comes_to(json!({"last": "orders.id", "where": {"field": "order.status", "is": "cancelled"}}), json!("o-2"));
    comes_to(json!({"distinct": "lines.product_id", "where": {"field": "order.total", "less_than": 40}}), json!(2));
}

#[test]
fn a_filter_over_orders_goes_through_the_lines_of_each() {
    let orders = |lines: Value| json!({"count": "orders", "where": lines});
    comes_to(orders(json!({"count": "lines", "at_least": 2})), json!(1));
    comes_to(orders(json!({"count": "lines", "where": {"field": "line.quantity", "more_than": 1}})), json!(2));
    comes_to(orders(json!({"not": {"count": "lines", "where": {"field": "line.product_id", "is": "p-1"}}})), json!(1));
    comes_to(orders(json!({"sum": "lines.quantity", "is": 3})), json!(2));
    comes_to(orders(json!({"average": "lines.price", "is": 7.5})), json!(1));
    comes_to(orders(json!({"max": "lines.price", "at_least": 16.5})), json!(2));
    comes_to(orders(json!({"min": "lines.price", "at_most": 5})), json!(1));
    comes_to(orders(json!({"first": "lines.product_id", "is": "p-1"})), json!(2));
    comes_to(orders(json!({"last": "lines.product_id", "is": "p-1"})), json!(1));
    comes_to(orders(json!({"distinct": "lines.product_id", "is": 2})), json!(1));
    comes_to(orders(json!({"count": "lines", "during": {"last": "30d"}, "is": 2})), json!(1));
    comes_to(orders(json!({"count": "lines", "during": {"last": "3d"}})), json!(1));
    // A line knows its order, in the filter of a filter as well.
    comes_to(orders(json!({"count": "lines", "where": {"field": "order.status", "is": "cancelled"}})), json!(1));
    // Alone, lines are those of all orders.
    comes_to(json!({"count": "lines", "where": {"field": "line.quantity", "more_than": 1}}), json!(2));
}

#[test]
fn an_order_that_is_kept_out_of_analytics_counts_only_where_statuses_are_asked_for() {
    let mut facts = shopper();
    facts.orders[0]["in_analytics"] = json!(true);
    facts.orders[1]["in_analytics"] = json!(false);
    let check = |json: Value| check_of(&facts, &utc(NOW), &json, true);
    check(json!({"count": "orders", "is": 2}));
    check(json!({"count": "lines", "is": 3}));
    check(json!({"sum": "orders.total", "is": 69.5}));
    check(json!({"max": "lines.price", "is": 16.5}));
    check(json!({"count": "orders", "where": {"field": "order.total", "more_than": 25}, "is": 1}));
    check(json!({"count": "orders", "where": {"field": "order.status", "is_not": "lost"}, "is": 3}));
    check(json!({"count": "orders", "where": {"field": "order.in_analytics", "is": false}, "is": 1}));
    check(json!({"count": "orders", "where": {"any": [{"all": []}, {"field": "order.status", "is": "x"}]}, "is": 3}));
    check(json!({"count": "lines", "where": {"field": "order.status", "is": "cancelled"}, "is": 1}));
    check(json!({"count": "lines", "where": {"field": "line.product_id", "is": "p-1"}, "is": 1}));
    check(
        json!({"count": "orders", "where": {"count": "lines", "where": {"field": "line.product_id", "is": "p-1"}}, "is": 1}),
    );
    check(json!({"count": "orders", "where": {"all": [
        {"field": "order.status", "is": "cancelled"}, {"count": "lines", "where": {"field": "line.product_id", "is": "p-1"}},
    ]}, "is": 1}));
    check(
        json!({"count": "events", "during": {"since": {"last": "orders", "where": {"field": "order.total", "less_than": 40}}}, "is": 4}),
    );
    check(json!({"count": "orders", "during": {"since": {"first": "orders"}}, "is": 1}));
    check(
        json!({"count": "orders", "during": {"since": {"last": "orders", "where": {"field": "order.status", "is": "cancelled"}}}, "is": 1}),
    );
}

#[test]
fn the_last_so_much_goes_up_to_now() {
    let last = |over: &str, length: &str| json!({"count": over, "during": {"last": length}});
    comes_to(last("orders", "1d"), json!(0));
    comes_to(last("orders", "26h"), json!(0));
    comes_to(last("orders", "PT26H1S"), json!(1));
    comes_to(last("orders", "P30D"), json!(3));
    comes_to(last("lines", "20d"), json!(4));
    comes_to(last("events", "2d"), json!(2));
    comes_to(last("events", "2d 1s"), json!(3));
    comes_to(last("items", "1h"), json!(1));
    comes_to(last("containers", "1m"), json!(0));
    comes_to(last("containers", "61s"), json!(1));
    comes_to(last("messages", "1s"), json!(1));
    comes_to(json!({"sum": "orders.total", "during": {"last": "2w"}}), json!(80));
}

#[test]
fn a_stretch_goes_from_one_moment_up_to_another_without_it() {
    let during = |over: &str, window: Value| json!({"count": over, "during": window});
    comes_to(during("orders", json!({"from": "2026-05-01T10:00:00Z", "to": "2026-05-19T10:00:00Z"})), json!(2));
    comes_to(during("orders", json!({"from": "2026-05-02"})), json!(2));
    comes_to(during("orders", json!({"to": "2026-05-10"})), json!(1));
    comes_to(during("orders", json!({"to": "2026-05-11"})), json!(2));
    comes_to(during("lines", json!({"to": "2026-05-11"})), json!(3));
    comes_to(during("events", json!({"from": {"ago": "1h"}})), json!(3));
    comes_to(during("events", json!({"from": {"ago": "1h"}, "to": {"ago": "30m"}})), json!(1));
    comes_to(during("events", json!({"from": {"ago": "1h"}, "to": {"ahead": "12h"}})), json!(2));
    comes_to(during("events", json!({"to": {"ahead": "12h 1s"}})), json!(4));
    comes_to(during("items", json!({"from": {"start_of": "day"}})), json!(1));
    comes_to(during("items", json!({"from": {"start_of": "day", "offset": -5}})), json!(2));
    comes_to(
        during("messages", json!({"from": {"start_of": "day", "offset": -1}, "to": {"start_of": "day"}})),
        json!(1),
    );
    comes_to(during("messages", json!({"from": {"start_of": "week"}})), json!(2));
    comes_to(during("containers", json!({"to": {"start_of": "month"}})), json!(1));
    comes_to(
        during("containers", json!({"from": {"start_of": "year"}, "to": {"start_of": "year", "offset": 1}})),
        json!(2),
    );
    // From the later on to the earlier lies nothing.
    comes_to(during("messages", json!({"from": {"start_of": "week"}, "to": {"ago": "7d"}})), json!(0));
}

#[test]
fn days_of_a_stretch_are_the_shops_unless_it_says_otherwise() {
    let riga = At { now: NOW.parse().unwrap(), shop: TimeZone::get("Europe/Riga").unwrap() };
    let facts = Facts { events: list(json!([{"name": "a", "at": "2026-05-19T22:00:00Z"}])), ..shopper() };
    let check =
        |window: Value, expected| check_of(&facts, &riga, &json!({"count": "events", "during": window}), expected);
    check(json!({"from": "2026-05-20"}), true);
    check(json!({"to": "2026-05-20"}), false);
    check(json!({"from": {"start_of": "day"}}), true);
    check(json!({"from": {"start_of": "day", "zone": "shop"}}), true);
    check(json!({"from": {"start_of": "day", "zone": "customer"}}), false);
    check(json!({"to": {"start_of": "day", "zone": "customer"}}), true);
}

#[test]
fn what_is_since_a_thing_comes_after_it() {
    let since = |over: &str, since: Value| json!({"count": over, "during": {"since": since}});
    comes_to(since("events", json!({"first": "events"})), json!(3));
    comes_to(since("events", json!({"last": "events"})), json!(0));
    comes_to(since("events", json!({"last": "orders"})), json!(3));
    comes_to(since("events", json!({"last": "events", "where": {"field": "event.name", "is": "carted"}})), json!(1));
    comes_to(
        since("orders", json!({"first": "orders", "where": {"field": "order.status", "is": "cancelled"}})),
        json!(1),
    );
    comes_to(since("messages", json!({"last": "lines", "where": {"field": "line.product_id", "is": "p-1"}})), json!(2));
    comes_to(since("items", json!({"last": "messages", "where": {"field": "message.channel", "is": "sms"}})), json!(1));
    comes_to(since("containers", json!({"first": "containers"})), json!(1));
    comes_to(since("orders", json!({"first": "items"})), json!(1));
    comes_to(since("events", json!({"last": "orders", "where": {"count": "lines", "is": 2}})), json!(4));
    // Nothing is since what never was.
    comes_to(since("events", json!({"last": "orders", "where": {"field": "order.status", "is": "lost"}})), json!(0));
    comes_to(
        since("events", json!({"first": "events", "where": {"field": "event.at", "more_than": {"ahead": "1d"}}})),
        json!(0),
    );
}

#[test]
fn what_has_no_time_lies_before_everything() {
    let facts = Facts { events: list(json!([{"name": "a"}, {"name": "b", "at": "yesterday"}])), ..Facts::default() };
    let check = |json: Value, expected| check_of(&facts, &utc(NOW), &json, expected);
    check(json!({"count": "events", "is": 2}), true);
    check(json!({"count": "events", "during": {"last": "10d"}}), false);
    check(json!({"count": "events", "during": {"from": "2000-01-01"}}), false);
    check(json!({"count": "events", "during": {"to": "2000-01-01"}, "is": 2}), true);
}

#[test]
fn audiences_are_asked_by_code() {
    check(json!({"audience": "vip"}), true);
    check(json!({"audience": "staff"}), false);
    check(json!({"all": [{"audience": "vip"}, {"not": {"audience": "staff"}}]}), true);
}
