//! What asks about all that a customer did and has.

use serde_json::{Map, Value};

use super::test::is_impossible;
use super::{Parser, TESTS, nearest};
use crate::condition::{Aggregate, Function, Node, Operand, Since, Test, Window};
use crate::field::{Collection, Field};
use crate::value::{Kind, Scalar};

/// How long a code may be, in bytes.
const CODE_LIMIT: usize = 64;

impl Parser {
    pub(super) fn membership(&mut self, map: &Map<String, Value>, name: &str, code: &Value) -> Option<Node> {
        if !self.history || self.within.is_some() {
            return self.inside(name, |parser| parser.fault(format!("no {name} can be asked about here")));
        }
        self.only(map, &[name])?;
        let code = code.as_str().filter(|code| !code.is_empty() && code.len() <= CODE_LIMIT);
        let Some(code) = code else {
            let article = if name == "audience" { "an" } else { "a" };
            return self.inside(name, |parser| parser.fault(format!("must be the code of {article} {name}")));
        };
        Some(if name == "audience" { Node::Audience(code.into()) } else { Node::Segment(code.into()) })
    }

    pub(super) fn aggregate(&mut self, map: &Map<String, Value>, function: Function, depth: usize) -> Option<Node> {
        let subject = self.inside(function.name(), |parser| parser.subject(&map[function.name()], function));
        let Some((over, field)) = subject else {
            // What else is wrong depends on what it is over.
            return None;
        };
        let filter = map.get("where").map(|json| self.inside("where", |parser| parser.filter(json, over, depth)));
        let window = map.get("during").map(|json| self.inside("during", |parser| parser.window(json, depth)));
        let others = [function.name(), "where", "during"];
        let has_test = map.keys().any(|name| !others.contains(&name.as_str()));
        let test = match (function, has_test) {
            // Counting without a test asks whether there is any.
            (Function::Count, false) => self.test("at_least", &Value::from(1)),
            _ => self.only_test(map, &others, true),
        };
        let test = test.and_then(|test| self.fits(function, test));
        Some(Node::Aggregate(Box::new(Aggregate {
            function,
            over,
            field,
            filter: filter.map_or(Some(None), |filter| filter.map(Some))?,
            window: window.map_or(Some(None), |window| window.map(Some))?,
            test: test?,
        })))
    }

    /// What an aggregate is over: `orders`, or `orders.total`.
    fn subject(&mut self, json: &Value, function: Function) -> Option<(Collection, Option<Field>)> {
        let Some(text) = json.as_str() else {
            let names = Collection::ALL.map(Collection::name).join(", ");
            return self.fault(format!("must be one of {names}, or a field of one"));
        };
        let (name, rest) = text.split_once('.').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let over = self.collection(name)?;
        match self.within {
            None if !self.history => {
                return self.fault("what a customer did and has cannot be asked about here");
            }
            Some(Collection::Orders) if over == Collection::Lines => {}
            Some(within) => {
                return self.fault(format!("in a filter over {} no {name} can be gone through", within.name()));
            }
            None => {}
        }
        match (function, rest) {
            (Function::Count, None) => Some((over, None)),
            (Function::Count, Some(_)) => {
                self.fault(format!("\"count\" counts {name}: put what counts into \"where\""))
            }
            (_, Some(rest)) => match Field::parse(&format!("{}.{rest}", over.root().name()), &[over.root()]) {
                Ok(field) => Some((over, Some(field))),
                Err(message) => self.fault(message),
            },
            (_, None) => {
                self.fault(format!("{:?} takes a field of {name}, such as \"{name}.{}\"", function.name(), over.time()))
            }
        }
    }

    fn collection(&mut self, name: &str) -> Option<Collection> {
        Collection::parse(name).or_else(|| {
            let nearest = nearest(name, Collection::ALL.into_iter().map(Collection::name)).unwrap_or_default();
            self.fault(format!("there are no {name:?} here; did you mean {nearest:?}?"))
        })
    }

    fn filter(&mut self, json: &Value, over: Collection, depth: usize) -> Option<Node> {
        let roots = std::mem::replace(&mut self.roots, over.roots().to_vec());
        let within = self.within.replace(over);
        let node = self.node(json, depth + 1);
        self.roots = roots;
        self.within = within;
        node
    }

    fn window(&mut self, json: &Value, depth: usize) -> Option<Window> {
        const WANT: &str = "a stretch of time is {\"last\": \"30d\"}, {\"from\": …, \"to\": …} or {\"since\": …}";
        let Value::Object(map) = json else { return self.fault(WANT) };
        if let Some(length) = map.get("last") {
            self.only(map, &["last"])?;
            return self.inside("last", |parser| parser.length(length)).map(Window::Last);
        }
        if let Some(since) = map.get("since") {
            self.only(map, &["since"])?;
            return self.inside("since", |parser| parser.since(since, depth));
        }
        if map.is_empty() {
            return self.fault(WANT);
        }
        self.only(map, &["from", "to"])?;
        let mut end = |name: &str| match map.get(name) {
            None => Some(None),
            Some(json) => self.inside(name, |parser| parser.moment(json)).map(Some),
        };
        let (from, to) = (end("from"), end("to"));
        let (from, to) = (from?, to?);
        if from.as_ref().zip(to.as_ref()).is_some_and(|(from, to)| is_impossible(from, to)) {
            return self.fault("nothing lies between these: \"from\" is after \"to\"");
        }
        Some(Window::Between { from, to })
    }

    fn moment(&mut self, json: &Value) -> Option<Operand> {
        match self.operand(json)? {
            Operand::Fixed(_, Scalar { kind: Kind::Decimal(_) | Kind::Text | Kind::Bool(_), .. }) => self.fault(
                "must be a moment: an instant such as \"2026-11-22T08:00:00Z\", a day, or one that moves with the \
                 clock, such as {\"ago\": \"30d\"}",
            ),
            operand => Some(operand),
        }
    }

    fn since(&mut self, json: &Value, depth: usize) -> Option<Window> {
        const WANT: &str = "takes {\"last\": \"events\", \"where\": …}, or \"first\"";
        let Value::Object(map) = json else { return self.fault(WANT) };
        if let Some(within) = self.within {
            return self.fault(format!("in a filter over {} nothing else can be gone through", within.name()));
        }
        self.only(map, &["first", "last", "where"])?;
        let (name, first) = match (map.get("first"), map.get("last")) {
            (Some(name), None) => (name, true),
            (None, Some(name)) => (name, false),
            _ => return self.fault(WANT),
        };
        let over = self.inside(if first { "first" } else { "last" }, |parser| match name.as_str() {
            Some(name) => parser.collection(name),
            None => parser.fault(format!("must be one of {}", Collection::ALL.map(Collection::name).join(", "))),
        })?;
        let filter = match map.get("where") {
            Some(json) => Some(self.inside("where", |parser| parser.filter(json, over, depth + 1))?),
            None => None,
        };
        Some(Window::Since(Box::new(Since { first, over, filter })))
    }

    /// That what an aggregate gives can be put to such a test.
    fn fits(&mut self, function: Function, test: Test) -> Option<Test> {
        let is_number = matches!(function, Function::Count | Function::Distinct | Function::Sum | Function::Average);
        let is_numeric =
            |operand: &Operand| matches!(operand, Operand::Fixed(_, Scalar { kind: Kind::Decimal(_), .. }));
        let fits = match &test {
            Test::Is(operand) | Test::IsNot(operand) | Test::Order(_, operand) => is_numeric(operand),
            Test::Between(from, to) => is_numeric(from) && is_numeric(to),
            Test::In(operands) => operands.iter().all(is_numeric),
            Test::Set(_) => true,
            _ => false,
        };
        if is_number && !fits {
            let tests = TESTS
                .iter()
                .filter(|test| !["contains", "starts_with", "ends_with", "matches", "anniversary"].contains(test));
            let tests: Vec<_> = tests.copied().collect();
            return self.fault(format!(
                "{:?} gives a number: test it with one, by {}",
                function.name(),
                tests.join(", ")
            ));
        }
        Some(test)
    }
}
