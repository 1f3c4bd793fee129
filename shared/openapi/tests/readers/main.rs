//! The document's schemas and the program's readers say the same.
//!
//! The examples of a schema name every property that it has, and the reader takes
//! them. The reader refuses every other name that stands anywhere in its source, so
//! it knows of none that the schema lacks; and it refuses what the schema refuses.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod answers;
mod schema;

use std::collections::BTreeSet;
use std::path::Path;

use campaigns::{Campaign, Mailing, Question, Segment, Survey};
use conditions::{Condition, Root, Scope};
use contracts::{audience, container, customer, dictionary, event, identity, import, order, product, promo};
use domain::dictionary::WordKind;
use domain::read::Faults;
use domain::{CampaignId, CategoryId, Code, CustomerId, Fault, MailingId, OrderId, ProductId};
use jiff::Timestamp;
use serde_json::{Value, json};

use schema::{Seen, changed, misfits, sites, unnamed};

const NOW: Timestamp = Timestamp::constant(1_796_000_000, 0);

type Read = fn(&Value) -> Result<(), Faults>;

fn word(kind: WordKind, code: &str, body: &Value) -> Result<(), Faults> {
    dictionary::read(kind, code, body, None).map(drop)
}

fn condition(body: &Value) -> Result<(), Faults> {
    let faults = Condition::parse(body, &Scope::with_history(Root::SINGLE)).map(drop);
    faults.map_err(|faults| faults.into_iter().map(|fault| Fault::new(fault.pointer, fault.message)).collect())
}

/// Each schema of a request, and who reads such a body.
const READERS: &[(&str, Read)] = &[
    ("Order", |body| order::read(OrderId::parse("o").unwrap(), body, true, NOW).map(drop)),
    ("OrderPart", |body| order::read(OrderId::parse("o").unwrap(), body, false, NOW).map(drop)),
    ("OrderStatus", |body| order::read_status(body, NOW).map(drop)),
    ("OrderLineStatus", |body| order::read_line_status("1".into(), body, NOW).map(drop)),
    ("Customer", |body| customer::read(CustomerId::parse("c").unwrap(), body, true, NOW).map(drop)),
    ("CustomerPart", |body| customer::read(CustomerId::parse("c").unwrap(), body, false, NOW).map(drop)),
    ("Merge", |body| identity::read_merge(&CustomerId::parse("c").unwrap(), body).map(drop)),
    ("Identify", |body| identity::read_visitor(body).map(drop)),
    ("Membership", |body| audience::read_membership(body).map(drop)),
    ("Event", |body| event::read(body, NOW).map(drop)),
    ("ContainerOperation", |body| {
        container::read(CustomerId::parse("c").unwrap(), Code::parse("cart").unwrap(), body, NOW).map(drop)
    }),
    ("Product", |body| product::read(ProductId::parse("p").unwrap(), body, true, NOW).map(drop)),
    ("ProductPart", |body| product::read(ProductId::parse("p").unwrap(), body, false, NOW).map(drop)),
    ("Category", |body| product::read_category(CategoryId::parse("c").unwrap(), body, true, NOW).map(drop)),
    ("ProductImport", |body| import::read(body).map(drop)),
    ("PromoCodeGroup", |body| promo::read(body).map(drop)),
    ("PromoCodes", |body| promo::read_codes(body).map(drop)),
    ("Condition", |body| condition(body)),
    ("Campaign", |body| Campaign::read(CampaignId::parse("c").unwrap(), body).map(drop)),
    ("Segment", |body| Segment::read(Code::parse("loyal").unwrap(), body).map(drop)),
    ("Question", |body| Question::read(body).map(drop)),
    ("Survey", |body| Survey::read(body).map(drop)),
    ("Preview", |body| Survey::read_preview(body).map(drop)),
    ("Mailing", |body| Mailing::read(MailingId::parse("m").unwrap(), body, NOW).map(drop)),
    ("Field", |body| word(WordKind::Field, "customer.tier", body)),
    ("Status", |body| word(WordKind::Status, "delivery.at_customs", body)),
    ("EventType", |body| word(WordKind::EventType, "courier_missed", body)),
    ("Source", |body| word(WordKind::Source, "app", body)),
    ("ContainerDefinition", |body| word(WordKind::Container, "wishlist", body)),
    ("Audience", |body| word(WordKind::Audience, "vip", body)),
    ("MailingCategory", |body| word(WordKind::MailingCategory, "offers", body)),
    ("Settings", |body| word(WordKind::Settings, "shop", body)),
];

fn document() -> Value {
    openapi::document("https://api.example.com")
}

/// A schema, and its examples.
fn of<'d>(document: &'d Value, name: &str) -> (&'d Value, Vec<Value>) {
    let schema = &document["components"]["schemas"][name];
    let examples = schema["examples"].as_array().cloned().unwrap_or_default();
    assert!(!examples.is_empty(), "{name} has no example");
    (schema, examples)
}

#[test]
fn the_examples_name_every_property_and_are_taken() {
    let document = document();
    // What conditions have is named by their own examples.
    let (schema, examples) = of(&document, "Condition");
    let mut of_conditions = Seen::new();
    examples.iter().for_each(|example| sites(&document, schema, example, "", &mut of_conditions, &mut Vec::new()));
    for (name, read) in READERS {
        let (schema, examples) = of(&document, name);
        let mut seen = of_conditions.clone();
        for example in &examples {
            assert_eq!(misfits(&document, schema, example, ""), Vec::<String>::new(), "{name}");
            assert_eq!(read(example), Ok(()), "{name}: {example}");
            sites(&document, schema, example, "", &mut seen, &mut Vec::new());
        }
        assert_eq!(unnamed(&seen), Vec::<String>::new(), "{name}");
    }
}

/// Every name that a reader could know: each that stands between quotes in the
/// sources.
fn names() -> BTreeSet<String> {
    fn gather(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                gather(&path, names);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = std::fs::read_to_string(&path).unwrap();
                let plain = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                names.extend(source.split('"').filter(plain).map(str::to_owned));
            }
        }
    }
    let mut names = BTreeSet::new();
    for member in ["contracts", "campaigns", "domain", "conditions"] {
        gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(member).join("src"), &mut names);
    }
    assert!(names.contains("customer_id") && names.contains("quantity"));
    names
}

#[test]
fn a_reader_knows_no_name_that_its_schema_lacks() {
    let (document, names) = (document(), names());
    for (name, read) in READERS {
        let (schema, examples) = of(&document, name);
        for example in &examples {
            let mut found = Vec::new();
            sites(&document, schema, example, "", &mut Seen::new(), &mut found);
            for site in found.iter().filter(|site| site.schema["properties"].is_object()) {
                let mut body = example.clone();
                let object = body.pointer_mut(&site.pointer).unwrap().as_object_mut().unwrap();
                let known =
                    |name: &&String| site.schema["properties"].get(*name).is_some() || site.beside.contains(name);
                let others: Vec<&String> = names.iter().filter(|name| !known(name)).collect();
                object.extend(others.iter().map(|name| ((*name).clone(), Value::Null)));
                let faults = read(&body).unwrap_err();
                for other in others {
                    let place = format!("{}/{other}", site.pointer);
                    let alone = || {
                        let mut body = example.clone();
                        body.pointer_mut(&site.pointer).unwrap()[other] = Value::Null;
                        read(&body).is_err()
                    };
                    assert!(faults.iter().any(|fault| fault.pointer == place) || alone(), "{name}: {place} is taken");
                }
            }
        }
    }
}

#[test]
fn a_reader_refuses_what_its_schema_refuses() {
    let document = document();
    for (name, read) in READERS {
        let (schema, examples) = of(&document, name);
        for example in &examples {
            let mut found = Vec::new();
            sites(&document, schema, example, "", &mut Seen::new(), &mut found);
            for site in &found {
                let (good, bad) = changed(example, site);
                for body in bad {
                    let value =
                        body.pointer(&site.pointer).map(|value| value.to_string().chars().take(60).collect::<String>());
                    assert!(read(&body).is_err(), "{name}{} takes {value:?}", site.pointer);
                }
                for body in good {
                    let faults = read(&body).err().unwrap_or_default();
                    let here: Vec<_> = faults.iter().filter(|fault| fault.pointer == site.pointer).collect();
                    assert!(here.is_empty(), "{name}{} refuses what the schema takes: {here:?}", site.pointer);
                }
            }
        }
    }
}

#[test]
fn what_is_no_condition_fits_neither_the_schema_nor_the_reader() {
    let document = document();
    let schema = &document["components"]["schemas"]["Condition"];
    let city = json!({ "field": "customer.city", "is": "Riga" });
    for wrong in [
        json!({}),
        json!([city]),
        json!({ "all": city }),
        json!({ "any": [] }),
        json!({ "any": [city], "not": city }),
        json!({ "field": "customer.city" }),
        json!({ "field": "customer.city", "is": "Riga", "is_not": "Ur" }),
        json!({ "field": "customer.city", "like": "Riga" }),
        json!({ "field": "customer.city", "is": "" }),
        json!({ "field": "customer.city", "is": null }),
        json!({ "field": "customer.city", "in": [] }),
        json!({ "field": "customer.city", "matches": "" }),
        json!({ "field": "customer.points", "more_than": true }),
        json!({ "field": "customer.points", "between": [1] }),
        json!({ "field": "customer.born", "anniversary": 7 }),
        json!({ "field": "customer.seen", "less_than": { "ago": 30 } }),
        json!({ "field": "customer.seen", "less_than": { "ago": "30d", "ahead": "1d" } }),
        json!({ "field": "customer.seen", "less_than": { "start_of": "fortnight" } }),
        json!({ "field": "customer.seen", "less_than": { "start_of": "day", "offset": 3661 } }),
        json!({ "field": "customer.seen", "during": { "last": "30d" }, "is": 1 }),
        json!({ "count": "baskets" }),
        json!({ "count": "orders", "sum": "orders.total", "is": 1 }),
        json!({ "count": "orders", "at_least": 1, "at_most": 3 }),
        json!({ "count": "orders", "contains": 1 }),
        json!({ "count": "orders", "at_least": { "ago": "1d" } }),
        json!({ "count": "orders", "where": [] }),
        json!({ "count": "orders", "during": {} }),
        json!({ "count": "orders", "during": { "last": "30d", "to": "2026-11-22" } }),
        json!({ "count": "orders", "during": { "since": { "first": "orders", "last": "orders" } } }),
        json!({ "sum": "orders.total" }),
        json!({ "last": "orders.total", "where": city }),
        json!({ "audience": "" }),
        json!({ "audience": "vip", "is": true }),
        json!({ "segment": "" }),
    ] {
        assert_ne!(misfits(&document, schema, &wrong, ""), Vec::<String>::new(), "the schema takes {wrong}");
        assert!(condition(&wrong).is_err(), "the reader takes {wrong}");
    }
}

#[test]
fn a_part_takes_null_where_its_schema_does() {
    let document = document();
    for name in ["OrderPart", "CustomerPart", "ProductPart"] {
        let (_, read) = READERS.iter().find(|(known, _)| known == &name).unwrap();
        let properties = document["components"]["schemas"][name]["properties"].as_object().unwrap();
        for (property, schema) in properties {
            if schema.to_string().contains("\"null\"") {
                assert_eq!(read(&json!({ property: null })), Ok(()), "{name}/{property}");
            }
        }
    }
}
