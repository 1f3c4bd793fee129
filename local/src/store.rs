//! What the runner itself keeps: messages and checkpoints, in SQLite on a thread of its own.

use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

/// Most jobs that share one commit.
const SHARED_COMMIT: usize = 256;

type Answer = Box<dyn FnOnce() + Send>;
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;

/// A handle to the store; jobs run one after another, in the order they were given.
#[derive(Clone)]
pub(crate) struct Store(Sender<Job>);

/// The store could not do it: the disk is full, or the runner is stopping.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the local store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the local store is closed")]
    Closed,
}

impl Store {
    /// Opens the file, or memory.
    ///
    /// # Errors
    /// It is no database, or can't be written.
    pub(crate) fn open(path: Option<&Path>, schema: &'static str) -> Result<Self, StoreError> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What is committed outlives this process, however it ends; only a power cut may cost the last moments.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(schema)?;
        let (sender, receiver) = channel();
        std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || work(&connection, &receiver))
            .map_err(|_| StoreError::Closed)?;
        Ok(Self(sender))
    }

    /// Runs `job` and returns when what it did is committed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is committed then.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = job(connection);
            Box::new(move || {
                let _ = sender.send(result);
            })
        });
        self.0.send(job).map_err(|_| StoreError::Closed)?;
        Ok(receiver.await.map_err(|_| StoreError::Closed)??)
    }
}

fn work(connection: &Connection, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        // Whatever has come meanwhile shares the commit: that is what makes it quick.
        let mut answers = Vec::new();
        if connection.execute_batch("BEGIN").is_err() {
            continue;
        }
        answers.push(first(connection));
        while answers.len() < SHARED_COMMIT
            && let Ok(job) = jobs.try_recv()
        {
            answers.push(job(connection));
        }
        if connection.execute_batch("COMMIT").is_err() {
            // Dropped answers say that the store failed.
            let _ = connection.execute_batch("ROLLBACK");
            continue;
        }
        answers.into_iter().for_each(|answer| answer());
    }
}
