//! Public links: leaving the shop's mailing list.
//!
//! A link is signed and names a message, never an address. Looking at it
//! changes nothing, since mail scanners look at every link; only the form, or a
//! mail program's one click (RFC 8058), leaves. Leaving twice is leaving once.

use api::{Api, Asker};
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem, link};
use domain::{ConsentState, ConsentUpdate, CustomerId, MessageId};
use handlebars::Handlebars;
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{Customers, Definitions, Found, Messages, Written};

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let mut pages = Handlebars::new();
    pages.set_strict_mode(true);
    pages.register_template_string("page", include_str!("page.html"))?;
    let preferences = Preferences {
        api: Api::from_env(db.clone())?,
        customers: Customers::new(db.clone(), required("CUSTOMERS_TABLE")?),
        definitions: Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?),
        messages: Messages::new(db, required("MESSAGES_TABLE")?),
        shop_name: required("SHOP_NAME")?,
        clock: Clock::from_env(),
        pages,
    };
    lambda::http::serve(async |request| match request.route() {
        "GET /u/{token}" => preferences.look(&request).await,
        "POST /u/{token}" => preferences.leave(request).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

struct Preferences {
    api: Api,
    customers: Customers,
    definitions: Definitions,
    messages: Messages,
    shop_name: String,
    clock: Clock,
    pages: Handlebars<'static>,
}

impl Preferences {
    async fn look(&self, request: &Request) -> Result<Response, Failure> {
        let message_id = self.signed(&token(request)?).await?;
        match message_id {
            Some(message_id) if self.customer(&message_id).await?.is_some() => self.page(200, "ask"),
            _ => self.page(404, "unknown"),
        }
    }

    async fn leave(&self, request: Request) -> Result<Response, Failure> {
        let token = token(&request)?;
        let Some(message_id) = self.signed(&token).await? else { return self.page(404, "unknown") };
        // The token is in the mail and in no table. Whoever reads the links' secret
        // could make it, and would open a page that says nothing of anybody.
        let asker = Asker::new(message_id.as_str(), token);
        self.api.once_for(&asker, request, async |_| self.left(&message_id).await).await
    }

    async fn left(&self, message_id: &MessageId) -> Result<Response, Failure> {
        let Some(customer_id) = self.customer(message_id).await? else { return self.page(404, "unknown") };
        loop {
            let Found::Here { what: Some(known), .. } = self.customers.profile(&customer_id).await? else { break };
            let now = self.clock.now();
            let mut customer = known.value.clone();
            customer.consent(ConsentUpdate { state: ConsentState::Denied, at: None }, now);
            if customer == known.value
                || self.customers.put_profile(&customer, Some(known.version), now).await? == Written::Done
            {
                break;
            }
        }
        self.page(200, "left")
    }

    /// The message that a link came with, if we signed it.
    async fn signed(&self, token: &str) -> Result<Option<MessageId>, Failure> {
        let secret = self.definitions.link_secret(self.clock.now()).await?;
        Ok(link::verify(&secret, token))
    }

    /// The customer to whom the message went.
    async fn customer(&self, message_id: &MessageId) -> Result<Option<CustomerId>, Failure> {
        Ok(self.messages.get(message_id).await?.map(|entry| entry.message.customer_id))
    }

    fn page(&self, status: u16, show: &str) -> Result<Response, Failure> {
        let data = json!({
            "shop": self.shop_name,
            "ask": show == "ask",
            "left": show == "left",
        });
        let page = self
            .pages
            .render("page", &data)
            .map_err(|error| anyhow::anyhow!("the page could not be rendered: {error}"))?;
        Ok(Response::html(status, page))
    }
}

/// The token of a link, as the path has it.
fn token(request: &Request) -> Result<String, Problem> {
    request.path("token", |token| Ok::<_, String>(token.to_owned()))
}
