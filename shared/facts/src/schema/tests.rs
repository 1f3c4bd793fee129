use conditions::{Collection, Condition, Fault, Scope};
use domain::dictionary::Limits;
use domain::message::{Message, Origin, Purpose};
use domain::{
    CampaignId, Change, Code, Customer, CustomerId, EventId, EventKind, Item, LineChange, MessageId, Order, OrderId,
    Product, ProductId, TemplateId,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{Entry, KnownContainer, Versioned};

use super::*;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

/// Fields of the shop's own of every type.
const OWN: [(&str, FieldType); 7] = [
    ("text", FieldType::String),
    ("whole", FieldType::Integer),
    ("amount", FieldType::Decimal),
    ("truth", FieldType::Boolean),
    ("day", FieldType::Date),
    ("moment", FieldType::Datetime),
    ("several", FieldType::List),
];

fn own() -> Value {
    json!({
        "text": "a", "whole": 7, "amount": "7.50", "truth": true, "day": "2026-05-01",
        "moment": "2026-05-01T10:00:00Z", "several": ["a", 7, true],
    })
}

fn dictionary() -> Dictionary {
    let objects = [Object::Customer, Object::Order, Object::OrderLine, Object::Product];
    let fields = objects.into_iter().flat_map(|object| {
        OWN.map(|(name, r#type)| {
            let (label, limits) = (name.to_owned(), Limits::default());
            Word::Field(FieldDefinition { object, name: Code::parse(name).unwrap(), label, r#type, limits })
        })
    });
    let news = contracts::dictionary::read(WordKind::MailingCategory, "news", &json!({ "name": "News" }), None);
    Dictionary::new(fields.chain([news.unwrap()]).map(|word| (word.id(), Some(word))))
}

fn faults(schema: &Schema, json: &Value) -> Vec<Fault> {
    Condition::parse(json, &Scope::ALL).unwrap_or_else(|faults| panic!("{json}: {faults:?}")).check(schema)
}

/// A leaf about something of a thing, wherever such a leaf may stand.
fn about(root: Root, leaf: Value) -> Value {
    if Root::SINGLE.contains(&root) {
        return leaf;
    }
    let over = Collection::ALL.into_iter().find(|over| over.root() == root).unwrap();
    json!({ "count": over.name(), "where": leaf })
}

/// That everything which is shown may be asked about, and be what it is.
fn hold(root: Root, shown: &Value) {
    let dictionary = dictionary();
    let schema = schema(&dictionary);
    let mut leaves = 0;
    every(root.name().to_owned(), shown, &mut |path, value| {
        let test = match value {
            Value::Object(_) => "set",
            Value::Array(items) if items.iter().any(Value::is_object) => "set",
            Value::Array(_) => "contains",
            _ => "is",
        };
        let operand = match value {
            Value::Array(items) if test == "contains" => items[0].clone(),
            _ if test == "set" => json!(true),
            value => value.clone(),
        };
        leaves += 1;
        let leaf = about(root, json!({ "field": path, test: operand }));
        assert_eq!(faults(&schema, &leaf), [], "{leaf}");
        // And it is not for that it may be asked about that anything may.
        if !["delivery.address.", "context.", "item.fields."].iter().any(|open| path.contains(open)) {
            let other = about(root, json!({ "field": format!("{path}_"), "set": true }));
            assert_eq!(faults(&schema, &other).len(), 1, "{other}");
        }
    });
    assert!(leaves > 3);
}

/// Every path of what is shown; through a list it leads to lists.
fn every(path: String, value: &Value, look: &mut dyn FnMut(&str, &Value)) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        look(&path, value);
        match value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                for item in items {
                    every(path.clone(), item, &mut |path, value| match value {
                        Value::Object(_) | Value::Array(_) => look(path, value),
                        value => look(path, &json!([value])),
                    });
                }
            }
            value => every(path, value, look),
        }
    }
}

fn order() -> Order {
    let line = json!({
        "id": "1", "product_id": "p", "name": "Mug", "quantity": 2, "price": "9.95", "total": "19.90", "discount": "1",
        "weight": "0.3", "bonus_accrued": "1", "bonus_deducted": "2", "money": "17.90", "categories": ["mugs"],
        "url": "https://example.com/p", "image": "https://example.com/p.png", "fields": own(), "status": "engraved",
    });
    let body = json!({
        "customer_id": "c", "currency": "EUR", "total": "19.90", "created_at": NOW, "updated_at": NOW,
        "source": "online_store", "container": "cart", "lines": [line], "fields": own(),
        "amounts": {"money": "17.90", "bonus": "2", "delivery": "0", "discount": "1"},
        "status": {"general": "confirmed", "delivery": "shipped", "payment": "paid"},
        "delivery": {
            "type": "courier", "carrier": "dpd", "address": {"city": "Riga", "floor": 3}, "date": "2026-05-01",
            "note": "Ring twice",
        },
        "payment": {"type": "card", "provider": "stripe"},
    });
    let update = contracts::order::read(OrderId::parse("o").unwrap(), &body, true, NOW).unwrap();
    Order::merge(None, update, NOW).unwrap().unwrap()
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_a_customer() {
    let body = json!({
        "email": "ada", "phone": "123", "first_name": "Ada", "last_name": "L", "birthday": "1990-05-01",
        "gender": "f", "city": "Riga", "zip": "LV-1010", "country": "LV", "language": "lv",
        "time_zone": "Europe/Riga", "registered_at": "2026-01-01T00:00:00Z", "source": "online_store",
        "fields": own(), "updated_at": NOW,
        "consent": {"email": {"state": "granted", "at": "2026-01-01T00:00:00Z"}, "categories": {"news": "requested"}},
    });
    let update = contracts::customer::read(CustomerId::parse("c").unwrap(), &body, true, NOW).unwrap();
    let customer = Customer::merge(None, update, NOW).unwrap().unwrap();
    hold(Root::Customer, &contracts::customer::show(&customer));
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_an_order_and_its_lines() {
    let shown = crate::shown::order(&order(), &dictionary());
    hold(Root::Order, &shown);
    hold(Root::Line, &shown["lines"][0]);
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_a_product() {
    let body = json!({
        "name": "Mug", "url": "https://example.com/p", "image": "https://example.com/p.png", "price": "9.95",
        "old_price": "12", "currency": "EUR", "categories": ["mugs"], "brand": "B", "stock": 3, "available": true,
        "fields": own(), "source": "online_store", "updated_at": NOW,
    });
    let update = contracts::product::read(ProductId::parse("p").unwrap(), &body, true, NOW).unwrap();
    let product = Product::merge(None, update, NOW).unwrap().unwrap();
    hold(Root::Product, &contracts::product::show(&product));
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_an_event() {
    let body = json!({
        "id": "e", "customer_id": "c", "name": "product_viewed", "kind": "web_event", "at": NOW,
        "source": "online_store", "session_id": "s", "context": {"product_id": "p", "colour": {"name": "red"}},
    });
    let event = contracts::event::read(&body, NOW).unwrap().event;
    hold(Root::Event, &contracts::event::show(&event));
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_containers_and_items() {
    let code = Code::parse("cart").unwrap();
    let item = json!({
        "product_id": "p", "quantity": 2, "price": "9.95", "name": "Mug", "url": "https://example.com/p",
        "image": "https://example.com/p.png", "fields": {"colour": "red"},
    });
    let body = json!({"id": "1", "op": "add", "at": NOW, "items": [item]});
    let customer = CustomerId::parse("c").unwrap();
    let operation = contracts::container::read(customer, code.clone(), &body, NOW).unwrap();
    let said = &operation.items[0];
    let item = Item::after(None, &operation, said, None).unwrap();
    let mut known = KnownContainer::default();
    known.items.insert("p".into(), Versioned { value: item, version: 1 });
    let mut facts = conditions::Facts::default();
    crate::shown::container(&code, &known, &mut facts);
    hold(Root::Container, &facts.containers[0]);
    hold(Root::Item, &facts.items[0]);
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_a_message() {
    let change = Change::OrderCreated { order_id: OrderId::parse("o").unwrap() };
    let campaign = Origin::Campaign {
        campaign_id: CampaignId::parse("c").unwrap(),
        version: 1,
        run_id: domain::RunId::parse("r").unwrap(),
        step: 0,
        change,
        caused_at: NOW,
    };
    let mailing = Origin::Mailing { mailing_id: domain::MailingId::parse("m").unwrap(), version: 1 };
    for origin in [campaign, mailing] {
        let message = Message {
            id: MessageId::parse("m").unwrap(),
            customer_id: CustomerId::parse("c").unwrap(),
            origin,
            purpose: Purpose::Marketing,
            terms: domain::message::Terms::default(),
            template_id: TemplateId::parse("t").unwrap(),
            template_version: 1,
            created_at: NOW,
        };
        let evidence = Evidence::ALL.map(|kind| (kind.attribute(), NOW)).to_vec();
        let entry = |state, reason| Entry {
            message: message.clone(),
            scrubbed: false,
            state,
            reason,
            detail: None,
            claimed_at: Some(NOW),
            settled_at: Some(NOW),
            put_off: None,
            waited_at: None,
            ses_id: None,
            evidence: evidence.clone(),
        };
        let settled = |state| crate::shown::message(&entry(state, None));
        State::ALL.into_iter().for_each(|state| hold(Root::Message, &settled(state)));
        let refused = |reason| crate::shown::message(&entry(State::NotSent, Some(reason)));
        Reason::ALL.into_iter().for_each(|reason| hold(Root::Message, &refused(reason)));
    }
}

/// Of an order whose lines were of other quantities and prices: one came, one went.
fn lines_changed() -> Change {
    let new = order();
    let mut old = new.clone();
    let line = &mut old.content.lines[0];
    line.quantity = domain::Amount::ONE;
    let gone = domain::Line { id: "2".into(), ..line.clone() };
    old.content.lines.push(gone);
    let (lines, count) = LineChange::between(&old.content, &new.content);
    assert_eq!(count, 2);
    Change::OrderLinesChanged { order_id: new.id.clone(), at: NOW, lines, count }
}

#[test]
fn a_condition_may_ask_about_all_that_is_shown_of_a_change() {
    let (order_id, at) = (OrderId::parse("o").unwrap(), NOW);
    let code = |text: &str| Code::parse(text).unwrap();
    let (from, to) = (Some(code("received")), code("shipped"));
    let amount = |text| domain::Amount::parse(text).ok();
    let mut changes = vec![
        Change::OrderCreated { order_id: order_id.clone() },
        Change::OrderLineStatusChanged {
            order_id: order_id.clone(),
            line_id: "1".into(),
            from: from.clone(),
            to: to.clone(),
            at,
            nth: 1,
        },
        lines_changed(),
        Change::ConsentRequested { categories: Vec::new(), at },
        Change::SegmentEntered { segment: code("loyal"), at },
        Change::SegmentLeft { segment: code("loyal"), at },
    ];
    changes.extend(StatusSet::ALL.map(|set| {
        let (order_id, from, to) = (order_id.clone(), from.clone(), to.clone());
        Change::OrderStatusChanged { order_id, set, from, to, at, nth: 1 }
    }));
    changes.extend(ContainerChange::ALL.map(|what| {
        let (container, product_id) = (code("cart"), Some("p".to_owned()));
        Change::ContainerChanged { container, what, product_id, at }
    }));
    changes.extend([EventKind::WebEvent, EventKind::Event, EventKind::System].map(|kind| {
        let (event_id, name) = (EventId::parse("e").unwrap(), code("viewed"));
        Change::EventReceived { event_id, name, kind }
    }));
    changes.extend(ProductNews::ALL.map(|what| {
        let product_id = ProductId::parse("p").unwrap();
        Change::ProductChanged { product_id, what, from: amount("9.95"), to: amount("5"), at }
    }));
    let schema = schema(&dictionary());
    for change in changes {
        let mut shown: Map<String, Value> = contracts::facts::of(None, None, None, None, Some(&change));
        every("change".into(), &shown.remove("change").unwrap(), &mut |path, value| {
            let leaf = match value {
                Value::Array(items) if !items[0].is_object() => json!({ "field": path, "contains": items[0] }),
                Value::Array(_) | Value::Object(_) => json!({ "field": path, "set": true }),
                value => json!({ "field": path, "is": value }),
            };
            assert_eq!(faults(&schema, &leaf), [], "{leaf}");
        });
    }
    assert_eq!(faults(&schema, &json!({ "field": "change.what", "is": "item_add" })).len(), 1);
    for wrong in [
        json!({ "field": "change.lines.what", "contains": "item_added" }),
        json!({ "field": "change.lines.form.price", "contains": 5 }),
    ] {
        assert_eq!(faults(&schema, &wrong).len(), 1, "{wrong}");
    }
    for (category, wrong) in [("news", 0), ("new", 1)] {
        let leaf = json!({ "field": "change.categories", "contains": category });
        assert_eq!(faults(&schema, &leaf).len(), wrong, "{leaf}");
    }
}

#[test]
fn the_words_of_the_dictionary_are_known_and_others_are_not() {
    let schema = schema(&dictionary());
    for (leaf, place, nearest) in [
        (json!({ "field": "order.status.general", "is": "canceled" }), "/is", "\"cancelled\""),
        (json!({ "field": "order.status.delivery", "is": "paid" }), "/is", "\"shipped\""),
        (json!({ "field": "order.container", "is": "card" }), "/is", "\"cart\""),
        (json!({ "field": "customer.source", "in": ["online_store", "app"] }), "/in/1", "\"online_store\""),
        (json!({ "field": "customer.consent.email.state", "is": "given" }), "/is", "\"granted\""),
        (json!({ "field": "customer.consent.categories.news.state", "is": "yes" }), "/is", "\"granted\""),
        (
            json!({ "field": "customer.consent.categories.new.state", "is": "granted" }),
            "/field",
            "\"customer.consent.categories.news.state\"",
        ),
        (json!({ "field": "customer.text", "is": "a" }), "/field", "\"customer.fields.text\""),
        (json!({ "field": "order.lines.fields.txt", "contains": "a" }), "/field", "\"order.lines.fields.text\""),
        (json!({ "audience": "vip" }), "/audience", "no audiences yet"),
        (json!({ "count": "items", "where": { "field": "item.container", "is": "kart" } }), "/where/is", "\"cart\""),
        (json!({ "count": "messages", "where": { "field": "message.state", "is": "sent" } }), "/where/is", "\"SENT\""),
        (
            json!({ "count": "events", "where": { "all": [
                { "field": "event.name", "is": "product_viewed" },
                { "field": "event.context.product", "is": "p" },
            ] } }),
            "/where/all/1/field",
            "\"event.context.product_id\"",
        ),
    ] {
        let found = faults(&schema, &leaf);
        assert!(found.len() == 1 && found[0].pointer == place, "{leaf}: {found:?}");
        assert!(found[0].message.contains(nearest), "{leaf}: {found:?}");
    }
}
