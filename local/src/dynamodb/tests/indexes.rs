//! Indexes of the template.

use super::{item, world};
use serde_json::{Value, json};

#[tokio::test]
async fn a_local_index_orders_by_its_own_attribute() {
    let world = world();
    for (id, made) in [("a", "30"), ("b", "4"), ("c", "200")] {
        world.done("PutItem", json!({"Item": item(id, 0, &json!({"made": {"N": made}}))})).await;
    }
    world.done("PutItem", json!({"Item": item("d", 0, &Value::Null)})).await;
    let query = json!({
        "IndexName": "by-made", "KeyConditionExpression": "#o = :o AND made > :m", "ConsistentRead": true,
        "ExpressionAttributeNames": {"#o": "owner"},
        "ExpressionAttributeValues": {":o": {"S": "o"}, ":m": {"N": "5"}},
    });
    let found = world.done("Query", query).await;
    let ids: Vec<&Value> = found["Items"].as_array().unwrap().iter().map(|item| &item["id"]["S"]).collect();
    assert_eq!(ids, ["a", "c"]);
    assert_eq!(found["Items"][0].get("text"), None, "keys only");
}
