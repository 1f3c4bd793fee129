//! The words that are there before anybody defines one.

use std::sync::LazyLock;

use super::{
    Container, Dictionary, EventType, FieldDefinition, FieldType, Limits, Object, OrderStatus, Settings, Source, Word,
    WordKind,
};
use crate::{Code, EventKind, StatusSet};

/// The code of the one [`Settings`].
pub(super) const SHOP: &str = "shop";

use FieldType::{Date, Datetime, Decimal, List, String as Text};

const FIELDS: [(Object, &[(&str, FieldType)]); 5] = [
    (
        Object::Customer,
        &[
            ("id", Text),
            ("email", Text),
            ("phone", Text),
            ("first_name", Text),
            ("last_name", Text),
            ("birthday", Date),
            ("gender", Text),
            ("city", Text),
            ("zip", Text),
            ("country", Text),
            ("language", Text),
            ("time_zone", Text),
            ("registered_at", Datetime),
            ("updated_at", Datetime),
            ("source", Text),
        ],
    ),
    (
        Object::Order,
        &[
            ("id", Text),
            ("customer_id", Text),
            ("currency", Text),
            ("total", Decimal),
            ("created_at", Datetime),
            ("updated_at", Datetime),
            ("source", Text),
            ("container", Text),
        ],
    ),
    (
        Object::OrderLine,
        &[
            ("id", Text),
            ("product_id", Text),
            ("name", Text),
            ("quantity", Decimal),
            ("price", Decimal),
            ("total", Decimal),
            ("discount", Decimal),
            ("weight", Decimal),
            ("bonus_accrued", Decimal),
            ("bonus_deducted", Decimal),
            ("money", Decimal),
            ("url", Text),
            ("image", Text),
            ("categories", List),
        ],
    ),
    (
        Object::Product,
        &[
            ("id", Text),
            ("name", Text),
            ("url", Text),
            ("image", Text),
            ("price", Decimal),
            ("old_price", Decimal),
            ("currency", Text),
            ("categories", List),
            ("brand", Text),
            ("stock", Decimal),
            ("updated_at", Datetime),
            ("source", Text),
        ],
    ),
    (
        Object::Category,
        &[
            ("id", Text),
            ("name", Text),
            ("parent", Text),
            ("url", Text),
            ("image", Text),
            ("updated_at", Datetime),
            ("source", Text),
        ],
    ),
];

/// Names that bodies use for more than one value. No field can be called so.
const TAKEN: [&str; 8] = ["fields", "consent", "amounts", "status", "delivery", "payment", "lines", "set"];

const STATUSES: [(StatusSet, &[&str]); 3] = [
    (StatusSet::General, &["received", "confirmed", "in_progress", "completed", "cancelled"]),
    (StatusSet::Delivery, &["assembling", "shipped", "at_pickup_point", "delivered"]),
    (StatusSet::Payment, &["invoice_issued", "awaiting_payment", "paid", "refunded"]),
];

/// Orders that came to nothing.
const NOT_IN_ANALYTICS: [&str; 2] = ["cancelled", "refunded"];

const EVENTS: [(&str, &[(&str, FieldType)]); 11] = [
    ("session_started", &[("url", Text)]),
    ("logged_in", &[]),
    ("registered", &[]),
    ("page_viewed", &[("url", Text), ("title", Text), ("path", Text)]),
    ("product_viewed", &[("product_id", Text), ("price", Decimal), ("url", Text)]),
    ("category_viewed", &[("category", Text), ("url", Text)]),
    ("searched", &[("query", Text)]),
    ("added_to_container", &[("container", Text), ("product_id", Text), ("quantity", Decimal), ("price", Decimal)]),
    ("removed_from_container", &[("container", Text), ("product_id", Text), ("quantity", Decimal)]),
    ("checkout_started", &[("products", List)]),
    ("order_completed", &[("order_id", Text), ("total", Decimal), ("currency", Text)]),
];

/// What becomes of our own messages, told by whoever delivers them.
const OF_MESSAGES: [(&str, &[&str]); 4] =
    [("message_opened", &[]), ("message_clicked", &["link"]), ("message_bounced", &[]), ("message_complained", &[])];

/// What is told of the message with each of them; of `campaign` and `mailing` one.
const OF_MESSAGE: [&str; 5] = ["message", "campaign", "mailing", "template", "category"];

/// Whether a name is used by the bodies of this object for something else than a
/// field, so that none can be defined by it.
#[must_use]
pub(super) fn is_taken(name: &str) -> bool {
    TAKEN.contains(&name)
}

/// Whether the word of this kind with this code is always there.
#[must_use]
pub fn is_system(kind: WordKind, code: &str) -> bool {
    static SYSTEM: LazyLock<Vec<Word>> = LazyLock::new(|| words().0);
    let named = |word: &Word| word.kind() == kind && word.code() == code;
    SYSTEM.iter().any(named)
}

/// A system field's name, if it is one.
pub(super) fn has_field(object: Object, name: &str) -> bool {
    FIELDS.iter().any(|(of, fields)| *of == object && fields.iter().any(|(known, _)| *known == name))
}

/// The words that are always there, and those that are there until they are
/// deleted.
pub(super) fn words() -> (Vec<Word>, Vec<Word>) {
    let mut always = vec![Word::Settings(Settings::default())];
    for (object, fields) in FIELDS {
        always.extend(fields.iter().filter_map(|(name, r#type)| {
            let field = FieldDefinition {
                object,
                name: code(name)?,
                label: spoken(name),
                r#type: *r#type,
                limits: Limits::default(),
            };
            Some(Word::Field(field))
        }));
    }
    for (set, statuses) in STATUSES {
        always.extend(statuses.iter().filter_map(|name| {
            let in_analytics = !NOT_IN_ANALYTICS.contains(name);
            Some(Word::Status(OrderStatus { set, code: code(name)?, name: spoken(name), in_analytics }))
        }));
    }
    always.extend(EVENTS.iter().filter_map(|(name, fields)| {
        let fields = fields.iter().map(|(name, r#type)| ((*name).to_owned(), *r#type)).collect();
        Some(Word::EventType(EventType { code: code(name)?, name: spoken(name), kind: EventKind::WebEvent, fields }))
    }));
    always.extend(OF_MESSAGES.iter().filter_map(|(name, more)| {
        let fields = OF_MESSAGE.iter().chain(*more).map(|name| ((*name).to_owned(), Text)).collect();
        Some(Word::EventType(EventType { code: code(name)?, name: spoken(name), kind: EventKind::Event, fields }))
    }));
    let source = |name| {
        Some(Word::Source(Source { code: code(name)?, name: spoken(name), domain: None, active: true, webhook: None }))
    };
    let container = |name| {
        Some(Word::Container(Container { code: code(name)?, name: spoken(name), idle_after: None, lifetime: None }))
    };
    always.extend(source("online_store"));
    always.extend(container(Dictionary::CART));
    (always, container("wishlist").into_iter().collect())
}

fn code(name: &str) -> Option<Code> {
    Code::parse(name).ok()
}

/// `first_name` as people say it: "First name".
fn spoken(name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|letter| if letter == '_' { ' ' } else { letter })).collect()
}
