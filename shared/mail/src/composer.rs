use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use contracts::facts;
use contracts::link::Link;
use domain::message::Reason;
use domain::{Change, Customer, Dictionary, EmailAddress, Event, Message, Order, Product};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{Catalogue, Customers, Definitions, DictionaryCache, Kind, Wanted};
use templates::{NotRendered, Source, Template};

use crate::mail::{Identity, Mail, leave_headers};
use crate::shape;

/// Makes mails: of the customer as they are now, by the template as it was when the run or
/// mailing began.
pub struct Composer {
    customers: Customers,
    catalogue: Catalogue,
    definitions: Definitions,
    dictionary: DictionaryCache,
    identity: Identity,
    compiled: Mutex<HashMap<(String, u64), Arc<Template>>>,
    secret: Mutex<Option<Arc<str>>>,
}

/// Why there is no mail, and what exactly; never an address or a value.
pub type Stopped = (Reason, Option<String>);

/// Whom and what a message is about, as they are now, and nothing keeps it from them.
#[derive(Debug)]
pub struct Subject {
    /// The customer, by the id that they have now.
    pub customer: Customer,
    /// Where mail to them goes.
    pub to: EmailAddress,
    /// The order that set it off.
    pub order: Option<Order>,
    /// The event that set it off.
    pub event: Option<Event>,
    /// The product that set it off.
    pub product: Option<Product>,
    /// The shop's own words, and its settings.
    pub dictionary: Arc<Dictionary>,
}

impl Composer {
    /// A composer over these tables.
    #[must_use]
    pub fn new(customers: Customers, catalogue: Catalogue, definitions: Definitions, identity: Identity) -> Self {
        Self {
            customers,
            catalogue,
            dictionary: DictionaryCache::new(definitions.clone()),
            definitions,
            identity,
            compiled: Mutex::default(),
            secret: Mutex::default(),
        }
    }

    /// Whom and what a message is about, or what keeps it from them. Everything is read at
    /// this moment, so that the mail is about what is so now.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn look(&self, message: &Message, now: Timestamp) -> anyhow::Result<Result<Subject, Stopped>> {
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
        let Some(customer) = loaded.customer else { return Ok(Err((Reason::CustomerUnknown, None))) };
        let Some(to) = customer.profile.address() else {
            let detail =
                customer.profile.email.as_ref().map(|_| "the address is not one that mail can go to".to_owned());
            return Ok(Err((Reason::NoAddress, detail)));
        };
        let dictionary = self.dictionary.current(now).await?;
        if let Some(refused) = crate::consent::refusal(message, &customer, &dictionary) {
            return Ok(Err(refused));
        }
        if let Some(suppression) = self.customers.suppression(&to).await? {
            return Ok(Err((Reason::Suppressed, Some(suppression.reason.as_str().to_owned()))));
        }
        let order = loaded.orders.into_iter().find(|order| !order.is_deleted());
        let event = loaded.events.into_iter().next();
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
        Ok(Ok(Subject { customer, to, order, event, product, dictionary }))
    }

    /// The mail of a message about this subject, or why there is none.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn fill(
        &self,
        message: &Message,
        subject: &Subject,
        now: Timestamp,
    ) -> anyhow::Result<Result<Mail, Stopped>> {
        let secret = self.secret(now).await?;
        let link = |link: Link<'_>| self.identity.link(&secret, link, &message.id);
        let leave = link(Link::Leave);
        let Subject { customer, order, event, product, dictionary, .. } = subject;
        let change = message.origin.change();
        let mut data = facts::of(Some(customer), order.as_ref(), event.as_ref(), product.as_ref(), change);
        data.insert("shop".into(), shape::shop(&self.identity.shop_name, dictionary.settings()));
        let mut links = json!({ "unsubscribe": leave, "preferences": link(Link::Preferences) });
        if let Some(Change::ConsentRequested { .. }) = change {
            links["confirm"] = json!(link(Link::Confirm { address: &subject.to.fingerprint() }));
        }
        data.insert("links".into(), links);
        data.insert("now".into(), json!(now));
        let template = match self.template(message.template_id.as_str(), message.template_version).await? {
            Some(template) => template,
            None => return Ok(Err((Reason::TemplateFailed, Some("the template's version is not there".into())))),
        };
        Ok(template
            .render(&Value::Object(data))
            .map(|rendered| Mail {
                from: self.identity.from(),
                to: subject.to.clone(),
                subject: rendered.subject,
                html: rendered.html,
                text: rendered.text,
                headers: leave_headers(&leave),
            })
            .map_err(stopped))
    }

    /// The shop's own words, and its settings, as they stand, or stood a second ago.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn dictionary(&self, now: Timestamp) -> anyhow::Result<Arc<Dictionary>> {
        self.dictionary.current(now).await
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
        NotRendered::Missing { place, path } => (Reason::MissingVariable, Some(format!("{path} ({place})"))),
        NotRendered::Blocked { reason } => (Reason::BlockedByTemplate, Some(reason)),
        NotRendered::NoPromoCode { place, group } => (Reason::NoPromoCode, Some(format!("{group} ({place})"))),
        NotRendered::Failed { place, .. } => (Reason::TemplateFailed, Some(place.to_string())),
        NotRendered::TooLarge { .. } => (Reason::TooLarge, Some(error.to_string())),
    }
}
