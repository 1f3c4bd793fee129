//! What SES tells of a message: settle it, stop writing to addresses that bounce or
//! complain, and let the customer's history have what they did with it.
//!
//! SES's events come late, more than once and in any order. Of each kind only
//! the earliest is kept, nothing that SES tells lets mail go to an address again, and what
//! is told twice is one event of the customer's, so that none of that matters.

mod event;
mod happened;
mod soft;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use domain::{Event, Message};
use lambda::Clock;
use lambda::batch::{self, Answer};
use store::{Customers, Definitions, DictionaryCache, Found, Messages, Suppression};

use crate::event::{SesEvent, Told};
use crate::happened::Happened;

/// Serves the feedback queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let feedback = Feedback::new(&aws::sdk_config().await, lambda::config::required, Clock::from_env())?;
    lambda::serve(async |event, _| feedback.batch(event).await).await
}

/// Takes in what SES tells.
pub struct Feedback {
    customers: Customers,
    messages: Messages,
    dictionary: DictionaryCache,
    /// How the links begin that lead to our own pages.
    our_links: String,
    clock: Clock,
}

impl Feedback {
    /// One whose clients are made by this configuration; `setting` gives what the
    /// environment holds for it, by its name.
    ///
    /// # Errors
    /// What `setting` fails with.
    pub fn new(
        config: &SdkConfig,
        setting: impl Fn(&str) -> Result<String, lambda::Error>,
        clock: Clock,
    ) -> Result<Self, lambda::Error> {
        let db = Client::new(config);
        Ok(Self {
            customers: Customers::new(db.clone(), setting("CUSTOMERS_TABLE")?),
            messages: Messages::new(db.clone(), setting("MESSAGES_TABLE")?),
            dictionary: DictionaryCache::new(Definitions::new(db, setting("DEFINITIONS_TABLE")?)),
            our_links: format!("{}/", setting("PUBLIC_URL")?.trim_end_matches('/')),
            clock,
        })
    }

    /// SES tells of one mail more than once within a second: what came together is
    /// noted together. What cannot be read does not keep the others from being noted.
    ///
    /// # Errors
    /// If a message of the batch has no id.
    pub async fn batch(&self, event: SqsEvent) -> anyhow::Result<Answer> {
        batch::grouped(event, SesEvent::about, async |events: Vec<SesEvent>| {
            let (mut told, mut failure) = (Vec::new(), None);
            for read in events.into_iter().map(SesEvent::read) {
                match read {
                    Ok(one) => told.push(one),
                    Err(error) => failure = Some(error),
                }
            }
            self.take(told).await?;
            failure.map_or(Ok(()), Err)
        })
        .await
    }

    /// Takes in what was told of one message.
    async fn take(&self, told: Vec<Told>) -> anyhow::Result<()> {
        for told in &told {
            for (address, reason) in &told.suppress {
                let suppression = Suppression { reason: *reason, since: told.at, by: None };
                self.customers.suppress(address, &suppression, Some(told.sent)).await?;
            }
        }
        let Some((message_id, ses_id)) = told.iter().find_map(|told| Some((told.message_id.as_ref()?, &told.ses_id)))
        else {
            return Ok(());
        };
        let mut evidence = BTreeMap::new();
        for (kind, at) in told.iter().filter_map(|told| Some((told.evidence?, told.at))) {
            let earliest = evidence.entry(kind).or_insert(at);
            *earliest = at.min(*earliest);
        }
        // Nothing is to be told of somebody who was erased.
        let Some(message) = self.messages.record(message_id, &evidence, ses_id).await? else { return Ok(()) };
        for told in &told {
            for address in &told.soft {
                self.soft_bounced(address, &message, told).await?;
            }
        }
        self.tell(&message, told.iter().filter_map(|told| told.happened.as_ref()).collect()).await
    }

    /// Puts what happened into the history of the customer, whoever they are by now. Should
    /// they be somebody else or erased a moment later, what was written here follows.
    async fn tell(&self, message: &Message, happened: Vec<&Happened>) -> anyhow::Result<()> {
        if happened.is_empty() {
            return Ok(());
        }
        let Found::Here { id, .. } = self.customers.resolve(&message.customer_id).await? else { return Ok(()) };
        for happened in happened {
            let event = Event { customer_id: Some(id.clone()), ..happened.event(message, &self.our_links)? };
            self.customers.put_event(&event, self.clock.now()).await?;
        }
        Ok(())
    }
}
