//! The rules of the language, one case a line.

use conditions::{Condition, Root};
use serde_json::{Value, json};

fn parsed(json: Value) -> Condition {
    Condition::parse(&json, Root::ALL).unwrap_or_else(|faults| panic!("{json}: {faults:?}"))
}

fn facts() -> Value {
    json!({
        "customer": {"id": "007", "city": "Riga", "last_name": null, "phone": "", "tags": ["vip", "7"], "none": [],
                     "fields": {"points": 120, "vip": true, "born": "1990-05-01"}},
        "order": {"total": "99.90", "created_at": "2026-05-01T10:00:00Z", "delivery": {},
                  "lines": [{"product_id": "p-1", "price": "10.00"}, {"product_id": "p-2", "tags": ["a", "b"]}]},
        "change": {"from": "received", "to": "delivered"},
    })
}

#[track_caller]
fn check(leaf: Value, expected: bool) {
    let condition = parsed(leaf.clone());
    assert_eq!(condition.holds(&facts()), expected, "{leaf}");
    assert_eq!(condition.evaluate(&facts()).holds, expected, "{leaf}");
}

#[track_caller]
fn check_faults(json: Value, expected: &[(&str, &str)]) {
    let faults = Condition::parse(&json, &[Root::Customer]).expect_err(&json.to_string());
    assert_eq!(faults.len(), expected.len(), "{json}: {faults:?}");
    for (fault, (pointer, message)) in faults.iter().zip(expected) {
        assert_eq!(fault.pointer, *pointer, "{json}: {fault}");
        assert!(fault.message.contains(message), "{json}: {fault}");
    }
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
    parsed(json!({"not": deep.clone()}));
    let pointer = "/not".repeat(16);
    check_faults(json!({"not": {"not": deep}}), &[(&pointer, "deeper than 16")]);
    parsed(json!({"all": vec![leaf.clone(); 200]}));
    check_faults(json!({"all": vec![leaf; 5000]}), &[("/all/200", "at most 200")]);
    check_faults(json!({"any": vec![json!({"all": []}); 5000]}), &[("/any/200/all", "at most 200")]);
    assert_eq!(Condition::parse(&json!(vec![json!(1); 9]), Root::ALL).unwrap_err().len(), 1);
}

#[test]
fn a_condition_and_its_reasons_read_as_english() {
    let condition = parsed(json!({"all": [
        {"field": "customer.city", "is": "Riga"},
        {"any": [{"field": "order.total", "more_than": 100}, {"field": "customer.first_name", "set": true}]},
        {"not": {"field": "change.to", "in": ["cancelled", "returned"]}},
    ]}));
    assert_eq!(
        condition.to_string(),
        "customer city is Riga and (order total is more than 100 or customer first name is set) \
         and not (change to is one of cancelled, returned)"
    );
    let verdict = condition.evaluate(&facts());
    assert!(!verdict.holds);
    assert_eq!(
        verdict.why.to_string(),
        "order total is more than 100: no, it is 99.90; customer first name is set: no, it is not set"
    );
    assert_eq!(parsed(json!({"all": []})).to_string(), "always");
}

#[test]
fn serde_goes_through_parse() {
    let json = json!({"not": {"field": "event.name", "is": "viewed"}});
    let condition: Condition = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&condition).unwrap(), json);
    let error = serde_json::from_value::<Condition>(json!({"any": [{"field": "x.y", "has": 1}]})).unwrap_err();
    assert!(error.to_string().contains("/any/0/field: ") && error.to_string().contains("/any/0/has: "), "{error}");
}
