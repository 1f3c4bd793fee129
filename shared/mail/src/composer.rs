use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use contracts::facts;
use contracts::link::Link;
use domain::message::Reason;
use domain::{Change, Customer, Dictionary, EmailAddress, Event, Message, Order, Product};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{Catalogue, Customers, Definitions, DictionaryCache, Kind, Wanted};
use templates::{NotRendered, Source, Template};

use crate::data::{Needs, Sources};
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
    compiled: Mutex<HashMap<(String, u64), Arc<Ready>>>,
    secret: Mutex<Option<Arc<str>>>,
}

/// A compiled template, and what it names.
type Ready = (Template, Needs);

/// Why there is no mail, and what exactly; never an address or a value.
pub type Stopped = (Reason, Option<String>);

/// Whom and what a message is about, as they are now.
#[derive(Debug)]
pub struct About {
    /// The customer, by the id that they have now.
    pub customer: Customer,
    /// The order that set it off.
    pub order: Option<Order>,
    /// The event that set it off.
    pub event: Option<Event>,
    /// The product that set it off.
    pub product: Option<Product>,
    /// Whether what set it off is not there any more.
    pub is_gone: bool,
    /// The shop's own words, and its settings.
    pub dictionary: Arc<Dictionary>,
}

/// What a message is about where nothing keeps it from the customer.
#[derive(Debug)]
pub struct Subject {
    /// Whom and what it is about.
    pub about: About,
    /// Where mail to them goes.
    pub to: EmailAddress,
}

impl Deref for Subject {
    type Target = About;

    fn deref(&self) -> &About {
        &self.about
    }
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
        let about = match self.about(message, now).await? {
            Ok(about) => about,
            Err(reason) => return Ok(Err((reason, None))),
        };
        Ok(self.way_to(message, &about).await?.map(|to| Subject { about, to }))
    }

    /// Whom and what a message is about, whatever keeps it from them.
    pub(crate) async fn about(&self, message: &Message, now: Timestamp) -> anyhow::Result<Result<About, Reason>> {
        let change = message.origin.change();
        let wanted = Wanted {
            orders: change.and_then(|change| change.order_id()).cloned().into_iter().collect(),
            events: change.and_then(|change| change.event_id()).cloned().into_iter().collect(),
            runs: Vec::new(),
        };
        let loaded = self.customers.load(&message.customer_id, &wanted).await?;
        if loaded.erased {
            return Ok(Err(Reason::Erased));
        }
        let Some(customer) = loaded.customer else { return Ok(Err(Reason::CustomerUnknown)) };
        let order = loaded.orders.into_iter().find(|order| !order.is_deleted());
        let event = loaded.events.into_iter().next();
        let product_id = change.and_then(|change| change.product_id());
        let product = match product_id {
            Some(id) => self.catalogue.product(id).await?.map(|product| product.value),
            None => None,
        };
        let product = product.filter(|product| !product.is_deleted());
        let is_gone = (order.is_none() && !wanted.orders.is_empty())
            || (event.is_none() && !wanted.events.is_empty())
            || (product.is_none() && product_id.is_some());
        let dictionary = self.dictionary.current(now).await?;
        Ok(Ok(About { customer, order, event, product, is_gone, dictionary }))
    }

    /// Where mail to the customer goes, or what keeps this message from them.
    pub(crate) async fn way_to(
        &self,
        message: &Message,
        about: &About,
    ) -> anyhow::Result<Result<EmailAddress, Stopped>> {
        let About { customer, dictionary, .. } = about;
        let Some(to) = customer.profile.address() else {
            let detail =
                customer.profile.email.as_ref().map(|_| "the address is not one that mail can go to".to_owned());
            return Ok(Err((Reason::NoAddress, detail)));
        };
        if let Some(refused) = crate::consent::refusal(message, customer, dictionary) {
            return Ok(Err(refused));
        }
        if let Some(suppression) = self.customers.suppression(&to).await? {
            return Ok(Err((Reason::Suppressed, Some(suppression.reason.as_str().to_owned()))));
        }
        if about.is_gone {
            return Ok(Err((Reason::SubjectGone, None)));
        }
        Ok(Ok(to))
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
        let ready = match self.template(message.template_id.as_str(), message.template_version).await? {
            Some(ready) => ready,
            None => return Ok(Err((Reason::TemplateFailed, Some("the template's version is not there".into())))),
        };
        let (template, needs) = &*ready;
        let data = self.data(message, needs, &subject.about, Some(&subject.to), now).await?;
        let leave = self.identity.link(&self.secret(now).await?, Link::Leave, &message.id);
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

    /// What a template is given for a message: all that it needs.
    pub(crate) async fn data(
        &self,
        message: &Message,
        needs: &Needs,
        about: &About,
        to: Option<&EmailAddress>,
        now: Timestamp,
    ) -> anyhow::Result<Map<String, Value>> {
        let About { customer, order, event, product, .. } = about;
        let change = message.origin.change();
        let mut data = self.common(message, now).await?;
        if let (Some(Change::ConsentRequested { .. }), Some(to)) = (change, to) {
            let confirm = Link::Confirm { address: &to.fingerprint() };
            data["links"]["confirm"] = json!(self.identity.link(&self.secret(now).await?, confirm, &message.id));
        }
        data.extend(facts::of(Some(customer), order.as_ref(), event.as_ref(), product.as_ref(), change));
        let sources = Sources { customers: &self.customers, catalogue: &self.catalogue };
        needs.add(sources, customer, event.as_ref(), &mut data).await?;
        Ok(data)
    }

    /// What every template is given, whomever and whatever it is about.
    pub(crate) async fn common(&self, message: &Message, now: Timestamp) -> anyhow::Result<Map<String, Value>> {
        let secret = self.secret(now).await?;
        let link = |link: Link<'_>| self.identity.link(&secret, link, &message.id);
        let dictionary = self.dictionary.current(now).await?;
        let links = json!({ "unsubscribe": link(Link::Leave), "preferences": link(Link::Preferences) });
        let shop = shape::shop(&self.identity.shop_name, dictionary.settings());
        Ok(Map::from_iter([("shop".to_owned(), shop), ("links".to_owned(), links), ("now".to_owned(), json!(now))]))
    }

    /// The shop's own words, and its settings, as they stand, or stood a second ago.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn dictionary(&self, now: Timestamp) -> anyhow::Result<Arc<Dictionary>> {
        self.dictionary.current(now).await
    }

    /// A template's version never changes, so once compiled it is kept.
    async fn template(&self, id: &str, version: u64) -> anyhow::Result<Option<Arc<Ready>>> {
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
        let needs = Needs::by(&template);
        let template = Arc::new((template, needs));
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
pub(crate) fn stopped(error: NotRendered) -> Stopped {
    match error {
        NotRendered::Missing { place, path } => (Reason::MissingVariable, Some(format!("{path} ({place})"))),
        NotRendered::Blocked { reason } => (Reason::BlockedByTemplate, Some(reason)),
        NotRendered::NoPromoCode { place, group } => (Reason::NoPromoCode, Some(format!("{group} ({place})"))),
        NotRendered::Failed { place, .. } => (Reason::TemplateFailed, Some(place.to_string())),
        NotRendered::TooLarge { .. } => (Reason::TooLarge, Some(error.to_string())),
    }
}
