//! Segment's tracking API, said in the words of our own.
//!
//! A call of one of Segment's clients becomes what our own API would have heard:
//! see [`Told`]. Nothing here does I/O or reads a clock.
//!
//! | the client says | we hear |
//! |---|---|
//! | `identify` | a customer's profile, and who the visitor is |
//! | `track` | a web event, and by the names of Segment's e-commerce spec an order or a change of a container as well |
//! | `page`, `screen` | the web events `page_viewed`, `screen_viewed` |
//! | `group` | the web event `group` |
//! | `alias` | who the visitor is, or that two customers are one |
//! | `batch`, `import` | each of its messages |
//!
//! What cannot be said in full is said as far as possible: an Order Completed
//! without a total is still an event. What was left out is a [`Fault`].

mod batch;
mod commerce;
mod event;
mod order;
mod person;
mod plain;
mod said;

pub use batch::{MAX_BATCH, MAX_MESSAGE, MAX_MESSAGES, read, threads};

use contracts::told::Told;
use domain::Fault;

/// Which call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Who somebody is.
    Identify,
    /// What somebody did.
    Track,
    /// A page was seen.
    Page,
    /// A screen of an app was seen.
    Screen,
    /// Somebody belongs to a group.
    Group,
    /// Two ids are of one person.
    Alias,
}

impl Kind {
    /// The call of that name, as in a message's `type`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "identify" => Self::Identify,
            "track" => Self::Track,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }
}

/// One message, said in our words.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The message's own id, or one made from its content.
    pub message_id: String,
    /// Everybody it is about, by whatever ids it gives.
    pub people: Vec<String>,
    /// What it tells, in the order in which it must be heard.
    pub told: Vec<Told>,
    /// What of it could not be understood and was left out, each with its place.
    pub faults: Vec<Fault>,
}
