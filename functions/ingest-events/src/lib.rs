//! Takes in events.

use api::Api;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, Scope};
use intake::{Intake, MOST_OF_A_BATCH, at_once};
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
            "POST /v1/events/batch" => batch(intake, clock, &request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        })
        .await
}

async fn post(intake: &Intake, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let taken = intake.event(&request.json()?, request.may(Scope::Ingest), clock.now()).await?;
    Ok(Response::json(taken.status(), &taken.shown))
}

/// Up to 500 events, each as `POST /v1/events` takes it.
async fn batch(intake: &Intake, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let (anything, now) = (request.may(Scope::Ingest), clock.now());
    let outcomes = at_once(request.batch(MOST_OF_A_BATCH)?, async |item| match item {
        Ok(body) => {
            let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
            Outcome::new(id, intake.event(&body, anything, now).await.map(|taken| taken.status()))
        }
        Err(problem) => Outcome::new(None, Err(problem)),
    });
    Ok(Response::multi_status(outcomes.await))
}
