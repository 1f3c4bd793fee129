//! The sender and what is around it, on a time of their own: thousands of runs, each made
//! from a seed, in which functions are killed at any await, calls and their answers are lost,
//! every message comes up to five times or fifty times at once, and SES's events come late, repeated or never.
//! In some of them a customer may have only so many messages, there are quiet hours, the template
//! is not meant for all, or it prints promo codes, of which there may be too few.
//!
//! The functions' own code runs here, over the SDK's real clients; the tables are the real
//! engine. Only the network, SES and the queues are models. A run that fails names its seed:
//! `CARTWIRE_SEED=… cargo test -p simulation` goes through that one again.
//! `CARTWIRE_RUNS=…` says how many there are.

#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

mod codes;
mod network;
mod plan;
mod queue;
mod run;
mod shop;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use domain::message::{OverCap, Purpose, Reason, State};
use domain::{CustomerId, Message};
use jiff::{SignedDuration, Timestamp};
use plan::Codes;
use run::Outcome;
use world::Taken;

/// How many runs there are, unless the environment says otherwise.
const RUNS: u64 = 2_000;

/// How long one invocation may take, and so how old what it has read may be.
const INVOCATION: SignedDuration = SignedDuration::from_secs(22);

#[test]
fn whatever_dies_is_lost_or_comes_twice_no_mail_goes_out_twice_and_each_message_says_what_became_of_it() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let clock = run::tables_clock(folder.path());
    if let Some(seed) = number("CARTWIRE_SEED") {
        return check(seed, &run::run(seed, &clock));
    }
    // Other seeds each day, the same all day: what fails can be gone through again.
    let first = u64::try_from(jiff::Timestamp::now().as_second() / 86_400).unwrap() * 1_000_000;
    let (next, end) = (AtomicU64::new(first), first + number("CARTWIRE_RUNS").unwrap_or(RUNS));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let went = catch_unwind(AssertUnwindSafe(|| check(seed, &run::run(seed, &clock))));
            if went.is_err() {
                panic!("the run with CARTWIRE_SEED={seed} failed");
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

fn check(seed: u64, outcome: &Outcome) {
    check_messages(seed, outcome);
    check_moves(seed, outcome);
    check_caps(seed, outcome);
    check_quiet_hours(seed, outcome);
    codes::check(seed, outcome);
}

/// Whether a message may be kept back for this reason in this run.
fn may_be(outcome: &Outcome, message: &Message, reason: Reason) -> bool {
    let (plan, whose) = (&outcome.plan, message.customer_id.as_str());
    match reason {
        Reason::BlockedByTemplate => plan.is_blocked(message),
        Reason::Expired => message.terms.lifetime.is_some(),
        Reason::FrequencyCap => plan.caps(message) && message.terms.over_cap == OverCap::Skip,
        Reason::NoConsent => whose == "denied" && message.purpose == Purpose::Marketing,
        Reason::NoPromoCode => matches!(plan.codes, Codes::Uploaded(..)),
        Reason::RefusedBySes => plan.faults > 0,
        Reason::Suppressed => outcome.noted.contains_key(&format!("{whose}@example.com")),
        _ => false,
    }
}

/// No marketing goes out in quiet hours, nor what is sent once more of it.
fn check_quiet_hours(seed: u64, outcome: &Outcome) {
    let world = outcome.world.world();
    for message in outcome.plan.messages() {
        for taken in world.ses.taken.get(message.id.as_str()).into_iter().flatten() {
            // They may have begun when it was about to go.
            let is_quiet = |at: Timestamp| outcome.plan.is_quiet(message, at);
            let context = format!("{seed}: {} went in quiet hours {:?}, {taken:?}", message.id, outcome.plan.quiet);
            assert!(!is_quiet(taken.at) || !is_quiet(taken.at - INVOCATION), "{context}");
        }
    }
}

/// Nobody has more than they may, however much comes at once; and nobody has less because
/// others were sent, in runs in which nothing goes wrong.
fn check_caps(seed: u64, outcome: &Outcome) {
    // What goes out twice by its terms counts once, whichever of the two is looked at.
    check_caps_by(seed, outcome, |taken| taken.first());
    check_caps_by(seed, outcome, |taken| taken.last());
}

fn check_caps_by(seed: u64, outcome: &Outcome, which: fn(&[Taken]) -> Option<&Taken>) {
    let world = outcome.world.world();
    let (most, per) = plan::CAP;
    let mut had: BTreeMap<&CustomerId, Vec<Timestamp>> = BTreeMap::new();
    let mut kept_out = BTreeSet::new();
    for message in outcome.plan.messages().filter(|message| outcome.plan.caps(message)) {
        let taken = world.ses.taken.get(message.id.as_str()).and_then(|taken| which(taken));
        had.entry(&message.customer_id).or_default().extend(taken.map(|taken| taken.at));
        if outcome.entries[message.id.as_str()].reason == Some(Reason::FrequencyCap) {
            kept_out.insert(&message.customer_id);
        }
    }
    for (customer_id, had) in &mut had {
        had.sort();
        for span in had.windows(most + 1) {
            // The place is taken a moment before SES takes the mail.
            assert!(span[most] > span[0] + per - INVOCATION, "{seed}: {customer_id} had {span:?}");
        }
        // What finds no code has had its place for a moment, and others none meanwhile.
        let may_find_no_code = matches!(outcome.plan.codes, Codes::Uploaded(..));
        if outcome.plan.is_calm() && !may_find_no_code && kept_out.contains(customer_id) {
            assert!(had.len() >= most, "{seed}: {customer_id} had {had:?}, and was kept from more");
        }
    }
}

/// A row begins where it is to be sent, and moves as the drawing of the states has it.
fn check_moves(seed: u64, outcome: &Outcome) {
    let world = outcome.world.world();
    let moves = &world.ledger.moves;
    for (id, between) in moves {
        let may = match *between {
            [None, Some(first)] => first == State::Pending,
            [Some(from), Some(to)] => from.may_become(to),
            [_, None] => false,
        };
        assert!(may, "{seed}: {id} made the move {between:?}");
    }
    let begun = moves.iter().filter(|(_, [before, _])| before.is_none()).count();
    assert_eq!(begun, outcome.plan.messages().count(), "{seed}: each message has one row");
}

fn check_messages(seed: u64, outcome: &Outcome) {
    let world = outcome.world.world();
    for (id, times) in &world.put_back {
        assert!(*times <= run::PUT_BACK, "{seed}: {id} was put back {times} times");
    }
    assert_eq!(outcome.left, 0, "{seed}: something is still under way after {:?}", run::LONGEST);
    for message in outcome.plan.messages() {
        let id = message.id.as_str();
        let entry = outcome.entries.get(id).unwrap_or_else(|| panic!("{seed}: {id} is gone"));
        let taken = world.ses.taken.get(id).map(Vec::as_slice).unwrap_or_default();
        let context = format!("{seed}: {id} is {:?} {:?}, and SES took {taken:?}", entry.state, entry.reason);

        // Never twice, but where its terms say so, and then once more, and not before its time.
        match (message.terms.resend_after, taken) {
            (_, [] | [_]) => {}
            (Some(after), [first, second]) => {
                assert!(second.at >= first.at + after, "{context}");
            }
            _ => panic!("{context}"),
        }
        // What is known of it is true.
        match entry.state {
            State::Sent => assert!(!taken.is_empty(), "{context}"),
            State::NotSent => assert!(taken.is_empty() && entry.reason.is_some(), "{context}"),
            State::Unknown => {
                assert!(!outcome.plan.is_calm(), "{context}");
                // What is to be sent once more is taken up once more, unless it must not go any more.
                let is_kept = |reason| may_be(outcome, message, reason);
                let is_kept = [Reason::Expired, Reason::FrequencyCap, Reason::Suppressed].into_iter().any(is_kept);
                let again = (id.to_owned(), [Some(State::Unknown), Some(State::Claimed)]);
                let is_over = message.terms.resend_after.is_none() || is_kept || world.ledger.moves.contains(&again);
                assert!(is_over, "{context}");
            }
            State::Pending | State::Claimed => panic!("{context}"),
        }
        // What SES told of is known.
        if taken.iter().any(|taken| taken.told) {
            assert_eq!(entry.state, State::Sent, "{context}");
        }
        if let Some(reason) = entry.reason {
            assert!(may_be(outcome, message, reason), "{context}");
        }
        if may_be(outcome, message, Reason::NoConsent) {
            assert!(matches!(entry.reason, Some(Reason::NoConsent | Reason::Expired)), "{context}");
        }
        if may_be(outcome, message, Reason::BlockedByTemplate) {
            assert_eq!(entry.state, State::NotSent, "{context}");
        }
        // Nothing goes to an address once it is known that it must not.
        for taken in taken {
            if let Some(noted) = outcome.noted.get(&taken.to) {
                assert!(taken.at <= *noted + INVOCATION, "{context}: noted at {noted}");
            }
        }
    }
}
