//! Keys: which routes each opens.

use std::collections::BTreeMap;

use contracts::{ROUTES, Scope};
use local::shop::Client;
use serde_json::{Value, json};

use crate::support::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_the_routes_of_its_scopes_and_no_other() {
    let shop = Shop::open().await;
    for scope in Scope::ALL {
        let client = shop.client(&[scope.as_str()]).await;
        let before = shop.rows().await;
        for route in ROUTES.iter().filter(|route| !route.scopes.is_empty()) {
            let (method, path) = route.key.split_once(' ').unwrap();
            let reply = client.send(method, &named(path), "", Vec::new()).await.unwrap();
            let opens = route.scopes.contains(&scope);
            assert_eq!(reply.status != 403, opens, "{} with {}: {}", route.key, scope.as_str(), reply.status);
            assert!(![401, 500, 502, 503].contains(&reply.status), "{}: {}", route.key, reply.status);
        }
        // Whoever is erased need not be known: that they are is all that is written.
        shop.quiet().await;
        let (mut before, mut after) = (before, shop.rows().await);
        let (_, erased) = (erased(&mut before), erased(&mut after));
        let erases = ROUTES.iter().any(|route| route.key == ERASE && route.scopes.contains(&scope));
        assert_eq!(erased > 0, erases, "{}", scope.as_str());
        assert!(erased <= 1 && before == after, "a request without a body wrote something");
    }

    let track = shop.client(&["track"]).await;
    let event = json!({ "id": "e", "customer_id": "c", "name": "product_viewed" });
    assert_eq!(track.post("/v1/events", &event).await.unwrap().status, 201);
    // Anybody can read a browser's key: it must not tell of what only a back end can know.
    let event = json!({ "id": "f", "customer_id": "c", "name": "courier_missed", "kind": "event" });
    assert_eq!(track.post("/v1/events", &event).await.unwrap().status, 422);
    assert_eq!(shop.client(&["ingest"]).await.post("/v1/events", &event).await.unwrap().status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_key_that_we_gave_nothing_is_read_or_written() {
    let shop = Shop::open().await;
    let before = shop.rows().await;
    let (id, secret) = shop.api.key().strip_prefix("cw_").unwrap().split_once('_').unwrap();
    let other = "0".repeat(48);
    let check = async |key: &str, status: u16| {
        let client = Client::new(shop.bundle.api_url(), key);
        for route in ROUTES.iter().filter(|route| !route.scopes.is_empty()) {
            let (method, path) = route.key.split_once(' ').unwrap();
            let path = named(path);
            let reply = client.send(method, &path, "application/json", b"{}".to_vec()).await.unwrap();
            assert_eq!(reply.status, status, "{} with {key:?}", route.key);
            assert_eq!(reply.content_type, "application/json", "{}", route.key);
        }
    };
    check("", 401).await;
    check("nonsense", 403).await;
    check(&format!("cw_{id}_{other}"), 403).await;
    check(&format!("cw_{}_{secret}", "0".repeat(16)), 403).await;
    check(&format!("cw_{id}_{secret}0"), 403).await;
    assert!(before == shop.rows().await);

    // And the key itself still opens.
    assert_eq!(shop.api.get("/v1/orders/x").await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_only_of_scopes_that_there_are() {
    let shop = Shop::open().await;
    let before = shop.rows().await;
    for wrong in [
        json!({}),
        json!({ "name": "x" }),
        json!({ "name": "x", "scopes": [] }),
        json!({ "name": "x", "scopes": ["everything"] }),
        json!({ "name": 7, "scopes": ["track"] }),
        json!({ "name": "x", "scopes": ["track"], "admin": true }),
    ] {
        shop.bundle.invoke("manage", &json!({ "create_key": wrong })).await.unwrap_err();
    }
    assert!(before == shop.rows().await);
}

/// What erases somebody.
const ERASE: &str = "DELETE /v1/customers/{id}";

/// Takes out the rows that say who was erased; how many they were.
fn erased(rows: &mut BTreeMap<String, Value>) -> usize {
    let customers = rows.get_mut("customers").and_then(Value::as_array_mut).unwrap();
    let all = customers.len();
    customers.retain(|row| row["erased"].is_null());
    all - customers.len()
}

/// The path with a name in place of each of its parameters.
fn named(path: &str) -> String {
    path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect::<Vec<_>>().join("/")
}
