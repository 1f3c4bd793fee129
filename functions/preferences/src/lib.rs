//! Public links: leaving, choosing what one gets, and confirming that one agrees.
//!
//! A link is signed and names a message, never an address. Looking at it
//! changes nothing, since mail scanners look at every link; only a form, or a
//! mail program's one click (RFC 8058), changes anything. Doing it twice is doing it once.

mod choices;
mod confirming;
mod form;
mod page;
mod texts;

use std::sync::Arc;

use api::{Api, Asker};
use aws_sdk_dynamodb::Client;
use contracts::link::{self, Link};
use contracts::{Kind, Problem};
use domain::dictionary::MailingCategory;
use domain::{Allows, ConsentState, ConsentUpdate, Customer, CustomerId, Dictionary, Message, MessageId};
use jiff::Timestamp;
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use serde_json::json;
use store::{Customers, Definitions, DictionaryCache, Found, Messages, Written};

use form::Form;
use page::Pages;

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let required = lambda::config::required;
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let preferences = Preferences {
        api: Api::from_env(db.clone())?,
        customers: Customers::new(db.clone(), required("CUSTOMERS_TABLE")?),
        dictionary: DictionaryCache::new(definitions.clone()),
        definitions,
        messages: Messages::new(db, required("MESSAGES_TABLE")?),
        pages: Pages::new(required("SHOP_NAME")?)?,
        clock: Clock::from_env(),
    };
    lambda::http::serve(async |request| match request.route() {
        "GET /u/{token}" => preferences.ask_to_leave(&request).await,
        "GET /p/{token}" => preferences.ask_to_choose(&request).await,
        "GET /c/{token}" => preferences.ask_to_confirm(&request).await,
        "POST /u/{token}" | "POST /p/{token}" | "POST /c/{token}" => preferences.posted(request).await,
        _ => Err(Problem::new(Kind::NotFound).into()),
    })
    .await
}

struct Preferences {
    api: Api,
    customers: Customers,
    definitions: Definitions,
    dictionary: DictionaryCache,
    messages: Messages,
    pages: Pages,
    clock: Clock,
}

/// Whoever holds a link: the message that it came with, and who they are now.
#[derive(Clone)]
struct Reader {
    message: Message,
    customer: Customer,
    dictionary: Arc<Dictionary>,
}

impl Reader {
    /// The category that the message is of, if its readers may leave it.
    fn kind(&self) -> Option<&MailingCategory> {
        let code = self.message.terms.category.as_ref()?;
        self.dictionary.mailing_category(code.as_str()).filter(|category| category.visible)
    }
}

impl Preferences {
    /// Has a form, or a mail program's one click, do what it says.
    async fn posted(&self, request: Request) -> Result<Response, Failure> {
        let token = token(&request)?;
        // The token is in the mail and in no table. Whoever reads the links' secret
        // could make it, and would open a page that says nothing of anybody.
        let Some(claimed) = link::claimed(&token) else { return self.unknown().await };
        let asker = Asker::new(claimed.as_str(), token.clone());
        let is_ours = match request.route() {
            "POST /c/{token}" => self.asked(&token).await?.is_some(),
            "POST /p/{token}" => self.signed(Link::Preferences, &token).await?.is_some(),
            _ => self.signed(Link::Leave, &token).await?.is_some(),
        };
        if !is_ours {
            return self.unknown().await;
        }
        let handler = async |request: Request| {
            let form = Form::of(&request);
            match request.route() {
                "POST /c/{token}" => self.confirm(&token, &form).await,
                "POST /p/{token}" => self.choose(&claimed, &form).await,
                _ => self.leave(&claimed, &form).await,
            }
        };
        self.api.once_for(&asker, request, handler).await
    }

    async fn ask_to_leave(&self, request: &Request) -> Result<Response, Failure> {
        match self.reader_of(Link::Leave, &token(request)?).await? {
            Some(reader) => self.show_leaving(&reader, "").await,
            None => self.unknown().await,
        }
    }

    /// Leaves what the message was of, or everything if that is what is asked for. A mail
    /// program's one click asks for nothing: it leaves what the message was of.
    async fn leave(&self, message_id: &MessageId, form: &Form) -> Result<Response, Failure> {
        let everything = form.is("leave", "everything");
        let said = |reader: &Reader, _| {
            let kind = reader.kind().filter(|_| !everything);
            let what = kind.map_or(Allows::Email, |kind| Allows::Category(kind.code.clone()));
            vec![(what, ConsentUpdate { state: ConsentState::Denied, at: None })]
        };
        match self.say(message_id, said).await? {
            Some(reader) if everything || reader.kind().is_none() => self.show_leaving(&reader, "left_all").await,
            Some(reader) => self.show_leaving(&reader, "left_kind").await,
            None => self.unknown().await,
        }
    }

    async fn show_leaving(&self, reader: &Reader, done: &str) -> Result<Response, Failure> {
        let view = self.pages.view(&reader.dictionary, reader.customer.profile.language.as_deref());
        let kind = reader.kind().map(|kind| kind.name_in(view.language()));
        let choose = link::token(&self.secret().await?, Link::Preferences, &reader.message.id);
        let data = json!({ "leaving": {
            "kind": kind,
            "left_kind": done == "left_kind",
            "left_all": done == "left_all",
            "choose": format!("..{}{choose}", Link::Preferences.path()),
        } });
        Ok(view.page(200, data)?)
    }

    /// Who holds a link that we signed for this.
    async fn reader_of(&self, link: Link<'_>, token: &str) -> Result<Option<Reader>, Failure> {
        match self.signed(link, token).await? {
            Some(message_id) => self.reader(&message_id).await,
            None => Ok(None),
        }
    }

    /// Whoever got this message; nobody, if they were erased.
    async fn reader(&self, message_id: &MessageId) -> Result<Option<Reader>, Failure> {
        let Some((message, customer_id)) = self.message(message_id).await? else { return Ok(None) };
        let Found::Here { what: Some(known), .. } = self.customers.profile(&customer_id).await? else {
            return Ok(None);
        };
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        Ok(Some(Reader { message, customer: known.value, dictionary }))
    }

    async fn message(&self, id: &MessageId) -> Result<Option<(Message, CustomerId)>, Failure> {
        let entry = self.messages.get(id).await?.filter(|entry| !entry.scrubbed);
        Ok(entry.map(|entry| (entry.message.clone(), entry.message.customer_id)))
    }

    /// Records what the reader of a message says, by one conditional write; nothing is
    /// written if it is so already. Gives them as they are then.
    async fn say(
        &self,
        message_id: &MessageId,
        said: impl Fn(&Reader, Timestamp) -> Vec<(Allows, ConsentUpdate)>,
    ) -> Result<Option<Reader>, Failure> {
        let Some((message, customer_id)) = self.message(message_id).await? else { return Ok(None) };
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        loop {
            let Found::Here { what: Some(known), .. } = self.customers.profile(&customer_id).await? else {
                return Ok(None);
            };
            let now = self.clock.now();
            let mut reader =
                Reader { message: message.clone(), customer: known.value.clone(), dictionary: Arc::clone(&dictionary) };
            for (what, consent) in said(&reader, now) {
                reader.customer.consent(&what, consent, now);
            }
            if reader.customer == known.value
                || self.customers.put_profile(&reader.customer, Some(known.version), now).await? == Written::Done
            {
                return Ok(Some(reader));
            }
        }
    }

    /// The message that a link came with, if we signed it for this.
    async fn signed(&self, link: Link<'_>, token: &str) -> Result<Option<MessageId>, Failure> {
        Ok(link::verify(&self.secret().await?, link, token))
    }

    async fn secret(&self) -> Result<String, Failure> {
        Ok(self.definitions.link_secret(self.clock.now()).await?)
    }

    /// What everybody sees whose link says nothing to us, whatever the reason.
    async fn unknown(&self) -> Result<Response, Failure> {
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        Ok(self.pages.view(&dictionary, None).page(404, json!({ "unknown": true }))?)
    }
}

/// The token of a link, as the path has it.
fn token(request: &Request) -> Result<String, Problem> {
    request.path("token", |token| Ok::<_, String>(token.to_owned()))
}
