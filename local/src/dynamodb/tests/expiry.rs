//! Items that expire.

use super::{TABLE, item, key, world};
use serde_json::json;

#[tokio::test]
async fn an_item_expires_by_the_bundles_clock() {
    let world = world();
    let second = world.clock.now_ms() / 1000;
    for (id, expires) in [("soon", json!({"N": (second + 3600).to_string()})), ("never", json!({"S": "3600"}))] {
        world.done("PutItem", json!({"Item": item(id, 0, &json!({"expires": expires}))})).await;
    }
    world.db.sweep().await;
    let there = async |id: &str| world.done("GetItem", json!({"Key": key(id)})).await.get("Item").is_some();
    assert!(there("soon").await);
    world.clock.advance(3_700_000).unwrap();
    world.db.sweep().await;
    assert!(!there("soon").await && there("never").await);
}

#[tokio::test]
async fn an_expiry_is_in_the_stream_as_dynamodbs_own_removal() {
    let world = world();
    let expires = json!({"expires": {"N": (world.clock.now_ms() / 1000 + 60).to_string()}});
    world.done("PutItem", json!({"Item": item("a", 0, &expires)})).await;
    world.clock.advance(120_000).unwrap();
    let signalled = world.db.signal(TABLE).unwrap().writes();
    world.db.sweep().await;
    assert!(world.db.signal(TABLE).unwrap().writes() > signalled);
    let records = world.db.records(TABLE, 0, 10).await.unwrap();
    let removal = &records[1].json;
    assert_eq!((&removal["eventName"], &removal["dynamodb"]["Keys"]), (&json!("REMOVE"), &key("a")));
    assert_eq!(removal["userIdentity"], json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"}));
    assert_eq!(removal["dynamodb"]["OldImage"]["expires"], expires["expires"]);
    assert_eq!(removal["dynamodb"].get("NewImage"), None);
    assert_eq!(records[0].json.get("userIdentity"), None);
}
