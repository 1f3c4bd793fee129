use contracts::identity::{self, Known};
use contracts::link::{self, Link};
use contracts::{Kind, Problem, customer};
use domain::{CustomerId, Fault, VisitorId};
use intake::{MOST_OF_A_BATCH, at_once};
use lambda::http::{Failure, Outcome, Request, Response};
use serde_json::Value;
use store::{ContactKind, Entry, Found};

use crate::People;

impl People {
    pub(crate) async fn put(&self, request: &Request, whole: bool) -> Result<Response, Failure> {
        let id = request.path("id", CustomerId::parse)?;
        let taken = self.intake.customer(id, &request.json()?, whole, self.clock.now()).await?;
        Ok(Response::json(taken.status(), &taken.shown))
    }

    /// Up to 500 customers, each as `PATCH /v1/customers/{id}` takes it, with its `id`.
    pub(crate) async fn batch(&self, request: &Request) -> Result<Response, Failure> {
        let now = self.clock.now();
        let outcomes = at_once(request.batch(MOST_OF_A_BATCH)?, async |item| {
            let mut body = match item {
                Ok(body) => body,
                Err(problem) => return Outcome::new(None, Err(problem)),
            };
            let named = body.get("id").and_then(Value::as_str).map(str::to_owned);
            let taken = async {
                let id = intake::take_id(&mut body)?;
                let id = CustomerId::parse(&id).map_err(|error| vec![Fault::new("/id", error.to_string())])?;
                self.intake.customer(id, &body, false, now).await
            };
            Outcome::new(named, taken.await.map(|taken| taken.status()))
        });
        Ok(Response::multi_status(outcomes.await))
    }

    /// The customers who have an e-mail address or a telephone number.
    pub(crate) async fn find(&self, request: &Request) -> Result<Response, Failure> {
        let found = match (request.query("email"), request.query("phone")) {
            (Some(email), None) => self.customers.with_contact(ContactKind::Email, email.trim()).await?,
            (None, Some(phone)) => {
                // A number in any of its forms finds who has it in the one that is kept.
                let country = request.query("country");
                let phone = customer::international(&phone, country.as_deref()).unwrap_or(phone);
                self.customers.with_contact(ContactKind::Phone, phone.trim()).await?
            }
            _ => return Err(vec![Fault::new("?email", "is required, or ?phone; one of the two")].into()),
        };
        Ok(Response::page(found.iter().map(customer::show).collect(), None))
    }

    /// Says that another customer is this one.
    pub(crate) async fn merge(&self, request: &Request) -> Result<Response, Failure> {
        let into = request.path("id", CustomerId::parse)?;
        let from = identity::read_merge(&into, &request.json()?)?;
        let taken = self.intake.merged(&from, &into, self.clock.now()).await?;
        Ok(Response::json(200, &taken.shown))
    }

    /// Says who an anonymous visitor is: by the customer's id, or by a link in one of
    /// our mails to them.
    pub(crate) async fn identify(&self, request: &Request) -> Result<Response, Failure> {
        let visitor = request.path("id", VisitorId::parse)?;
        let customer_id = match identity::read_visitor(&request.json()?)? {
            Known::Customer(customer_id) => customer_id,
            Known::Reader(token) => self.reader_of(&token).await?,
        };
        let taken = self.intake.identified(&visitor, &customer_id, self.clock.now()).await?;
        Ok(Response::json(200, &taken.shown))
    }

    /// To whom the mail went in which a link stood.
    async fn reader_of(&self, token: &str) -> Result<CustomerId, Failure> {
        let secret = self.definitions.link_secret(self.clock.now()).await?;
        let not_ours = || vec![Fault::new("/link", "is no link of ours, or its mail is not known any more")];
        let message = link::verify(&secret, Link::Leave, token).ok_or_else(not_ours)?;
        // A test and what was sent to somebody erased name nobody.
        let theirs = |entry: &Entry| !entry.scrubbed && !entry.message.origin.is_test();
        let entry = self.messages.get(&message).await?.filter(theirs).ok_or_else(not_ours)?;
        Ok(entry.message.customer_id)
    }

    /// Erases a customer: everything, everywhere. Done by and by, from now on in
    /// effect.
    pub(crate) async fn erase(&self, request: &Request) -> Result<Response, Failure> {
        let id = request.path("id", CustomerId::parse)?;
        let taken = self.intake.erase(&id, self.clock.now()).await?;
        Ok(Response::json(202, &taken.shown))
    }

    /// The customer whom the path names, under the id that they have now.
    pub(crate) async fn named(&self, request: &Request) -> Result<CustomerId, Failure> {
        self.now_known_as(&request.path("id", CustomerId::parse)?).await
    }

    /// The id that a customer has now.
    pub(crate) async fn now_known_as(&self, id: &CustomerId) -> Result<CustomerId, Failure> {
        match self.customers.resolve(id).await? {
            Found::Here { id, .. } => Ok(id),
            Found::Erased => Err(Problem::new(Kind::Gone).because("the customer was erased").into()),
        }
    }
}
