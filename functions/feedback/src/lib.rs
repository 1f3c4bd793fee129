//! What SES tells of a message: settle it, and stop writing to addresses that
//! bounce or complain.
//!
//! SES's events come late, more than once and in any order. Of each kind only
//! the earliest is kept, and an address is stopped once and for all, so that
//! none of that matters.

mod event;

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
    let db = Client::new(&aws::sdk_config().await);
    let feedback = Feedback {
        customers: Customers::new(db.clone(), lambda::config::required("CUSTOMERS_TABLE")?),
        messages: Messages::new(db, lambda::config::required("MESSAGES_TABLE")?),
    };
    lambda::serve(async |event, _| feedback.batch(event).await).await
}

struct Feedback {
    customers: Customers,
    messages: Messages,
}

impl Feedback {
    async fn batch(&self, event: SqsEvent) -> anyhow::Result<Answer> {
        batch::messages(event, async |event: SesEvent| self.take(event.read()?).await).await
    }

    async fn take(&self, told: Told) -> anyhow::Result<()> {
        for (address, reason) in &told.suppress {
            let suppression = Suppression { reason: (*reason).to_owned(), since: told.at };
            self.customers.suppress(address, &suppression).await?;
        }
        if let (Some(message_id), Some(evidence)) = (&told.message_id, told.evidence) {
            self.messages.record(message_id, evidence, told.at, &told.ses_id).await?;
        }
        Ok(())
    }
}
