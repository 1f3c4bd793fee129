//! The tree.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error, ser::SerializeMap};
use serde_json::Value;

use crate::{
    field::{Field, Root},
    value::Kind,
};

/// A condition that is known to be sound. Made by [`Condition::parse`]; serialised, it is
/// the JSON it was parsed from. Deserialised, it may use every [`Root`].
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(crate) Node);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Leaf(Leaf),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Leaf {
    pub(crate) field: Field,
    pub(crate) test: Test,
}

/// What a field's value is held against.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    Is(Operand),
    IsNot(Operand),
    In(Vec<Operand>),
    Contains(Operand),
    StartsWith(String),
    Order(Order, Operand),
    Set(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    MoreThan,
    AtLeast,
    LessThan,
    AtMost,
}

/// A value of the condition itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operand(Value);

impl Operand {
    /// `None` for what no value can be compared with.
    pub(crate) fn new(value: &Value) -> Option<Operand> {
        Kind::of(value).map(|_| Operand(value.clone()))
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0
    }

    pub(crate) fn kind(&self) -> Option<Kind<'_>> {
        Kind::of(&self.0)
    }
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
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Condition, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Condition::parse(&value, Root::ALL)
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
            Node::Leaf(Leaf { field, test }) => {
                map.serialize_entry("field", field.path())?;
                match test {
                    Test::Is(operand) => map.serialize_entry("is", operand.value())?,
                    Test::IsNot(operand) => map.serialize_entry("is_not", operand.value())?,
                    Test::In(operands) => {
                        map.serialize_entry("in", &operands.iter().map(Operand::value).collect::<Vec<_>>())?;
                    }
                    Test::Contains(operand) => map.serialize_entry("contains", operand.value())?,
                    Test::StartsWith(prefix) => map.serialize_entry("starts_with", prefix)?,
                    Test::Order(order, operand) => map.serialize_entry(order.name(), operand.value())?,
                    Test::Set(set) => map.serialize_entry("set", set)?,
                }
            }
        }
        map.end()
    }
}
