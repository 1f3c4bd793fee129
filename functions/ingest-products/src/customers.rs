use domain::{Code, Fault, ProductId};
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::List;

use crate::Products;

impl Products {
    /// Who viewed a product, or holds it in a container. The product need not be
    /// known: events and containers may tell of it first.
    pub(crate) async fn list_customers(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", ProductId::parse)?.to_string();
        let list = match (request.query("viewed"), request.query("holding")) {
            (Some(_), None) => List::Viewed(id),
            (None, Some(container)) => {
                let container = Code::parse(&container);
                let wrong = |error: domain::BadId| vec![Fault::new("?holding", error.to_string())];
                List::Holding(container.map_err(wrong)?, id)
            }
            _ => {
                let detail = "ask either who viewed it (?viewed) or who holds it in a container (?holding=CODE)";
                return Err(vec![Fault::new("?viewed", detail)].into());
            }
        };
        let page = request.page(|place| place.split('\n').next().is_some_and(|part| part.parse::<u32>().is_ok()))?;
        let (customers, next) = self.customers.listed(&list, page.after.as_deref(), page.limit).await?;
        let shown = customers.into_iter().map(|customer| json!({ "customer_id": customer })).collect();
        Ok(Response::page(shown, next.as_deref()))
    }
}
