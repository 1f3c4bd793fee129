//! What every AWS client of a function shares: configuration, errors that are
//! safe to log, queues to write to, and dead letters.

mod config;
mod dead_letters;
mod error;
mod queue;

pub use config::sdk_config;
pub use dead_letters::{DeadLetters, LookedThrough};
pub use error::{describe, never_connected};
pub use queue::Queue;
