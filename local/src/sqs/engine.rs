//! The queues' rules, in SQL: what is visible when, what was received how often, where it goes then.

use rusqlite::{Connection, Row, params};
use std::collections::HashSet;

/// Everything the runner keeps; see also [`crate::mappings`].
pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT,
        md5 TEXT NOT NULL,
        sender TEXT NOT NULL,
        sent_ms INTEGER NOT NULL,
        visible_ms INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        first_received_ms INTEGER,
        held INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_by_time ON messages(queue, visible_ms, id);
    CREATE INDEX IF NOT EXISTS messages_received ON messages(queue, held) WHERE receives > 0;
    CREATE TABLE IF NOT EXISTS checkpoints (
        mapping TEXT PRIMARY KEY,
        sequence INTEGER NOT NULL
    ) STRICT;
";

/// Most bytes of bodies in one receive: what fits into an invocation with its envelopes.
const RECEIVE_BYTES: usize = 5 * 1024 * 1024;

/// A message to keep.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) message_id: String,
    pub(crate) body: String,
    /// `MessageAttributes` as Lambda shows them, JSON.
    pub(crate) attributes: Option<String>,
    pub(crate) md5: String,
    pub(crate) sender: String,
    pub(crate) visible_ms: i64,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) message_id: String,
    pub(crate) body: String,
    pub(crate) attributes: Option<String>,
    pub(crate) md5: String,
    pub(crate) sender: String,
    pub(crate) sent_ms: i64,
    pub(crate) receives: u32,
    pub(crate) first_received_ms: i64,
}

/// How a queue is received from.
#[derive(Debug, Clone)]
pub(crate) struct Receive {
    pub(crate) queue: String,
    pub(crate) most: usize,
    pub(crate) visibility_ms: i64,
    /// Name of the dead-letter queue and the receives before a message goes there.
    pub(crate) redrive: Option<(String, u32)>,
}

/// What a receive found.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) messages: Vec<Message>,
    /// Messages that went to the dead-letter queue instead.
    pub(crate) redriven: usize,
    /// If there was nothing: when there will be.
    pub(crate) next_ms: Option<i64>,
}

/// A queue's messages at one moment.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Depth {
    pub(crate) visible: u64,
    pub(crate) in_flight: u64,
    pub(crate) delayed: u64,
    /// When the next of the delayed or invisible ones comes up.
    pub(crate) next_ms: Option<i64>,
}

pub(crate) fn send(db: &Connection, queue: &str, message: &Outgoing, copies: u32, now: i64) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "INSERT INTO messages (queue, message_id, body, attributes, md5, sender, sent_ms, visible_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for _ in 0..copies {
        statement.execute(params![
            queue,
            message.message_id,
            message.body,
            message.attributes,
            message.md5,
            message.sender,
            now,
            message.visible_ms
        ])?;
    }
    Ok(())
}

pub(crate) fn receive(db: &Connection, receive: &Receive, now: i64) -> rusqlite::Result<Received> {
    let mut received = Received::default();
    // Copies of one message are deliveries of their own, so never two in one batch.
    let mut ids = HashSet::new();
    let mut bytes = 0;
    let mut redriven = Vec::new();
    {
        let mut statement = db.prepare_cached(
            "SELECT id, message_id, body, attributes, md5, sender, sent_ms, receives, first_received_ms
             FROM messages WHERE queue = ?1 AND visible_ms <= ?2 ORDER BY visible_ms, id LIMIT ?3",
        )?;
        let most = i64::try_from(receive.most.saturating_mul(4)).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![receive.queue, now, most])?;
        while let Some(row) = rows.next()? {
            let mut message = message(row, now)?;
            if let Some((_, most)) = &receive.redrive
                && message.receives >= *most
            {
                redriven.push(message.id);
                continue;
            }
            if received.messages.len() == receive.most || bytes + message.body.len() > RECEIVE_BYTES {
                break;
            }
            if ids.insert(message.message_id.clone()) {
                bytes += message.body.len();
                message.receives += 1;
                received.messages.push(message);
            }
        }
    }
    if let Some((dead_letters, _)) = &receive.redrive {
        received.redriven = redriven.len();
        let mut statement =
            db.prepare_cached("UPDATE messages SET queue = ?2, visible_ms = ?3, receives = 0, held = 0 WHERE id = ?1")?;
        for id in redriven {
            statement.execute(params![id, dead_letters, now])?;
        }
    }
    let mut statement = db.prepare_cached(
        "UPDATE messages SET visible_ms = ?2, receives = receives + 1, held = 1,
                first_received_ms = COALESCE(first_received_ms, ?3) WHERE id = ?1",
    )?;
    for message in &received.messages {
        statement.execute(params![message.id, now.saturating_add(receive.visibility_ms), now])?;
    }
    if received.messages.is_empty() {
        let mut statement = db.prepare_cached("SELECT MIN(visible_ms) FROM messages WHERE queue = ?1")?;
        received.next_ms = statement.query_row(params![receive.queue], |row| row.get(0))?;
    }
    Ok(received)
}

fn message(row: &Row<'_>, now: i64) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        message_id: row.get(1)?,
        body: row.get(2)?,
        attributes: row.get(3)?,
        md5: row.get(4)?,
        sender: row.get(5)?,
        sent_ms: row.get(6)?,
        receives: row.get(7)?,
        first_received_ms: row.get::<_, Option<i64>>(8)?.unwrap_or(now),
    })
}

/// What a batch came to: some are done, the others come again when they are visible again.
pub(crate) fn settle(db: &Connection, done: &[i64], failed: &[i64]) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM messages WHERE id = ?1")?;
    for id in done {
        delete.execute(params![id])?;
    }
    let mut let_go = db.prepare_cached("UPDATE messages SET held = 0 WHERE id = ?1")?;
    for id in failed {
        let_go.execute(params![id])?;
    }
    Ok(())
}

/// Deletes one message, if the queue still has it.
pub(crate) fn delete(db: &Connection, queue: &str, id: i64) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached("DELETE FROM messages WHERE id = ?1 AND queue = ?2")?;
    statement.execute(params![id, queue]).map(drop)
}

/// Makes a message that was received visible so many milliseconds from now; false if it is visible already, or gone.
pub(crate) fn change_visibility(db: &Connection, queue: &str, id: i64, ms: i64, now: i64) -> rusqlite::Result<bool> {
    let mut statement = db.prepare_cached(
        "UPDATE messages SET held = 0, visible_ms = ?4
         WHERE id = ?1 AND queue = ?2 AND receives > 0 AND visible_ms > ?3",
    )?;
    Ok(statement.execute(params![id, queue, now, now.saturating_add(ms)])? > 0)
}

/// As if they had not been received: it was the machine that stopped, not the function.
pub(crate) fn release(db: &Connection, ids: &[i64], now: i64) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "UPDATE messages SET held = 0, visible_ms = ?2, receives = MAX(receives - 1, 0) WHERE id = ?1",
    )?;
    for id in ids {
        statement.execute(params![id, now])?;
    }
    Ok(())
}

/// Releases whatever was being worked on when the runner last ended.
pub(crate) fn release_all(db: &Connection, now: i64) -> rusqlite::Result<usize> {
    db.execute(
        "UPDATE messages SET held = 0, visible_ms = ?1, receives = MAX(receives - 1, 0) WHERE held = 1",
        params![now],
    )
}

pub(crate) fn depth(db: &Connection, queue: &str, now: i64) -> rusqlite::Result<Depth> {
    let mut statement = db.prepare_cached(
        "SELECT COUNT(*) FILTER (WHERE visible_ms <= ?2),
                COUNT(*) FILTER (WHERE visible_ms > ?2 AND receives > 0),
                COUNT(*) FILTER (WHERE visible_ms > ?2 AND receives = 0),
                MIN(visible_ms) FILTER (WHERE visible_ms > ?2)
         FROM messages WHERE queue = ?1",
    )?;
    statement.query_row(params![queue, now], |row| {
        Ok(Depth { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)?, next_ms: row.get(3)? })
    })
}

/// Whether a message waits for nothing but its function.
pub(crate) fn is_pending(db: &Connection, queue: &str, now: i64) -> rusqlite::Result<bool> {
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND visible_ms <= ?2)
             OR EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND receives > 0 AND held = 1)",
    )?;
    statement.query_row(params![queue, now], |row| row.get(0))
}

/// Whether a message was received and failed, and waits to become visible again.
pub(crate) fn awaits_redelivery(db: &Connection, queue: &str) -> rusqlite::Result<bool> {
    let mut statement =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM messages WHERE queue = ?1 AND receives > 0)")?;
    statement.query_row(params![queue], |row| row.get(0))
}

/// The bodies of a queue's messages, oldest first.
pub(crate) fn peek(db: &Connection, queue: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare_cached("SELECT body FROM messages WHERE queue = ?1 ORDER BY id")?;
    let bodies = statement.query_map(params![queue], |row| row.get(0))?;
    bodies.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "work";

    fn store() -> Connection {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(SCHEMA).unwrap();
        db
    }

    fn put(db: &Connection, id: &str, visible_ms: i64, copies: u32) {
        let message = Outgoing {
            message_id: id.to_owned(),
            body: format!("body of {id}"),
            attributes: None,
            md5: String::new(),
            sender: String::new(),
            visible_ms,
        };
        send(db, QUEUE, &message, copies, 0).unwrap();
    }

    fn take(db: &Connection, most: usize, now: i64) -> Vec<Message> {
        let redrive = Some(("dead".to_owned(), 2));
        let how = Receive { queue: QUEUE.to_owned(), most, visibility_ms: 100, redrive };
        receive(db, &how, now).unwrap().messages
    }

    #[test]
    fn a_delayed_message_comes_when_it_is_due() {
        let db = store();
        put(&db, "a", 900, 1);
        assert!(take(&db, 10, 899).is_empty());
        assert_eq!(depth(&db, QUEUE, 899).unwrap(), Depth { delayed: 1, next_ms: Some(900), ..Depth::default() });
        assert_eq!(take(&db, 10, 900).len(), 1);
    }

    #[test]
    fn a_received_message_is_out_of_sight_until_its_time_is_over() {
        let db = store();
        put(&db, "a", 0, 1);
        assert_eq!(take(&db, 10, 0)[0].receives, 1);
        assert!(take(&db, 10, 99).is_empty());
        let again = take(&db, 10, 100);
        assert_eq!((again[0].receives, again[0].first_received_ms), (2, 0));
    }

    #[test]
    fn what_failed_too_often_goes_to_the_dead_letters() {
        let db = store();
        put(&db, "a", 0, 1);
        take(&db, 10, 0);
        take(&db, 10, 100);
        assert!(take(&db, 10, 200).is_empty());
        assert_eq!(depth(&db, QUEUE, 200).unwrap(), Depth::default());
        assert_eq!(peek(&db, "dead").unwrap(), ["body of a"]);
    }

    #[test]
    fn copies_are_separate_deliveries() {
        let db = store();
        put(&db, "a", 0, 3);
        put(&db, "b", 0, 1);
        let first: Vec<_> = take(&db, 10, 0).into_iter().map(|message| message.message_id).collect();
        assert_eq!(first, ["a", "b"]);
        let second: Vec<_> = take(&db, 10, 0).into_iter().map(|message| message.message_id).collect();
        assert_eq!(second, ["a"]);
    }

    #[test]
    fn a_batch_is_settled_one_by_one() {
        let db = store();
        put(&db, "a", 0, 1);
        put(&db, "b", 0, 1);
        let messages = take(&db, 10, 0);
        assert!(is_pending(&db, QUEUE, 1).unwrap());
        settle(&db, &[messages[0].id], &[messages[1].id]).unwrap();
        assert!(!is_pending(&db, QUEUE, 1).unwrap());
        assert!(awaits_redelivery(&db, QUEUE).unwrap());
        assert_eq!(depth(&db, QUEUE, 1).unwrap().in_flight, 1);
    }

    #[test]
    fn a_message_that_was_received_is_given_back_at_once_and_deleted_from_its_own_queue_only() {
        let db = store();
        put(&db, "a", 0, 1);
        let id = take(&db, 10, 0)[0].id;
        assert!(!change_visibility(&db, "another", id, 0, 1).unwrap());
        assert!(take(&db, 10, 1).is_empty());
        assert!(change_visibility(&db, QUEUE, id, 0, 1).unwrap());
        assert!(!change_visibility(&db, QUEUE, id, 0, 1).unwrap(), "it is visible");
        assert_eq!(take(&db, 10, 1)[0].receives, 2);
        delete(&db, "another", id).unwrap();
        assert_eq!(peek(&db, QUEUE).unwrap(), ["body of a"]);
        delete(&db, QUEUE, id).unwrap();
        assert_eq!(peek(&db, QUEUE).unwrap(), [""; 0]);
    }

    #[test]
    fn a_restart_gives_back_what_was_being_worked_on() {
        let db = store();
        put(&db, "a", 0, 1);
        take(&db, 10, 0);
        release_all(&db, 5).unwrap();
        assert_eq!(take(&db, 10, 5)[0].receives, 1);
    }
}
