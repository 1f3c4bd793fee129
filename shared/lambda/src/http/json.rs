//! JSON, strictly: an object that names a field twice is refused, as one of the
//! two would be silently lost.

use std::fmt;

use contracts::{Kind, Problem};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The one value in `text`.
///
/// # Errors
/// 400 with the place. The message never quotes the text.
pub(super) fn parse(text: &[u8]) -> Result<Value, Problem> {
    let mut parser = serde_json::Deserializer::from_slice(text);
    let read = Strict.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    read.map_err(|error| {
        let said = error.to_string();
        let what = if error.is_eof() {
            "it ends too soon"
        } else if said.starts_with(TWICE) {
            TWICE
        } else if said.starts_with("recursion limit exceeded") {
            "it is nested too deep; at most 127 levels are taken"
        } else if said.starts_with("number out of range") {
            "it has a number that is too large"
        } else {
            "it is not JSON"
        };
        let detail = format!("{what}, at line {} column {}", error.line(), error.column());
        Problem::new(Kind::Malformed).because(detail)
    })
}

const TWICE: &str = "an object names a field twice";

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut taken = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            taken.push(item);
        }
        Ok(Value::Array(taken))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut taken = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(Strict)?;
            if taken.insert(name, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Value::Object(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &[u8]) -> String {
        let problem = parse(text).unwrap_err();
        assert_eq!(problem.status(), 400);
        serde_json::to_value(problem).unwrap()["detail"].as_str().unwrap().to_owned()
    }

    #[test]
    fn what_is_json_is_read_as_it_is() {
        let text = r#"{"a": [1, -2, 2.5, "ü\n", true, null, {}], "b": {"a": 18446744073709551615}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        let deep = format!("{}{}", "[".repeat(127), "]".repeat(127));
        assert!(parse(deep.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_is_refused_and_never_quoted() {
        let check = |text: &str, said: &str| {
            let detail = refused(text.as_bytes());
            assert!(detail.starts_with(said) && !detail.contains("ada"), "{text}: {detail}");
        };
        for text in ["", "{", "[1,", "\"ada"] {
            check(text, "it ends too soon, at line ");
        }
        for text in ["{} {}", "NaN", "Infinity", "{ada: 1}", "'ada'", "[1,]", "01", "\"\\ud800\"", "+1"] {
            check(text, "it is not JSON, at line 1 column ");
        }
        check("{\"ada\": 1, \"b\": {\"ada\": 1}, \"ada\": 2}", "an object names a field twice, at line 1 column ");
        check("1e999", "it has a number that is too large");
        check(&"[".repeat(128), "it is nested too deep");
        check(&"{\"a\":".repeat(1_000), "it is nested too deep");
        assert!(refused(b"\"\xff\"").starts_with("it is not JSON"));
    }
}
