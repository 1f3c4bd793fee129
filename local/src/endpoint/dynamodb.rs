//! A DynamoDB call: which tables it names and what it wants of them.

use super::{amz_json, json};
use crate::dynamodb::{Consumed, DynamoDb};
use crate::iam::Wanted;
use crate::names;
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

pub(super) struct Prepared {
    pub(super) operation: String,
    body: Bytes,
    /// What it does to which table or index, as IAM names it.
    targets: Vec<Target>,
}

struct Target {
    action: String,
    table: String,
    index: Option<String>,
}

/// What of a request says where it goes; the rest is the engine's.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    table_name: Option<String>,
    index_name: Option<String>,
    request_items: Option<BTreeMap<String, IgnoredAny>>,
    transact_items: Option<Vec<BTreeMap<String, InTransaction>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InTransaction {
    table_name: String,
}

pub(super) fn prepare(operation: &str, body: Bytes) -> Result<Prepared, Box<Response>> {
    let named: Named = serde_json::from_slice(&body).map_err(|_| {
        amz_json(
            StatusCode::BAD_REQUEST,
            "com.amazon.coral.service#SerializationException",
            "the body is not understood",
        )
    })?;
    let target = |action: &str, table: String, index| Target {
        action: format!("dynamodb:{action}"),
        table: names::last(&table, '/').to_owned(),
        index,
    };
    let mut targets = Vec::new();
    if let Some(table) = named.table_name {
        targets.push(target(operation, table, named.index_name));
    }
    for table in named.request_items.into_iter().flatten().map(|(table, _)| table) {
        targets.push(target(operation, table, None));
    }
    for (kind, item) in named.transact_items.into_iter().flatten().flatten() {
        // A transaction needs the rights of what is in it.
        let action = match kind.as_str() {
            "Put" => "PutItem",
            "Update" => "UpdateItem",
            "Delete" => "DeleteItem",
            "Get" => "GetItem",
            _ => "ConditionCheckItem",
        };
        targets.push(target(action, item.table_name, None));
    }
    Ok(Prepared { operation: operation.to_owned(), body, targets })
}

impl Prepared {
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let wanted = self.targets.iter().map(|target| {
            let table = names::table_arn(&target.table);
            Wanted {
                action: target.action.clone(),
                resource: target.index.as_ref().map_or(table.clone(), |index| format!("{table}/index/{index}")),
                context: Vec::new(),
            }
        });
        wanted.collect()
    }

    /// The answer, and what it took of the tables.
    pub(super) async fn carry_out(self, tables: &DynamoDb) -> (Response, Vec<Consumed>) {
        let names: Vec<String> = self.targets.into_iter().map(|target| target.table).collect();
        let answer = tables.call(self.operation, self.body, &names).await;
        let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (json(status, answer.json), answer.consumed)
    }
}
