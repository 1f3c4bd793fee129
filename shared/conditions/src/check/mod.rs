//! Holding a condition to what there is in a shop.

mod fits;
mod schema;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use schema::Found;
pub use schema::{Entry, Known, Schema, Type};

use crate::condition::{Aggregate, Function, Node, Operand, Test, Window};
use crate::field::{Field, Root};
use crate::parse::distance;
use crate::{Condition, Fault};

/// How many names are offered to whoever wrote one that there is not.
const MOST_OFFERED: usize = 3;

impl Condition {
    /// What this condition asks that no customer of a shop can ever answer: fields that
    /// there are not, tests that do not fit a field's type, values that it cannot have.
    /// Each is named by its place in the JSON.
    #[must_use]
    pub fn check(&self, schema: &Schema) -> Vec<Fault> {
        let mut checker = Checker { schema, pointer: String::new(), faults: Vec::new() };
        checker.node(&self.0, schema.what_happened().as_deref());
        checker.faults
    }
}

struct Checker<'s> {
    schema: &'s Schema,
    pointer: String,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn fault(&mut self, message: impl Into<String>) {
        self.faults.push(Fault { pointer: self.pointer.clone(), message: message.into() });
    }

    /// Runs with the pointer one step further. No step needs to be escaped: they are
    /// the words of the language, and numbers.
    fn inside<T>(&mut self, step: impl fmt::Display, run: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push_str(&format!("/{step}"));
        let result = run(self);
        self.pointer.truncate(length);
        result
    }

    /// `names` are those of the event that is looked at, as far as they are known.
    fn node(&mut self, node: &Node, names: Option<&[&str]>) {
        let said = named(node);
        let names = said.as_deref().or(names);
        match node {
            Node::All(nodes) => self.inside("all", |checker| checker.nodes(nodes, names)),
            Node::Any(nodes) => self.inside("any", |checker| checker.nodes(nodes, names)),
            Node::Not(node) => self.inside("not", |checker| checker.node(node, names)),
            Node::Field(field, test) => {
                let known = self.inside("field", |checker| checker.find(field, field.root().name(), names));
                if let Some(known) = known {
                    self.found(field.path(), known, test);
                }
            }
            Node::Aggregate(aggregate) => self.aggregate(aggregate),
            Node::Audience(code) => self.is_there("audience", code, self.schema.known_audiences()),
            Node::Segment(code) => self.is_there("segment", code, self.schema.known_segments()),
        }
    }

    /// That a code is one of those that there are, if it is known which.
    fn is_there(&mut self, what: &str, code: &str, known: Option<&BTreeSet<String>>) {
        let Some(known) = known.filter(|known| !known.contains(code)) else { return };
        let there_is_none = there_is_no(what, &format!("{what}s"), code, known.iter().map(String::as_str));
        self.inside(what, |checker| checker.fault(there_is_none));
    }

    fn nodes(&mut self, nodes: &[Node], names: Option<&[&str]>) {
        for (index, node) in nodes.iter().enumerate() {
            self.inside(index, |checker| checker.node(node, names));
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        let Aggregate { function, over, field, filter, window, test } = aggregate;
        let said = filter.as_ref().and_then(named);
        let found = field.as_ref().map(|field| {
            self.inside(function.name(), |checker| {
                let found = checker.find(field, over.name(), said.as_deref())?;
                checker.taken(&aggregate.subject(), *function, found)
            })
        });
        if let Some(filter) = filter {
            // The event that is looked at is not the one that happened.
            self.inside("where", |checker| checker.node(filter, None));
        }
        if let Some(Window::Since(since)) = window
            && let Some(filter) = &since.filter
        {
            self.inside("during", |checker| {
                checker.inside("since", |checker| checker.inside("where", |checker| checker.node(filter, None)));
            });
        }
        let counts = || Known::of(Type::Number).between(Some(Value::from(0)), None);
        match found {
            // What it gives is not known.
            Some(None) => {}
            Some(Some(found)) => {
                self.found(&format!("the {} of {}", function.name(), aggregate.subject()), found, test)
            }
            None => self.test(&format!("the {} of {}", function.name(), over.name()), &counts(), test),
        }
    }

    /// What a path leads to; a fault, if it is nothing.
    fn find(&mut self, field: &Field, root: &str, names: Option<&[&str]>) -> Option<Found> {
        match self.schema.find(field.root(), field.rest(), names) {
            Found::Nothing => {
                let paths = self.schema.paths(field.root(), names);
                let nearest = nearest(field.rest(), paths.iter().map(String::as_str));
                let nearest = quoted(nearest.into_iter().map(|path| format!("{root}.{path}")));
                self.fault(format!("there is no {root}.{}; did you mean {nearest}?", field.rest()));
                None
            }
            found => Some(found),
        }
    }

    /// What an aggregate gives of such a field; a fault, if it cannot take one.
    fn taken(&mut self, subject: &str, function: Function, found: Found) -> Option<Found> {
        let known = match found {
            Found::Value(known) => known,
            Found::Object | Found::Nothing => {
                self.fault(format!("{subject} is no value, but has fields of its own: name one of them"));
                return None;
            }
        };
        let fits = match function {
            Function::Sum | Function::Average => matches!(known.r#type, Type::Number | Type::Anything),
            Function::Min | Function::Max => known.r#type != Type::Boolean,
            Function::Count | Function::Distinct | Function::First | Function::Last => true,
        };
        if !fits {
            let wanted =
                if matches!(function, Function::Min | Function::Max) { "something with an order" } else { "numbers" };
            self.fault(format!("{:?} takes {wanted}, and {subject} is {}", function.name(), known.r#type.name()));
            return None;
        }
        Some(Found::Value(match function {
            Function::Count | Function::Distinct => Known::of(Type::Number).between(Some(Value::from(0)), None),
            Function::Sum | Function::Average => Known::of(Type::Number),
            // One of all, be they in lists.
            Function::Min | Function::Max => Known { is_list: false, ..known },
            Function::First | Function::Last => known,
        }))
    }

    fn found(&mut self, subject: &str, found: Found, test: &Test) {
        match (found, test) {
            (Found::Value(known), test) => self.test(subject, &known, test),
            (_, Test::Set(_)) => {}
            _ => self.inside("field", |checker| {
                checker.fault(format!(
                    "{subject} is no value, but has fields of its own: name one of them, or test it by \"set\""
                ));
            }),
        }
    }
}

/// The names of which an event has one for whom a condition holds, if it says so.
fn named(node: &Node) -> Option<Vec<&str>> {
    let text = |operand| match operand {
        &Operand::Fixed(Value::String(ref text), _) => Some(text.as_str()),
        _ => None,
    };
    match node {
        Node::All(nodes) => nodes.iter().find_map(named),
        Node::Any(nodes) => Some(nodes.iter().map(named).collect::<Option<Vec<_>>>()?.concat()),
        Node::Field(field, test) if field.root() == Root::Event && field.rest() == "name" => match test {
            Test::Is(operand) => Some(vec![text(operand)?]),
            Test::In(operands) => operands.iter().map(text).collect(),
            _ => None,
        },
        _ => None,
    }
}

/// That there is no such thing of this name, in words: with those of the known names that come
/// nearest. `what` is what one such thing is called, and `several` what several are.
#[must_use]
pub fn there_is_no<'n>(what: &str, several: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    match nearest(name, known).as_slice() {
        [] => format!("there are no {several} yet"),
        nearest => format!("there is no {what} {name:?}; did you mean {}?", quoted(nearest.iter().copied())),
    }
}

/// The known names that are the fewest edits away, as a whole or by their last part.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let letters = |name: &str| name.chars().take(64).collect::<Vec<_>>();
    let last = |name: &'_ str| name.rsplit_once('.').map_or(0, |(before, _)| before.len() + 1);
    let (whole, end) = (letters(name), letters(&name[last(name)..]));
    let away = |known: &str| distance(&whole, known).min(distance(&end, &known[last(known)..]) + 1);
    let mut known: Vec<(usize, &str)> = known.map(|known| (away(known), known)).collect();
    known.sort_unstable();
    known.into_iter().take(MOST_OFFERED).map(|(_, known)| known).collect()
}

/// Several names, one of which may be meant.
fn quoted<S: fmt::Display>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}
