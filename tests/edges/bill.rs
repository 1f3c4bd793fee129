//! What the runner says AWS would bill.

use crate::support::{Shop, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_order_would_be_billed_is_told_by_function_and_table() {
    let shop = Shop::open().await;
    let before = shop.bundle.state().await;
    shop.put("/v1/orders/o", order("c")).await;
    shop.quiet().await;
    let state = shop.bundle.state().await;
    let of = |name: &str| state.functions.iter().find(|function| function.name == name).unwrap();
    let told = of("ingest-orders");
    assert_eq!(told.invocations, 1);
    assert!(told.billed_ms >= 1 && told.memory_mb >= 128);
    // The order and the pointer to it, at least.
    assert!(told.dynamodb.tables["customers"].write_units >= 2.0, "{:?}", told.dynamodb);
    assert!(told.dynamodb.all.read_units > 0.0);
    assert!(of("fan-out").sqs_requests >= 1);
    // Its message is received and deleted.
    assert!(of("evaluate").sqs_polls >= 2);
    let written = |state: &local::State, name: &str| {
        state.tables.iter().find(|table| table.name == name).unwrap().units.write_units
    };
    assert!(
        written(&state, "customers") - written(&before, "customers") >= told.dynamodb.tables["customers"].write_units
    );
}
