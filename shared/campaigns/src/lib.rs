//! Campaigns: what sets one off, and the state machine of a run; segments, and who is in
//! them.
//!
//! Nothing here does I/O or reads a clock. A run's next state is an ordinary
//! function of the run, its campaign and the time, so a campaign can be tried
//! out over a history and gives what it would have given.

mod campaign;
mod copy;
mod definition;
mod editions;
mod estimate;
mod mailing;
mod membership;
mod question;
mod run;
mod segment;
mod sending;
mod survey;
mod trigger;
mod upkeep;

pub use campaign::{Campaign, Status, Step};
pub use copy::{CopyProgress, CopyTally, SegmentCopy};
pub use definition::{condition as read_condition, ignore_words};
pub use editions::{Building, Edition, Editions};
pub use estimate::{Cluster, Estimate, Range};
pub use mailing::{Mailing, MailingProgress, Stage};
pub use membership::{By, EditionOf, Judged, Membership, Memberships, Turned};
pub use question::Question;
pub use run::{Progress, Run, RunState};
pub use segment::{Segment, Segments};
pub use sending::Sending;
pub use survey::{Figures, Revenue, Survey, SurveyProgress, SurveyTally, expected};
pub use trigger::{Trigger, Whom};
pub use upkeep::{Chosen, Upkeep};
