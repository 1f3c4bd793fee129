//! Surveys and previews that cannot be: each fault at its place, and nothing begun.

use serde_json::json;

use crate::checks::Check;
use crate::support::{Shop, with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_of_what_is_asked_is_named_and_nothing_is_begun() {
    let shop = Shop::open().await;
    let good = json!({ "condition": { "count": "orders", "at_least": 1 } });
    for path in ["/v1/surveys", "/v1/conditions/preview"] {
        let check = async |patch, places: &[&str]| {
            Check::post(path, &with(good.clone(), patch)).is(&shop, 422, places).await;
        };
        check(json!({ "condition": null }), &["/condition"]).await;
        check(json!({ "condition": 7 }), &["/condition"]).await;
        check(json!({ "condition": { "field": "order.total", "is": 1 } }), &["/condition/field"]).await;
        check(json!({ "condition": { "field": "customer.citty", "is": "Riga" } }), &["/condition/field"]).await;
        check(json!({ "condition": { "all": [{ "segment": "none" }] } }), &["/condition/all/0/segment"]).await;
        check(json!({ "when": "now" }), &["/when"]).await;
        Check::post(path, &json!([])).is(&shop, 422, &[""]).await;
        Check::raw("POST", path, "text/plain", "x").is(&shop, 415, &[]).await;
        Check::raw("POST", path, "application/json", "{").is(&shop, 400, &[]).await;
    }
    Check::post("/v1/surveys", &with(good.clone(), json!({ "name": 7 }))).is(&shop, 422, &["/name"]).await;
    Check::post("/v1/conditions/preview", &with(good, json!({ "name": "n" }))).is(&shop, 422, &["/name"]).await;
    let nobodys = "0".repeat(32);
    for method in ["GET", "DELETE"] {
        Check::raw(method, &format!("/v1/surveys/{nobodys}"), "", "").is(&shop, 404, &[]).await;
        Check::raw(method, "/v1/surveys/x", "", "").is(&shop, 404, &[]).await;
    }
}
