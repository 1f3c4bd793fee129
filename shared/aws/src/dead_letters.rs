use anyhow::{anyhow, bail};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry};
use futures::future::join_all;

use crate::queue::BATCH;

/// How long a letter stays out of sight once it was received, in seconds. Longer than
/// the invocation that received it, and shorter than the two minutes after which a
/// message whose invocation died comes again: who repeats the work sees all of them.
const OUT_OF_SIGHT: i32 = 60;

/// How long a receive looks for letters, in seconds. One that does not wait at all asks
/// some of SQS's servers only, and may find nothing where there is something.
const LOOK: i32 = 1;

/// A dead-letter queue that is looked through: letters of one kind are taken out, and
/// the others stay for whoever puts them back to work.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    client: Client,
    url: String,
}

/// How it went to look through a dead-letter queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LookedThrough {
    /// How many letters were deleted.
    pub deleted: usize,
    /// How many stay because it could not be found out what is to become of them.
    pub unclear: usize,
    /// Whether time was up before all had been looked at.
    pub cut_short: bool,
}

impl DeadLetters {
    /// The dead-letter queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Looks at each letter once and deletes those whose body is `to_go`. The others are
    /// given back as soon as all were looked at; if `has_time` ends it before that, or
    /// this process dies, they come back by themselves within a minute.
    ///
    /// A letter that somebody else has received at that moment is not seen. One about
    /// which `to_go` fails stays.
    ///
    /// # Errors
    /// If the queue cannot be received from or deleted from.
    pub async fn delete_those(
        &self,
        has_time: impl Fn() -> bool,
        to_go: impl AsyncFn(&str) -> anyhow::Result<bool>,
    ) -> anyhow::Result<LookedThrough> {
        let mut kept = Vec::new();
        let outcome = self.look_through(&mut kept, has_time, to_go).await;
        if !matches!(&outcome, Ok(looked) if looked.cut_short) {
            self.give_back(&kept).await;
        }
        outcome
    }

    /// Notes the receipts of those that stay in `kept`, whatever comes of the rest.
    async fn look_through(
        &self,
        kept: &mut Vec<String>,
        has_time: impl Fn() -> bool,
        to_go: impl AsyncFn(&str) -> anyhow::Result<bool>,
    ) -> anyhow::Result<LookedThrough> {
        let mut looked = LookedThrough::default();
        loop {
            if !has_time() {
                looked.cut_short = true;
                return Ok(looked);
            }
            let letters = self.receive().await?;
            if letters.is_empty() {
                return Ok(looked);
            }
            let verdicts = join_all(letters.iter().map(|(_, body)| to_go(body))).await;
            let mut gone = Vec::new();
            for ((receipt, _), verdict) in letters.iter().zip(verdicts) {
                match verdict {
                    Ok(true) => gone.push(receipt.clone()),
                    Ok(false) => kept.push(receipt.clone()),
                    Err(_) => {
                        looked.unclear += 1;
                        kept.push(receipt.clone());
                    }
                }
            }
            self.delete(&gone).await?;
            looked.deleted += gone.len();
        }
    }

    /// Up to ten letters: the receipt and the body of each.
    async fn receive(&self) -> anyhow::Result<Vec<(String, String)>> {
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(BATCH)?)
            .visibility_timeout(OUT_OF_SIGHT)
            .wait_time_seconds(LOOK);
        let received = receive.send().await;
        let received =
            received.map_err(|error| anyhow!("no letters could be received: {}", crate::describe(&error)))?;
        let letters = received.messages.unwrap_or_default().into_iter();
        Ok(letters.filter_map(|letter| Some((letter.receipt_handle?, letter.body.unwrap_or_default()))).collect())
    }

    async fn delete(&self, receipts: &[String]) -> anyhow::Result<()> {
        if receipts.is_empty() {
            return Ok(());
        }
        let mut batch = self.client.delete_message_batch().queue_url(&self.url);
        for (index, receipt) in receipts.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt);
            batch = batch.entries(entry.build()?);
        }
        let deleted = batch.send().await;
        let deleted = deleted.map_err(|error| anyhow!("letters could not be deleted: {}", crate::describe(&error)))?;
        match deleted.failed().len() {
            0 => Ok(()),
            failed => bail!("{failed} letters could not be deleted"),
        }
    }

    /// Makes letters visible again at once. What fails is not tried again: their time out
    /// of sight runs out by itself.
    async fn give_back(&self, receipts: &[String]) {
        for receipts in receipts.chunks(BATCH) {
            let entries = receipts.iter().enumerate().map(|(index, receipt)| {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
                entry.receipt_handle(receipt).visibility_timeout(0).build()
            });
            if let Ok(entries) = entries.collect() {
                let batch = self.client.change_message_visibility_batch().queue_url(&self.url);
                let _comes_back_by_itself = batch.set_entries(Some(entries)).send().await;
            }
        }
    }
}
