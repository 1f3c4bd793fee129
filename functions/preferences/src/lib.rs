//! Public links: leaving, choosing what one gets, confirming that one agrees, and the mail
//! itself as a page.
//!
//! A link is signed and names a message, never an address. Looking at it
//! changes nothing, since mail scanners look at every link; only a form, or a
//! mail program's one click (RFC 8058), changes anything. Doing it twice is doing it once.

mod choices;
mod confirming;
mod form;
mod page;
mod texts;
mod viewing;

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
use mail::{Composer, Identity};
use serde_json::json;
use store::{Catalogue, Customers, Definitions, DictionaryCache, Found, Messages, Written};

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
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let messages = Messages::new(db.clone(), required("MESSAGES_TABLE")?);
    let preferences = Preferences {
        api: Api::from_env(db.clone())?,
        composer: Composer::new(
            customers.clone(),
            Catalogue::new(db, required("CATALOGUE_TABLE")?),
            definitions.clone(),
            messages.clone(),
            Identity::read(required)?,
        ),
        customers,
        dictionary: DictionaryCache::new(definitions.clone()),
        definitions,
        messages,
        pages: Pages::new(required("SHOP_NAME")?)?,
        clock: Clock::from_env(),
    };
    lambda::http::serve(async |request| match request.route() {
        "GET /u/{token}" => preferences.ask_to_leave(&request).await,
        "GET /p/{token}" => preferences.ask_to_choose(&request).await,
        "GET /c/{token}" => preferences.ask_to_confirm(&request).await,
        "GET /v/{token}" => preferences.view(&request).await,
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
    composer: Composer,
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
        let Some(message_id) = self.signed(Link::Leave, &token(request)?).await? else { return self.unknown().await };
        match self.reader(&message_id).await? {
            Some(reader) => self.show_leaving(&reader, "").await,
            None => self.nobody(&message_id).await,
        }
    }

    /// Leaves what the message was of, or everything if that is what is asked for. A mail
    /// program's one click asks for nothing: it leaves what the message was of.
    async fn leave(&self, message_id: &MessageId, form: &Form) -> Result<Response, Failure> {
        let everything = form.is("leave", "everything");
        let kind_alone = form.is("leave", "kind") && !everything;
        let left = |reader: &Reader| match reader.kind() {
            Some(kind) if !everything => Some(Allows::Category(kind.code.clone())),
            // It could be left when the page was shown. Everything is not what they asked to leave.
            None if kind_alone => None,
            _ => Some(Allows::Email),
        };
        let denied = |what: Allows| (what, ConsentUpdate { state: ConsentState::Denied, at: None });
        match self.say(message_id, |reader, _| left(reader).map(denied).into_iter().collect()).await? {
            Some(reader) => {
                let done = match left(&reader) {
                    Some(Allows::Email) => "left_all",
                    Some(Allows::Category(_)) => "left_kind",
                    None => "",
                };
                self.show_leaving(&reader, done).await
            }
            None => self.nobody(message_id).await,
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

    /// Whoever got this message; nobody, if they were erased or it was a test.
    async fn reader(&self, message_id: &MessageId) -> Result<Option<Reader>, Failure> {
        let Some((message, customer_id)) = self.message(message_id).await? else { return Ok(None) };
        let Some((customer, _)) = self.customer(&customer_id).await? else { return Ok(None) };
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        Ok(Some(Reader { message, customer, dictionary }))
    }

    /// A customer, by the id that they have now, and the version of their row; nobody, if they
    /// were erased. Who became somebody else a moment ago may have no profile there yet: what
    /// they say meanwhile is joined with it when it comes.
    async fn customer(&self, id: &CustomerId) -> Result<Option<(Customer, Option<u64>)>, Failure> {
        Ok(match self.customers.profile(id).await? {
            Found::Here { what: Some(known), .. } => Some((known.value, Some(known.version))),
            Found::Here { id, what: None } => Some((Customer::unknown(id), None)),
            Found::Erased => None,
        })
    }

    async fn message(&self, id: &MessageId) -> Result<Option<(Message, CustomerId)>, Failure> {
        let entry = self.messages.get(id).await?;
        let theirs = entry.filter(|entry| !entry.scrubbed && !entry.message.origin.is_test());
        Ok(theirs.map(|entry| (entry.message.clone(), entry.message.customer_id)))
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
            let Some((known, read)) = self.customer(&customer_id).await? else { return Ok(None) };
            let now = self.clock.now();
            let mut reader =
                Reader { message: message.clone(), customer: known.clone(), dictionary: Arc::clone(&dictionary) };
            for (what, consent) in said(&reader, now) {
                reader.customer.consent(&what, consent, now);
            }
            if reader.customer == known
                || self.customers.put_profile(&reader.customer, read, now).await? == Written::Done
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

    /// What is shown where a link of ours is nobody's: with a test that it came with one.
    async fn nobody(&self, message_id: &MessageId) -> Result<Response, Failure> {
        if !self.messages.get(message_id).await?.is_some_and(|entry| entry.message.origin.is_test()) {
            return self.unknown().await;
        }
        let dictionary = self.dictionary.current(self.clock.now()).await?;
        Ok(self.pages.view(&dictionary, None).page(200, json!({ "test": true }))?)
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
