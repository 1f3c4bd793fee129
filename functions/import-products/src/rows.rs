use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;

use bytes::Bytes;
use feeds::{Broken, Entry, Feed, Format};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::bytes::Incoming;

/// How many rows go on together.
pub(crate) const CHUNK: usize = 100;

/// How many pieces of a feed, and how many chunks of rows, wait to be worked on.
const BYTES_WAITING: usize = 4;
const ROWS_WAITING: usize = 2;

/// What comes of reading a feed.
pub(crate) enum Parsed {
    /// Rows, and how many came before the first of them.
    Rows(u64, Vec<Entry>),
    /// There are no more.
    End(End),
}

/// What is known when a feed has been read.
pub(crate) struct End {
    /// Columns or elements that nothing was made of.
    pub(crate) ignored: BTreeSet<String>,
    /// Why there are no more rows, if it is not that the feed has ended.
    pub(crate) ending: Option<Ending>,
    /// The products that it has; none if that cannot be said of all of them.
    pub(crate) products: Option<Products>,
}

/// Which products a feed has, by eight bytes for each.
pub(crate) struct Products {
    hashes: HashSet<u64>,
    by: RandomState,
}

impl Products {
    /// Whether the feed has it. Of very many that it does not have it may be said that
    /// it does.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.hashes.contains(&self.by.hash_one(id))
    }

    fn add(&mut self, id: &str) {
        self.hashes.insert(self.by.hash_one(id));
    }
}

/// Why there are no more rows, if it is not that the feed has ended.
pub(crate) enum Ending {
    /// The feed is not what it should be; in words for the caller.
    Broken(String),
    /// The bytes stopped coming.
    BrokeOff,
}

/// Reads a feed on a thread of its own, as it comes: the first channel takes its
/// bytes, the second gives its rows but for the first `skip`. When either is
/// dropped the thread ends.
pub(crate) fn read(
    format: Format,
    charset: Option<String>,
    skip: u64,
) -> (Sender<std::io::Result<Bytes>>, Receiver<Parsed>) {
    let (bytes, incoming) = channel(BYTES_WAITING);
    let (rows, parsed) = channel(ROWS_WAITING);
    tokio::task::spawn_blocking(move || {
        let ended = parse(format, charset.as_deref(), skip, incoming, &rows);
        if let Some(end) = ended {
            // Nobody waits for it any more if this fails.
            drop(rows.blocking_send(Parsed::End(end)));
        }
    });
    (bytes, parsed)
}

/// None if nobody wants the rows any more.
fn parse(
    format: Format,
    charset: Option<&str>,
    skip: u64,
    incoming: Receiver<std::io::Result<Bytes>>,
    rows: &Sender<Parsed>,
) -> Option<End> {
    let opened = Incoming::unpacked(incoming).map_err(Broken::Read);
    let mut feed = match opened.and_then(|bytes| Feed::open(format, bytes, charset)) {
        Ok(feed) => feed,
        Err(broken) => {
            return Some(End { ignored: BTreeSet::new(), ending: Some(ending(broken)), products: None });
        }
    };
    let mut products = Some(Products { hashes: HashSet::new(), by: RandomState::new() });
    let (mut number, mut chunk, mut broken) = (0, Vec::with_capacity(CHUNK), None);
    for entry in feed.by_ref() {
        let id = match &entry {
            Ok(Entry::Row(row)) => Some(row.id.as_str()),
            Ok(Entry::Faulty(fault)) => {
                // A row that does not say of which product it is may be of any.
                products = products.filter(|_| fault.id.is_some());
                fault.id.as_deref()
            }
            Ok(Entry::Category(_)) | Err(_) => None,
        };
        if let (Some(products), Some(id)) = (&mut products, id) {
            products.add(id);
        }
        match entry {
            Ok(_) if number < skip => number += 1,
            Ok(entry) => chunk.push(entry),
            Err(error) => broken = Some(ending(error)),
        }
        if chunk.len() == CHUNK {
            rows.blocking_send(Parsed::Rows(number, std::mem::take(&mut chunk))).ok()?;
            number += CHUNK as u64;
        }
    }
    if !chunk.is_empty() {
        rows.blocking_send(Parsed::Rows(number, chunk)).ok()?;
    }
    let products = products.filter(|products| !products.hashes.is_empty());
    Some(End { ignored: feed.ignored().clone(), ending: broken, products })
}

fn ending(broken: Broken) -> Ending {
    match broken {
        Broken::Content { .. } => Ending::Broken(format!("the feed {broken}")),
        Broken::Read(error) if error.kind() == ErrorKind::FileTooLarge => {
            Ending::Broken("the feed has more than 1 GB".to_owned())
        }
        // What unpacks says so of a file that was not packed as it should be.
        Broken::Read(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::InvalidData) => {
            Ending::Broken("the feed could not be unpacked".to_owned())
        }
        Broken::Read(_) => Ending::BrokeOff,
    }
}
