//! The tables, from the template on.

mod capacity;
mod expiry;
mod indexes;
mod scans;

use super::{Answer, DynamoDb};
use crate::clock::Clock;
use crate::template;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One table with an index of each kind, a stream and expiry.
const TEMPLATE: &str = "
Resources:
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - { AttributeName: owner, AttributeType: S }
        - { AttributeName: id, AttributeType: S }
        - { AttributeName: group, AttributeType: S }
        - { AttributeName: made, AttributeType: N }
      KeySchema:
        - { AttributeName: owner, KeyType: HASH }
        - { AttributeName: id, KeyType: RANGE }
      GlobalSecondaryIndexes:
        - IndexName: by-group
          KeySchema: [{ AttributeName: group, KeyType: HASH }]
          Projection: { ProjectionType: INCLUDE, NonKeyAttributes: [shown] }
      LocalSecondaryIndexes:
        - IndexName: by-made
          KeySchema:
            - { AttributeName: owner, KeyType: HASH }
            - { AttributeName: made, KeyType: RANGE }
          Projection: { ProjectionType: KEYS_ONLY }
      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }
      TimeToLiveSpecification: { AttributeName: expires, Enabled: true }
";

const TABLE: &str = "stack-Things";

struct World {
    db: DynamoDb,
    clock: Arc<Clock>,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yaml");
    std::fs::write(&file, TEMPLATE).unwrap();
    let description = template::read(&file, &BTreeMap::new(), "stack", "http://127.0.0.1").unwrap();
    let clock = Arc::new(Clock::open(folder.path().join("clock")).unwrap());
    let db = DynamoDb::open(None, &description.tables, Arc::clone(&clock)).unwrap();
    World { db, clock, _folder: folder }
}

impl World {
    async fn call(&self, operation: &str, mut body: Value) -> Answer {
        if !operation.starts_with("Batch") && !operation.starts_with("Transact") {
            body["TableName"] = json!(TABLE);
        }
        self.db.call(operation.to_owned(), body.to_string().into(), &[TABLE.to_owned()]).await
    }

    /// As [`World::call`], and it goes well.
    async fn done(&self, operation: &str, body: Value) -> Value {
        let answer = self.call(operation, body).await;
        assert_eq!(answer.status, 200, "{operation}: {}", answer.json);
        serde_json::from_str(&answer.json).unwrap()
    }

    /// Read and write units that an operation took.
    async fn units(&self, operation: &str, body: Value) -> (f64, f64) {
        let consumed = self.call(operation, body).await.consumed;
        assert!(consumed.iter().all(|of| of.table == TABLE));
        consumed.iter().fold((0.0, 0.0), |(read, write), of| (read + of.read, write + of.write))
    }
}

fn key(id: &str) -> Value {
    json!({"owner": {"S": "o"}, "id": {"S": id}})
}

/// An item with a text of so many bytes, and whatever else.
fn item(id: &str, bytes: usize, more: &Value) -> Value {
    let mut item = key(id);
    item["text"] = json!({"S": "x".repeat(bytes)});
    for (name, value) in more.as_object().into_iter().flatten() {
        item[name] = value.clone();
    }
    item
}
