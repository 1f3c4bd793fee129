use domain::message::Origin;
use domain::{CustomerId, Fault, MessageId};
use jiff::Timestamp;
use lambda::http::{Failure, Request, Response};
use serde_json::{Map, Value, json};
use store::Entry;

use crate::People;

impl People {
    /// What was sent to a customer, what was not, and why; newest first.
    pub(crate) async fn messages(&self, request: &Request) -> Result<Response, Failure> {
        let mut faults = Vec::new();
        let customer = match request.query("customer").as_deref().map(CustomerId::parse) {
            Some(Ok(customer)) => Some(customer),
            Some(Err(error)) => {
                faults.push(Fault::new("?customer", error.to_string()));
                None
            }
            None => {
                faults.push(Fault::new("?customer", "is required"));
                None
            }
        };
        let page = request.page(is_place).map_err(|more| faults.extend(more)).ok();
        let (Some(customer), Some(page)) = (customer, page) else { return Err(faults.into()) };
        let customer = self.now_known_as(&customer).await?;
        let aliases = self.customers.aliases(&customer).await?;
        let (entries, next) = self.messages.of_customer(&customer, &aliases, page.limit, page.after.as_deref()).await?;
        Ok(Response::page(entries.iter().map(show).collect(), next.as_deref()))
    }
}

/// Whether this is a place between two messages, as an answer's `next` names it.
fn is_place(after: &str) -> bool {
    let parts = after.split_once('#');
    parts.is_some_and(|(created, id)| created.parse::<Timestamp>().is_ok() && MessageId::parse(id).is_ok())
}

fn show(entry: &Entry) -> Value {
    let message = &entry.message;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            shown.insert(name.to_owned(), value);
        }
    };
    put("id", json!(message.id));
    put("customer_id", json!(message.customer_id));
    match &message.origin {
        Origin::Campaign { campaign_id, version, run_id, step, change, caused_at } => {
            put("campaign", json!(campaign_id));
            put("campaign_version", json!(version));
            put("run", json!(run_id));
            put("step", json!(step));
            put("cause", json!(change));
            put("caused_at", json!(caused_at));
        }
        Origin::Mailing { mailing_id, version } => {
            put("mailing", json!(mailing_id));
            put("mailing_version", json!(version));
        }
    }
    put("purpose", json!(message.purpose));
    put("template", json!(message.template_id));
    put("template_version", json!(message.template_version));
    put("created_at", json!(message.created_at));
    put("state", json!(entry.state));
    put("reason", json!(entry.reason));
    put("detail", json!(entry.detail));
    put("settled_at", json!(entry.settled_at));
    put("ses_message_id", json!(entry.ses_id));
    for (name, at) in &entry.evidence {
        put(name, json!(at));
    }
    Value::Object(shown)
}
