//! `AWS::DynamoDB::Table`.

use super::{Properties, Stack, Table};
use serde_json::{Map, Value};

/// What `CreateTable` takes as the template writes it.
const CREATE: &[&str] = &["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"];

impl Stack {
    pub(super) fn table(&self, logical_id: &str, properties: Properties<'_>) -> Result<Table, String> {
        let table_name = self.named(logical_id, "TableName")?;
        let stream_view_type = properties.within("StreamSpecification").text("StreamViewType").map(str::to_owned);
        let mut create = Map::new();
        create.insert("TableName".to_owned(), Value::String(table_name.clone()));
        create.insert("BillingMode".to_owned(), Value::String("PAY_PER_REQUEST".to_owned()));
        for name in CREATE {
            if let Some(value) = properties.get(name) {
                create.insert((*name).to_owned(), value.clone());
            }
        }
        if let Some(Value::Array(indexes)) = create.get_mut("GlobalSecondaryIndexes") {
            // Limits of throughput mean nothing here.
            for index in indexes.iter_mut().filter_map(Value::as_object_mut) {
                index.retain(|key, _| matches!(key.as_str(), "IndexName" | "KeySchema" | "Projection"));
            }
        }
        if let Some(view) = &stream_view_type {
            create.insert(
                "StreamSpecification".to_owned(),
                serde_json::json!({"StreamEnabled": true, "StreamViewType": view}),
            );
        }
        let ttl = properties.within("TimeToLiveSpecification");
        Ok(Table {
            logical_id: logical_id.to_owned(),
            name: self.short_name(logical_id, &table_name),
            table_name,
            create: Value::Object(create),
            stream_view_type,
            ttl_attribute: ttl.text("AttributeName").filter(|_| ttl.flag("Enabled") == Some(true)).map(str::to_owned),
        })
    }
}
