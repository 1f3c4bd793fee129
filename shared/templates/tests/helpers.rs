//! What the helpers print, for readers of several languages.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Value, json};
use templates::{Content, NotRendered, Place, Template};

fn data(language: &str) -> Value {
    json!({
        "customer": {"language": language, "time_zone": "Europe/Riga"},
        "order": {"currency": "EUR", "total": "12345.5", "created_at": "2026-04-30T22:30:00Z",
                  "lines": [
                      {"name": "Shirt", "price": "9.50", "quantity": "2", "fields": {"colour": "red"}},
                      {"name": "Coat", "price": "100", "quantity": "1", "fields": {"colour": "blue"}},
                      {"name": "Sock", "price": null, "quantity": "10", "fields": {}},
                      {"name": "Hat", "price": "9.5", "quantity": "1", "fields": {"colour": "red"}}]},
        "shop": {"language": "de"},
        "promo_codes": {"welcome": "W-1&2", "used-up": null},
        "image": "https://a.example/i.png?a=1&b=\"2\"",
        "said": "<b>\"so\" & 'so'</b>",
        "now": "2026-05-02T09:00:00Z",
    })
}

fn template(html: &str, text: &str) -> Template {
    let content = Content { text: Some(text.to_owned()), ..Content::of("s", html) };
    Template::compile(&content.into()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn text(source: &str, data: &Value) -> Result<String, NotRendered> {
    template("h", source).render(data).map(|rendered| rendered.text)
}

#[track_caller]
fn check_in(language: &str, source: &str, expected: &str) {
    assert_eq!(text(source, &data(language)).as_deref(), Ok(expected), "{language}: {source}");
}

#[track_caller]
fn check(source: &str, expected: &str) {
    check_in("en", source, expected);
}

#[track_caller]
fn check_problem(source: &str, expected: &str) {
    let problems = Template::compile(&Content::of("s", source).into()).expect_err(source);
    assert!(problems[0].message.contains(expected), "{source}: {problems:?}");
}

#[test]
fn a_mail_is_written_in_the_language_of_its_reader() {
    let source = "{{money order.total order.currency}} | {{money \"-5\" \"USD\"}} | {{number \"1234567.25\"}} | \
                  {{date order.created_at}} | {{date order.created_at \"short\"}} | {{date order.created_at \"full\"}} \
                  | \
                  {{date order.created_at \"%A %-d %B\"}} | {{date order.created_at \"%B %Y\"}} | \
                  {{relative order.created_at}} | \
                  {{relative \"2026-05-02T06:00:00Z\"}} | {{relative \"2026-05-07\"}} | \
                  {{plural 2 one=\"one\" few=\"few\" many=\"many\" other=\"other\"}}";
    let mut shown = String::new();
    for language in [
        "en", "en-US", "de-AT", "fr", "es", "it", "nl", "pl", "cs", "lv", "lt", "et", "fi", "sv", "ru", "uk", "tr",
        "he", "ar", "hi", "ja", "zh-TW",
    ] {
        let line = text(source, &data(language)).unwrap_or_else(|error| panic!("{language}: {error}"));
        writeln!(shown, "{language}: {line}").expect("a string");
    }
    insta::assert_snapshot!("languages", shown);
}

#[test]
fn an_unknown_language_gives_way_to_the_shops_and_that_to_english() {
    let source = "{{date order.created_at}}";
    check_in("tlh", source, "1. Mai 2026");
    check_in("", source, "1. Mai 2026");
    let mut nobodys = data("tlh");
    nobodys["shop"] = json!({});
    assert_eq!(text(source, &nobodys).as_deref(), Ok("1 May 2026"));
    check_in("fr", "{{date order.created_at language=\"lv\"}}", "2026. gada 1. maijs");
    check_in(
        "fr",
        "{{money 1.5 \"EUR\" language=shop.language}} {{number 1.5 language=shop.nothing}}",
        "1,50\u{a0}€ 1,5",
    );
    check_problem("{{money 1 \"EUR\" language=\"klingon\"}}", "there is no language \"klingon\"");
    check_problem("{{default a b language=\"de\"}}", "takes no \"language\"");
}

#[test]
fn a_mail_in_a_language_of_its_own_has_no_words_of_another() {
    let content = |text: &str| Content {
        text: Some(format!("{text} {{{{date order.created_at}}}} {{{{money 1000 \"EUR\"}}}}")),
        ..Content::of("s", "h")
    };
    let mut source: templates::Source = content("Pasūtīts").into();
    source.language = Some("lv".into());
    source.translations.insert("de".into(), content("Bestellt am"));
    let template = Template::compile(&source).expect("compiles");
    let shown = |language: &str| template.render(&data(language)).expect("rendered").text;
    assert_eq!(shown("lv"), "Pasūtīts 2026. gada 1. maijs 1000,00\u{a0}€");
    assert_eq!(shown("fr"), "Pasūtīts 2026. gada 1. maijs 1000,00\u{a0}€");
    assert_eq!(shown("de-DE"), "Bestellt am 1. Mai 2026 1.000,00\u{a0}€");
    // Their language, as their country writes it.
    assert_eq!(shown("de_AT"), "Bestellt am 1. Mai 2026 €\u{a0}1.000,00");
}

#[test]
fn how_far_a_moment_is_from_now_is_told_in_the_largest_unit_that_says_it() {
    for (value, expected) in [
        ("2026-05-02T09:00:30Z", "now"),
        ("2026-05-02T08:59:00Z", "1 minute ago"),
        ("2026-05-02T09:59:00Z", "in 59 minutes"),
        ("2026-05-02T11:10:00Z", "in 2 hours"),
        ("2026-05-01T09:00:01Z", "23 hours ago"),
        // By the calendar of Riga, where it is noon.
        ("2026-05-01T08:00:00Z", "yesterday"),
        ("2026-05-03T20:59:00Z", "tomorrow"),
        ("2026-05-03T21:00:00Z", "in 2 days"),
        ("2026-05-02", "today"),
        ("2026-05-01", "yesterday"),
        ("2026-05-15", "in 13 days"),
        ("2026-05-16", "in 2 weeks"),
        ("2026-06-27", "in 8 weeks"),
        ("2026-03-06", "2 months ago"),
        ("2028-04-30", "in 24 months"),
        ("2024-05-02", "2 years ago"),
    ] {
        check(&format!("{{{{relative \"{value}\"}}}}"), expected);
    }
    check("{{relative \"2026-05-03T21:30:00Z\" \"UTC\"}}", "tomorrow");
    check_in("de", "{{relative \"2026-05-02T07:00:00Z\"}}", "vor 2 Stunden");
    let mut timeless = data("en");
    timeless["now"] = Value::Null;
    let missing = text("{{relative order.created_at}}", &timeless);
    assert!(matches!(missing, Err(NotRendered::Missing { ref path, .. }) if path == "now"), "{missing:?}");
    assert!(matches!(text("{{relative order.total}}", &data("en")), Err(NotRendered::Failed { .. })));
    check_problem("{{relative a \"Mars/Olympus\"}}", "no time zone");
}

#[test]
fn a_date_has_styles_beside_patterns() {
    check("{{date \"2026-03-05\" \"medium\"}} {{date \"2026-03-05\" \"%b\"}}", "5 Mar 2026 Mar");
    check_in("pl", "{{date \"2026-05-01\" \"%-d %B\"}} {{date \"2026-05-01\" \"%B %Y\"}}", "1 maja maj 2026");
    check_in("lv", "{{date \"2026-05-01\" \"%^A, %d.%m.\"}} 100%", "PIEKTDIENA, 01.05. 100%");
    check("{{date \"2026-05-01\" \"%%B %Y-%m-%d\"}}", "%B 2026-05-01");
    check_problem("{{date a \"lnog\"}}", "there is no style \"lnog\"");
}

#[test]
fn plurals_go_by_the_rules_of_the_language() {
    let source = "{{#each order.lines}}{{plural quantity one=\"prece\" other=\"preces\"}} {{/each}}";
    check_in("lv", source, "preces prece preces prece ");
    check_in("pl", "{{plural 22 one=\"rzecz\" few=\"rzeczy\" other=\"rzeczy!\"}}", "rzeczy");
    check_in("fr", "{{plural 0 one=\"un\" other=\"des\"}} {{plural 0 \"un\" \"des\"}}", "un des");
    check("{{plural \"1.00\" one=\"one\" other=order.currency}}", "one");
    check_problem("{{plural a one=\"x\"}}", "\"other\" at least");
    check_problem("{{plural a \"x\"}}", "plural takes both forms");
    check_problem("{{plural a \"x\" \"y\" other=\"z\"}}", "plural takes both forms");
    check_problem("{{plural a few=\"x\" other=\"y\" lots=\"z\"}}", "takes no \"lots\"");
}

#[test]
fn lists_are_ordered_and_searched() {
    let names = |list: &str| format!("{{{{#each ({list})}}}}{{{{name}}}} {{{{/each}}}}");
    check(&names("sort order.lines \"name\""), "Coat Hat Shirt Sock ");
    // Amounts by their worth, equals as they were, and nothing at the end either way.
    check(&names("sort order.lines \"price\""), "Shirt Hat Coat Sock ");
    check(&names("sort order.lines \"price\" \"desc\""), "Coat Shirt Hat Sock ");
    check(&names("limit (sort order.lines \"quantity\" \"desc\") 2"), "Sock Shirt ");
    check(&names("where order.lines \"fields.colour\" \"red\""), "Shirt Hat ");
    check(&names("where order.lines \"price\" 9.5"), "Shirt Hat ");
    check(&names("where order.lines \"price\" \"gt\" 9.5"), "Coat ");
    check(&names("where order.lines \"quantity\" \"lte\" \"2\""), "Shirt Coat Hat ");
    check(&names("where (where order.lines \"quantity\" 1) \"fields.colour\" \"ne\" \"red\""), "Coat ");
    check("{{len (where order.lines \"price\" \"lt\" 0)}}", "0");
    assert!(matches!(text("{{#each (sort order \"x\")}}{{/each}}", &data("en")), Err(NotRendered::Failed { .. })));
    check_problem("{{#each (sort a b)}}x{{/each}}", "the path in quotes");
    check_problem(
        "{{#each (sort a \"b\" \"up\")}}x{{/each}}",
        "\\\"asc\\\" or \\\"desc\\\"".replace('\\', "").as_str(),
    );
    check_problem("{{#each (where a \"b\" \"like\" 1)}}x{{/each}}", "where compares with");
}

#[test]
fn a_picture_is_markup_in_html_and_its_description_in_text() {
    let source = "{{image image alt=said width=600 style=\"border:0\"}}";
    let rendered = template(source, source).render(&data("en")).expect("rendered");
    assert_eq!(
        rendered.html,
        "<img src=\"https://a.example/i.png?a&#61;1&amp;b&#61;&quot;2&quot;\" \
         alt=\"&lt;b&gt;&quot;so&quot; &amp; &#39;so&#39;&lt;/b&gt;\" width=\"600\" style=\"border:0\">"
    );
    assert_eq!(rendered.text, "<b>\"so\" & 'so'</b>");
    let adorning = Template::compile(&Content::of("s", "<p>{{image image alt=\"\"}}Hi</p>").into()).expect("compiles");
    let rendered = adorning.render(&data("en")).expect("rendered");
    assert!(rendered.html.contains(" alt=\"\">Hi"), "{}", rendered.html);
    assert_eq!(rendered.text, "Hi\n");
    for source in [
        "{{image \"javascript:alert(1)\" alt=\"x\"}}",
        "{{image said alt=\"x\"}}",
        "{{image \"data:image/png,x\" alt=\"\"}}",
    ] {
        assert!(matches!(text(source, &data("en")), Err(NotRendered::Failed { .. })), "{source}");
    }
    let missing = text("{{image image alt=customer.name}}", &data("en"));
    assert!(matches!(missing, Err(NotRendered::Missing { ref path, .. }) if path == "customer.name"), "{missing:?}");
    check_problem("{{image a}}", "image takes what it shows");
    check_problem("{{image a alt=\"x\" onload=\"y\"}}", "takes no \"onload\"");
}

#[test]
fn a_promo_code_is_there_or_the_mail_is_not() {
    let given =
        template("{{promo_code \"welcome\"}}", "{{promo_code \"welcome\"}}").render(&data("en")).expect("rendered");
    assert_eq!((given.html.as_str(), given.text.as_str()), ("W-1&amp;2", "W-1&2"));
    for group in ["used-up", "none"] {
        match text(&format!("x\n{{{{promo_code \"{group}\"}}}}"), &data("en")) {
            Err(NotRendered::NoPromoCode { group: of, place: Place { line: 2, column: 1, .. } }) => {
                assert_eq!(of, group)
            }
            other => panic!("{other:?}"),
        }
    }
    check_problem("{{promo_code group}}", "its group in quotes");
    check_problem("{{promo_code \"\"}}", "its group in quotes");
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "-?[0-9]{1,28}(\\.[0-9]{0,9})?".prop_map(Value::from),
        "-?[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:00:00Z)?".prop_map(Value::from),
        "(de|en|zh|pt|sr|xx)([-_][A-Za-z]{2,4}){0,2}".prop_map(Value::from),
        "https://[ -~]{0,20}".prop_map(Value::from),
        prop::collection::vec((any::<i32>(), "[a-c]{0,2}"), 0..5)
            .prop_map(|items| items.into_iter().map(|(a, b)| json!({"a": a, "b": b})).collect()),
    ]
}

proptest! {
    #[test]
    fn helpers_take_any_value_in_any_language(a in any_value(), b in any_value(), language in any_value()) {
        let data = json!({"a": a, "b": b, "now": b, "customer": {"language": language}});
        for call in ["{{money a \"EUR\"}}", "{{number a}}", "{{number a 2 language=b}}", "{{date a \"full\"}}",
                     "{{date a \"%A %B %e %^b\"}}", "{{relative a}}", "{{relative a b}}",
                     "{{plural a one=\"x\" other=b}}",
                     "{{#each (sort a \"a\" \"desc\")}}{{a}}{{/each}}",
                     "{{#each (where a \"b\" \"lt\" b)}}{{b}}{{/each}}",
                     "{{image a alt=b height=b}}", "{{promo_code \"a\"}}"] {
            let _ = template(call, call).render(&data);
        }
    }

    #[test]
    fn nothing_of_a_value_is_markup(url in "https://[ -~]{0,30}", alt in "[ -~]{1,30}") {
        let source = "{{image url alt=alt class=alt}}{{#each (sort list \"x\")}}{{x}}{{/each}}{{promo_code \"g\"}}\
                      {{plural 1 one=alt other=alt}}";
        let data = json!({"url": url, "alt": alt, "list": [{"x": alt}], "promo_codes": {"g": alt}});
        let html = template(source, "t").render(&data).expect("rendered").html;
        prop_assert_eq!(html.matches(['<', '>']).count(), 2);
        prop_assert_eq!(html.matches('"').count(), 6);
    }
}
