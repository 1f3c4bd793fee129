//! Campaigns: what sets one off, and the state machine of a run.
//!
//! Nothing here does I/O or reads a clock. A run's next state is an ordinary
//! function of the run, its campaign and the time, so a campaign can be tried
//! out over a history and gives what it would have given.

mod campaign;
mod definition;
mod mailing;
mod question;
mod run;
mod segment;
mod trigger;

pub use campaign::{Campaign, Status, Step};
pub use mailing::{Mailing, MailingProgress, Stage};
pub use question::Question;
pub use run::{Progress, Run, RunState};
pub use segment::{Segment, Segments};
pub use trigger::{Trigger, Whom};
