//! Whatever happens to a customer and to the segments: those that they are kept to be in
//! are those that a look at everything from scratch would find.

mod alone;
#[path = "../../../conditions/tests/walk/generate.rs"]
#[expect(dead_code, reason = "the conditions' own tests use the rest")]
mod generate;
mod histories;
mod race;
mod shop;

use alone::Kept;
use histories::history;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use race::race;

/// So many, unless the environment says otherwise.
fn cases(default: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig::with_cases(default),
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn after_every_step_memberships_are_what_is_found_from_scratch(history in history(4..40)) {
        Kept::lives(&history)?;
    }
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn whoever_looks_at_once_with_others_leaves_memberships_as_they_should_be(race in race(20..200)) {
        race.runs()?;
    }
}

/// Else the histories would show nothing.
#[test]
fn a_good_part_of_the_histories_turn() {
    let mut runner = TestRunner::deterministic();
    let histories = history(4..40);
    let turned = (0..100).map(|_| {
        let history = histories.new_tree(&mut runner).expect("a history").current();
        Kept::lives(&history).expect("a life").turned
    });
    let turned: Vec<usize> = turned.collect();
    let turning = turned.iter().filter(|turned| **turned > 1).count();
    assert!(turning > 30, "only {turning} of 100 turn: {turned:?}");
}
