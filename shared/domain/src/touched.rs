use serde::{Deserialize, Serialize};

use crate::Code;

/// What of a customer was written, as finely as conditions tell things apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Touched {
    /// They were not known before: everything about them is new.
    Everything,
    /// The profile, consent included.
    Profile,
    /// An order, its lines or its statuses.
    Orders,
    /// An event of this name.
    Event(Code),
    /// A container, or what is in it.
    Containers,
    /// Whether they are in this audience.
    Audience(Code),
    /// A message to them, or what became of it.
    Messages,
}
