//! From JSON to a condition, with every fault at once.

mod history;
mod nearest;
mod test;

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Condition;
use crate::condition::{Function, Node};
use crate::field::{Field, Root, Scope};
pub(crate) use nearest::distance;
use nearest::nearest;

/// How deep conditions may nest, leaves included.
pub const DEPTH_LIMIT: usize = 16;

/// How many leaves a condition may have.
pub const LEAF_LIMIT: usize = 200;

/// How many values `in` may list.
pub const VALUE_LIMIT: usize = 500;

pub(crate) const TESTS: &[&str] = &[
    "is",
    "is_not",
    "in",
    "contains",
    "starts_with",
    "ends_with",
    "matches",
    "more_than",
    "at_least",
    "less_than",
    "at_most",
    "between",
    "anniversary",
    "set",
];

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
    /// Parses a condition that may ask about what is in scope: what is about a customer
    /// alone has no order that something happened to.
    ///
    /// # Errors
    /// All faults at once; over [`LEAF_LIMIT`] leaves, those up to there.
    pub fn parse(json: &Value, scope: &Scope<'_>) -> Result<Condition, Vec<Fault>> {
        let mut parser = Parser {
            roots: scope.roots.to_vec(),
            history: scope.history,
            within: None,
            leaves: 0,
            pointer: String::new(),
            faults: Vec::new(),
        };
        match parser.node(json, 1) {
            Some(node) if parser.faults.is_empty() => Ok(Condition(node)),
            _ => Err(parser.faults),
        }
    }
}

/// A node is `None` when it, or anything in it, has a fault.
struct Parser {
    roots: Vec<Root>,
    history: bool,
    /// Of which collection a thing is looked at, in a filter.
    within: Option<crate::field::Collection>,
    leaves: usize,
    pointer: String,
    faults: Vec<Fault>,
}

impl Parser {
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
        let Some((name, inner)) = joint else { return self.leaf_counted(|parser| parser.leaf(map, depth)) };
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

    fn leaf(&mut self, map: &Map<String, Value>, depth: usize) -> Option<Node> {
        if let Some(function) = Function::ALL.into_iter().find(|function| map.contains_key(function.name())) {
            return self.aggregate(map, function, depth);
        }
        for name in ["audience", "segment"] {
            if let Some(code) = map.get(name) {
                return self.membership(map, name, code);
            }
        }
        let field = match map.get("field") {
            Some(Value::String(path)) => {
                let parsed = Field::parse(path, &self.roots);
                self.inside("field", |parser| parsed.map_or_else(|message| parser.fault(message), Some))
            }
            Some(_) => self.inside("field", |parser| parser.fault("a field is a path, like \"customer.city\"")),
            None if self.history => {
                let functions: Vec<_> = Function::ALL.iter().map(|function| format!("{:?}", function.name())).collect();
                let functions = functions.join(", ");
                self.fault(format!(
                    "this needs \"all\", \"any\", \"not\", \"audience\", \"segment\", or a test of a \"field\" or of \
                     what several things come to: {functions}"
                ))
            }
            None => self.fault("this needs \"all\", \"any\", \"not\", or \"field\" and a test"),
        };
        // Whoever named no field may have meant any of these.
        let names = Function::ALL.map(Function::name);
        let others = ["field", "all", "any", "not", "audience", "segment"].into_iter().chain(names);
        let meant = if map.contains_key("field") {
            1
        } else if self.history {
            usize::MAX
        } else {
            4
        };
        let others: Vec<&str> = others.take(meant).collect();
        let test = self.only_test(map, &others, field.is_some());
        Some(Node::Field(field?, test?))
    }

    /// The one test among a leaf's entries; the others are to be of these names.
    fn only_test(&mut self, map: &Map<String, Value>, others: &[&str], wanted: bool) -> Option<crate::condition::Test> {
        let mut test = None;
        let mut tests = 0;
        let mut unknown = 0;
        for (name, operand) in map.iter().filter(|(name, _)| !others.contains(&name.as_str())) {
            if TESTS.contains(&name.as_str()) {
                tests += 1;
                test = self.inside(name, |parser| parser.test(name, operand));
            } else {
                unknown += 1;
                let nearest = nearest(name, TESTS.iter().chain(others).copied()).unwrap_or("is");
                self.inside(name, |parser| {
                    parser.fault::<()>(format!("there is no test {name:?}; did you mean {nearest:?}?"))
                });
            }
        }
        if tests > 1 {
            return self.fault("a leaf has one test; join several with \"all\" or \"any\"");
        }
        if tests == 0 && unknown == 0 && wanted {
            return self.fault(format!("this needs a test, one of {}", TESTS.join(", ")));
        }
        test
    }
}
