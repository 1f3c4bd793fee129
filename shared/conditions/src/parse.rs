//! From JSON to a condition, with every fault at once.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    Condition,
    condition::{Leaf, Node, Operand, Order, Test},
    field::{Field, Root},
};

/// How deep conditions may nest, leaves included.
pub const DEPTH_LIMIT: usize = 16;

/// How many leaves a condition may have.
pub const LEAF_LIMIT: usize = 200;

/// How many values `in` may list.
pub const VALUE_LIMIT: usize = 500;

const TESTS: &[&str] =
    &["is", "is_not", "in", "contains", "starts_with", "more_than", "at_least", "less_than", "at_most", "set"];

/// Why something is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where it is in the JSON (RFC 6901); empty for the whole.
    pub pointer: String,
    /// What is wrong, for who wrote it.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the condition" } else { &self.pointer };
        write!(f, "{place}: {}", self.message)
    }
}

impl std::error::Error for Fault {}

impl Condition {
    /// Parses a condition over the given roots: an audience of customers has no order to ask about.
    ///
    /// # Errors
    /// All faults at once; over [`LEAF_LIMIT`] leaves, those up to there.
    pub fn parse(json: &Value, roots: &[Root]) -> Result<Condition, Vec<Fault>> {
        let mut parser = Parser { roots, leaves: 0, pointer: String::new(), faults: Vec::new() };
        match parser.node(json, 1) {
            Some(node) if parser.faults.is_empty() => Ok(Condition(node)),
            _ => Err(parser.faults),
        }
    }
}

/// A node is `None` when it, or anything in it, has a fault.
struct Parser<'r> {
    roots: &'r [Root],
    leaves: usize,
    pointer: String,
    faults: Vec<Fault>,
}

impl Parser<'_> {
    fn fault<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.faults.push(Fault { pointer: self.pointer.clone(), message: message.into() });
        None
    }

    /// Runs with the pointer one step further.
    fn inside<T>(&mut self, step: impl fmt::Display, run: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        let escaped = step.to_string().replace('~', "~0").replace('/', "~1");
        self.pointer.push('/');
        self.pointer.push_str(&escaped);
        let result = run(self);
        self.pointer.truncate(length);
        result
    }

    fn node(&mut self, json: &Value, depth: usize) -> Option<Node> {
        if depth > DEPTH_LIMIT {
            return self.fault(format!("conditions nest deeper than {DEPTH_LIMIT} levels"));
        }
        let Value::Object(map) = json else {
            return self.leaf_counted(|parser| parser.fault("a condition is an object"));
        };
        let joint = map.iter().find(|(name, _)| ["all", "any", "not"].contains(&name.as_str()));
        let Some((name, inner)) = joint else { return self.leaf_counted(|parser| parser.leaf(map)) };
        if map.len() > 1 {
            return self.fault(format!("{name:?} stands alone in its object"));
        }
        self.inside(name, |parser| match (name.as_str(), inner) {
            ("not", inner) => parser.node(inner, depth + 1).map(|node| Node::Not(Box::new(node))),
            ("any", Value::Array(list)) if list.is_empty() => parser.fault("\"any\" of nothing never holds"),
            // Counted, so that empty ones cannot make the tree any larger than its limits.
            ("all", Value::Array(list)) if list.is_empty() => parser.leaf_counted(|_| Some(Node::All(Vec::new()))),
            ("all", Value::Array(list)) => parser.list(list, depth).map(Node::All),
            (_, Value::Array(list)) => parser.list(list, depth).map(Node::Any),
            (name, _) => parser.fault(format!("{name:?} takes a list of conditions")),
        })
    }

    fn list(&mut self, list: &[Value], depth: usize) -> Option<Vec<Node>> {
        let mut nodes = Some(Vec::with_capacity(list.len().min(LEAF_LIMIT)));
        for (index, json) in list.iter().enumerate() {
            if self.leaves > LEAF_LIMIT {
                return None;
            }
            let node = self.inside(index, |parser| parser.node(json, depth + 1));
            nodes = nodes.zip(node).map(|(mut nodes, node)| {
                nodes.push(node);
                nodes
            });
        }
        nodes
    }

    fn leaf_counted<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.leaves += 1;
        if self.leaves > LEAF_LIMIT {
            return self.fault(format!("a condition has at most {LEAF_LIMIT} leaves"));
        }
        parse(self)
    }

    fn leaf(&mut self, map: &Map<String, Value>) -> Option<Node> {
        let field = match map.get("field") {
            Some(Value::String(path)) => {
                let parsed = Field::parse(path, self.roots);
                self.inside("field", |parser| parsed.map_or_else(|message| parser.fault(message), Some))
            }
            Some(_) => self.inside("field", |parser| parser.fault("a field is a path, like \"customer.city\"")),
            None => self.fault("this needs \"all\", \"any\", \"not\", or \"field\" and a test"),
        };
        let mut test = None;
        let mut tests = 0;
        for (name, operand) in map.iter().filter(|(name, _)| *name != "field") {
            if TESTS.contains(&name.as_str()) {
                tests += 1;
                test = self.inside(name, |parser| parser.test(name, operand));
            } else {
                let nearest = nearest(name);
                self.inside(name, |parser| {
                    parser.fault::<()>(format!("there is no test {name:?}; did you mean {nearest:?}?"))
                });
            }
        }
        if tests > 1 {
            return self.fault("a leaf has one test; join several with \"all\" or \"any\"");
        }
        if map.len() == 1 && field.is_some() {
            return self.fault(format!("this needs a test, one of {}", TESTS.join(", ")));
        }
        Some(Node::Leaf(Leaf { field: field?, test: test? }))
    }

    fn test(&mut self, name: &str, json: &Value) -> Option<Test> {
        Some(match name {
            "is" => Test::Is(self.operand(json)?),
            "is_not" => Test::IsNot(self.operand(json)?),
            "contains" => Test::Contains(self.operand(json)?),
            "starts_with" => match json {
                Value::String(prefix) if !prefix.is_empty() => Test::StartsWith(prefix.clone()),
                _ => return self.fault("\"starts_with\" takes text"),
            },
            "set" => match json {
                Value::Bool(set) => Test::Set(*set),
                _ => return self.fault("\"set\" takes true or false"),
            },
            "in" => match json {
                Value::Array(list) if (1..=VALUE_LIMIT).contains(&list.len()) => {
                    let operands: Vec<_> = list
                        .iter()
                        .enumerate()
                        .map(|(index, json)| self.inside(index, |parser| parser.operand(json)))
                        .collect();
                    Test::In(operands.into_iter().collect::<Option<_>>()?)
                }
                _ => return self.fault(format!("\"in\" takes a list of 1 to {VALUE_LIMIT} values")),
            },
            name => {
                let order = match name {
                    "more_than" => Order::MoreThan,
                    "at_least" => Order::AtLeast,
                    "less_than" => Order::LessThan,
                    _ => Order::AtMost,
                };
                if json.is_boolean() {
                    return self.fault("true and false have no order");
                }
                Test::Order(order, self.operand(json)?)
            }
        })
    }

    fn operand(&mut self, json: &Value) -> Option<Operand> {
        match json {
            Value::Null => self.fault("null is no value; use \"set\": false"),
            Value::String(text) if text.is_empty() => self.fault("empty text is no value; use \"set\": false"),
            Value::Array(_) | Value::Object(_) => self.fault("a value is text, a number, true or false"),
            json => match Operand::new(json) {
                Some(operand) => Some(operand),
                None => self.fault("this number is out of range"),
            },
        }
    }
}

/// The known test that is the fewest edits away.
fn nearest(name: &str) -> &'static str {
    let short: Vec<char> = name.chars().take(32).collect();
    TESTS.iter().copied().min_by_key(|test| distance(&short, test)).unwrap_or("is")
}

fn distance(a: &[char], b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.chars().enumerate() {
            let substituted = diagonal + usize::from(*from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
