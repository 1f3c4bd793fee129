//! Turns a due mailing's audience into messages.
//!
//! The schedule looks every minute which mailings are open and due, and puts
//! work on the mailings queue. The work goes on from the mailing's checkpoint:
//! it puts the audience down page by page, writes the messages of each page, and
//! goes over the pages once more until everybody on them is accounted for. Every
//! move of the checkpoint is a conditional write, so of two workers on one
//! mailing one gives up, and a worker that dies leaves off where the next one
//! goes on.

mod work;

use anyhow::Context as _;
use aws::Queue;
use aws_lambda_events::sqs::SqsEvent;
use facts::History;
use jiff::{SignedDuration, Timestamp};
use lambda::{Clock, Context, batch};
use serde_json::{Value, json};
use store::{Customers, Definitions, DictionaryCache, Mailings, Messages};

use contracts::MailingWork;

/// Serves the schedule and the mailings queue.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let db = aws_sdk_dynamodb::Client::new(&config);
    let required = lambda::config::required;
    let customers = Customers::new(db.clone(), required("CUSTOMERS_TABLE")?);
    let definitions = Definitions::new(db.clone(), required("DEFINITIONS_TABLE")?);
    let messages = Messages::new(db.clone(), required("MESSAGES_TABLE")?);
    let mass_messaging = MassMessaging {
        history: History::new(customers.clone(), messages.clone(), DictionaryCache::new(definitions.clone())),
        customers,
        definitions,
        messages,
        mailings: Mailings::new(db, required("CHECKPOINTS_TABLE")?),
        queue: Queue::new(aws_sdk_sqs::Client::new(&config), required("MAILINGS_QUEUE_URL")?),
        clock: Clock::from_env(),
    };
    lambda::serve(async |event, context| mass_messaging.invoked(event, context).await).await
}

struct MassMessaging {
    history: History,
    customers: Customers,
    definitions: Definitions,
    messages: Messages,
    mailings: Mailings,
    queue: Queue,
    clock: Clock,
}

impl MassMessaging {
    /// A batch from the queue has records; the schedule's event has none.
    async fn invoked(&self, event: Value, context: Context) -> anyhow::Result<Value> {
        if event.get("Records").is_none() {
            return self.start_what_is_due().await;
        }
        let deadline = Timestamp::from_millisecond(i64::try_from(context.deadline)?)?;
        let event: SqsEvent = serde_json::from_value(event).ok().context("the batch could not be read")?;
        let answer = batch::messages(event, async |work: MailingWork| self.go_on(work, deadline).await).await?;
        Ok(serde_json::to_value(answer)?)
    }

    /// Puts work on the queue for every open mailing whose time has come. One
    /// that is being worked on gets it too, in case its worker was lost.
    async fn start_what_is_due(&self) -> anyhow::Result<Value> {
        let now = self.clock.now();
        let due = self.mailings.open().await?.into_iter().filter(|mailing| mailing.at <= now);
        let work: Vec<_> = due
            .map(|mailing| (MailingWork { mailing_id: mailing.id, checkpoint: None }, SignedDuration::ZERO))
            .collect();
        self.queue.send(&work).await?;
        Ok(json!({ "due": work.len() }))
    }
}
