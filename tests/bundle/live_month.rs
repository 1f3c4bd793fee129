//! A month, in which nothing happens to anybody but that time passes.

use std::collections::BTreeMap;

use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Shop, options};

/// Customers, each with one order, and each in one of as many segments as there are windows.
const CUSTOMERS: usize = 10_000;
/// The days after which an order no longer keeps its customer in.
const WINDOWS: [i64; 3] = [2, 7, 30];

/// How many instants there are at which somebody leaves.
const INSTANTS: i64 = 120;

/// How late somebody may leave at most.
const LATE: SignedDuration = SignedDuration::from_secs(60);

/// When a customer's order was placed: within the two days before, at one of a number of
/// instants that lie uneven times apart.
fn placed(number: usize, now: Timestamp) -> Timestamp {
    let which = i64::try_from(number).unwrap() * 7919 % INSTANTS;
    now - SignedDuration::from_secs(which * 1439 + which * which % 997)
}

fn days_of(number: usize) -> i64 {
    WINDOWS[number % WINDOWS.len()]
}

/// The memberships that stand in the table: who left which segment, and when.
async fn left(shop: &Shop) -> BTreeMap<(String, String), (bool, Timestamp)> {
    let table = shop.bundle.description().tables.iter().find(|table| table.name.contains("customers")).unwrap();
    let mut scan = json!({ "TableName": table.name, "FilterExpression": "begins_with(#item, :segment)",
        "ExpressionAttributeNames": { "#item": "item" }, "ExpressionAttributeValues": { ":segment": { "S": "segment#" } } });
    let mut found = BTreeMap::new();
    loop {
        let page = shop.bundle.dynamodb("Scan", scan.clone()).await.unwrap();
        for row in page["Items"].as_array().unwrap() {
            let text = |name: &str| row[name]["S"].as_str().unwrap();
            let body: Value = serde_json::from_str(text("body")).unwrap();
            let segment = text("item").split('#').nth(1).unwrap().to_owned();
            let since = body["since"].as_str().unwrap().parse().unwrap();
            found.insert((segment, text("customer").to_owned()), (body["is_in"].as_bool().unwrap(), since));
        }
        if page["LastEvaluatedKey"].is_null() {
            return found;
        }
        scan["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_month_everybody_leaves_within_a_minute_of_their_instant_and_nobody_else_is_looked_at() {
    let shop = Shop::open_with(options()).await;
    let now = shop.bundle.now();
    let numbers: Vec<usize> = (0..CUSTOMERS).collect();
    let told = numbers.chunks(100).map(async |numbers| {
        let customers: Vec<Value> =
            numbers.iter().map(|n| json!({ "id": format!("c{n}"), "city": format!("City {}", days_of(*n)) })).collect();
        shop.tell("/v1/customers/batch", json!({ "items": customers })).await;
        let order = |n: &usize| {
            json!({ "id": format!("o{n}"), "customer_id": format!("c{n}"), "currency": "EUR", "total": "10",
                "created_at": placed(*n, now), "updated_at": placed(*n, now) })
        };
        let orders: Vec<Value> = numbers.iter().map(order).collect();
        shop.tell("/v1/orders/batch", json!({ "items": orders })).await;
    });
    futures::stream::iter(told).buffer_unordered(4).collect::<Vec<()>>().await;
    // A worker of the first segment's building is lost, so that the others wait and are built
    // together.
    shop.fault(json!({ "kind": "kill", "function": "backfill", "at_call": 2, "when": "before" }));
    let nobody = json!({ "field": "customer.city", "is": "Nowhere" });
    shop.put("/v1/segments/nobody", json!({ "name": "n", "condition": nobody })).await;
    for days in WINDOWS {
        let recent = json!({ "count": "orders", "during": { "last": format!("P{days}D") } });
        let condition = json!({ "all": [{ "field": "customer.city", "is": format!("City {days}") }, recent] });
        shop.put(&format!("/v1/segments/last{days}"), json!({ "name": "n", "condition": condition })).await;
    }
    shop.bundle.set_clock(now + SignedDuration::from_mins(30), None).await.unwrap();
    for days in WINDOWS {
        let size = shop.get(&format!("/v1/segments/last{days}/size")).await;
        let expected = numbers.iter().filter(|n| days_of(**n) == days).count();
        assert_eq!(size["members"], expected, "{days} days: {size}");
    }

    let day = |days| SignedDuration::from_hours(24 * days);
    let mut instants: Vec<Timestamp> = numbers.iter().map(|n| placed(*n, now) + day(days_of(*n))).collect();
    instants.sort();
    instants.dedup();
    let evaluations = async || {
        let state = shop.bundle.state().await;
        let evaluate = state.functions.iter().find(|function| function.name == "evaluate").unwrap();
        (evaluate.dynamodb.tables["customers"].read_units, evaluate.dynamodb.tables["customers"].write_units)
    };
    let before = evaluations().await;
    let step = std::time::Duration::from_secs(3600 * 24 * 40);
    for instant in instants {
        // Half a minute after somebody's time; at most of them several leave.
        if instant > shop.bundle.now() {
            shop.bundle.set_clock(instant + LATE / 2, Some(step)).await.unwrap();
        }
    }
    shop.bundle.set_clock(now + day(35), Some(step)).await.unwrap();
    let after = evaluations().await;

    let left = left(&shop).await;
    assert_eq!(left.len(), CUSTOMERS);
    let mut latest = SignedDuration::ZERO;
    for n in numbers {
        let days = days_of(n);
        let (is_in, since) = left[&(format!("last{days}"), format!("customer#c{n}"))];
        let late = since.duration_since(placed(n, now) + day(days));
        assert!(!is_in && late >= SignedDuration::ZERO && late <= LATE, "c{n} of {days} days: {is_in}, {late:?}");
        latest = latest.max(late);
    }
    let exits = CUSTOMERS as f64;
    let (read, written) = ((after.0 - before.0) / exits, (after.1 - before.1) / exits);
    // Of each exit two looks, the second to see that nothing else happened; one write.
    assert!(read < 15.0 && written < 10.0, "{read} units read and {written} written for each of {exits} exits");
    assert!(latest > SignedDuration::ZERO);
}
