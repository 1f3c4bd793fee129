//! Where mails are kept: a SQLite database, in a file or in memory.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::mail::{Event, Mail};

// A killed process loses nothing; a power cut may lose the last mails. For a
// mailbox on a developer's machine that is a fair price for not waiting for
// the disk at each mail.
const OPEN: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    CREATE TABLE IF NOT EXISTS mail (
        n INTEGER PRIMARY KEY,
        ses_message_id TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        counted INTEGER NOT NULL,
        sender TEXT NOT NULL,
        recipients TEXT NOT NULL,
        subject TEXT NOT NULL,
        configuration_set TEXT,
        tags TEXT NOT NULL,
        headers TEXT NOT NULL,
        html TEXT,
        text TEXT,
        message BLOB);
    CREATE INDEX IF NOT EXISTS mail_by_time ON mail (time_ms, counted);
    CREATE TABLE IF NOT EXISTS recipient (
        address TEXT NOT NULL,
        mail INTEGER NOT NULL,
        PRIMARY KEY (address, mail)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS event (
        mail INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        time_ms INTEGER NOT NULL,
        published INTEGER NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (mail, seq)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS suppressed (
        address TEXT PRIMARY KEY,
        reason TEXT NOT NULL,
        time_ms INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS identity (name TEXT PRIMARY KEY) WITHOUT ROWID;
";

const COLUMNS: &str = "n, ses_message_id, time_ms, sender, recipients, subject, \
    configuration_set, tags, headers, html, text";

/// The mailbox, and what else SES remembers: suppressed addresses and identities.
#[derive(Debug)]
pub(super) struct Mailbox {
    connection: Connection,
}

/// Which mails to read.
#[derive(Clone, Debug, Default)]
pub struct Find {
    /// Only those to this very address (case does not matter).
    pub to: Option<String>,
    /// Only those with this somewhere in an address or the subject.
    pub text: Option<String>,
    /// Skip this many, counted from the newest.
    pub skip: u64,
    /// At most so many, the newest; all if not said.
    pub limit: Option<u64>,
}

/// An address that SES does not deliver to.
#[derive(Debug)]
pub(super) struct Suppressed {
    pub(super) reason: String,
    pub(super) time: Timestamp,
}

impl Mailbox {
    pub(super) fn open(path: Option<&Path>) -> Result<Self> {
        let connection = match path {
            Some(path) => Connection::open(path)?,
            None => Connection::open_in_memory()?,
        };
        connection.execute_batch(OPEN)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection })
    }

    /// The number of the newest mail, which is also how many there are.
    pub(super) fn newest(&self) -> Result<u64> {
        let sql = "SELECT coalesce(max(n), 0) FROM mail";
        self.connection.query_row(sql, [], |row| row.get(0))
    }

    /// Stores a mail, whole or not at all. `counted` is how many of its
    /// recipients the daily quota counts, `message` the MIME message if it
    /// can't be made of the parts again.
    pub(super) fn add(&mut self, mail: &Mail, counted: u64, message: Option<&[u8]>) -> Result<()> {
        let transaction = self.connection.transaction()?;
        transaction
            .prepare_cached(
                "INSERT INTO mail (n, ses_message_id, time_ms, sender, recipients, subject, \
                 configuration_set, tags, headers, html, text, counted, message) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                mail.n,
                mail.ses_message_id,
                mail.time.as_millisecond(),
                mail.from,
                json(&mail.to)?,
                mail.subject,
                mail.configuration_set,
                json(&mail.tags)?,
                json(&mail.headers)?,
                mail.html,
                mail.text,
                counted,
                message,
            ])?;
        for address in &mail.to {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO recipient VALUES (?, ?)")?
                .execute(params![address.to_lowercase(), mail.n])?;
        }
        transaction.commit()
    }

    /// Adds what happened to a mail, after what is there.
    pub(super) fn add_event(&mut self, n: u64, event: &Event) -> Result<()> {
        let sql = "INSERT INTO event SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5 \
                   FROM event WHERE mail = ?1";
        let time = event.time.as_millisecond();
        let detail = event.detail.to_string();
        let values = params![n, event.event_type, time, event.published, detail];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    pub(super) fn mail(&self, n: u64) -> Result<Option<Mail>> {
        let sql = format!("SELECT {COLUMNS} FROM mail WHERE n = ?");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mail = statement.query_row([n], mail).optional()?;
        mail.map(|mail| self.with_events(mail)).transpose()
    }

    /// The stored MIME message of a mail, if it was stored.
    pub(super) fn message(&self, n: u64) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT message FROM mail WHERE n = ?";
        let message = self.connection.query_row(sql, [n], |row| row.get(0));
        Ok(message.optional()?.flatten())
    }

    /// Mails, newest last.
    pub(super) fn mails(&self, find: &Find) -> Result<Vec<Mail>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM mail \
             WHERE (?1 IS NULL OR n IN (SELECT mail FROM recipient WHERE address = ?1)) \
             AND (?2 IS NULL OR instr(lower(sender || ' ' || recipients || ' ' || subject), ?2)) \
             ORDER BY n DESC LIMIT ?3 OFFSET ?4"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let to = find.to.as_deref().map(str::to_lowercase);
        let text = find.text.as_deref().map(str::to_lowercase);
        let limit = find.limit.map_or(-1, |limit| limit as i64);
        let rows = statement.query_map(params![to, text, limit, find.skip], mail)?;
        let mut mails = rows.map(|mail| self.with_events(mail?)).collect::<Result<Vec<_>>>()?;
        mails.reverse();
        Ok(mails)
    }

    /// When and for how many recipients the daily quota was used since `since_ms`.
    pub(super) fn counted_since(&self, since_ms: i64) -> Result<Vec<(i64, u64)>> {
        let sql = "SELECT time_ms / 60000 * 60000, sum(counted) FROM mail WHERE time_ms > ? \
                   GROUP BY 1 ORDER BY 1";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([since_ms], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    pub(super) fn suppressed(&self, address: &str) -> Result<Option<Suppressed>> {
        let sql = "SELECT reason, time_ms FROM suppressed WHERE address = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let read = |row: &Row<'_>| {
            let (reason, time) = (row.get(0)?, time(row, 1)?);
            Ok(Suppressed { reason, time })
        };
        let found = statement.query_row([address.to_lowercase()], read);
        found.optional()
    }

    pub(super) fn suppress(&self, address: &str, reason: &str, at: Timestamp) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO suppressed VALUES (?, ?, ?)";
        let values = params![address.to_lowercase(), reason, at.as_millisecond()];
        self.connection.execute(sql, values).map(|_| ())
    }

    /// Whether there was one to take from the list.
    pub(super) fn unsuppress(&self, address: &str) -> Result<bool> {
        let sql = "DELETE FROM suppressed WHERE address = ?";
        let gone = self.connection.execute(sql, [address.to_lowercase()])?;
        Ok(gone > 0)
    }

    pub(super) fn identities(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare("SELECT name FROM identity")?;
        let names = statement.query_map([], |row| row.get(0))?;
        names.collect()
    }

    pub(super) fn add_identity(&self, name: &str) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO identity VALUES (?)";
        self.connection.execute(sql, [name]).map(|_| ())
    }

    fn with_events(&self, mut mail: Mail) -> Result<Mail> {
        let sql = "SELECT type, time_ms, published, detail FROM event WHERE mail = ? ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let read = |row: &Row<'_>| {
            Ok(Event { event_type: row.get(0)?, time: time(row, 1)?, published: row.get(2)?, detail: parsed(row, 3)? })
        };
        mail.events = statement.query_map([mail.n], read)?.collect::<Result<_>>()?;
        Ok(mail)
    }
}

fn mail(row: &Row<'_>) -> Result<Mail> {
    Ok(Mail {
        n: row.get(0)?,
        ses_message_id: row.get(1)?,
        time: time(row, 2)?,
        from: row.get(3)?,
        to: parsed(row, 4)?,
        subject: row.get(5)?,
        configuration_set: row.get(6)?,
        tags: parsed(row, 7)?,
        headers: parsed(row, 8)?,
        html: row.get(9)?,
        text: row.get(10)?,
        events: Vec::new(),
    })
}

fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Timestamp::from_millisecond(row.get(column)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, Box::new(error)))
}

fn parsed<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
