//! Whatever is told of an order, in whatever order and however often it arrives.

use std::collections::BTreeSet;

use domain::{Change, Order, OrderId, OrderUpdate};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::{read, read_line_status, read_status};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// One thing that a shop tells of an order.
#[derive(Debug, Clone)]
enum Telling {
    Update(OrderUpdate),
    Deleted(Timestamp),
}

/// The order in the end, and the causes of all that was seen to happen to it.
fn told<'a>(tellings: impl IntoIterator<Item = &'a Telling>) -> (Option<Order>, BTreeSet<Vec<String>>) {
    let (mut known, mut causes) = (None::<Order>, BTreeSet::new());
    for telling in tellings {
        let after = match telling {
            Telling::Update(update) => Order::merge(known.as_ref(), update.clone(), NOW).unwrap(),
            Telling::Deleted(at) => known.as_ref().and_then(|known| known.delete(Some(*at), NOW)),
        };
        if let Some(after) = after {
            let changes = Change::of_order(known.as_ref(), &after);
            // Of the lines, only what changes while we look on can be seen to change.
            let changes = changes.iter().filter(|change| !matches!(change, Change::OrderLinesChanged { .. }));
            causes.extend(changes.map(Change::cause));
            known = Some(after);
        }
    }
    (known, causes)
}

fn is_whole(telling: &Telling) -> bool {
    matches!(telling, Telling::Update(update) if update.said.whole)
}

/// A part of an order that nobody ever said the whole of is refused, and so is taking
/// back what is not known: the first to come is a whole.
fn from_a_whole(mut tellings: Vec<Telling>) -> Vec<Telling> {
    let first = tellings.iter().position(is_whole).unwrap();
    let first = tellings.remove(first);
    tellings.insert(0, first);
    tellings
}

fn when(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn update(second: i64, mut body: Value, whole: bool) -> Telling {
    body["updated_at"] = json!(when(second));
    Telling::Update(read(OrderId::parse("o").unwrap(), &body, whole, NOW).unwrap())
}

/// What is said at one time. Two statuses of one set for one time would contradict
/// each other; a payment's are dated by times that nothing else has.
fn telling(second: i64) -> impl Strategy<Value = Telling> {
    let status = (prop::sample::select(vec!["general", "delivery", "line"]), "[abc]", "[xy]?").prop_map(
        move |(set, code, source)| {
            let mut body = json!({ "code": code, "at": when(second) });
            if !source.is_empty() {
                body["source"] = json!(source);
            }
            let status = if set == "line" {
                read_line_status("1".into(), &body, NOW).unwrap()
            } else {
                body["set"] = json!(set);
                read_status(&body, NOW).unwrap()
            };
            let said = domain::dated::Said { whole: false, fields: serde_json::Map::new() };
            let id = OrderId::parse("o").unwrap();
            Telling::Update(OrderUpdate { id, customer_id: None, updated_at: None, said, statuses: vec![status] })
        },
    );
    prop_oneof![
        3 => body(second).prop_map(move |body| {
            let mut whole = json!({ "customer_id": "c", "currency": "EUR", "total": "0" });
            whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
            update(second, whole, true)
        }),
        4 => body(second).prop_map(move |body| update(second, body, false)),
        2 => status,
        1 => Just(Telling::Deleted(when(second))),
    ]
}

/// Some fields, some of them null.
fn body(second: i64) -> impl Strategy<Value = Value> {
    let one = |values: Vec<Value>| prop::option::of(prop::sample::select(values));
    let line = |id: &'static str| {
        (0u8..3, prop::option::of("[abc]")).prop_map(
            move |(quantity, status)| json!({ "id": id, "product_id": "p", "quantity": quantity, "status": status }),
        )
    };
    let lines = prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        line("1").prop_map(|line| json!([line])),
        (line("2"), line("1")).prop_map(|(one, other)| json!([one, other])),
    ];
    let fields = (
        one(vec![json!("1"), json!("2.50")]),
        one(vec![json!({ "money": "1" }), json!({ "money": null, "bonus": "2" }), json!({}), Value::Null]),
        one(vec![
            json!({ "type": "courier", "address": { "city": "Riga", "zip": "1" } }),
            json!({ "address": { "city": "Cesis" } }),
            json!({ "type": null, "address": { "zip": null } }),
            json!({ "address": null }),
            Value::Null,
        ]),
        one(vec![json!({ "a": 1, "b": [1] }), json!({ "a": null }), json!({}), Value::Null]),
        prop::option::of(lines),
        one(vec![json!("x"), json!("y")]),
        one(vec![json!("2026-01-01T00:00:00Z"), Value::Null]),
        (prop::option::of("[abc]"), prop::option::of("[abc]")),
    );
    fields.prop_map(move |(total, amounts, delivery, fields, lines, source, created_at, (general, paid))| {
        let named = [
            ("total", total),
            ("amounts", amounts),
            ("delivery", delivery),
            ("fields", fields),
            ("lines", lines),
            ("source", source),
            ("created_at", created_at),
        ];
        let mut body: Value = named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        if general.is_some() || paid.is_some() {
            body["status"] = json!({ "general": general });
        }
        if let Some(code) = paid {
            body["status"]["payment"] = json!({ "code": code, "at": when(second + 1_000) });
        }
        body
    })
}

fn tellings() -> impl Strategy<Value = Vec<Telling>> {
    let times = prop::collection::btree_set(1i64..60, 1..10);
    let tellings = times.prop_flat_map(|times| times.into_iter().map(telling).collect::<Vec<_>>());
    tellings.prop_filter("none is a whole", |tellings| tellings.iter().any(is_whole))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_order_of_arrival_does_not_matter(
        tellings in tellings(),
        shuffle in prop::collection::vec(any::<Index>(), 20),
    ) {
        let mut other: Vec<Telling> = tellings.iter().chain(&tellings).cloned().collect();
        let length = other.len();
        for (place, to) in shuffle.iter().enumerate().take(length) {
            other.swap(place, to.index(length));
        }
        prop_assert_eq!(told(&from_a_whole(tellings)), told(&from_a_whole(other)));
    }
}
