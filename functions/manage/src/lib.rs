//! Definitions, and the question what was sent and what was not.
//!
//! Everything is checked when it is saved: a template that does not compile, or
//! a campaign that names no template there is, never gets as far as a customer.

mod definitions;
mod keys;
mod messages;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem};
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Definitions, Mailings, Messages};

/// Serves requests of the HTTP API, and direct invocations that make keys.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let manage = Manage {
        definitions: Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?),
        mailings: Mailings::new(db.clone(), required("CHECKPOINTS_TABLE")?),
        messages: Messages::new(db, required("MESSAGES_TABLE")?),
        clock: Clock::from_env(),
    };
    lambda::serve(async |event, _| manage.invoked(event).await).await
}

/// How the function was invoked.
#[derive(Deserialize)]
#[serde(untagged)]
enum Invoked {
    /// By hand, by somebody whom IAM lets: how the first key is made.
    CreateKey { create_key: Value },
    /// Over the HTTP API.
    Request(Box<ApiGatewayV2httpRequest>),
}

struct Manage {
    definitions: Definitions,
    mailings: Mailings,
    messages: Messages,
    clock: Clock,
}

impl Manage {
    async fn invoked(&self, event: Invoked) -> anyhow::Result<Value> {
        match event {
            Invoked::CreateKey { create_key } => keys::create(&self.definitions, &create_key, self.clock.now()).await,
            Invoked::Request(request) => {
                let response = lambda::http::answer(*request, async |request| self.answer(&request).await).await;
                Ok(serde_json::to_value(response)?)
            }
        }
    }

    async fn answer(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "PUT /v1/templates/{id}" => self.put_template(request).await,
            "GET /v1/templates/{id}" => self.get_template(request).await,
            "GET /v1/templates" => self.list(store::Kind::Template).await,
            "PUT /v1/campaigns/{id}" => self.put_campaign(request).await,
            "GET /v1/campaigns/{id}" => self.get_campaign(request).await,
            "GET /v1/campaigns" => self.list(store::Kind::Campaign).await,
            "PUT /v1/mailings/{id}" => self.put_mailing(request).await,
            "GET /v1/mailings/{id}" => self.get_mailing(request).await,
            "GET /v1/mailings" => self.list(store::Kind::Mailing).await,
            "GET /v1/messages" => messages::of_customer(&self.messages, request).await,
            _ => Err(Problem::new(Kind::NotFound).into()),
        }
    }

    /// The definitions of a kind, each by its id and version.
    async fn list(&self, kind: store::Kind) -> Result<Response, Failure> {
        let heads = self.definitions.heads(kind).await?;
        let items: Vec<Value> =
            heads.into_iter().map(|head| json!({ "id": head.id, "version": head.version })).collect();
        Ok(Response::json(200, &json!({ "items": items })))
    }
}

fn not_found(what: &str) -> Problem {
    Problem::new(Kind::NotFound).because(format!("no such {what} is defined"))
}
