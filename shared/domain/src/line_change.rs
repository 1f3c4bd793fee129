//! What happened to the lines of an order between two images of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Amount, Content, Currency, Line};

/// What happened to one line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineChange {
    /// The line's id within its order.
    pub line_id: String,
    /// The product's id in the shop's system.
    pub product_id: String,
    /// The product's name as the line has it, or had it: at most its first 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What happened to it.
    pub what: LineNews,
    /// What the line was before; none if it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<LineTerms>,
    /// What it is now; none if it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<LineTerms>,
}

/// What may happen to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineNews {
    /// It was not in the order before, or was of another product.
    Added,
    /// It is not in the order any more, or is of another product.
    Removed,
    /// Its quantity, its price or its total is another.
    Changed,
}

impl LineNews {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Added, Self::Removed, Self::Changed];

    /// Its name in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// How much of a product a line is of, and at what price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTerms {
    /// How many, or how much.
    pub quantity: Amount,
    /// The price of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// The line's total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Amount>,
    /// The currency of both.
    pub currency: Currency,
}

impl LineChange {
    /// How many are listed of one change.
    pub const MOST: usize = 50;

    /// How many bytes of JSON these take at most. A change travels in rows and queue
    /// messages: a hundred of them, as many as a batch of a stream's records may have of one
    /// customer, fit into one message of SQS.
    pub const MOST_BYTES: usize = 9 * 1024;

    /// How many characters of a name are kept.
    const MOST_OF_NAME: usize = 200;

    /// The lines that are not what they were, and how many they are: those that there are
    /// now in their order, behind them those that are gone in theirs. The first
    /// [`Self::MOST`] are listed, or fewer, if these would take more than
    /// [`Self::MOST_BYTES`].
    ///
    /// A line is known by its id. Under the id of one that was of another product it is
    /// another line.
    #[must_use]
    pub fn between(old: &Content, new: &Content) -> (Vec<Self>, usize) {
        let before: BTreeMap<_, _> = old.lines.iter().map(|line| (key(line), line)).collect();
        let after: BTreeSet<_> = new.lines.iter().map(key).collect();
        let here = new.lines.iter().filter_map(|line| match before.get(&key(line)) {
            None => Some(Self::of(line, LineNews::Added, None, Some(terms(new, line)))),
            Some(was) if terms_of(was) != terms_of(line) => {
                Some(Self::of(line, LineNews::Changed, Some(terms(old, was)), Some(terms(new, line))))
            }
            Some(_) => None,
        });
        let gone = old.lines.iter().filter(|line| !after.contains(&key(line)));
        let gone = gone.map(|line| Self::of(line, LineNews::Removed, Some(terms(old, line)), None));
        let (mut listed, mut count, mut bytes) = (Vec::new(), 0, 0);
        for change in here.chain(gone) {
            bytes += serde_json::to_string(&change).map_or(Self::MOST_BYTES, |text| text.len() + 1);
            if listed.len() == count && count < Self::MOST && bytes <= Self::MOST_BYTES {
                listed.push(change);
            }
            count += 1;
        }
        (listed, count)
    }

    fn of(line: &Line, what: LineNews, from: Option<LineTerms>, to: Option<LineTerms>) -> Self {
        let name = line.name.as_ref().map(|name| name.chars().take(Self::MOST_OF_NAME).collect());
        Self { line_id: line.id.clone(), product_id: line.product_id.clone(), name, what, from, to }
    }
}

fn key(line: &Line) -> (&str, &str) {
    (&line.id, &line.product_id)
}

/// What a line is held to be another by: all that is shown of it.
fn terms_of(line: &Line) -> (Amount, Option<Amount>, Option<Amount>) {
    (line.quantity, line.price, line.total)
}

fn terms(of: &Content, line: &Line) -> LineTerms {
    let (quantity, price, total) = terms_of(line);
    LineTerms { quantity, price, total, currency: of.currency.clone() }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::{Change, Order};

    fn order(at: i64, lines: Value) -> Order {
        let at = Timestamp::from_second(at).unwrap();
        let order = json!({
            "id": "1001", "customer_id": "ada", "first_at": at, "times": {"whole": at},
            "content": {"currency": "EUR", "total": "1", "lines": lines},
            "statuses": crate::Statuses::default(),
        });
        serde_json::from_value(order).unwrap()
    }

    /// A line of the product `p` and its id.
    fn line(id: &str, quantity: &str, price: Option<&str>) -> Value {
        json!({ "id": id, "product_id": format!("p{id}"), "name": format!("Mug {id}"), "quantity": quantity, "price": price })
    }

    /// The lines of what changed, as JSON, and how many they are.
    fn changed(old: &Order, new: &Order) -> Option<(Value, usize)> {
        let lines = |change| match change {
            Change::OrderLinesChanged { lines, count, .. } => (json!(lines), count),
            other => panic!("{other:?}"),
        };
        let mut changes = Change::of_order(Some(old), new).into_iter();
        let change = changes.next().map(lines);
        assert_eq!(changes.next(), None);
        change
    }

    #[test]
    fn what_was_added_changed_and_removed_is_listed_with_what_it_was_and_what_it_is() {
        let old = order(1, json!([line("1", "2", Some("9.95")), line("2", "1", None), line("3", "1", Some("5"))]));
        let new = order(2, json!([line("4", "1.5", None), line("3", "1", Some("4.50")), line("1", "3", Some("9.95"))]));
        let expected = json!([
            { "line_id": "4", "product_id": "p4", "name": "Mug 4", "what": "added",
              "to": { "quantity": "1.5", "currency": "EUR" } },
            { "line_id": "3", "product_id": "p3", "name": "Mug 3", "what": "changed",
              "from": { "quantity": "1", "price": "5", "currency": "EUR" },
              "to": { "quantity": "1", "price": "4.50", "currency": "EUR" } },
            { "line_id": "1", "product_id": "p1", "name": "Mug 1", "what": "changed",
              "from": { "quantity": "2", "price": "9.95", "currency": "EUR" },
              "to": { "quantity": "3", "price": "9.95", "currency": "EUR" } },
            { "line_id": "2", "product_id": "p2", "name": "Mug 2", "what": "removed",
              "from": { "quantity": "1", "currency": "EUR" } },
        ]);
        assert_eq!(changed(&old, &new), Some((expected, 4)));
    }

    #[test]
    fn a_line_of_another_product_is_another_line_whatever_its_id() {
        let other = json!({ "id": "1", "product_id": "cup", "quantity": "2" });
        let (old, new) = (order(1, json!([line("1", "2", None)])), order(2, json!([other])));
        let (lines, count) = changed(&old, &new).unwrap();
        let said: Vec<_> = lines.as_array().unwrap().iter().map(|line| (&line["product_id"], &line["what"])).collect();
        assert_eq!(said, [(&json!("cup"), &json!("added")), (&json!("p1"), &json!("removed"))]);
        assert_eq!(count, 2);
    }

    #[test]
    fn a_line_that_only_looks_different_or_stands_elsewhere_is_not_listed() {
        let (one, other) = (line("1", "2", Some("5")), line("2", "1", None));
        let old = order(1, json!([one, other]));
        let mut pictured = line("1", "2.0", Some("5.00"));
        pictured["image"] = json!("https://shop.example/mug.png");
        for lines in [json!([other, one]), json!([pictured, other])] {
            assert_eq!(changed(&old, &order(2, lines)), Some((json!([]), 0)));
        }
        assert_eq!(changed(&old, &order(2, json!([one, other]))), None);
    }

    #[test]
    fn the_same_images_are_the_same_change_and_its_cause_is_when_it_was_and_not_what() {
        let (old, new) = (order(1, json!([line("1", "1", None)])), order(2, json!([line("1", "2", None)])));
        let change = |old| Change::of_order(Some(old), &new);
        assert_eq!(change(&old), change(&old));
        let elsewhere = order(1, json!([line("1", "7", None)]));
        assert_ne!(change(&old), change(&elsewhere));
        assert_eq!(change(&old)[0].cause(), change(&elsewhere)[0].cause());
        assert_eq!(change(&old)[0].cause(), ["order_lines", "1001", &crate::sortable(new.lines_at())]);
    }

    #[test]
    fn two_changes_have_two_causes_though_something_else_was_said_later_than_both() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let image = |lines_at, quantity| {
            let mut order = order(1, json!([line("1", quantity, None)]));
            let times = json!({ "whole": at(1), "fields": { "/lines": at(lines_at), "/total": at(9) } });
            order.times = serde_json::from_value(times).unwrap();
            order
        };
        let images = [image(1, "1"), image(2, "2"), image(3, "3")];
        let causes: Vec<_> =
            images.windows(2).map(|images| Change::of_order(Some(&images[0]), &images[1])[0].cause()).collect();
        assert_ne!(causes[0], causes[1]);
    }

    #[test]
    fn however_much_changed_a_change_lists_no_more_than_travels_well() {
        let lines = |count: usize, name: &str| {
            let line = |n: usize| json!({ "id": n.to_string(), "product_id": "p", "name": name, "quantity": "1" });
            (0..count).map(line).collect::<Value>()
        };
        let empty = order(1, json!([]));
        let listed = |count, name: &str| {
            let (listed, count) = changed(&empty, &order(2, lines(count, name))).unwrap();
            assert!(listed.to_string().len() <= LineChange::MOST_BYTES + 1);
            (listed.as_array().unwrap().clone(), count)
        };
        assert_eq!(listed(LineChange::MOST, "Mug").0.len(), LineChange::MOST);
        let (first, count) = listed(LineChange::MOST + 1, "Mug");
        assert_eq!((first.len(), count), (LineChange::MOST, LineChange::MOST + 1));
        assert_eq!((&first[0]["line_id"], &first[49]["line_id"]), (&json!("0"), &json!("49")));
        // Of what is long in bytes fewer are listed, and always the first.
        let (first, count) = listed(1_000, &"š".repeat(500));
        assert_eq!(first[0]["name"], "š".repeat(200));
        assert_eq!((first.len() < LineChange::MOST, first.is_empty(), count), (true, false, 1_000));
        assert!(first.iter().enumerate().all(|(n, line)| line["line_id"] == json!(n.to_string())));
        let taken_away = changed(&order(1, lines(1_000, "Mug")), &order(2, json!([]))).unwrap();
        assert_eq!((taken_away.0.as_array().unwrap().len(), taken_away.1), (LineChange::MOST, 1_000));
    }

    #[test]
    fn what_was_written_before_lines_were_listed_is_still_read_and_lists_none() {
        let before = json!({ "type": "order_lines_changed", "order_id": "1001", "at": "2026-11-22T10:00:00Z" });
        let change: Change = serde_json::from_value(before.clone()).unwrap();
        assert!(matches!(&change, Change::OrderLinesChanged { lines, count: 0, .. } if lines.is_empty()));
        let mut now = before;
        (now["lines"], now["count"]) = (json!([]), json!(0));
        assert_eq!(json!(change), now);
    }

    #[test]
    fn of_somebody_who_was_erased_no_line_is_kept() {
        let (old, new) = (order(1, json!([line("1", "1", None)])), order(2, json!([line("1", "2", None)])));
        let mut change = Change::of_order(Some(&old), &new).remove(0);
        assert_eq!(serde_json::from_value::<Change>(json!(change)).unwrap(), change);
        change.scrub();
        let kept = json!(change);
        let at = new.lines_at();
        assert_eq!(
            kept,
            json!({ "type": "order_lines_changed", "order_id": "erased", "at": at, "lines": [], "count": 1 })
        );
    }
}
