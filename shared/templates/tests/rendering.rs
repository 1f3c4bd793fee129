//! The rules of rendering, one case a line.

use serde_json::{Value, json};
use templates::{Content, NotRendered, Part, Place, Source, Template};

fn source(subject: &str, html: &str) -> Source {
    Content::of(subject, html).into()
}

fn compiled(source: &Source) -> Template {
    Template::compile(source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn data() -> Value {
    json!({
        "customer": {"first_name": "Ann <b>", "last_name": null, "city": "", "time_zone": "Europe/Riga",
                     "fields": {"Loyalty card": "7"}},
        "order": {"id": "007", "currency": "EUR", "total": "1234.5", "created_at": "2026-04-30T22:30:00Z",
                  "amounts": {"discount": "0.00"},
                  "lines": [{"name": "Shirt", "quantity": "2", "url": "https://a.example/s?x=1"},
                            {"name": "Shoe", "quantity": "1", "url": "https://a.example/t"}]},
        "shop": {"name": "Shop", "time_zone": "Asia/Tokyo"},
        "event": {"context": {"html": "<p>One</p><p>Two</p>", "date": "2026-05-01"}},
    })
}

/// Renders a line of plain text.
fn line(template: &str, data: &Value) -> Result<String, NotRendered> {
    let content = Content { text: Some(template.to_owned()), ..Content::of("s", "h") };
    compiled(&content.into()).render(data).map(|rendered| rendered.text)
}

#[track_caller]
fn check(template: &str, expected: &str) {
    match line(template, &data()) {
        Ok(text) => assert_eq!(text, expected, "{template}"),
        Err(error) => panic!("{template}: {error}"),
    }
}

#[track_caller]
fn check_missing(template: &str, expected: &str) {
    match line(template, &data()) {
        Err(NotRendered::Missing { path, place: Place { part: Part::Text, .. } }) => {
            assert_eq!(path, expected, "{template}")
        }
        other => panic!("{template}: {other:?}"),
    }
}

#[track_caller]
fn check_failed(template: &str, expected: &str) {
    match line(template, &data()) {
        Err(NotRendered::Failed { message, .. }) => assert!(message.contains(expected), "{template}: {message}"),
        other => panic!("{template}: {other:?}"),
    }
}

#[track_caller]
fn check_problem(html: &str, position: (usize, usize), expected: &str) {
    let problems = Template::compile(&source("s", html)).expect_err(html);
    let [problem] = &problems[..] else { panic!("{html}: {problems:?}") };
    assert_eq!(problem.place.part, Part::Html, "{html}");
    assert_eq!((problem.place.line, problem.place.column), position, "{html}: {problem}");
    assert!(problem.message.contains(expected), "{html}: {problem}");
}

#[test]
fn nothing_is_printed_as_nothing() {
    check_missing("Hello {{customer.nickname}},", "customer.nickname");
    check_missing("{{customer.last_name}}", "customer.last_name");
    check_missing("{{customer.city}}", "customer.city");
    check_missing("{{return.id}}", "return.id");
    check_missing("{{#each order.lines}}{{sku}}{{/each}}", "sku");
    check_missing("{{#each order.parcels}}x{{/each}}", "order.parcels");
    check_missing("{{money order.refund order.currency}}", "order.refund");
    check_missing("{{default customer.city customer.last_name}}", "customer.city");
    check_missing("{{lookup order.lines 9}}", "order.lines");
    check_failed("{{order.lines}}", "order.lines is a list");
    check_failed("{{customer}}", "customer is an object");
}

#[test]
fn conditions_take_what_is_absent_for_false() {
    check("{{#if order.delivery.address}}x{{else}}no{{/if}}", "no");
    check("{{#if customer.city}}x{{else if customer.fields}}yes{{/if}}", "yes");
    check("{{#unless return.id}}none{{/unless}}", "none");
    check("{{#if (eq customer.country \"LV\")}}x{{else}}no{{/if}}", "no");
    check("{{#if (gt order.refund 0)}}x{{else}}no{{/if}}", "no");
    check("{{#if (and order.id (not customer.city))}}yes{{/if}}", "yes");
    check("{{#if (or customer.city customer.last_name)}}x{{else}}no{{/if}}", "no");
    check("{{#if (lookup customer \"nothing\")}}x{{else}}no{{/if}}", "no");
    check("{{default customer.city \"there\"}} {{default (lookup customer \"x\") \"else\"}}", "there else");
}

#[test]
fn amounts_compare_by_value_and_names_as_they_are() {
    check("{{eq order.total 1234.50}} {{eq order.total \"1234.50\"}} {{gt order.total \"999.99\"}}", "true true true");
    check("{{eq order.id \"7\"}} {{eq order.id \"007\"}} {{ne customer.city \"Riga\"}}", "false true true");
    check("{{gt order.amounts.discount 0}} {{lte order.amounts.discount 0}} {{lt \"a\" \"b\"}}", "false true true");
}

#[test]
fn money_is_exact_and_has_the_decimals_of_its_currency() {
    for (amount, currency, expected) in [
        ("1234.5", "EUR", "€1,234.50"),
        ("-5", "USD", "-$5.00"),
        ("1234.5", "JPY", "¥1,235"),
        ("0.0005", "KWD", "KWD\u{a0}0.001"),
        ("1234567.005", "PLN", "PLN\u{a0}1,234,567.01"),
        ("-0.001", "GBP", "£0.00"),
        ("0.1", "SEK", "SEK\u{a0}0.10"),
    ] {
        check(&format!("{{{{money \"{amount}\" \"{currency}\"}}}}"), expected);
    }
    check("{{money 0.1 \"EUR\"}} {{money order.total order.currency}}", "€0.10 €1,234.50");
    check_failed("{{money \"a lot\" \"EUR\"}}", "\"a lot\" is not a number");
    check_failed("{{money 1 \"euro\"}}", "\"euro\" is not the code of a currency");
}

#[test]
fn numbers_and_plurals() {
    check(
        "{{number order.total}} {{number order.total 0}} {{number \"1.50\"}} {{number 1000000 2}}",
        "1,234.5 1,235 1.5 1,000,000.00",
    );
    check("{{#each order.lines}}{{quantity}} {{plural quantity \"item\" \"items\"}} {{/each}}", "2 items 1 item ");
    check("{{len order.lines}} {{len order.parcels}}", "2 0");
}

#[test]
fn a_date_is_in_the_zone_of_who_reads_it() {
    check("{{date order.created_at}}", "1 May 2026");
    check("{{date order.created_at \"%H:%M\"}}", "01:30");
    check("{{date order.created_at \"%Y-%m-%d %H:%M\" \"America/New_York\"}}", "2026-04-30 18:30");
    check("{{date order.created_at \"%H:%M\" shop.time_zone}}", "07:30");
    check("{{date event.context.date \"%A\"}}", "Friday");
    check_failed("{{date order.id}}", "neither an instant nor a date");
    check_failed("{{date event.context.date \"%H:%M\"}}", "does not fit");
    let mut elsewhere = data();
    elsewhere["customer"]["time_zone"] = json!("Mars/Olympus");
    assert_eq!(line("{{date order.created_at \"%H:%M\"}}", &elsewhere).unwrap(), "07:30");
    elsewhere["shop"] = json!(null);
    assert_eq!(line("{{date order.created_at \"%H:%M\"}}", &elsewhere).unwrap(), "22:30");
    // Who fills the template knows better where its reader is.
    let mut found = data();
    found["reader"] = json!({"time_zone": "America/New_York"});
    assert_eq!(line("{{date order.created_at \"%H:%M\"}}", &found).unwrap(), "18:30");
}

#[test]
fn lists_are_cut_and_links_extended() {
    check("{{#each (limit order.lines 1)}}{{name}} of {{../order.id}} {{@root.order.id}}{{/each}}", "Shirt of 007 007");
    check("{{#each order.lines as |line|}}{{line.url}} {{/each}}", "https://a.example/s?x=1 https://a.example/t ");
    check(
        "{{#each (limit order.lines 1)}}{{url}} {{url url utm=\"a b&c\" n=1}}{{/each}}",
        "https://a.example/s?x=1 https://a.example/s?x=1&n=1&utm=a%20b%26c",
    );
    check("{{url \"https://a.example/#top\" a=order.id}}", "https://a.example/?a=007#top");
    check("{{customer.fields.[Loyalty card]}}", "7");
    check_failed("{{url \"javascript:alert(1)\"}}", "not an http or https address");
    check_missing("{{url \"https://a.example\" a=customer.city}}", "customer.city");
}

#[test]
fn a_block_stops_the_message_with_its_reason() {
    let blocks = "{{#if (gt order.total 1000)}}{{block \"too dear\"}}{{/if}}x";
    let blocked = NotRendered::Blocked { reason: "too dear".to_owned() };
    assert_eq!(line(blocks, &data()), Err(blocked.clone()));
    // A subject that lacks something does not hide that the mail was not wanted.
    assert_eq!(compiled(&source("{{no.such}}", blocks)).render(&data()), Err(blocked));
}

#[test]
fn html_is_escaped_and_the_subject_is_one_line() {
    let mut source = source(
        "Hi {{customer.first_name}}\r\nBcc: x@example.com\u{85}{{order.id}}",
        "<BODY bgcolor='>'><p title={{customer.first_name}}>{{{customer.first_name}}}</p>",
    );
    source.content.preheader = Some("For {{customer.first_name}}".to_owned());
    let rendered = compiled(&source).render(&data()).unwrap();
    assert_eq!(rendered.subject, "Hi Ann <b> Bcc: x@example.com 007");
    assert_eq!(
        rendered.html,
        "<BODY bgcolor='>'><div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">For Ann &lt;b&gt;</div>\
         <p title=Ann &lt;b&gt;>Ann <b></p>"
    );
    assert_eq!(rendered.text, "Ann\n");
}

#[test]
fn no_value_becomes_another_one_on_the_way() {
    // A mail program would decode what looks like an encoded word, and may end a text at a NUL.
    let mut data = data();
    data["customer"]["first_name"] = json!("=?utf-8?q?=0D=0ABcc:_x@example.com?=\u{0}");
    let rendered =
        compiled(&source("{{customer.first_name}}", "<p>{{customer.first_name}}!</p>")).render(&data).unwrap();
    assert_eq!(rendered.subject, "=\u{2060}?utf-8?q?=0D=0ABcc:_x@example.com?=");
    assert!(rendered.html.ends_with("\u{fffd}!</p>") && rendered.text.ends_with("?=\u{fffd}!\n"), "{rendered:?}");
    assert_eq!(compiled(&source("2+2=?", "h")).render(&data).unwrap().subject, "2+2=?");
}

#[test]
fn no_value_makes_a_link_that_runs() {
    let render = |html: &str, value: &str| {
        let data = json!({"order": {"url": value}});
        compiled(&source("s", html)).render(&data).map(|rendered| rendered.html)
    };
    for value in ["javascript:alert(1)", " JavaScript:x", "java\nscript:x", "\u{1}vbscript:x", "data:text/html,x"] {
        for html in [
            "<a href=\"{{order.url}}\">x</a>",
            "<a href={{order.url}}>x</a>",
            "<p>y</p><img src='{{order.url}}'>",
            "<a href=\" {{order.url}}\">x</a>",
            "<a href=\"\n{{order.url}}\">x</a>",
            "<a href = '\t\u{1} {{order.url}}'>x</a>",
            "<a href=\"{{#if order}}\n  {{order.url}}{{/if}}\">x</a>",
        ] {
            let error = render(html, value).unwrap_err();
            let refused = matches!(&error, NotRendered::Failed { message, .. } if message.starts_with("order.url is not an address"));
            assert!(refused, "{html} {value:?}: {error}");
        }
        assert!(
            render("<p>{{order.url}}</p>", value).is_ok()
                && render("<a href=\"/?q={{order.url}}\">x</a>", value).is_ok()
        );
    }
    assert!(render("<a href=\"{{order.url}}\">x</a>", "https://a.example/javascript:x").is_ok());
}

#[test]
fn text_derived_from_html_shows_values_as_they_are() {
    let html = "<p>Dear {{customer.first_name}},</p>{{{event.context.html}}}<table>{{#each order.lines}}\n<tr><td><a href=\"{{url}}\">{{name}}</a></td><td>{{quantity}}</td></tr>\n{{/each}}</table>";
    let rendered = compiled(&source("s", html)).render(&data()).unwrap();
    assert_eq!(
        rendered.text,
        "Dear Ann <b>,\n\nOne\n\nTwo\n\nShirt (https://a.example/s?x=1)  2\nShoe (https://a.example/t)  1\n"
    );
}

#[test]
fn limits_hold() {
    let long = json!({"customer": {"first_name": "x".repeat(999)}});
    let subject = compiled(&source("{{customer.first_name}}", "h"));
    assert!(matches!(subject.render(&long), Err(NotRendered::Failed { place: Place { part: Part::Subject, .. }, .. })));
    let list: Vec<u32> = (0..300).collect();
    let loops = "{{#each @root.list}}{{#each @root.list}}{{#each @root.list}}x{{/each}}{{/each}}{{/each}}";
    let error = compiled(&source("s", loops)).render(&json!({ "list": list })).unwrap_err();
    assert!(error == NotRendered::TooLarge { part: Part::Html }, "{error}");
    check_problem(&"x".repeat(templates::PART_LIMIT + 1), (1, 1), "at most 262144");
    check_problem("  ", (1, 1), "empty");
}

#[test]
fn what_cannot_work_does_not_compile() {
    check_problem("<p>\n  {{mony order.total}}", (2, 3), "there is no helper \"mony\"");
    check_problem("{{#if a}}\n{{#each b}}x {{frob c}}{{/each}}{{/if}}", (2, 14), "frob");
    check_problem("{{#if a}}x{{else if (frob c)}}y{{/if}}", (1, 1), "frob");
    check_problem("{{default (upper a) \"x\"}}", (1, 1), "upper");
    check_problem("{{#customer}}x{{/customer}}", (1, 1), "there is no block \"customer\"");
    check_problem("{{#gt a 1}}x{{/gt}}", (1, 1), "{{#if (gt …)}}");
    check_problem("{{if a \"x\"}}", (1, 1), "{{#if …}}");
    check_problem("{{money order.total}}", (1, 1), "money takes 2 values, not 1");
    check_problem("{{block}}", (1, 1), "takes a reason");
    check_problem("{{block customer.email}}", (1, 1), "its reason in quotes");
    check_problem("{{log order}}", (1, 1), "there is no helper \"log\"");
    check_problem("x {{> footer}}", (1, 3), "there is no partial \"footer\"");
    check_problem("{{date order.created_at \"%!\"}}", (1, 1), "the pattern");
    check_problem("{{date order.created_at \"%Y\" \"Mars/Olympus\"}}", (1, 1), "no time zone");
    check_problem("{{#if a}}x", (1, 11), "");
    check_problem("{{#if a}}x{{/each}}", (1, 11), "closing");
}

#[test]
fn problems_of_all_parts_come_at_once() {
    let content = Content {
        text: Some(String::new()),
        preheader: Some("{{#if d}}".to_owned()),
        ..Content::of("{{a", "{{b 1}} {{#*inline \"c\"}}{{/inline}}")
    };
    let parts: Vec<Part> =
        Template::compile(&content.into()).expect_err("compiles").iter().map(|problem| problem.place.part).collect();
    assert_eq!(parts, [Part::Subject, Part::Html, Part::Html, Part::Preheader, Part::Text]);
}

#[test]
fn text_that_cannot_be_derived_is_asked_for() {
    let html = "<td {{#if a}}>x</td>{{/if}}>";
    let problems = Template::compile(&source("s", html)).expect_err(html);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("give the text"), "{problems:?}");
}
