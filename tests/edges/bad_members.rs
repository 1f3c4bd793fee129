//! Questions about the members of segments that cannot be answered.

use serde_json::json;

use crate::checks::Check;
use crate::support::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_page_no_day_and_no_segment_is_refused() {
    let shop = Shop::open().await;
    let condition = json!({ "field": "customer.city", "is": "Riga" });
    shop.put("/v1/segments/riga", json!({ "name": "Riga", "condition": condition })).await;
    for (path, most) in [("customers", 100), ("customers.csv", 5_000)] {
        let path = format!("/v1/segments/riga/{path}");
        for limit in ["0", "-1", "x", "", &(most + 1).to_string()] {
            Check::get(&format!("{path}?limit={limit}")).is(&shop, 422, &["?limit"]).await;
        }
        // The last two name a part that there is not, and a row that is no customer's.
        for after in ["x", "***", "OTk", "MApzZWNyZXQ"] {
            Check::get(&format!("{path}?after={after}")).is(&shop, 422, &["?after"]).await;
        }
    }
    for from in ["", "x", "2026-13-01", "2026-11-01T10:00:00Z!"] {
        Check::get(&format!("/v1/segments/riga/size?from={from}")).is(&shop, 422, &["?from"]).await;
    }
    for path in ["customers", "customers.csv", "customers/ada", "size", "overlap/riga"] {
        Check::get(&format!("/v1/segments/none/{path}")).is(&shop, 404, &[]).await;
    }
    Check::get("/v1/segments/riga/overlap/none").is(&shop, 404, &[]).await;
    Check::get("/v1/customers/none/segments").is(&shop, 404, &[]).await;
    for what in ["pause", "resume"] {
        Check::raw("POST", &format!("/v1/segments/riga/{what}"), "", "").is(&shop, 409, &[]).await;
        Check::raw("POST", &format!("/v1/segments/none/{what}"), "", "").is(&shop, 404, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_named_and_nothing_is_begun() {
    let shop = Shop::open().await;
    let condition = json!({ "field": "customer.city", "is": "Riga" });
    shop.put("/v1/segments/riga", json!({ "name": "Riga", "condition": condition })).await;
    let path = "/v1/segments/riga/copy";
    let none = Check::post(path, &json!({ "audience": "vip" })).is(&shop, 422, &["/audience"]).await;
    assert_eq!(none["errors"][0]["detail"], "there are no audiences yet");
    for code in ["vip", "staff", "press"] {
        shop.put(&format!("/v1/audiences/{code}"), json!({ "name": code })).await;
    }
    let misspelt = Check::post(path, &json!({ "audience": "vipp" })).is(&shop, 422, &["/audience"]).await;
    assert!(misspelt["errors"][0]["detail"].as_str().unwrap().contains("did you mean \"vip\""), "{misspelt}");
    for audience in [json!(7), json!(""), json!("a b"), json!(null), json!(["vip"]), json!("x".repeat(500))] {
        Check::post(path, &json!({ "audience": audience })).is(&shop, 422, &["/audience"]).await;
    }
    Check::post(path, &json!({})).is(&shop, 422, &["/audience"]).await;
    Check::post(path, &json!({ "audience": "vip", "when": "now" })).is(&shop, 422, &["/when"]).await;
    Check::post(path, &json!(["vip"])).is(&shop, 422, &[""]).await;
    Check::raw("POST", path, "text/plain", "vip").is(&shop, 415, &[]).await;
    Check::raw("POST", path, "application/json", "{").is(&shop, 400, &[]).await;
    Check::post("/v1/segments/none/copy", &json!({ "audience": "vip" })).is(&shop, 404, &[]).await;
    for id in ["x", &"0".repeat(32)] {
        Check::get(&format!("/v1/segments/riga/copies/{id}")).is(&shop, 404, &[]).await;
    }
}
