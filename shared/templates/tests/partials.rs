//! Partials and layouts: what is put in where, and where a fault is.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use templates::{Content, NotRendered, Source, Template};

fn partials(known: &[(&str, &str)]) -> BTreeMap<String, String> {
    known.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned())).collect()
}

fn source(text: &str, known: &[(&str, &str)]) -> Source {
    let content = Content { text: Some(text.to_owned()), ..Content::of("s", "h") };
    Source::from(content).with_partials(&partials(known))
}

fn data() -> Value {
    json!({"name": "Ann", "items": [{"name": "Mug"}, {"name": "Cup"}], "yes": true})
}

#[track_caller]
fn check(text: &str, known: &[(&str, &str)], expected: &str) {
    let template = Template::compile(&source(text, known)).unwrap_or_else(|problems| panic!("{text}: {problems:?}"));
    let rendered = template.render(&data()).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(rendered.text, expected, "{text}");
}

#[track_caller]
fn check_problem(text: &str, known: &[(&str, &str)], expected: &str) {
    let mut source = source(text, &[]);
    source.partials = partials(known);
    let problems = Template::compile(&source).expect_err(text);
    let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
    assert!(problem.to_string().starts_with(expected), "{text}: {problem}");
}

#[test]
fn a_partial_sees_what_is_seen_where_it_stands() {
    check("{{> hi}}!", &[("hi", "Hello {{name}}\n")], "Hello Ann!");
    check("{{#each items}}{{> item}}{{/each}}", &[("item", "- {{name}} of {{../name}}\n")], "- Mug of Ann- Cup of Ann");
    check("{{> a.b-c_1}} {{>a.b-c_1}}", &[("a.b-c_1", "x\r\n")], "x x");
    check("a   {{~> hi ~}}   b", &[("hi", " {{name}} ")], "a Ann b");
    check("{{> outer}}", &[("outer", "[{{> inner}}{{> inner}}]"), ("inner", "{{name}}")], "[AnnAnn]");
    check("{{#if yes}}{{> hi}}{{else}}no{{/if}}", &[("hi", "{{#each items}}{{name}} {{/each}}")], "Mug Cup ");
    check("\\{{> hi}}", &[], "{{> hi}}");
}

#[test]
fn a_layout_is_put_around_its_block() {
    let layout = ("layout", "<{{> @partial-block}}|{{> @partial-block}}>");
    check("{{#> layout}}Hi {{name}}{{/layout}}", &[layout], "<Hi Ann|Hi Ann>");
    check("{{#> layout}}{{#> layout}}x{{/layout}}{{/layout}}", &[layout], "<<x|x>|<x|x>>");
    // A layout in a layout: each block goes to the one that it was written for.
    let page = ("page", "({{#> layout}}page {{> @partial-block}}{{/layout}})");
    check("{{#> page}}{{name}}{{/page}}", &[layout, page], "(<page Ann|page Ann>)");
    check("{{#> layout}}{{#if yes}}{{> hi}}{{/if}}{{/layout}}", &[layout, ("hi", "hi")], "<hi|hi>");
    check("{{#> layout ~}}  x  {{~/layout}}", &[layout], "<x|x>");
}

#[test]
fn what_is_wrong_is_said_at_the_place_where_it_was_written() {
    check_problem("a\n {{> footer}}", &[], "text, line 2, column 2: there is no partial \"footer\"");
    check_problem(
        "{{> a}}",
        &[("a", "x\n{{> b}}"), ("b", "\n\n  {{frob 1}}")],
        "text, partial b, line 3, column 3: there is no helper \"frob\"",
    );
    check_problem("{{> a}}\n{{frob 1}}", &[("a", "1\n2\n3\n")], "text, line 2, column 1: there is no helper");
    check_problem("{{> a}}", &[("a", "x {{#if y}}")], "text, partial a, line 1");
    check_problem(
        "{{> a}}",
        &[("a", "{{> b}}"), ("b", "\n{{> a}}")],
        "text, partial b, line 2, column 1: partials go round in a circle: a → b → a",
    );
    check_problem("{{> a}}", &[("a", "x{{> @partial-block}}")], "text, partial a, line 1, column 2: a is a layout");
    check_problem("{{> @partial-block}}", &[], "text, line 1, column 1: @partial-block stands in a layout only");
    check_problem("{{#> a}}x", &[("a", "")], "text, line 1, column 1: this is not closed: {{/a}} is missing");
    check_problem("{{#> a}}x{{/b}}", &[("a", "")], "text, line 1, column 10: {{/a}} is expected here");
    check_problem("{{> a name=\"x\"}}", &[("a", "")], "text, line 1, column 1: a partial is given nothing here");
    check_problem("{{> (lookup a b)}}", &[], "text, line 1, column 1: the name of a partial must be written out");
    check_problem(
        "{{> a}}{{> a}}",
        &[("a", "{x{")],
        "text, partial a, line 1, column 1: a partial begins or ends here",
    );
}

#[test]
fn what_is_missing_is_said_at_the_place_where_it_was_written() {
    let source = source("{{> a}}", &[("a", "x\n {{> b}}"), ("b", "\n{{nothing}}")]);
    let error = Template::compile(&source).unwrap().render(&data()).unwrap_err();
    assert_eq!(error.to_string(), "text, partial b, line 2, column 1: there is no nothing");
    let NotRendered::Missing { place, .. } = error else { panic!("{error}") };
    assert_eq!(place.partial.as_deref(), Some("b"));
}

#[test]
fn partials_that_multiply_are_stopped() {
    let double = |name: &str, next: &str| (name.to_owned(), format!("{{{{> {next}}}}}{{{{> {next}}}}}"));
    let mut known: BTreeMap<String, String> =
        (0..30).map(|n| double(&format!("p{n}"), &format!("p{}", n + 1))).collect();
    known.insert("p30".into(), String::new());
    let compile = |text: &str, known: &BTreeMap<String, String>| {
        let problems = Template::compile(&Source { partials: known.clone(), ..source(text, &[]) }).expect_err(text);
        problems[0].message.clone()
    };
    assert_eq!(compile("{{> p0}}", &known), "more than 1000 partials are put in");
    known.insert("p30".into(), "x".repeat(100_000));
    assert_eq!(compile("{{> p20}}", &known), "comes to more than 262144 bytes with its partials");
    let chain = (0..100).map(|n| (format!("p{n}"), format!("{{{{> p{}}}}}", n + 1))).collect();
    assert_eq!(compile("{{> p0}}", &chain), "partials are more than 32 deep in each other");
    let blocks = format!("{}x{}", "{{#> l}}".repeat(60), "{{/l}}".repeat(60));
    assert_eq!(
        compile(&blocks, &partials(&[("l", "{{> @partial-block}}")])),
        "partials are more than 32 deep in each other"
    );
}

#[test]
fn a_version_carries_what_it_uses_and_nothing_else() {
    let all = [("a", "{{> b}}"), ("b", "x"), ("c", "{{> a}}"), ("d", "y")];
    let carried = source("{{#if x}}{{#> a}}{{> d}}{{/a}}{{/if}}{{> gone}}", &all).partials;
    assert_eq!(carried.keys().collect::<Vec<_>>(), ["a", "b", "d"]);
    assert!(source("\\{{> a}} {{!-- {{> b}} --}}", &all).partials.is_empty());
    let translated =
        Source { translations: BTreeMap::from([("lv".to_owned(), Content::of("{{> b}}", "h"))]), ..source("x", &[]) };
    assert!(translated.names_partials());
    assert_eq!(translated.with_partials(&partials(&all)).partials.len(), 1);
}

#[test]
fn a_partial_is_checked_by_itself() {
    let check = |source: &str| {
        let known = partials(&[("it", source), ("other", "\n{{frob}} {{> it}}")]);
        let problems = Template::check_partial("it", &known).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(check("<p>{{> @partial-block}}</p>{{shop.name}}").is_empty());
    assert_eq!(check("{{> @partial-block}}\n {{frob 1}}").len(), 1);
    assert!(check("{{> @partial-block}}\n {{frob 1}}")[0].starts_with("html, line 2, column 2: there is no helper"));
    assert!(check("{{> other}}")[0].contains("circle: other → it → other"), "{:?}", check("{{> other}}"));
    assert!(check("{{#if a}}").len() == 1 && check(" ").len() == 1 && check("{{> it}}").len() == 1);
}
