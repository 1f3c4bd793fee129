use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use contracts::facts;
use domain::Message;
use domain::message::{Purpose, Reason};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Catalogue, Customers, Definitions, Kind, Wanted};
use templates::{NotRendered, Source, Template};

use crate::mail::{Identity, Mail, leave_headers};

/// What a mail is made from: the customer as they are now, the template as it
/// was when the run or mailing began, and the checks that may stop it.
pub(crate) struct Material {
    customers: Customers,
    catalogue: Catalogue,
    definitions: Definitions,
    identity: Identity,
    compiled: Mutex<HashMap<(String, u64), Arc<Template>>>,
    secret: Mutex<Option<Arc<str>>>,
}

/// Why there is no mail, and what exactly.
type Stopped = (Reason, Option<String>);

impl Material {
    pub(crate) fn new(
        customers: Customers,
        catalogue: Catalogue,
        definitions: Definitions,
        identity: Identity,
    ) -> Self {
        Self { customers, catalogue, definitions, identity, compiled: Mutex::default(), secret: Mutex::default() }
    }

    /// The mail of a message, or why there is none. Everything is read at this
    /// moment, so that the mail is about what is so now.
    pub(crate) async fn mail(&self, message: &Message, now: Timestamp) -> anyhow::Result<Result<Mail, Stopped>> {
        let change = message.origin.change();
        let wanted = Wanted {
            orders: change.and_then(|change| change.order_id()).cloned().into_iter().collect(),
            events: change.and_then(|change| change.event_id()).cloned().into_iter().collect(),
            runs: Vec::new(),
        };
        let loaded = self.customers.load(&message.customer_id, &wanted).await?;
        if loaded.erased {
            return Ok(Err((Reason::Erased, None)));
        }
        let Some(customer) = &loaded.customer else { return Ok(Err((Reason::CustomerUnknown, None))) };
        let Some(to) = customer.profile.address() else {
            let detail =
                customer.profile.email.as_ref().map(|_| "the address is not one that mail can go to".to_owned());
            return Ok(Err((Reason::NoAddress, detail)));
        };
        if message.purpose == Purpose::Marketing && !customer.agreed_to_email() {
            return Ok(Err((Reason::NoConsent, None)));
        }
        if let Some(suppression) = self.customers.suppression(&to).await? {
            return Ok(Err((Reason::Suppressed, Some(suppression.reason))));
        }
        let (order, event) = (loaded.orders.iter().find(|order| !order.is_deleted()), loaded.events.first());
        if (order.is_none() && !wanted.orders.is_empty()) || (event.is_none() && !wanted.events.is_empty()) {
            return Ok(Err((Reason::SubjectGone, None)));
        }
        let product = match change.and_then(|change| change.product_id()) {
            Some(id) => match self.catalogue.product(id).await? {
                Some(product) if !product.value.is_deleted() => Some(product.value),
                _ => return Ok(Err((Reason::SubjectGone, None))),
            },
            None => None,
        };

        let link = self.identity.leave_link(&self.secret(now).await?, &message.id);
        let mut data = facts::of(Some(customer), order, event, product.as_ref(), change);
        data.insert("shop".into(), json!({ "name": self.identity.shop_name }));
        data.insert("links".into(), json!({ "unsubscribe": link }));
        data.insert("now".into(), json!(now));
        let template = match self.template(message.template_id.as_str(), message.template_version).await? {
            Some(template) => template,
            None => return Ok(Err((Reason::TemplateFailed, Some("the template's version is not there".into())))),
        };
        Ok(template
            .render(&Value::Object(data))
            .map(|rendered| Mail {
                from: self.identity.from(),
                to,
                subject: rendered.subject,
                html: rendered.html,
                text: rendered.text,
                headers: leave_headers(&link),
            })
            .map_err(stopped))
    }

    /// A template's version never changes, so once compiled it is kept.
    async fn template(&self, id: &str, version: u64) -> anyhow::Result<Option<Arc<Template>>> {
        let key = (id.to_owned(), version);
        let kept = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if kept.is_some() {
            return Ok(kept);
        }
        let Some(source) = self.definitions.version::<Source>(Kind::Template, id, version).await? else {
            return Ok(None);
        };
        let template = Template::compile(&source)
            .ok()
            .context("a template that was checked when it was saved does not compile")?;
        let template = Arc::new(template);
        self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&template));
        Ok(Some(template))
    }

    async fn secret(&self, now: Timestamp) -> anyhow::Result<Arc<str>> {
        let kept = self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(secret) = kept {
            return Ok(secret);
        }
        let secret: Arc<str> = self.definitions.link_secret(now).await?.into();
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&secret));
        Ok(secret)
    }
}

/// A render that did not come about, as a reason. A value must not get into the
/// ledger's detail, so where a message might quote one, only the place goes on.
fn stopped(error: NotRendered) -> Stopped {
    match error {
        NotRendered::Missing { part, path, line, column } => {
            (Reason::MissingVariable, Some(format!("{path} ({part}, line {line}, column {column})")))
        }
        NotRendered::Blocked { reason } => (Reason::BlockedByTemplate, Some(reason)),
        NotRendered::Failed { part, line, column, .. } => {
            (Reason::TemplateFailed, Some(format!("{part}, line {line}, column {column}")))
        }
    }
}
