//! Conditions and reasons in plain English.

use std::fmt;

use serde_json::Value;

use crate::condition::{
    Aggregate, Anniversary, Condition, Function, Moving, Node, Operand, Order, Since, Test, Window, Zone,
};
use crate::field::Collection;
use crate::{Decided, Why};

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
            Node::Field(field, test) => write!(f, "{field} {test}"),
            Node::Audience(code) => write!(f, "the customer is in the audience {code}"),
            Node::Segment(code) => write!(f, "the customer is in the segment {code}"),
            Node::Aggregate(aggregate) => write!(f, "{aggregate}"),
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

/// `the number of orders in the last 30 days where order total is at least 50 is at least 3`
impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = Things(self.over);
        match (self.function, &self.field) {
            (Function::Count, _) | (_, None) => write!(f, "the number of {over}")?,
            (function, Some(field)) => {
                let says = match function {
                    Function::Distinct => "the number of different values of",
                    Function::Sum => "the sum of",
                    Function::Average => "the average of",
                    Function::Min => "the least",
                    Function::Max => "the greatest",
                    Function::First => "the first",
                    Function::Last | Function::Count => "the last",
                };
                write!(f, "{says} {} of {over}", words(field.rest()))?;
            }
        }
        if let Some(window) = &self.window {
            write!(f, " {window}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " where ({filter})")?;
        }
        write!(f, " {}", self.test)
    }
}

struct Things(Collection);

impl fmt::Display for Things {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Collection::Orders => "orders",
            Collection::Lines => "order lines",
            Collection::Events => "events",
            Collection::Items => "items in containers",
            Collection::Containers => "containers",
            Collection::Messages => "messages",
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Last(length) => write!(f, "in the last {length}"),
            Window::Between { from: Some(from), to: Some(to) } => write!(f, "from {from} until {to}"),
            Window::Between { from: Some(from), to: None } => write!(f, "from {from} on"),
            Window::Between { from: None, to: Some(to) } => write!(f, "before {to}"),
            Window::Between { from: None, to: None } => f.write_str("ever"),
            Window::Since(since) => write!(f, "{since}"),
        }
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = if self.first { "first" } else { "last" };
        write!(f, "since the {which} of the {}", Things(self.over))?;
        match &self.filter {
            Some(filter) => write!(f, " where ({filter})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for crate::condition::Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.length.as_secs();
        let mut parts = Vec::new();
        for (seconds, unit) in [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")] {
            let count = left / seconds;
            left %= seconds;
            if count > 0 {
                parts.push(counted(count, unit));
            }
        }
        if parts.is_empty() || self.length.subsec_nanos() != 0 {
            return f.write_str(&self.text);
        }
        f.write_str(&parts.join(" and "))
    }
}

fn counted(count: i64, unit: &str) -> String {
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Is(operand) => write!(f, "is {operand}"),
            Test::IsNot(operand) => write!(f, "is not {operand}"),
            Test::In(operands) => {
                f.write_str("is one of ")?;
                for (index, operand) in operands.iter().enumerate() {
                    write!(f, "{}{operand}", if index > 0 { ", " } else { "" })?;
                }
                Ok(())
            }
            Test::Contains(operand) => write!(f, "contains {operand}"),
            Test::StartsWith(prefix) => write!(f, "starts with {prefix}"),
            Test::EndsWith(suffix) => write!(f, "ends with {suffix}"),
            Test::Matches(pattern) => write!(f, "matches {}", pattern.as_str()),
            Test::Order(order, Operand::Moving(moving)) => write!(
                f,
                "is {} {moving}",
                match order {
                    Order::MoreThan => "after",
                    Order::AtLeast => "at or after",
                    Order::LessThan => "before",
                    Order::AtMost => "at or before",
                }
            ),
            Test::Order(order, operand) => write!(
                f,
                "is {} {operand}",
                match order {
                    Order::MoreThan => "more than",
                    Order::AtLeast => "at least",
                    Order::LessThan => "less than",
                    Order::AtMost => "at most",
                }
            ),
            Test::Between(from, to) => write!(f, "is between {from} and {to}"),
            Test::Anniversary(anniversary) => write!(f, "{anniversary}"),
            Test::Set(true) => f.write_str("is set"),
            Test::Set(false) => f.write_str("is not set"),
        }
    }
}

impl fmt::Display for Anniversary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: i32| match day {
            0 => "today".to_owned(),
            day if day < 0 => format!("{} ago", counted(i64::from(-day), "day")),
            day => format!("in {}", counted(i64::from(day), "day")),
        };
        if self.from == self.to {
            write!(f, "has its anniversary {}", day(self.from))?;
        } else {
            write!(f, "has its anniversary between {} and {}", day(self.from), day(self.to))?;
        }
        write!(f, "{}", self.zone)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Zone::Shop => Ok(()),
            Zone::Customer => f.write_str(" in the customer's time zone"),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Fixed(value, _) => write_value(f, value),
            Operand::Moving(moving) => write!(f, "{moving}"),
        }
    }
}

impl fmt::Display for Moving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moving::Ago(length) => write!(f, "{length} ago"),
            Moving::Ahead(length) => write!(f, "{length} from now"),
            Moving::Start { unit, offset, zone } => {
                let name = unit.name();
                match offset {
                    0 => write!(f, "the start of this {name}")?,
                    -1 => write!(f, "the start of the {name} before")?,
                    1 => write!(f, "the start of the {name} after")?,
                    offset if *offset < 0 => {
                        write!(f, "the start of the {name} {} ago", counted(i64::from(-offset), name))?
                    }
                    offset => write!(f, "the start of the {name} in {}", counted(i64::from(*offset), name))?,
                }
                write!(f, "{zone}")
            }
        }
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

fn words(path: &str) -> String {
    path.replace(['.', '_'], " ")
}

fn write_value(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::String(text) => f.write_str(text),
        other => write!(f, "{other}"),
    }
}
