//! Conditions evaluated together: segments in them, and what they can depend on.

use conditions::{Collection, Condition, Facts, Needs, Program, Root, Scope};
use serde_json::{Value, json};

use super::history::shopper;
use super::{map, parsed, utc};

const NOW: &str = "2026-05-20T12:00:00Z";

/// Whether a condition holds of the shopper, with these segments.
#[track_caller]
fn holds(json: Value, segments: &[(&str, Value)]) -> bool {
    let condition = parsed(&json);
    let segments: Vec<(&str, Condition)> = segments.iter().map(|(code, json)| (*code, parsed(json))).collect();
    let find = |code: &str| segments.iter().find(|(known, _)| *known == code).map(|(_, condition)| condition);
    let program = Program::new([&condition], find);
    let state = program.state(&shopper());
    let holds = program.holds(0, &state, &utc(NOW));
    assert_eq!(program.verdict(0, &state, &utc(NOW)).holds, holds, "{json}");
    holds
}

#[test]
fn who_meets_the_condition_of_a_segment_is_in_it() {
    let loyal = json!({"count": "orders", "at_least": 3});
    let lost = json!({"count": "orders", "at_least": 4});
    let both = json!({"all": [{"segment": "loyal"}, {"audience": "vip"}]});
    assert!(holds(json!({"segment": "loyal"}), &[("loyal", loyal.clone())]));
    assert!(!holds(json!({"segment": "lost"}), &[("loyal", loyal.clone()), ("lost", lost.clone())]));
    assert!(holds(
        json!({"any": [{"segment": "lost"}, {"segment": "loyal"}]}),
        &[("loyal", loyal.clone()), ("lost", lost)]
    ));
    assert!(holds(json!({"segment": "both"}), &[("loyal", loyal.clone()), ("both", both.clone())]));
    assert!(!holds(json!({"not": {"segment": "both"}}), &[("loyal", loyal), ("both", both)]));
}

#[test]
fn a_condition_holds_for_nobody_outside_of_what_it_asks_for_above_all() {
    let within = |json: Value| parsed(&json).within().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (a, b, city) =
        (json!({"segment": "a"}), json!({"segment": "b"}), json!({"field": "customer.city", "is": "Riga"}));
    assert_eq!(within(a.clone()), ["a"]);
    assert_eq!(within(json!({"all": [city, {"not": a}, {"all": [b, {"audience": "vip"}]}]})), ["b"]);
    assert_eq!(within(json!({"all": [a, b]})), ["a", "b"]);
    for wider in [json!({"any": [a, b]}), json!({"not": a}), json!({"all": [{"any": [a]}]}), city] {
        assert_eq!(within(wider), Vec::<String>::new());
    }
}

#[test]
fn nobody_is_in_a_segment_that_there_is_not() {
    assert!(!holds(json!({"segment": "gone"}), &[]));
    assert!(holds(json!({"not": {"segment": "gone"}}), &[]));
    assert!(!parsed(&json!({"segment": "gone"})).holds(&shopper(), &utc(NOW)));
    // Nor in one that goes on for ever.
    assert!(!holds(json!({"segment": "round"}), &[("round", json!({"segment": "round"}))]));
    let thrice = json!({"any": [{"segment": "thrice"}, {"segment": "thrice"}, {"segment": "thrice"}]});
    assert!(!holds(json!({"segment": "thrice"}), &[("thrice", thrice)]));
}

#[test]
fn the_segments_and_audiences_of_a_condition_are_named_once() {
    let condition = parsed(&json!({"any": [
        {"segment": "b"}, {"not": {"all": [{"segment": "a"}, {"segment": "b"}, {"audience": "c"}]}}, {"audience": "c"},
    ]}));
    assert_eq!(condition.segments(), ["b", "a"]);
    assert_eq!(condition.audiences(), ["c"]);
}

#[test]
fn the_reasons_of_a_segment_are_those_of_its_condition() {
    let condition = parsed(&json!({"all": [{"segment": "loyal"}, {"segment": "gone"}]}));
    let loyal = parsed(&json!({"count": "orders"}));
    let program = Program::new([&condition, &loyal], |code| (code == "loyal").then_some(&loyal));
    let state = program.state(&shopper());
    assert_eq!(program.why(0, &state, &utc(NOW)).to_string(), "the customer is in the segment gone: no, it is not set");
    assert_eq!(program.why(1, &state, &utc(NOW)).to_string(), "the number of orders is at least 1: yes, it is 3");
}

#[test]
fn a_program_has_as_many_conditions_as_it_was_given() {
    let condition = parsed(&json!({"all": []}));
    let (none, two) = (Program::new([], |_| None), Program::new([&condition, &condition], |_| None));
    let state = two.state(&Facts::default());
    assert!(none.is_empty());
    assert!(!two.is_empty() && two.len() == 2);
    assert!(two.holds(1, &state, &utc(NOW)) && !two.holds(2, &state, &utc(NOW)));
    assert!(!two.verdict(2, &state, &utc(NOW)).holds && two.why(2, &state, &utc(NOW)).leaves.is_empty());
}

/// What a condition needs, as the entries that are not as in nothing's.
#[track_caller]
fn needs(json: Value, expected: Value) {
    let condition = parsed(&json);
    let recent = parsed(&json!({"count": "messages", "during": {"last": "1d"}}));
    let program = Program::new([&condition], |code| (code == "recent").then_some(&recent));
    let Needs { profile, collections, events, audiences, clock, .. } = &program.needs()[0];
    let collections: Vec<&str> = collections.iter().copied().map(Collection::name).collect();
    let mut found = json!({});
    let mut put = |name: &str, value: Value, usual: Value| {
        if value != usual {
            found[name] = value;
        }
    };
    put("profile", json!(profile), json!(false));
    put("clock", json!(clock), json!(false));
    put("collections", json!(collections), json!([]));
    put("audiences", json!(audiences), json!([]));
    put("events", json!(events), json!([]));
    assert_eq!(found, expected, "{json}");
}

#[test]
fn a_condition_says_what_it_can_depend_on() {
    let named = |test: Value| json!({"count": "events", "where": test});
    let viewed = json!({"field": "event.name", "is": "viewed"});
    let moving = |zone: &str| json!({"start_of": "day", "zone": zone});
    needs(json!({"all": []}), json!({}));
    needs(json!({"field": "customer.city", "is": "Riga"}), json!({"profile": true}));
    needs(json!({"field": "order.total", "is": 5}), json!({}));
    needs(json!({"field": "order.created_at", "less_than": {"ago": "1d"}}), json!({"clock": true}));
    needs(json!({"field": "order.created_at", "less_than": moving("shop")}), json!({"clock": true}));
    needs(
        json!({"field": "order.created_at", "less_than": moving("customer")}),
        json!({"clock": true, "profile": true}),
    );
    needs(json!({"field": "order.due", "anniversary": {"zone": "customer"}}), json!({"clock": true, "profile": true}));
    needs(json!({"field": "customer.born", "anniversary": {}}), json!({"clock": true, "profile": true}));
    needs(
        json!({"field": "customer.born", "between": ["2000-01-01", {"ago": "1d"}]}),
        json!({"clock": true, "profile": true}),
    );
    needs(json!({"audience": "vip"}), json!({"audiences": ["vip"]}));
    needs(json!({"segment": "gone"}), json!({}));
    needs(json!({"segment": "recent"}), json!({"collections": ["messages"], "clock": true}));
    needs(json!({"count": "orders"}), json!({"collections": ["orders"]}));
    needs(json!({"count": "lines"}), json!({"collections": ["orders", "lines"]}));
    needs(json!({"count": "orders", "where": {"count": "lines"}}), json!({"collections": ["orders", "lines"]}));
    needs(json!({"count": "items", "during": {"last": "1d"}}), json!({"collections": ["items"], "clock": true}));
    needs(json!({"count": "items", "during": {"from": "2026-01-01"}}), json!({"collections": ["items"]}));
    needs(
        json!({"count": "items", "during": {"to": {"ahead": "1d"}}}),
        json!({"collections": ["items"], "clock": true}),
    );
    needs(
        json!({"count": "items", "during": {"to": moving("customer")}}),
        json!({"collections": ["items"], "clock": true, "profile": true}),
    );
    needs(
        json!({"count": "items", "during": {"since": {"last": "orders"}}}),
        json!({"collections": ["orders", "items"]}),
    );
    needs(
        json!({"count": "items", "where": {"field": "item.since", "at_most": {"ago": "1d"}}}),
        json!({"collections": ["items"], "clock": true}),
    );
    needs(
        json!({"last": "orders.due", "more_than": moving("customer")}),
        json!({"collections": ["orders"], "clock": true, "profile": true}),
    );
    needs(json!({"count": "events"}), json!({"collections": ["events"], "events": null}));
    needs(named(viewed.clone()), json!({"collections": ["events"], "events": ["viewed"]}));
    needs(
        named(json!({"field": "event.name", "in": ["a", "b"]})),
        json!({"collections": ["events"], "events": ["a", "b"]}),
    );
    needs(named(json!({"field": "event.name", "in": ["a", "5"]})), json!({"collections": ["events"], "events": null}));
    needs(named(json!({"not": viewed})), json!({"collections": ["events"], "events": null}));
    needs(
        named(json!({"field": "event.name", "starts_with": "a"})),
        json!({"collections": ["events"], "events": null}),
    );
    needs(
        named(json!({"all": [{"field": "event.value", "is": 5}, viewed]})),
        json!({"collections": ["events"], "events": ["viewed"]}),
    );
    needs(
        named(json!({"any": [{"field": "event.value", "is": 5}, viewed]})),
        json!({"collections": ["events"], "events": null}),
    );
    needs(
        named(json!({"any": [{"field": "event.name", "is": "a"}, viewed]})),
        json!({"collections": ["events"], "events": ["a", "viewed"]}),
    );
    needs(
        json!({"all": [named(viewed.clone()), named(json!({"field": "event.name", "is": "a"}))]}),
        json!({"collections": ["events"], "events": ["a", "viewed"]}),
    );
    needs(
        json!({"any": [named(viewed.clone()), {"count": "events"}]}),
        json!({"collections": ["events"], "events": null}),
    );
    needs(
        json!({"any": [{"count": "events"}, named(viewed.clone())]}),
        json!({"collections": ["events"], "events": null}),
    );
    needs(
        json!({"count": "events", "where": viewed, "during": {"since": {"last": "events", "where": {"field": "event.name", "is": "a"}}}}),
        json!({"collections": ["events"], "events": ["a", "viewed"]}),
    );
}

#[test]
fn a_condition_asks_only_about_what_is_in_scope() {
    let may = |json: &Value, scope: &Scope<'_>| Condition::parse(json, scope).is_ok();
    let (profile, order) = (json!({"field": "customer.a", "is": 1}), json!({"field": "order.a", "is": 1}));
    for history in [json!({"count": "orders"}), json!({"audience": "a"}), json!({"segment": "a"})] {
        assert!(
            may(&history, &Scope::ALL) && may(&history, &Scope::SEGMENT) && !may(&history, &Scope::of(Root::SINGLE))
        );
    }
    assert!(may(&profile, &Scope::SEGMENT) && !may(&order, &Scope::SEGMENT) && may(&order, &Scope::ALL));
    assert!(may(&order, &Scope::of(&[Root::Order])) && !may(&profile, &Scope::of(&[Root::Order])));
}

#[test]
fn what_happened_is_beside_what_the_customer_did() {
    let facts = Facts { single: map(json!({"order": {"id": "o-9"}, "customer": {"a": 1}})), ..shopper() };
    let holds = |json: Value| parsed(&json).holds(&facts, &utc(NOW));
    assert!(holds(json!({"all": [{"field": "order.id", "is": "o-9"}, {"count": "orders", "is": 3}]})));
    // In a filter an order is the one that is looked at.
    assert!(!holds(json!({"count": "orders", "where": {"field": "order.id", "is": "o-9"}})));
}

#[test]
fn the_fields_of_what_there_is_one_of_are_told_from_those_of_what_is_gone_through() {
    let condition = parsed(&json!({"any": [
        {"all": [{"field": "order.total", "at_most": 5}, {"not": {"field": "customer.city", "is": "Riga"}}]},
        {"count": "orders", "where": {"field": "order.source", "is": "app"}},
        {"segment": "loyal"}, {"audience": "vip"},
        {"field": "event.context.x", "set": true},
    ]}));
    let expected = [(Root::Order, "order.total"), (Root::Customer, "customer.city"), (Root::Event, "event.context.x")];
    assert_eq!(condition.fields(), expected);
}
