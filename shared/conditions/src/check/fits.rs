//! Whether a test can say anything of a field's values.

use std::cmp::Ordering;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::Checker;
use super::schema::{Known, Type};
use crate::condition::{Operand, Order, Test};
use crate::moment::Clock;
use crate::parse::TESTS;
use crate::value::{Cell, Kind, Scalar};

/// How many values are listed.
const MOST_LISTED: usize = 10;

impl Checker<'_> {
    /// Notes what is wrong with a test of what is known as `subject`.
    pub(super) fn test(&mut self, subject: &str, known: &Known, test: &Test) {
        let name = name(test);
        let tests = tests(known);
        if !tests.contains(&name) {
            let (what, tests) = (described(known), tests.join(", "));
            self.inside(name, |checker| {
                checker.fault(format!("{name:?} does not fit {subject}, which is {what}: test it by {tests}"));
            });
            return;
        }
        let faults = self.faults.len();
        self.inside(name, |checker| match test {
            Test::Is(operand) | Test::IsNot(operand) => checker.one(subject, known, operand),
            Test::Contains(operand) if known.is_list => checker.one(subject, known, operand),
            Test::In(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    checker.inside(index, |checker| checker.one(subject, known, operand));
                }
            }
            Test::Order(_, operand) => checker.kind(subject, known, operand),
            Test::Between(from, to) => {
                checker.inside(0, |checker| checker.kind(subject, known, from));
                checker.inside(1, |checker| checker.kind(subject, known, to));
            }
            _ => {}
        });
        if self.faults.len() == faults
            && let Some(why) = impossible(known, test)
        {
            self.inside(name, |checker| checker.fault(format!("this can never hold: {subject} is {why}")));
        }
    }

    /// Notes if the field can never be this very value.
    fn one(&mut self, subject: &str, known: &Known, operand: &Operand) {
        if !fits(known.r#type, operand) {
            return self.kind(subject, known, operand);
        }
        let Operand::Fixed(value, wanted) = operand else { return };
        let is = |allowed: &Value| Scalar::of(allowed).is_some_and(|allowed| allowed.equals(wanted, &TimeZone::UTC));
        if !known.allowed.is_empty() && !known.allowed.iter().any(is) {
            let texts = known.allowed.iter().filter_map(Value::as_str);
            let nearest = match value.as_str().filter(|_| known.allowed.iter().all(Value::is_string)) {
                Some(text) => super::quoted(super::nearest(text, texts)),
                None => listed(&known.allowed),
            };
            self.fault(format!("{subject} is never {value}; did you mean {nearest}?"));
        } else if limits(known).is_some_and(|limits| limits.is_outside(wanted)) {
            self.fault(format!("{subject} is never {value}: it is {}", spoken(known)));
        }
    }

    /// Notes if a value is of another kind than the field's are.
    fn kind(&mut self, subject: &str, known: &Known, operand: &Operand) {
        if fits(known.r#type, operand) {
            return;
        }
        let what = described(known);
        self.fault(match operand {
            Operand::Fixed(value, _) => format!("{subject} is {what}, which {value} is not"),
            Operand::Moving(_) => format!("{subject} is {what}, and no moment"),
        });
    }
}

/// Its name in a condition.
fn name(test: &Test) -> &'static str {
    match test {
        Test::Is(_) => "is",
        Test::IsNot(_) => "is_not",
        Test::In(_) => "in",
        Test::Contains(_) => "contains",
        Test::StartsWith(_) => "starts_with",
        Test::EndsWith(_) => "ends_with",
        Test::Matches(_) => "matches",
        Test::Order(order, _) => order.name(),
        Test::Between(..) => "between",
        Test::Anniversary(_) => "anniversary",
        Test::Set(_) => "set",
    }
}

/// The tests that can say anything of such values.
fn tests(known: &Known) -> Vec<&'static str> {
    const IN_TEXT: [&str; 4] = ["contains", "starts_with", "ends_with", "matches"];
    let fits = |test: &&str| match known.r#type {
        _ if known.is_list => ["contains", "set"].contains(test),
        Type::Text => *test != "anniversary",
        Type::Number => *test != "anniversary" && !IN_TEXT.contains(test),
        Type::Boolean => ["is", "is_not", "in", "set"].contains(test),
        Type::Date | Type::Instant => !IN_TEXT.contains(test),
        Type::Anything => true,
    };
    TESTS.iter().copied().filter(fits).collect()
}

/// Whether a value is of a kind that such values can be held against. Text may be
/// written like a number, or like a date.
fn fits(r#type: Type, operand: &Operand) -> bool {
    let kind = match operand {
        Operand::Moving(_) => return matches!(r#type, Type::Date | Type::Instant | Type::Anything),
        Operand::Fixed(_, scalar) => scalar.kind,
    };
    match r#type {
        Type::Text => !matches!(kind, Kind::Bool(_)),
        Type::Number => matches!(kind, Kind::Decimal(_)),
        Type::Boolean => matches!(kind, Kind::Bool(_)),
        Type::Date | Type::Instant => matches!(kind, Kind::Date(_) | Kind::Instant(_)),
        Type::Anything => true,
    }
}

/// Between what the values of a field lie.
struct Limits {
    min: Option<Scalar>,
    max: Option<Scalar>,
}

fn limits(known: &Known) -> Option<Limits> {
    let scalar = |value: &Option<Value>| value.as_ref().and_then(Scalar::of);
    let limits = Limits { min: scalar(&known.min), max: scalar(&known.max) };
    (limits.min.is_some() || limits.max.is_some()).then_some(limits)
}

impl Limits {
    /// How a value stands to the least. On which day an instant lies is for the shop's
    /// zone to say, so the two are of one kind.
    fn to_min(&self, value: &Scalar) -> Option<Ordering> {
        self.min.as_ref().and_then(|min| same_kind(value, min))
    }

    fn to_max(&self, value: &Scalar) -> Option<Ordering> {
        self.max.as_ref().and_then(|max| same_kind(value, max))
    }

    fn is_outside(&self, value: &Scalar) -> bool {
        self.to_min(value) == Some(Ordering::Less) || self.to_max(value) == Some(Ordering::Greater)
    }

    fn forbid(&self, test: &Test) -> bool {
        let fixed = |operand: &Operand, is: &dyn Fn(&Scalar) -> bool| match operand {
            Operand::Fixed(_, value) => is(value),
            Operand::Moving(_) => false,
        };
        match test {
            Test::Order(Order::MoreThan, operand) => {
                fixed(operand, &|value| self.to_max(value).is_some_and(Ordering::is_ge))
            }
            Test::Order(Order::AtLeast, operand) => {
                fixed(operand, &|value| self.to_max(value).is_some_and(Ordering::is_gt))
            }
            Test::Order(Order::LessThan, operand) => {
                fixed(operand, &|value| self.to_min(value).is_some_and(Ordering::is_le))
            }
            Test::Order(Order::AtMost, operand) => {
                fixed(operand, &|value| self.to_min(value).is_some_and(Ordering::is_lt))
            }
            Test::Between(from, to) => {
                fixed(from, &|value| self.to_max(value).is_some_and(Ordering::is_gt))
                    || fixed(to, &|value| self.to_min(value).is_some_and(Ordering::is_lt))
            }
            _ => false,
        }
    }
}

fn same_kind(a: &Scalar, b: &Scalar) -> Option<Ordering> {
    let same = std::mem::discriminant(&a.kind) == std::mem::discriminant(&b.kind);
    same.then(|| a.order(b, &TimeZone::UTC)).flatten()
}

/// What of a field keeps a test of the right type from ever holding.
fn impossible(known: &Known, test: &Test) -> Option<String> {
    if limits(known).is_some_and(|limits| limits.forbid(test)) {
        return Some(spoken(known));
    }
    let is_partial = matches!(
        test,
        Test::Contains(_)
            | Test::StartsWith(_)
            | Test::EndsWith(_)
            | Test::Matches(_)
            | Test::Order(_, Operand::Fixed(..))
            | Test::Between(Operand::Fixed(..), Operand::Fixed(..))
    );
    let is_timed =
        |value: &Value| Scalar::of(value).is_some_and(|scalar| matches!(scalar.kind, Kind::Date(_) | Kind::Instant(_)));
    if known.is_list || known.allowed.is_empty() || !is_partial || known.allowed.iter().any(is_timed) {
        return None;
    }
    // What does not ask for the time holds at one as at the other.
    let clock = Clock { now: Timestamp::UNIX_EPOCH, shop: &TimeZone::UTC, customer: &TimeZone::UTC };
    let holds = known.allowed.iter().any(|value| test.holds(&Cell::of(value), clock));
    (!holds).then(|| format!("one of {}", listed(&known.allowed)))
}

fn described(known: &Known) -> String {
    match (known.is_list, known.r#type) {
        (false, r#type) => r#type.name().to_owned(),
        (true, Type::Text) => "a list of texts".to_owned(),
        (true, Type::Number) => "a list of numbers".to_owned(),
        (true, _) => "a list".to_owned(),
    }
}

/// A field's limits in words.
fn spoken(known: &Known) -> String {
    match (&known.min, &known.max) {
        (Some(min), Some(max)) => format!("at least {min} and at most {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "anything".to_owned(),
    }
}

/// The first of several values, as JSON.
fn listed(values: &[Value]) -> String {
    let shown: Vec<String> = values.iter().take(MOST_LISTED).map(Value::to_string).collect();
    let more = if values.len() > MOST_LISTED { ", …" } else { "" };
    shown.join(", ") + more
}
