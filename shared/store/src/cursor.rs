use anyhow::Context;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

use crate::rows::{Item, failed, text, time};

/// In the checkpoints table: up to when the timers were handed on.
#[derive(Debug, Clone)]
pub struct TimersCursor {
    db: Client,
    table: String,
}

fn key() -> Item {
    Item::from([("task".into(), text("timers")), ("item".into(), text("cursor"))])
}

impl TimersCursor {
    /// The cursor in the table of this name.
    #[must_use]
    pub fn new(db: Client, table: String) -> Self {
        Self { db, table }
    }

    /// Up to when the timers were handed on; none before the first time.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn get(&self) -> anyhow::Result<Option<Timestamp>> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key())).consistent_read(true).send();
        let item = got.await.map_err(failed("the timers' cursor could not be read"))?.item;
        let at = item.as_ref().and_then(|item| item.get("at")).and_then(|at| at.as_s().ok());
        at.map(|at| at.parse().context("the timers' cursor is no time")).transpose()
    }

    /// Notes up to when the timers were handed on.
    ///
    /// # Errors
    /// If the table cannot be written to.
    pub async fn set(&self, at: Timestamp) -> anyhow::Result<()> {
        let mut item = key();
        item.insert("at".into(), time(at));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item)).send();
        put.await.map(drop).map_err(failed("the timers' cursor could not be moved"))
    }
}
