//! What the page's template is filled with.

use serde_json::{Value, json};

use super::words::{inline, kind, limits, markdown, name_of};

/// Everything on the page.
pub(super) fn of(document: &Value) -> Value {
    let operations = crate::operations(document);
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let subjects: Vec<Value> =
        tags.iter().enumerate().map(|(number, tag)| subject(document, &operations, number, tag)).collect();
    let schemas: Vec<Value> = document["components"]["schemas"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, schema)| json!({ "name": name, "about": about(document, schema) }))
        .collect();
    let problems: Vec<Value> = contracts::Kind::ALL
        .into_iter()
        .map(|kind| {
            let problem = json!(contracts::Problem::new(kind));
            json!({ "type": problem["type"], "status": problem["status"], "title": problem["title"] })
        })
        .collect();
    json!({
        "title": document["info"]["title"],
        "server": document["servers"][0]["url"],
        "about": markdown(document["info"]["description"].as_str().unwrap_or_default()),
        "subjects": subjects, "schemas": schemas, "problems": problems,
    })
}

fn subject(document: &Value, operations: &[(String, String, &Value)], number: usize, tag: &Value) -> Value {
    let own = operations.iter().filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
    let shown: Vec<Value> = own.map(|(method, path, operation)| shown(document, method, path, operation)).collect();
    let description = inline(tag["description"].as_str().unwrap_or_default());
    json!({ "anchor": format!("subject-{number}"), "name": tag["name"], "description": description, "operations": shown })
}

fn shown(document: &Value, method: &str, path: &str, operation: &Value) -> Value {
    let parameters: Vec<&Value> = operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|parameter| followed(document, parameter))
        .collect();
    let rows: Vec<Value> = parameters
        .iter()
        .map(|parameter| {
            let place = match parameter["in"].as_str() {
                Some("path") => "path",
                Some("header") => "header",
                _ => "query",
            };
            row(
                &parameter["name"],
                &parameter["schema"],
                parameter["required"] == true,
                &parameter["description"],
                place,
            )
        })
        .collect();
    let content = operation["requestBody"]["content"].as_object();
    let bodies: Vec<Value> = content
        .into_iter()
        .flatten()
        .map(|(media_type, body)| json!({ "media_type": media_type, "about": about(document, followed(document, &body["schema"])), "kind": kind(&body["schema"]) }))
        .collect();
    let answers: Vec<Value> = operation["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(status, answer)| answered(document, status, answer))
        .collect();
    let scopes: Vec<String> =
        operation["x-scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    // The scopes stand beside the path already.
    let said = operation["description"].as_str().unwrap_or_default();
    let said = said.rsplit_once("Takes a key with the scope").map_or(said, |(said, _)| said);
    json!({
        "id": operation["operationId"], "method": method, "path": path, "summary": operation["summary"],
        "description": markdown(said), "scopes": scopes, "parameters": rows, "bodies": bodies, "answers": answers,
        "curl": curl(document, method, path, operation, &parameters),
    })
}

/// What a reference leads to.
fn followed<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let pointer = value["$ref"].as_str().and_then(|to| to.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn row(name: &Value, schema: &Value, required: bool, description: &Value, place: &str) -> Value {
    json!({
        "name": name, "kind": kind(schema), "limits": limits(schema), "required": required, "place": place,
        "description": inline(description.as_str().unwrap_or_default()),
    })
}

/// A schema: what it says of itself, its properties and those of its variants.
fn about(document: &Value, schema: &Value) -> Value {
    let own = |variant: &&Value| name_of(variant).is_none();
    let variants: Vec<&Value> = schema["oneOf"].as_array().into_iter().flatten().filter(own).collect();
    let mut tables: Vec<Value> = table(schema, "").into_iter().collect();
    for variant in &variants {
        tables.extend(table(followed(document, variant), variant["description"].as_str().unwrap_or_default()));
    }
    let kind = if tables.is_empty() || tables.len() < variants.len() { kind(schema) } else { String::new() };
    json!({
        "description": inline(schema["description"].as_str().unwrap_or_default()),
        "kind": kind, "limits": limits(schema), "tables": tables,
    })
}

fn table(schema: &Value, caption: &str) -> Option<Value> {
    let mut rows = Vec::new();
    gather(schema, "", &mut rows)?;
    let more = &schema["additionalProperties"]["description"];
    Some(json!({ "caption": inline(caption), "rows": rows, "more": inline(more.as_str().unwrap_or_default()) }))
}

/// The properties of an object, and after each that is an object or a list of objects
/// those of it, if it has no name under which they could be looked up.
fn gather(schema: &Value, within: &str, rows: &mut Vec<Value>) -> Option<()> {
    let properties = schema["properties"].as_object()?;
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name));
    for name in schema["x-order"].as_array()?.iter().filter_map(Value::as_str) {
        let Some(property) = properties.get(name) else { continue };
        let path = format!("{within}{name}");
        rows.push(row(&json!(path), property, required(name), &property["description"], ""));
        gather(property, &format!("{path}."), rows);
        gather(&property["items"], &format!("{path}[]."), rows);
    }
    Some(())
}

fn answered(document: &Value, status: &str, answer: &Value) -> Value {
    let answer = followed(document, answer);
    // What the program itself answers comes after what API Gateway does.
    let schema = answer["content"]
        .as_object()
        .and_then(|content| content.values().next_back())
        .map(|content| &content["schema"]);
    let types = schema.and_then(|schema| schema["allOf"][1]["properties"]["type"]["enum"].as_array()).cloned();
    let body = match (&types, schema) {
        (Some(_), _) => "<a href=\"#schema-Problem\">Problem</a>".to_owned(),
        (None, Some(schema)) => kind_of_answer(schema),
        (None, None) => String::new(),
    };
    let headers: Vec<&String> = answer["headers"].as_object().into_iter().flatten().map(|(name, _)| name).collect();
    json!({
        "status": status, "good": status.starts_with('2'), "description": inline(answer["description"].as_str().unwrap_or_default()),
        "body": body, "types": types.unwrap_or_default(), "headers": headers,
    })
}

/// A page of a list is told by what is on it.
fn kind_of_answer(schema: &Value) -> String {
    let items = &schema["properties"]["items"];
    if items.is_object() { format!("page of {}", kind(&items["items"])) } else { kind(schema) }
}

/// The operation as a command to try.
fn curl(document: &Value, method: &str, path: &str, operation: &Value, parameters: &[&Value]) -> String {
    let server = document["servers"][0]["url"].as_str().unwrap_or_default();
    let (mut path, mut query) = (path.to_owned(), Vec::new());
    for parameter in parameters {
        let (Some(name), Some(example)) = (parameter["name"].as_str(), parameter["example"].as_str()) else { continue };
        match parameter["in"].as_str() {
            Some("path") => path = path.replace(&format!("{{{name}}}"), example),
            _ => query.push(if example.is_empty() { name.to_owned() } else { format!("{name}={example}") }),
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut lines = vec![match method {
        "GET" => format!("curl '{server}{path}{query}'"),
        method => format!("curl -X {method} '{server}{path}{query}'"),
    }];
    let secured = operation["security"].as_array().is_some_and(|security| !security.is_empty());
    if secured && operation["security"][0]["key"].is_array() {
        let segment = operation["tags"][0].as_str().is_some_and(|tag| tag.starts_with("Segment"));
        lines.push(if segment {
            "-u \"$CARTWIRE_KEY:\"".into()
        } else {
            "-H \"Authorization: Bearer $CARTWIRE_KEY\"".into()
        });
    }
    let content = operation["requestBody"]["content"].as_object();
    let body = content.and_then(|content| content.get_key_value("application/json").or_else(|| content.iter().next()));
    if let Some((media_type, body)) = body {
        lines.push(format!("-H 'Content-Type: {media_type}'"));
        if let Some(example) = example(document, &body["schema"]) {
            lines.push(format!("--data-binary '{}'", example.replace('\'', "'\\''")));
        }
    }
    lines.join(" \\\n  ")
}

fn example(document: &Value, schema: &Value) -> Option<String> {
    let schema = followed(document, schema);
    let own = schema["examples"].get(0).cloned();
    let listed = || {
        let items = followed(document, &schema["oneOf"][0]["items"]);
        Some(json!([items["examples"].get(0)?]))
    };
    match own.or_else(listed)? {
        Value::String(text) => Some(text.trim_end().to_owned()),
        example => serde_json::to_string_pretty(&example).ok(),
    }
}
