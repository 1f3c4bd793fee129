//! A mail made from a message: what it is filled with, and what may stop it.
//!
//! [`Composer::look`] reads whom and what the message is about, as all of that is now, and
//! says whether anything keeps it from them; [`Composer::fill`] makes the mail of it, and
//! [`Composer::finish`] gives it its promo codes. The sender does all of it right before it sends;
//! whoever shows what a mail would be gives nothing.

mod block;
mod composer;
mod consent;
mod data;
mod enclosed;
mod kept;
mod mail;
mod preview;
mod promo;
mod shape;

pub use block::Judged;
pub use composer::{About, Composer, Stopped, Subject};
pub use enclosed::Enclosed;
pub use mail::{Identity, Mail};
pub use preview::{Missing, Preview};
pub use promo::{Draft, Finished};
pub use shape::{roots_of, shape, shape_of};
