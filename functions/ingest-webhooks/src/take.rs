//! What becomes of each thing that a delivery tells.

use contracts::told::Told;
use contracts::{Kind, product};
use domain::read::instant;
use domain::{CustomerId, Fault, OrderId, ProductId};
use intake::Known;
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::{Value, json};
use store::Merged;

use crate::Webhooks;
use crate::answer::{Answered, Became};

impl Webhooks {
    /// Takes in one thing after the other. What is wrong with one does not keep the
    /// others from being taken.
    pub(crate) async fn take(&self, told: Vec<Told>, now: Timestamp) -> Result<Vec<Answered>, Failure> {
        let mut answered = Vec::with_capacity(told.len());
        for told in told {
            let became = match self.one(&told, now).await? {
                Became::Stale(problem) => match self.of_its_owner(&told, now).await? {
                    Some(told) => self.one(&told, now).await?,
                    None => Became::Stale(problem),
                },
                became => became,
            };
            answered.push(Answered::new(&told, became));
        }
        Ok(answered)
    }

    async fn one(&self, told: &Told, now: Timestamp) -> Result<Became, Failure> {
        let taken = match told {
            Told::Product { id, body, whole } => self.product(id, body, *whole, now).await,
            Told::ProductDeleted { id, at } => self.product_deleted(id, at.as_deref(), now).await,
            Told::Merged { from, into } => self.merged(from, into, now).await,
            told => {
                self.intake.told(told, &Known::default(), now).await.map(|taken| Became::Taken { is_new: taken.is_new })
            }
        };
        match taken {
            Err(Failure::Problem(problem)) => Ok(match problem.kind() {
                Kind::Conflict => Became::Stale(problem),
                Kind::Gone => Became::Erased,
                Kind::NotFound => Became::Unknown,
                _ => Became::Refused(problem),
            }),
            taken => taken,
        }
    }

    async fn product(&self, id: &str, body: &Value, whole: bool, now: Timestamp) -> Result<Became, Failure> {
        let dictionary = self.intake.dictionary(now).await?;
        let update = product::read_defined(&dictionary, product_id(id)?, body.clone(), whole, now)?;
        let merged = self.catalogue.merge_product(&update, now).await??;
        Ok(Became::Taken { is_new: matches!(merged, Merged::Created(_)) })
    }

    async fn product_deleted(&self, id: &str, at: Option<&str>, now: Timestamp) -> Result<Became, Failure> {
        let at = at.and_then(|at| instant(&json!(at)).ok());
        let deleted = self.catalogue.delete_product(&product_id(id)?, at, now).await?;
        Ok(deleted.map_or(Became::Unknown, |_| Became::Taken { is_new: false }))
    }

    /// An order that is recorded for somebody else, said of whom it is.
    ///
    /// A guest's order may find its customer later, when the shop opens an account
    /// for the guest: then the guest is that customer. The other way, as when the
    /// shop deletes a customer, the order stays whose it was.
    async fn of_its_owner(&self, told: &Told, now: Timestamp) -> Result<Option<Told>, Failure> {
        let Told::Order { id, body, whole } = told else { return Ok(None) };
        let Ok(order) = OrderId::parse(id) else { return Ok(None) };
        let said = body["customer_id"].as_str().unwrap_or_default();
        let Some(owner) = self.intake.customers().owner_of(&order).await? else { return Ok(None) };
        if owner.as_str() == said {
            return Ok(None);
        }
        if webhooks::is_guest(said) {
            let mut body = body.clone();
            body["customer_id"] = json!(owner);
            return Ok(Some(Told::Order { id: id.clone(), body, whole: *whole }));
        }
        if !webhooks::is_guest(owner.as_str()) {
            return Ok(None);
        }
        let merged = Told::Merged { from: owner.to_string(), into: said.to_owned() };
        Ok(match self.one(&merged, now).await? {
            Became::Taken { .. } => Some(told.clone()),
            _ => None,
        })
    }

    /// Two customers are one. What the one has follows by and by anyway; it is moved
    /// here because more is said of it at once, and an order that is not there yet
    /// would count as a new one.
    async fn merged(&self, from: &str, into: &str, now: Timestamp) -> Result<Became, Failure> {
        let merged = Told::Merged { from: from.to_owned(), into: into.to_owned() };
        let taken = self.intake.told(&merged, &Known::default(), now).await?;
        let from = CustomerId::parse(from).map_err(anyhow::Error::from)?;
        let into = CustomerId::parse(&taken.id).map_err(anyhow::Error::from)?;
        self.intake.customers().take_over(&from, &into, now).await?;
        Ok(Became::Taken { is_new: false })
    }
}

fn product_id(id: &str) -> Result<ProductId, Vec<Fault>> {
    ProductId::parse(id).map_err(|error| vec![Fault::new("/id", error.to_string())])
}
