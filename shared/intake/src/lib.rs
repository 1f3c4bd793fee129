//! What becomes of what a shop tells.
//!
//! Whoever tells it, and in whatever form, ends here: our own API, Segment's clients,
//! webhooks and feeds. Each thing is read, worked into what is known by the rules of
//! `domain`, and written if nothing has changed meanwhile; otherwise it is looked at
//! again. Nothing is written of what cannot be read.

mod batch;
mod containers;
mod customers;
mod events;
mod identity;
mod known;
mod orders;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use contracts::told::Told;
use contracts::{Kind, Problem, event};
use domain::dictionary::{Dictionary, Object};
use domain::{BadId, Code, CustomerId, Fault, VisitorId};
use jiff::Timestamp;
use lambda::http::Failure;
use serde_json::Value;
use store::{Customers, DictionaryCache};

pub use batch::{MOST_OF_A_BATCH, at_once};
pub use containers::shown as show_container;
pub use known::Known;

/// Takes in what a shop tells.
#[derive(Debug)]
pub struct Intake {
    customers: Customers,
    dictionary: DictionaryCache,
    /// Who visitors are, as far as this process has noted it.
    links: Mutex<HashSet<(VisitorId, CustomerId)>>,
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// Its id.
    pub id: String,
    /// Whether nothing was known of it before.
    pub is_new: bool,
    /// The thing as it stands now, as the API shows it.
    pub shown: Value,
}

impl Taken {
    /// The HTTP status that says so: 201 for something new, 200 otherwise.
    #[must_use]
    pub fn status(&self) -> u16 {
        if self.is_new { 201 } else { 200 }
    }
}

impl Intake {
    /// Over these tables.
    #[must_use]
    pub fn new(customers: Customers, dictionary: DictionaryCache) -> Self {
        Self { customers, dictionary, links: Mutex::default() }
    }

    /// The customers table.
    #[must_use]
    pub fn customers(&self) -> &Customers {
        &self.customers
    }

    /// The shop's words, as they stand.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn dictionary(&self, now: Timestamp) -> anyhow::Result<Arc<Dictionary>> {
        self.dictionary.current(now).await
    }

    /// Takes in one thing that was told in the words of the API. Products are not
    /// among the things it knows: they are the catalogue's. Who is in `known` is not
    /// looked up once more.
    ///
    /// # Errors
    /// What the API would have answered.
    pub async fn told(&self, told: &Told, known: &Known, now: Timestamp) -> Result<Taken, Failure> {
        match told {
            Told::Customer { id, body } => self.customer(named("id", id, CustomerId::parse)?, body, false, now).await,
            Told::CustomerErased { id } => {
                let id = named("id", id, CustomerId::parse)?;
                known.forget(&id);
                self.erase(&id, now).await
            }
            Told::Order { id, body, whole } => {
                self.order(named("id", id, domain::OrderId::parse)?, body, *whole, now).await
            }
            Told::OrderDeleted { id, at } => {
                let at = at.as_deref().map(|at| domain::read::instant(&Value::from(at))).transpose();
                let at = at.map_err(|detail| vec![Fault::new("/at", detail)])?;
                self.delete_order(&named("id", id, domain::OrderId::parse)?, at, now).await
            }
            Told::Event { body } => self.received(event::read(body, now)?, true, known, now).await,
            Told::Container { customer, code, body } => {
                let customer = named("customer", customer, CustomerId::parse)?;
                self.container(customer, named("code", code, Code::parse)?, body, now).await
            }
            Told::Identified { visitor, customer } => {
                let visitor = named("visitor", visitor, domain::VisitorId::parse)?;
                known.forget(&CustomerId::of_visitor(&visitor));
                self.identified(&visitor, &named("customer", customer, CustomerId::parse)?, now).await
            }
            Told::Merged { from, into } => {
                let from = named("from", from, CustomerId::parse)?;
                known.forget(&from);
                self.merged(&from, &named("into", into, CustomerId::parse)?, now).await
            }
            Told::Product { .. } | Told::ProductDeleted { .. } => {
                Err(Problem::new(Kind::Invalid).because("products are not taken in here").into())
            }
        }
    }

    /// The body with the shop's own fields where they belong and in the form in which
    /// they are kept.
    async fn by_the_dictionary(&self, object: Object, body: &Value, now: Timestamp) -> Result<Value, Failure> {
        let mut body = body.clone();
        let faults = self.dictionary.current(now).await?.check_body(object, &mut body);
        if faults.is_empty() { Ok(body) } else { Err(faults.into()) }
    }
}

/// Takes the id out of a thing of a batch, which its body alone does not have.
///
/// # Errors
/// That there is none.
pub fn take_id(body: &mut Value) -> Result<String, Failure> {
    match body.as_object_mut().map(|body| body.remove("id")) {
        Some(Some(Value::String(id))) => Ok(id),
        Some(None | Some(Value::Null)) => Err(vec![Fault::new("/id", "is required")].into()),
        Some(Some(_)) => Err(vec![Fault::new("/id", "must be a text")].into()),
        None => Err(vec![Fault::new("", "must be a JSON object")].into()),
    }
}

fn named<T>(what: &str, text: &str, parse: fn(&str) -> Result<T, BadId>) -> Result<T, Failure> {
    parse(text).map_err(|error| vec![Fault::new(format!("/{what}"), error.to_string())].into())
}

/// That somebody was erased, and that nothing is taken of them any more.
fn erased() -> Failure {
    Problem::new(Kind::Gone).because("the customer was erased; nothing more is taken of them").into()
}

fn not_found(what: &str) -> Failure {
    Problem::new(Kind::NotFound).because(format!("no such {what} is known")).into()
}
