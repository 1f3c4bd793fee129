//! Event patterns: what mapping filters and EventBridge rules are written in.

use serde_json::Value;
use std::collections::BTreeMap;

/// A pattern in the subset exact, prefix, suffix, exists, anything-but, equals-ignore-case
/// and numeric. See
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(BTreeMap<String, Node>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Inner(Pattern),
    Leaf(Vec<Test>),
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    Exact(Value),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    Exists(bool),
    AnythingBut(Vec<Test>),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    /// # Errors
    /// What is not a pattern, or is one beyond the subset.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let object = value.as_object().filter(|o| !o.is_empty()).ok_or("a pattern is an object with fields")?;
        object.iter().map(|(key, value)| Ok((key.clone(), node(key, value)?))).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn matches(&self, event: &Value) -> bool {
        self.0.iter().all(|(key, node)| node.matches(event.get(key)))
    }
}

impl Node {
    fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Inner(pattern), Some(Value::Array(items))) => items.iter().any(|item| pattern.matches(item)),
            (Self::Inner(pattern), value) => pattern.matches(value.unwrap_or(&Value::Null)),
            (Self::Leaf(tests), Some(Value::Array(items))) => {
                tests.iter().any(|test| items.iter().any(|item| test.matches(Some(item))))
            }
            (Self::Leaf(tests), value) => tests.iter().any(|test| test.matches(value)),
        }
    }
}

impl Test {
    fn matches(&self, value: Option<&Value>) -> bool {
        let text = || value.and_then(Value::as_str);
        match self {
            Self::Exact(wanted) => value.is_some_and(|value| same(wanted, value)),
            Self::Prefix(prefix) => text().is_some_and(|text| text.starts_with(prefix.as_str())),
            Self::Suffix(suffix) => text().is_some_and(|text| text.ends_with(suffix.as_str())),
            Self::IgnoreCase(wanted) => text().is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
            // Only a leaf exists.
            Self::Exists(wanted) => value.is_some_and(|value| !value.is_object()) == *wanted,
            Self::AnythingBut(tests) => value.is_some() && !tests.iter().any(|test| test.matches(value)),
            Self::Numeric(tests) => value
                .and_then(Value::as_f64)
                .is_some_and(|n| tests.iter().all(|(comparison, m)| comparison.holds(n, *m))),
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

fn same(wanted: &Value, value: &Value) -> bool {
    match (wanted.as_f64(), value.as_f64()) {
        (Some(wanted), Some(value)) => wanted == value,
        _ => wanted == value,
    }
}

fn node(key: &str, value: &Value) -> Result<Node, String> {
    match value {
        _ if key.starts_with('$') => Err(format!("{key} is not supported in a pattern")),
        Value::Object(_) => Pattern::parse(value).map(Node::Inner),
        Value::Array(tests) if !tests.is_empty() => tests.iter().map(test).collect::<Result<_, _>>().map(Node::Leaf),
        _ => Err(format!("{key}: a pattern's leaf is a list")),
    }
}

fn test(value: &Value) -> Result<Test, String> {
    let Some(object) = value.as_object() else { return Ok(Test::Exact(value.clone())) };
    let mut entries = object.iter();
    let (Some((name, argument)), None) = (entries.next(), entries.next()) else {
        return Err("a pattern's test has exactly one operator".to_owned());
    };
    let text = || argument.as_str().map(str::to_owned).ok_or(format!("{name} takes a text"));
    match name.as_str() {
        "prefix" => text().map(Test::Prefix),
        "suffix" => text().map(Test::Suffix),
        "equals-ignore-case" => text().map(Test::IgnoreCase),
        "exists" => argument.as_bool().map(Test::Exists).ok_or("exists takes true or false".to_owned()),
        "anything-but" => match argument {
            Value::Array(items) => items.iter().map(test).collect::<Result<_, _>>().map(Test::AnythingBut),
            Value::Object(operators) => match operators.iter().next() {
                Some((name, Value::Array(items))) => items
                    .iter()
                    .map(|item| test(&serde_json::json!({name: item})))
                    .collect::<Result<_, _>>()
                    .map(Test::AnythingBut),
                _ => Ok(Test::AnythingBut(vec![test(argument)?])),
            },
            other => Ok(Test::AnythingBut(vec![Test::Exact(other.clone())])),
        },
        "numeric" => numeric(argument).map(Test::Numeric),
        other => Err(format!("{other} is not supported in a pattern")),
    }
}

fn numeric(argument: &Value) -> Result<Vec<(Comparison, f64)>, String> {
    const SHAPE: &str = "numeric takes a list such as [\">\", 0, \"<=\", 5]";
    let items = argument.as_array().filter(|items| !items.is_empty() && items.len() % 2 == 0).ok_or(SHAPE)?;
    let pair = |pair: &[Value]| {
        let comparison = match pair[0].as_str()? {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        };
        Some((comparison, pair[1].as_f64()?))
    };
    items.chunks(2).map(|chunk| pair(chunk).ok_or(SHAPE.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_match_as_eventbridge_documents() {
        let check = |pattern: Value, event: Value, expected: bool| {
            assert_eq!(Pattern::parse(&pattern).unwrap().matches(&event), expected, "{pattern} on {event}");
        };
        check(json!({"a": ["x"]}), json!({"a": "x", "b": 1}), true);
        check(json!({"a": ["x"]}), json!({"a": ["y", "x"]}), true);
        check(json!({"a": ["x"], "b": [2]}), json!({"a": "x", "b": 1}), false);
        check(json!({"a": {"b": [{"prefix": "order#"}]}}), json!({"a": {"b": "order#7"}}), true);
        check(json!({"a": {"b": [{"prefix": "order#"}]}}), json!({"a": {}}), false);
        check(json!({"a": [{"suffix": ".png"}]}), json!({"a": "x.png"}), true);
        check(json!({"a": [{"exists": false}]}), json!({}), true);
        check(json!({"a": {"b": [{"exists": false}]}}), json!({"c": 1}), true);
        check(json!({"a": [{"exists": true}]}), json!({"a": null}), true);
        check(json!({"a": [{"anything-but": ["x", "y"]}]}), json!({"a": "z"}), true);
        check(json!({"a": [{"anything-but": ["x", "y"]}]}), json!({"a": "y"}), false);
        check(json!({"a": [{"anything-but": {"prefix": "t"}}]}), json!({"a": "test"}), false);
        check(json!({"a": [{"anything-but": "x"}]}), json!({}), false);
        check(json!({"a": [{"numeric": [">", 0, "<=", 5]}]}), json!({"a": 5}), true);
        check(json!({"a": [{"numeric": [">", 0, "<=", 5]}]}), json!({"a": 5.1}), false);
        check(json!({"a": [1]}), json!({"a": 1.0}), true);
        check(json!({"a": [{"prefix": "b"}, null]}), json!({"a": null}), true);
    }

    #[test]
    fn what_is_beyond_the_subset_is_refused() {
        for pattern in [json!({"a": [{"cidr": "10.0.0.0/8"}]}), json!({"$or": [{}]}), json!({"a": "x"}), json!({})] {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern}");
        }
    }
}
