use super::*;
use crate::{Content, Shape};

fn template(html: &str) -> Template {
    Template::compile(&Content::of("s", html).into()).unwrap_or_else(|problems| panic!("{html}: {problems:?}"))
}

/// What is named, with a mark for how: `!` needed, `?` asked.
fn named(html: &str) -> Vec<String> {
    let mark = |named: &Named| if named.is_needed() { '!' } else { '?' };
    let shown = |named: &Named| named.paths.iter().map(|path| written(path)).collect::<Vec<_>>().join("|");
    template(html).paths().iter().map(|named| format!("{}{}", shown(named), mark(named))).collect()
}

#[track_caller]
fn check(html: &str, expected: &[&str]) {
    assert_eq!(named(html), expected, "{html}");
}

fn shape() -> Shape {
    let line = || {
        Shape::of([("name", Shape::Value), ("price", Shape::Value), ("fields", Shape::of([("size", Shape::Value)]))])
    };
    Shape::of([
        ("customer", Shape::of([("first_name", Shape::Value), ("last_name", Shape::Value), ("city", Shape::Value)])),
        ("order", Shape::of([("total", Shape::Value), ("lines", Shape::List(Box::new(line())))])),
        ("event", Shape::of([("context", Shape::Anything)])),
        ("codes", Shape::Names(["any", "one"].map(str::to_owned).into(), Box::new(Shape::Value))),
        ("now", Shape::Value),
    ])
}

#[track_caller]
fn check_misfit(html: &str, (line, column): (usize, usize), expected: &str) {
    let problems = template(html).misfits(&shape());
    let [problem] = &problems[..] else { panic!("{html}: {problems:?}") };
    assert_eq!((problem.place.line, problem.place.column), (line, column), "{html}: {problem}");
    assert_eq!(problem.message, expected, "{html}");
}

#[track_caller]
fn check_fits(html: &str) {
    assert_eq!(template(html).misfits(&shape()), [], "{html}");
}

#[test]
fn a_path_is_followed_through_blocks() {
    check("{{a.b}} {{{c}}} {{@root.d.e}}", &["a.b!", "c!", "d.e!"]);
    check(
        "{{#each a.b}}{{c}} {{this}} {{this.d}} {{../e}} {{@root.f}} {{@index}}{{/each}}",
        &["a.b!", "a.b[].c!", "a.b[]!", "a.b[].d!", "e!", "f!"],
    );
    check(
        "{{#with a}}{{b}}{{#each c}}{{d}}{{../b}}{{../../e}}{{/each}}{{/with}}",
        &["a!", "a.b!", "a.c!", "a.c[].d!", "a.b!", "e!"],
    );
    check(
        "{{#each a as |line index|}}{{line.b}} {{index}} {{c}}{{#each line.d as |x|}}{{x}}{{line.e}}{{/each}}{{/each}}",
        &["a!", "a[].b!", "a[].c!", "a[].d!", "a[].d[]!", "a[].e!"],
    );
    check("{{a.0.b}} {{a.[my field]}}", &["a.0.b!", "a.my field!"]);
}

#[test]
fn a_list_that_was_cut_or_ordered_has_the_items_it_had() {
    check("{{#each (limit (sort a.b \"c\") 3)}}{{d}}{{/each}}", &["a.b!", "a.b[].d!"]);
    check("{{#each (where a \"c\" x)}}{{d}}{{/each}}", &["a!", "x!", "a[].d!"]);
    check("{{#with (lookup a \"b\")}}{{c}}{{/with}}{{lookup a x}}", &["a!", "a.b.c!", "a!", "x!"]);
    check("{{#each (default a b)}}{{c}}{{else}}{{d}}{{/each}}", &["a?", "b?", "a[].c|b[].c?", "d!"]);
}

#[test]
fn what_a_template_can_do_without_is_only_asked_about() {
    check("{{#if a.b}}{{a.c}}{{d}}{{else}}{{a.e}}{{/if}}", &["a.b?", "a.c?", "d!", "a.e!"]);
    check("{{#unless a}}{{b}}{{else}}{{a.c}}{{/unless}}", &["a?", "b!", "a.c?"]);
    check("{{#if (and a (gt b.c 1))}}{{b.d}}{{else if e}}{{e.f}}{{/if}}", &["a?", "b.c?", "b.d?", "e?", "e.f?"]);
    check("{{default a b \"x\"}} {{default a b}} {{len c}}", &["a?", "b?", "a?", "b!", "c?"]);
    check(
        "{{money a.b a.c language=d}} {{url e f=g}} {{image h alt=i}}",
        &["a.b!", "a.c!", "d!", "e!", "g!", "h!", "i!"],
    );
    check("{{plural n one=a other=(money b c)}}", &["n!", "a!", "b!", "c!"]);
}

#[test]
fn promo_groups_are_known_before_it_is_rendered() {
    let groups = template("{{promo_code \"b\"}}{{#if x}}{{default (promo_code \"a\") \"-\"}}{{/if}}").promo_groups();
    let named: Vec<_> = groups.iter().map(|(group, place)| (group.as_str(), place.column)).collect();
    assert_eq!(named, [("a", 28), ("b", 1)]);
}

#[test]
fn a_group_of_promo_codes_that_there_is_not_is_named_with_its_place_and_what_is_near() {
    let unknown = |known: &[&str]| -> Vec<String> {
        let template = template("{{promo_code \"summer\"}}\n {{promo_code \"wintr\"}}{{promo_code \"wintr\"}}");
        let known = known.iter().map(|group| (*group).to_owned()).collect();
        template.unknown_groups(&known).iter().map(ToString::to_string).collect()
    };
    assert_eq!(unknown(&["summer", "wintr"]), [""; 0]);
    let wintr = "html, line 2, column 2: there is no group of promo codes \"wintr\"";
    assert_eq!(unknown(&["summer", "winter"]), [format!("{wintr}; did you mean \"winter\", \"summer\"?")]);
    assert_eq!(unknown(&[]), ["html, line 1, column 1: there is no group of promo codes \"summer\"", wintr]);
}

#[test]
fn what_is_not_there_is_named_with_its_place_and_what_is_near() {
    check_misfit(
        "<p>\n  {{customer.frist_name}}",
        (2, 3),
        "there is no customer.frist_name; did you mean customer.first_name, customer.last_name, customer.city?",
    );
    check_misfit("{{#if custmer.city}}x{{/if}}", (1, 1), "there is no custmer; did you mean customer, codes, order?");
    check_misfit(
        "{{#each order.lines}}\n{{nmae}}{{/each}}",
        (2, 1),
        "there is no order.lines[].nmae; did you mean order.lines[].name, order.lines[].price, order.lines[].fields?",
    );
    check_misfit(
        "{{#each (limit order.lines 3)}}{{fields.colour}}{{/each}}",
        (1, 32),
        "there is no order.lines[].fields.colour; did you mean order.lines[].fields.size?",
    );
    check_misfit("{{order.lines.name}}", (1, 1), "order.lines is a list; go through it with {{#each order.lines}}");
    check_misfit("{{now.year}}", (1, 1), "there is no now.year: now is a value and has no fields");
    check_misfit("{{order.lines}}", (1, 1), "order.lines is a list; go through it with {{#each …}}");
    check_misfit(
        "{{customer}}",
        (1, 1),
        "customer is an object; print one of its fields, such as city, first_name, last_name",
    );
    check_misfit("{{codes.ony}}", (1, 1), "there is no codes.ony; did you mean codes.any, codes.one?");
    check_misfit("{{#each order.total}}x{{/each}}", (1, 1), "order.total is no list");
    check_misfit(
        "{{default customer.nick \"x\"}}",
        (1, 1),
        "there is no customer.nick; did you mean customer.city, customer.last_name, customer.first_name?",
    );
}

#[test]
fn what_may_be_anything_may_be_asked_about() {
    check_fits("{{event.context.a.b}}{{#each event.context.items}}{{name}}{{this}}{{/each}}{{codes.any}}");
    check_fits("{{#each customer}}{{this}} {{@key}}{{/each}}{{#each codes}}{{this}}{{/each}}");
    check_fits(
        "{{#each order.lines as |line|}}{{line.name}}{{money line.price \"EUR\"}}{{/each}}{{order.lines.0.name}}",
    );
    // One of the two has it.
    check_fits("{{#with (default customer order)}}{{city}}{{/with}}");
    check_fits("{{promo_code \"any\"}}{{date now \"%Y\"}}");
}

#[test]
fn every_part_and_language_is_looked_through_but_not_text_that_was_derived() {
    let mut source: crate::Source = Content::of("{{a}}", "{{b}}").into();
    source.language = Some("en".into());
    source.translations.insert("lv".into(), Content { text: Some("\n{{d}}".into()), ..Content::of("s", "{{c}}") });
    let named = Template::compile(&source).expect("compiles").paths();
    let shown: Vec<_> = named.iter().map(|named| format!("{}: {}", named.place, written(&named.paths[0]))).collect();
    assert_eq!(
        shown,
        [
            "subject, line 1, column 1: a",
            "html, line 1, column 1: b",
            "lv, html, line 1, column 1: c",
            "lv, text, line 2, column 1: d"
        ]
    );
}

#[test]
fn what_a_template_needs_and_never_gets_is_told_once() {
    let without_order = Shape::of([("customer", Shape::Anything)]);
    let lacking = |html: &str| -> Vec<String> {
        template(html).lacking(&without_order).iter().map(|named| written(&named.paths[0])).collect()
    };
    assert_eq!(
        lacking("{{customer.x}}{{order.id}}{{order.id}}{{money order.total \"EUR\"}}"),
        ["order.id", "order.total"]
    );
    assert_eq!(lacking("{{#if order}}{{order.id}}{{/if}}{{#each order.lines}}{{name}}{{else}}-{{/each}}"), [""; 0]);
    assert_eq!(lacking("{{#each order.lines}}{{name}}{{/each}}"), ["order.lines"]);
    // Whoever has no customer is told of the order; here everybody is one.
    assert_eq!(
        lacking("{{#if customer}}x{{else}}{{order.id}}{{/if}}{{#unless customer}}{{order.id}}{{/unless}}"),
        [""; 0]
    );
    assert_eq!(lacking("{{#if customer.x}}x{{else}}{{order.id}}{{/if}}"), ["order.id"]);
    assert_eq!(lacking("{{#if order}}{{order.id}}{{else}}{{event.id}}{{/if}}"), ["event.id"]);
    assert_eq!(lacking("{{default order.id \"-\"}}{{default customer.x order.id}}"), ["order.id"]);
}
