//! What holds whatever the data and whatever the source.

use proptest::prelude::*;
use serde_json::{Value, json};
use templates::{Content, Template};

fn json_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[<>&\"'`=a-z \r\n\u{2028}]{0,12}",
        Just("2026-05-01T10:00:00Z".to_owned()),
        "-?[0-9]{1,30}(\\.[0-9]{1,3})?",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-e]", inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

/// A template that asks for everything, and does not insist.
fn curious() -> Template {
    let body = "{{#if (gt a b)}}{{default c \"x\"}}{{else}}{{a}}{{/if}}{{#each (limit d 2)}}{{this}}{{/each}}\
                {{#with e}}{{money a \"EUR\"}}{{/with}}{{date b \"%F\" c}}{{number a}}{{plural b c d}}{{url e a=b}}\
                {{len a}}{{lookup d 1}}{{{c}}}";
    compile("{{a}}", body, None)
}

fn compile(subject: &str, html: &str, text: Option<&str>) -> Template {
    let content = Content {
        text: text.map(str::to_owned),
        preheader: Some("{{default a \"-\"}}".to_owned()),
        ..Content::of(subject, html)
    };
    Template::compile(&content.into()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

proptest! {
    #[test]
    fn any_data_renders_or_says_why(data in json_value(), wrapped in json_value()) {
        let template = curious();
        let _ = template.render(&data);
        let _ = template.render(&json!({"a": wrapped, "b": data, "c": wrapped, "d": [data], "e": {"a": wrapped}}));
    }

    #[test]
    fn each_helper_takes_any_value(value in json_value(), other in json_value()) {
        let data = json!({"a": value, "b": other});
        for call in ["{{money a b}}", "{{number a b}}", "{{date a b}}", "{{date a \"%F %T\" b}}", "{{plural a b b}}",
                     "{{default a b}}", "{{#each (limit a b)}}{{this}}{{/each}}", "{{lookup a b}}", "{{url a x=b}}",
                     "{{eq a b}}{{gt a b}}{{and a b}}", "{{#if a}}{{block \"x\"}}{{/if}}", "{{{a}}}", "{{#each a}}{{@key}}{{/each}}"] {
            let _ = compile("s", call, None).render(&data);
        }
    }

    #[test]
    fn any_source_compiles_or_says_why(parts in prop::collection::vec(prop_oneof![
        any::<String>(),
        "[a-z<>&{}()\\[\\]#/~^!>*\"'\\\\ .@=|-]{0,20}",
        prop::sample::select(vec!["{{#if a}}", "{{else}}", "{{/if}}", "{{a}}", "{{{a}}}", "{{!--", "--}}", "{{", "}}",
            "{{~", "<a href=\"", "\">", "</a>", "<!--", "-->", "{{#each a as |b|}}", "{{/each}}", "&#123;", "\\", "{{{{"])
            .prop_map(str::to_owned),
    ], 0..12)) {
        let html = parts.concat();
        if let Ok(template) = Template::compile(&Content::of(html.clone(), html).into()) {
            let _ = template.render(&json!({"a": ["<i>", {"b": 1}]}));
        }
    }

    #[test]
    fn a_subject_is_one_line(value in any::<String>(), other in "[\r\n\t\u{0}-\u{20}\u{85}\u{2028}\u{2029}a:]{1,40}") {
        let template = compile("{{a}} {{b}} {{{a}}}", "h", None);
        if let Ok(rendered) = template.render(&json!({"a": value, "b": other})) {
            let breaks = |c: char| c.is_control() || ['\u{2028}', '\u{2029}'].contains(&c);
            prop_assert!(!rendered.subject.contains(breaks));
            prop_assert!(!rendered.subject.is_empty() && rendered.subject.len() <= 998);
        }
    }

    #[test]
    fn no_value_adds_a_tag_or_ends_an_attribute(value in "[<>&\"'`=/a-z!-]{1,30}|\\PC{1,30}") {
        let template = compile("s", "<p title=\"{{a}}\">{{default a \"\"}}{{lookup b 0}}</p>", None);
        let html = template.render(&json!({"a": value, "b": [value]})).unwrap().html;
        prop_assert_eq!(html.matches('<').count(), 4);
        prop_assert_eq!(html.matches('>').count(), 4);
        prop_assert_eq!(html.matches('"').count(), 4);
    }
}
