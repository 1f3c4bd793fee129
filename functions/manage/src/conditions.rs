//! What a condition says of one customer, and why.

use campaigns::Question;
use conditions::Condition;
use contracts::{Kind, Problem};
use domain::{Customer, CustomerId};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::Found;

use crate::Manage;

impl Manage {
    /// A condition in words; and of a customer, if one is named, what it says of them.
    pub(crate) async fn explain(&self, request: &Request) -> Result<Response, Failure> {
        let Question { condition, customer_id } = Question::read(&request.json()?)?;
        self.check_condition("/condition", &condition).await?;
        let shown = match customer_id {
            Some(customer_id) => self.explained(&condition, &self.known_customer(&customer_id).await?).await?,
            None => json!({ "in_words": condition.to_string() }),
        };
        Ok(Response::json(200, &shown))
    }

    /// Whether a condition holds for a customer, which of its leaves make it so, and when
    /// that turns if nothing else happens.
    pub(crate) async fn explained(&self, condition: &Condition, customer: &Customer) -> anyhow::Result<Value> {
        let id = &customer.id;
        let single = contracts::facts::of(Some(customer), None, None, None, None);
        let (at, segments) = (self.history.at(self.clock.now()).await?, self.definitions.segments().await?);
        let looked = self.history.looked_at(condition, &segments, id, single, &at).await?;
        let (verdict, why) = (looked.verdict(), looked.why());
        Ok(json!({
            "in_words": condition.to_string(),
            "customer_id": id,
            "holds": verdict.holds,
            "why": why,
            "why_in_words": why.to_string(),
            "turns_at": verdict.next,
        }))
    }

    /// A customer, by the id that they have now.
    pub(crate) async fn known_customer(&self, customer_id: &CustomerId) -> Result<Customer, Failure> {
        match self.customers.profile(customer_id).await? {
            Found::Here { id, what: Some(known) } => Ok(Customer { id, ..known.value }),
            Found::Here { .. } => Err(Problem::new(Kind::NotFound).because("no such customer is known").into()),
            Found::Erased => Err(Problem::new(Kind::Gone).because("the customer was erased").into()),
        }
    }
}
