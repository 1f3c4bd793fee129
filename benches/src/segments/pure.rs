//! A back-fill without anything around it: customers held against all segments at once, on one core.

use super::asked::{built, parsed};
use super::customers::{self, Decoded, History, Rows};
use super::engine;
use conditions::{At, Condition, Facts, Program, State};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

/// How many different customers there are, gone through over and over: of a hundred thousand the
/// rows would take gigabytes.
const DIFFERENT: u32 = 500;

/// How many parts the customers are gone through in, of which the median counts.
const PARTS: usize = 9;

/// A back-fill in the engine.
#[derive(Debug, Serialize)]
pub(crate) struct Pure {
    pub(super) history: History,
    pub(super) customers: usize,
    pub(super) segments: usize,
    /// In how many of the segments a customer is, in the mean.
    pub(super) memberships_each: f64,
    pub(super) stages: Vec<Stage>,
}

/// How far from the rows it begins.
#[derive(Debug, Serialize)]
pub(super) struct Stage {
    pub(super) from: &'static str,
    /// Of one customer, the median of the parts.
    pub(super) us: f64,
    pub(super) customers_each_second: f64,
}

pub(super) fn run(history: History, customers: usize) -> anyhow::Result<Pure> {
    let at = engine::at()?;
    let (program, rows) = (program()?, rows(history, &at)?);
    let decoded: anyhow::Result<Vec<Decoded>> = rows.iter().map(Rows::decoded).collect();
    let decoded = decoded?;
    let facts: Vec<Facts> = rows.iter().zip(&decoded).map(|(rows, decoded)| rows.shown(decoded)).collect();
    let states: Vec<State> = facts.iter().map(|facts| program.state(facts)).collect();
    let judge = |state: &State| {
        for which in 0..program.len() {
            black_box(program.verdict(which, black_box(state), &at));
        }
    };
    let stage = |from, work: &dyn Fn(usize)| {
        let us = each_us(customers, work);
        Stage { from, us, customers_each_second: 1e6 / us }
    };
    let stages = vec![
        stage("customers who are loaded", &|which| judge(&states[which])),
        stage("rows that are decoded", &|which| judge(&program.state(&rows[which].shown(&decoded[which])))),
        stage("the bodies of rows", &|which| {
            if let Ok(facts) = black_box(&rows[which]).facts() {
                judge(&program.state(&facts));
            }
        }),
    ];
    let memberships: usize =
        states.iter().map(|state| held(&program, state, &at).iter().filter(|held| **held).count()).sum();
    let memberships_each = memberships as f64 / states.len() as f64;
    Ok(Pure { history, customers, segments: program.len(), memberships_each, stages })
}

/// The segments, made ready to be judged together.
pub(super) fn program() -> anyhow::Result<Program> {
    let conditions: anyhow::Result<Vec<Condition>> = built().iter().map(parsed).collect();
    let program = Program::new(&conditions?, |_| None);
    anyhow::ensure!(program.is_whole(), "the segments ask for too much together");
    Ok(program)
}

/// Which of the segments a customer is in.
pub(super) fn held(program: &Program, state: &State, at: &At) -> Vec<bool> {
    (0..program.len()).map(|which| program.holds(which, state, at)).collect()
}

fn rows(history: History, at: &At) -> anyhow::Result<Vec<Rows>> {
    (0..DIFFERENT).map(|number| customers::rows(number, history, at.now)).collect()
}

fn each_us(customers: usize, work: &dyn Fn(usize)) -> f64 {
    let part = customers.div_ceil(PARTS).max(1);
    let measured = (0..PARTS).map(|_| {
        let begun = Instant::now();
        (0..part).for_each(|number| work(number % DIFFERENT as usize));
        begun.elapsed().as_nanos() as f64 / 1e3 / part as f64
    });
    crate::stats::median(measured.collect())
}
