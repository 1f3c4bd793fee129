use std::collections::{BTreeMap, BTreeSet};

use conditions::{Condition, Program, Scope};
use domain::read::{self, Faults, Reader};
use domain::{Fault, Order};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Segments;
use crate::definition::{condition, ignore_words, put_words};

/// How many digits behind the point a share has.
const SHARE: u32 = 6;

/// How many digits an average has behind the point, at least: as many as most currencies.
const CENTS: u32 = 2;

/// The part of a survey that may not seem more done than this before it is.
const NEARLY: Decimal = Decimal::from_parts(99, 0, 0, false, 2);

/// A question that all customers are gone through for: how many meet a condition, and what
/// they are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who is looked for.
    pub condition: Condition,
    /// The segments that the condition comes to name, as they were when it began. An edit
    /// in the middle changes nothing.
    pub segments: BTreeMap<String, Condition>,
    /// When it began: as of then everybody is looked at.
    pub begun_at: Timestamp,
    /// About how many rows there are to be gone through.
    pub rows: u64,
}

impl Survey {
    /// Reads the body of `POST /v1/surveys`: a name, if there is one, and the condition.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(body: &Value) -> Result<(Option<String>, Condition), Faults> {
        let mut reader = Reader::new(body);
        let name = reader.optional("name", read::short);
        let condition = required_condition(&mut reader, body);
        ignore_words(&mut reader, "condition_in_words");
        reader.finish()?;
        Ok((name, condition.ok_or_else(|| vec![Fault::new("", "could not be read")])?))
    }

    /// Reads the body of `POST /v1/conditions/preview`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read_preview(body: &Value) -> Result<Condition, Faults> {
        let mut reader = Reader::new(body);
        let condition = required_condition(&mut reader, body);
        reader.finish()?;
        condition.ok_or_else(|| vec![Fault::new("", "could not be read")])
    }

    /// The segments that a condition names, and that these name, and so on.
    #[must_use]
    pub fn segments_of(condition: &Condition, known: &Segments) -> BTreeMap<String, Condition> {
        let mut kept = BTreeMap::new();
        let mut open: BTreeSet<String> = condition.segments().into_iter().map(str::to_owned).collect();
        while let Some(code) = open.pop_first() {
            if let Some(condition) = known.condition(&code).filter(|_| !kept.contains_key(&code)) {
                open.extend(condition.segments().into_iter().map(str::to_owned));
                kept.insert(code, condition.clone());
            }
        }
        kept
    }

    /// The condition, made ready.
    #[must_use]
    pub fn program(&self) -> Program {
        Program::new([&self.condition], |code| self.segments.get(code))
    }

    /// The survey as it goes out over the API, with what has come of it so far.
    #[must_use]
    pub fn show(&self, progress: &SurveyProgress, now: Timestamp) -> Value {
        let share = progress.share(self.rows);
        let done_by = match progress.ended_at {
            None => expected(self.begun_at, now, share),
            ended_at => ended_at,
        };
        let mut shown = json!({
            "id": self.id,
            "state": if progress.ended_at.is_some() { "done" } else { "running" },
            "condition": self.condition,
            "begun_at": self.begun_at,
            "ended_at": progress.ended_at,
            "progress": {
                "customers": progress.tally.all.customers,
                "failed": progress.failed,
                "share": share.normalize().to_string(),
                "done_by": done_by,
            },
            "result": {
                "all": progress.tally.all.show(None),
                "matching": progress.tally.matching.show(Some(&progress.tally.all)),
            },
        });
        if let Some(name) = &self.name {
            shown["name"] = json!(name);
        }
        put_words(&mut shown, "condition_in_words", Some(&self.condition));
        shown
    }
}

fn required_condition(reader: &mut Reader<'_>, body: &Value) -> Option<Condition> {
    let condition = condition(reader, "condition", Scope::SEGMENT.roots);
    if body.is_object() && body.get("condition").is_none_or(Value::is_null) {
        reader.fault("condition", "is required");
    }
    condition
}

/// How far a survey is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SurveyProgress {
    /// What has come of the customers who were looked at.
    pub tally: SurveyTally,
    /// Into how many parts all customers are divided.
    pub parts: u32,
    /// How many of the parts are done.
    pub done: u32,
    /// How many customers could not be looked at and were passed over.
    pub failed: u64,
    /// How many rows of each of the others lie behind it.
    pub rows: Vec<u64>,
    /// When the last part was done; none if they are not all done.
    pub ended_at: Option<Timestamp>,
}

impl SurveyProgress {
    /// The share of the rows that were gone through, of about so many. A part is taken to
    /// have its share of the rows until it is done.
    #[must_use]
    pub fn share(&self, rows: u64) -> Decimal {
        let parts = Decimal::from(self.parts.max(1));
        let each = (Decimal::from(rows) / parts).max(Decimal::ONE);
        let of_part = |rows: &u64| (Decimal::from(*rows) / each).min(NEARLY);
        let of_open: Decimal = self.rows.iter().map(of_part).sum();
        rounded((Decimal::from(self.done) + of_open) / parts)
    }
}

/// When what is so far along will be done if it goes on as it did.
#[must_use]
pub fn expected(begun_at: Timestamp, now: Timestamp, share: Decimal) -> Option<Timestamp> {
    let taken = Decimal::from(now.duration_since(begun_at).as_secs().max(0));
    let left = (taken * (Decimal::ONE - share)).checked_div(share)?;
    now.checked_add(SignedDuration::from_secs(i64::try_from(left.ceil()).ok()?)).ok()
}

/// What has come of a survey: of everybody, and of those who meet the condition.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SurveyTally {
    /// Of everybody.
    pub all: Figures,
    /// Of those who meet the condition.
    pub matching: Figures,
}

impl SurveyTally {
    /// Adds a customer, with the orders that count.
    pub fn add<'o>(&mut self, matches: bool, orders: impl Iterator<Item = &'o Order> + Clone) {
        if matches {
            self.matching.add(orders.clone());
        }
        self.all.add(orders);
    }

    /// Adds what has come of other customers.
    pub fn join(&mut self, other: &Self) {
        self.all.join(&other.all);
        self.matching.join(&other.matching);
    }
}

/// What customers come to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// How many there are.
    pub customers: u64,
    /// What they spent, by currency.
    pub revenue: BTreeMap<String, Revenue>,
}

/// What was spent in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revenue {
    /// In how many orders.
    pub orders: u64,
    /// In all.
    pub total: Decimal,
}

impl Figures {
    fn add<'o>(&mut self, orders: impl Iterator<Item = &'o Order>) {
        self.customers += 1;
        for order in orders {
            let spent = self.revenue.entry(order.content.currency.as_str().to_owned()).or_default();
            spent.add(1, order.content.total.decimal());
        }
    }

    fn join(&mut self, other: &Self) {
        self.customers += other.customers;
        for (currency, spent) in &other.revenue {
            self.revenue.entry(currency.clone()).or_default().add(spent.orders, spent.total);
        }
    }

    /// The figures as they go out over the API; of a part of all, with its shares.
    fn show(&self, all: Option<&Self>) -> Value {
        let orders: u64 = self.revenue.values().map(|spent| spent.orders).sum();
        let mut revenue = Map::new();
        for (currency, spent) in &self.revenue {
            let mut shown = json!({
                "orders": spent.orders,
                "total": spent.total.to_string(),
                "average_order": spent.average().to_string(),
            });
            if let Some(all) = all.and_then(|all| all.revenue.get(currency)) {
                shown["share"] = json!(share_of(spent.total, all.total));
            }
            revenue.insert(currency.clone(), shown);
        }
        let mut shown = json!({ "customers": self.customers, "orders": orders, "revenue": revenue });
        if let Some(all) = all {
            shown["share"] = json!(share_of(self.customers.into(), all.customers.into()));
        }
        shown
    }
}

impl Revenue {
    fn add(&mut self, orders: u64, total: Decimal) {
        self.orders += orders;
        self.total = self.total.saturating_add(total);
    }

    fn average(self) -> Decimal {
        let digits = self.total.scale().max(CENTS);
        let average = self.total.checked_div(self.orders.into()).unwrap_or_default();
        average.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
    }
}

/// A share as text; none of nothing.
fn share_of(part: Decimal, all: Decimal) -> Option<String> {
    Some(rounded(part.checked_div(all)?).normalize().to_string())
}

fn rounded(share: Decimal) -> Decimal {
    share.round_dp_with_strategy(SHARE, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(customers: u64, orders: u64, total: &str) -> Figures {
        let revenue = Revenue { orders, total: total.parse().unwrap() };
        Figures { customers, revenue: BTreeMap::from([("EUR".to_owned(), revenue)]) }
    }

    #[test]
    fn what_parts_came_to_is_added_up_to_the_last_digit() {
        let mut tally = SurveyTally { all: figures(3, 3, "0.10"), matching: figures(1, 1, "0.10") };
        tally.join(&SurveyTally { all: figures(4, 3, "0.20"), matching: Figures::default() });
        assert_eq!(
            tally.matching.show(Some(&tally.all)),
            json!({
                "customers": 1, "orders": 1, "share": "0.142857",
                "revenue": { "EUR": { "orders": 1, "total": "0.10", "average_order": "0.10", "share": "0.333333" } },
            })
        );
        assert_eq!(tally.all.show(None)["revenue"]["EUR"]["total"], "0.30");
    }

    #[test]
    fn there_is_no_share_of_nothing() {
        let nothing = Figures::default();
        assert_eq!(nothing.show(Some(&nothing))["share"], Value::Null);
        assert_eq!(share_of(1.into(), Decimal::ZERO), None);
    }

    #[test]
    fn a_survey_is_done_when_every_part_is_and_not_before() {
        let begun_at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let condition = json!({ "condition": { "count": "orders" } });
        let (name, condition) = Survey::read(&condition).unwrap();
        let survey = Survey { id: "s".into(), name, condition, segments: BTreeMap::new(), begun_at, rows: 400 };
        let show = |done, rows: &[u64], ended_at| {
            let progress =
                SurveyProgress { parts: 4, done, rows: rows.to_vec(), ended_at, ..SurveyProgress::default() };
            let shown = survey.show(&progress, begun_at + SignedDuration::from_mins(1));
            (shown["state"].clone(), shown["progress"]["share"].clone(), shown["progress"]["done_by"].clone())
        };
        assert_eq!(show(0, &[0, 0, 0, 0], None), (json!("running"), json!("0"), Value::Null));
        assert_eq!(show(1, &[50, 0, 0], None).1, "0.375");
        assert_eq!(show(1, &[100_000; 3], None).1, "0.9925");
        assert_eq!(show(2, &[0, 0], None).2, "2026-11-22T10:02:00Z");
        assert_eq!(show(4, &[], Some(begun_at)), (json!("done"), json!("1"), json!("2026-11-22T10:00:00Z")));
    }
}
