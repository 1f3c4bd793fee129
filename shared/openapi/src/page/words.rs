//! Schemas and Markdown in the words and tags of the page.

use handlebars::html_escape as escaped;
use serde_json::Value;

/// The little Markdown that descriptions have: paragraphs, `code` and **strong**.
pub(super) fn markdown(text: &str) -> String {
    text.split("\n\n").filter(|part| !part.is_empty()).map(|part| format!("<p>{}</p>", inline(part))).collect()
}

/// The same within a line.
pub(super) fn inline(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        let part = escaped(part);
        if number % 2 == 1 {
            html += &format!("<code>{part}</code>");
            continue;
        }
        for (number, part) in part.split("**").enumerate() {
            html += &if number % 2 == 1 { format!("<strong>{part}</strong>") } else { part.to_owned() };
        }
    }
    html
}

/// The name of the schema to which a reference leads.
pub(super) fn name_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// What a value is, in a few words.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(code).collect::<Vec<_>>().join(", ");
    }
    if let Some(word) = schema.get("const") {
        return code(word);
    }
    if let Some(schemas) = ["oneOf", "anyOf", "allOf"].iter().find_map(|name| schema[*name].as_array()) {
        return schemas.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).map(plain).collect::<Vec<_>>().join(" or "),
        Value::String(r#type) if r#type == "array" && schema["items"] != serde_json::json!({}) => {
            format!("list of {}", kind(&schema["items"]))
        }
        Value::String(r#type) => match (schema["format"].as_str(), r#type.as_str()) {
            (Some("date"), _) => "day".to_owned(),
            (Some("date-time"), _) => "instant".to_owned(),
            (Some("duration"), _) => "length of time".to_owned(),
            (_, r#type) => plain(r#type).to_owned(),
        },
        _ => "anything".to_owned(),
    }
}

/// Within which limits a value is.
pub(super) fn limits(schema: &Value) -> String {
    let number = |name: &str| schema[name].as_u64().map(spaced);
    let range = match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        _ => None,
    };
    let length =
        number("maxLength").filter(|_| schema["pattern"].is_null()).map(|most| format!("at most {most} characters"));
    let items = number("maxItems").map(|most| format!("at most {most}"));
    range.into_iter().chain(length).chain(items).collect::<Vec<_>>().join(", ")
}

fn code(value: &Value) -> String {
    format!("<code>{}</code>", escaped(value.as_str().unwrap_or(&value.to_string())))
}

fn plain(r#type: &str) -> &str {
    match r#type {
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "whole number",
        "array" => "list",
        other => other,
    }
}

/// A number as people write it: 1,000.
fn spaced(number: u64) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_escaped_and_marked() {
        assert_eq!(markdown("a <b> `c<`\n\n**d**"), "<p>a &lt;b&gt; <code>c&lt;</code></p><p><strong>d</strong></p>");
        assert_eq!(kind(&json!({"type": ["string", "null"]})), "text or null");
        assert_eq!(
            kind(&json!({"type": "array", "items": {"$ref": "#/x/Id"}})),
            "list of <a href=\"#schema-Id\">Id</a>"
        );
        assert_eq!(limits(&json!({"minimum": 1, "maximum": 10_000})), "1 to 10,000");
    }
}
