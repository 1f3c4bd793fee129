//! The verdict, and why.

use serde::Serialize;
use serde_json::Value;

use crate::{
    Condition,
    condition::{Leaf, Node, Operand, Order, Test},
    field::Seen,
    value::Kind,
};

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Verdict {
    /// Whether it holds.
    pub holds: bool,
    /// What decided it.
    pub why: Why,
}

/// The leaves that decided a verdict: of an `all` that fails, those that fail; of one
/// that holds, every leaf. Empty only for conditions that always hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Why {
    /// In the order of the condition.
    pub leaves: Vec<Decided>,
}

/// A leaf that decided. It carries the customer's data: for who may see that, not for logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Decided {
    /// The leaf in words.
    pub leaf: String,
    /// What the field was; `None` when there was nothing.
    pub seen: Option<Value>,
    /// Whether the leaf itself holds.
    pub holds: bool,
}

impl Condition {
    /// Whether the condition holds for the facts: an object with a field for each root. Stops at
    /// the first leaf that settles it and copies none of the facts.
    pub fn holds(&self, facts: &Value) -> bool {
        self.0.holds(facts)
    }

    /// Whether the condition holds, and which leaves made it so. Looks at every leaf.
    pub fn evaluate(&self, facts: &Value) -> Verdict {
        let mut leaves = Vec::new();
        let holds = self.0.explain(facts, &mut leaves);
        Verdict { holds, why: Why { leaves } }
    }
}

impl Node {
    fn holds(&self, facts: &Value) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.holds(facts)),
            Node::Any(nodes) => nodes.iter().any(|node| node.holds(facts)),
            Node::Not(node) => !node.holds(facts),
            Node::Leaf(leaf) => leaf.holds(leaf.field.seen(facts).as_ref()),
        }
    }

    /// Adds the leaves that decide to `decided`.
    fn explain(&self, facts: &Value, decided: &mut Vec<Decided>) -> bool {
        match self {
            Node::Not(node) => !node.explain(facts, decided),
            Node::Leaf(leaf) => {
                let seen = leaf.field.seen(facts);
                let holds = leaf.holds(seen.as_ref());
                decided.push(Decided { leaf: leaf.to_string(), seen: seen.map(|seen| seen.to_value()), holds });
                holds
            }
            // An `all` is settled by what fails, an `any` by what holds; else by everything.
            Node::All(nodes) => join(nodes, false, facts, decided),
            Node::Any(nodes) => join(nodes, true, facts, decided),
        }
    }
}

fn join(nodes: &[Node], settles: bool, facts: &Value, decided: &mut Vec<Decided>) -> bool {
    let start = decided.len();
    let mut settled = false;
    for node in nodes {
        let mark = decided.len();
        if node.explain(facts, decided) == settles {
            if !settled {
                settled = true;
                decided.drain(start..mark);
            }
        } else if settled {
            decided.truncate(mark);
        }
    }
    settled == settles
}

impl Leaf {
    fn holds(&self, seen: Option<&Seen<'_>>) -> bool {
        let Some(seen) = seen else {
            return matches!(self.test, Test::Set(false) | Test::IsNot(_));
        };
        match &self.test {
            Test::Set(set) => *set,
            Test::Is(operand) => seen.equals(operand),
            Test::IsNot(operand) => !seen.equals(operand),
            Test::In(operands) => operands.iter().any(|operand| seen.equals(operand)),
            Test::StartsWith(prefix) => seen.text().is_some_and(|text| text.starts_with(prefix.as_str())),
            Test::Contains(operand) => seen.contains(operand),
            Test::Order(order, operand) => seen.order(operand).is_some_and(|found| match order {
                Order::MoreThan => found.is_gt(),
                Order::AtLeast => found.is_ge(),
                Order::LessThan => found.is_lt(),
                Order::AtMost => found.is_le(),
            }),
        }
    }
}

impl Seen<'_> {
    fn order(&self, operand: &Operand) -> Option<std::cmp::Ordering> {
        match self {
            Seen::One(value) => Kind::of(value)?.order(operand.kind()?),
            Seen::Many(_) => None,
        }
    }

    fn equals(&self, operand: &Operand) -> bool {
        self.order(operand).is_some_and(std::cmp::Ordering::is_eq)
    }

    fn contains(&self, operand: &Operand) -> bool {
        match (self, operand.value()) {
            (Seen::Many(values), _) => {
                let Some(wanted) = operand.kind() else { return false };
                values.iter().any(|value| Kind::of(value).is_some_and(|kind| kind.equals(wanted)))
            }
            (Seen::One(_), Value::String(wanted)) => self.text().is_some_and(|text| text.contains(wanted.as_str())),
            (Seen::One(_), wanted) => self.text().is_some_and(|text| text.contains(&wanted.to_string())),
        }
    }
}
