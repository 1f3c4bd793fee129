//! The OpenAPI document of the HTTP API, and the page for people made of it.
//!
//! The document is put together from the program's own list of routes and from one
//! file for each subject, which holds its schemas and operations. Tests hold each
//! request's schema to the reader of such bodies: what one takes, the other has.

mod attachments;
mod audiences;
mod campaigns;
mod common;
mod conditions;
mod containers;
mod customers;
mod dictionary;
mod events;
mod explain;
mod keys;
mod messages;
mod operation;
mod orders;
mod page;
mod products;
mod promo_codes;
mod schema;
mod sending;
mod service;
mod settings;
mod surveys;
mod templates;
mod terms;
mod tracking;
mod webhooks;

use contracts::ROUTES;
use serde_json::{Map, Value, json};

use operation::Operation;

pub use page::page;

/// What belongs together: a subject's schemas and operations.
struct Subject {
    name: &'static str,
    description: &'static str,
    schemas: Vec<(&'static str, Value)>,
    operations: Vec<Operation>,
}

fn subjects() -> Vec<Subject> {
    vec![
        orders::subject(),
        customers::subject(),
        containers::subject(),
        events::subject(),
        products::subject(),
        audiences::subject(),
        templates::subject(),
        attachments::subject(),
        promo_codes::subject(),
        campaigns::subject(),
        explain::subject(),
        surveys::subject(),
        messages::subject(),
        sending::subject(),
        dictionary::subject(),
        settings::subject(),
        keys::subject(),
        tracking::subject(),
        webhooks::subject(),
        service::subject(),
    ]
}

const ABOUT: &str = "\
Tell Cartwire what happens in a shop, and say which mail that sets off.

**Bodies** are JSON in UTF-8, of at most 256 KB and nested at most 127 levels deep; an object that names a field \
twice is refused. A field that nobody knows is refused rather than lost.

**Wholes and parts.** `PUT` says all there is to say: what it leaves out is taken away. `PATCH` says a part: what it \
leaves out stays, and null takes away.

**Order of arrival does not matter.** `updated_at` says when a thing was so, by the shop's own account; what was said \
last by that account holds, field by field, whatever arrives when. The same said twice is said once.

**Money** is an exact decimal, best given as text (`\"24.95\"`).

**Lists** come in pages: `limit` says how many, and an answer's `next` is the next page's `after`.

**Problems** are documents of the type `application/problem+json`; their `type` is stable, and `errors` names each \
place at fault.

**Sending again.** Any request may be sent again after a 5xx or no answer at all. `Idempotency-Key` is honoured on \
every `POST`, as soon as it is known who asks.";

/// The document; `server` is the address under which the API is reached, without a
/// slash at its end.
#[must_use]
pub fn document(server: &str) -> Value {
    let mut schemas: Map<String, Value> =
        common::schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let (mut paths, mut responses, mut tags) = (Map::new(), Map::new(), Vec::new());
    for subject in subjects() {
        tags.push(json!({ "name": subject.name, "description": subject.description }));
        schemas.extend(subject.schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
        for operation in subject.operations {
            let (method, path) = operation.method_and_path();
            let built = operation.build(subject.name, &mut responses);
            let at = paths.entry(path).or_insert_with(|| json!({}));
            at[method] = built;
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cartwire", "version": "1", "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": server }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas, "responses": responses, "headers": common::headers(),
            "parameters": common::parameters(), "securitySchemes": security_schemes(),
        },
    })
}

fn security_schemes() -> Value {
    let signature = |name: &str, of: &str| {
        let description = format!("HMAC-SHA256 of the body with the source's secret, in base64, as {of} signs.");
        json!({ "type": "apiKey", "in": "header", "name": name, "description": description })
    };
    json!({
        "key": {
            "type": "http", "scheme": "bearer", "bearerFormat": "cw_ID_SECRET",
            "description": "A key. Each has scopes: `track` tells of web events and reads nothing, so it may stand in a \
                page; `ingest` tells of everything and reads it; `manage` defines campaigns, templates, words and keys.",
        },
        "writeKey": {
            "type": "http", "scheme": "basic",
            "description": "The same key as the user, without a password, which is how Segment's clients send it.",
        },
        "shopifySignature": signature("X-Shopify-Hmac-Sha256", "Shopify"),
        "wooCommerceSignature": signature("X-WC-Webhook-Signature", "WooCommerce"),
    })
}

/// The operations that the document has, in the order in which people read them, each
/// as its method, its path and itself.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut operations = Vec::new();
    for route in subjects().iter().flat_map(|subject| &subject.operations) {
        let (method, path) = route.method_and_path();
        if let Some(operation) = document["paths"].get(path).and_then(|item| item.get(&method)) {
            operations.push((method.to_uppercase(), path.to_owned(), operation));
        }
    }
    operations
}

/// The routes that the document says nothing about, and the operations of no route.
#[must_use]
pub fn astray() -> Vec<String> {
    let known: Vec<&str> = subjects().iter().flat_map(|subject| &subject.operations).map(|one| one.route).collect();
    let unsaid = ROUTES.iter().map(|route| route.key).filter(|route| !known.contains(route));
    let unknown = known.iter().copied().filter(|known| ROUTES.iter().filter(|route| route.key == *known).count() != 1);
    unsaid.chain(unknown).map(str::to_owned).collect()
}
