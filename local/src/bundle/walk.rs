//! Moving the clock.

use super::look::Until;
use super::{Bundle, NotQuiet};
use crate::clock::millis;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The longest stretch that is jumped over at once if nothing else is said.
const STEP: Duration = Duration::from_secs(3600);
/// How long, in real time, a step's work may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why the clock is not where it should be.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// Time does not run backwards.
    #[error("the clock can only be moved forwards")]
    Backwards,
    /// What one step brought up does not come to an end.
    #[error(transparent)]
    Busy(#[from] NotQuiet),
    /// The clock's file can't be written.
    #[error("the clock could not be kept: {0}")]
    Io(#[from] std::io::Error),
}

impl Bundle {
    /// Moves the clock ahead in steps of an hour, waiting after each until what it brought up is
    /// done, so that waits which follow one another come in order.
    ///
    /// # Errors
    /// [`WalkError`]; the clock stays where it had come to.
    pub async fn advance(&self, by: SignedDuration) -> Result<Timestamp, WalkError> {
        self.advance_in_steps(by, STEP).await
    }

    /// As [`Bundle::advance`], in steps of this length.
    ///
    /// # Errors
    /// [`WalkError`]; the clock stays where it had come to.
    pub async fn advance_in_steps(&self, by: SignedDuration, step: Duration) -> Result<Timestamp, WalkError> {
        let by = Duration::try_from(by).map_err(|_| WalkError::Backwards)?;
        let core = &self.core;
        let _one_at_a_time = core.walking.lock().await;
        // Otherwise what runs now would have its visibility timeout pass under it.
        core.wait(Until::Settled, PATIENCE).await?;
        let to_ms = core.clock.now_ms().saturating_add(millis(by));
        let step = millis(step).max(1);
        loop {
            // Real time has passed too.
            let left = to_ms - core.clock.now_ms();
            if left <= 0 {
                return Ok(core.clock.now());
            }
            core.clock.advance(left.min(step))?;
            core.dynamodb.sweep().await;
            core.wait(Until::Settled, PATIENCE).await?;
        }
    }

    /// As [`Bundle::advance_in_steps`], to a moment.
    ///
    /// # Errors
    /// [`WalkError`]; the clock stays where it had come to.
    pub async fn set_clock(&self, to: Timestamp, step: Option<Duration>) -> Result<Timestamp, WalkError> {
        self.advance_in_steps(to.duration_since(self.core.clock.now()), step.unwrap_or(STEP)).await
    }
}
