//! How often which operation of AWS was called, and what AWS would bill for it.

use crate::dynamodb::Consumed;
use crate::state::Units;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// SQS bills a request for each of this many bytes.
const CHUNK_BYTES: usize = 64 * 1024;
/// Most messages that one request of a mapping receives or deletes.
const BATCH: usize = 10;

/// Counts since the start, in all and by function.
#[derive(Default)]
pub(crate) struct Calls(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    all: BTreeMap<String, u64>,
    by_function: BTreeMap<String, Billed>,
    /// By table name.
    tables: BTreeMap<String, Units>,
}

/// What one function asked of AWS.
#[derive(Debug, Clone, Default)]
pub(crate) struct Billed {
    /// By `service.Operation`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// By table name.
    pub(crate) tables: BTreeMap<String, Units>,
    /// Requests to SQS that it made.
    pub(crate) sqs_requests: u64,
    /// Requests to SQS that its mappings made for it.
    pub(crate) sqs_polls: u64,
    /// Messages that its mappings brought it, each as often as it came.
    pub(crate) sqs_messages: u64,
}

impl Calls {
    pub(crate) fn count(&self, service: &str, operation: &str, function: Option<&str>) {
        let name = format!("{service}.{operation}");
        let mut counted = self.lock();
        if let Some(function) = function {
            *counted.of(function).calls.entry(name.clone()).or_default() += 1;
        }
        *counted.all.entry(name).or_default() += 1;
    }

    /// What an operation took of the tables.
    pub(crate) fn consumed(&self, consumed: &[Consumed], function: Option<&str>) {
        if consumed.is_empty() {
            return;
        }
        let mut counted = self.lock();
        for of in consumed {
            if let Some(function) = function {
                add(&mut counted.of(function).tables, of);
            }
            add(&mut counted.tables, of);
        }
    }

    /// A request to SQS with so many bytes of messages.
    pub(crate) fn sqs(&self, bytes: usize, function: Option<&str>) {
        if let Some(function) = function {
            self.lock().of(function).sqs_requests += requests(bytes);
        }
    }

    /// What a mapping asked of SQS for one batch: to receive the messages, ten at a time, and to
    /// delete those that were done. The polls that bring nothing are not in it: their number
    /// depends on the time alone.
    pub(crate) fn polled(&self, function: &str, messages: usize, bytes: usize, done: usize) {
        let received = requests(bytes).max(messages.div_ceil(BATCH) as u64);
        let mut counted = self.lock();
        let billed = counted.of(function);
        billed.sqs_polls += received + done.div_ceil(BATCH) as u64;
        billed.sqs_messages += messages as u64;
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.lock().all.clone()
    }

    pub(crate) fn of(&self, function: &str) -> Billed {
        self.lock().by_function.get(function).cloned().unwrap_or_default()
    }

    /// By table name, whoever asked.
    pub(crate) fn tables(&self) -> BTreeMap<String, Units> {
        self.lock().tables.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn of(&mut self, function: &str) -> &mut Billed {
        self.by_function.entry(function.to_owned()).or_default()
    }
}

fn add(tables: &mut BTreeMap<String, Units>, of: &Consumed) {
    let units = tables.entry(of.table.clone()).or_default();
    units.read_units += of.read;
    units.write_units += of.write;
}

/// What SQS bills for so many bytes: at least one request.
fn requests(bytes: usize) -> u64 {
    bytes.div_ceil(CHUNK_BYTES).max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_64_kb_of_messages_is_a_request() {
        assert_eq!([0, 1, 65_536, 65_537, 262_144].map(requests), [1, 1, 1, 2, 4]);
        let calls = Calls::default();
        calls.sqs(70_000, Some("a"));
        calls.sqs(70_000, None);
        assert_eq!(calls.of("a").sqs_requests, 2);
    }

    #[test]
    fn a_batch_of_a_mapping_is_received_and_deleted_ten_at_a_time() {
        let calls = Calls::default();
        calls.polled("a", 25, 1_000, 25);
        assert_eq!(calls.of("a").sqs_polls, 6);
        calls.polled("a", 1, 200_000, 0);
        assert_eq!(calls.of("a").sqs_polls, 10);
        assert_eq!(calls.of("a").sqs_messages, 26);
    }

    #[test]
    fn units_are_summed_by_function_and_by_table() {
        let calls = Calls::default();
        let read = |units| Consumed { table: "t".to_owned(), read: units, write: 0.0 };
        calls.consumed(&[read(0.5), read(1.0)], Some("a"));
        calls.consumed(&[Consumed { table: "t".to_owned(), read: 0.0, write: 3.0 }], None);
        assert_eq!(calls.of("a").tables["t"], Units { read_units: 1.5, write_units: 0.0 });
        assert_eq!(calls.tables()["t"], Units { read_units: 1.5, write_units: 3.0 });
    }
}
