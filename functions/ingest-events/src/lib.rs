//! Takes in events.

use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, Scope, event};
use domain::{Conflict, EventKind, Fault};
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use store::{Customers, PutEvent};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let customers = Customers::new(db, lambda::config::required("CUSTOMERS_TABLE")?);
    let clock = Clock::from_env();
    lambda::http::serve(async |request| match request.route() {
        "POST /v1/events" => post(&customers, &clock, &request).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

async fn post(customers: &Customers, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let now = clock.now();
    let received = event::read(&request.json()?, now)?;
    if received.event.kind == EventKind::Event && !request.may(Scope::Ingest) {
        let detail = "is \"event\", which takes a key with the scope \"ingest\"; this one may tell of web events";
        return Err(vec![Fault::new("/kind", detail)].into());
    }
    match customers.put_event(&received.event, now).await? {
        PutEvent::New => Ok(Response::json(201, &event::show(&received.event))),
        PutEvent::Known(known) if known.same_as(&received.event, received.dated) => {
            Ok(Response::json(200, &event::show(&known)))
        }
        PutEvent::Known(_) => {
            Err(Conflict::new("/id", "is recorded already, with another content; an event does not change").into())
        }
    }
}
