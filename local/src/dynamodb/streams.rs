//! The tables' streams: who has written, what was written, what everybody has read.

use anyhow::Context as _;
use dynoxide::actions::{get_records, get_shard_iterator};
use dynoxide::storage::Storage;
use rusqlite::{Connection, params};
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;

/// What a public sequence number adds to the one in the database.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// One change, as Lambda hands it to a function but for the stream's ARN.
pub(crate) struct Record {
    /// Its place in the stream.
    pub(crate) sequence: i64,
    /// When it was written, in milliseconds since 1970.
    pub(crate) written_ms: i64,
    /// The record.
    pub(crate) json: Value,
}

/// Tells the stream's readers that there is something to read.
#[derive(Default)]
pub(crate) struct Signal {
    writes: AtomicU64,
    woken: watch::Sender<()>,
}

impl Signal {
    pub(super) fn written(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.woken.send_replace(());
    }

    /// Grows with every write.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.woken.subscribe()
    }
}

/// Each write looks up the last sequence, for which the engine has no index.
pub(super) fn index(beside: &Connection) -> rusqlite::Result<()> {
    beside.execute_batch(
        "CREATE INDEX IF NOT EXISTS stream_by_sequence
             ON _stream_records(table_name, CAST(sequence_number AS INTEGER));
         CREATE INDEX IF NOT EXISTS stream_by_shard
             ON _stream_records(table_name, shard_id, CAST(sequence_number AS INTEGER));",
    )
}

pub(super) fn read(storage: &Storage, table_name: &str, after: i64, limit: usize) -> anyhow::Result<Vec<Record>> {
    let shard = dynoxide::streams::shard_id(table_name);
    let request = get_records::GetRecordsRequest {
        shard_iterator: get_shard_iterator::encode_shard_iterator(table_name, &shard, after),
        limit: Some(limit),
    };
    let read = pollster::block_on(get_records::execute(storage, request))?;
    read.records.iter().map(record).collect()
}

fn record(record: &get_records::Record) -> anyhow::Result<Record> {
    let public: u128 = record.dynamodb.sequence_number.parse().context("a sequence number is no number")?;
    let seconds = record.dynamodb.approximate_creation_date_time as i64;
    let mut json = serde_json::to_value(record)?;
    json["awsRegion"] = Value::from(crate::names::REGION);
    json["dynamodb"]["ApproximateCreationDateTime"] = Value::from(seconds);
    let sequence = i64::try_from(public.saturating_sub(SEQUENCE_OFFSET))?;
    Ok(Record { sequence, written_ms: seconds.saturating_mul(1000), json })
}

pub(super) fn last(beside: &Connection, table_name: &str) -> rusqlite::Result<i64> {
    let mut statement = beside.prepare_cached(
        "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) FROM _stream_records WHERE table_name = ?1",
    )?;
    statement.query_row(params![table_name], |row| row.get(0))
}

pub(super) fn pending(beside: &Connection, table_name: &str, after: i64) -> rusqlite::Result<u64> {
    let mut statement = beside.prepare_cached(
        "SELECT COUNT(*) FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2",
    )?;
    statement.query_row(params![table_name, after], |row| row.get(0))
}

/// The last record stays, for the engine counts on from it.
pub(super) fn trim(beside: &Connection, table_name: &str, up_to: i64) -> rusqlite::Result<usize> {
    let up_to = up_to.min(last(beside, table_name)? - 1);
    let mut statement = beside.prepare_cached(
        "DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2",
    )?;
    statement.execute(params![table_name, up_to])
}
