//! DynamoDB, embedded: dynoxide on a thread of its own, by the bundle's clock.

mod capacity;
mod operations;
mod streams;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;

use crate::clock::Clock;
use crate::template::{self, Table};
use anyhow::Context as _;
use bytes::Bytes;
pub(crate) use capacity::Consumed;
use dynoxide::storage::Storage;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
pub(crate) use streams::{Record, Signal};
use tokens::Tokens;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// A handle to the tables.
pub(crate) struct DynamoDb {
    jobs: Sender<Job>,
    /// By table name, of the tables with a stream.
    signals: HashMap<String, Arc<Signal>>,
}

/// What the thread owns.
struct Engine {
    storage: Storage,
    /// For what the engine has no operation for; same thread, so the two never wait for each other.
    beside: rusqlite::Connection,
    tokens: Tokens,
    clock: Arc<Clock>,
}

/// An answer in DynamoDB's JSON.
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) json: String,
    /// What it took, also if it failed.
    pub(crate) consumed: Vec<Consumed>,
}

struct EngineClock(Arc<Clock>);

impl dynoxide::storage_backend::Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now_ms() / 1000).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now_ms() as f64 / 1000.0
    }
}

impl Engine {
    fn open(path: Option<&Path>, tables: &[Table], clock: Arc<Clock>) -> anyhow::Result<Self> {
        let name = match path {
            Some(path) => path.to_str().context("the data folder's path is not text")?.to_owned(),
            // Shared, for there are two connections; named, for there may be two bundles.
            None => format!("file:{}?mode=memory&cache=shared", uuid::Uuid::new_v4().simple()),
        };
        let storage = Storage::new(&name).map_err(|e| anyhow::anyhow!("cannot open the tables: {e}"))?;
        let storage = storage.with_clock(Arc::new(EngineClock(Arc::clone(&clock))));
        storage.disable_bulk_loading().map_err(|e| anyhow::anyhow!("cannot open the tables: {e}"))?;
        let beside = rusqlite::Connection::open(&name)?;
        streams::index(&beside)?;
        for table in tables {
            tables::ensure(&storage, table)?;
        }
        Ok(Self { storage, beside, tokens: Tokens::default(), clock })
    }
}

/// The tables of a template by themselves, in memory, which answer at once: for whoever runs
/// a function's code in their own process, on a time of their own.
pub struct Tables {
    engine: Engine,
}

impl Tables {
    /// Creates the tables that the template at `path` describes. Tokens of transactions hold
    /// by `clock`.
    ///
    /// # Errors
    /// One line: what is wrong with the template, or keeps them from being created.
    pub fn of_template(path: &Path, clock: Arc<Clock>) -> anyhow::Result<Self> {
        let mut tables = template::read(path, &BTreeMap::new(), "cartwire", "http://localhost")?.tables;
        for table in &mut tables {
            // Nobody reads a stream here, and each record that is kept makes the next write slower.
            table.stream_view_type = None;
            table.create.as_object_mut().map(|create| create.remove("StreamSpecification"));
        }
        Ok(Self { engine: Engine::open(None, &tables, clock)? })
    }

    /// The status and the body of the answer to one operation.
    pub fn call(&mut self, operation: &str, body: &[u8]) -> (u16, String) {
        let Answer { status, json, .. } = self.engine.call(operation, body);
        (status, json)
    }
}

impl DynamoDb {
    /// Opens the file, or memory, and creates the tables that are not there yet.
    ///
    /// # Errors
    /// One line: the file is no database, or a table in it is not the template's.
    pub(crate) fn open(path: Option<&Path>, tables: &[Table], clock: Arc<Clock>) -> anyhow::Result<Self> {
        let mut engine = Engine::open(path, tables, clock)?;
        let signals = tables.iter().filter(|table| table.stream_view_type.is_some());
        let signals = signals.map(|table| (table.table_name.clone(), Arc::default())).collect();
        let (jobs, receiver) = channel::<Job>();
        std::thread::Builder::new().name("dynamodb".to_owned()).spawn(move || {
            while let Ok(job) = receiver.recv() {
                job(&mut engine);
            }
        })?;
        Ok(Self { jobs, signals })
    }

    /// Carries out one operation; `tables` are those it names.
    pub(crate) async fn call(&self, operation: String, body: Bytes, tables: &[String]) -> Answer {
        let writes = operations::writes(&operation);
        let answer = self.run(move |engine| engine.call(&operation, &body)).await.unwrap_or_else(|| Answer {
            status: 500,
            json: r#"{"__type":"com.amazon.coral.service#InternalServerError","message":"the tables are closed"}"#
                .to_owned(),
            consumed: Vec::new(),
        });
        if writes && answer.status == 200 {
            // Before the writer hears of it, so that nobody finds the bundle quiet in between.
            tables.iter().filter_map(|table| self.signals.get(table)).for_each(|signal| signal.written());
        }
        answer
    }

    /// Tells of writes to a table with a stream.
    pub(crate) fn signal(&self, table_name: &str) -> Option<Arc<Signal>> {
        self.signals.get(table_name).cloned()
    }

    /// Up to `limit` records after the one with this sequence, oldest first.
    pub(crate) async fn records(&self, table_name: &str, after: i64, limit: usize) -> anyhow::Result<Vec<Record>> {
        let table_name = table_name.to_owned();
        self.run(move |engine| streams::read(&engine.storage, &table_name, after, limit)).await.context(CLOSED)?
    }

    /// The last sequence of the table's stream, 0 if it has none.
    pub(crate) async fn last_sequence(&self, table_name: &str) -> anyhow::Result<i64> {
        let table_name = table_name.to_owned();
        Ok(self.run(move |engine| streams::last(&engine.beside, &table_name)).await.context(CLOSED)??)
    }

    /// How many records are after the one with this sequence.
    pub(crate) async fn pending(&self, table_name: &str, after: i64) -> anyhow::Result<u64> {
        let table_name = table_name.to_owned();
        Ok(self.run(move |engine| streams::pending(&engine.beside, &table_name, after)).await.context(CLOSED)??)
    }

    /// Drops the records up to this sequence, which everybody has read.
    pub(crate) async fn trim(&self, table_name: &str, up_to: i64) {
        let table_name = table_name.to_owned();
        // What is not trimmed now is the next time.
        let _ = self.run(move |engine| streams::trim(&engine.beside, &table_name, up_to)).await;
    }

    /// Deletes what has expired.
    pub(crate) async fn sweep(&self) {
        let swept = self.run(|engine| pollster::block_on(dynoxide::ttl::sweep_expired_items(&engine.storage))).await;
        if let Some(Ok(1..)) = swept {
            self.signals.values().for_each(|signal| signal.written());
        }
    }

    /// Items per table name.
    pub(crate) async fn counts(&self, table_names: Vec<String>) -> BTreeMap<String, u64> {
        self.run(move |engine| tables::counts(&engine.storage, table_names)).await.unwrap_or_default()
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Engine) -> T + Send + 'static) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |engine| {
            let _ = sender.send(job(engine));
        });
        self.jobs.send(job).ok()?;
        receiver.await.ok()
    }
}

const CLOSED: &str = "the tables are closed";
