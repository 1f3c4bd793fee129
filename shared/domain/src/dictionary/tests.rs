use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Code;

fn field(object: Object, name: &str, r#type: FieldType, limits: Limits) -> (String, Option<Word>) {
    let name = Code::parse(name).unwrap();
    let word = Word::Field(FieldDefinition { object, label: name.to_string(), name, r#type, limits });
    (word.id(), Some(word))
}

fn dictionary() -> Dictionary {
    let limits = Limits { allowed: vec![json!("gold"), json!("silver")], ..Limits::default() };
    Dictionary::new([
        field(Object::Customer, "tier", FieldType::String, limits),
        field(Object::Customer, "children", FieldType::Integer, Limits { min: Some(json!(0)), ..Limits::default() }),
        field(Object::Order, "gift", FieldType::Boolean, Limits::default()),
        field(Object::OrderLine, "engraving", FieldType::String, Limits { max_length: Some(5), ..Limits::default() }),
    ])
}

fn checked(object: Object, mut body: Value) -> Result<Value, Vec<String>> {
    let faults = dictionary().check_body(object, &mut body);
    if faults.is_empty() { Ok(body) } else { Err(faults.into_iter().map(|fault| fault.pointer).collect()) }
}

#[test]
fn a_value_has_one_form_or_is_refused() {
    let check = |r#type: FieldType, given: Value, kept: Value| assert_eq!(r#type.read(&given), Ok(kept), "{given}");
    check(FieldType::String, json!("a"), json!("a"));
    check(FieldType::Integer, json!("5"), json!(5));
    check(FieldType::Integer, json!(5.0), json!(5));
    check(FieldType::Integer, json!(-7), json!(-7));
    check(FieldType::Decimal, json!(24.95), json!("24.95"));
    check(FieldType::Decimal, json!("24.90"), json!("24.90"));
    check(FieldType::Boolean, json!("true"), json!(true));
    check(FieldType::Date, json!("2026-11-22"), json!("2026-11-22"));
    check(FieldType::Datetime, json!("2026-11-22T12:00:00+02:00"), json!("2026-11-22T10:00:00Z"));
    check(FieldType::List, json!("a"), json!(["a"]));
    check(FieldType::List, json!(["a", 1, true]), json!(["a", 1, true]));
    let refuse = |r#type: FieldType, given: Value| assert!(r#type.read(&given).is_err(), "{type:?} {given}");
    refuse(FieldType::String, json!(5));
    refuse(FieldType::Integer, json!(5.5));
    refuse(FieldType::Integer, json!("9".repeat(40)));
    refuse(FieldType::Decimal, json!("NaN"));
    refuse(FieldType::Boolean, json!(1));
    refuse(FieldType::Date, json!("2026-02-30"));
    refuse(FieldType::Date, json!("2026-11-22T10:00:00Z"));
    refuse(FieldType::Datetime, json!("2026-11-22T10:00:00"));
    refuse(FieldType::List, json!([["a"]]));
    refuse(FieldType::List, json!({}));
}

#[test]
fn a_defined_field_is_held_to_its_definition_and_named_by_where_it_stood() {
    let good = json!({ "tier": "gold", "fields": { "children": "2", "shoe": { "any": 1 } }, "city": "Riga" });
    let kept = json!({ "fields": { "tier": "gold", "children": 2, "shoe": { "any": 1 } }, "city": "Riga" });
    assert_eq!(checked(Object::Customer, good), Ok(kept));
    let bad = json!({ "tier": "lead", "fields": { "children": -1 } });
    assert_eq!(checked(Object::Customer, bad).unwrap_err(), ["/fields/children", "/tier"]);
    let lines = json!({ "gift": "yes", "lines": [{}, { "engraving": "too long" }, { "fields": { "engraving": 1 } }] });
    assert_eq!(
        checked(Object::Order, lines).unwrap_err(),
        ["/gift", "/lines/1/engraving", "/lines/2/fields/engraving"]
    );
    let fields = json!({ "children": -1 });
    let faults = dictionary().check_fields(Object::Customer, fields.as_object().unwrap());
    assert_eq!(faults[0].pointer, "/fields/children");
}

#[test]
fn what_stands_in_two_places_or_beside_no_object_is_left_for_the_reader() {
    for body in
        [json!({ "tier": "gold", "fields": { "tier": "silver" } }), json!({ "tier": "gold", "fields": 7 }), json!(7)]
    {
        let mut adopted = body.clone();
        dictionary().adopt(Object::Customer, &mut adopted);
        assert_eq!(adopted, body);
    }
}

#[test]
fn null_takes_a_field_away_and_is_held_to_nothing() {
    let body = json!({ "tier": null, "fields": { "children": null } });
    assert_eq!(checked(Object::Customer, body), Ok(json!({ "fields": { "tier": null, "children": null } })));
}

#[test]
fn system_words_are_always_there_and_defaults_until_they_are_deleted() {
    let gone = |kind: WordKind, code: &str| (kind.id(code), None);
    let mut renamed = Dictionary::default().container("cart").unwrap().clone();
    renamed.name = "Basket".to_owned();
    let dictionary = Dictionary::new([
        gone(WordKind::Container, "wishlist"),
        gone(WordKind::Container, "cart"),
        gone(WordKind::Status, "delivery.shipped"),
        (WordKind::Container.id("cart"), Some(Word::Container(renamed))),
    ]);
    assert_eq!(dictionary.container("cart").unwrap().name, "Basket");
    assert!(dictionary.container("wishlist").is_none() && Dictionary::default().container("wishlist").is_some());
    assert!(dictionary.status(StatusSet::Delivery, "shipped").unwrap().in_analytics);
    assert!(!dictionary.status(StatusSet::General, "cancelled").unwrap().in_analytics);
    assert!(dictionary.event_type("product_viewed").is_some() && dictionary.source("online_store").is_some());
    assert!(dictionary.get(WordKind::Field, "customer.email").unwrap().is_system());
    // A system field is read by the body's own reader.
    assert!(dictionary.field(Object::Customer, "email").is_none());
}

#[test]
fn a_word_is_kept_as_it_is() {
    for word in WordKind::ALL.into_iter().flat_map(|kind| dictionary().of(kind).cloned().collect::<Vec<_>>()) {
        let kept = serde_json::to_string(&word).unwrap();
        assert_eq!(serde_json::from_str::<Word>(&kept).unwrap(), word);
        assert_eq!(WordKind::of_id(&word.id()), Some((word.kind(), word.code().as_str())));
    }
}

fn seen() -> impl Strategy<Value = SeenEvent> {
    let set = || prop::collection::btree_set("[ab] [xyz]", 0..3);
    (set(), set(), set(), 1i8..28, 0i8..5).prop_map(|(kinds, sources, fields, day, more)| {
        let first = jiff::civil::date(2026, 11, day);
        SeenEvent {
            kinds,
            sources,
            fields,
            first: Some(first),
            last: first.checked_add(jiff::Span::new().days(more)).ok(),
        }
    })
}

proptest! {
    #[test]
    fn what_was_seen_is_the_same_in_any_order_and_covers_each(mut events in prop::collection::vec(seen(), 1..6)) {
        let sum = |events: &[SeenEvent]| events.iter().cloned().fold(SeenEvent::default(), |mut sum, event| {
            sum.add(event);
            sum
        });
        let forward = sum(&events);
        prop_assert!(events.iter().all(|event| forward.covers(event)));
        events.reverse();
        prop_assert_eq!(sum(&events), forward.clone());
        prop_assert_eq!(forward.covers(&events[0]), true);
        prop_assert_eq!(events[0].covers(&forward), events[0] == forward);
    }

    #[test]
    fn what_a_type_reads_it_reads_again_as_the_same(text in ".{0,12}|-?[0-9]{1,20}(\\.[0-9]{0,10})?", r#type in prop::sample::select(FieldType::ALL.to_vec())) {
        for given in [json!(text), serde_json::from_str(&text).unwrap_or_default()] {
            if let Ok(kept) = r#type.read(&given) {
                prop_assert_eq!(r#type.read(&kept), Ok(kept.clone()));
            }
        }
    }
}
