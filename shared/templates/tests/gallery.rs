//! Templates of every kind that a shop has, rendered and compared with what was approved; and
//! those that are as long, as wide or as empty as they may be.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};
use templates::{Content, NotRendered, Part, Place, Rendered, Source, Template};

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/gallery");
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn compiled(content: Content) -> Template {
    let partials = ["page", "footer"].map(|code| (code.to_owned(), file(&format!("{code}.html"))));
    let source = Source::from(content).with_partials(&BTreeMap::from(partials));
    Template::compile(&source).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn data() -> Value {
    json!({
        "customer": {"first_name": "Ann & Co", "last_name": null, "language": "en", "time_zone": "Europe/Riga"},
        "containers": {"cart": {"items": [
            {"name": "Oak table", "quantity": "1", "price": "1250.00", "url": "https://shop.example/p/1?c=oak"},
            {"name": "Candle <6>", "quantity": "6", "price": "9.00", "url": null},
            {"name": "Rug", "quantity": "1", "price": "80.00", "url": null},
        ]}},
        "order": {"id": "1007", "currency": "EUR", "total": "1303.90", "lines": []},
        "event": {"products": [
            {"name": "Oak table", "price": "1250.00", "currency": "EUR", "url": "https://shop.example/p/1", "image": "https://shop.example/1.png"},
            {"name": "Candle", "price": "9.00", "currency": "EUR", "url": "https://shop.example/p/2", "image": "https://shop.example/2.png"},
        ]},
        "shop": {"name": "North & Oak", "time_zone": "Europe/Riga"},
        "links": {"unsubscribe": "https://shop.example/u/t0ken?x=1&y=2"},
    })
}

fn shown(rendered: &Rendered) -> String {
    format!("Subject: {}\n\n== text ==\n{}\n== html ==\n{}", rendered.subject, rendered.text, rendered.html)
}

#[test]
fn an_abandoned_cart_in_a_layout_with_a_partial() {
    let template = compiled(Content::of("{{customer.first_name}}, your cart", file("abandoned-cart.html")));
    insta::assert_snapshot!("abandoned-cart", shown(&template.render(&data()).unwrap()));
    let mut empty = data();
    empty["containers"]["cart"]["items"] = json!([]);
    insta::assert_snapshot!("abandoned-cart-empty", template.render(&empty).unwrap().text);
}

#[test]
fn a_birthday_with_emoji() {
    let preheader = Some("🎁 {{default customer.first_name \"for you\"}}".to_owned());
    let content =
        Content { preheader, ..Content::of("🎂 {{default customer.first_name \"friend\"}}", file("birthday.html")) };
    insta::assert_snapshot!("birthday", shown(&compiled(content).render(&data()).unwrap()));
}

#[test]
fn hebrew_and_arabic() {
    let template = compiled(Content::of("הזמנה {{order.id}} יצאה לדרך", file("right-to-left.html")));
    insta::assert_snapshot!("right-to-left", shown(&template.render(&data()).unwrap()));
}

#[test]
fn a_newsletter_of_mjml() {
    let mjml = Some(file("newsletter.mjml"));
    let template = compiled(Content { subject: "News of {{shop.name}}".to_owned(), mjml, ..Content::default() });
    assert!(template.warnings().is_empty(), "{:?}", template.warnings());
    insta::assert_snapshot!("newsletter", shown(&template.render(&data()).unwrap()));
}

#[test]
fn an_order_of_ten_thousand_lines_is_rendered_whole() {
    let row = "<tr><td style=\"padding: 6px\"><a href=\"{{url}}\">{{name}}</a></td><td>{{quantity}}</td><td>{{money total \"EUR\"}}</td></tr>";
    let template = compiled(Content::of("s", format!("<table>{{{{#each order.lines}}}}{row}{{{{/each}}}}</table>")));
    let line = |n: u32| json!({"name": format!("Thing {n}"), "quantity": "2", "total": "9.50", "url": format!("https://shop.example/p/{n}")});
    let mut data = data();
    data["order"]["lines"] = (0..10_000).map(line).collect();
    let rendered = template.render(&data).unwrap();
    assert_eq!((rendered.html.matches("<tr>").count(), rendered.text.lines().count()), (10_000, 10_000));
    // As much as this, but not as much as no mail may be.
    data["order"]["lines"] = (0..100_000).map(line).collect();
    assert_eq!(template.render(&data), Err(NotRendered::TooLarge { part: Part::Html }));
}

#[test]
fn a_line_may_be_of_any_length_and_is_not_broken() {
    // What sends the mail encodes it, so that no line of it is longer than a line of mail may be.
    let long = "x".repeat(5_000);
    let html = format!("<style>p {{ margin: 0 }}</style><p title=\"{long}\">{{{{customer.first_name}}}} {long}</p>");
    let rendered = compiled(Content::of("s", html)).render(&data()).unwrap();
    assert!(rendered.html.contains(&format!("Ann &amp; Co {long}")), "{}", rendered.html);
    assert_eq!(rendered.text, format!("Ann & Co {long}\n"));
}

#[test]
fn what_is_empty_is_refused_or_missing_and_never_sent() {
    for (content, part) in [
        (Content::of("", "h"), Part::Subject),
        (Content::of("s", " \n"), Part::Html),
        (Content { mjml: Some(String::new()), subject: "s".into(), ..Content::default() }, Part::Mjml),
        (Content { text: Some(String::new()), ..Content::of("s", "h") }, Part::Text),
        (Content { subject: "s".into(), ..Content::default() }, Part::Html),
    ] {
        let problems = Template::compile(&content.into()).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.place.part).collect::<Vec<_>>(), [part]);
    }
    let template = compiled(Content::of("{{#if customer.first_name}}x{{/if}}", "h"));
    assert!(template.render(&json!({})).unwrap_err().to_string().ends_with("is empty"));
    let sometimes = "{{#if customer.first_name}}Hello{{/if}}";
    for (content, part) in [
        (Content::of("s", sometimes), Part::Html),
        // Tags alone say nothing.
        (Content::of("s", format!("<p class=\"a\">{sometimes}</p>")), Part::Html),
        (Content { text: Some(sometimes.to_owned()), ..Content::of("s", "h") }, Part::Text),
    ] {
        let template = compiled(content);
        let empty = NotRendered::Failed { place: Place::of(part, 1, 1), message: "is empty".to_owned() };
        assert_eq!(template.render(&json!({})), Err(empty));
        assert!(template.render(&data()).is_ok());
    }
    // A picture needs no words.
    let renders = |html: &str| compiled(Content::of("s", html)).render(&json!({})).is_ok();
    for picture in [
        "<IMG src=\"https://a.example/1.png\">",
        "<table background=\"https://a.example/1.png\"></table>",
        "<p style=\"height: 9px; Background: #fff URL('https://a.example/1.png')\"></p>",
        "<p style='background-image:url(https://a.example/1.png)'></p>",
    ] {
        assert!(renders(picture), "{picture}");
    }
    for none in [
        "<style>@import url(https://a.example/a.css);</style><p style=\"background: #fff\"></p>",
        "<style>@font-face{font-family:A;src:url(https://a.example/a.woff2)}</style><p></p>",
    ] {
        assert!(!renders(none), "{none}");
    }
    assert!(compiled(Content::of("s", "{{> footer}}")).render(&json!({})).is_err());
}

#[test]
fn html_that_gmail_would_cut_off_is_warned_of() {
    let template = compiled(Content::of("s", "x".repeat(91 * 1024)));
    let warnings: Vec<String> = template.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        ["html, line 1, column 1: is 91 KB of HTML before anything is filled in; Gmail cuts a mail off at 102 KB"]
    );
    let short = compiled(Content::of("s", "x".repeat(80 * 1024)));
    assert!(short.warnings().is_empty() && !short.render(&data()).unwrap().is_clipped_by_gmail());
    let long = compiled(Content::of("s", "{{#each event.products}}".to_owned() + &"x".repeat(60 * 1024) + "{{/each}}"));
    assert!(long.warnings().is_empty() && long.render(&data()).unwrap().is_clipped_by_gmail());
}

#[test]
fn who_reads_a_language_gets_it_or_the_nearest() {
    let content = |word: &str| Content::of(word, word);
    let translations = [("lv", "latvian"), ("pt-BR", "brazilian"), ("en-GB", "british")];
    let translations = translations.map(|(language, word)| (language.to_owned(), content(word)));
    let source = Source {
        content: content("base"),
        language: Some("en".to_owned()),
        translations: BTreeMap::from(translations),
        ..Source::default()
    };
    let template = Template::compile(&source).unwrap();
    for (wanted, word, language) in [
        (json!("lv"), "latvian", "lv"),
        (json!("lv-LV"), "latvian", "lv"),
        (json!("LV_lv"), "latvian", "lv"),
        (json!("pt-BR"), "brazilian", "pt-BR"),
        (json!("pt"), "base", "en"),
        (json!("en-GB-oxendict"), "british", "en-GB"),
        (json!("en-US"), "base", "en"),
        (json!("de"), "base", "en"),
        (json!(""), "base", "en"),
        (json!(7), "base", "en"),
        (Value::Null, "base", "en"),
    ] {
        let rendered = template.render(&json!({"customer": {"language": wanted}})).unwrap();
        assert_eq!((rendered.subject.as_str(), rendered.language.as_deref()), (word, Some(language)), "{wanted}");
    }
}

#[test]
fn a_fault_in_a_translation_names_its_language() {
    let mut source = Source::from(Content::of("s", "h"));
    source.translations.insert("lv".to_owned(), Content::of("{{frob 1}}", "\n{{missing}}"));
    let problems = Template::compile(&source).unwrap_err();
    assert!(problems[0].to_string().starts_with("lv, subject, line 1, column 1: there is no helper"), "{problems:?}");
    source.translations.insert("lv".to_owned(), Content::of("s", "\n{{missing}}"));
    let error = Template::compile(&source).unwrap().render(&json!({"customer": {"language": "lv"}})).unwrap_err();
    assert_eq!(error.to_string(), "lv, html, line 2, column 1: there is no missing");
}
