//! Styles, which are put into the tags that they match.

use serde_json::json;
use templates::{Content, Template};

/// What becomes of this, with a word behind it: a mail in which there is nothing to read is none.
fn compiled(html: &str) -> String {
    const READ: &str = "word";
    let whole = format!("{html}{READ}");
    let template =
        Template::compile(&Content::of("s", &whole).into()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let data = json!({"a": "red", "yes": true, "list": [{"n": 1}, {"n": 2}], "class": "c", "html": "<i class=x>y</i>"});
    let html = template.render(&data).unwrap_or_else(|error| panic!("{html}: {error}")).html;
    html.strip_suffix(READ).expect("the word").to_owned()
}

#[track_caller]
fn check(html: &str, expected: &str) {
    assert_eq!(compiled(html), expected, "{html}");
}

#[test]
fn a_rule_is_put_into_the_tags_that_it_matches() {
    check(
        "<style>p { color: red }</style><p>x</p><P class=a>y</P>",
        "<p style=\"color: red;\">x</p><P style=\"color: red;\" class=a>y</P>",
    );
    check(
        "<style>.a,#b{margin:0}</style><i class='z a'>x</i><b id=b>y</b><i class=ab>",
        "<i style=\"margin:0;\" class='z a'>x</i><b style=\"margin:0;\" id=b>y</b><i class=ab>"
            .replace("margin:0", "margin: 0")
            .as_str(),
    );
    check(
        "<style>div > p b{x:1}</style><div><p><i><b>x</b></i></p></div><p><b>",
        "<div><p><i><b style=\"x: 1;\">x</b></i></p></div><p><b>",
    );
    check(
        "<style>a[href]{x:1} a[title=\"t\"]{y:2}</style><a href=#>x</a><a title=t>",
        "<a style=\"x: 1;\" href=#>x</a><a style=\"y: 2;\" title=t>",
    );
    check(
        "<style>li{x:1}</style><ul><li>a<li>b</ul><br><img>",
        "<ul><li style=\"x: 1;\">a<li style=\"x: 1;\">b</ul><br><img>",
    );
    check(
        "<style>p{font-family:\"A B\",serif;background:url(a?b&c)}</style><p>",
        "<p style=\"font-family: 'A B',serif; background: url(a?b&amp;c);\">",
    );
}

#[test]
fn what_counts_more_comes_last_and_what_the_tag_says_itself_counts_most() {
    check("<style>p.a{color:1;x:1}p{color:2;y:2}</style><p class=a>", "<p style=\"y: 2; color: 1; x: 1;\" class=a>");
    check(
        "<style>p{color:1 !important}p.a{color:2}</style><p class=a>",
        "<p style=\"color: 1 !important; color: 2;\" class=a>",
    );
    check("<style>p{color:1;color:2}</style><p style=\"color:{{a}}\">", "<p style=\"color: 1; color: 2; color:red\">");
    check(
        "<style>p{c:1}</style><p style='d:\"2\"'><p style=e:3><p style=''>",
        "<p style='c: 1; d:\"2\"'><p style=\"c: 1; e:3\"><p style='c: 1;'>",
    );
}

#[test]
fn what_no_tag_can_answer_stays() {
    let sheet = "@media (max-width: 9px) { p { x: 1 } }";
    check(
        &format!("<style>{sheet} p{{y:2}} p:hover{{z:3}}</style><p>"),
        &format!("<style>{sheet}\np:hover {{z:3}}\n</style><p style=\"y: 2;\">"),
    );
    check("<style>p, p:hover, q{y:2}</style><p>", "<style>p:hover, q {y:2}\n</style><p style=\"y: 2;\">");
    check(
        "<style>@import 'a';p{color:{{a}}}b{x:1}</style><p><b>",
        "<style>@import 'a';\np{color:red}\n</style><p><b style=\"x: 1;\">",
    );
    check(
        "<style>p > ~ b{x:1} p + b{x:1} [a^=b]{x:1}</style><p><b>",
        "<style>p > ~ b {x:1}\np + b {x:1}\n[a^=b] {x:1}\n</style><p><b>",
    );
    check("<style media=print>p{x:1}</style><p>", "<style media=print>p{x:1}</style><p>");
    check("<style>{{#if yes}}p{x:1}{{/if}}</style><p>", "<style>p{x:1}</style><p>");
    check("<style>p{x:1</style><p>", "<style>p{x:1</style><p>");
    check("<style>p{x:{y}}</style><p>", "<style>p{x:{y}}</style><p>");
}

#[test]
fn what_is_only_known_when_it_is_rendered_keeps_its_rules() {
    check(
        "<style>.c{x:1}</style><p class=\"{{class}}\"><b class=c>",
        "<style>.c {x:1}\n</style><p class=\"c\"><b style=\"x: 1;\" class=c>",
    );
    check(
        "<style>.c{x:1}.d{y:2}</style><p class=\"d {{#if yes}}c{{/if}}\">",
        "<style>.c {x:1}\n</style><p style=\"y: 2;\" class=\"d c\">",
    );
    check(
        "<style>p{x:1}</style><p {{#if yes}}style=\"y:2\"{{/if}}><p>",
        "<style>p {x:1}\n</style><p style=\"y:2\"><p style=\"x: 1;\">",
    );
    check(
        "<style>.x{x:1}</style>{{{html}}}<i class=x>",
        "<style>.x {x:1}\n</style><i class=x>y</i><i style=\"x: 1;\" class=x>",
    );
    check(
        "<style>b{x:1}</style><!--[if mso]><b>m</b><![endif]--><b>",
        "<style>b {x:1}\n</style><!--[if mso]><b>m</b><![endif]--><b style=\"x: 1;\">",
    );
}

#[test]
fn mustaches_stay_where_they_are() {
    check(
        "<style>td{x:1} tr.t td{y:2}</style><table>{{#each list}}\n<tr class=t><td>{{n}}</td></tr>\n{{/each}}</table>",
        "<table>\n<tr class=t><td style=\"x: 1; y: 2;\">1</td></tr>\n\n<tr class=t><td style=\"x: 1; y: 2;\">2</td></tr>\n</table>",
    );
    check(
        "<style>div p{x:1}</style>{{#if yes}}<div class=\"{{#if yes}}a>{{/if}}\">{{else}}<section>{{/if}}<p>{{a}}",
        "<div class=\"a>\"><p>red".replace("<div", "<style>div p {x:1}\n</style><div").as_str(),
    );
    check(
        "<style>p{x:1}</style>{{default a \"<p>\"}}<p title=\"{{default a '>'}}\">",
        "red<p style=\"x: 1;\" title=\"red\">",
    );
}

#[test]
fn html_without_styles_stays_byte_for_byte() {
    for html in [
        "<P  CLASS = x\t>&nbsp;<br/ ><td>\r\n</p>{<b>}</b>",
        "<!-- <style>p{x:1}</style> --><p>",
        "<style></style><p>",
        "<style>/* x */</style><p a=>",
    ] {
        check(html, html);
    }
}

#[test]
fn styles_that_multiply_are_refused() {
    let html = format!("<style>p{{background:{}}}</style>{}", "x".repeat(2_000), "<p>".repeat(1_000));
    let problems = Template::compile(&Content::of("s", html).into()).unwrap_err();
    assert_eq!(problems[0].message, "comes to more than 1048576 bytes with its styles in the tags");
}
