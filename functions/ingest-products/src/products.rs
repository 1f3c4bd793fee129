use contracts::{Kind, Problem, product};
use domain::{Fault, Product, ProductId, ProductUpdate};
use jiff::Timestamp;
use lambda::http::{Failure, Outcome, Request, Response};
use serde_json::Value;
use store::{Merged, Refused, ToldProduct, Versioned};

use crate::Products;

/// The most products of one batch.
const MOST: usize = 500;

impl Products {
    pub(crate) async fn put_product(&self, request: &Request, whole: bool) -> Result<Response, Failure> {
        let id = request.path("id", ProductId::parse)?;
        let body = request.json()?;
        let now = self.clock.now();
        let update = self.read_product(id, body, whole, now).await?;
        let merged = self.catalogue.merge_product(&update, now).await??;
        let status = if matches!(merged, Merged::Created(_)) { 201 } else { 200 };
        Ok(shown(status, &merged.into_value()))
    }

    pub(crate) async fn get_product(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", ProductId::parse)?;
        match self.catalogue.product(&id).await? {
            Some(Versioned { value: product, .. }) if !product.is_deleted() => Ok(shown(200, &product)),
            _ => Err(unknown().into()),
        }
    }

    /// What was said of the product later than it was taken back, by the shop's
    /// account, holds.
    pub(crate) async fn delete_product(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", ProductId::parse)?;
        match self.catalogue.delete_product(&id, None, self.clock.now()).await? {
            Some(_) => Ok(Response::empty()),
            None => Err(unknown().into()),
        }
    }

    pub(crate) async fn put_products(&self, request: &Request) -> Result<Response, Failure> {
        let now = self.clock.now();
        let mut read = Vec::new();
        for item in request.batch(MOST)? {
            read.push(self.read_item(item, now).await);
        }
        let told = read.iter().filter_map(|(_, update)| update.as_ref().ok());
        let told = told.map(|update| ToldProduct { update: update.clone(), import: None }).collect();
        let mut done = self.catalogue.merge_products(told, now).await?.into_iter();
        let outcomes = read.into_iter().map(|(id, update)| {
            let answer = match update {
                Err(failure) => Err(failure),
                Ok(_) => match done.next() {
                    Some(Ok(Merged::Created(_))) => Ok(201),
                    Some(Ok(_)) => Ok(200),
                    Some(Err(Refused::Conflict(conflict))) => Err(conflict.into()),
                    Some(Err(Refused::Failed(error))) => Err(error.into()),
                    None => Err(anyhow::anyhow!("a product of a batch was left out").into()),
                },
            };
            Outcome { id, answer }
        });
        Ok(Response::multi_status(outcomes))
    }

    /// One product of a batch: what `PUT` takes, with its `id`.
    async fn read_item(
        &self,
        item: Result<Value, Problem>,
        now: Timestamp,
    ) -> (Option<String>, Result<ProductUpdate, Failure>) {
        let mut body = match item {
            Ok(body) => body,
            Err(problem) => return (None, Err(problem.into())),
        };
        let name = match intake::take_id(&mut body) {
            Ok(name) => name,
            Err(failure) => return (None, Err(failure)),
        };
        match ProductId::parse(&name) {
            Ok(id) => (Some(name), self.read_product(id, body, true, now).await),
            Err(error) => (None, Err(vec![Fault::new("/id", error.to_string())].into())),
        }
    }

    async fn read_product(
        &self,
        id: ProductId,
        body: Value,
        whole: bool,
        now: Timestamp,
    ) -> Result<ProductUpdate, Failure> {
        let dictionary = self.dictionary.current(now).await?;
        Ok(product::read_defined(&dictionary, id, body, whole, now)?)
    }
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound).because("no such product is known")
}

fn shown(status: u16, product: &Product) -> Response {
    let mut shown = product::show(product);
    shown["changes"] = product::show_changes(product);
    Response::json(status, &shown)
}
