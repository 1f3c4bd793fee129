//! Takes in customers: who they are, what they hold, in which audiences they stand;
//! tells all that is known of one, and forgets it.

mod audiences;
mod containers;
mod customers;
mod imports;
mod profile;

use api::Api;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem};
use intake::Intake;
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use store::{Customers, Definitions, DictionaryCache, Messages};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let people = &People {
        intake: Intake::new(customers.clone(), DictionaryCache::new(definitions.clone())),
        customers,
        definitions,
        messages: Messages::new(db.clone(), required("MESSAGES_TABLE")?),
        clock: Clock::from_env(),
    };
    Api::from_env(db)?.serve(async |request| people.answer(&request).await).await
}

struct People {
    intake: Intake,
    customers: Customers,
    definitions: Definitions,
    messages: Messages,
    clock: Clock,
}

impl People {
    async fn answer(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "PUT /v1/customers/{id}" => self.put(request, true).await,
            "PATCH /v1/customers/{id}" => self.put(request, false).await,
            "GET /v1/customers/{id}" => self.get(request).await,
            "DELETE /v1/customers/{id}" => self.erase(request).await,
            "GET /v1/customers" => self.find(request).await,
            "POST /v1/customers/batch" => self.batch(request).await,
            "POST /v1/customers/import" => self.import(request).await,
            "POST /v1/customers/{id}/merge" => self.merge(request).await,
            "GET /v1/customers/{id}/export" => self.export(request).await,
            "GET /v1/customers/{id}/events" => self.events(request).await,
            "GET /v1/customers/{id}/containers" => self.containers(request).await,
            "GET /v1/customers/{id}/containers/{code}" => self.container(request).await,
            "POST /v1/customers/{id}/containers/{code}" => self.change_container(request).await,
            "PUT /v1/visitors/{id}" => self.identify(request).await,
            "GET /v1/audiences/{code}/members" => self.members(request).await,
            "POST /v1/audiences/{code}/members" => self.change_members(request).await,
            "POST /v1/audiences/{code}/import" => self.import_members(request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        }
    }
}
