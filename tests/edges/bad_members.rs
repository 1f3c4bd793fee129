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
