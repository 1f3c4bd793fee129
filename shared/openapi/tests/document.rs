//! The document as a whole: what OpenAPI 3.1 asks of it, and that it changes only on
//! purpose.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

use std::collections::BTreeSet;

use serde_json::Value;

fn document() -> Value {
    openapi::document("https://api.example.com")
}

/// Each operation with its method and path.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, one)| (method.as_str(), path.as_str(), one))
        })
        .collect()
}

fn each<'v>(value: &'v Value, visit: &mut impl FnMut(&'v Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| each(field, visit)),
        _ => {}
    }
}

fn followed<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    value["$ref"].as_str().map_or(value, |to| document.pointer(&to[1..]).expect(to))
}

#[test]
fn every_route_has_an_operation_and_every_operation_a_route() {
    assert_eq!(openapi::astray(), Vec::<String>::new());
    assert_eq!(operations(&document()).len(), contracts::ROUTES.len());
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_led_to() {
    let document = document();
    let mut led_to = BTreeSet::new();
    each(&document, &mut |value| {
        if let Some(to) = value["$ref"].as_str() {
            assert!(to.starts_with('#') && document.pointer(&to[1..]).is_some(), "{to}");
            led_to.insert(to.to_owned());
        }
    });
    for kind in ["schemas", "responses", "parameters", "headers"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)), "{name}");
            assert!(led_to.contains(&format!("#/components/{kind}/{name}")), "nothing leads to {kind}/{name}");
        }
    }
}

#[test]
fn every_operation_is_what_openapi_asks_for() {
    let document = document();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(["get", "put", "post", "patch", "delete", "options"].contains(&method), "{place}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}");
        assert!(tags.contains(&&operation["tags"][0]) && operation["summary"].is_string(), "{place}");
        assert!(!(operation["requestBody"].is_object() && ["get", "delete", "options"].contains(&method)), "{place}");

        let mut given: Vec<(&str, &str)> = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = followed(&document, parameter);
            let (at, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
            assert!(parameter["schema"].is_object() && !given.contains(&(at, name)), "{place} {name}");
            assert!(at != "path" || parameter["required"] == true, "{place} {name}");
            given.push((at, name));
        }
        let of_path: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let declared: BTreeSet<&str> = given.iter().filter(|(at, _)| *at == "path").map(|(_, name)| *name).collect();
        assert_eq!(of_path, declared, "{place}");

        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{place}");
        for (status, response) in responses {
            let response = followed(&document, response);
            assert!(response["description"].is_string() && status.len() == 3, "{place} {status}");
            if status.starts_with(['4', '5']) && path.starts_with("/v1/") {
                assert!(response["content"]["application/problem+json"].is_object(), "{place} {status}");
            }
        }
        for schemes in operation["security"].as_array().unwrap() {
            for scheme in schemes.as_object().unwrap().keys() {
                assert!(document["components"]["securitySchemes"][scheme].is_object(), "{place} {scheme}");
            }
        }
    }
}

#[test]
fn no_two_paths_differ_by_the_names_of_their_parts_alone() {
    let document = document();
    let mut shapes = BTreeSet::new();
    for path in document["paths"].as_object().unwrap().keys() {
        let shape: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect();
        assert!(shapes.insert(shape.join("/")), "{path}");
    }
}

#[test]
fn who_may_call_is_what_the_authorizer_goes_by() {
    let document = document();
    for route in contracts::ROUTES {
        let (method, path) = route.key.split_once(' ').unwrap();
        let operation = &document["paths"][path][method.to_lowercase()];
        let scopes: Vec<&str> = route.scopes.iter().map(|scope| scope.as_str()).collect();
        if !scopes.is_empty() {
            assert_eq!(operation["x-scopes"], serde_json::json!(scopes), "{}", route.key);
        }
        let parameters = operation["parameters"].to_string();
        assert_eq!(parameters.contains("idempotency-key"), method == "POST", "{}", route.key);
    }
}

/// JSON with a line for each part of an operation and each property of a schema.
fn written(value: &Value, depth: usize) -> String {
    const DEEPEST: usize = 5;
    match value.as_object() {
        Some(fields) if depth < DEEPEST && !fields.is_empty() => {
            let space = " ".repeat(depth);
            let field = |(name, value): (&String, &Value)| {
                format!("{space} {}: {}", Value::from(name.as_str()), written(value, depth + 1))
            };
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{\n{}\n{space}}}", fields.join(",\n"))
        }
        _ => value.to_string(),
    }
}

#[test]
fn the_document_changes_only_on_purpose() {
    let document = written(&document(), 0);
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("openapi", document) });
}
