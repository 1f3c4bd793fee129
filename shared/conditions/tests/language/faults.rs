//! What is wrong with a condition, where, and what may have been meant.

use conditions::{Condition, Fault, Root, Scope};
use serde_json::{Value, json};

use super::parsed;

#[track_caller]
fn check_faults(json: Value, expected: &[(&str, &str)]) {
    let faults = Condition::parse(&json, &Scope::of(&[Root::Customer])).expect_err(&json.to_string());
    assert_eq!(faults.len(), expected.len(), "{json}: {faults:?}");
    for (fault, (pointer, message)) in faults.iter().zip(expected) {
        assert_eq!(fault.pointer, *pointer, "{json}: {fault}");
        assert!(fault.message.contains(message), "{json}: {fault}");
    }
}

#[test]
fn every_fault_is_named_with_its_place() {
    check_faults(json!([]), &[("", "an object")]);
    check_faults(json!({}), &[("", "needs")]);
    check_faults(json!({"field": "customer.city"}), &[("", "needs a test")]);
    check_faults(json!({"field": "customer", "set": true}), &[("/field", "lacks a name")]);
    check_faults(json!({"field": "customer..x", "set": true}), &[("/field", "lacks a name")]);
    check_faults(json!({"field": "customer.city", "is": "a", "is_not": "b"}), &[("", "one test")]);
    check_faults(json!({"all": [], "any": []}), &[("", "alone")]);
    check_faults(json!({"any": []}), &[("/any", "never holds")]);
    check_faults(json!({"all": {}}), &[("/all", "takes a list")]);
    check_faults(
        json!({"all": [
            {"field": "order.total", "more": 5},
            {"not": {"any": [{"field": "customer.a", "in": ["x", null, []]}]}},
            {"field": 5, "a/b~": 1},
            {"field": "customer.a", "is": ""},
            {"field": "customer.a", "more_than": true},
            {"field": "customer.a", "set": "yes"},
            {"field": "customer.a", "in": []},
        ]}),
        &[
            ("/all/0/field", "one of customer here, not with \"order\""),
            ("/all/0/more", "there is no test \"more\""),
            ("/all/1/not/any/0/in/1", "set"),
            ("/all/1/not/any/0/in/2", "a value is"),
            ("/all/2/field", "a path"),
            ("/all/2/a~1b~0", "there is no test"),
            ("/all/3/is", "set"),
            ("/all/4/more_than", "no order"),
            ("/all/5/set", "true or false"),
            ("/all/6/in", "1 to 500"),
        ],
    );
    check_faults(json!({"field": "customer.a", "atleast": 5}), &[("/atleast", "did you mean \"at_least\"?")]);
    check_faults(json!({"field": "customer.a", "isnt": 5}), &[("/isnt", "did you mean \"is\"?")]);
}

#[test]
fn size_is_limited() {
    let leaf = json!({"field": "customer.a", "set": true});
    let deep = (0..14).fold(leaf.clone(), |inner, _| json!({"not": inner}));
    parsed(&json!({"not": deep.clone()}));
    let pointer = "/not".repeat(16);
    check_faults(json!({"not": {"not": deep}}), &[(&pointer, "deeper than 16")]);
    parsed(&json!({"all": vec![leaf.clone(); 200]}));
    check_faults(json!({"all": vec![leaf; 5000]}), &[("/all/200", "at most 200")]);
    check_faults(json!({"any": vec![json!({"all": []}); 5000]}), &[("/any/200/all", "at most 200")]);
    assert_eq!(Condition::parse(&json!(vec![json!(1); 9]), &Scope::ALL).unwrap_err().len(), 1);
}

#[track_caller]
fn faults(json: &Value, scope: &Scope<'_>) -> Vec<Fault> {
    Condition::parse(json, scope).expect_err(&json.to_string())
}

/// That one thing is wrong: where, and what is said of it.
#[track_caller]
fn check(json: Value, pointer: &str, message: &str) {
    let faults = faults(&json, &Scope::ALL);
    let [fault] = faults.as_slice() else { panic!("{json}: {faults:?}") };
    assert_eq!(fault.pointer, pointer, "{json}: {fault}");
    assert!(fault.message.contains(message), "{json}: {fault}");
}

#[track_caller]
fn check_test(test: Value, pointer: &str, message: &str) {
    let mut leaf = test;
    leaf["field"] = json!("customer.a");
    check(leaf, pointer, message);
}

#[test]
fn tests_take_what_they_can_be_held_to() {
    check_test(json!({"ends_with": 5}), "/ends_with", "takes text");
    check_test(json!({"starts_with": ""}), "/starts_with", "takes text");
    check_test(json!({"matches": "("}), "/matches", "no regular expression");
    check_test(json!({"matches": "a".repeat(257)}), "/matches", "at most 256 bytes");
    check_test(json!({"matches": "((a{99}){99}){99}"}), "/matches", "no regular expression");
    check_test(json!({"between": [1]}), "/between", "two values");
    check_test(json!({"between": {"from": 1, "to": 2}}), "/between", "two values");
    check_test(json!({"between": [1, null]}), "/between/1", "null is no value");
    check_test(json!({"between": [true, 2]}), "/between/0", "no order");
    check_test(json!({"between": [2, 1]}), "/between", "the first is more");
    check_test(json!({"between": [1, "a"]}), "/between", "nothing lies between");
    check_test(json!({"between": ["2026-05-02", "2026-05-01"]}), "/between", "nothing lies between");
    check_test(json!({"between": [{"ago": "1d"}, {"ago": "2d"}]}), "/between", "nothing lies between");
    check_test(json!({"between": [{"ahead": "1d"}, {"ago": "1d"}]}), "/between", "nothing lies between");
    check_test(json!({"contains": {"ago": "1d"}}), "/contains", "a value is text, a number, true or false");
    check_test(json!({"in": [{"ago": "1d"}]}), "/in/0", "a value is text, a number, true or false");
    check_test(json!({"is": 1e300}), "/is", "out of range");
    check_test(json!({"startswith": "a"}), "/startswith", "did you mean \"starts_with\"?");
    check_test(json!({"betwen": [1, 2]}), "/betwen", "did you mean \"between\"?");
    check_test(json!({"aniversary": {}}), "/aniversary", "did you mean \"anniversary\"?");
    check_test(json!({"match": "a"}), "/match", "did you mean \"matches\"?");
}

#[test]
fn moments_are_lengths_or_starts() {
    check_test(json!({"is": {}}), "/is", "a moment is");
    check_test(json!({"is": {"ago": "1d", "ahead": "1d"}}), "/is", "a moment is");
    check_test(json!({"is": {"agp": "1d"}}), "/is", "a moment is");
    check_test(json!({"at_least": {"ago": 5}}), "/at_least/ago", "a length of time");
    check_test(json!({"at_least": {"ago": "soon"}}), "/at_least/ago", "a length of time");
    check_test(json!({"at_least": {"ago": "-1d"}}), "/at_least/ago", "a length of time");
    check_test(json!({"at_least": {"ago": "0s"}}), "/at_least/ago", "a length of time");
    check_test(json!({"at_least": {"ago": "1mo"}}), "/at_least/ago", "a length of time");
    check_test(json!({"at_least": {"ahead": "3661d"}}), "/at_least/ahead", "at most ten years");
    check_test(json!({"is": {"start_of": "hour"}}), "/is/start_of", "\"day\", \"week\", \"month\" or \"year\"");
    check_test(json!({"is": {"start_of": "day", "offset": 1.5}}), "/is/offset", "a whole number");
    check_test(json!({"is": {"start_of": "day", "offset": 3661}}), "/is/offset", "at most 3660");
    check_test(json!({"is": {"start_of": "day", "offset": i64::MIN}}), "/is/offset", "at most 3660");
    check_test(json!({"is": {"start_of": "day", "zone": "Europe/Riga"}}), "/is/zone", "\"shop\" or \"customer\"");
    check_test(json!({"is": {"start_of": "day", "ofset": 1}}), "/is/ofset", "did you mean \"offset\"?");
    check_test(json!({"anniversary": 5}), "/anniversary", "takes days");
    check_test(json!({"anniversary": {"from": 0}}), "/anniversary/from", "did you mean \"from_day\"?");
    check_test(json!({"anniversary": {"from_day": "0"}}), "/anniversary/from_day", "a whole number");
    check_test(json!({"anniversary": {"from_day": 2, "to_day": 1}}), "/anniversary", "no day lies between");
    check_test(json!({"anniversary": {"from_day": 1}}), "/anniversary", "no day lies between");
    check_test(json!({"anniversary": {"zone": 5}}), "/anniversary/zone", "\"shop\" or \"customer\"");
}

#[test]
fn aggregates_are_over_what_there_is() {
    check(json!({"count": 5}), "/count", "must be one of orders, lines");
    check(json!({"count": "order"}), "/count", "did you mean \"orders\"?");
    check(json!({"sum": "ordres.total", "is": 1}), "/sum", "did you mean \"orders\"?");
    check(json!({"count": "orders.total"}), "/count", "put what counts into \"where\"");
    check(json!({"sum": "orders", "is": 1}), "/sum", "takes a field of orders, such as \"orders.created_at\"");
    check(json!({"last": "events.", "set": true}), "/last", "lacks a name");
    check(json!({"sum": "orders.total"}), "", "needs a test");
    check(json!({"count": "orders", "is": 1, "at_least": 2}), "", "one test");
    check(json!({"count": "orders", "more": 1}), "/more", "did you mean");
    check(json!({"count": "orders", "wher": {}}), "/wher", "did you mean \"where\"?");
    check(json!({"count": "orders", "durning": {}}), "/durning", "did you mean \"during\"?");
    check(json!({"count": "orders", "contains": 1}), "", "\"count\" gives a number");
    check(json!({"sum": "orders.total", "is": "much"}), "", "\"sum\" gives a number");
    check(json!({"average": "orders.total", "less_than": {"ago": "1d"}}), "", "\"average\" gives a number");
    check(json!({"distinct": "orders.city", "in": [1, "Riga"]}), "", "\"distinct\" gives a number");
    check(json!({"count": "orders", "is": {"ago": "day"}}), "/is/ago", "a length of time");
    // What else may have been meant is said beside what is needed.
    for (name, nearest) in [("cuont", "count"), ("audiance", "audience"), ("al", "all"), ("feild", "field")] {
        let faults = faults(&json!({name: "orders"}), &Scope::ALL);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert_eq!(faults[1].message, format!("there is no test {name:?}; did you mean {nearest:?}?"));
    }
}

#[test]
fn filters_ask_about_one_thing() {
    let of = |over: &str, filter: Value| json!({"count": over, "where": filter});
    check(of("orders", json!([])), "/where", "an object");
    check(
        of("orders", json!({"field": "customer.a", "is": 1})),
        "/where/field",
        "one of order here, not with \"customer\"",
    );
    check(of("lines", json!({"field": "lines.a", "is": 1})), "/where/field", "one of line, order here");
    check(of("events", json!({"any": [{"field": "item.a", "is": 1}]})), "/where/any/0/field", "one of event here");
    check(of("messages", json!({"not": {"audience": "a"}})), "/where/not/audience", "no audience can be asked about");
    check(of("items", json!({"segment": "a"})), "/where/segment", "no segment can be asked about here");
    check(
        of("items", json!({"count": "items"})),
        "/where/count",
        "in a filter over items no items can be gone through",
    );
    check(of("orders", json!({"count": "events"})), "/where/count", "in a filter over orders no events");
    check(
        of("orders", of("lines", json!({"count": "lines"}))),
        "/where/where/count",
        "in a filter over lines no lines",
    );
    check(
        of("orders", json!({"count": "lines", "during": {"since": {"last": "events"}}})),
        "/where/during/since",
        "in a filter over orders nothing else can be gone through",
    );
}

#[test]
fn windows_are_stretches_of_time() {
    let during = |window: Value| json!({"count": "orders", "during": window});
    check(during(json!("30d")), "/during", "a stretch of time is");
    check(during(json!({})), "/during", "a stretch of time is");
    check(during(json!({"last": "soon"})), "/during/last", "a length of time");
    check(during(json!({"last": "1d", "to": "2026-05-01"})), "/during/to", "not known here");
    check(during(json!({"form": "2026-05-01"})), "/during/form", "did you mean \"from\"?");
    check(during(json!({"from": 5})), "/during/from", "must be a moment");
    check(during(json!({"from": "may"})), "/during/from", "must be a moment");
    check(during(json!({"to": {"start_of": "decade"}})), "/during/to/start_of", "\"day\"");
    check(during(json!({"from": "2026-05-02", "to": "2026-05-01"})), "/during", "\"from\" is after \"to\"");
    check(during(json!({"from": {"ago": "1d"}, "to": {"ago": "2d"}})), "/during", "\"from\" is after \"to\"");
    check(during(json!({"since": "events"})), "/during/since", "takes");
    check(during(json!({"since": {}})), "/during/since", "takes");
    check(during(json!({"since": {"first": "events", "last": "events"}})), "/during/since", "takes");
    check(during(json!({"since": {"last": "event"}})), "/during/since/last", "did you mean \"events\"?");
    check(during(json!({"since": {"first": 5}})), "/during/since/first", "must be one of orders, lines");
    check(during(json!({"since": {"lst": "events"}})), "/during/since/lst", "did you mean \"last\"?");
    check(
        during(json!({"since": {"last": "events", "where": {"field": "order.a", "is": 1}}})),
        "/during/since/where/field",
        "one of event here",
    );
    // By some zone an instant lies on that day.
    parsed(&during(json!({"from": "2026-05-02", "to": "2026-05-01T23:30:00Z"})));
}

#[test]
fn audiences_and_segments_have_codes() {
    check(json!({"audience": 5}), "/audience", "the code of an audience");
    check(json!({"segment": ""}), "/segment", "must be the code of a segment");
    check(json!({"segment": "a".repeat(65)}), "/segment", "must be the code of a segment");
    check(json!({"audience": "a", "is": true}), "/is", "is not known here");
}

#[test]
fn history_is_not_asked_about_where_there_is_none() {
    for json in [json!({"count": "orders"}), json!({"audience": "a"}), json!({"segment": "a"})] {
        let faults = faults(&json, &Scope::of(&[Root::Customer]));
        assert!(
            faults.len() == 1 && faults[0].message.contains("can be asked about here")
                || faults[0].message.contains("cannot be asked about here"),
            "{faults:?}"
        );
    }
    assert!(!faults(&json!({}), &Scope::of(&[Root::Customer]))[0].message.contains("count"));
    assert!(faults(&json!({}), &Scope::ALL)[0].message.contains("\"count\""));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let json = json!({"all": [
        {"count": "orders", "where": {"field": "event.a", "is": null}, "during": {"last": "?"}, "at_leas": 1},
        {"field": "customer.a", "between": [null, {"ago": "x"}]},
    ]});
    let pointers: Vec<String> = faults(&json, &Scope::ALL).into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(
        pointers,
        [
            "/all/0/where/field",
            "/all/0/where/is",
            "/all/0/during/last",
            "/all/0/at_leas",
            "/all/1/between/0",
            "/all/1/between/1/ago",
        ]
    );
}
