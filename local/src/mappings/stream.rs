//! A table's stream that feeds a function, in order.

use super::answer::{self, Batch};
use super::given_up::{self, Why};
use super::retry::{self, Next};
use super::{PAYLOAD_BYTES, Parts};
use crate::activity::Busy;
use crate::clock::millis;
use crate::dynamodb::{Record, Signal};
use crate::functions::{Failure, Pool};
use crate::template::StreamMapping;
use rusqlite::{OptionalExtension as _, params};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How far a mapping has come.
pub(crate) struct Reader {
    pub(crate) mapping: StreamMapping,
    signal: Arc<Signal>,
    /// Everything up to this sequence is done.
    checkpoint: AtomicI64,
    /// The count of writes at which there was nothing left to read.
    caught_up: AtomicU64,
}

/// What a round with a batch came to.
enum Round {
    GoOn,
    Stop,
}

impl Reader {
    /// `None` if the table has no stream.
    ///
    /// # Errors
    /// The checkpoint can't be read.
    pub(crate) async fn open(mapping: StreamMapping, parts: &Parts) -> anyhow::Result<Option<Arc<Self>>> {
        let Some(signal) = parts.dynamodb.signal(&mapping.table_name) else { return Ok(None) };
        let id = mapping.logical_id.clone();
        let select = "SELECT sequence FROM checkpoints WHERE mapping = ?1";
        let kept = parts.store.run(move |db| db.query_row(select, params![id], |row| row.get(0)).optional()).await?;
        let checkpoint = match kept {
            Some(sequence) => sequence,
            None if mapping.from_latest => parts.dynamodb.last_sequence(&mapping.table_name).await?,
            None => 0,
        };
        let (checkpoint, caught_up) = (AtomicI64::new(checkpoint), AtomicU64::new(u64::MAX));
        Ok(Some(Arc::new(Self { mapping, signal, checkpoint, caught_up })))
    }

    pub(crate) fn checkpoint(&self) -> i64 {
        self.checkpoint.load(Ordering::SeqCst)
    }

    /// Whether everything written has been read and done.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::SeqCst) == self.signal.writes()
    }

    /// Brings the stream's records to the function until the runner stops.
    pub(crate) async fn run(self: Arc<Self>, parts: Parts) {
        let Some(pool) = parts.functions.find(&self.mapping.function).map(Arc::clone) else { return };
        let mut woken = self.signal.subscribe();
        loop {
            if parts.is_stopping() {
                return;
            }
            woken.mark_unchanged();
            let writes = self.signal.writes();
            let Ok((batch, up_to)) = self.read(&parts).await else {
                // The tables are closed, or the disk is full: neither gets better by asking at once again.
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                continue;
            };
            let Some(up_to) = up_to else {
                self.caught_up.store(writes, Ordering::SeqCst);
                parts.activity.touch();
                tokio::select! {
                    () = parts.stopped() => return,
                    _ = woken.changed() => continue,
                }
            };
            if let Round::Stop = self.work(batch, &pool, &parts).await {
                return;
            }
            self.done_to(up_to, &parts).await;
        }
    }

    /// The next batch that passes the filters, and the last sequence that was looked at for it.
    async fn read(&self, parts: &Parts) -> anyhow::Result<(Vec<Record>, Option<i64>)> {
        let most = self.mapping.batch_size;
        let mut waited = self.mapping.window.is_zero();
        loop {
            // More than a batch, for the filters may leave little of it.
            let limit = most.saturating_mul(4).clamp(100, 1000);
            let records = parts.dynamodb.records(&self.mapping.table_name, self.checkpoint(), limit).await?;
            let (mut batch, mut up_to, mut bytes) = (Vec::new(), None, 0);
            for mut record in records {
                let passes = self.passes(&record.json);
                if passes {
                    let size = usize::try_from(record.json["dynamodb"]["SizeBytes"].as_u64().unwrap_or_default())?;
                    bytes += size + 600;
                    if batch.len() == most || (bytes > PAYLOAD_BYTES && !batch.is_empty()) {
                        break;
                    }
                }
                up_to = Some(record.sequence);
                if passes {
                    record.json["eventSourceARN"] = Value::from(self.mapping.stream.as_str());
                    batch.push(record);
                }
            }
            if waited || batch.is_empty() || batch.len() == most {
                return Ok((batch, up_to));
            }
            waited = true;
            tokio::select! {
                () = parts.clock.sleep(self.mapping.window) => {}
                () = parts.stopped() => {}
            }
        }
    }

    fn passes(&self, record: &Value) -> bool {
        let filters = &self.mapping.filters;
        filters.is_empty() || filters.iter().any(|filter| filter.matches(record))
    }

    async fn work(&self, batch: Vec<Record>, pool: &Pool, parts: &Parts) -> Round {
        let mut batches = VecDeque::from([(batch, 0)]);
        while let Some((mut batch, mut attempts)) = batches.pop_front() {
            batch = self.without_old(batch, attempts, parts).await;
            let Some(last) = batch.last().map(|record| record.sequence) else { continue };
            let Some((outcome, busy)) = self.invoke(&batch, pool, parts).await else { return Round::Stop };
            attempts += 1;
            match retry::decide(&outcome, batch.len(), attempts, self.mapping.max_retries, self.mapping.bisect) {
                Next::Done => self.done_to(last, parts).await,
                Next::From(position) => {
                    let rest = batch.split_off(position);
                    if let Some(done) = batch.last() {
                        self.done_to(done.sequence, parts).await;
                    }
                    batches.push_front((rest, 0));
                }
                Next::Halves(position) => {
                    batches.push_front((batch.split_off(position), 0));
                    batches.push_front((batch, 0));
                }
                Next::Again => {
                    drop(busy);
                    tokio::select! {
                        () = parts.clock.sleep(retry::pause(attempts)) => {}
                        () = parts.stopped() => return Round::Stop,
                    }
                    batches.push_front((batch, attempts));
                }
                Next::GiveUp => {
                    self.give_up(&batch, Why::RetriesSpent, attempts, parts).await;
                    self.done_to(last, parts).await;
                }
            }
        }
        Round::GoOn
    }

    /// `None` when it was not the function that failed but the runner that stops.
    async fn invoke(&self, batch: &[Record], pool: &Pool, parts: &Parts) -> Option<(Batch, Busy)> {
        let records: Vec<&Value> = batch.iter().map(|record| &record.json).collect();
        let (outcome, busy) = parts.functions.invoke(pool, json!({"Records": records}).to_string()).await;
        let outcome = match outcome {
            Ok(answer) if self.mapping.partial_answers => {
                let id = |record: &'_ Record| {
                    record.json["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned()
                };
                let ids: Vec<String> = batch.iter().map(id).collect();
                answer::read(&answer, &ids.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Ok(_) => Batch::Done,
            Err(Failure::Stopping) => return None,
            Err(Failure::Crashed(_)) if parts.is_stopping() => return None,
            Err(_) => Batch::Failed,
        };
        Some((outcome, busy))
    }

    /// Records may wait only so long for a function that fails.
    async fn without_old(&self, mut batch: Vec<Record>, attempts: u32, parts: &Parts) -> Vec<Record> {
        let Some(max_age) = self.mapping.max_age else { return batch };
        let oldest_ms = parts.clock.now_ms() - millis(max_age);
        let old = batch.iter().take_while(|record| record.written_ms < oldest_ms).count();
        if old > 0 {
            let rest = batch.split_off(old);
            self.give_up(&batch, Why::TooOld, attempts, parts).await;
            batch = rest;
        }
        batch
    }

    async fn give_up(&self, batch: &[Record], why: Why, attempts: u32, parts: &Parts) {
        let queue = self.mapping.on_failure.as_deref().and_then(|arn| parts.queues.find(arn));
        if let Some(queue) = queue {
            let message = given_up::message(&self.mapping, batch, why, attempts, parts.clock.now());
            // If the store fails here, so does the checkpoint, and the batch comes again.
            let _ = parts.queues.put(queue, message.to_string()).await;
        }
    }

    async fn done_to(&self, sequence: i64, parts: &Parts) {
        let id = self.mapping.logical_id.clone();
        let upsert = "INSERT INTO checkpoints (mapping, sequence) VALUES (?1, ?2)
                      ON CONFLICT (mapping) DO UPDATE SET sequence = ?2";
        if parts.store.run(move |db| db.prepare_cached(upsert)?.execute(params![id, sequence])).await.is_ok() {
            self.checkpoint.store(sequence, Ordering::SeqCst);
        }
    }
}
