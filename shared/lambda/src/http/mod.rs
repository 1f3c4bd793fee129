//! Requests of the HTTP API and their answers.
//!
//! Error doctrine: a handler answers what the caller did wrong with a
//! [`Problem`], which says what and where. Anything else that goes wrong is an
//! error of ours: the caller hears only that it failed and may try again; what
//! failed goes to the log, once.

mod batch;
mod browser;
mod json;
mod page;
mod request;
mod response;

use std::future::Future;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use contracts::{Kind, Problem};
use domain::{Fault, TooLarge};

use crate::Error;

pub use batch::Outcome;
pub use page::Page;
pub use request::{MOST_IN_BATCH, MOST_IN_BODY, Request};
pub use response::{Keep, Response};

/// What stops a request: the caller's fault, or ours.
#[derive(Debug)]
pub enum Failure {
    /// The caller's.
    Problem(Problem),
    /// Ours.
    Internal(anyhow::Error),
}

impl Failure {
    /// What the caller hears of it. What is ours goes to the log.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Internal(error) => {
                tracing::error!(error = format!("{error:#}"), "the request failed");
                Problem::new(Kind::Internal).because("nothing was lost; send it again")
            }
        }
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Vec<Fault>> for Failure {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Problem(faults.into())
    }
}

impl From<domain::Conflict> for Failure {
    fn from(conflict: domain::Conflict) -> Self {
        Self::Problem(conflict.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast_ref::<TooLarge>() {
            Some(too_large) => Self::Problem(Problem::new(Kind::TooLarge).because(too_large.to_string())),
            None => Self::Internal(error),
        }
    }
}

/// Answers one request. What a browser asks first, and what a browser's key may
/// hear, is seen to here, so that no handler needs to think of it.
pub async fn answer<Work: Future<Output = Result<Response, Failure>>>(
    event: ApiGatewayV2httpRequest,
    handler: impl FnOnce(Request) -> Work,
) -> Response {
    answer_by(event, None, handler).await
}

/// [`answer`], for a function that is stopped at this instant, in milliseconds
/// since 1970.
pub async fn answer_by<Work: Future<Output = Result<Response, Failure>>>(
    event: ApiGatewayV2httpRequest,
    deadline: Option<u64>,
    handler: impl FnOnce(Request) -> Work,
) -> Response {
    let request = Request::new(event, deadline);
    if let Some(preflight) = browser::preflight(&request) {
        return preflight;
    }
    let from_browser = request.is_track_only();
    if from_browser && !browser::opens(request.route()) {
        return Problem::new(Kind::Forbidden).because("a key with the scope \"track\" alone does not open this").into();
    }
    let response = handler(request).await.unwrap_or_else(|failure| failure.into_problem().into());
    if from_browser { browser::shown(response) } else { response }
}

/// Serves requests until the environment is taken down.
///
/// # Errors
/// If the Runtime API cannot be spoken to.
pub async fn serve<Work: Future<Output = Result<Response, Failure>>>(
    handler: impl Fn(Request) -> Work,
) -> Result<(), Error> {
    crate::serve(async |event, context: crate::Context| {
        anyhow::Ok(answer_by(event, Some(context.deadline), &handler).await)
    })
    .await
}
