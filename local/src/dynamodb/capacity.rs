//! What an operation costs in request units, as AWS bills it.
//!
//! What was carried out the engine measures itself. What AWS bills beyond that is here: a write
//! whose condition does not hold, and a transaction that is cancelled or asked for again. See
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>.

use super::Engine;
use dynoxide::DynoxideError;
use dynoxide::actions::get_item::GetItemRequest;
use dynoxide::actions::{batch_get_item, batch_write_item, delete_item, get_item, put_item, query, scan};
use dynoxide::actions::{transact_get_items, transact_write_items, update_item};
use dynoxide::types::{ConsumedCapacity, Item, KeySchemaElement, item_size, write_capacity_units};
use serde::Deserialize;
use std::collections::HashMap;

/// A transaction costs twice what its writes cost alone.
const IN_TRANSACTION: f64 = 2.0;

/// Units that one operation took of one table and its indexes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Consumed {
    /// The table's name, as calls have it.
    pub(crate) table: String,
    /// Read request units.
    pub(crate) read: f64,
    /// Write request units.
    pub(crate) write: f64,
}

impl Consumed {
    fn reading(table: &str, units: f64) -> Self {
        Self { table: table.to_owned(), read: units, write: 0.0 }
    }

    fn writing(table: &str, units: f64) -> Self {
        Self { table: table.to_owned(), read: 0.0, write: units }
    }
}

/// A request that may ask what it takes.
pub(super) trait Asks {
    fn mode(&mut self) -> &mut Option<String>;
}

/// An answer that may tell what was taken.
pub(super) trait Tells {
    /// Whether it is writing that was done.
    const WRITES: bool;

    fn told(&self) -> &[ConsumedCapacity];
    fn forget(&mut self);
}

macro_rules! operations {
    ($($module:ident: $request:ident, $response:ident, $writes:literal;)*) => {$(
        impl Asks for $module::$request {
            fn mode(&mut self) -> &mut Option<String> {
                &mut self.return_consumed_capacity
            }
        }

        impl Tells for $module::$response {
            const WRITES: bool = $writes;

            fn told(&self) -> &[ConsumedCapacity] {
                self.consumed_capacity.all()
            }

            fn forget(&mut self) {
                self.consumed_capacity = None;
            }
        }
    )*};
}

operations! {
    get_item: GetItemRequest, GetItemResponse, false;
    put_item: PutItemRequest, PutItemResponse, true;
    update_item: UpdateItemRequest, UpdateItemResponse, true;
    delete_item: DeleteItemRequest, DeleteItemResponse, true;
    query: QueryRequest, QueryResponse, false;
    scan: ScanRequest, ScanResponse, false;
    batch_get_item: BatchGetItemRequest, BatchGetItemResponse, false;
    batch_write_item: BatchWriteItemRequest, BatchWriteItemResponse, true;
    transact_get_items: TransactGetItemsRequest, TransactGetItemsResponse, false;
    transact_write_items: TransactWriteItemsRequest, TransactWriteItemsResponse, true;
}

/// One table's, or several tables'.
trait All {
    fn all(&self) -> &[ConsumedCapacity];
}

impl All for Option<ConsumedCapacity> {
    fn all(&self) -> &[ConsumedCapacity] {
        self.as_slice()
    }
}

impl All for Option<Vec<ConsumedCapacity>> {
    fn all(&self) -> &[ConsumedCapacity] {
        self.as_deref().unwrap_or_default()
    }
}

/// Lets the engine tell what the request takes. Whether the caller wants to know is answered.
pub(super) fn always(request: &mut impl Asks) -> bool {
    let mode = request.mode();
    if matches!(mode.as_deref(), None | Some("NONE")) {
        *mode = Some("TOTAL".to_owned());
        return false;
    }
    true
}

/// Notes what was taken, and leaves it in the answer if the caller wants to know.
pub(super) fn taken<T: Tells>(mut done: T, keep: bool, consumed: &mut Vec<Consumed>) -> T {
    consumed.extend(done.told().iter().map(|of| match T::WRITES {
        true => Consumed::writing(&of.table_name, of.capacity_units),
        false => Consumed::reading(&of.table_name, of.capacity_units),
    }));
    if !keep {
        done.forget();
    }
    done
}

/// Whether AWS bills the attempt all the same.
pub(super) fn is_billed(error: &DynoxideError) -> bool {
    matches!(
        error,
        DynoxideError::ConditionalCheckFailedException(..) | DynoxideError::TransactionCanceledException(..)
    )
}

/// A write of one item, by what it is about.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Write {
    table_name: String,
    /// A put names its key with the rest of the item.
    #[serde(alias = "Key")]
    item: Item,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    /// One entry each, by kind: `{"Put": …}`.
    transact_items: Vec<HashMap<String, Write>>,
}

/// What a write took whose condition did not hold: what it would have replaced, or one unit.
pub(super) fn refused(engine: &Engine, body: &[u8]) -> Option<Consumed> {
    let write: Write = serde_json::from_slice(body).ok()?;
    Some(Consumed::writing(&write.table_name, engine.units_there(&write)))
}

/// What a transaction took that came to nothing.
pub(super) fn cancelled(engine: &Engine, body: &[u8]) -> Vec<Consumed> {
    let taken = writes(body).map(|write| {
        let units = IN_TRANSACTION * engine.units_there(&write);
        Consumed::writing(&write.table_name, units)
    });
    taken.collect()
}

/// What a transaction takes that is asked for again with the same token: its items are read. They
/// are taken to be small; one that is larger than 4 KB costs two units more for each of them.
pub(super) fn asked_again(body: &[u8]) -> impl Iterator<Item = Consumed> {
    writes(body).map(|write| Consumed::reading(&write.table_name, IN_TRANSACTION))
}

fn writes(body: &[u8]) -> impl Iterator<Item = Write> {
    let read: Option<Transaction> = serde_json::from_slice(body).ok();
    read.into_iter().flat_map(|read| read.transact_items).flat_map(HashMap::into_values)
}

impl Engine {
    /// Write units of the item that is there now, at least one.
    fn units_there(&self, write: &Write) -> f64 {
        let there = self.there(write);
        write_capacity_units(there.as_ref().map_or(0, item_size))
    }

    fn there(&self, write: &Write) -> Option<Item> {
        let metadata = self.storage.get_table_metadata(&write.table_name).ok()??;
        let keys: Vec<KeySchemaElement> = serde_json::from_str(&metadata.key_schema).ok()?;
        let names = keys.into_iter().map(|key| key.attribute_name);
        let key = names.map(|name| Some((name.clone(), write.item.get(&name)?.clone()))).collect::<Option<_>>()?;
        let request = GetItemRequest { table_name: write.table_name.clone(), key, ..Default::default() };
        pollster::block_on(get_item::execute(&self.storage, request)).ok()?.item
    }
}
