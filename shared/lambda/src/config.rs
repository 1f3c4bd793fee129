//! Configuration from the environment.

use crate::Error;

/// A variable that the function cannot do without.
///
/// # Errors
/// Names the variable if it is not set.
pub fn required(name: &str) -> Result<String, Error> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => Err(format!("the environment variable {name} is not set").into()),
    }
}
