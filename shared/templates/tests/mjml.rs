//! MJML: what becomes of mustaches in it, and where a fault is.

use serde_json::{Value, json};
use templates::{Content, Source, Template};

fn source(mjml: &str) -> Source {
    let content = Content { subject: "s".to_owned(), mjml: Some(mjml.to_owned()), ..Content::default() };
    content.into()
}

fn with_body(body: &str) -> String {
    format!("<mjml>\n<mj-body>\n{body}\n</mj-body>\n</mjml>")
}

fn data() -> Value {
    json!({
        "customer": {"first_name": "Ann <b>"}, "yes": true, "color": "#336699", "to": "https://a.example/?x=1&y=2",
        "lines": [{"name": "Mug", "price": "1.50"}, {"name": "Cup & saucer", "price": "2.50"}],
    })
}

#[track_caller]
fn html(body: &str) -> String {
    let source = source(&with_body(body));
    let template = Template::compile(&source).unwrap_or_else(|problems| panic!("{body}: {problems:?}"));
    template.render(&data()).unwrap_or_else(|error| panic!("{body}: {error}")).html
}

#[track_caller]
fn check_problem(mjml: &str, expected: &str) {
    let problems = Template::compile(&source(mjml)).expect_err(mjml);
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(shown.len() == 1 && shown[0].starts_with(expected), "{mjml}: {shown:?}");
}

#[test]
fn a_mustache_comes_out_of_mjml_wherever_it_may_stand() {
    let text =
        html("<mj-section><mj-column><mj-text>Hello {{customer.first_name}}!</mj-text></mj-column></mj-section>");
    assert!(text.contains("Hello Ann &lt;b&gt;!"), "{text}");
    let text = html("<mj-section><mj-column><mj-text>5 € > 4 € é> ]]> {{color}}</mj-text></mj-column></mj-section>");
    assert!(text.contains("5 € > 4 € é> ]]> #336699"), "{text}");
    let sections =
        html("{{#each lines}}<mj-section><mj-column><mj-text>{{name}}</mj-text></mj-column></mj-section>{{/each}}");
    assert_eq!((sections.matches(">Mug<").count(), sections.matches(">Cup &amp; saucer<").count()), (1, 1));
    let columns = html(
        "<mj-section>{{#each lines}}<mj-column><mj-text>{{name}}</mj-text></mj-column>{{/each}}</mj-section>\
         {{#if no}}<mj-section><mj-column><mj-text>never</mj-text></mj-column></mj-section>{{else}}\
         <mj-section><mj-column><mj-text>always</mj-text></mj-column></mj-section>{{/if}}",
    );
    assert_eq!((columns.matches("mj-column-per-100\"").count() > 0, columns.contains("always")), (true, true));
    assert!(!columns.contains("never") && columns.matches(">Mug<").count() == 1, "{columns}");
    let rows = html(
        "<mj-section><mj-column><mj-table><tr><th>What</th></tr>{{#each lines}}\n<tr><td style=\"color:{{@root.color}}\">\
         {{name}}</td></tr>\n{{/each}}</mj-table>{{#if yes}}<mj-divider/>{{/if}}</mj-column></mj-section>",
    );
    assert_eq!(rows.matches("<td style=\"color:#336699\">").count(), 2, "{rows}");
    let button = html(
        "<mj-section css-class=\"x {{#if yes}}y{{/if}}\"><mj-column><mj-button href=\"{{url to a=\"b\"}}\" \
         background-color=\"{{color}}\">{{#if yes}}Go{{/if}}</mj-button><mj-image src=\"{{to}}\" alt=\"{{lines.[0].name}}\"/>\
         <mj-raw><!--[if mso]><b>{{color}}</b><![endif]--></mj-raw></mj-column></mj-section>",
    );
    assert!(button.contains("href=\"https://a.example/?x&#61;1&amp;y&#61;2&amp;a&#61;b\""), "{button}");
    assert!(
        button.contains("background:#336699") && button.contains("x y") && button.contains("alt=\"Mug\""),
        "{button}"
    );
    assert!(button.contains("<!--[if mso]><b>#336699</b><![endif]-->"), "{button}");
}

#[test]
fn the_head_and_notes_are_what_they_are_in_mjml() {
    let mjml = "<mjml><mj-head><mj-title>For {{customer.first_name}}</mj-title><mj-preview>{{lines.[0].name}}</mj-preview>\
        <mj-attributes><mj-text color=\"{{color}}\"/></mj-attributes><mj-style>.a { color: {{color}} }</mj-style>\
        <mj-style inline=\"inline\">.b { color: red } .b:hover { color: blue }</mj-style></mj-head>\
        <mj-body>{{!-- {{#if}} --}}<!-- for {{nobody}} --><mj-section><mj-column><mj-text><b class=\"a b\">x</b> \\{{y}}\
        {{! a note }}</mj-text></mj-column></mj-section></mj-body></mjml>";
    let mjml = mjml.replace("<!-- for {{nobody}} -->", "<!-- for {{color}} -->");
    let rendered = Template::compile(&source(&mjml)).unwrap().render(&data()).unwrap();
    let html = rendered.html;
    for part in ["<title>For Ann &lt;b&gt;</title>", ".a { color: #336699 }", "color:#336699;", "{{y}}", ">Mug</div>"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(
        html.contains("<b class=\"a b\" style=\"color: red;\">")
            || html.contains("<b style=\"color: red;\" class=\"a b\">"),
        "{html}"
    );
    assert!(html.contains(".b:hover { color: blue }") && !html.contains(".b { color: red }"), "{html}");
    assert!(!html.contains("note") && !html.contains("cw0m") && !html.contains("fonts.googleapis.com"), "{html}");
    assert_eq!(rendered.text, "x {{y}}\n");
}

#[test]
fn what_is_wrong_is_said_at_its_line_and_column() {
    let column = |inner: &str| with_body(&format!("<mj-section><mj-column>\n {inner}\n</mj-column></mj-section>"));
    check_problem(&column("<mj-text>{{frob 1}}</mj-text>"), "mjml, line 4, column 11: there is no helper \"frob\"");
    check_problem(
        &column("<mj-text {{#if a}}color=\"red\"{{/if}}>x</mj-text>"),
        "mjml, line 4, column 11: in a tag, a mustache",
    );
    check_problem(&column("<mj-text>{{#if a}}x</mj-text>"), "mjml, line ");
    check_problem(&column("<mj-text><p>x</mj-text>"), "mjml, line 4, column 15: </p> is expected here");
    check_problem(&column("<mj-text>x</mj-txt>"), "mjml, line 4, column 12: </mj-text> is expected here");
    check_problem(&column("<mj-include path=\"/etc/passwd\"/>"), "mjml, line 4, column ");
    check_problem(
        "<mjml><mj-head>\n<mj-nothing/></mj-head><mj-body/></mjml>",
        "mjml, line 2, column 2: <mj-nothing> cannot",
    );
    check_problem(
        "<mjml><mj-head>\n {{color}}</mj-head><mj-body></mj-body></mjml>",
        "mjml, line 2, column 2: MJML makes nothing",
    );
    check_problem(
        &column("<mj-text><a href={{to}}>x</a></mj-text>"),
        "mjml, line 4, column 18: a value stands in quotes",
    );
    check_problem(
        &column("<mj-text é=\"x\">x</mj-text>"),
        "mjml, line 4, column 11: in a tag, this stands in the quotes",
    );
    check_problem("<p>x</p>", "mjml, line 1, column 1: <p> cannot stand here");
    check_problem("<mjml><mj-body>", "mjml, line 1, column 7: <mj-body> is not closed");
    check_problem("<mjml></mjml></p>", "mjml, line 1, column 14: this closes nothing");
    check_problem("{{#if a", "mjml, line 1, column 1: this is not closed");
    check_problem(&with_body(&"<div>".repeat(100)), "mjml, line 3, column 311: elements are more than 64 deep");
}

#[test]
fn partials_are_put_into_mjml_and_keep_their_places() {
    let partial = "<mj-section><mj-column>\n <mj-text>{{#each lines}}{{name}}{{/each}} {{> other}}</mj-text></mj-column></mj-section>";
    let check = |other: &str| {
        let all =
            [("sec", partial), ("other", other)].map(|(code, source)| (code.to_owned(), source.to_owned())).into();
        let template = Template::compile(&source(&with_body("{{> sec}}")).with_partials(&all));
        match template.map(|template| template.render(&data())) {
            Ok(Ok(rendered)) => rendered.text,
            Ok(Err(error)) => error.to_string(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    };
    assert_eq!(check("{{color}}"), "MugCup & saucer #336699\n");
    assert_eq!(check("\n\n {{nothing}}"), "mjml, partial other, line 3, column 2: there is no nothing");
    assert!(check("\n{{frob 1}}").starts_with("mjml, partial other, line 2, column 1: there is no helper"));
    assert!(
        check("\n<p>x").starts_with("mjml, partial sec, line 2, column 55: </p> is expected here"),
        "{}",
        check("\n<p>x")
    );
}

#[test]
fn elements_may_be_rather_deep_in_each_other() {
    let deep = format!("{}{{{{color}}}}{}", "<div>".repeat(58), "</div>".repeat(58));
    let html = html(&format!("<mj-section><mj-column><mj-text>{deep}</mj-text></mj-column></mj-section>"));
    assert!(html.contains("<div>#336699</div>"), "{html}");
}

#[test]
fn what_mjml_leaves_out_is_a_warning() {
    let mjml = "<mjml><mj-head>\n<mj-style colour=\"red\">p {}</mj-style></mj-head><mj-body></mj-body></mjml>";
    let template = Template::compile(&source(mjml)).unwrap();
    let warnings: Vec<String> = template.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["mjml, line 2, column 11: the attribute \"colour\" is not known here, and left out"]);
}
