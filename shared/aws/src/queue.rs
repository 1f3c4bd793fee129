use anyhow::{Context, anyhow, bail};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::TryStreamExt;
use jiff::SignedDuration;
use serde::Serialize;

/// The longest time for which SQS holds a message back.
const LONGEST_DELAY: i128 = 900;

/// The most messages that one call takes.
pub(crate) const BATCH: usize = 10;

/// How many calls are under way at once.
const AT_ONCE: usize = 8;

/// How often a message is offered that SQS took others of the same call of.
const TRIES: u32 = 3;

/// A queue that is written to.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages, each held back for a time. Times are rounded up to whole
    /// seconds and cut at SQS's longest, 15 minutes.
    ///
    /// # Errors
    /// If any message could not be sent; others may have been.
    pub async fn send<Body: Serialize>(&self, messages: &[(Body, SignedDuration)]) -> anyhow::Result<()> {
        let entries: anyhow::Result<Vec<_>> =
            messages.iter().enumerate().map(|(index, message)| entry(index, message)).collect();
        let batches: Vec<_> = entries?.chunks(BATCH).map(<[_]>::to_vec).collect();
        futures::stream::iter(batches.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, async |batch| self.send_batch(batch).await)
            .await
    }

    async fn send_batch(&self, mut entries: Vec<SendMessageBatchRequestEntry>) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let send =
                self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone())).send().await;
            let sent = send.map_err(|error| anyhow!("messages could not be queued: {}", crate::describe(&error)))?;
            entries.retain(|entry| sent.failed().iter().any(|failed| failed.id() == entry.id()));
            if entries.is_empty() {
                return Ok(());
            }
        }
        bail!("{} messages could not be queued", entries.len())
    }
}

fn entry<Body: Serialize>(
    index: usize,
    (body, delay): &(Body, SignedDuration),
) -> anyhow::Result<SendMessageBatchRequestEntry> {
    let seconds = (delay.as_millis().max(0) + 999) / 1000;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(serde_json::to_string(body)?)
        .delay_seconds(i32::try_from(seconds.min(LONGEST_DELAY))?)
        .build()
        .context("a message could not be built")
}
