//! The figures are those of AWS's documents.

use super::{TABLE, item, key, world};
use serde_json::{Value, json};

fn put(id: &str, bytes: usize, more: &Value) -> Value {
    json!({"Item": item(id, bytes, more)})
}

const NOTHING: Value = Value::Null;

#[tokio::test]
async fn each_kilobyte_begun_is_a_write_unit() {
    let world = world();
    for (bytes, units) in [(0, 1.0), (1000, 1.0), (1024, 2.0), (3000, 3.0)] {
        assert_eq!(world.units("PutItem", put(&bytes.to_string(), bytes, &NOTHING)).await, (0.0, units), "{bytes}");
    }
}

#[tokio::test]
async fn the_larger_of_before_and_after_is_written() {
    let world = world();
    world.done("PutItem", put("a", 3000, &NOTHING)).await;
    let shrink = json!({
        "Key": key("a"), "UpdateExpression": "SET #t = :t",
        "ExpressionAttributeNames": {"#t": "text"}, "ExpressionAttributeValues": {":t": {"S": ""}},
    });
    assert_eq!(world.units("UpdateItem", shrink.clone()).await, (0.0, 3.0));
    assert_eq!(world.units("UpdateItem", shrink).await, (0.0, 1.0));
    world.done("PutItem", put("a", 2500, &NOTHING)).await;
    assert_eq!(world.units("DeleteItem", json!({"Key": key("a")})).await, (0.0, 3.0));
    assert_eq!(world.units("DeleteItem", json!({"Key": key("a")})).await, (0.0, 1.0), "nothing there");
}

#[tokio::test]
async fn an_index_is_written_when_what_it_shows_changes() {
    let world = world();
    let check = async |more: Value, units: f64, why: &str| {
        assert_eq!(world.units("PutItem", put("a", 0, &more)).await, (0.0, units), "{why}");
    };
    check(json!({}), 1.0, "in no index").await;
    check(json!({"group": {"S": "g"}}), 2.0, "into the index").await;
    check(json!({"group": {"S": "g"}, "other": {"S": "o"}}), 1.0, "not projected").await;
    check(json!({"group": {"S": "g"}, "shown": {"S": "s"}}), 2.0, "projected").await;
    check(json!({"group": {"S": "h"}, "shown": {"S": "s"}}), 3.0, "out here and in there").await;
    check(json!({"group": {"S": "h"}, "shown": {"S": "s"}}), 1.0, "the same again").await;
    check(json!({"made": {"N": "1"}}), 3.0, "out of one index and into the local one").await;
    check(json!({"made": {"N": "2"}}), 3.0, "moved in the local one").await;
    assert_eq!(world.units("DeleteItem", json!({"Key": key("a")})).await, (0.0, 2.0));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_costs_what_is_there() {
    let world = world();
    let mut new = put("a", 5000, &NOTHING);
    new["ConditionExpression"] = json!("attribute_exists(id)");
    assert_eq!(world.units("PutItem", new.clone()).await, (0.0, 1.0), "nothing there");
    world.done("PutItem", put("a", 2500, &NOTHING)).await;
    new["ConditionExpression"] = json!("attribute_not_exists(id)");
    assert_eq!(world.units("PutItem", new).await, (0.0, 3.0));
    let delete = json!({"Key": key("a"), "ConditionExpression": "attribute_exists(nothing)"});
    assert_eq!(world.units("DeleteItem", delete).await, (0.0, 3.0));
    let wrong = json!({"Key": key("a"), "UpdateExpression": "SET"});
    assert_eq!(world.units("UpdateItem", wrong).await, (0.0, 0.0), "refused before anything was read");
}

#[tokio::test]
async fn a_transaction_costs_twice_but_its_indexes_once() {
    let world = world();
    world.done("PutItem", put("old", 2500, &NOTHING)).await;
    let put = |id: &str, bytes, more: &Value| json!({"Put": {"TableName": TABLE, "Item": item(id, bytes, more)}});
    let mut transaction = json!({
        "TransactItems": [
            put("a", 1500, &NOTHING),
            put("b", 0, &json!({"group": {"S": "g"}})),
            {"ConditionCheck": {"TableName": TABLE, "Key": key("old"), "ConditionExpression": "attribute_exists(id)"}},
        ],
        "ClientRequestToken": "t",
    });
    assert_eq!(world.units("TransactWriteItems", transaction.clone()).await, (0.0, 4.0 + 3.0 + 6.0));
    assert_eq!(world.units("TransactWriteItems", transaction.clone()).await, (6.0, 0.0), "the token is known");
    transaction["TransactItems"][2]["ConditionCheck"]["ConditionExpression"] = json!("attribute_not_exists(id)");
    transaction["ClientRequestToken"] = json!("u");
    assert_eq!(world.units("TransactWriteItems", transaction).await, (0.0, 4.0 + 2.0 + 6.0), "cancelled");
    let get = json!({"TransactItems": [
        {"Get": {"TableName": TABLE, "Key": key("a")}}, {"Get": {"TableName": TABLE, "Key": key("none")}},
    ]});
    assert_eq!(world.units("TransactGetItems", get).await, (4.0, 0.0));
}

#[tokio::test]
async fn each_4_kilobytes_begun_are_a_read_unit_and_half_if_eventually_consistent() {
    let world = world();
    world.done("PutItem", put("a", 5000, &NOTHING)).await;
    let get = |id: &str, consistent: bool| json!({"Key": key(id), "ConsistentRead": consistent});
    assert_eq!(world.units("GetItem", get("a", true)).await, (2.0, 0.0));
    assert_eq!(world.units("GetItem", get("a", false)).await, (1.0, 0.0));
    assert_eq!(world.units("GetItem", get("none", false)).await, (0.5, 0.0));
    let batch = json!({"RequestItems": {TABLE: {"Keys": [key("a"), key("none")], "ConsistentRead": true}}});
    assert_eq!(world.units("BatchGetItem", batch).await, (3.0, 0.0), "each item is rounded alone");
}

#[tokio::test]
async fn a_query_sums_before_it_rounds_and_counts_what_its_filter_leaves_out() {
    let world = world();
    for id in ["a", "b", "c"] {
        world.done("PutItem", put(id, 2000, &json!({"group": {"S": "g"}}))).await;
    }
    let query = |more: Value| {
        let mut query = json!({
            "KeyConditionExpression": "#o = :o", "ConsistentRead": true,
            "ExpressionAttributeNames": {"#o": "owner"}, "ExpressionAttributeValues": {":o": {"S": "o"}},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            query[name] = value.clone();
        }
        query
    };
    assert_eq!(world.units("Query", query(NOTHING)).await, (2.0, 0.0));
    let filter = json!({"FilterExpression": "attribute_exists(nothing)"});
    assert_eq!(world.units("Query", query(filter)).await, (2.0, 0.0));
    assert_eq!(world.units("Query", query(json!({"Select": "COUNT"}))).await, (2.0, 0.0));
    let none = json!({"ExpressionAttributeValues": {":o": {"S": "none"}}, "ConsistentRead": false});
    assert_eq!(world.units("Query", query(none)).await, (0.5, 0.0));
    let index = json!({
        "IndexName": "by-group", "KeyConditionExpression": "#g = :g",
        "ExpressionAttributeNames": {"#g": "group"}, "ExpressionAttributeValues": {":g": {"S": "g"}},
    });
    assert_eq!(world.units("Query", index).await, (0.5, 0.0), "only what the index shows");
}

#[tokio::test]
async fn a_batch_of_writes_costs_what_each_of_them_costs() {
    let world = world();
    world.done("PutItem", put("old", 2500, &NOTHING)).await;
    let batch = json!({"RequestItems": {TABLE: [
        {"PutRequest": {"Item": item("a", 1500, &NOTHING)}},
        {"PutRequest": {"Item": item("b", 0, &json!({"group": {"S": "g"}}))}},
        {"DeleteRequest": {"Key": key("old")}},
    ]}});
    assert_eq!(world.units("BatchWriteItem", batch).await, (0.0, 2.0 + 2.0 + 3.0));
}

#[tokio::test]
async fn only_who_asks_is_told() {
    let world = world();
    let mut put = put("a", 0, &json!({"group": {"S": "g"}}));
    assert_eq!(world.done("PutItem", put.clone()).await, json!({}));
    put["ReturnConsumedCapacity"] = json!("NONE");
    assert_eq!(world.done("PutItem", put.clone()).await, json!({}));
    put["Item"]["group"] = json!({"S": "h"});
    put["ReturnConsumedCapacity"] = json!("INDEXES");
    let told = world.done("PutItem", put).await;
    assert_eq!(told["ConsumedCapacity"]["CapacityUnits"], 3.0);
    assert_eq!(told["ConsumedCapacity"]["GlobalSecondaryIndexes"]["by-group"]["CapacityUnits"], 2.0);
}
