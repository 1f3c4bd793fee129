use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use contracts::link::Link;
use domain::message::{Origin, Reason};
use domain::{Change, Customer, Dictionary, EmailAddress, Event, Message, Order, Product, ProductId};
use facts::History;
use jiff::Timestamp;
use sending::zone_of;
use serde_json::{Map, Value, json};
use store::{ActiveSet, Catalogue, Customers, Definitions, DictionaryCache, Kind, Messages, Wanted};
use templates::{Block, NotRendered, Rendered, Source, Template};

use crate::data::{Needs, Sources};
use crate::enclosed::{Enclosed, enclosed, standing_alone};
use crate::kept::Kept;
use crate::mail::{Identity, Mail, leave_headers};
use crate::promo::{Draft, Groups};
use crate::shape;

/// Makes mails: of the customer as they are now, by the template as it was when the run or
/// mailing began.
pub struct Composer {
    customers: Customers,
    catalogue: Catalogue,
    pub(crate) definitions: Definitions,
    dictionary: DictionaryCache,
    /// What a template's conditions ask about.
    pub(crate) history: History,
    /// The segments that they name.
    pub(crate) active: ActiveSet,
    identity: Identity,
    kept: Mutex<Kept>,
    secret: Mutex<Option<Arc<str>>>,
}

/// A compiled template, what it names, whom it is not meant for, and what goes along.
pub(crate) struct Ready {
    pub(crate) template: Template,
    pub(crate) needs: Needs,
    pub(crate) block: Vec<Block>,
    pub(crate) files: Arc<[Enclosed]>,
}

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
    pub fn new(
        customers: Customers,
        catalogue: Catalogue,
        definitions: Definitions,
        messages: Messages,
        identity: Identity,
    ) -> Self {
        let dictionary = || DictionaryCache::new(definitions.clone());
        Self {
            history: History::new(customers.clone(), messages, dictionary()),
            active: ActiveSet::new(definitions.clone()),
            customers,
            catalogue,
            dictionary: dictionary(),
            definitions,
            identity,
            kept: Mutex::default(),
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
        if message.origin.trial().is_some_and(|trial| !trial.of_customer) {
            return Ok(Ok(About::nobody(message, self.dictionary.current(now).await?)));
        }
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
            Some(id) => self.product(id).await?,
            None => None,
        };
        let is_gone = (order.is_none() && !wanted.orders.is_empty())
            || (event.is_none() && !wanted.events.is_empty())
            || (product.is_none() && product_id.is_some());
        let dictionary = self.dictionary.current(now).await?;
        Ok(Ok(About { customer, order, event, product, is_gone, dictionary }))
    }

    /// A product, unless it is not there any more.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn product(&self, id: &ProductId) -> anyhow::Result<Option<Product>> {
        let product = self.catalogue.product(id).await?.map(|product| product.value);
        Ok(product.filter(|product| !product.is_deleted()))
    }

    /// Where the mail goes, or what keeps it from there.
    pub(crate) async fn way_to(
        &self,
        message: &Message,
        about: &About,
    ) -> anyhow::Result<Result<EmailAddress, Stopped>> {
        let to = match address(message, about) {
            Ok(to) => to,
            Err(stopped) => return Ok(Err(stopped)),
        };
        if let Some(suppression) = self.customers.suppression(&to).await? {
            return Ok(Err((Reason::Suppressed, Some(suppression.reason.as_str().to_owned()))));
        }
        if about.is_gone {
            return Ok(Err((Reason::SubjectGone, None)));
        }
        Ok(Ok(to))
    }

    /// The mail of a message about this subject, but for its promo codes, or why there is none.
    /// Nothing is written: [`Self::finish`] is to follow once the message is claimed.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn fill(
        &self,
        message: &Message,
        subject: &Subject,
        now: Timestamp,
    ) -> anyhow::Result<Result<Draft, Stopped>> {
        let ready = match self.template(message.template_id.as_str(), message.template_version).await? {
            Some(ready) => ready,
            None => return Ok(Err((Reason::TemplateFailed, Some("the template's version is not there".into())))),
        };
        let Ready { template, needs, block, files } = &*ready;
        if let Some(stopped) = self.blocked(block, message, &subject.about, now).await? {
            return Ok(Err(stopped));
        }
        let trial = message.origin.trial();
        let mut data = match trial.is_some_and(|trial| !trial.of_customer) {
            true => self.common(message, now).await?,
            false => self.data(message, needs, &subject.about, Some(&subject.to), now).await?,
        };
        let groups = match needs.promo_groups.is_empty() {
            true => Groups::new(),
            false => self.add_sample_codes(&needs.promo_groups, false, &mut data).await?,
        };
        data.extend(trial.map(|trial| trial.given.clone()).unwrap_or_default());
        add_reader(&mut data);
        let leave = self.identity.link(&self.secret(now).await?, Link::Leave, &message.id);
        let data = Value::Object(data);
        let rendered = match template.render(&data) {
            Ok(rendered) => rendered,
            Err(error) => return Ok(Err(stopped(error))),
        };
        let mail = Mail {
            from: self.identity.from(),
            to: subject.to.clone(),
            subject: marked(message, rendered.subject),
            html: rendered.html,
            text: rendered.text,
            headers: leave_headers(&leave),
            files: Arc::clone(files),
        };
        Ok(Ok(Draft::new(mail, message, groups, &ready, data)))
    }

    /// What was sent at that time, made once more: by the same version of its template, of
    /// what is known now. None, if the customer or what it was about is not there any more, or
    /// what is now known of them makes no mail. Its HTML has the pictures that come along in
    /// itself, as far as it has at most `most` bytes with them.
    ///
    /// It has no link that confirms, as whoever looks at it need not read the address that the
    /// customer has by now.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub async fn once_more(
        &self,
        message: &Message,
        sent_at: Timestamp,
        now: Timestamp,
        most: usize,
    ) -> anyhow::Result<Option<Rendered>> {
        let about = self.about(message, now).await?;
        let Some(about) = about.ok().filter(|about| !about.is_gone) else { return Ok(None) };
        let ready = self.template(message.template_id.as_str(), message.template_version).await?;
        let Some(ready) = ready else { return Ok(None) };
        let mut data = self.data(message, &ready.needs, &about, None, now).await?;
        if !ready.needs.promo_groups.is_empty() {
            self.add_given_codes(message, &ready.needs.promo_groups, &mut data, now).await?;
        }
        data.insert("now".to_owned(), json!(sent_at));
        add_reader(&mut data);
        let rendered = ready.template.render(&Value::Object(data)).ok();
        Ok(rendered.map(|rendered| Rendered { html: standing_alone(&rendered.html, &ready.files, most), ..rendered }))
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
        data.extend(contracts::facts::of(Some(customer), order.as_ref(), event.as_ref(), product.as_ref(), change));
        let sources = Sources { customers: &self.customers, catalogue: &self.catalogue };
        needs.add(sources, customer, event.as_ref(), &mut data).await?;
        Ok(data)
    }

    /// What every template is given, whomever and whatever it is about.
    pub(crate) async fn common(&self, message: &Message, now: Timestamp) -> anyhow::Result<Map<String, Value>> {
        let secret = self.secret(now).await?;
        let link = |link: Link<'_>| self.identity.link(&secret, link, &message.id);
        let dictionary = self.dictionary.current(now).await?;
        let links = json!({
            "unsubscribe": link(Link::Leave), "preferences": link(Link::Preferences), "view": link(Link::View),
        });
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

    /// A template's version never changes, so once compiled it is kept while there is room.
    async fn template(&self, id: &str, version: u64) -> anyhow::Result<Option<Arc<Ready>>> {
        let kept = self.kept().template(id, version);
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
        let files = enclosed(&self.definitions, &source.attachments, |digest| self.kept().file(digest)).await?;
        let ready = Arc::new(Ready { template, needs, block: source.block, files });
        self.kept().keep(id, version, &ready, &source.attachments);
        Ok(Some(ready))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn secret(&self, now: Timestamp) -> anyhow::Result<Arc<str>> {
        let kept = self.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(secret) = kept {
            return Ok(secret);
        }
        let secret: Arc<str> = self.definitions.link_secret(now).await?.into();
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&secret));
        Ok(secret)
    }
}

impl About {
    /// A test that no customer is named for.
    fn nobody(message: &Message, dictionary: Arc<Dictionary>) -> Self {
        let customer = Customer::unknown(message.customer_id.clone());
        Self { customer, order: None, event: None, product: None, is_gone: false, dictionary }
    }
}

/// The address that a message goes to, or what keeps it from the customer. A test goes to its
/// own, whatever the customer has agreed to.
fn address(message: &Message, about: &About) -> Result<EmailAddress, Stopped> {
    if let Origin::Test { trial, .. } = &message.origin {
        return trial.as_ref().map(|trial| trial.to.clone()).ok_or((Reason::NoAddress, None));
    }
    let About { customer, dictionary, .. } = about;
    let Some(to) = customer.profile.address() else {
        let is_odd = customer.profile.email.is_some();
        return Err((Reason::NoAddress, is_odd.then(|| "the address is not one that mail can go to".to_owned())));
    };
    match crate::consent::refusal(message, customer, dictionary) {
        Some(refused) => Err(refused),
        None => Ok(to),
    }
}

/// Adds the zone in which the mail shows times: that by which its reader has quiet hours. It is
/// no field of the customer's, and goes by theirs as the template gets them: a test or a preview
/// may be given others.
pub(crate) fn add_reader(data: &mut Map<String, Value>) {
    let of = |whose: &str, name: &str| data.get(whose)?.get(name)?.as_str();
    let zone = zone_of(of("customer", "time_zone"), of("customer", "country"), of("shop", "time_zone"));
    data.insert("reader".to_owned(), json!({ "time_zone": zone.iana_name() }));
}

/// A message's subject; that of a test says that it is one.
fn marked(message: &Message, subject: String) -> String {
    if message.origin.is_test() { format!("[Test] {subject}") } else { subject }
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
