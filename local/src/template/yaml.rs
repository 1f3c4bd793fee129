//! YAML with CloudFormation's tags, as JSON with their long forms.

use saphyr::{LoadableYamlNode as _, ScalarOwned, Tag, YamlOwned};
use serde_json::{Map, Number, Value, json};

/// Reads one YAML document; `!Sub x` becomes `{"Fn::Sub": "x"}`, and so on.
///
/// # Errors
/// One line that says what is wrong and where.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut documents = YamlOwned::load_from_str(text).map_err(|e| one_line(&e.to_string()))?;
    match documents.len() {
        0 => Err("it is empty".to_owned()),
        1 => convert(documents.remove(0)),
        _ => Err("it holds more than one document".to_owned()),
    }
}

fn convert(node: YamlOwned) -> Result<Value, String> {
    Ok(match node {
        YamlOwned::Value(scalar) => from_scalar(scalar),
        YamlOwned::Representation(text, ..) => Value::String(text),
        YamlOwned::Sequence(items) => Value::Array(items.into_iter().map(convert).collect::<Result<_, _>>()?),
        YamlOwned::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let key = match convert(key)? {
                    Value::String(text) => text,
                    Value::Null => "null".to_owned(),
                    other @ (Value::Bool(_) | Value::Number(_)) => other.to_string(),
                    _ => return Err("a key is not a plain word".to_owned()),
                };
                map.insert(key, convert(value)?);
            }
            Value::Object(map)
        }
        YamlOwned::Tagged(tag, node) => tagged(&tag, convert(*node)?),
        YamlOwned::Alias(_) => return Err("aliases are not supported".to_owned()),
        YamlOwned::BadValue => return Err("a value does not fit its tag".to_owned()),
    })
}

fn from_scalar(scalar: ScalarOwned) -> Value {
    match scalar {
        ScalarOwned::Null => Value::Null,
        ScalarOwned::Boolean(b) => Value::Bool(b),
        ScalarOwned::Integer(n) => Value::from(n),
        ScalarOwned::FloatingPoint(f) => Number::from_f64(f.into_inner()).map_or(Value::Null, Value::Number),
        ScalarOwned::String(text) => Value::String(text),
    }
}

fn tagged(tag: &Tag, value: Value) -> Value {
    match (tag.suffix.as_str(), value) {
        ("Ref", value) => json!({"Ref": value}),
        ("Condition", value) => json!({"Condition": value}),
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').unwrap_or((&path, ""));
            json!({"Fn::GetAtt": [resource, attribute]})
        }
        (name, value) if tag.handle == "!" => json!({format!("Fn::{name}"): value}),
        (_, value) => value,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_long_forms() {
        let text =
            "a: !Sub '${X}-b'\nb: !GetAtt Q.Arn\nc: !Ref P\nd: !Join ['', [1, !Ref P]]\n2012-10-17: [yes, true]\n";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": {"Fn::Sub": "${X}-b"}, "b": {"Fn::GetAtt": ["Q", "Arn"]}, "c": {"Ref": "P"},
                "d": {"Fn::Join": ["", [1, {"Ref": "P"}]]}, "2012-10-17": ["yes", true],
            })
        );
    }

    #[test]
    fn broken_yaml_is_one_line() {
        let message = parse("a: [1\nb: 2").unwrap_err();
        assert!(!message.contains('\n'), "{message}");
    }
}
