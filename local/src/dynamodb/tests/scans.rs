//! Scans in parts, and what is told of a table.

use super::{TABLE, world};
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn the_parts_of_a_scan_have_every_item_once_and_those_of_one_key_side_by_side() {
    const PARTS: u32 = 5;
    let world = world();
    for number in 0..60 {
        let item = json!({"owner": {"S": format!("o{}", number % 20)}, "id": {"S": number.to_string()}});
        world.done("PutItem", json!({"Item": item})).await;
    }
    let mut seen = BTreeSet::new();
    for part in 0..PARTS {
        let mut scan = json!({"Segment": part, "TotalSegments": PARTS, "Limit": 4, "ConsistentRead": true});
        let mut owners: Vec<String> = Vec::new();
        loop {
            let page = world.done("Scan", scan.clone()).await;
            for item in page["Items"].as_array().unwrap() {
                owners.push(item["owner"]["S"].as_str().unwrap().to_owned());
                assert!(seen.insert(item["id"]["S"].as_str().unwrap().to_owned()));
            }
            // What was written in between is no reason to begin anew.
            world.done("PutItem", json!({"Item": {"owner": {"S": "o1"}, "id": {"S": "1"}}})).await;
            scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
            if page["LastEvaluatedKey"] == Value::Null {
                break;
            }
        }
        owners.dedup();
        assert_eq!(owners.len(), owners.iter().collect::<BTreeSet<_>>().len(), "{owners:?}");
    }
    assert_eq!(seen.len(), 60);
    let table = world.done("DescribeTable", json!({})).await["Table"].take();
    assert_eq!((&table["TableName"], &table["ItemCount"]), (&json!(TABLE), &json!(60)));
}
