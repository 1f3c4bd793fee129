//! Takes in orders and their statuses.

mod history;

use api::Api;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, order};
use domain::{Fault, OrderId};
use intake::{Intake, MOST_OF_A_BATCH, Taken, at_once};
use lambda::Clock;
use lambda::http::{Failure, Outcome, Request, Response};
use serde_json::{Value, json};
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
    let orders = Orders { intake: Intake::new(customers, DictionaryCache::new(definitions)), clock: Clock::from_env() };
    let orders = &orders;
    Api::from_env(db)?.serve(async |request| orders.answer(&request).await).await
}

struct Orders {
    intake: Intake,
    clock: Clock,
}

impl Orders {
    async fn answer(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "PUT /v1/orders/{id}" => self.put(request, true).await,
            "PATCH /v1/orders/{id}" => self.put(request, false).await,
            "PUT /v1/orders/{id}/status" => self.put_status(request).await,
            "PUT /v1/orders/{id}/lines/{line}/status" => self.put_line_status(request).await,
            "GET /v1/orders/{id}" => self.get(request).await,
            "GET /v1/orders/{id}/history" => self.history(request).await,
            "DELETE /v1/orders/{id}" => self.delete(request).await,
            "POST /v1/orders/batch" => self.batch(request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        }
    }

    async fn put(&self, request: &Request, whole: bool) -> Result<Response, Failure> {
        let id = request.path("id", OrderId::parse)?;
        Ok(answer(self.intake.order(id, &request.json()?, whole, self.clock.now()).await?))
    }

    async fn put_status(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", OrderId::parse)?;
        let now = self.clock.now();
        let status = order::read_status(&request.json()?, now)?;
        Ok(answer(self.intake.order_status(&id, &status, now).await?))
    }

    async fn put_line_status(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", OrderId::parse)?;
        let now = self.clock.now();
        let line = request.path("line", |line| Ok::<_, String>(line.to_owned()))?;
        let status = order::read_line_status(line.clone(), &request.json()?, now)?;
        if !self.intake.order_with(&id, &status).await?.value.content.lines.iter().any(|known| known.id == line) {
            return Err(Problem::new(Kind::NotFound).because("the order has no such line").into());
        }
        Ok(answer(self.intake.order_status(&id, &status, now).await?))
    }

    async fn get(&self, request: &Request) -> Result<Response, Failure> {
        let order = self.intake.find_order(&request.path("id", OrderId::parse)?).await?.value;
        let mut shown = order::show(&order);
        shown["status_history"] = order::show_history(&order);
        Ok(Response::json(200, &shown))
    }

    async fn history(&self, request: &Request) -> Result<Response, Failure> {
        let order = self.intake.find_order(&request.path("id", OrderId::parse)?).await?.value;
        let sayings = self.intake.sayings_of(&order).await?;
        Ok(Response::json(200, &json!({ "items": history::of(&order, &sayings) })))
    }

    async fn delete(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", OrderId::parse)?;
        self.intake.delete_order(&id, None, self.clock.now()).await?;
        Ok(Response::empty())
    }

    /// Up to 500 orders, each as `PUT /v1/orders/{id}` takes it, with its `id`.
    async fn batch(&self, request: &Request) -> Result<Response, Failure> {
        let now = self.clock.now();
        let outcomes = at_once(request.batch(MOST_OF_A_BATCH)?, async |item| {
            let body = match item {
                Ok(body) => body,
                Err(problem) => return Outcome::new(None, Err(problem)),
            };
            let id = body.get("id").and_then(Value::as_str).map(str::to_owned);
            Outcome::new(id, self.one(body, now).await.map(|taken| taken.status()))
        });
        Ok(Response::multi_status(outcomes.await))
    }

    async fn one(&self, mut body: Value, now: jiff::Timestamp) -> Result<Taken, Failure> {
        let id = intake::take_id(&mut body)?;
        let id = OrderId::parse(&id).map_err(|error| vec![Fault::new("/id", error.to_string())])?;
        self.intake.order(id, &body, true, now).await
    }
}

fn answer(taken: Taken) -> Response {
    Response::json(taken.status(), &taken.shown)
}
