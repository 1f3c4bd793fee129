//! Every language against what Node's own ICU makes of the same.

use serde_json::Value;

use super::*;
use crate::helpers::date;

const EXPECTED: &str = include_str!("../../cldr/expected.jsonl");

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn amount(value: &Value) -> Decimal {
    text(value).parse().expect("an amount")
}

/// Calls `check` with every language, what is expected of it under `kind`, and where differences go.
fn each(kind: &str, mut check: impl FnMut(&'static Language, &[Value]) -> Vec<(String, String)>) {
    let mut wrong = Vec::new();
    for line in EXPECTED.lines() {
        let expected: Value = serde_json::from_str(line).expect("JSON");
        let tag = text(&expected["tag"]);
        let language = find(tag).unwrap_or_else(|| panic!("there is no {tag}"));
        for sample in expected[kind].as_array().expect("a list") {
            let pairs = check(language, sample.as_array().expect("a list"));
            wrong.extend(
                pairs
                    .into_iter()
                    .filter(|(is, wanted)| is != wanted)
                    .map(|(is, wanted)| format!("{tag}: {is:?}, not {wanted:?}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn amounts_are_written_as_elsewhere() {
    each("money", |language, sample| {
        vec![(language.money(amount(&sample[0]), text(&sample[1])), text(&sample[2]).to_owned())]
    });
}

#[test]
fn numbers_are_written_as_elsewhere() {
    each("numbers", |language, sample| {
        let value = amount(&sample[0]);
        vec![(language.number(value, value.scale()), text(&sample[1]).to_owned())]
    });
}

#[test]
fn dates_are_written_as_elsewhere() {
    each("dates", |language, sample| {
        let day = text(&sample[0]).parse().expect("a date");
        let styles = sample[1..].iter().zip(language.dates);
        styles.map(|(wanted, pattern)| (date::styled(day, pattern, language), text(wanted).to_owned())).collect()
    });
}

#[test]
fn distances_are_written_as_elsewhere() {
    each("relative", |language, sample| {
        let (unit, number) = (text(&sample[0]), sample[1].as_i64().expect("a number"));
        let written = match (unit, number) {
            ("day", 1) => Some(language.around[2].to_owned()),
            _ => language.relative(unit, number),
        };
        vec![(written.unwrap_or_default(), text(&sample[2]).to_owned())]
    });
}

#[test]
fn numbers_take_the_forms_that_they_take_elsewhere() {
    each("plurals", |language, sample| {
        let number = amount(&sample[0]);
        vec![(format!("{number} {}", language.category(number).name()), format!("{number} {}", text(&sample[1])))]
    });
}

#[test]
fn every_language_is_read_and_found_by_any_spelling_of_its_tag() {
    assert!(ENTRIES.len() >= 60);
    for entry in ENTRIES.iter() {
        let language: Language =
            serde_json::from_str(entry.line).unwrap_or_else(|error| panic!("{}: {error}", entry.tag));
        assert!(language.names.months.iter().chain(&language.names.days).all(|name| !name.contains('%')));
    }
    let monday_in = |tag: &str| find(tag).map(|language| language.names.days[1]);
    for (tag, monday) in [
        ("DE", Some("Montag")),
        ("de_LU", Some("Montag")),
        ("en-GB", Some("Monday")),
        ("nb-NO", Some("mandag")),
        ("zh_Hant_HK", Some("星期一")),
        ("sr-Latn-RS", Some("ponedeljak")),
        ("tlh", None),
        ("", None),
        ("-", None),
    ] {
        assert_eq!(monday_in(tag), monday, "{tag}");
    }
}
