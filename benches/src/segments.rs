//! How quickly conditions are evaluated, on one core: over customers who are loaded, and from the
//! bodies of their rows.

use crate::table::Table;
use anyhow::Context as _;
use conditions::{At, Condition, Facts, Program, Scope, State};
use domain::{CustomerId, Event, Order, OrderId};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Orders and events of each customer.
const ORDERS: u32 = 10;
const EVENTS: u32 = 50;

/// Evaluations a second on one core that are aimed at.
const AIM_ONE: f64 = 10_000_000.0;
const AIM_FIVE: f64 = 1_000_000.0;

/// What is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Customers, each with 10 orders and 50 events of their own.
    #[arg(long, default_value_t = 500, value_name = "N")]
    customers: u32,
    /// Rounds, of which the median counts.
    #[arg(long, default_value_t = 9, value_name = "N")]
    rounds: usize,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    customers: u32,
    /// For how many of them each condition holds.
    held: Vec<usize>,
    evaluations: Vec<Speed>,
    reading: Vec<Speed>,
    programs: Vec<Size>,
}

/// One kind of work, on one core.
#[derive(Debug, Serialize)]
struct Speed {
    what: &'static str,
    /// Nanoseconds of one, the median of the rounds.
    ns: f64,
    each_second: f64,
    aim_each_second: Option<f64>,
}

/// A customer held against several conditions at once.
#[derive(Debug, Serialize)]
struct Size {
    conditions: usize,
    /// Microseconds to read a customer for all of them, and to evaluate all.
    read_us: f64,
    evaluate_us: f64,
}

/// A customer's rows, as the table keeps their bodies.
struct Rows {
    customer: Value,
    orders: Vec<String>,
    events: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Report> {
    let now: Timestamp = "2026-11-23T08:00:00Z".parse()?;
    let at = At { now, shop: TimeZone::get("Europe/Riga")? };
    let rows: anyhow::Result<Vec<Rows>> = (0..args.customers).map(|number| rows_of(number, now)).collect();
    let rows = rows?;
    let facts: anyhow::Result<Vec<Facts>> = rows.iter().map(facts_of).collect();
    let facts = facts?;
    let asked = [one(), five(), six()].map(|json| parsed(&json));
    let asked: anyhow::Result<Vec<Condition>> = asked.into_iter().collect();
    let program = Program::new(&asked?, |_| None);
    let states: Vec<State> = facts.iter().map(|facts| program.state(facts)).collect();
    let held: Vec<usize> = (0..program.len())
        .map(|which| states.iter().filter(|state| program.holds(which, state, &at)).count())
        .collect();
    anyhow::ensure!(
        held.iter().all(|held| *held > 0 && *held < states.len()),
        "each condition is to hold for some and not for all, or nothing is measured: {held:?}"
    );

    let count = states.len();
    let each = |what, aim: Option<f64>, work: &mut dyn FnMut()| {
        let ns = median(args.rounds, count, work);
        Speed { what, ns, each_second: 1e9 / ns, aim_each_second: aim }
    };
    let over_states = |work: &dyn Fn(&State)| states.iter().for_each(work);
    let evaluations = vec![
        each("one comparison", Some(AIM_ONE), &mut || {
            over_states(&|state| {
                black_box(program.holds(0, black_box(state), &at));
            });
        }),
        each("five leaves, three of them aggregates with windows", Some(AIM_FIVE), &mut || {
            over_states(&|state| {
                black_box(program.holds(1, black_box(state), &at));
            });
        }),
        each("six leaves, as asked of DuckDB", None, &mut || {
            over_states(&|state| {
                black_box(program.holds(2, black_box(state), &at));
            });
        }),
        each("the five leaves, and when they turn", None, &mut || {
            over_states(&|state| {
                black_box(program.verdict(1, black_box(state), &at));
            });
        }),
    ];
    let reading = vec![
        each("from rows: parse the bodies", None, &mut || {
            rows.iter().for_each(|rows| drop(black_box(decoded(black_box(rows)).ok())));
        }),
        each("… and show them as the API does", None, &mut || {
            rows.iter().for_each(|rows| drop(black_box(facts_of(black_box(rows)).ok())));
        }),
        each("… and read the facts, for these conditions", None, &mut || {
            for rows in &rows {
                if let Ok(facts) = facts_of(black_box(rows)) {
                    drop(black_box(program.state(&facts)));
                }
            }
        }),
    ];
    let programs: anyhow::Result<Vec<Size>> =
        [1, 10, 100, 1000].into_iter().map(|conditions| size(conditions, args, &facts, &at)).collect();
    Ok(Report { customers: args.customers, held, evaluations, reading, programs: programs? })
}

fn size(conditions: usize, args: &Args, facts: &[Facts], at: &At) -> anyhow::Result<Size> {
    let parsed: anyhow::Result<Vec<Condition>> = (0..conditions).map(|number| parsed(&like_five(number))).collect();
    let program = Program::new(&parsed?, |_| None);
    // A thousand conditions take long enough of a few customers.
    let facts = &facts[..facts.len().min(20_000 / conditions.max(40)).max(1)];
    let states: Vec<State> = facts.iter().map(|facts| program.state(facts)).collect();
    let read = median(args.rounds, facts.len(), &mut || {
        facts.iter().for_each(|facts| drop(black_box(program.state(black_box(facts)))));
    });
    let evaluate = median(args.rounds, facts.len(), &mut || {
        for state in &states {
            for which in 0..program.len() {
                black_box(program.holds(which, black_box(state), at));
            }
        }
    });
    Ok(Size { conditions, read_us: read / 1e3, evaluate_us: evaluate / 1e3 })
}

/// Nanoseconds of one of `count`, the median of the rounds; a round goes on for at least
/// 20 milliseconds.
fn median(rounds: usize, count: usize, work: &mut dyn FnMut()) -> f64 {
    const LEAST: Duration = Duration::from_millis(20);
    let mut measured: Vec<f64> = (0..rounds.max(1))
        .map(|_| {
            let (start, mut times) = (Instant::now(), 0_u32);
            while start.elapsed() < LEAST {
                work();
                times += 1;
            }
            start.elapsed().as_nanos() as f64 / f64::from(times) / count as f64
        })
        .collect();
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}

fn parsed(json: &Value) -> anyhow::Result<Condition> {
    Condition::parse(json, &Scope::SEGMENT).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

/// What `benches/duckdb_segment.py` asks, over customers made the same way.
fn six() -> Value {
    json!({ "all": [
        { "field": "customer.city", "is": "Riga" },
        { "field": "customer.birthday", "less_than": "2000-01-01" },
        { "count": "orders", "less_than": 18 },
        { "last": "orders.created_at", "at_most": { "ago": "10d" } },
        { "sum": "orders.total", "during": { "last": "90d" }, "more_than": 60 },
        five()["all"][4],
    ] })
}

fn one() -> Value {
    json!({ "field": "customer.city", "is": "Riga" })
}

fn five() -> Value {
    json!({ "all": [
        { "field": "customer.birthday", "less_than": "2000-01-01" },
        { "field": "customer.country", "in": ["LV", "EE"] },
        { "last": "orders.created_at", "at_least": { "ago": "60d" } },
        { "sum": "orders.total", "during": { "last": "90d" }, "more_than": 120 },
        {
            "count": "events", "during": { "last": "30d" },
            "where": { "all": [
                { "field": "event.name", "is": "category_viewed" },
                { "field": "event.context.category", "in": ["c1", "c2", "c3"] },
            ] },
        },
    ] })
}

/// As [`five`], about something else each time.
fn like_five(number: usize) -> Value {
    let mut condition = five();
    condition["all"][3]["more_than"] = json!(50 + number);
    condition["all"][4]["where"]["all"][1]["in"] = json!([format!("c{}", number % 9), format!("c{}", number % 7)]);
    condition["all"][4]["during"]["last"] = json!(format!("{}d", 7 + number % 60));
    condition
}

/// A customer whose orders and events are spread over the last months, each a little otherwise.
fn rows_of(number: u32, now: Timestamp) -> anyhow::Result<Rows> {
    let id = CustomerId::parse(&format!("c-{number}"))?;
    let ago = |hours: u32| now.checked_sub(SignedDuration::from_hours(i64::from(hours)));
    let customer = json!({
        "id": id, "city": if number.is_multiple_of(3) { "Riga" } else { "Tallinn" },
        "country": if number.is_multiple_of(2) { "LV" } else { "EE" },
        "birthday": format!("{}-05-01", 1960 + number % 50), "time_zone": "Europe/Riga",
    });
    let mut orders = Vec::new();
    for which in 0..ORDERS {
        let body = json!({
            "customer_id": id, "currency": "EUR", "total": format!("{}.50", 20 + (number + which) % 40),
            "created_at": ago(which * 20 * 24 + number % 700 + 1)?, "updated_at": ago(which * 20 * 24 + number % 700 + 1)?,
            "status": { "payment": "paid", "general": "completed" },
            "lines": [
                { "id": "1", "product_id": format!("p-{which}"), "quantity": "1", "price": "12.50", "categories": ["mugs"] },
                { "id": "2", "product_id": "p-x", "quantity": "2", "price": "4.00" },
            ],
        });
        let update = contracts::order::read(OrderId::parse(&format!("o-{number}-{which}"))?, &body, true, now);
        let update = update.map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        let order = Order::merge(None, update, now).ok().flatten().context("an order came to nothing")?;
        orders.push(serde_json::to_string(&order)?);
    }
    let mut events = Vec::new();
    for which in 0..EVENTS {
        let name = ["product_viewed", "page_viewed", "category_viewed"][which as usize % 3];
        let body = json!({
            "id": format!("e-{number}-{which}"), "customer_id": id, "name": name,
            "at": ago(which * 30 + number % 500)?, "source": "shop",
            "context": { "category": format!("c{}", (number + which) % 9), "price": "10.00" },
        });
        let received = contracts::event::read(&body, now).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
        events.push(serde_json::to_string(&received.event)?);
    }
    Ok(Rows { customer, orders, events })
}

fn decoded(rows: &Rows) -> anyhow::Result<(Vec<Order>, Vec<Event>)> {
    let orders: Result<Vec<Order>, _> = rows.orders.iter().map(|body| serde_json::from_str(body)).collect();
    let events: Result<Vec<Event>, _> = rows.events.iter().map(|body| serde_json::from_str(body)).collect();
    Ok((orders?, events?))
}

fn facts_of(rows: &Rows) -> anyhow::Result<Facts> {
    let (orders, events) = decoded(rows)?;
    Ok(Facts {
        single: Map::from_iter([("customer".to_owned(), rows.customer.clone())]),
        orders: orders.iter().map(contracts::order::show).collect(),
        events: events.iter().map(contracts::event::show).collect(),
        ..Facts::default()
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the three conditions hold for {:?} customers\n", self.held)?;
        let heading = format!("{} customers of 10 orders and 50 events, one core", self.customers);
        let mut table = Table::new([heading.as_str(), "ns each", "each/s", "aim"]);
        for speed in self.evaluations.iter().chain(&self.reading) {
            let aim = speed.aim_each_second.map(|aim| format!("{aim:.0}")).unwrap_or_default();
            table.row([speed.what.into(), format!("{:.0}", speed.ns), format!("{:.0}", speed.each_second), aim]);
        }
        writeln!(f, "{table}")?;
        let mut table = Table::new(["conditions at once", "read a customer, µs", "evaluate all, µs"]);
        for size in &self.programs {
            table.row([
                size.conditions.to_string(),
                format!("{:.1}", size.read_us),
                format!("{:.1}", size.evaluate_us),
            ]);
        }
        write!(f, "{table}")
    }
}
