//! As much of JSON schema as the document uses, and what can be done to a body to
//! make it one that the schema refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The names seen of each object of the schemas.
pub(crate) type Seen = BTreeMap<String, BTreeSet<String>>;

/// A place in a body, and what the schema says of it.
#[derive(Debug, Clone)]
pub(crate) struct Site<'d> {
    pub(crate) pointer: String,
    pub(crate) schema: &'d Value,
    /// The JSON types that may stand here; empty for any.
    pub(crate) types: BTreeSet<&'d str>,
    /// The names that other variants have here: null may stand under them.
    pub(crate) beside: BTreeSet<&'d String>,
}

pub(crate) fn followed<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(to) => followed(document, document.pointer(&to[1..]).expect(to)),
        None => schema,
    }
}

fn variants(schema: &Value) -> Option<&Vec<Value>> {
    schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array())
}

fn types<'d>(document: &'d Value, schema: &'d Value) -> BTreeSet<&'d str> {
    let schema = followed(document, schema);
    if let Some(variants) = variants(schema) {
        return variants.iter().flat_map(|variant| types(document, variant)).collect();
    }
    match &schema["type"] {
        Value::String(one) => [one.as_str()].into(),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

fn fits_type(types: &BTreeSet<&str>, value: &Value) -> bool {
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    types.is_empty() || types.contains(is) || (is == "number" && types.contains("integer"))
}

/// What of a value does not fit, each with its place. What an object has that its
/// schema does not name does not fit either, unless the schema takes anything.
pub(crate) fn misfits(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let schema = followed(document, schema);
    if let Some(variants) = variants(schema) {
        let tried: Vec<_> = variants.iter().map(|variant| misfits(document, variant, value, at)).collect();
        return match tried.iter().filter(|tried| tried.is_empty()).count() {
            0 => tried.into_iter().flatten().collect(),
            1 => Vec::new(),
            _ if schema["oneOf"].is_null() => Vec::new(),
            several => vec![format!("{at}: fits {several} of the schemas")],
        };
    }
    let mut wrong = Vec::new();
    let mut check = |fits: bool, what: &str| {
        if !fits {
            wrong.push(format!("{at}: {what} {value}"));
        }
    };
    check(fits_type(&types(document, schema), value), "type");
    check(schema["enum"].as_array().is_none_or(|words| words.contains(value)), "enum");
    check(schema.get("const").is_none_or(|word| word == value), "const");
    let within = |name: &str, size: usize| schema[name].as_u64().is_none_or(|most| size as u64 <= most);
    let reaches = |name: &str, size: usize| schema[name].as_u64().is_none_or(|least| size as u64 >= least);
    check(schema.get("not").is_none_or(|not| !misfits(document, not, value, at).is_empty()), "not");
    check(value.as_object().is_none_or(|object| reaches("minProperties", object.len())), "minProperties");
    if let Some(number) = value.as_i64() {
        check(schema["minimum"].as_i64().is_none_or(|least| number >= least), "minimum");
        check(schema["maximum"].as_i64().is_none_or(|most| number <= most), "maximum");
    }
    if let Some(text) = value.as_str() {
        check(within("maxLength", text.chars().count()), "maxLength");
        check(reaches("minLength", text.chars().count()), "minLength");
    }
    if let Some(items) = value.as_array() {
        check(within("maxItems", items.len()), "maxItems");
        check(reaches("minItems", items.len()), "minItems");
        for (index, item) in items.iter().enumerate() {
            if schema["items"].is_object() {
                wrong.extend(misfits(document, &schema["items"], item, &format!("{at}/{index}")));
            }
        }
    }
    let parts = schema["allOf"].as_array().into_iter().flatten();
    wrong.extend(parts.flat_map(|part| misfits(document, part, value, at)));
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        wrong.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at}: lacks {name}")));
        for (name, value) in object {
            let place = format!("{at}/{name}");
            match schema["properties"].get(name) {
                Some(property) => wrong.extend(misfits(document, property, value, &place)),
                None if schema["properties"].is_object() => wrong.push(format!("{place} is not in the schema")),
                None if schema["additionalProperties"].is_object() => {
                    wrong.extend(misfits(document, &schema["additionalProperties"], value, &place));
                }
                None => {}
            }
        }
    }
    wrong
}

/// Every place of a body, and the names of its objects by their schemas.
pub(crate) fn sites<'d>(
    document: &'d Value,
    schema: &'d Value,
    value: &Value,
    at: &str,
    seen: &mut Seen,
    found: &mut Vec<Site<'d>>,
) {
    let all = types(document, schema);
    let mut schema = followed(document, schema);
    let mut beside = BTreeSet::new();
    while let Some(variants) = variants(schema) {
        let fits = |variant: &&Value| misfits(document, variant, value, at).is_empty();
        for variant in variants {
            note(document, variant, None, seen);
            let properties = followed(document, variant)["properties"].as_object();
            beside.extend(properties.into_iter().flatten().map(|(name, _)| name));
        }
        schema = followed(document, variants.iter().find(fits).expect("an example fits its schema"));
    }
    found.push(Site { pointer: at.to_owned(), schema, types: all, beside });
    if let Some(object) = value.as_object() {
        note(document, schema, Some(object), seen);
        for (name, value) in object {
            if let Some(property) = schema["properties"].get(name) {
                sites(document, property, value, &format!("{at}/{name}"), seen, found);
            }
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if schema["items"].is_object() {
            sites(document, &schema["items"], item, &format!("{at}/{index}"), seen, found);
        }
    }
}

fn note(document: &Value, schema: &Value, object: Option<&serde_json::Map<String, Value>>, seen: &mut Seen) {
    let schema = followed(document, schema);
    if schema["properties"].is_object() {
        let names = seen.entry(schema.to_string()).or_default();
        names.extend(object.into_iter().flatten().map(|(name, _)| name.clone()));
    }
}

/// The properties that none of the examples names, but for those that are never read.
pub(crate) fn unnamed(seen: &Seen) -> Vec<String> {
    let mut unnamed = Vec::new();
    for (schema, names) in seen {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let properties = schema["properties"].as_object().into_iter().flatten();
        unnamed.extend(
            properties
                .filter(|(name, property)| !names.contains(*name) && property["readOnly"] != true)
                .map(|(name, _)| format!("{name} of {}", schema["description"])),
        );
    }
    unnamed
}

/// The body with another value in one place.
pub(crate) fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).expect(pointer) = value;
    body
}

/// Bodies that the schema takes and bodies that it does not, made by changing what
/// stands in one place.
pub(crate) fn changed(body: &Value, site: &Site<'_>) -> (Vec<Value>, Vec<Value>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let schema = site.schema;
    let old = body.pointer(&site.pointer).unwrap();
    let number = |name: &str| schema[name].as_u64();
    for other in [json!(true), json!(7), json!("text"), json!([]), json!({})] {
        if !fits_type(&site.types, &other) {
            bad.push(other);
        }
    }
    if schema["enum"].is_array() || schema["format"].is_string() {
        bad.push(json!("no such word"));
    }
    if old.is_string()
        && let Some(most) = number("maxLength")
    {
        let text = |length: u64| json!("x".repeat(usize::try_from(length).unwrap()));
        bad.push(text(most + 1));
        good.extend(schema["pattern"].is_null().then(|| text(most)));
    }
    if schema["pattern"].is_string() {
        bad.push(json!("no such pattern!"));
    }
    if old.is_string() && number("minLength") == Some(1) {
        bad.push(json!(""));
    }
    if let (Some(items), Some(most)) = (old.as_array(), number("maxItems")) {
        let items = |count: u64| Value::Array(vec![items[items.len() - 1].clone(); usize::try_from(count).unwrap()]);
        bad.push(items(most + 1));
        good.push(items(most));
    }
    if number("minItems") == Some(1) {
        bad.push(json!([]));
    }
    if old.is_number()
        && let (Some(least), Some(most)) = (number("minimum"), number("maximum"))
    {
        bad.extend([json!(i64::try_from(least).unwrap() - 1), json!(most + 1)]);
        good.extend([json!(least), json!(most)]);
    }
    let bodies = |values: Vec<Value>| values.into_iter().map(|value| with(body, &site.pointer, value)).collect();
    let (good, mut bad): (Vec<Value>, Vec<Value>) = (bodies(good), bodies(bad));
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let mut without = body.clone();
        without.pointer_mut(&site.pointer).unwrap().as_object_mut().unwrap().remove(name);
        bad.push(without);
    }
    (good, bad)
}
