//! Takes in what Segment's clients send.
//!
//! They put the key where Segment's API wants it, which no authorizer of API
//! Gateway can see: the routes are public, and the key is looked at here.

mod answer;
mod call;
mod keys;
mod settings;

use std::collections::BTreeSet;

use answer::Outcome;
use api::{Api, Asker, Caller};
use aws_sdk_dynamodb::Client;
use call::Call;
use contracts::told::Told;
use contracts::{Kind, Problem, Scope};
use domain::{CustomerId, Fault};
use futures::{StreamExt, TryStreamExt, stream};
use intake::{Intake, Known};
use jiff::Timestamp;
use keys::KnownKeys;
use lambda::Clock;
use lambda::http::{Failure, Request, Response};
use serde_json::Value;
use store::{Customers, Definitions, DictionaryCache, Keys};
use tracking::{MAX_MESSAGE, Message};

/// How many people's messages are worked on at a time.
const AT_A_TIME: usize = 16;

/// The currency of orders that name none, in a shop that names none either: the
/// one in which Segment's spec gives prices.
const DOLLARS: &str = "USD";

struct Tracking {
    api: Api,
    clock: Clock,
    intake: Intake,
    keys: KnownKeys,
}

/// Serves requests.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let definitions = lambda::config::required("DEFINITIONS_TABLE")?;
    let customers = Customers::new(db.clone(), lambda::config::required("CUSTOMERS_TABLE")?);
    let dictionary = DictionaryCache::new(Definitions::new(db.clone(), definitions.clone()));
    let tracking = Tracking {
        api: Api::from_env(db.clone())?,
        clock: Clock::from_env(),
        intake: Intake::new(customers, dictionary),
        keys: KnownKeys::new(Keys::new(db, definitions)),
    };
    lambda::http::serve(async |request| Ok(tracking.answer(request).await)).await
}

impl Tracking {
    /// Every answer may be read by a page of any origin: what a page may do is up
    /// to its key.
    async fn answer(&self, request: Request) -> Response {
        let response = match request.route().split_once(" /v1/") {
            Some(("OPTIONS", _)) => preflight(&request),
            Some(("GET", "projects/{key}/settings")) => {
                let key = request.path("key", |key| Ok::<_, String>(key.to_owned())).unwrap_or_default();
                settings::answer(&request, &key)
            }
            Some(("POST", name)) => match Call::at(name) {
                Some(call) => self.call(request, call).await.unwrap_or_else(|failure| failure.into_problem().into()),
                None => Problem::new(Kind::NotFound).into(),
            },
            _ => Problem::new(Kind::NotFound).into(),
        };
        response.with_header("access-control-allow-origin", "*").with_header("access-control-expose-headers", "*")
    }

    async fn call(&self, request: Request, call: Call) -> Result<Response, Failure> {
        let now = self.clock.now();
        let (body, size) = call::read(request.bytes()?, call.most())?;
        let unauthorized = || {
            Problem::new(Kind::Unauthorized)
                .because("give the key as the user of Basic authentication, or as \"writeKey\" in the body")
        };
        let key = call::key(request.header("authorization"), &body).ok_or_else(unauthorized)?;
        let caller = self.keys.caller(&key, now).await?.ok_or_else(unauthorized)?;
        if !may(&caller, Scope::Track) && !may(&caller, Scope::Ingest) {
            let detail = "it takes a key with the scope \"track\" or \"ingest\"";
            return Err(Problem::new(Kind::Forbidden).because(detail).into());
        }
        let take = async |_| self.take(&caller, call, &body, size, now).await;
        let once = async || self.api.once_for(&Asker::with_key(&key), request, take).await;
        Ok(self.api.within(&caller.key_id, caller.rate, once).await)
    }

    async fn take(
        &self,
        caller: &Caller,
        call: Call,
        body: &Value,
        size: usize,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let dictionary = self.intake.dictionary(now).await?;
        let currency = dictionary.settings().currency.as_ref().map_or(DOLLARS, |currency| currency.as_str());
        let mut outcomes = Vec::new();
        let mut messages = Vec::new();
        for (index, read) in tracking::read(call.kind(), body, currency, now)?.into_iter().enumerate() {
            let too_large = size > MAX_MESSAGE && body["batch"].get(index).is_some_and(|m| call::size(m) > MAX_MESSAGE);
            let too_large = || {
                let detail = format!("is too large; at most {MAX_MESSAGE} bytes are taken");
                too_large.then(|| Fault::new(format!("/batch/{index}"), detail))
            };
            match too_large().map_or(read, |fault| Err(vec![fault])) {
                Ok(message) => {
                    messages.push((index, message));
                    outcomes.push(Outcome::default());
                }
                Err(faults) => outcomes.push(Outcome { faults, ..Outcome::default() }),
            }
        }
        let people: Vec<&Message> = messages.iter().map(|(_, message)| message).collect();
        let known = &self.intake.known(tellers(&people)).await?;
        let threads = stream::iter(tracking::threads(&people)).map(async |thread| {
            let mut heard = Vec::with_capacity(thread.len());
            for number in thread {
                let (index, message) = &messages[number];
                heard.push((*index, self.hear(caller, message, known, now).await?));
            }
            Ok::<_, Failure>(heard)
        });
        for (index, outcome) in threads.buffer_unordered(AT_A_TIME).try_concat().await? {
            outcomes[index] = outcome;
        }
        Ok(answer::of(outcomes))
    }

    /// Tells what one message says. What is wrong with one thing that it tells
    /// does not keep the others from being told.
    async fn hear(
        &self,
        caller: &Caller,
        message: &Message,
        known: &Known,
        now: Timestamp,
    ) -> Result<Outcome, Failure> {
        let from_browser = !may(caller, Scope::Ingest);
        let mut outcome = Outcome {
            message_id: Some(message.message_id.clone()),
            taken: message.told.is_empty(),
            faults: message.faults.clone(),
            problems: Vec::new(),
        };
        for told in &message.told {
            if from_browser && matches!(told, Told::Merged { .. }) {
                // Anybody can read a browser's key; it must not be enough to take
                // over a customer.
                let detail = "it takes a key with the scope \"ingest\" to say that two customers are one";
                outcome.problems.push(Problem::new(Kind::Forbidden).because(detail));
                continue;
            }
            match self.intake.told(told, known, now).await {
                Ok(_) => outcome.taken = true,
                Err(Failure::Problem(problem)) if is_known(told, message, &problem) => outcome.taken = true,
                Err(Failure::Problem(problem)) => outcome.problems.push(problem),
                Err(internal) => return Err(internal),
            }
        }
        if from_browser {
            outcome.problems.retain(answer::is_for_browsers);
        }
        Ok(outcome)
    }
}

/// To whom the events of a batch happened, as they name them.
fn tellers(messages: &[&Message]) -> BTreeSet<CustomerId> {
    let told = messages.iter().flat_map(|message| &message.told);
    told.filter_map(|told| match told {
        Told::Event { body } => contracts::event::whom(body),
        _ => None,
    })
    .collect()
}

/// Whether a conflict is none by Segment's rules. A message is known by its id alone:
/// sent again by a clock that is off, it is dated a little otherwise. And a browser
/// that two people use was one visitor for both; what is told of the second by name
/// is theirs all the same.
fn is_known(told: &Told, message: &Message, problem: &Problem) -> bool {
    let by_name_too = message.told.len() > 1;
    problem.kind() == Kind::Conflict
        && match told {
            Told::Event { .. } => true,
            Told::Identified { .. } => by_name_too,
            _ => false,
        }
}

fn may(caller: &Caller, scope: Scope) -> bool {
    caller.scopes.iter().any(|known| known == scope.as_str())
}

/// The answer to a browser that asks before it sends.
fn preflight(request: &Request) -> Response {
    match request.path("call", |name| Call::at(name).ok_or("")) {
        Ok(_) => Response::empty()
            .with_header("access-control-allow-methods", "POST")
            .with_header("access-control-allow-headers", "authorization, *")
            .with_header("access-control-max-age", "7200"),
        Err(problem) => problem.into(),
    }
}
