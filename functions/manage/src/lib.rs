//! Definitions, keys, who changed what; what a condition says of a customer, what was sent
//! to them, what was not, and why.
//!
//! Everything is checked when it is saved: a template that does not compile, or
//! a campaign that names no template there is, never gets as far as a customer.

mod attachments;
mod audit;
mod blocks;
mod conditions;
mod copies;
mod csv;
mod definitions;
mod dictionaries;
mod differences;
mod editions;
mod fits;
mod keys;
mod lines;
mod members;
mod messages;
mod previews;
mod promo_codes;
mod reference;
mod segments;
mod sending;
mod setting_off;
mod standing;
mod suppressions;
mod surveys;
mod templates;
mod trials;
mod usage;
mod versions;
mod why;

use api::Api;
use aws::Queue;
use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_sdk_dynamodb::Client;
use contracts::{Kind, Problem};
use facts::History;
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use mail::{Composer, Identity};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Catalogue, Customers, Definitions, DictionaryCache, Head, Keys, Mailings, Messages, Pace, Scans, Sizes};

/// Serves requests of the HTTP API, and direct invocations that make keys.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = Client::new(&config);
    let required = lambda::config::required;
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let messages = Messages::new(db.clone(), required("MESSAGES_TABLE")?);
    let manage = Manage {
        api: Api::from_env(db.clone())?,
        keys: Keys::new(db.clone(), required("DEFINITIONS_TABLE")?),
        history: History::new(customers.clone(), messages.clone(), DictionaryCache::new(definitions.clone())),
        composer: Composer::new(
            customers.clone(),
            Catalogue::new(db.clone(), required("CATALOGUE_TABLE")?),
            definitions.clone(),
            messages.clone(),
            Identity::read(required)?,
        ),
        customers,
        definitions,
        messages,
        mailings: Mailings::new(db.clone(), required("CHECKPOINTS_TABLE")?),
        sizes: Sizes::new(db.clone(), required("CHECKPOINTS_TABLE")?),
        scans: Scans::new(db.clone(), required("CHECKPOINTS_TABLE")?),
        pace: Pace::new(db, required("CHECKPOINTS_TABLE")?),
        ses: aws_sdk_sesv2::Client::new(&config),
        backfill: Queue::new(aws_sdk_sqs::Client::new(&config), required("BACKFILL_QUEUE_URL")?),
        clock: Clock::from_env(),
    };
    lambda::serve(async |event, context: lambda::Context| manage.invoked(event, context.deadline).await).await
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
    api: Api,
    keys: Keys,
    history: History,
    customers: Customers,
    messages: Messages,
    composer: Composer,
    definitions: Definitions,
    mailings: Mailings,
    sizes: Sizes,
    scans: Scans,
    pace: Pace,
    ses: aws_sdk_sesv2::Client,
    backfill: Queue,
    clock: Clock,
}

impl Manage {
    async fn invoked(&self, event: Invoked, deadline: u64) -> anyhow::Result<Value> {
        match event {
            Invoked::CreateKey { create_key } => keys::invoked(&self.keys, &create_key, self.clock.now()).await,
            Invoked::Request(request) => {
                let handler = async |request: Request| self.answer(&request).await;
                let response = self.api.answer(*request, Some(deadline), handler).await;
                Ok(serde_json::to_value(response)?)
            }
        }
    }

    async fn answer(&self, request: &Request) -> Result<Response, Failure> {
        match request.route() {
            "PUT /v1/templates/{id}" => self.put_template(request).await,
            "GET /v1/templates/{id}" => self.get_template(request).await,
            "GET /v1/templates/{id}/versions" => self.list_versions(request).await,
            "GET /v1/templates/{id}/differences" => self.template_differences(request).await,
            "POST /v1/templates/preview" => self.preview_draft(request).await,
            "POST /v1/templates/{id}/preview" => self.preview_template(request).await,
            "POST /v1/templates/{id}/test" => self.test_template(request).await,
            "GET /v1/templates" => self.list(store::Kind::Template, request).await,
            "PUT /v1/partials/{code}" => self.put_partial(request).await,
            "GET /v1/partials/{code}" => self.get_partial(request).await,
            "DELETE /v1/partials/{code}" => self.delete_partial(request).await,
            "GET /v1/partials" => self.list_codes(store::Kind::Partial, request).await,
            "PUT /v1/attachments/{code}" => self.put_attachment(request).await,
            "GET /v1/attachments/{code}" => self.get_attachment(request).await,
            "DELETE /v1/attachments/{code}" => self.delete_attachment(request).await,
            "GET /v1/attachments" => self.list_codes(store::Kind::Attachment, request).await,
            "PUT /v1/promo-code-groups/{id}" => self.put_promo_group(request).await,
            "GET /v1/promo-code-groups/{id}" => self.get_promo_group(request).await,
            "DELETE /v1/promo-code-groups/{id}" => self.delete_promo_group(request).await,
            "GET /v1/promo-code-groups" => self.list(store::Kind::PromoGroup, request).await,
            "POST /v1/promo-code-groups/{id}/codes" => self.add_promo_codes(request).await,
            "GET /v1/promo-code-groups/{id}/codes" => self.list_promo_codes(request).await,
            "PUT /v1/campaigns/{id}" => self.put_campaign(request).await,
            "GET /v1/campaigns/{id}" => self.get_campaign(request).await,
            "GET /v1/campaigns" => self.list(store::Kind::Campaign, request).await,
            "PUT /v1/mailings/{id}" => self.put_mailing(request).await,
            "GET /v1/mailings/{id}" => self.get_mailing(request).await,
            "GET /v1/mailings" => self.list(store::Kind::Mailing, request).await,
            "PUT /v1/segments/{code}" => self.put_segment(request).await,
            "GET /v1/segments/{code}" => self.get_segment(request).await,
            "DELETE /v1/segments/{code}" => self.delete_segment(request).await,
            "GET /v1/segments" => self.list_segments(request).await,
            "GET /v1/segments/{code}/customers" => self.list_members(request).await,
            "GET /v1/segments/{code}/customers.csv" => self.export_members(request).await,
            "GET /v1/segments/{code}/customers/{id}" => self.why_in_segment(request).await,
            "GET /v1/segments/{code}/size" => self.size(request).await,
            "GET /v1/segments/{code}/overlap/{other}" => self.overlap(request).await,
            "POST /v1/segments/{code}/pause" => self.pause_segment(request, true).await,
            "POST /v1/segments/{code}/resume" => self.pause_segment(request, false).await,
            "POST /v1/segments/{code}/copy" => self.begin_copy(request).await,
            "GET /v1/segments/{code}/copies/{id}" => self.get_copy(request).await,
            "GET /v1/messages" => self.messages(request).await,
            "GET /v1/messages/{id}" => self.message(request).await,
            "GET /v1/customers/{id}/why" => self.why(request).await,
            "GET /v1/suppressions" => self.suppressions(request).await,
            "GET /v1/suppressions/{address}" => self.suppression(request).await,
            "PUT /v1/suppressions/{address}" => self.suppress(request).await,
            "DELETE /v1/suppressions/{address}" => self.lift(request).await,
            "GET /v1/customers/{id}/segments" => self.segments_of(request).await,
            "POST /v1/conditions/explain" => self.explain(request).await,
            "POST /v1/conditions/preview" => self.preview(request).await,
            "POST /v1/surveys" => self.begin_survey(request).await,
            "GET /v1/surveys/{id}" => self.get_survey(request).await,
            "DELETE /v1/surveys/{id}" => self.delete_survey(request).await,
            "POST /v1/keys" => keys::create(&self.keys, request, self.clock.now()).await,
            "GET /v1/keys" => keys::list(&self.keys, request, self.clock.now()).await,
            "POST /v1/keys/{id}/rotate" => keys::rotate(&self.keys, request, self.clock.now()).await,
            "DELETE /v1/keys/{id}" => keys::revoke(&self.keys, request, self.clock.now()).await,
            "GET /v1/openapi.json" => Ok(reference::document(request)),
            "GET /v1/reference" => reference::page(request),
            "GET /v1/sending" => self.sending().await,
            "GET /v1/audit" => self.list_changes(request).await,
            "GET /v1/audit/{id}" => self.get_change(request).await,
            _ => self.dictionaries(request).await,
        }
    }

    /// The definitions of a kind, each by its id and version.
    async fn list(&self, kind: store::Kind, request: &Request) -> Result<Response, Failure> {
        let (heads, next) = self.heads(kind, request).await?;
        let items = heads.iter().map(|head| json!({ "id": head.id, "version": head.version })).collect();
        Ok(Response::page(items, next.as_deref()))
    }

    /// The page of them that is asked for, and where the next begins.
    async fn heads(&self, kind: store::Kind, request: &Request) -> Result<(Vec<Head>, Option<String>), Failure> {
        let page = request.page(|_| true)?;
        let mut heads = self.definitions.heads(kind).await?;
        heads.retain(|head| page.after.as_ref().is_none_or(|after| head.id > *after));
        let next = heads.get(page.limit - 1).filter(|_| heads.len() > page.limit).map(|head| head.id.clone());
        heads.truncate(page.limit);
        Ok((heads, next))
    }
}

fn not_found(what: &str) -> Problem {
    Problem::new(Kind::NotFound).because(format!("no such {what} is defined"))
}
