//! Conditions and reasons in plain English.

use std::fmt;

use serde_json::Value;

use crate::{
    Condition, Decided, Why,
    condition::{Leaf, Node, Operand, Order, Test},
};

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::All(nodes) if nodes.is_empty() => f.write_str("always"),
            Node::All(nodes) => join(f, nodes, " and "),
            Node::Any(nodes) => join(f, nodes, " or "),
            Node::Not(node) => write!(f, "not ({node})"),
            Node::Leaf(leaf) => write!(f, "{leaf}"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, nodes: &[Node], joint: &str) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(joint)?;
        }
        match node {
            Node::All(inner) | Node::Any(inner) if inner.len() > 1 && nodes.len() > 1 => write!(f, "({node})")?,
            node => write!(f, "{node}")?,
        }
    }
    Ok(())
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.test {
            Test::Is(operand) => write!(f, "{field} is {operand}"),
            Test::IsNot(operand) => write!(f, "{field} is not {operand}"),
            Test::In(operands) => {
                write!(f, "{field} is one of ")?;
                for (index, operand) in operands.iter().enumerate() {
                    write!(f, "{}{operand}", if index > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Test::Contains(operand) => write!(f, "{field} contains {operand}"),
            Test::StartsWith(prefix) => write!(f, "{field} starts with {prefix}"),
            Test::Order(order, operand) => write!(
                f,
                "{field} is {} {operand}",
                match order {
                    Order::MoreThan => "more than",
                    Order::AtLeast => "at least",
                    Order::LessThan => "less than",
                    Order::AtMost => "at most",
                }
            ),
            Test::Set(true) => write!(f, "{field} is set"),
            Test::Set(false) => write!(f, "{field} is not set"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_value(f, self.value())
    }
}

/// Each leaf that decided: `customer city is Riga: no, it is Rome; …`
impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.leaves.is_empty() {
            return f.write_str("always");
        }
        for (index, leaf) in self.leaves.iter().enumerate() {
            write!(f, "{}{leaf}", if index > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, ", self.leaf, if self.holds { "yes" } else { "no" })?;
        match &self.seen {
            None => f.write_str("it is not set"),
            Some(value) => {
                f.write_str("it is ")?;
                write_value(f, value)
            }
        }
    }
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::String(text) => f.write_str(text),
        other => write!(f, "{other}"),
    }
}
