//! Takes in products and categories, and what is asked to be imported.

mod categories;
mod customers;
mod imports;
mod products;

use api::Api;
use aws::Queue;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem};
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use store::{Catalogue, Customers, Definitions, DictionaryCache, Imports};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = Client::new(&config);
    let required = lambda::config::required;
    let api = Api::from_env(db.clone())?;
    let products = Products {
        catalogue: Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
        customers: Customers::new(db.clone(), required("CUSTOMERS_TABLE")?),
        dictionary: DictionaryCache::new(Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?)),
        imports: Imports::new(db, required("CHECKPOINTS_TABLE")?),
        queue: Queue::new(aws_sdk_sqs::Client::new(&config), required("IMPORTS_QUEUE_URL")?),
        clock: Clock::from_env(),
    };
    api.serve(async |request| products.answer(&request).await).await
}

struct Products {
    catalogue: Catalogue,
    customers: Customers,
    dictionary: DictionaryCache,
    imports: Imports,
    queue: Queue,
    clock: Clock,
}

impl Products {
    async fn answer(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "PUT /v1/products/{id}" => self.put_product(request, true).await,
            "PATCH /v1/products/{id}" => self.put_product(request, false).await,
            "GET /v1/products/{id}" => self.get_product(request).await,
            "DELETE /v1/products/{id}" => self.delete_product(request).await,
            "GET /v1/products/{id}/customers" => self.list_customers(request).await,
            "POST /v1/products/batch" => self.put_products(request).await,
            "POST /v1/products/import" => self.start_import(request).await,
            "GET /v1/products/import/{id}" => self.get_import(request).await,
            "PUT /v1/categories/{id}" => self.put_category(request).await,
            "GET /v1/categories/{id}" => self.get_category(request).await,
            "GET /v1/categories" => self.list_categories(request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        }
    }
}
