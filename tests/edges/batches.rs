//! Many things in one request.

use contracts::ROUTES;
use serde_json::{Value, json};

use crate::checks::Check;
use crate::support::Shop;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// Every route that takes many things at once.
fn batches() -> Vec<&'static str> {
    let keyed = ROUTES.iter().filter(|route| !route.scopes.is_empty());
    let paths: Vec<&str> = keyed.filter_map(|route| route.key.strip_prefix("POST ")).collect();
    let paths: Vec<&str> = paths.into_iter().filter(|path| path.ends_with("/batch")).collect();
    assert!(!paths.is_empty());
    paths
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_batch_is_refused_as_a_whole_and_nothing_is_written() {
    let shop = Shop::open().await;
    for path in batches() {
        let check = async |media_type: &str, body: Vec<u8>, status: u16, places: &[&str]| {
            Check::raw("POST", path, media_type, body).is(&shop, status, places).await;
        };
        check(JSON, b"".to_vec(), 400, &[]).await;
        check(JSON, b"[{}, {]".to_vec(), 400, &[]).await;
        check(JSON, b"[\"\xff\"]".to_vec(), 400, &[]).await;
        check(JSON, format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000)).into(), 400, &[]).await;
        check("text/csv", b"id\n1\n".to_vec(), 415, &[]).await;
        check("", b"[]".to_vec(), 415, &[]).await;
        check(JSON, b"7".to_vec(), 422, &[""]).await;
        check(JSON, b"{}".to_vec(), 422, &["/items"]).await;
        check(JSON, b"{\"items\": [], \"more\": 1}".to_vec(), 422, &["/more"]).await;
        check(JSON, json!(vec![json!({}); 501]).to_string().into(), 422, &[""]).await;
        check(JSON, json!({ "items": vec![json!({}); 501] }).to_string().into(), 422, &["/items"]).await;
        check(NDJSON, "{}\n".repeat(501).into(), 422, &[""]).await;
        check(JSON, format!("[{}]", " ".repeat(5 * 1024 * 1024)).into(), 413, &[]).await;
    }
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_that_is_wrong_is_answered_for_in_its_place() {
    let shop = Shop::open().await;
    for path in batches() {
        let before = shop.rows().await;
        let lines = b"7\n\n{\n\"\xff\"\n{}\n{\"id\": 1, \"id\": 2}".to_vec();
        let reply = shop.api.send("POST", path, NDJSON, lines).await.unwrap();
        assert_eq!(reply.status, 207, "{path}: {}", reply.json());
        let items = reply.json()["items"].as_array().unwrap().clone();
        let statuses: Vec<&Value> = items.iter().map(|item| &item["status"]).collect();
        assert_eq!(statuses, [422, 400, 400, 422, 400], "{path}");
        for (index, item) in items.iter().enumerate() {
            assert_eq!((&item["index"], &item["problem"]["status"]), (&json!(index), &item["status"]), "{path}");
        }
        // Pointers are into the thing, not into the body.
        assert_eq!(items[0]["problem"]["errors"][0]["pointer"], "", "{path}");
        let missing = items[3]["problem"]["errors"].as_array().unwrap();
        assert!(missing.iter().any(|fault| fault["pointer"] == "/id"), "{path}: {missing:?}");

        let reply = shop.api.send("POST", path, JSON, b"[]".to_vec()).await.unwrap();
        assert_eq!((reply.status, reply.json()), (207, json!({ "items": [] })), "{path}");
        assert!(before == shop.rows().await, "{path} wrote something");
    }
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_right_is_taken_whatever_stands_beside_it() {
    let shop = Shop::open().await;
    let event = json!({ "id": "a", "customer_id": "c", "name": "product_viewed", "at": "2026-11-01T10:00:00Z" });
    let body = json!({ "items": [event, { "id": "b" }, event] });
    let reply = shop.api.post("/v1/events/batch", &body).await.unwrap();
    assert_eq!(reply.status, 207);
    let items = reply.json()["items"].as_array().unwrap().clone();
    let said: Vec<_> = items.iter().map(|item| (item["index"].clone(), item["id"].clone())).collect();
    assert_eq!(said, [(json!(0), json!("a")), (json!(1), json!("b")), (json!(2), json!("a"))]);
    assert_eq!((&items[1]["status"], items[1]["problem"].is_object()), (&json!(422), true));
    let mut taken = [items[0]["status"].as_u64().unwrap(), items[2]["status"].as_u64().unwrap()];
    taken.sort_unstable();
    assert_eq!(taken, [200, 201], "the same event twice is one event");
}
