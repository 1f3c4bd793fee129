//! When a message may go out, by the clock and by count.
//!
//! [`zone_of`] says by whose clock; [`hours`] what the clock has to say: the customer's own
//! time of a mailing, and quiet hours; [`caps`] how many messages a customer may have.
//! Nothing here reads a clock or a table.

pub mod caps;
mod countries;
pub mod hours;
mod zones;

pub use zones::{zone_of, zones};
