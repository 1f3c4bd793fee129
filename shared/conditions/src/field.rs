//! Which value a leaf is about.

use std::fmt;

use serde_json::Value;

use crate::value::Cell;

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Root {
    /// The customer's profile; always there.
    Customer,
    /// The order that something happened to; of a thing that is gone through, that order.
    Order,
    /// The event that happened, or the one that is looked at.
    Event,
    /// The product that something happened to.
    Product,
    /// What changed.
    Change,
    /// The line of an order that is looked at.
    Line,
    /// The item of a container that is looked at.
    Item,
    /// The container that is looked at.
    Container,
    /// The message that is looked at.
    Message,
}

impl Root {
    /// Every root of which there is one, and not one of each thing that is gone through.
    pub const SINGLE: &[Root] = &[Root::Customer, Root::Order, Root::Event, Root::Product, Root::Change];

    /// Its name in a path.
    pub const fn name(self) -> &'static str {
        match self {
            Root::Customer => "customer",
            Root::Order => "order",
            Root::Event => "event",
            Root::Product => "product",
            Root::Change => "change",
            Root::Line => "line",
            Root::Item => "item",
            Root::Container => "container",
            Root::Message => "message",
        }
    }
}

/// What a customer has several of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Collection {
    /// Orders, by when they were placed.
    Orders,
    /// The lines of all orders, by when the order was placed.
    Lines,
    /// Events, by when they happened.
    Events,
    /// What is in containers now, by since when.
    Items,
    /// Containers, by when they changed last.
    Containers,
    /// Messages, by when they were decided on.
    Messages,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Orders, Self::Lines, Self::Events, Self::Items, Self::Containers, Self::Messages];

    /// Its name in a condition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Lines => "lines",
            Self::Events => "events",
            Self::Items => "items",
            Self::Containers => "containers",
            Self::Messages => "messages",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|collection| collection.name() == name)
    }

    /// What one of its things is called in a path.
    #[must_use]
    pub const fn root(self) -> Root {
        match self {
            Self::Orders => Root::Order,
            Self::Lines => Root::Line,
            Self::Events => Root::Event,
            Self::Items => Root::Item,
            Self::Containers => Root::Container,
            Self::Messages => Root::Message,
        }
    }

    /// The roots that a filter over its things may name.
    pub(crate) const fn roots(self) -> &'static [Root] {
        match self {
            Self::Orders => &[Root::Order],
            Self::Lines => &[Root::Line, Root::Order],
            Self::Events => &[Root::Event],
            Self::Items => &[Root::Item],
            Self::Containers => &[Root::Container],
            Self::Messages => &[Root::Message],
        }
    }

    /// The field by whose time its things are ordered. Lines have their order's.
    pub(crate) const fn time(self) -> &'static str {
        match self {
            Self::Orders | Self::Lines | Self::Messages => "created_at",
            Self::Events => "at",
            Self::Items => "since",
            Self::Containers => "changed_at",
        }
    }
}

/// What a condition may ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope<'s> {
    /// Where its paths may begin.
    pub roots: &'s [Root],
    /// Whether it may ask about all that the customer did and has: aggregates,
    /// audiences and segments.
    pub history: bool,
}

impl Scope<'static> {
    /// Everything.
    pub const ALL: Self = Self { roots: Root::SINGLE, history: true };

    /// What a segment may ask about: the customer and all that they did and have.
    pub const SEGMENT: Self = Self { roots: &[Root::Customer], history: true };
}

impl<'s> Scope<'s> {
    /// These alone.
    #[must_use]
    pub const fn of(roots: &'s [Root]) -> Self {
        Self { roots, history: false }
    }

    /// These, and all that the customer did and has.
    #[must_use]
    pub const fn with_history(roots: &'s [Root]) -> Self {
        Self { roots, history: true }
    }
}

/// A dotted path: a root and at least one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    path: String,
    root: Root,
}

impl Field {
    pub(crate) fn parse(path: &str, roots: &[Root]) -> Result<Field, String> {
        const MOST: usize = 256;
        if path.len() > MOST {
            return Err(format!("a field is at most {MOST} bytes long"));
        }
        let names = || roots.iter().map(|root| root.name()).collect::<Vec<_>>().join(", ");
        let (root, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some(known) = roots.iter().find(|known| known.name() == root) else {
            return Err(format!("a field begins with one of {} here, not with {root:?}", names()));
        };
        if rest.split('.').any(|name| name.trim().is_empty()) {
            return Err(format!("{path:?} lacks a name: write {root}.something"));
        }
        Ok(Field { path: path.to_owned(), root: *known })
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn root(&self) -> Root {
        self.root
    }

    /// The path behind the root.
    pub(crate) fn rest(&self) -> &str {
        self.path.split_once('.').map_or("", |(_, rest)| rest)
    }
}

/// What an object has at a path.
pub(crate) fn cell_at(object: &Value, path: &str) -> Cell {
    let mut value = object;
    let mut rest = path;
    while !rest.is_empty() {
        let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
        match value {
            Value::Object(fields) => match fields.get(name) {
                Some(inner) => value = inner,
                None => return Cell::Nothing,
            },
            Value::Array(items) => {
                let mut found = Vec::new();
                gather(items, rest, &mut found);
                return Cell::many(found.iter().copied());
            }
            _ => return Cell::Nothing,
        }
        rest = tail;
    }
    match value {
        Value::Array(items) => Cell::many(items.iter()),
        value => Cell::of(value),
    }
}

/// Follows a path from each item. Lists in lists become one.
fn gather<'f>(items: &'f [Value], path: &str, found: &mut Vec<&'f Value>) {
    for item in items {
        let mut value = Some(item);
        let mut rest = path;
        while let (Some(Value::Object(fields)), false) = (value, rest.is_empty()) {
            let (name, tail) = rest.split_once('.').unwrap_or((rest, ""));
            value = fields.get(name);
            rest = tail;
        }
        match value {
            Some(Value::Array(inner)) => gather(inner, rest, found),
            Some(value) if rest.is_empty() && crate::value::is_there(value) => found.push(value),
            _ => {}
        }
    }
}

/// In words: `customer.first_name` is the customer first name.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.replace(['.', '_'], " "))
    }
}
