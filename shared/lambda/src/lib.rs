//! Plumbing of a Lambda function: configuration, the clock, HTTP requests,
//! batches and metrics.
//!
//! A function's `run()` builds what its handler needs from here; the handler
//! itself sees requests and records, never the Runtime API.

pub mod batch;
mod clock;
pub mod config;
pub mod http;
mod logs;
pub mod metrics;

use std::future::Future;

use futures::future::LocalBoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use clock::Clock;
pub use lambda_runtime::{Context, Error};

/// Serves invocations until the environment is taken down.
///
/// The handler is given each event and its context. An error is an invocation
/// that failed: the runtime logs it, once, and the event's source tries again.
///
/// # Errors
/// If the Runtime API cannot be spoken to.
pub async fn serve<Event, Answer, Work>(handler: impl Fn(Event, Context) -> Work) -> Result<(), Error>
where
    Event: DeserializeOwned,
    Answer: Serialize,
    Work: Future<Output = anyhow::Result<Answer>>,
{
    let handler = &handler;
    let service = service_fn(async |event: LambdaEvent<Event>| {
        let (event, context) = event.into_parts();
        // Boxed, as a future that holds those of several SDK calls is deeper
        // than the compiler looks.
        let work: LocalBoxFuture<'_, anyhow::Result<Answer>> = Box::pin(handler(event, context));
        work.await.map_err(|error| Error::from(format!("{error:#}")))
    });
    lambda_runtime::run(service).await
}

/// Runs a function as a process of its own: one thread, logs as Lambda wants
/// them.
///
/// # Errors
/// What `run` fails with, or that no runtime could be started.
pub fn main<Work: Future<Output = Result<(), Error>>>(run: impl FnOnce() -> Work) -> Result<(), Error> {
    logs::init();
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
}
