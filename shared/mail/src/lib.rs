//! A mail made from a message: what it is filled with, and what may stop it.
//!
//! [`Composer::look`] reads whom and what the message is about, as all of that is now, and
//! says whether anything keeps it from them; [`Composer::fill`] makes the mail of it. The
//! sender does both right before it sends; so does whoever shows what a mail would be.

mod composer;
mod consent;
mod data;
mod mail;
mod preview;
mod shape;

pub use composer::{About, Composer, Stopped, Subject};
pub use mail::{Identity, Mail};
pub use preview::{Missing, Preview};
pub use shape::{shape, shape_of};
