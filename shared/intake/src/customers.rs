use contracts::{Kind, Problem, customer};
use domain::dictionary::Object;
use domain::{Customer, CustomerId};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::Value;
use store::{Found, Written};

use crate::{Intake, Taken, erased};

impl Intake {
    /// Takes in a customer, as a whole or in part. A part of somebody unknown makes
    /// them known.
    ///
    /// # Errors
    /// What is wrong with the body, or contradicts what is known; that the customer
    /// was erased.
    pub async fn customer(&self, id: CustomerId, body: &Value, whole: bool, now: Timestamp) -> Result<Taken, Failure> {
        let body = self.by_the_dictionary(Object::Customer, body, now).await?;
        let mut update = customer::read(id, &body, whole, now)?;
        if whole && update.id.is_visitor() {
            let detail = "an anonymous visitor is nobody whom a shop could know as a whole";
            return Err(Problem::new(Kind::NotFound).because(detail).into());
        }
        loop {
            let Found::Here { id, what: known } = self.customers.profile(&update.id).await? else {
                return Err(erased());
            };
            update.id = id;
            let version = known.as_ref().map(|known| known.version);
            let known = known.map(|known| known.value);
            match (Customer::merge(known.as_ref(), update.clone(), now)?, known) {
                (None, Some(known)) => return Ok(taken(&known, false)),
                (None, None) => return Ok(taken(&Customer::unknown(update.id), false)),
                (Some(customer), known) => {
                    if self.customers.put_profile(&customer, version, now).await? == Written::Done {
                        return Ok(taken(&customer, known.is_none()));
                    }
                }
            }
        }
    }
}

fn taken(customer: &Customer, is_new: bool) -> Taken {
    Taken { id: customer.id.to_string(), is_new, shown: customer::show(customer) }
}
