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

/// How many bytes they may have together.
const BATCH_BYTES: usize = 1024 * 1024;

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
        futures::stream::iter(batches(entries?).into_iter().map(Ok))
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

/// As many to a call as it takes.
fn batches(entries: Vec<SendMessageBatchRequestEntry>) -> Vec<Vec<SendMessageBatchRequestEntry>> {
    let mut batches: Vec<Vec<_>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let own = entry.message_body().len();
        match batches.last_mut().filter(|batch| batch.len() < BATCH && bytes + own <= BATCH_BYTES) {
            Some(batch) => {
                bytes += own;
                batch.push(entry);
            }
            None => {
                bytes = own;
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

/// JSON that SQS takes. Of what JSON may hold as it is, SQS refuses two characters, which Unicode
/// keeps for no text; they can only be in strings.
fn json<Body: Serialize>(body: &Body) -> anyhow::Result<String> {
    let json = serde_json::to_string(body)?;
    Ok(json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff"))
}

fn entry<Body: Serialize>(
    index: usize,
    (body, delay): &(Body, SignedDuration),
) -> anyhow::Result<SendMessageBatchRequestEntry> {
    let seconds = (delay.as_millis().max(0) + 999) / 1000;
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(json(body)?)
        .delay_seconds(i32::try_from(seconds.min(LONGEST_DELAY))?)
        .build()
        .context("a message could not be built")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_ten_messages_and_a_megabyte_at_most_and_all_go_in_their_order() {
        let sizes = [600_000, 400_000, 60_000, 1_000_000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1_048_576];
        let of = |size: &usize| entry(0, &("x".repeat(size.saturating_sub(2)), SignedDuration::ZERO)).unwrap();
        let sent = batches(sizes.iter().map(of).collect());
        let sizes: Vec<usize> = sent.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 1, 10, 2, 1]);
        let bytes = |batch: &Vec<SendMessageBatchRequestEntry>| batch.iter().map(|it| it.message_body().len()).sum();
        assert!(sent.iter().map(bytes).all(|bytes: usize| bytes <= BATCH_BYTES));
    }

    #[test]
    fn what_sqs_does_not_take_as_it_is_is_the_same_json_in_another_spelling() {
        for text in ["Mug\u{ffff}", "\u{fffe}\\\u{ffff}\"", "plain"] {
            let sent = json(&text).unwrap();
            assert!(!sent.contains(['\u{fffe}', '\u{ffff}']));
            assert_eq!(serde_json::from_str::<String>(&sent).unwrap(), text);
        }
    }
}
