//! What every AWS client of a function shares: configuration, errors that are
//! safe to log, and queues to write to.

mod config;
mod error;
mod queue;

pub use config::sdk_config;
pub use error::{describe, never_connected};
pub use queue::Queue;
