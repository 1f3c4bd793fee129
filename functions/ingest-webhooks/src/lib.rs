//! Takes in what Shopify and WooCommerce send.
//!
//! The routes are public: what is not signed with the secret of the source that the
//! path names is answered 401, and so is a source that there is not, so that nobody
//! learns which ones there are.
//!
//! # Answers
//!
//! | | |
//! |---|---|
//! | 200 | it came from the shop; the body says what became of each thing told |
//! | 400, 413, 415 | it is signed, but no JSON, or too large |
//! | 401 | the signature is not right |
//! | 409 | its `Idempotency-Key` is another delivery's, or this one is under way |
//! | 500 | something failed on our side; the shop sends it again |
//!
//! A shop reads nothing but the status. For each that is not 2xx Shopify sends the
//! same again, and in the end takes the subscription away; WooCommerce sends nothing
//! again, and switches the webhook off after six in a row. What will never be taken
//! is therefore answered 200 as well, with what is wrong with it in the body, and
//! goes to the log as an error: one odd order must not cost the shop all others.
//!
//! # What comes again
//!
//! A delivery that comes again is known by what it says and when that was true, not
//! by its id: no id is signed, and shops tell of one change under several topics, each
//! with an id of its own. What was said already writes nothing. Where something else is
//! recorded for the same time, what is recorded stays; the answer calls it `stale`.
//!
//! No shop sends an `Idempotency-Key`, but what stands between a shop and here may. It
//! means something only where the signature is right: what is not signed neither takes
//! a key nor is given an answer that was kept.

mod answer;
mod take;

use answer::Answered;
use api::{Api, Asker};
use aws_sdk_dynamodb::Client;
use contracts::told::Told;
use contracts::{Kind, Problem};
use domain::Code;
use domain::dictionary::WebhookKind;
use domain::read::Faults;
use intake::Intake;
use jiff::Timestamp;
use lambda::Clock;
use lambda::http::{Failure, MOST_IN_BATCH, Request, Response};
use serde_json::{Value, json};
use store::{Catalogue, Customers, Definitions, DictionaryCache};

/// What is checked against where there is no secret, so that a source that there is
/// not takes as long as one that there is.
const NOBODYS: &str = "nobody's";

struct Webhooks {
    api: Api,
    catalogue: Catalogue,
    clock: Clock,
    intake: Intake,
}

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let webhooks = Webhooks {
        api: Api::from_env(db.clone())?,
        catalogue: Catalogue::new(db, required("CATALOGUE_TABLE")?),
        clock: Clock::from_env(),
        intake: Intake::new(customers, DictionaryCache::new(definitions)),
    };
    lambda::http::serve(async |request| match request.route() {
        "POST /v1/webhooks/shopify/{source}" => webhooks.deliver(request, &SHOPIFY).await,
        "POST /v1/webhooks/woocommerce/{source}" => webhooks.deliver(request, &WOOCOMMERCE).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

/// Where a shop says what.
struct Shop {
    kind: WebhookKind,
    signature: &'static str,
    topic: &'static str,
    /// The delivery's id, which it keeps when it is sent again.
    delivery: &'static str,
}

const SHOPIFY: Shop = Shop {
    kind: WebhookKind::Shopify,
    signature: "x-shopify-hmac-sha256",
    topic: "x-shopify-topic",
    delivery: "x-shopify-webhook-id",
};

const WOOCOMMERCE: Shop = Shop {
    kind: WebhookKind::Woocommerce,
    signature: "x-wc-webhook-signature",
    topic: "x-wc-webhook-topic",
    delivery: "x-wc-webhook-delivery-id",
};

/// When Shopify says that it happened.
const TRIGGERED_AT: &str = "x-shopify-triggered-at";

/// Which of Shopify's shops says it.
const DOMAIN: &str = "x-shopify-shop-domain";

impl Webhooks {
    async fn deliver(&self, request: Request, shop: &Shop) -> Result<Response, Failure> {
        let now = self.clock.now();
        let body = request.bytes_up_to(MOST_IN_BATCH)?;
        let signature = request.header(shop.signature).map(str::trim);
        let woocommerce = shop.kind == WebhookKind::Woocommerce;
        if woocommerce && signature.is_none() && webhooks::woocommerce::is_ping(body) {
            return Ok(Response::json(200, &json!({ "ping": true })));
        }
        let signature = signature.unwrap_or_default();
        let source = self.sender(&request, shop.kind, body, signature, now).await?;
        // The source's secret is in a table in the clear, for signatures are checked
        // with it. The signature is in none, nor is the body of which it is made: it
        // seals what nobody can open who does not have the delivery itself.
        let says = [shop.topic, TRIGGERED_AT, DOMAIN].map(|name| request.header(name).unwrap_or_default());
        let asker = Asker::new(source.as_str(), signature).saying(&says);
        self.api.once_for(&asker, request, async |request| self.hear(&request, shop, &source, now).await).await
    }

    /// Takes in a delivery that the source has signed.
    async fn hear(&self, request: &Request, shop: &Shop, source: &Code, now: Timestamp) -> Result<Response, Failure> {
        let payload = request.json_up_to(MOST_IN_BATCH)?;
        let topic = request.header(shop.topic).unwrap_or_default();
        let answered = match told(request, shop.kind, topic, source.as_str(), &payload) {
            Ok(told) => self.take(told, now).await?,
            Err(faults) => vec![Answered::refused(Problem::invalid(faults))],
        };
        for one in &answered {
            one.log(source.as_str(), topic);
        }
        Ok(answer::of(request.header(shop.delivery), topic, &answered))
    }

    /// The source that the path names, if it is the one that signed the body.
    async fn sender(
        &self,
        request: &Request,
        kind: WebhookKind,
        body: &[u8],
        signature: &str,
        now: Timestamp,
    ) -> Result<Code, Failure> {
        let dictionary = self.intake.dictionary(now).await?;
        let code = request.path("source", Code::parse).ok();
        let source = code.as_ref().and_then(|code| dictionary.source(code.as_str())).filter(|source| source.active);
        let webhook = source.and_then(|source| source.webhook.as_ref()).filter(|webhook| webhook.kind == kind);
        let secret = webhook.map_or(NOBODYS, |webhook| webhook.secret.reveal());
        let signed = webhooks::verify(secret, body, signature);
        match code {
            Some(code) if signed && webhook.is_some() => Ok(code),
            _ => {
                let detail = "it is not signed with the secret of an active source of this kind";
                Err(Problem::new(Kind::Unauthorized).because(detail).into())
            }
        }
    }
}

fn told(request: &Request, kind: WebhookKind, topic: &str, source: &str, payload: &Value) -> Result<Vec<Told>, Faults> {
    match kind {
        WebhookKind::Shopify => {
            let triggered_at = request.header(TRIGGERED_AT);
            let domain = request.header(DOMAIN);
            webhooks::shopify::told(&webhooks::shopify::Delivery { topic, source, triggered_at, domain }, payload)
        }
        WebhookKind::Woocommerce => {
            webhooks::woocommerce::told(&webhooks::woocommerce::Delivery { topic, source }, payload)
        }
    }
}
