//! What SES tells of a message: settle it, and stop writing to addresses that
//! bounce or complain.
//!
//! SES's events come late, more than once and in any order. Of each kind only
//! the earliest is kept, and an address is stopped once and for all, so that
//! none of that matters.

mod event;

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_lambda_events::sqs::SqsEvent;
use aws_sdk_dynamodb::Client;
use lambda::batch::{self, Answer};
use store::{Customers, Messages, Suppression};

use crate::event::{SesEvent, Told};

/// Serves the feedback queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let feedback = Feedback::new(&aws::sdk_config().await, lambda::config::required)?;
    lambda::serve(async |event, _| feedback.batch(event).await).await
}

/// Takes in what SES tells.
pub struct Feedback {
    customers: Customers,
    messages: Messages,
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
    ) -> Result<Self, lambda::Error> {
        let db = Client::new(config);
        Ok(Self {
            customers: Customers::new(db.clone(), setting("CUSTOMERS_TABLE")?),
            messages: Messages::new(db, setting("MESSAGES_TABLE")?),
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
                let suppression = Suppression { reason: (*reason).to_owned(), since: told.at };
                self.customers.suppress(address, &suppression).await?;
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
        self.messages.record(message_id, &evidence, ses_id).await
    }
}
