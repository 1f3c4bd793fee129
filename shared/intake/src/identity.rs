use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use contracts::{Kind, Problem};
use domain::{CustomerId, VisitorId};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::json;
use store::{Found, Linked};

use crate::{Intake, Known, Taken, erased};

/// How many links between visitors and customers are remembered.
const MOST_LINKS: usize = 10_000;

impl Intake {
    /// Takes in who an anonymous visitor is. What they did follows by and by, and so
    /// does what they do from now on.
    ///
    /// A visitor is one customer for good: if the same browser belongs to somebody else
    /// later, that one keeps what is told of them by name.
    ///
    /// # Errors
    /// That the visitor is another customer already, or that the customer was erased.
    pub async fn identified(
        &self,
        visitor: &VisitorId,
        customer_id: &CustomerId,
        now: Timestamp,
    ) -> Result<Taken, Failure> {
        let linked = self.customers.link(&CustomerId::of_visitor(visitor), customer_id, now).await?;
        let id = known_as(linked, "the visitor is known as another customer already")?;
        Ok(Taken { id: visitor.to_string(), is_new: false, shown: json!({ "id": visitor, "customer_id": id }) })
    }

    /// Erases a customer: everything, everywhere. Done by and by, and from now on in
    /// effect. Nobody need be known by the id.
    ///
    /// # Errors
    /// If the tables cannot be read or written to.
    pub async fn erase(&self, id: &CustomerId, now: Timestamp) -> Result<Taken, Failure> {
        let id = match self.customers.resolve(id).await? {
            Found::Here { id, .. } => id,
            Found::Erased => id.clone(),
        };
        self.customers.mark_erased(&id, now).await?;
        Ok(Taken { id: id.to_string(), is_new: false, shown: json!({ "id": id, "erased": true }) })
    }

    /// Notes who a visitor is, as an event says that names both. A visitor who is
    /// somebody else already stays that.
    ///
    /// A browser says so with each of its events: what this process has noted before is
    /// not looked up again.
    pub(crate) async fn note_link(
        &self,
        visitor: &VisitorId,
        customer_id: &CustomerId,
        known: &Known,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let link = (visitor.clone(), customer_id.clone());
        if self.noted_links().contains(&link) {
            return Ok(());
        }
        let visitor = CustomerId::of_visitor(visitor);
        known.forget(&visitor);
        self.customers.link(&visitor, customer_id, now).await?;
        let mut noted = self.noted_links();
        if noted.len() >= MOST_LINKS {
            noted.clear();
        }
        noted.insert(link);
        Ok(())
    }

    fn noted_links(&self) -> MutexGuard<'_, HashSet<(VisitorId, CustomerId)>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in that two customers are one. What `from` has follows by and by.
    ///
    /// # Errors
    /// That `from` is a third one already, that the two are one the other way round,
    /// or that one of them was erased.
    pub async fn merged(&self, from: &CustomerId, into: &CustomerId, now: Timestamp) -> Result<Taken, Failure> {
        let linked = self.customers.link(from, into, now).await?;
        let id = known_as(linked, "the customer is merged into another one already")?;
        Ok(Taken { id: id.to_string(), is_new: false, shown: json!({ "id": id, "merged": from }) })
    }
}

fn known_as(linked: Linked, otherwise: &str) -> Result<CustomerId, Failure> {
    match linked {
        Linked::Done(id) => Ok(id),
        Linked::IsAnother => Err(Problem::new(Kind::Conflict).because(otherwise).into()),
        Linked::Erased => Err(erased()),
    }
}
