//! The shop's own words: fields, statuses, kinds of event, sources, containers,
//! audiences, mailing categories and settings.
//!
//! Whatever is not defined is taken all the same, so a dictionary can be written
//! after the fact. What is defined is held to its definition.

mod field;
mod seen;
mod system;
mod word;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use field::{FieldDefinition, FieldType, Limits, Object};
pub use seen::{SeenEvent, json_type};
pub use system::is_system;
pub use word::{
    Audience, Container, EventType, MailingCategory, OrderStatus, QuietHours, Secret, Settings, ShopCap, Source,
    Webhook, WebhookKind, Word, WordKind,
};

use crate::{Fault, StatusSet};

/// All words that hold, in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Dictionary {
    words: BTreeMap<WordKind, BTreeMap<String, Word>>,
    /// The shop's own fields, of which every body is asked.
    custom: BTreeMap<Object, BTreeMap<String, FieldDefinition>>,
    settings: Settings,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self::new([])
    }
}

impl Dictionary {
    /// The container that orders empty unless they name another.
    pub const CART: &str = "cart";

    /// The dictionary of a shop that has defined these words, each by its id;
    /// `None` is one that was deleted. The words that are always there need not be
    /// among them.
    #[must_use]
    pub fn new(defined: impl IntoIterator<Item = (String, Option<Word>)>) -> Self {
        let (always, until_deleted) = system::words();
        let mut dictionary = Self { words: BTreeMap::new(), custom: BTreeMap::new(), settings: Settings::default() };
        always.into_iter().chain(until_deleted).for_each(|word| dictionary.put(word));
        for (id, word) in defined {
            match (word, WordKind::of_id(&id)) {
                (Some(word), _) => dictionary.put(word),
                (None, Some((kind, code))) if !system::is_system(kind, code) => {
                    dictionary.words.entry(kind).or_default().remove(code);
                }
                (None, _) => {}
            }
        }
        dictionary
    }

    fn put(&mut self, word: Word) {
        match &word {
            Word::Settings(settings) => self.settings = settings.clone(),
            Word::Field(field) if !system::has_field(field.object, field.name.as_str()) => {
                self.custom.entry(field.object).or_default().insert(field.name.to_string(), field.clone());
            }
            _ => {}
        }
        self.words.entry(word.kind()).or_default().insert(word.code(), word);
    }

    /// The word of this kind with this code.
    #[must_use]
    pub fn get(&self, kind: WordKind, code: &str) -> Option<&Word> {
        self.words.get(&kind)?.get(code)
    }

    /// The words of a kind, by code.
    pub fn of(&self, kind: WordKind) -> impl Iterator<Item = &Word> {
        self.words.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// A status of orders.
    #[must_use]
    pub fn status(&self, set: StatusSet, code: &str) -> Option<&OrderStatus> {
        match self.get(WordKind::Status, &format!("{set}.{code}"))? {
            Word::Status(status) => Some(status),
            _ => None,
        }
    }

    /// A kind of event by the event's name.
    #[must_use]
    pub fn event_type(&self, name: &str) -> Option<&EventType> {
        match self.get(WordKind::EventType, name)? {
            Word::EventType(event) => Some(event),
            _ => None,
        }
    }

    /// A source.
    #[must_use]
    pub fn source(&self, code: &str) -> Option<&Source> {
        match self.get(WordKind::Source, code)? {
            Word::Source(source) => Some(source),
            _ => None,
        }
    }

    /// A container.
    #[must_use]
    pub fn container(&self, code: &str) -> Option<&Container> {
        match self.get(WordKind::Container, code)? {
            Word::Container(container) => Some(container),
            _ => None,
        }
    }

    /// An audience.
    #[must_use]
    pub fn audience(&self, code: &str) -> Option<&Audience> {
        match self.get(WordKind::Audience, code)? {
            Word::Audience(audience) => Some(audience),
            _ => None,
        }
    }

    /// A mailing category.
    #[must_use]
    pub fn mailing_category(&self, code: &str) -> Option<&MailingCategory> {
        match self.get(WordKind::MailingCategory, code)? {
            Word::MailingCategory(category) => Some(category),
            _ => None,
        }
    }

    /// What holds for the whole shop.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One of the shop's own fields.
    #[must_use]
    pub fn field(&self, object: Object, name: &str) -> Option<&FieldDefinition> {
        self.custom.get(&object)?.get(name)
    }

    /// Whether a field of this name cannot be defined, since bodies of the API
    /// mean something else by it. The names of system fields are not among these.
    #[must_use]
    pub fn is_taken(name: &str) -> bool {
        system::is_taken(name)
    }

    /// Moves what stands at the top of a body, or of an order's lines, but is one
    /// of the shop's own fields, into `fields`. What stands in both places stays,
    /// for the reader of the body to refuse.
    pub fn adopt(&self, object: Object, body: &mut Value) {
        self.adopted(object, "", body);
    }

    /// What is wrong with an object's `fields`, each with its place under
    /// `/fields`. A field that is not defined may be anything.
    #[must_use]
    pub fn check_fields(&self, object: Object, fields: &Map<String, Value>) -> Vec<Fault> {
        self.canonical(object, &mut fields.clone(), |name| format!("/fields/{}", escaped(name)))
    }

    /// [`Self::adopt`], and holds the body, and an order's lines, to the
    /// definitions: every defined field is put into the one form in which it is
    /// kept. What is wrong is named by where the caller wrote it. `null` is left as
    /// it is, since it removes a field in some bodies.
    #[must_use]
    pub fn check_body(&self, object: Object, body: &mut Value) -> Vec<Fault> {
        self.adopted(object, "", body)
    }

    fn adopted(&self, object: Object, at: &str, body: &mut Value) -> Vec<Fault> {
        let Some(body) = body.as_object_mut() else { return Vec::new() };
        let mut faults = Vec::new();
        if let Some(custom) = self.custom.get(&object) {
            let moved = move_in(custom, body);
            if let Some(fields) = body.get_mut("fields").and_then(Value::as_object_mut) {
                faults.extend(self.canonical(object, fields, |name| {
                    let within = if moved.iter().any(|known| known == name) { "" } else { "/fields" };
                    format!("{at}{within}/{}", escaped(name))
                }));
            }
        }
        if object == Object::Order
            && let Some(lines) = body.get_mut("lines").and_then(Value::as_array_mut)
        {
            for (index, line) in lines.iter_mut().enumerate() {
                faults.extend(self.adopted(Object::OrderLine, &format!("{at}/lines/{index}"), line));
            }
        }
        faults
    }

    fn canonical(&self, object: Object, fields: &mut Map<String, Value>, place: impl Fn(&str) -> String) -> Vec<Fault> {
        let mut faults = Vec::new();
        let Some(custom) = self.custom.get(&object) else { return faults };
        for (name, value) in fields.iter_mut().filter(|(_, value)| !value.is_null()) {
            match custom.get(name).map(|field| field.check(value)) {
                Some(Ok(checked)) => *value = checked,
                Some(Err(detail)) => faults.push(Fault::new(place(name), detail)),
                None => {}
            }
        }
        faults
    }
}

/// Moves the defined names of an object into its `fields`, and says which.
fn move_in(custom: &BTreeMap<String, FieldDefinition>, body: &mut Map<String, Value>) -> Vec<String> {
    let inside =
        |body: &Map<String, Value>, name: &str| body.get("fields").and_then(|fields| fields.get(name)).is_some();
    let names = body.keys().filter(|name| custom.contains_key(*name) && !inside(body, name));
    let names: Vec<String> = names.cloned().collect();
    if names.is_empty() || body.get("fields").is_some_and(|fields| !fields.is_object() && !fields.is_null()) {
        return Vec::new();
    }
    let mut fields = match body.remove("fields") {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    for name in &names {
        if let Some(value) = body.remove(name) {
            fields.insert(name.clone(), value);
        }
    }
    body.insert("fields".into(), Value::Object(fields));
    names
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests;
