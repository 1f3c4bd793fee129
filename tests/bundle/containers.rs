//! Carts and the like.

use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use domain::{Code, CustomerId};
use futures::future::join_all;
use intake::Intake;
use serde_json::{Value, json};
use store::{Customers, Definitions, DictionaryCache};

use crate::orders::permutations;
use crate::support::{Shop, order};

fn at(hour: usize) -> String {
    format!("2026-11-20T{hour:02}:00:00Z")
}

/// Products and quantities, what came in last first.
fn held(container: &Value) -> Vec<String> {
    let items = container["items"].as_array().unwrap().iter();
    items.map(|item| format!("{} {}", item["quantity"], item["product_id"]).replace('"', "")).collect()
}

async fn in_cart(shop: &Shop, customer: &str) -> Vec<String> {
    held(&shop.get(&format!("/v1/customers/{customer}/containers/cart")).await)
}

#[tokio::test]
async fn what_is_done_to_a_container_is_what_is_read_of_it() {
    let shop = Shop::open().await;
    let mut hour = 0;
    let mut done = async |op: &str, items: Value| {
        hour += 1;
        let mut body = json!({ "id": format!("op-{hour}"), "op": op, "at": at(hour) });
        if !items.is_null() {
            body["items"] = items;
        }
        held(&shop.tell("/v1/customers/ada/containers/cart", body).await)
    };
    assert_eq!(in_cart(&shop, "ada").await, [""; 0]);
    let mug = json!({ "product_id": "mug", "price": "24.95", "name": "Mug", "url": "https://shop.example/mug", "fields": { "red": true } });
    assert_eq!(done("add", json!([mug])).await, ["1 mug"]);
    assert_eq!(
        done("add", json!([{ "product_id": "cup", "quantity": "2.5" }, { "product_id": "mug", "quantity": 2 }])).await,
        ["2.5 cup", "3 mug"]
    );
    assert_eq!(done("remove", json!([{ "product_id": "mug", "quantity": 1 }])).await, ["2.5 cup", "2 mug"]);
    assert_eq!(done("quantity", json!([{ "product_id": "mug", "quantity": 7 }])).await, ["7 mug", "2.5 cup"]);
    assert_eq!(done("remove", json!([{ "product_id": "cup" }])).await, ["7 mug"]);
    assert_eq!(done("remove", json!([{ "product_id": "mug", "quantity": 100 }])).await, [""; 0]);
    assert_eq!(done("add", json!([{ "product_id": "mug" }])).await, ["1 mug"]);
    assert_eq!(
        done("set", json!([{ "product_id": "pot", "quantity": 2 }, { "product_id": "pan" }])).await,
        ["1 pan", "2 pot"]
    );
    assert_eq!(done("set", json!([{ "product_id": "pot", "quantity": 2 }])).await, ["2 pot"]);
    assert_eq!(done("clear", Value::Null).await, [""; 0]);
    assert_eq!(done("add", json!([mug])).await, ["1 mug"]);
    assert_eq!(done("set", json!([])).await, [""; 0]);
    assert_eq!(done("add", json!([mug])).await, ["1 mug"]);
    let cart = shop.get("/v1/customers/ada/containers/cart").await;
    let item = &cart["items"][0];
    assert_eq!(
        (&item["price"], &item["name"], &item["fields"]),
        (&json!("24.95"), &json!("Mug"), &json!({ "red": true })),
        "{cart}"
    );
    assert_eq!((&item["since"], &cart["updated_at"]), (&json!(at(13)), &json!(at(13))));

    shop.tell(
        "/v1/customers/ada/containers/wishlist",
        json!({ "id": "w", "op": "add", "items": [{ "product_id": "pot" }] }),
    )
    .await;
    let all = shop.get("/v1/customers/ada/containers").await;
    let codes: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|known| known["container"].as_str().unwrap()).collect();
    assert_eq!(codes, ["cart", "wishlist"]);
    for bad in [
        json!({ "op": "add", "items": [mug] }),
        json!({ "id": "1", "op": "add" }),
        json!({ "id": "1", "op": "throw", "items": [mug] }),
        json!({ "id": "1", "op": "clear", "items": [mug] }),
        json!({ "id": "1", "op": "quantity", "items": [{ "product_id": "mug" }] }),
        json!({ "id": "1", "op": "add", "items": [{ "product_id": "mug", "quantity": -1 }] }),
        json!({ "id": "1", "op": "add", "items": [{ "quantity": 1 }] }),
        json!({ "id": "1", "op": "add", "items": vec![json!({ "product_id": "mug" }); 1000] }),
    ] {
        assert_eq!(shop.ask("POST", "/v1/customers/ada/containers/cart", bad.clone()).await.0, 422, "{bad}");
    }
    assert_eq!(in_cart(&shop, "ada").await, ["1 mug"]);
}

#[tokio::test]
async fn the_same_operation_counts_once_and_the_order_of_arrival_does_not_matter() {
    let shop = Shop::open().await;
    let add = json!({ "id": "once", "op": "add", "items": [{ "product_id": "mug", "quantity": 2 }] });
    join_all((0..10).map(|_| shop.tell("/v1/customers/once/containers/cart", add.clone()))).await;
    shop.advance("PT1M").await;
    shop.tell("/v1/customers/once/containers/cart", add).await;
    assert_eq!(in_cart(&shop, "once").await, ["2 mug"]);

    let op = |id: usize, op: &str, product: &str, quantity: Value| json!({ "id": format!("op-{id}"), "op": op, "at": at(id), "items": [{ "product_id": product, "quantity": quantity }] });
    let clear = |hour: usize| json!({ "id": format!("op-{hour}"), "op": "clear", "at": at(hour) });
    let days = [
        (
            "said",
            [
                op(1, "add", "mug", json!(2)),
                op(2, "quantity", "mug", json!(5)),
                op(3, "add", "mug", json!(1)),
                op(4, "remove", "mug", json!(2)),
            ],
            vec!["4 mug"],
        ),
        (
            "cleared",
            [op(1, "add", "mug", json!(2)), op(2, "add", "cup", json!(1)), clear(3), op(4, "add", "mug", json!(1))],
            vec!["1 mug"],
        ),
        (
            "set",
            [
                op(1, "add", "mug", json!(2)),
                op(2, "set", "cup", json!(3)),
                op(3, "add", "cup", json!(1)),
                op(4, "add", "pot", json!(1)),
            ],
            vec!["1 pot", "4 cup"],
        ),
        (
            "taken",
            [
                op(1, "add", "mug", json!(1)),
                op(2, "remove", "mug", Value::Null),
                op(3, "add", "mug", json!(3)),
                op(4, "set", "mug", json!(2)),
            ],
            vec!["2 mug"],
        ),
    ];
    for (day, operations, wanted) in &days {
        join_all(permutations(4).into_iter().enumerate().map(async |(number, order)| {
            let customer = format!("{day}-{number}");
            for index in order.iter().chain(&order) {
                shop.tell(&format!("/v1/customers/{customer}/containers/cart"), operations[*index].clone()).await;
            }
            assert_eq!(in_cart(&shop, &customer).await, *wanted, "{day} {order:?}");
        }))
        .await;
    }
}

#[tokio::test]
async fn each_change_of_a_container_sets_its_campaign_off_once() {
    let shop = Shop::open().await;
    shop.template("changed", "{{change.what}} {{default change.product_id \"all\"}}").await;
    for what in ["item_added", "item_removed", "quantity_changed", "emptied"] {
        let trigger = json!({ "type": "container_changed", "container": "cart", "what": what });
        shop.campaign(what, trigger, json!([{ "send": { "template": "changed" } }])).await;
    }
    shop.customer("ada").await;
    let operations = [
        json!({ "id": "1", "op": "add", "at": at(1), "items": [{ "product_id": "mug" }] }),
        json!({ "id": "2", "op": "quantity", "at": at(2), "items": [{ "product_id": "mug", "quantity": 3 }] }),
        json!({ "id": "3", "op": "remove", "at": at(3), "items": [{ "product_id": "mug" }] }),
        json!({ "id": "4", "op": "add", "at": at(4), "items": [{ "product_id": "cup" }, { "product_id": "pan" }] }),
        json!({ "id": "5", "op": "set", "at": at(5), "items": [{ "product_id": "cup", "quantity": 1 }] }),
        json!({ "id": "6", "op": "clear", "at": at(6) }),
        json!({ "id": "7", "op": "clear", "at": at(7) }),
        json!({ "id": "8", "op": "add", "at": at(8), "items": [{ "product_id": "pot" }] }),
    ];
    for operation in &operations {
        for _ in 0..2 {
            shop.tell("/v1/customers/ada/containers/cart", operation.clone()).await;
            shop.quiet().await;
        }
    }
    shop.tell("/v1/customers/ada/containers/wishlist", operations[0].clone()).await;
    // Late, and over already.
    shop.tell(
        "/v1/customers/ada/containers/cart",
        json!({ "id": "9", "op": "add", "at": at(3), "items": [{ "product_id": "late" }] }),
    )
    .await;
    let mut placed = order("ada");
    placed["updated_at"] = json!(at(9));
    for _ in 0..2 {
        shop.put("/v1/orders/1", placed.clone()).await;
        shop.quiet().await;
    }
    let wanted = [
        "emptied all",
        "emptied all",
        "item_added cup",
        "item_added mug",
        "item_added pan",
        "item_added pot",
        "item_removed mug",
        "item_removed pan",
        "quantity_changed mug",
    ];
    assert_eq!(shop.subjects(), wanted);
}

#[tokio::test]
async fn an_order_that_is_dated_ahead_takes_nothing_that_comes_in_later() {
    let shop = Shop::open().await;
    let add = |product: &str| json!({ "id": product, "op": "add", "items": [{ "product_id": product }] });
    shop.tell("/v1/customers/ada/containers/cart", add("mug")).await;
    shop.advance("PT1S").await;
    let mut placed = order("ada");
    placed["created_at"] = json!("2062-01-01T00:00:00Z");
    shop.put("/v1/orders/1", placed).await;
    shop.quiet().await;
    assert_eq!(in_cart(&shop, "ada").await, [""; 0]);
    shop.advance("PT1S").await;
    shop.tell("/v1/customers/ada/containers/cart", add("cup")).await;
    shop.quiet().await;
    assert_eq!(in_cart(&shop, "ada").await, ["1 cup"]);
}

#[tokio::test]
async fn a_container_is_one_that_is_defined() {
    let shop = Shop::open().await;
    let add = json!({ "id": "1", "op": "add", "items": [{ "product_id": "mug" }] });
    let (status, problem) = shop.ask("POST", "/v1/customers/ada/containers/compare", add.clone()).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/container")), "{problem}");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("\"cart\"") && detail.contains("\"wishlist\""), "{detail}");
    assert_eq!(shop.ask("GET", "/v1/customers/ada/containers", Value::Null).await.1["items"], json!([]));
    shop.put("/v1/containers/compare", json!({ "name": "Compare" })).await;
    // A word holds a second after it was saved.
    shop.advance("PT2S").await;
    shop.tell("/v1/customers/ada/containers/compare", add.clone()).await;
    shop.tell("/v1/customers/visitor:v/containers/compare", add).await;
    for owner in ["ada", "visitor:v"] {
        assert_eq!(held(&shop.get(&format!("/v1/customers/{owner}/containers/compare")).await), ["1 mug"]);
    }
}

/// What takes in operations, over the bundle's tables.
fn intake(shop: &Shop) -> Intake {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(shop.bundle.endpoint_url())
        .credentials_provider(Credentials::new("operator", "operator", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let db = aws_sdk_dynamodb::Client::from_conf(config);
    let tables = &shop.bundle.description().tables;
    let table = |name: &str| tables.iter().find(|table| table.name == name).unwrap().table_name.clone();
    let definitions = Definitions::new(db.clone(), table("definitions"));
    Intake::new(Customers::new(db, table("customers")), DictionaryCache::new(definitions))
}

#[tokio::test]
async fn what_is_done_to_a_customer_who_becomes_another_meanwhile_is_done_to_the_other() {
    let shop = Shop::open().await;
    for id in ["ada", "bob"] {
        shop.customer(id).await;
        for operation in [
            json!({ "id": format!("{id}-1"), "op": "clear", "at": at(1) }),
            json!({ "id": format!("{id}-2"), "op": "add", "at": at(2), "items": [{ "product_id": "mug" }] }),
        ] {
            shop.tell(&format!("/v1/customers/{id}/containers/cart"), operation).await;
        }
    }
    shop.tell("/v1/customers/ada/merge", json!({ "from": "bob" })).await;
    shop.quiet().await;
    assert_eq!(in_cart(&shop, "ada").await, ["2 mug"]);
    // Each began when they were bob still, and has looked already who they are.
    let intake = intake(&shop);
    for (hour, op, items, wanted) in [
        (3, "add", json!([{ "product_id": "mug", "quantity": 2 }]), ["4 mug"].as_slice()),
        (4, "quantity", json!([{ "product_id": "mug", "quantity": 3 }]), &["3 mug"]),
        (5, "remove", json!([{ "product_id": "mug", "quantity": 1 }]), &["2 mug"]),
        (6, "set", json!([{ "product_id": "pot" }]), &["1 pot"]),
        (7, "clear", json!([]), &[]),
    ] {
        let body = json!({ "id": format!("late-{hour}"), "op": op, "at": at(hour), "items": items });
        let (bob, cart) = (CustomerId::parse("bob").unwrap(), Code::parse("cart").unwrap());
        let mut operation = contracts::container::read(bob, cart, &body, shop.bundle.now()).unwrap();
        let done = intake.done(&mut operation, shop.bundle.now());
        let changed = tokio::time::timeout(Duration::from_secs(20), done).await;
        assert!(changed.expect("it goes on for ever").unwrap(), "{op}");
        shop.quiet().await;
        assert_eq!(in_cart(&shop, "ada").await, *wanted, "{op}");
    }
}
