//! Takes in customers.

use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, customer};
use domain::{Customer, CustomerId};
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use store::{Customers, Written};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let customers = Customers::new(db, lambda::config::required("CUSTOMERS_TABLE")?);
    let clock = Clock::from_env();
    lambda::http::serve(async |request| match request.route() {
        "PUT /v1/customers/{id}" => put(&customers, &clock, &request).await,
        "GET /v1/customers/{id}" => get(&customers, &request).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

async fn put(customers: &Customers, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let id = request.path("id", CustomerId::parse)?;
    let update = customer::read(id, &request.json()?)?;
    loop {
        let known = customers.profile(&update.id).await?;
        let version = known.as_ref().map(|known| known.version);
        let status = if known.is_some() { 200 } else { 201 };
        let known = known.map(|known| known.value);
        let now = clock.now();
        let Some(customer) = Customer::merge(known.as_ref(), update.clone(), now)? else {
            return Ok(shown(200, known.as_ref()));
        };
        if customers.put_profile(&customer, version, now).await? == Written::Done {
            return Ok(shown(status, Some(&customer)));
        }
    }
}

async fn get(customers: &Customers, request: &Request) -> Result<Response, Failure> {
    let id = request.path("id", CustomerId::parse)?;
    let known = customers
        .profile(&id)
        .await?
        .ok_or_else(|| Problem::new(Kind::NotFound).because("no such customer is known"))?;
    Ok(shown(200, Some(&known.value)))
}

fn shown(status: u16, customer: Option<&Customer>) -> Response {
    Response::json(status, &customer.map(customer::show).unwrap_or_default())
}
