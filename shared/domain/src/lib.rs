//! What a shop talks about: customers, orders, events and the messages that
//! come of them.
//!
//! Everything here is an ordinary function over ordinary data. Nothing does
//! I/O and nothing reads a clock: time comes in as a value, so that a history
//! can be replayed and gives the same result.

mod amount;
mod cap;
mod category;
pub mod change;
mod consent;
mod contact;
mod container;
mod customer;
pub mod dated;
pub mod dictionary;
mod event;
mod hash;
mod id;
mod line_change;
pub mod message;
mod order;
mod product;
mod promo;
pub mod read;
mod sending;
mod status;
mod suppression;
mod time;
mod touched;

pub use amount::{Amount, Currency};
pub use category::{Category, CategoryContent, CategoryUpdate};
pub use change::{Change, ContainerChange};
pub use consent::{Allows, Consent, ConsentState, ConsentUpdate};
pub use contact::Contact;
pub use container::{Container, Held, Item, ItemSaid, Op, Operation};
pub use customer::{Customer, CustomerUpdate, EmailAddress, Profile};
pub use dictionary::Dictionary;
pub use event::{Event, EventKind};
pub use hash::digest;
pub use id::{
    BadId, CampaignId, CategoryId, Code, CustomerId, EventId, MailingId, MessageId, OrderId, ProductId, PromoCode,
    PromoGroupId, RunId, TemplateId, VisitorId,
};
pub use line_change::{LineChange, LineNews, LineTerms};
pub use message::Message;
pub use order::{Content, Delivery, Line, Order, OrderAmounts, OrderUpdate, Payment, StatusOf, StatusUpdate};
pub use product::{Product, ProductChange, ProductContent, ProductNews, ProductUpdate};
pub use promo::{BadPattern, PromoGroup, PromoPattern};
pub use read::{Fault, Reader};
pub use sending::WhyStopped;
pub use status::{Entry, History, StatusSet, Statuses, Transition};
pub use suppression::SuppressedFor;
pub use time::{earlier, sortable};
pub use touched::Touched;

/// A write that contradicts what is already recorded for the same id and time.
///
/// The caller sent two different bodies under one identity; which of them is
/// true only the caller knows, so nothing is changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Conflict {
    /// JSON pointer (RFC 6901) of the field that differs.
    pub pointer: String,
    /// What was recorded and what came, in words for the caller.
    pub message: String,
}

impl Conflict {
    /// A conflict at `pointer`, said in `message`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// A thing that has grown larger than one row may be. Nothing of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it would take {bytes} bytes in all with what is known already; at most {most} are kept")]
pub struct TooLarge {
    /// How large it would be.
    pub bytes: usize,
    /// How large it may be.
    pub most: usize,
}
