//! The tree.

use jiff::SignedDuration;
use regex_lite::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};
use serde_json::Value;

use crate::field::{Collection, Field, Root, Scope};
use crate::value::Scalar;

/// A condition that is known to be sound. Made by [`Condition::parse`]; serialised, it is
/// the JSON it was parsed from. Deserialised, it may use everything in [`Scope::ALL`].
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(crate) Node);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// One test of one field.
    Field(Field, Test),
    /// One test of what several things come to.
    Aggregate(Box<Aggregate>),
    /// Whether the customer is in an audience.
    Audience(String),
    /// Whether the customer meets the condition of a segment.
    Segment(String),
}

/// What several things come to, and the test that it is put to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Aggregate {
    pub(crate) function: Function,
    pub(crate) over: Collection,
    /// The field of each thing that is counted with; none for counting the things.
    pub(crate) field: Option<Field>,
    /// Which things.
    pub(crate) filter: Option<Node>,
    /// Things of which time.
    pub(crate) window: Option<Window>,
    pub(crate) test: Test,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Count,
    Distinct,
    Sum,
    Average,
    Min,
    Max,
    First,
    Last,
}

impl Function {
    pub(crate) const ALL: [Self; 8] =
        [Self::Count, Self::Distinct, Self::Sum, Self::Average, Self::Min, Self::Max, Self::First, Self::Last];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Distinct => "distinct",
            Self::Sum => "sum",
            Self::Average => "average",
            Self::Min => "min",
            Self::Max => "max",
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Window {
    /// The last so much, up to now.
    Last(Length),
    /// From one moment on, up to another and without it.
    Between { from: Option<Operand>, to: Option<Operand> },
    /// Since the first or last thing of some kind, and without it. Nothing is since
    /// what never was.
    Since(Box<Since>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Since {
    /// The first or the last of them.
    pub(crate) first: bool,
    pub(crate) over: Collection,
    pub(crate) filter: Option<Node>,
}

/// What a value is held against.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Is(Operand),
    IsNot(Operand),
    In(Vec<Operand>),
    Contains(Operand),
    StartsWith(String),
    EndsWith(String),
    Matches(Regex),
    Order(Order, Operand),
    Between(Operand, Operand),
    /// The yearly return of a date lies within so many days of today.
    Anniversary(Anniversary),
    Set(bool),
}

impl PartialEq for Test {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Is(a), Self::Is(b)) | (Self::IsNot(a), Self::IsNot(b)) | (Self::Contains(a), Self::Contains(b)) => {
                a == b
            }
            (Self::In(a), Self::In(b)) => a == b,
            (Self::StartsWith(a), Self::StartsWith(b)) | (Self::EndsWith(a), Self::EndsWith(b)) => a == b,
            (Self::Matches(a), Self::Matches(b)) => a.as_str() == b.as_str(),
            (Self::Order(a, x), Self::Order(b, y)) => (a, x) == (b, y),
            (Self::Between(a, x), Self::Between(b, y)) => (a, x) == (b, y),
            (Self::Anniversary(a), Self::Anniversary(b)) => a == b,
            (Self::Set(a), Self::Set(b)) => a == b,
            _ => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    MoreThan,
    AtLeast,
    LessThan,
    AtMost,
}

impl Order {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Order::MoreThan => "more_than",
            Order::AtLeast => "at_least",
            Order::LessThan => "less_than",
            Order::AtMost => "at_most",
        }
    }

    pub(crate) const fn holds(self, found: std::cmp::Ordering) -> bool {
        match self {
            Order::MoreThan => found.is_gt(),
            Order::AtLeast => found.is_ge(),
            Order::LessThan => found.is_lt(),
            Order::AtMost => found.is_le(),
        }
    }
}

/// Days before and after today, by the calendar of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anniversary {
    pub(crate) from: i32,
    pub(crate) to: i32,
    pub(crate) zone: Zone,
}

/// Whose calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Zone {
    #[default]
    Shop,
    /// The customer's; the shop's, if theirs is not known.
    Customer,
}

/// A value of the condition itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// The same for ever.
    Fixed(Value, Scalar),
    /// A moment that moves with the clock.
    Moving(Moving),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Moving {
    /// So long ago.
    Ago(Length),
    /// So far ahead.
    Ahead(Length),
    /// The start of this day, week, month or year, or of one so many before or after.
    Start { unit: Unit, offset: i32, zone: Zone },
}

/// A stretch of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    /// From Monday (ISO 8601).
    Week,
    Month,
    Year,
}

impl Unit {
    pub(crate) const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Year];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A length of time as it was written. A day is 24 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Length {
    pub(crate) text: String,
    pub(crate) length: SignedDuration,
}

impl Condition {
    /// The segments that it names, each once.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.0.visit(&mut |node| {
            if let Node::Segment(code) = node
                && !found.contains(&code.as_str())
            {
                found.push(code.as_str());
            }
        });
        found
    }

    /// Segments outside of which it holds for nobody: one that it names, or that are
    /// among those of which it asks for `all`.
    #[must_use]
    pub fn within(&self) -> Vec<&str> {
        fn of(node: &Node) -> Vec<&str> {
            match node {
                Node::Segment(code) => vec![code],
                Node::All(nodes) => nodes.iter().flat_map(of).collect(),
                _ => Vec::new(),
            }
        }
        of(&self.0)
    }

    /// The audiences that it names, each once.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.0.visit(&mut |node| {
            if let Node::Audience(code) = node
                && !found.contains(&code.as_str())
            {
                found.push(code.as_str());
            }
        });
        found
    }

    /// The fields that it asks for of what there is one of, the customer and what happened,
    /// each with its root; not those of things that are gone through.
    #[must_use]
    pub fn fields(&self) -> Vec<(Root, &str)> {
        fn of<'n>(node: &'n Node, found: &mut Vec<(Root, &'n str)>) {
            match node {
                Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| of(node, found)),
                Node::Not(node) => of(node, found),
                Node::Field(field, _) => found.push((field.root(), field.path())),
                Node::Aggregate(_) | Node::Audience(_) | Node::Segment(_) => {}
            }
        }
        let mut found = Vec::new();
        of(&self.0, &mut found);
        found
    }
}

impl Node {
    /// Shows every node of the tree, those in filters and windows included.
    pub(crate) fn visit<'n>(&'n self, show: &mut impl FnMut(&'n Node)) {
        show(self);
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().for_each(|node| node.visit(show)),
            Node::Not(node) => node.visit(show),
            Node::Aggregate(aggregate) => {
                aggregate.filter.iter().for_each(|node| node.visit(show));
                if let Some(Window::Since(since)) = &aggregate.window {
                    since.filter.iter().for_each(|node| node.visit(show));
                }
            }
            Node::Field(..) | Node::Audience(_) | Node::Segment(_) => {}
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Condition::parse(&value, &Scope::ALL)
            .map_err(|faults| D::Error::custom(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Node::All(nodes) => map.serialize_entry("all", nodes)?,
            Node::Any(nodes) => map.serialize_entry("any", nodes)?,
            Node::Not(node) => map.serialize_entry("not", node)?,
            Node::Audience(code) => map.serialize_entry("audience", code)?,
            Node::Segment(code) => map.serialize_entry("segment", code)?,
            Node::Field(field, test) => {
                map.serialize_entry("field", field.path())?;
                test.write(&mut map)?;
            }
            Node::Aggregate(aggregate) => {
                map.serialize_entry(aggregate.function.name(), &aggregate.subject())?;
                if let Some(filter) = &aggregate.filter {
                    map.serialize_entry("where", filter)?;
                }
                if let Some(window) = &aggregate.window {
                    map.serialize_entry("during", window)?;
                }
                aggregate.test.write(&mut map)?;
            }
        }
        map.end()
    }
}

impl Aggregate {
    /// What it is over, as it is written: `orders`, or `orders.total`.
    pub(crate) fn subject(&self) -> String {
        let rest = self.field.as_ref().and_then(|field| field.path().split_once('.')).map(|(_, rest)| rest);
        match rest {
            Some(rest) => format!("{}.{rest}", self.over.name()),
            None => self.over.name().to_owned(),
        }
    }
}

impl Test {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Test::Is(operand) => map.serialize_entry("is", operand),
            Test::IsNot(operand) => map.serialize_entry("is_not", operand),
            Test::In(operands) => map.serialize_entry("in", operands),
            Test::Contains(operand) => map.serialize_entry("contains", operand),
            Test::StartsWith(prefix) => map.serialize_entry("starts_with", prefix),
            Test::EndsWith(suffix) => map.serialize_entry("ends_with", suffix),
            Test::Matches(pattern) => map.serialize_entry("matches", pattern.as_str()),
            Test::Order(order, operand) => map.serialize_entry(order.name(), operand),
            Test::Between(from, to) => map.serialize_entry("between", &[from, to]),
            Test::Anniversary(anniversary) => map.serialize_entry("anniversary", anniversary),
            Test::Set(set) => map.serialize_entry("set", set),
        }
    }
}

impl Serialize for Operand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moving = match self {
            Operand::Fixed(value, _) => return value.serialize(serializer),
            Operand::Moving(moving) => moving,
        };
        let mut map = serializer.serialize_map(None)?;
        match moving {
            Moving::Ago(length) => map.serialize_entry("ago", &length.text)?,
            Moving::Ahead(length) => map.serialize_entry("ahead", &length.text)?,
            Moving::Start { unit, offset, zone } => {
                map.serialize_entry("start_of", unit.name())?;
                if *offset != 0 {
                    map.serialize_entry("offset", offset)?;
                }
                zone.write(&mut map)?;
            }
        }
        map.end()
    }
}

impl Zone {
    fn write<M: SerializeMap>(self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Zone::Shop => Ok(()),
            Zone::Customer => map.serialize_entry("zone", "customer"),
        }
    }
}

impl Serialize for Anniversary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("from_day", &self.from)?;
        map.serialize_entry("to_day", &self.to)?;
        self.zone.write(&mut map)?;
        map.end()
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Window::Last(length) => map.serialize_entry("last", &length.text)?,
            Window::Between { from, to } => {
                if let Some(from) = from {
                    map.serialize_entry("from", from)?;
                }
                if let Some(to) = to {
                    map.serialize_entry("to", to)?;
                }
            }
            Window::Since(since) => map.serialize_entry("since", since)?,
        }
        map.end()
    }
}

impl Serialize for Since {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(if self.first { "first" } else { "last" }, self.over.name())?;
        if let Some(filter) = &self.filter {
            map.serialize_entry("where", filter)?;
        }
        map.end()
    }
}
