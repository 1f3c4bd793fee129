//! The rules of the language, one case a line.

#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod faults;
mod history;
mod moments;
mod programs;
mod reach;
mod words;

use conditions::{At, Condition, Facts, Scope};
use serde_json::{Map, Value, json};

#[track_caller]
fn parsed(json: &Value) -> Condition {
    Condition::parse(json, &Scope::ALL).unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}

#[track_caller]
fn utc(now: &str) -> At {
    At::utc(now.parse().unwrap())
}

fn map(json: Value) -> Map<String, Value> {
    serde_json::from_value(json).unwrap()
}

/// That a condition holds or not, that its opposite does not, and that what it is
/// serialised to says the same.
#[track_caller]
fn check_of(facts: &Facts, at: &At, json: &Value, expected: bool) {
    let condition = parsed(json);
    assert_eq!(condition.holds(facts, at), expected, "{json}: {}", condition.explain(facts, at).1);
    assert_eq!(condition.explain(facts, at).0, expected, "{json}");
    assert_eq!(parsed(&json!({"not": json})).holds(facts, at), !expected, "not {json}");
    assert_eq!(parsed(&serde_json::to_value(&condition).unwrap()), condition, "{json}");
}

fn facts() -> Facts {
    Facts::single(map(json!({
        "customer": {"id": "007", "city": "Riga", "last_name": null, "phone": "", "tags": ["vip", "7"], "none": [],
                     "mixed": ["a", {"b": 1}, null, "7"],
                     "fields": {"points": 120, "vip": true, "born": "1990-05-01"}},
        "order": {"total": "99.90", "created_at": "2026-05-01T10:00:00Z", "delivery": {},
                  "lines": [{"product_id": "p-1", "price": "10.00"}, {"product_id": "p-2", "tags": ["a", "b"]}]},
        "change": {"from": "received", "to": "delivered"},
    })))
}

#[track_caller]
fn check(leaf: Value, expected: bool) {
    check_of(&facts(), &utc("2026-05-20T12:00:00Z"), &leaf, expected);
}

#[test]
fn values_are_compared_as_what_they_are() {
    check(json!({"field": "customer.city", "is": "Riga"}), true);
    check(json!({"field": "customer.city", "is": "riga"}), false);
    check(json!({"field": "order.total", "is": 99.9}), true);
    check(json!({"field": "order.total", "is": "99.900"}), true);
    check(json!({"field": "customer.id", "is": 7}), false);
    check(json!({"field": "customer.id", "is": "007"}), true);
    check(json!({"field": "customer.fields.vip", "is": true}), true);
    check(json!({"field": "customer.fields.vip", "is": "true"}), false);
    check(json!({"field": "customer.city", "is_not": "Rome"}), true);
    check(json!({"field": "customer.city", "is_not": "Riga"}), false);
    check(json!({"field": "customer.city", "in": ["Rome", "Riga"]}), true);
    check(json!({"field": "order.total", "in": [1, "2"]}), false);
}

#[test]
fn orders_are_of_numbers_instants_dates_and_text() {
    check(json!({"field": "order.total", "more_than": 99.9}), false);
    check(json!({"field": "order.total", "at_least": "99.9"}), true);
    check(json!({"field": "order.total", "less_than": "100"}), true);
    check(json!({"field": "order.total", "at_most": 9}), false);
    check(json!({"field": "order.created_at", "more_than": "2026-05-01T11:59:59+02:00"}), true);
    check(json!({"field": "order.created_at", "at_most": "2026-05-01"}), true);
    check(json!({"field": "order.created_at", "more_than": "2026-05-01"}), false);
    check(json!({"field": "customer.fields.born", "less_than": "2000-01-01"}), true);
    check(json!({"field": "customer.city", "more_than": "Alba"}), true);
    check(json!({"field": "customer.city", "more_than": 5}), false);
}

#[test]
fn text_and_lists_contain() {
    check(json!({"field": "customer.city", "contains": "ig"}), true);
    check(json!({"field": "customer.city", "starts_with": "Ri"}), true);
    check(json!({"field": "customer.city", "starts_with": "ri"}), false);
    check(json!({"field": "customer.fields.points", "contains": 2}), true);
    check(json!({"field": "customer.tags", "contains": "vip"}), true);
    check(json!({"field": "customer.tags", "contains": 7}), true);
    check(json!({"field": "customer.tags", "contains": "vi"}), false);
    check(json!({"field": "customer.tags", "is": "vip"}), false);
    check(json!({"field": "order.lines.product_id", "contains": "p-2"}), true);
    check(json!({"field": "order.lines.tags", "contains": "b"}), true);
    check(json!({"field": "order.lines.price", "contains": 10}), true);
    check(json!({"field": "order.lines.sku", "set": true}), false);
    check(json!({"field": "order.lines", "set": true}), true);
    check(json!({"field": "order.lines", "contains": "p-1"}), false);
    check(json!({"field": "customer.mixed", "contains": "a"}), true);
    check(json!({"field": "customer.mixed", "contains": 7}), true);
    check(json!({"field": "customer.mixed", "contains": "{}"}), false);
    check(json!({"field": "customer.mixed", "is_not": "a"}), true);
    check(json!({"field": "customer.city", "ends_with": "ga"}), true);
    check(json!({"field": "customer.city", "ends_with": "Ga"}), false);
    check(json!({"field": "customer.id", "ends_with": "07"}), true);
    check(json!({"field": "customer.tags", "ends_with": "p"}), false);
    check(json!({"field": "customer.fields.vip", "ends_with": "e"}), false);
    check(json!({"field": "customer.city", "matches": "^R.g"}), true);
    check(json!({"field": "customer.city", "matches": "i"}), true);
    check(json!({"field": "customer.city", "matches": "^i"}), false);
    check(json!({"field": "customer.city", "matches": "(?i)RIGA$"}), true);
    check(json!({"field": "order.total", "matches": "\\.9"}), true);
    check(json!({"field": "customer.fields.points", "matches": "^\\d{3}$"}), true);
    check(json!({"field": "customer.tags", "matches": "v"}), false);
    check(json!({"field": "customer.fields.vip", "matches": "^"}), false);
    check(json!({"field": "customer.phone", "matches": "^$"}), false);
}

#[test]
fn what_lies_between_is_at_least_the_one_and_at_most_the_other() {
    check(json!({"field": "order.total", "between": [99.9, 100]}), true);
    check(json!({"field": "order.total", "between": ["99", "99.90"]}), true);
    check(json!({"field": "order.total", "between": [99.91, 100]}), false);
    check(json!({"field": "customer.city", "between": ["R", "Ri"]}), false);
    check(json!({"field": "customer.city", "between": ["R", "S"]}), true);
    check(json!({"field": "customer.fields.born", "between": ["1990-05-01", "1990-05-01"]}), true);
    check(json!({"field": "order.created_at", "between": ["2026-05-01", "2026-05-01"]}), true);
    check(json!({"field": "order.created_at", "between": ["2026-05-01", "2026-05-01T09:59:59Z"]}), false);
    check(json!({"field": "order.created_at", "between": ["2026-05-01T10:00:00Z", {"ago": "19d"}]}), true);
    check(json!({"field": "customer.tags", "between": ["a", "z"]}), false);
    check(json!({"field": "customer.phone", "between": ["a", "z"]}), false);
}

#[test]
fn what_is_not_there_fails_all_but_set_false_and_is_not() {
    for field in
        ["customer.last_name", "customer.phone", "customer.none", "order.delivery", "event.name", "customer.city.x"]
    {
        check(json!({"field": field, "set": true}), false);
        check(json!({"field": field, "set": false}), true);
        check(json!({"field": field, "is_not": "x"}), true);
        check(json!({"field": field, "is": "x"}), false);
        check(json!({"field": field, "in": ["x"]}), false);
        check(json!({"field": field, "contains": "x"}), false);
        check(json!({"field": field, "starts_with": "x"}), false);
        check(json!({"field": field, "ends_with": "x"}), false);
        check(json!({"field": field, "matches": "^"}), false);
        check(json!({"field": field, "between": [0, 9]}), false);
        check(json!({"field": field, "anniversary": {"from_day": -400, "to_day": 400}}), false);
        check(json!({"field": field, "at_most": {"ago": "1d"}}), false);
        for order in ["more_than", "at_least", "less_than", "at_most"] {
            check(json!({"field": field, order: 0}), false);
        }
    }
}

#[test]
fn conditions_join() {
    let (yes, no) = (json!({"field": "customer.city", "is": "Riga"}), json!({"field": "customer.city", "is": "Rome"}));
    check(json!({"all": []}), true);
    check(json!({"not": {"all": []}}), false);
    check(json!({"all": [yes, yes]}), true);
    check(json!({"all": [yes, no]}), false);
    check(json!({"any": [no, yes]}), true);
    check(json!({"any": [no, no]}), false);
    check(json!({"not": {"any": [no, {"not": yes}]}}), true);
}

#[test]
fn serde_goes_through_parse() {
    let json = json!({"not": {"field": "event.name", "is": "viewed"}});
    let condition: Condition = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&condition).unwrap(), json);
    let error = serde_json::from_value::<Condition>(json!({"any": [{"field": "x.y", "has": 1}]})).unwrap_err();
    assert!(error.to_string().contains("/any/0/field: ") && error.to_string().contains("/any/0/has: "), "{error}");
}
