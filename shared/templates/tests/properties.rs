//! What holds whatever the data and whatever the source.

use proptest::prelude::*;
use serde_json::{Value, json};
use templates::{Content, Source, Template};

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
        let template = compile("s", "<p title=\"{{a}}\">x{{default a \"\"}}{{lookup b 0}}</p>", None);
        let html = template.render(&json!({"a": value, "b": [value]})).unwrap().html;
        prop_assert_eq!(html.matches('<').count(), 4);
        prop_assert_eq!(html.matches('>').count(), 4);
        prop_assert_eq!(html.matches('"').count(), 4);
    }
}

/// Pieces of which sources are made that are nearly right.
fn nearly(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<String>(),
        2 => "[a-zé<>&{}#/~:;@!*\"'\\\\ .=-]{0,12}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

const MJML: &[&str] = &[
    "<mjml>",
    "</mjml>",
    "<mj-body>",
    "</mj-body>",
    "<mj-head>",
    "</mj-head>",
    "<mj-section>",
    "</mj-section>",
    "<mj-column>",
    "</mj-column>",
    "<mj-text>",
    "</mj-text>",
    "<mj-raw>",
    "</mj-raw>",
    "<mj-image src=\"",
    "\"/>",
    "<mj-table>",
    "</mj-table>",
    "<tr>",
    "</tr>",
    "{{a}}",
    "{{#if a}}",
    "{{/if}}",
    "{{#each a}}",
    "{{/each}}",
    "<!--",
    "-->",
    "<!--[if mso]>",
    "<![endif]-->",
    "<mj-style inline=\"inline\">",
    "</mj-style>",
    "<mj-",
    "{{",
    "}}",
    "<![CDATA[",
];

const HTML: &[&str] = &[
    "<style>",
    "</style>",
    "p",
    ".a",
    "#b",
    ">",
    "[c=\"d\"]",
    ":hover",
    " ",
    ",",
    "{",
    "}",
    "{x:1}",
    "@media x {",
    "/*",
    "*/",
    "<p class=\"a\">",
    "</p>",
    "<div id=b style='y:2'>",
    "</div>",
    "{{a}}",
    "{{#if a}}",
    "{{else}}",
    "{{/if}}",
    "{{{a}}}",
    "<!--",
    "-->",
    "<!--[if mso]>",
    "<![endif]-->",
    "\"",
    "'",
    "\\",
    "<p {{#if a}}",
    "class=\"{{a}} b\"",
    "<td",
    ">",
];

/// What a text has of mustaches.
fn mustaches(text: &str) -> Vec<String> {
    text.split("{{").skip(1).filter_map(|rest| Some(rest.split_once("}}")?.0.to_owned())).collect()
}

proptest! {
    #[test]
    fn any_mjml_becomes_html_or_says_why(inner in nearly(MJML), whole in nearly(MJML)) {
        let body = format!("<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>");
        for mjml in [body, whole] {
            let content = Content { subject: "s".to_owned(), mjml: Some(mjml), ..Content::default() };
            if let Ok(template) = Template::compile(&content.into()) {
                let _ = template.render(&json!({"a": ["<i>", {"b": 1}]}));
            }
        }
    }

    #[test]
    fn any_styles_go_into_any_tags_or_stay(sheet in nearly(HTML), body in nearly(HTML)) {
        for html in [format!("<style>{sheet}</style>{body}"), format!("{body}{sheet}")] {
            if let Ok(template) = Template::compile(&Content::of("s", html).into()) {
                let _ = template.render(&json!({"a": ["<i>", {"b": 1}]}));
            }
        }
    }

    #[test]
    fn partials_of_any_kind_are_put_in_or_refused(one in nearly(PARTIALS), two in nearly(PARTIALS), html in nearly(PARTIALS)) {
        let all = [("one".to_owned(), one), ("two".to_owned(), two)].into();
        let source = Source::from(Content::of("s", html)).with_partials(&all);
        if let Ok(template) = Template::compile(&source) {
            let _ = template.render(&json!({"a": "x"}));
        }
        let _ = Template::check_partial("one", &all);
    }

    /// Rendered with words that name themselves, MJML has the values that its texts ask for, in order.
    #[test]
    fn mustaches_come_out_of_mjml_in_order(texts in prop::collection::vec("[a-z ]{0,5}\\{\\{[a-z]{1,6}\\}\\}[a-z ]{0,5}", 1..8)) {
        let column: String = texts.iter().map(|text| format!("<mj-text>{text}</mj-text>")).collect();
        let mjml = format!("<mjml><mj-body><mj-section><mj-column>{column}</mj-column></mj-section></mj-body></mjml>");
        let names = mustaches(&mjml);
        let data: Value = names.iter().map(|name| (name.clone(), json!(format!("«{name}»")))).collect();
        let content = Content { subject: "s".to_owned(), mjml: Some(mjml), ..Content::default() };
        let html = Template::compile(&content.into()).unwrap().render(&data).unwrap().html;
        let printed: Vec<String> = html.split('«').skip(1).map(|rest| rest.split('»').next().unwrap().to_owned()).collect();
        prop_assert_eq!(printed, names);
    }

    /// Whatever styles there are, what a mail says is the same, mustache by mustache.
    #[test]
    fn styles_change_nothing_that_is_said(body in prop::collection::vec(prop_oneof![
        Just("<p class=\"a {{b}}\">".to_owned()), Just("</p>".to_owned()), Just("<td title='{{c}}'>".to_owned()),
        Just("{{#if d}}".to_owned() + "<div>{{e}}</div>" + "{{/if}}"), "[a-z ]{0,6}", Just("{{f}}".to_owned())], 0..12)) {
        let body = body.concat();
        let data = json!({"b": "B", "c": "C", "d": true, "e": "E", "f": "F"});
        let render = |html: String| Template::compile(&Content::of("s", html).into()).unwrap().render(&data).unwrap();
        let plain = render(format!("x{body}"));
        let styled = render(format!("<style>p{{m:1}} .a,.b{{n:2}} div > p{{o:3}} td:hover{{q:1}}</style>x{body}"));
        prop_assert_eq!(plain.text, styled.text);
        let stripped = styled.html.replace("m: 1; ", "").replace("m: 1;", "").replace("n: 2;", "").replace("o: 3;", "").replace(" style=\"\"", "");
        prop_assert!(stripped.ends_with(&plain.html) || stripped.replace(' ', "").ends_with(&plain.html.replace(' ', "")), "{} {}", stripped, plain.html);
    }
}

const PARTIALS: &[&str] = &[
    "{{> one}}",
    "{{> two}}",
    "{{#> one}}",
    "{{/one}}",
    "{{#> two}}",
    "{{/two}}",
    "{{> @partial-block}}",
    "{{~> one ~}}",
    "{{a}}",
    "{{#if a}}",
    "{{/if}}",
    "{",
    "}",
    "\\",
    "{{!-- ",
    " --}}",
    "x",
    "\n",
];
