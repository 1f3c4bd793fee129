//! Conditions and reasons in English.

use conditions::Facts;
use serde_json::{Value, json};

use super::{facts, parsed, utc};

#[test]
fn a_condition_and_its_reasons_read_as_english() {
    let condition = parsed(&json!({"all": [
        {"field": "customer.city", "is": "Riga"},
        {"any": [{"field": "order.total", "more_than": 100}, {"field": "customer.first_name", "set": true}]},
        {"not": {"field": "change.to", "in": ["cancelled", "returned"]}},
    ]}));
    assert_eq!(
        condition.to_string(),
        "customer city is Riga and (order total is more than 100 or customer first name is set) \
         and not (change to is one of cancelled, returned)"
    );
    let (holds, why) = condition.explain(&facts(), &utc("2026-05-20T12:00:00Z"));
    assert!(!holds);
    assert_eq!(
        why.to_string(),
        "order total is more than 100: no, it is 99.90; customer first name is set: no, it is not set"
    );
    assert_eq!(parsed(&json!({"all": []})).to_string(), "always");
}

#[track_caller]
fn reads(json: Value, expected: &str) {
    assert_eq!(parsed(&json).to_string(), expected);
}

#[track_caller]
fn test_reads(test: Value, expected: &str) {
    let mut leaf = test;
    leaf["field"] = json!("customer.x");
    reads(leaf, &format!("customer x {expected}"));
}

#[track_caller]
fn window_reads(window: Value, expected: &str) {
    reads(json!({"count": "orders", "during": window}), &format!("the number of orders {expected} is at least 1"));
}

#[test]
fn every_test_reads_as_english() {
    test_reads(json!({"is": 5}), "is 5");
    test_reads(json!({"is_not": "a"}), "is not a");
    test_reads(json!({"in": ["a", 5]}), "is one of a, 5");
    test_reads(json!({"contains": "a"}), "contains a");
    test_reads(json!({"starts_with": "a"}), "starts with a");
    test_reads(json!({"ends_with": "a"}), "ends with a");
    test_reads(json!({"matches": "^a+$"}), "matches ^a+$");
    test_reads(json!({"more_than": 5}), "is more than 5");
    test_reads(json!({"at_least": 5}), "is at least 5");
    test_reads(json!({"less_than": 5}), "is less than 5");
    test_reads(json!({"at_most": 5}), "is at most 5");
    test_reads(json!({"between": [1, "9.50"]}), "is between 1 and 9.50");
    test_reads(json!({"between": [{"ago": "2d"}, {"ahead": "1h"}]}), "is between 2 days ago and 1 hour from now");
    test_reads(json!({"set": true}), "is set");
    test_reads(json!({"set": false}), "is not set");
    test_reads(json!({"anniversary": {}}), "has its anniversary today");
    test_reads(json!({"anniversary": {"from_day": 1, "to_day": 1}}), "has its anniversary in 1 day");
    test_reads(json!({"anniversary": {"from_day": -2, "to_day": -2}}), "has its anniversary 2 days ago");
    test_reads(json!({"anniversary": {"to_day": 7}}), "has its anniversary between today and in 7 days");
    test_reads(
        json!({"anniversary": {"from_day": -1, "to_day": 2, "zone": "customer"}}),
        "has its anniversary between 1 day ago and in 2 days in the customer's time zone",
    );
}

#[test]
fn every_moment_reads_as_english() {
    test_reads(json!({"more_than": {"ago": "30d"}}), "is after 30 days ago");
    test_reads(json!({"at_least": {"ago": "P1DT2H"}}), "is at or after 1 day and 2 hours ago");
    test_reads(json!({"less_than": {"ahead": "90m"}}), "is before 1 hour and 30 minutes from now");
    test_reads(json!({"at_most": {"ahead": "1s"}}), "is at or before 1 second from now");
    test_reads(json!({"at_most": {"ahead": "PT0.5S"}}), "is at or before PT0.5S from now");
    test_reads(json!({"at_most": {"ahead": "PT1.5S"}}), "is at or before PT1.5S from now");
    test_reads(json!({"is": {"start_of": "day"}}), "is the start of this day");
    test_reads(json!({"is": {"start_of": "week", "offset": -1}}), "is the start of the week before");
    test_reads(json!({"is": {"start_of": "month", "offset": 1}}), "is the start of the month after");
    test_reads(json!({"is_not": {"start_of": "year", "offset": -3}}), "is not the start of the year 3 years ago");
    test_reads(
        json!({"is": {"start_of": "day", "offset": 2, "zone": "customer"}}),
        "is the start of the day in 2 days in the customer's time zone",
    );
}

#[test]
fn every_aggregate_reads_as_english() {
    reads(json!({"count": "orders"}), "the number of orders is at least 1");
    reads(json!({"count": "lines", "is": 2}), "the number of order lines is 2");
    reads(
        json!({"distinct": "events.product_id", "is": 2}),
        "the number of different values of product id of events is 2",
    );
    reads(json!({"sum": "items.price", "more_than": 5}), "the sum of price of items in containers is more than 5");
    reads(json!({"average": "orders.total", "at_most": 5}), "the average of total of orders is at most 5");
    reads(json!({"min": "containers.total", "is": 5}), "the least total of containers is 5");
    reads(json!({"max": "messages.cost", "is": 5}), "the greatest cost of messages is 5");
    reads(json!({"first": "events.name", "set": true}), "the first name of events is set");
    reads(json!({"last": "orders.delivery.city", "is": "Riga"}), "the last delivery city of orders is Riga");
    reads(
        json!({"count": "orders", "where": {"field": "order.total", "at_least": 50}, "during": {"last": "30d"}, "at_least": 3}),
        "the number of orders in the last 30 days where (order total is at least 50) is at least 3",
    );
    reads(json!({"audience": "vip"}), "the customer is in the audience vip");
    reads(json!({"not": {"segment": "loyal"}}), "not (the customer is in the segment loyal)");
}

#[test]
fn every_window_reads_as_english() {
    window_reads(json!({"last": "1h"}), "in the last 1 hour");
    window_reads(json!({"from": "2026-05-01", "to": {"ago": "1d"}}), "from 2026-05-01 until 1 day ago");
    window_reads(json!({"from": {"start_of": "month"}}), "from the start of this month on");
    window_reads(json!({"to": {"start_of": "day", "offset": -7}}), "before the start of the day 7 days ago");
    window_reads(json!({"since": {"first": "orders"}}), "since the first of the orders");
    window_reads(
        json!({"since": {"last": "events", "where": {"field": "event.name", "is": "viewed"}}}),
        "since the last of the events where (event name is viewed)",
    );
}

#[test]
fn reasons_say_what_things_come_to() {
    let why = |json: Value, facts: &Facts| parsed(&json).explain(facts, &utc("2026-05-20T12:00:00Z")).1.to_string();
    let (shopper, nobody) = (super::history::shopper(), Facts::default());
    assert_eq!(
        why(json!({"sum": "orders.total", "more_than": 500}), &shopper),
        "the sum of total of orders is more than 500: no, it is 100"
    );
    assert_eq!(
        why(json!({"sum": "items.price", "at_most": 20}), &shopper),
        "the sum of price of items in containers is at most 20: yes, it is 12.5"
    );
    assert_eq!(why(json!({"last": "orders.id", "is": "o-1"}), &shopper), "the last id of orders is o-1: no, it is o-3");
    assert_eq!(
        why(json!({"last": "orders.id", "is": "o-1"}), &nobody),
        "the last id of orders is o-1: no, it is not set"
    );
    assert_eq!(why(json!({"count": "orders"}), &nobody), "the number of orders is at least 1: no, it is 0");
    assert_eq!(why(json!({"audience": "vip"}), &shopper), "the customer is in the audience vip: yes, it is true");
    assert_eq!(
        why(json!({"not": {"audience": "vip"}}), &nobody),
        "the customer is in the audience vip: no, it is false"
    );
    assert_eq!(why(json!({"all": []}), &nobody), "always");
}

#[test]
fn reasons_show_all_of_a_list() {
    let leaf = json!({"field": "customer.mixed", "contains": "z"});
    let (_, why) = parsed(&leaf).explain(&facts(), &utc("2026-05-20T12:00:00Z"));
    assert_eq!(why.leaves[0].seen, Some(json!(["a", {"b": 1}, null, "7"])));
    assert_eq!(
        serde_json::to_value(&why).unwrap(),
        json!([{"leaf": "customer mixed contains z", "seen": ["a", {"b": 1}, null, "7"], "holds": false}])
    );
}
