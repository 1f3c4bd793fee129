//! store

use contracts::{Kind, Problem};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    lambda::http::serve(async |_| Err(Problem::new(Kind::NotFound).into())).await
}
