//! What holds for every condition and all facts.

use conditions::{At, Condition, Facts, Program, Scope};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-c]{1,2}".prop_map(Value::from),
        (-3..3_i64).prop_map(Value::from),
        "-?[0-2](\\.[0-9]{1,2})?".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::sample::select(vec!["2026-05-01", "2026-05-01T10:00:00Z", "2026-05-01T12:00:00+02:00"])
            .prop_map(Value::from),
        (-1e6..1e6_f64).prop_map(Value::from),
        "\\PC{1,8}".prop_map(Value::from),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    let field = || prop::sample::select(vec!["customer.a", "customer.b", "order.a", "order.list.a", "event.b.a"]);
    let equality = prop::sample::select(vec!["is", "is_not", "contains"]);
    let order = prop::sample::select(vec!["more_than", "at_least", "less_than", "at_most"]);
    let ordered = scalar().prop_filter("true and false have no order", |value| !value.is_boolean());
    prop_oneof![
        2 => (field(), equality, scalar()).prop_map(|(field, test, value)| json!({"field": field, test: value})),
        2 => (field(), order, ordered).prop_map(|(field, test, value)| json!({"field": field, test: value})),
        1 => (field(), any::<bool>()).prop_map(|(field, set)| json!({"field": field, "set": set})),
        1 => (field(), prop::collection::vec(scalar(), 1..4)).prop_map(|(field, list)| json!({"field": field, "in": list})),
        1 => (field(), prop::sample::select(vec!["starts_with", "ends_with", "matches"]), "[a-c0-2]{1,2}")
            .prop_map(|(field, test, text)| json!({"field": field, test: text})),
        1 => (field(), -2.0..0_f64, 0.0..2_f64)
            .prop_map(|(field, from, to)| json!({"field": field, "between": [from, to]})),
        1 => (field(), -9..=0_i32, 0..9_i32)
            .prop_map(|(field, from, to)| json!({"field": field, "anniversary": {"from_day": from, "to_day": to}})),
        1 => (field(), prop::sample::select(vec![json!({"ago": "1d"}), json!({"ahead": "2h"}), json!({"start_of": "week"})]))
            .prop_map(|(field, moment)| json!({"field": field, "at_least": moment})),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({"all": list})),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|list| json!({"any": list})),
            inner.prop_map(|node| json!({"not": node})),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "a",
        "b",
        "list",
        "id",
        "at",
        "lines",
        "created_at",
        "time_zone",
        "customer",
        "order",
        "event",
        "field",
        "all",
        "any",
        "not",
        "is",
        "in",
        "between",
        "matches",
        "anniversary",
        "from_day",
        "ago",
        "start_of",
        "offset",
        "zone",
        "count",
        "sum",
        "last",
        "where",
        "during",
        "from",
        "to",
        "since",
        "first",
        "audience",
        "segment",
    ]);
    let word = prop::sample::select(vec![
        "customer.a",
        "order.a",
        "line.a",
        "event.a",
        "orders",
        "lines",
        "orders.a",
        "events.at",
        "items",
        "30d",
        "day",
        "shop",
        "Europe/Riga",
        "2026-05-01T10:00:00Z",
        "(",
    ]);
    prop_oneof![
        Just(Value::Null),
        scalar(),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ]
    .prop_recursive(5, 48, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn facts() -> impl Strategy<Value = Facts> {
    let root = prop_oneof![
        (scalar(), scalar()).prop_map(|(a, b)| json!({"a": a, "b": b})),
        prop::collection::vec(any_json(), 0..3).prop_map(|list| json!({"a": list, "list": list, "b": {"a": list}})),
        any_json(),
    ];
    (root.clone(), root.clone(), root).prop_map(|(a, b, c)| {
        Facts::single(Map::from_iter(
            [("customer", a), ("order", b), ("event", c)].map(|(name, root)| (name.to_owned(), root)),
        ))
    })
}

/// Whatever may stand where things are expected.
fn any_facts() -> impl Strategy<Value = Facts> {
    let things = || prop::collection::vec(any_json(), 0..3);
    (facts(), things(), things(), things(), things(), things()).prop_map(
        |(facts, orders, events, items, containers, messages)| Facts {
            orders,
            events,
            items,
            containers,
            messages,
            ..facts
        },
    )
}

fn at() -> At {
    At::utc("2026-05-20T12:00:00Z".parse().expect("an instant"))
}

proptest! {
    #[test]
    fn a_condition_or_its_opposite_holds_and_the_reasons_agree(tree in tree(), facts in facts()) {
        let condition = Condition::parse(&tree, &Scope::ALL).unwrap();
        let opposite = Condition::parse(&json!({"not": tree}), &Scope::ALL).unwrap();
        let (holds, why) = condition.explain(&facts, &at());
        prop_assert_eq!(holds, condition.holds(&facts, &at()));
        prop_assert_eq!(opposite.explain(&facts, &at()), (!holds, why));
    }

    #[test]
    fn serialising_gives_the_json_back(tree in tree()) {
        let condition = Condition::parse(&tree, &Scope::ALL).unwrap();
        prop_assert_eq!(&serde_json::to_value(&condition).unwrap(), &tree);
        prop_assert_eq!(serde_json::from_value::<Condition>(tree).unwrap(), condition);
    }

    #[test]
    fn the_leaves_that_decided_decide_alone(tree in tree(), facts in facts()) {
        let condition = Condition::parse(&tree, &Scope::ALL).unwrap();
        let (holds, why) = condition.explain(&facts, &at());
        if let Value::Object(map) = &tree && map.contains_key("field") {
            prop_assert_eq!(why.leaves.len(), 1);
            prop_assert_eq!(why.leaves[0].holds, holds);
        }
        if let Some(list) = tree.get("all").and_then(Value::as_array) && list.iter().all(|node| node.get("field").is_some()) {
            prop_assert!(why.leaves.iter().all(|leaf| leaf.holds == holds));
        }
    }

    #[test]
    fn any_json_is_a_condition_or_has_faults(json in any_json(), facts in any_facts()) {
        match Condition::parse(&json, &Scope::ALL) {
            Ok(condition) => {
                let program = Program::new([&condition], |_| Some(&condition));
                let state = program.state(&facts);
                let verdict = program.verdict(0, &state, &at());
                prop_assert_eq!(verdict.holds, program.holds(0, &state, &at()));
                prop_assert!(verdict.next.is_none_or(|next| next > at().now));
                let _ = (program.why(0, &state, &at()).to_string(), condition.to_string());
            }
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    prop_assert!(json.pointer(&fault.pointer).is_some(), "{}", fault);
                }
            }
        }
    }
}
