//! Blocks and paths mean what they mean to Handlebars' own renderer.

use handlebars::{Handlebars, RenderErrorReason};
use proptest::prelude::*;
use serde_json::{Value, json};
use templates::{Content, NotRendered, Template};

/// Values that print as something.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Bool(true)),
        Just(Value::Bool(false)),
        (0..3_i64).prop_map(Value::from),
        "[k-p]{1,3}".prop_map(Value::from)
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    let names = prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "0", "1"]), 0..3);
    let from = prop::sample::select(vec![
        "a", "b", "c", "this", "x", "y", "../a", "../b", "../this", "../../c", "@root.a", "@root.b",
    ]);
    (from, names).prop_map(|(from, names)| {
        let rest: String = names.iter().map(|name| format!(".{name}")).collect();
        format!("{from}{rest}")
    })
}

/// What stands in a template beside paths and blocks.
const OTHER: [&str; 8] = ["{{@index}}", "{{@first}}", "{{@last}}", "{{@key}}", "{{@../index}}", "-", "\n", " ~ "];

fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => path().prop_map(|path| format!("{{{{{path}}}}}")),
        1 => path().prop_map(|path| format!("{{{{{{{path}}}}}}}")),
        1 => prop::sample::select(OTHER.to_vec())
            .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let body = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        let block = prop::sample::select(vec!["if", "unless", "each", "with"]);
        let params = prop::sample::select(vec!["", "", " as |x|", " as |x y|"]);
        (block, path(), params, body.clone(), prop::option::of(body)).prop_map(|(block, path, params, body, other)| {
            // Only loops have a second one, and only what is looked at can have a name.
            let params = match (block, params) {
                ("each", params) => params,
                ("with", " as |x|") => params,
                _ => "",
            };
            let other = other.map(|other| format!("{{{{else}}}}{other}")).unwrap_or_default();
            format!("{{{{#{block} {path}{params}}}}}\n{body}{other}{{{{/{block}}}}}\n")
        })
    })
}

/// What the crate's renderer makes of it; none where it takes a path for wrong that leads nowhere here.
fn by_the_crate(source: &str, data: &Value) -> Option<Result<String, String>> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(handlebars::no_escape);
    match registry.render_template(source, data) {
        Ok(text) => Some(Ok(text)),
        Err(error) if matches!(error.reason(), RenderErrorReason::InvalidJsonIndex(_)) => None,
        Err(error) => Some(Err(error.to_string())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn what_is_rendered_is_what_handlebars_renders(source in source(), a in value(), b in value(), c in value()) {
        let data = json!({"a": a, "b": b, "c": c});
        let content = Content { text: Some(format!(".{source}")), ..Content::of("s", "h") };
        let Ok(template) = Template::compile(&content.into()) else { return Ok(()) };
        let Some(expected) = by_the_crate(&format!(".{source}"), &data) else { return Ok(()) };
        match template.render(&data) {
            Ok(rendered) => prop_assert_eq!(Ok(rendered.text), expected),
            // It would print a list, or nothing, as something.
            Err(NotRendered::Failed { message, .. }) => {
                prop_assert!(message.contains("cannot be printed"), "{}", message);
            }
            Err(NotRendered::Missing { path, .. }) => {
                prop_assert!(expected.is_err(), "no {}, but {:?}", path, expected);
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
