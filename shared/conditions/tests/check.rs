//! A condition is held to what there is in a shop.

use conditions::{Condition, Known, Root, Schema, Scope, Type};
use serde_json::{Value, json};

fn schema() -> Schema {
    let mut schema = Schema::new();
    let mut field = |root, path: &str, known| schema.field(root, path, known);
    for (path, r#type) in [
        ("id", Type::Text),
        ("city", Type::Text),
        ("country", Type::Text),
        ("birthday", Type::Date),
        ("registered_at", Type::Instant),
        ("consent.email.state", Type::Text),
        ("fields.vip", Type::Boolean),
        ("fields.note", Type::Anything),
    ] {
        field(Root::Customer, path, Known::of(r#type));
    }
    field(Root::Customer, "fields.tags", Known::of(Type::Anything).list());
    field(Root::Customer, "fields.tier", Known::of(Type::Text).one_of(["gold", "silver", "bronze"]));
    let children = Known::of(Type::Number).between(Some(json!(0)), Some(json!(20)));
    field(Root::Customer, "fields.children", children);
    let born = Known::of(Type::Date).between(Some(json!("1900-01-01")), None);
    field(Root::Customer, "fields.born", born);
    field(Root::Customer, "fields.size", Known::of(Type::Number).one_of([36, 38, 40]));
    for (path, r#type) in [("id", Type::Text), ("total", Type::Number), ("created_at", Type::Instant)] {
        field(Root::Order, path, Known::of(r#type));
    }
    field(Root::Order, "in_analytics", Known::of(Type::Boolean));
    field(Root::Order, "lines.product_id", Known::of(Type::Text).list());
    field(Root::Order, "lines.price", Known::of(Type::Number).list());
    field(Root::Order, "status.delivery", Known::of(Type::Text).one_of(["assembling", "shipped", "delivered"]));
    field(Root::Line, "product_id", Known::of(Type::Text));
    field(Root::Line, "categories", Known::of(Type::Text).list());
    field(Root::Event, "name", Known::of(Type::Text));
    field(Root::Event, "at", Known::of(Type::Instant));
    schema.object(Root::Order, "fields");
    schema.open(Root::Order, "delivery.address");
    schema.open(Root::Event, "context");
    let viewed = [("product_id", Type::Text), ("price", Type::Number)];
    schema.event("viewed", viewed.map(|(name, r#type)| (name.to_owned(), Known::of(r#type))));
    let bought = [("price", Known::of(Type::Text)), ("products", Known::of(Type::Anything).list())];
    schema.event("bought", bought.map(|(name, known)| (name.to_owned(), known)));
    schema.event("logged_in", []);
    schema.audiences(["staff", "vip"]);
    schema
}

#[track_caller]
fn faults(schema: &Schema, json: &Value) -> Vec<(String, String)> {
    let condition = Condition::parse(json, &Scope::ALL).unwrap_or_else(|faults| panic!("{json}: {faults:?}"));
    condition.check(schema).into_iter().map(|fault| (fault.pointer, fault.message)).collect()
}

#[track_caller]
fn good(json: Value) {
    assert_eq!(faults(&schema(), &json), [], "{json}");
}

/// That these places are faulty, each for a reason that has this in it.
#[track_caller]
fn bad(json: Value, expected: &[(&str, &str)]) {
    let found = faults(&schema(), &json);
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, expected.iter().map(|(place, _)| *place).collect::<Vec<_>>(), "{json}: {found:?}");
    for ((_, message), (_, wanted)) in found.iter().zip(expected) {
        assert!(message.contains(wanted), "{json}: {message}");
    }
}

#[test]
fn a_field_that_there_is_not_is_named_with_those_that_come_nearest() {
    bad(
        json!({"field": "customer.citty", "is": "Riga"}),
        &[("/field", "there is no customer.citty; did you mean \"customer.city\", ")],
    );
    // As a whole it is far from what was meant.
    bad(json!({"field": "customer.tier", "is": "gold"}), &[("/field", "did you mean \"customer.fields.tier\", ")]);
    bad(json!({"field": "customer.fields.teir", "set": true}), &[("/field", "\"customer.fields.tier\"")]);
    bad(json!({"field": "customer.city.name", "set": true}), &[("/field", "no customer.city.name")]);
    bad(json!({"field": "order.status.delivry", "is": "shipped"}), &[("/field", "\"order.status.delivery\"")]);
    bad(json!({"sum": "orders.totl", "more_than": 1}), &[("/sum", "no orders.totl; did you mean \"orders.total\", ")]);
    bad(json!({"field": "order.fields.gift", "is": true}), &[("/field", "no order.fields.gift")]);
}

#[test]
fn every_fault_is_named_by_its_place_however_deep() {
    let unknown = json!({"field": "order.totl", "at_least": 1});
    bad(
        json!({"all": [
            {"field": "customer.city", "is": "Riga"},
            {"not": {"any": [{"field": "customer.town", "is": "Riga"}, {"audience": "vipp"}]}},
            {"count": "orders", "where": {"all": [unknown]}},
            {"max": "orders.total", "where": unknown, "during": {"since": {"last": "orders", "where": unknown}},
             "is": "much"},
            {"count": "orders", "where": {"count": "lines", "where": {"field": "line.product", "is": "p"}}},
        ]}),
        &[
            ("/all/1/not/any/0/field", "customer.town"),
            ("/all/1/not/any/1/audience", "no audience \"vipp\"; did you mean \"vip\" or \"staff\"?"),
            ("/all/2/where/all/0/field", "order.totl"),
            ("/all/3/where/field", "order.totl"),
            ("/all/3/during/since/where/field", "order.totl"),
            ("/all/3/is", "the max of orders.total is a number, which \"much\" is not"),
            ("/all/4/where/where/field", "line.product"),
        ],
    );
}

#[test]
fn what_has_fields_of_its_own_is_there_or_not() {
    good(json!({"field": "customer.consent", "set": true}));
    good(json!({"field": "order.lines", "set": false}));
    good(json!({"field": "order.fields", "set": true}));
    good(json!({"field": "order.delivery.address", "set": true}));
    good(json!({"field": "order.delivery.address.floor", "more_than": 3}));
    bad(json!({"field": "customer.consent", "is": "granted"}), &[("/field", "has fields of its own")]);
    bad(json!({"field": "order.status", "contains": "shipped"}), &[("/field", "has fields of its own")]);
    bad(json!({"last": "orders.status", "set": true}), &[("/last", "has fields of its own")]);
}

#[test]
fn a_test_fits_what_the_values_are() {
    for (field, tests) in [
        ("customer.city", json!([{"is": "Riga"}, {"starts_with": "R"}, {"matches": "^R"}, {"in": ["Riga", 7]}])),
        ("customer.city", json!([{"contains": "ig"}, {"more_than": "A"}, {"between": ["A", "B"]}, {"set": false}])),
        ("customer.id", json!([{"is": 7}, {"is": "2026-01-01"}])),
        ("customer.fields.children", json!([{"is": 2}, {"is": "2"}, {"at_least": "2.0"}, {"between": [0, 3]}])),
        ("customer.fields.vip", json!([{"is": true}, {"is_not": false}, {"in": [true]}, {"set": true}])),
        ("customer.birthday", json!([{"anniversary": {"to_day": 7}}, {"less_than": "2000-01-01"}, {"set": true}])),
        ("customer.registered_at", json!([{"less_than": {"ago": "30d"}}, {"is": "2026-01-01"}, {"anniversary": {}}])),
        ("customer.fields.tags", json!([{"contains": "a"}, {"contains": 1}, {"set": true}])),
        ("customer.fields.note", json!([{"is": 1}, {"contains": "x"}, {"less_than": {"ago": "1d"}}, {"matches": "x"}])),
        ("order.lines.price", json!([{"contains": 10}, {"contains": "10.00"}])),
    ] {
        for test in tests.as_array().into_iter().flatten() {
            let mut leaf = test.clone();
            leaf["field"] = json!(field);
            good(leaf);
        }
    }
}

#[test]
fn a_test_that_does_not_fit_says_which_do() {
    let check = |field: &str, test: Value, place: &str, message: &str| {
        let mut leaf = test;
        leaf["field"] = json!(field);
        bad(leaf, &[(place, message)]);
    };
    check(
        "order.total",
        json!({"starts_with": "1"}),
        "/starts_with",
        "does not fit order.total, which is a number: test",
    );
    check("order.total", json!({"contains": 1}), "/contains", "test it by is, is_not, in, more_than");
    check("order.total", json!({"is": "many"}), "/is", "a number, which \"many\" is not");
    check("order.total", json!({"at_least": {"ago": "30d"}}), "/at_least", "a number, and no moment");
    check("order.total", json!({"in": [1, "2", "x"]}), "/in/2", "which \"x\" is not");
    check("order.total", json!({"anniversary": {}}), "/anniversary", "does not fit");
    check(
        "customer.fields.vip",
        json!({"more_than": 1}),
        "/more_than",
        "true or false: test it by is, is_not, in, set",
    );
    check("customer.fields.vip", json!({"is": "true"}), "/is", "true or false");
    check("customer.city", json!({"is": true}), "/is", "is text, which true is not");
    check("customer.city", json!({"anniversary": {}}), "/anniversary", "is text");
    check("customer.city", json!({"less_than": {"ago": "1d"}}), "/less_than", "text, and no moment");
    check("customer.birthday", json!({"less_than": 1990}), "/less_than", "a date, which 1990 is not");
    check("customer.birthday", json!({"between": [{"ago": "30d"}, "later"]}), "/between/1", "a date");
    check("customer.registered_at", json!({"starts_with": "2026"}), "/starts_with", "an instant");
    check("order.lines.product_id", json!({"is": "p-1"}), "/is", "is a list of texts: test it by contains, set");
    check("order.lines.price", json!({"contains": "cheap"}), "/contains", "a list of numbers, which");
}

#[test]
fn an_aggregate_takes_fields_of_its_kind_and_gives_what_they_are() {
    good(json!({"sum": "orders.total", "more_than": 100}));
    good(json!({"sum": "orders.lines.price", "more_than": 100}));
    good(json!({"max": "orders.lines.price", "more_than": 100}));
    good(json!({"first": "orders.lines.product_id", "contains": "p"}));
    good(json!({"last": "orders.created_at", "less_than": {"ago": "30d"}}));
    good(json!({"distinct": "orders.status.delivery", "at_least": 2}));
    good(json!({"count": "orders", "is": 0}));
    // What nothing was said of may be anything.
    good(json!({"sum": "items.total", "where": {"field": "item.colour", "is": "red"}, "more_than": 5}));
    bad(
        json!({"sum": "orders.created_at", "more_than": 1}),
        &[("/sum", "\"sum\" takes numbers, and orders.created_at is")],
    );
    bad(json!({"average": "lines.product_id", "more_than": 1}), &[("/average", "takes numbers")]);
    bad(json!({"max": "orders.in_analytics", "is": true}), &[("/max", "something with an order")]);
    bad(json!({"min": "orders.created_at", "is": 5}), &[("/is", "the min of orders.created_at is an instant")]);
    bad(json!({"last": "orders.lines.price", "is": 5}), &[("/is", "a list of numbers")]);
    bad(json!({"last": "orders.status.delivery", "is": "shiped"}), &[("/is", "\"shipped\"")]);
}

#[test]
fn a_value_that_the_field_never_has_is_named_with_the_nearest() {
    good(json!({"field": "order.status.delivery", "in": ["shipped", "delivered"]}));
    good(json!({"audience": "vip"}));
    good(json!({"segment": "loyal"}));
    bad(
        json!({"field": "order.status.delivery", "is": "shiped"}),
        &[("/is", "order.status.delivery is never \"shiped\"; did you mean \"shipped\", ")],
    );
    bad(
        json!({"field": "order.status.delivery", "in": ["shipped", "lost", "deliverd"]}),
        &[("/in/1", "never \"lost\""), ("/in/2", "did you mean \"delivered\"")],
    );
    bad(json!({"field": "customer.fields.tier", "is_not": "Gold"}), &[("/is_not", "\"gold\"")]);
    bad(json!({"field": "customer.fields.size", "is": 37}), &[("/is", "did you mean 36, 38, 40?")]);
    good(json!({"field": "customer.fields.size", "is": "38.0"}));
    bad(
        json!({"audience": "staf"}),
        &[("/audience", "there is no audience \"staf\"; did you mean \"staff\" or \"vip\"?")],
    );
    let mut none = Schema::new();
    none.audiences([]);
    assert_eq!(faults(&none, &json!({"audience": "vip"}))[0].1, "there are no audiences yet");
}

#[test]
fn a_range_in_which_the_field_never_lies_is_impossible() {
    let children = |test: Value| {
        let mut leaf = test;
        leaf["field"] = json!("customer.fields.children");
        leaf
    };
    for test in [
        json!({"more_than": 19}),
        json!({"at_least": 20}),
        json!({"less_than": 1}),
        json!({"at_most": 0}),
        json!({"between": [20, 30]}),
        json!({"between": [-5, 0]}),
    ] {
        good(children(test));
    }
    let why = "this can never hold: customer.fields.children is at least 0 and at most 20";
    bad(children(json!({"more_than": 20})), &[("/more_than", why)]);
    bad(children(json!({"at_least": 20.5})), &[("/at_least", why)]);
    bad(children(json!({"less_than": 0})), &[("/less_than", why)]);
    bad(children(json!({"at_most": "-1"})), &[("/at_most", why)]);
    bad(children(json!({"between": [21, 30]})), &[("/between", why)]);
    bad(children(json!({"between": [-5, -1]})), &[("/between", why)]);
    bad(children(json!({"is": 21})), &[("/is", "is never 21: it is at least 0 and at most 20")]);
    bad(json!({"field": "customer.fields.born", "at_most": "1899-12-31"}), &[("/at_most", "at least \"1900-01-01\"")]);
    // On which day an instant lies depends on the zone.
    good(json!({"field": "customer.fields.born", "at_most": "1899-12-31T23:00:00Z"}));
    bad(json!({"count": "orders", "less_than": 0}), &[("/less_than", "the count of orders is at least 0")]);
    bad(json!({"distinct": "orders.id", "is": -1}), &[("/is", "never -1")]);
    good(json!({"count": "orders", "less_than": 1}));
    good(json!({"field": "customer.fields.size", "more_than": 38}));
    bad(json!({"field": "customer.fields.size", "more_than": 40}), &[("/more_than", "is one of 36, 38, 40")]);
    good(json!({"field": "customer.fields.tier", "starts_with": "g"}));
    bad(json!({"field": "customer.fields.tier", "starts_with": "p"}), &[("/starts_with", "one of \"gold\", ")]);
}

#[test]
fn the_context_of_an_event_is_what_its_definition_says_if_it_says_which_event() {
    let event = |parts: Value| json!({"count": "events", "where": parts});
    let viewed = json!({"field": "event.name", "is": "viewed"});
    // Of which event is not said, or nobody defined it, or it is not known what it brings.
    good(event(json!({"field": "event.context.colour", "is": "red"})));
    for name in ["told", "logged_in"] {
        let name = json!({"field": "event.name", "is": name});
        good(event(json!({"all": [name, {"field": "event.context.colour", "is": "red"}]})));
    }
    good(event(json!({"all": [viewed, {"field": "event.context.price", "less_than": 10}]})));
    bad(
        event(json!({"all": [{"field": "event.context.pric", "less_than": 10}, viewed]})),
        &[("/where/all/0/field", "\"event.context.price\"")],
    );
    bad(
        event(json!({"all": [viewed, {"not": {"field": "event.context.price", "starts_with": "1"}}]})),
        &[("/where/all/1/not/starts_with", "a number")],
    );
    let bought = json!({"field": "event.name", "is": "bought"});
    good(event(json!({"all": [bought, {"field": "event.context.products.product_id", "contains": "p"}]})));
    // Of two events what either brings; what both bring in their ways may be anything.
    let either = json!({"field": "event.name", "in": ["viewed", "bought"]});
    good(event(json!({"all": [either, {"field": "event.context.price", "starts_with": "1"}]})));
    good(event(json!({"all": [either, {"field": "event.context.products", "set": true}]})));
    bad(event(json!({"all": [either, {"field": "event.context.colour", "set": true}]})), &[("/where/all/1/field", "")]);
    let any = json!({"any": [{"all": [viewed, {"field": "event.context.products", "set": true}]}, bought]});
    bad(event(any), &[("/where/any/0/all/1/field", "event.context.products")]);
    bad(
        json!({"max": "events.context.product", "where": viewed, "is": "p"}),
        &[("/max", "\"events.context.product_id\"")],
    );
    // The event that happened is known by what sets a campaign off, and others are not it.
    let colour = json!({"all": [
        {"field": "event.context.colour", "set": true}, event(json!({"field": "event.context.colour", "set": true})),
    ]});
    let places: Vec<String> = faults(&schema().happened("viewed"), &colour).into_iter().map(|fault| fault.0).collect();
    assert_eq!(places, ["/all/0/field"]);
    good(colour);
}
