//! Takes in orders and their statuses.

use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, order};
use domain::{Conflict, Order, OrderId};
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use store::{Customers, OrderOwner, Versioned, Written};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let customers = Customers::new(db, lambda::config::required("CUSTOMERS_TABLE")?);
    let clock = Clock::from_env();
    lambda::http::serve(async |request| match request.route() {
        "PUT /v1/orders/{id}" => put(&customers, &clock, &request).await,
        "PUT /v1/orders/{id}/status" => put_status(&customers, &clock, &request).await,
        "GET /v1/orders/{id}" => get(&customers, &request).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

async fn put(customers: &Customers, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let id = request.path("id", OrderId::parse)?;
    let update = order::read(id, &request.json()?)?;
    loop {
        let known = customers.order(&update.customer_id, &update.id).await?;
        let now = clock.now();
        let merged = Order::merge(known.as_ref().map(|known| &known.value), update.clone(), now)?;
        let (status, read) = match known {
            Some(known) if merged.is_none() => return Ok(shown(200, &known.value)),
            Some(known) => (200, Some(known.version)),
            None if customers.note_owner(&update.id, &update.customer_id).await? == OrderOwner::Same => (201, None),
            None => {
                return Err(Conflict::new(
                    "/customer_id",
                    "differs from the customer that this order was recorded for",
                )
                .into());
            }
        };
        if let Some(order) = merged
            && customers.put_order(&order, read, now).await? == Written::Done
        {
            return Ok(shown(status, &order));
        }
    }
}

async fn put_status(customers: &Customers, clock: &Clock, request: &Request) -> Result<Response, Failure> {
    let update = order::read_status(&request.json()?)?;
    loop {
        let Versioned { value: known, version } = find(customers, request).await?;
        let now = clock.now();
        let Some(order) = known.set_status(update.clone(), now)? else { return Ok(shown(200, &known)) };
        if customers.put_order(&order, Some(version), now).await? == Written::Done {
            return Ok(shown(200, &order));
        }
    }
}

async fn get(customers: &Customers, request: &Request) -> Result<Response, Failure> {
    Ok(shown(200, &find(customers, request).await?.value))
}

/// The order that the path names, whosever it is.
async fn find(customers: &Customers, request: &Request) -> Result<Versioned<Order>, Failure> {
    let id = request.path("id", OrderId::parse)?;
    let order = match customers.owner_of(&id).await? {
        Some(owner) => customers.order(&owner, &id).await?,
        None => None,
    };
    order.ok_or_else(|| Problem::new(Kind::NotFound).because("no such order is known").into())
}

fn shown(status: u16, order: &Order) -> Response {
    let mut shown = order::show(order);
    shown["status_history"] = order::show_history(order);
    Response::json(status, &shown)
}
