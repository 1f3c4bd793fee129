//! Double opt-in: who is said to agree says so themselves.

use contracts::link::{self, Link};
use domain::{Allows, Change, Code, Consent, ConsentState, Customer, MessageId};
use jiff::{SignedDuration, Timestamp};
use lambda::http::{Failure, Request, Response};
use serde_json::json;

use crate::form::Form;
use crate::{Preferences, Reader, token};

/// How long somebody may take to confirm.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How things stand with what was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is still to be confirmed.
    Open,
    /// They have refused since, by whatever way.
    Refused,
    /// They agreed.
    Confirmed,
    /// It was too long ago.
    Expired,
}

/// Whoever is asked whether they agree, and to what.
pub(crate) struct Asked {
    reader: Reader,
    categories: Vec<Code>,
    at: Timestamp,
}

impl Asked {
    fn new(reader: Reader) -> Option<Self> {
        match reader.message.origin.change() {
            Some(Change::ConsentRequested { categories, at }) => {
                let (categories, at) = (categories.clone(), *at);
                Some(Self { reader, categories, at })
            }
            _ => None,
        }
    }

    /// What they agree to: without being written to at all, no category says anything.
    fn all(&self) -> impl Iterator<Item = Allows> {
        self.categories.iter().cloned().map(Allows::Category).chain([Allows::Email])
    }

    fn standing(&self, now: Timestamp) -> Standing {
        let known = |what: &Allows| self.reader.customer.consent_to(what);
        let granted = |what: Allows| known(&what).is_some_and(|consent| consent.state == ConsentState::Granted);
        let refused = |what: Allows| {
            known(&what).is_some_and(|consent| consent.state == ConsentState::Denied && consent.at >= self.at)
        };
        if self.all().all(granted) {
            Standing::Confirmed
        } else if now.duration_since(self.reader.message.created_at) > GOOD_FOR {
            Standing::Expired
        } else if self.all().any(refused) {
            Standing::Refused
        } else {
            Standing::Open
        }
    }
}

/// Whether the mail that a link came with went to the address that the customer has now.
fn went_to(customer: &Customer, secret: &str, token: &str) -> bool {
    let address = customer.profile.address().map(|address| address.fingerprint());
    address.is_some_and(|address| link::verify(secret, Link::Confirm { address: &address }, token).is_some())
}

impl Preferences {
    pub(crate) async fn ask_to_confirm(&self, request: &Request) -> Result<Response, Failure> {
        match self.asked(&token(request)?).await? {
            Some(asked) => self.show_confirming(asked),
            None => self.unknown().await,
        }
    }

    /// Whoever holds this link, if the mail that it came with asked them and went to the
    /// address that they have now.
    pub(crate) async fn asked(&self, token: &str) -> Result<Option<Asked>, Failure> {
        let Some(message_id) = link::claimed(token) else { return Ok(None) };
        let Some(reader) = self.reader(&message_id).await? else { return Ok(None) };
        let secret = self.secret().await?;
        Ok(Some(reader).filter(|reader| went_to(&reader.customer, &secret, token)).and_then(Asked::new))
    }

    /// Takes it that they agree. Who has refused since has to say that they know it.
    pub(crate) async fn confirm(&self, token: &str, form: &Form) -> Result<Response, Failure> {
        let Some(message_id) = link::claimed(token) else { return self.unknown().await };
        let knows = form.is("again", "yes");
        // The address may have changed since the link was looked at.
        let secret = self.secret().await?;
        let is_theirs = |reader: &Reader| went_to(&reader.customer, &secret, token);
        match self.agreed(&message_id, knows, is_theirs).await? {
            Some(asked) => self.show_confirming(asked),
            None => self.unknown().await,
        }
    }

    async fn agreed(
        &self,
        message_id: &MessageId,
        knows: bool,
        is_theirs: impl Fn(&Reader) -> bool,
    ) -> Result<Option<Asked>, Failure> {
        let said = |reader: &Reader, now: Timestamp| {
            let Some(asked) = Some(reader.clone()).filter(&is_theirs).and_then(Asked::new) else { return Vec::new() };
            let counts = match asked.standing(now) {
                Standing::Open => true,
                Standing::Refused => knows,
                Standing::Confirmed | Standing::Expired => false,
            };
            let granted = |what: Allows| {
                let update = Consent::chosen(asked.reader.customer.consent_to(&what), ConsentState::Granted, now);
                update.map(|update| (what, update))
            };
            asked.all().filter(|_| counts).filter_map(granted).collect()
        };
        Ok(self.say(message_id, said).await?.filter(&is_theirs).and_then(Asked::new))
    }

    fn show_confirming(&self, asked: Asked) -> Result<Response, Failure> {
        let standing = asked.standing(self.clock.now());
        let Reader { customer, dictionary, .. } = &asked.reader;
        let view = self.pages.view(dictionary, customer.profile.language.as_deref());
        let named = |code: &Code| {
            let category = dictionary.mailing_category(code.as_str())?;
            Some(category.name_in(view.language()).to_owned())
        };
        let categories: Vec<String> = asked.categories.iter().filter_map(named).collect();
        let data = json!({ "confirming": {
            "categories": categories,
            "open": standing == Standing::Open,
            "refused": standing == Standing::Refused,
            "confirmed": standing == Standing::Confirmed,
            "expired": standing == Standing::Expired,
        } });
        Ok(view.page(if standing == Standing::Expired { 410 } else { 200 }, data)?)
    }
}
