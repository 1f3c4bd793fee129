//! How quickly conditions are evaluated, on one core: over customers who are loaded, and from the
//! bodies of their rows.

use super::Args;
use super::asked::{five, like_five, one, parsed, six};
use super::customers::{self, History, Rows};
use conditions::{At, Condition, Facts, Program, State};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Evaluations a second on one core that are aimed at.
const AIM_ONE: f64 = 10_000_000.0;
const AIM_FIVE: f64 = 1_000_000.0;

/// What came of it.
#[derive(Debug, Serialize)]
pub(crate) struct Engine {
    pub(super) customers: u32,
    /// For how many of them each condition holds.
    pub(super) held: Vec<usize>,
    pub(super) evaluations: Vec<Speed>,
    pub(super) reading: Vec<Speed>,
    pub(super) programs: Vec<Size>,
}

/// One kind of work, on one core.
#[derive(Debug, Serialize)]
pub(super) struct Speed {
    pub(super) what: &'static str,
    /// Nanoseconds of one, the median of the rounds.
    pub(super) ns: f64,
    pub(super) each_second: f64,
    pub(super) aim_each_second: Option<f64>,
}

/// A customer held against several conditions at once.
#[derive(Debug, Serialize)]
pub(super) struct Size {
    pub(super) conditions: usize,
    /// Microseconds to read a customer for all of them, and to evaluate all.
    pub(super) read_us: f64,
    pub(super) evaluate_us: f64,
}

/// When the customers of the engine are looked at.
pub(super) fn at() -> anyhow::Result<At> {
    let now: Timestamp = "2026-11-23T08:00:00Z".parse()?;
    Ok(At { now, shop: TimeZone::get("Europe/Riga")? })
}

pub(super) fn run(args: &Args) -> anyhow::Result<Engine> {
    let at = at()?;
    let rows: anyhow::Result<Vec<Rows>> =
        (0..args.engine_customers).map(|number| customers::rows(number, History::FULL, at.now)).collect();
    let rows = rows?;
    let facts: anyhow::Result<Vec<Facts>> = rows.iter().map(Rows::facts).collect();
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
            rows.iter().for_each(|rows| drop(black_box(black_box(rows).decoded().ok())));
        }),
        each("… and show them as the API does", None, &mut || {
            rows.iter().for_each(|rows| drop(black_box(black_box(rows).facts().ok())));
        }),
        each("… and read the facts, for these conditions", None, &mut || {
            for rows in &rows {
                if let Ok(facts) = black_box(rows).facts() {
                    drop(black_box(program.state(&facts)));
                }
            }
        }),
    ];
    let programs: anyhow::Result<Vec<Size>> =
        [1, 10, 100, 1000].into_iter().map(|conditions| size(conditions, args, &facts, &at)).collect();
    Ok(Engine { customers: args.engine_customers, held, evaluations, reading, programs: programs? })
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
    let measured = (0..rounds.max(1)).map(|_| {
        let (start, mut times) = (Instant::now(), 0_u32);
        while start.elapsed() < LEAST {
            work();
            times += 1;
        }
        start.elapsed().as_nanos() as f64 / f64::from(times) / count as f64
    });
    crate::stats::median(measured.collect())
}
