//! What becomes of a batch of stream records, decided without doing anything.

use super::answer::Batch;
use std::time::Duration;

/// The next thing to do with a batch.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// All done.
    Done,
    /// Done up to this position; the rest comes again, as a batch of its own.
    From(usize),
    /// Both halves by themselves, first those before this position. Costs no try.
    Halves(usize),
    /// The same again, after a pause.
    Again,
    /// No more tries.
    GiveUp,
}

/// Decides. `attempts` counts the invocations of this very batch, this one included.
pub(super) fn decide(batch: &Batch, length: usize, attempts: u32, max_retries: Option<u32>, bisect: bool) -> Next {
    let spent = max_retries.is_some_and(|most| attempts > most);
    match batch {
        Batch::Done => Next::Done,
        // The lowest failure is the checkpoint; everything from there comes again, successes too.
        Batch::Partly(positions) => match positions.first() {
            Some(0) | None if spent => Next::GiveUp,
            Some(0) | None => Next::Again,
            Some(first) => Next::From(*first),
        },
        Batch::Failed if bisect && length > 1 => Next::Halves(length / 2),
        Batch::Failed if spent => Next::GiveUp,
        Batch::Failed => Next::Again,
    }
}

/// How long to wait before the next try: AWS hardly waits at all.
pub(super) fn pause(attempts: u32) -> Duration {
    Duration::from_millis(100 << attempts.saturating_sub(1).min(4)).min(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_failure_is_the_checkpoint() {
        assert_eq!(decide(&Batch::Partly(vec![3, 5]), 10, 1, Some(10), true), Next::From(3));
        assert_eq!(decide(&Batch::Partly(vec![0, 5]), 10, 1, Some(10), true), Next::Again);
    }

    #[test]
    fn a_failed_batch_is_halved_down_to_one_record() {
        assert_eq!(decide(&Batch::Failed, 5, 1, Some(2), true), Next::Halves(2));
        assert_eq!(decide(&Batch::Failed, 1, 2, Some(2), true), Next::Again);
        assert_eq!(decide(&Batch::Failed, 1, 3, Some(2), true), Next::GiveUp);
    }

    #[test]
    fn without_a_limit_it_goes_on() {
        assert_eq!(decide(&Batch::Failed, 1, 1_000, None, true), Next::Again);
    }

    #[test]
    fn pauses_stay_short() {
        assert_eq!(pause(1), Duration::from_millis(100));
        assert_eq!(pause(3), Duration::from_millis(400));
        assert_eq!(pause(50), Duration::from_secs(1));
    }
}
