//! Takes in events, and lists those about nobody in particular.

use api::Api;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, Scope, event};
use domain::EventId;
use intake::{Intake, MOST_OF_A_BATCH};
use jiff::Timestamp;
use lambda::Clock;
use lambda::http::{Failure, Outcome, Request, Response};
use serde_json::Value;
use store::{Customers, Definitions, DictionaryCache};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let intake = &Intake::new(customers, DictionaryCache::new(definitions));
    let clock = &Clock::from_env();
    Api::from_env(db)?
        .serve(async |request| match request.route() {
            "POST /v1/events" => post(intake, clock, &request).await,
            "GET /v1/events" => list(intake, &request).await,
            "POST /v1/events/batch" => batch(intake, clock, &request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        })
        .await
}

async fn post(intake: &Intake, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let taken = intake.event(&request.json()?, request.may(Scope::Ingest), clock.now()).await?;
    Ok(Response::json(taken.status(), &taken.shown))
}

/// The events about nobody in particular, the newest first.
async fn list(intake: &Intake, request: &Request) -> Result<Response, Failure> {
    let page = request.page(is_place)?;
    let (events, next) = intake.customers().events_of_nobody(page.limit, page.after.as_deref()).await?;
    Ok(Response::page(events.iter().map(event::show).collect(), next.as_deref()))
}

/// Whether this is a place between two events, as an answer's `next` names it.
fn is_place(after: &str) -> bool {
    let parts = after.split_once('#');
    parts.is_some_and(|(moment, id)| moment.parse::<Timestamp>().is_ok() && EventId::parse(id).is_ok())
}

/// Up to 500 events, each as `POST /v1/events` takes it.
async fn batch(intake: &Intake, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let (anything, now) = (request.may(Scope::Ingest), clock.now());
    let bodies = request.batch(MOST_OF_A_BATCH)?;
    let id = |body: &Result<Value, Problem>| body.as_ref().ok()?.get("id")?.as_str().map(str::to_owned);
    let ids: Vec<Option<String>> = bodies.iter().map(id).collect();
    let taken = intake.events(bodies, anything, now).await?;
    let outcomes = ids.into_iter().zip(taken).map(|(id, taken)| Outcome::new(id, taken.map(|taken| taken.status())));
    Ok(Response::multi_status(outcomes))
}
