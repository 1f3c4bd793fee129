//! The tables themselves.

use crate::template::Table;
use anyhow::bail;
use dynoxide::DynoxideError;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::actions::{self, describe_table::DescribeTableRequest};
use dynoxide::storage::Storage;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Creates the table if it is not there.
///
/// # Errors
/// It is there with other keys or indexes.
pub(super) fn ensure(storage: &Storage, table: &Table) -> anyhow::Result<()> {
    let name = &table.table_name;
    match storage.get_table_metadata(name)? {
        Some(there) => {
            let keys: Value = serde_json::from_str(&there.key_schema)?;
            let read = |text: &Option<String>| text.as_deref().map_or(Ok(Value::Null), serde_json::from_str);
            let (global, local) = (read(&there.gsi_definitions)?, read(&there.lsi_definitions)?);
            let wanted = &table.create;
            let same = shape(&keys, &global, &local)
                == shape(&wanted["KeySchema"], &wanted["GlobalSecondaryIndexes"], &wanted["LocalSecondaryIndexes"])
                && there.stream_view_type == table.stream_view_type;
            if !same {
                bail!("table {name} in the data folder is not the template's any more: start anew with --fresh");
            }
        }
        None => {
            let request = serde_json::from_value(table.create.clone())?;
            pollster::block_on(actions::create_table::execute(storage, request))
                .map_err(|e| anyhow::anyhow!("resource {}: {e}", table.logical_id))?;
        }
    }
    if let Some(attribute) = &table.ttl_attribute {
        let request = json!({
            "TableName": name,
            "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
        });
        // That it is on already is the only complaint there can be.
        let _ = pollster::block_on(actions::update_time_to_live::execute(storage, serde_json::from_value(request)?));
    }
    Ok(())
}

/// Keys and indexes, comparable.
fn shape(keys: &Value, global: &Value, local: &Value) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let keys_of = |keys: &Value| {
        let mut names = Vec::new();
        for key in keys.as_array().into_iter().flatten() {
            names.push(format!("{} {}", key["KeyType"].as_str().unwrap_or_default(), key["AttributeName"]));
        }
        names
    };
    let indexes = [global, local].into_iter().filter_map(Value::as_array).flatten();
    let indexes = indexes.map(|index| (index["IndexName"].to_string(), keys_of(&index["KeySchema"]))).collect();
    (keys_of(keys), indexes)
}

/// What is told of a table: that it is there, and how many items it has. The engine would
/// measure each of its indexes too, which takes longer the more is in them.
pub(super) fn described(storage: &Storage, request: &DescribeTableRequest) -> Result<Value, DynoxideError> {
    let name = &request.table_name;
    if storage.get_table_metadata(name)?.is_none() {
        let message = format!("Requested resource not found: Table: {name} not found");
        return Err(DynoxideError::ResourceNotFoundException(message));
    }
    let count = storage.count_items(name)?;
    Ok(json!({ "Table": { "TableName": name, "TableStatus": "ACTIVE", "ItemCount": count } }))
}

/// A parallel scan goes by the hashes of keys, for which the engine has no index: it would
/// sort the table for each page. Made when the first such scan comes, as it costs each write.
pub(super) fn ready_for_scan(
    storage: &Storage,
    beside: &Connection,
    request: &ScanRequest,
) -> Result<(), DynoxideError> {
    let name = &request.table_name;
    let by_hash = request.total_segments.is_some() && request.index_name.is_none();
    if by_hash && storage.get_table_metadata(name)?.is_some() {
        // A table that is there has a name without quotes.
        let made = beside.execute_batch(&format!(
            "CREATE INDEX IF NOT EXISTS \"{name} by hash\" ON \"{name}\" (hash_prefix, pk, sk)"
        ));
        made.map_err(|e| DynoxideError::InternalServerError(e.to_string()))?;
    }
    Ok(())
}

/// How many items each of these tables has.
pub(super) fn counts(storage: &Storage, table_names: Vec<String>) -> BTreeMap<String, u64> {
    let count = |name: &str| storage.count_items(name).ok().and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
    table_names.into_iter().map(|name| (name.clone(), count(&name))).collect()
}
