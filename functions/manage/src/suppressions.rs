//! Addresses to which no mail goes.

use anyhow::bail;
use aws_sdk_sesv2::error::SdkError;
use contracts::{Kind, Problem};
use domain::{EmailAddress, SuppressedFor};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Customers, Suppression, Written};

use crate::Manage;

impl Manage {
    /// Whether mail to an address is stopped, and why.
    pub(crate) async fn suppression(&self, request: &Request) -> Result<Response, Failure> {
        let address = request.path("address", EmailAddress::parse)?;
        let known = self.customers.suppression(&address).await?;
        let known = known.ok_or_else(not_stopped)?;
        Ok(Response::json(200, &self.show(&address, &known).await?))
    }

    /// Stops mail to an address by hand. One that is stopped already stays as it is.
    pub(crate) async fn suppress(&self, request: &Request) -> Result<Response, Failure> {
        let address = request.path("address", EmailAddress::parse)?;
        let by = request.key_id().map(str::to_owned);
        let stopped = Suppression { reason: SuppressedFor::ByHand, since: self.clock.now(), by };
        loop {
            if self.customers.suppress(&address, &stopped, None).await? == Written::Done {
                return Ok(Response::json(201, &self.show(&address, &stopped).await?));
            }
            if let Some(known) = self.customers.suppression(&address).await? {
                return Ok(Response::json(200, &self.show(&address, &known).await?));
            }
            // It was taken off right between the two.
        }
    }

    /// Lets mail go to an address again.
    pub(crate) async fn lift(&self, request: &Request) -> Result<Response, Failure> {
        let address = request.path("address", EmailAddress::parse)?;
        if self.customers.suppression(&address).await?.is_none() {
            return Err(not_stopped().into());
        }
        self.forgive(&address).await?;
        self.customers.lift(&address, self.clock.now()).await?;
        Ok(Response::empty())
    }

    /// Takes an address off SES's own list for the account, which it puts those on that bounce
    /// or complain: it would not let the next mail through, and say that it came back.
    async fn forgive(&self, address: &EmailAddress) -> anyhow::Result<()> {
        match self.ses.delete_suppressed_destination().email_address(address.as_str()).send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_not_found_exception() => Ok(()),
            Err(error) => bail!("an address could not be taken off the list of SES: {}", aws::describe(&error)),
            Ok(_) => Ok(()),
        }
    }

    /// A page of the addresses to which mail is stopped. Which they are nobody can read.
    pub(crate) async fn suppressions(&self, request: &Request) -> Result<Response, Failure> {
        let page = request.page(Customers::is_suppression_place)?;
        let (found, next) = self.customers.suppressions(page.limit, page.after.as_deref()).await?;
        Ok(Response::page(found.iter().map(|(place, known)| shown(place, known)).collect(), next.as_deref()))
    }

    async fn show(&self, address: &EmailAddress, known: &Suppression) -> anyhow::Result<Value> {
        Ok(shown(&self.customers.fingerprint_of(address).await?, known))
    }
}

fn shown(fingerprint: &str, known: &Suppression) -> Value {
    let mut shown = json!({
        "fingerprint": fingerprint, "reason": known.reason, "in_words": known.reason.sentence(), "since": known.since,
    });
    if let Some(by) = &known.by {
        shown["by"] = json!(by);
    }
    shown
}

fn not_stopped() -> Problem {
    Problem::new(Kind::NotFound).because("mail to this address is not stopped")
}
