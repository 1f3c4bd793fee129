//! What one version of a definition says otherwise than another.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use similar::TextDiff;

/// How long it is looked for the shortest account of all differences together; where that is
/// not found by then, a longer one does.
const BUDGET: Duration = Duration::from_secs(2);

/// How many lines that are the same are shown around those that are not.
const AROUND: usize = 3;

/// The differences, each at its place, in the order of the places. What is not there at all is
/// null, so that a first version differs from nothing. Objects are gone through, texts are held
/// against each other line by line, and so is everything else, written as JSON.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Value> {
    let mut pairs = Vec::new();
    gather("", before, after, &mut pairs);
    let each = BUDGET / u32::try_from(pairs.len()).unwrap_or(u32::MAX).max(1);
    pairs
        .iter()
        .map(|(pointer, before, after)| json!({ "pointer": pointer, "diff": unified(before, after, each) }))
        .collect()
}

/// The places at which the two differ, each with the two texts.
fn gather(pointer: &str, before: &Value, after: &Value, pairs: &mut Vec<(String, String, String)>) {
    if before == after {
        return;
    }
    let is_open = |value: &Value| value.is_object() || value.is_null();
    if is_open(before) && is_open(after) {
        let objects = [before, after].into_iter().filter_map(Value::as_object);
        let keys: BTreeSet<&String> = objects.flat_map(|object| object.keys()).collect();
        for key in keys {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let of = |value: &Value| value.get(key).cloned().unwrap_or_default();
            gather(&pointer, &of(before), &of(after), pairs);
        }
        return;
    }
    pairs.push((pointer.to_owned(), text(before), text(after)));
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => format!("{value:#}"),
    }
}

/// A unified diff without its head.
fn unified(before: &str, after: &str, within: Duration) -> String {
    let diff = TextDiff::configure().timeout(within).diff_lines(before, after);
    diff.unified_diff().context_radius(AROUND).missing_newline_hint(false).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(before: &Value, after: &Value) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        differences(before, after).iter().map(|one| (text(&one["pointer"]), text(&one["diff"]))).collect()
    }

    fn pair(pointer: &str, diff: &str) -> (String, String) {
        (pointer.to_owned(), diff.to_owned())
    }

    #[test]
    fn each_place_that_differs_is_named_with_its_lines() {
        let before =
            json!({ "subject": "Old", "html": "<p>\na\nb\nc\nd\ne\n</p>", "same": "x", "gone": { "a/b": "1" } });
        let after = json!({ "subject": "New", "html": "<p>\na\nb\nc\nd\nE\n</p>", "same": "x", "more": ["a", 1] });
        let expected = [
            pair("/gone/a~1b", "@@ -1 +0,0 @@\n-1\n"),
            pair("/html", "@@ -3,5 +3,5 @@\n b\n c\n d\n-e\n+E\n </p>\n"),
            pair("/more", "@@ -0,0 +1,4 @@\n+[\n+  \"a\",\n+  1\n+]\n"),
            pair("/subject", "@@ -1 +1 @@\n-Old\n+New\n"),
        ];
        assert_eq!(found(&before, &after), expected);
    }

    #[test]
    fn what_is_the_same_differs_nowhere_and_a_first_version_from_nothing() {
        let one = json!({ "subject": "S", "translations": { "lv": { "subject": "T" } } });
        assert_eq!(found(&one, &one), []);
        let places: Vec<String> = found(&Value::Null, &one).into_iter().map(|(pointer, _)| pointer).collect();
        assert_eq!(places, ["/subject", "/translations/lv/subject"]);
        assert_eq!(found(&json!({ "a": 1 }), &json!({ "a": { "b": 1 } })).len(), 1);
    }

    #[test]
    fn whatever_differs_is_told_in_time() {
        let lines = |word: &str| (0..60_000).map(|n| format!("{word}{n}\n")).collect::<String>();
        let (before, after) = (json!({ "html": lines("a") }), json!({ "html": lines("b") }));
        let begun = std::time::Instant::now();
        let found = found(&before, &after);
        // A function has ten seconds for all that it does.
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert_eq!(found[0].1.matches("\n-a").count() + found[0].1.matches("\n+b").count(), 120_000);
    }
}
