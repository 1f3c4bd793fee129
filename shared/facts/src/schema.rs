//! What the conditions of a shop may ask about.

use conditions::{Known, Root, Schema, Type};
use domain::dictionary::{Dictionary, FieldDefinition, FieldType, Object, Word, WordKind};
use domain::message::{Reason, State};
use domain::{ConsentState, ContainerChange, LineNews, ProductNews, StatusSet};
use store::Evidence;

use Type::{Anything, Boolean, Instant, Number, Text};

/// What is there besides the fields of the dictionary.
type Paths = &'static [(&'static str, Type)];

const ORDER: Paths = &[
    ("amounts.money", Number),
    ("amounts.bonus", Number),
    ("amounts.delivery", Number),
    ("amounts.discount", Number),
    ("delivery.type", Text),
    ("delivery.carrier", Text),
    // Some say a day, others "on Friday".
    ("delivery.date", Anything),
    ("delivery.note", Text),
    ("payment.type", Text),
    ("payment.provider", Text),
    ("in_analytics", Boolean),
];

const PRODUCT: Paths = &[("available", Boolean), ("in_stock", Boolean)];

const EVENT: Paths =
    &[("id", Text), ("customer_id", Text), ("name", Text), ("at", Instant), ("session_id", Text), ("source", Text)];

const ITEM: Paths = &[
    ("product_id", Text),
    ("name", Text),
    ("url", Text),
    ("image", Text),
    ("price", Number),
    ("quantity", Number),
    ("total", Number),
    ("since", Instant),
];

const CONTAINER: Paths = &[("changed_at", Instant), ("lines", Number), ("quantity", Number), ("total", Number)];

const MESSAGE: Paths = &[
    ("id", Text),
    ("created_at", Instant),
    ("template", Text),
    ("mailing", Text),
    ("campaign", Text),
    ("settled_at", Instant),
];

const CHANGE: Paths = &[
    ("order_id", Text),
    ("line_id", Text),
    ("product_id", Text),
    ("event_id", Text),
    ("name", Text),
    // Of a status a code, of a price or a stock a number.
    ("from", Anything),
    ("to", Anything),
    ("at", Instant),
    ("nth", Number),
    ("segment", Text),
    ("count", Number),
];

/// Of each line of an order that is not what it was.
const CHANGED_LINE: Paths = &[
    ("line_id", Text),
    ("product_id", Text),
    ("name", Text),
    ("from.quantity", Number),
    ("from.price", Number),
    ("from.total", Number),
    ("from.currency", Text),
    ("to.quantity", Number),
    ("to.price", Number),
    ("to.total", Number),
    ("to.currency", Text),
];

/// The kinds of event.
const EVENT_KINDS: [&str; 3] = ["web_event", "event", "system"];

/// The names of the changes.
const CHANGES: [&str; 10] = [
    "order_created",
    "order_status_changed",
    "order_line_status_changed",
    "order_lines_changed",
    "container_changed",
    "event_received",
    "consent_requested",
    "product_changed",
    "segment_entered",
    "segment_left",
];

/// What the conditions of a shop with this dictionary may ask about, and what the values
/// are.
#[must_use]
pub fn schema(dictionary: &Dictionary) -> Schema {
    let mut schema = Schema::new();
    for (root, paths) in [
        (Root::Order, ORDER),
        (Root::Product, PRODUCT),
        (Root::Event, EVENT),
        (Root::Item, ITEM),
        (Root::Container, CONTAINER),
        (Root::Message, MESSAGE),
        (Root::Change, CHANGE),
    ] {
        paths.iter().for_each(|(path, r#type)| schema.field(root, *path, Known::of(*r#type)));
    }
    for (object, root) in [
        (Object::Customer, Root::Customer),
        (Object::Order, Root::Order),
        (Object::OrderLine, Root::Line),
        (Object::Product, Root::Product),
    ] {
        schema.object(root, "fields");
        of_object(&mut schema, dictionary, object, |schema, path, known| schema.field(root, path, known));
    }
    for path in ["amounts", "status", "delivery", "payment", "lines.fields"] {
        schema.object(Root::Order, path);
    }
    // The lines of an order are a list, and so is what they have.
    of_object(&mut schema, dictionary, Object::OrderLine, |schema, path, known| {
        schema.field(Root::Order, format!("lines.{path}"), known.list());
    });
    for (root, path) in [(Root::Line, "status"), (Root::Order, "lines.status")] {
        let known = Known::of(Text);
        schema.field(root, path, if root == Root::Order { known.list() } else { known });
    }
    for (root, path) in [(Root::Order, "delivery.address"), (Root::Event, "context"), (Root::Item, "fields")] {
        schema.open(root, path);
    }

    let contacts = Known::of(Text).list().one_of(["email", "phone"]);
    schema.field(Root::Customer, "invalid", contacts);
    of_consents(&mut schema, dictionary);
    of_messages(&mut schema);
    let what = ContainerChange::ALL.map(ContainerChange::as_str).into_iter();
    let what = what.chain(ProductNews::ALL.map(ProductNews::as_str));
    schema.field(Root::Change, "what", Known::of(Text).one_of(what));
    for (path, r#type) in CHANGED_LINE {
        schema.field(Root::Change, format!("lines.{path}"), Known::of(*r#type).list());
    }
    let of_line = LineNews::ALL.map(LineNews::as_str);
    schema.field(Root::Change, "lines.what", Known::of(Text).list().one_of(of_line));
    schema.field(Root::Change, "type", Known::of(Text).one_of(CHANGES));
    schema.field(Root::Change, "set", Known::of(Text).one_of(StatusSet::ALL.map(StatusSet::as_str)));
    for root in [Root::Event, Root::Change] {
        schema.field(root, "kind", Known::of(Text).one_of(EVENT_KINDS));
    }
    of_words(&mut schema, dictionary);
    schema
}

/// What customers agreed to: to be written to at all, and to each mailing category that is
/// defined.
fn of_consents(schema: &mut Schema, dictionary: &Dictionary) {
    let categories: Vec<String> = dictionary.of(WordKind::MailingCategory).map(Word::code).collect();
    let within = categories.iter().map(|code| format!("consent.categories.{code}"));
    for path in within.chain(["consent.email".to_owned()]) {
        let states = ConsentState::ALL.map(ConsentState::as_str);
        schema.field(Root::Customer, format!("{path}.state"), Known::of(Text).one_of(states));
        schema.field(Root::Customer, format!("{path}.at"), Known::of(Instant));
    }
    let listed = Known::of(Text).list().one_of(categories);
    schema.field(Root::Change, "categories", listed);
}

fn of_messages(schema: &mut Schema) {
    let mut one_of = |path: &str, names: &[&str]| {
        schema.field(Root::Message, path, Known::of(Text).one_of(names.iter().copied()));
    };
    one_of("purpose", &["transactional", "marketing"]);
    one_of("state", &State::ALL.map(State::as_str));
    one_of("reason", &Reason::ALL.map(Reason::as_str));
    for kind in Evidence::ALL {
        schema.field(Root::Message, kind.attribute(), Known::of(Instant));
    }
}

/// The fields of an object: those that are always there by their name, the shop's own
/// under `fields`.
fn of_object(
    schema: &mut Schema,
    dictionary: &Dictionary,
    object: Object,
    mut put: impl FnMut(&mut Schema, String, Known),
) {
    for word in dictionary.of(WordKind::Field) {
        let Word::Field(field) = word else { continue };
        if field.object == object {
            let within = if dictionary.field(object, field.name.as_str()).is_some() { "fields." } else { "" };
            put(schema, format!("{within}{}", field.name), of_field(field));
        }
    }
}

fn of_field(field: &FieldDefinition) -> Known {
    let limits = &field.limits;
    of_type(field.r#type).one_of(limits.allowed.iter().cloned()).between(limits.min.clone(), limits.max.clone())
}

fn of_type(r#type: FieldType) -> Known {
    match r#type {
        FieldType::String => Known::of(Text),
        FieldType::Integer | FieldType::Decimal => Known::of(Number),
        FieldType::Boolean => Known::of(Boolean),
        FieldType::Date => Known::of(Type::Date),
        FieldType::Datetime => Known::of(Instant),
        FieldType::List => Known::of(Anything).list(),
    }
}

/// What the values of a field are is known where they are words of the dictionary.
fn of_words(schema: &mut Schema, dictionary: &Dictionary) {
    let codes = |kind: WordKind| dictionary.of(kind).map(Word::code).collect::<Vec<_>>();
    let one_of = |codes: &[String]| Known::of(Text).one_of(codes.iter().cloned());
    for set in StatusSet::ALL {
        let within = format!("{set}.");
        let statuses = codes(WordKind::Status);
        let statuses: Vec<String> =
            statuses.iter().filter_map(|code| code.strip_prefix(&within)).map(str::to_owned).collect();
        schema.field(Root::Order, format!("status.{set}"), one_of(&statuses));
    }
    let sources = one_of(&codes(WordKind::Source));
    for root in [Root::Customer, Root::Order, Root::Product, Root::Event] {
        schema.field(root, "source", sources.clone());
    }
    let containers = one_of(&codes(WordKind::Container));
    for (root, path) in
        [(Root::Order, "container"), (Root::Item, "container"), (Root::Container, "code"), (Root::Change, "container")]
    {
        schema.field(root, path, containers.clone());
    }
    let audiences = codes(WordKind::Audience);
    schema.audiences(audiences.iter().map(String::as_str));
    for word in dictionary.of(WordKind::EventType) {
        if let Word::EventType(event) = word {
            schema
                .event(event.code.as_str(), event.fields.iter().map(|(name, r#type)| (name.clone(), of_type(*r#type))));
        }
    }
}

#[cfg(test)]
mod tests;
