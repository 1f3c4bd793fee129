//! Requests that are wrong as a whole, or contradict what is recorded.

use jiff::SignedDuration;
use serde_json::json;

use crate::checks::Check;
use crate::support::{Shop, bodied, order, with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_json_is_refused_on_every_route_and_nothing_is_written() {
    let shop = Shop::open().await;
    shop.known().await;
    let json = "application/json";
    for (method, path) in bodied(&["PUT", "PATCH", "POST"]) {
        // Batches and tables are read otherwise; a key must be there to be rotated, and a segment
        // to be paused, for which nothing has to be said; nor has it to stop an address.
        let else_read = ["/batch", "/import", "/rotate", "/pause", "/resume", "@example.com"];
        if else_read.iter().any(|end| path.ends_with(end)) {
            continue;
        }
        let check = async |content_type: &str, body: Vec<u8>, status: u16| {
            Check::raw(method, &path, content_type, body).is(&shop, status, &[]).await;
        };
        check(json, b"".to_vec(), 400).await;
        check(json, b"{".to_vec(), 400).await;
        check(json, b"{} {}".to_vec(), 400).await;
        check(json, b"{\"name\": 1e999}".to_vec(), 400).await;
        check(json, b"{\"name\": NaN}".to_vec(), 400).await;
        check(json, b"{\"name\": \"a\", \"name\": \"b\"}".to_vec(), 400).await;
        check(json, b"{\"name\": \"\\ud800\"}".to_vec(), 400).await;
        check(json, b"{\"name\": \"\xff\xfe\"}".to_vec(), 400).await;
        check(json, format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000)).into(), 400).await;
        check(json, format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000)).into(), 400).await;
        // Two thousand long codes are more than anything else that is told at once.
        let most = if path.ends_with("/codes") { 1024 * 1024 } else { 256 * 1024 };
        check(json, format!("{{\"name\": \"{}\"}}", "x".repeat(most)).into(), 413).await;
        check("", b"{}".to_vec(), 415).await;
        check("text/plain", b"{}".to_vec(), 415).await;
        check("application/x-www-form-urlencoded", b"name=x".to_vec(), 415).await;
        for not_an_object in ["[]", "7", "null", "\"name\""] {
            Check::raw(method, &path, json, not_an_object).is(&shop, 422, &[""]).await;
        }
    }
    shop.nothing_failed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_not_found() {
    let shop = Shop::open().await;
    for path in ["/v1/customers/x", "/v1/orders/x", "/v1/templates/x", "/v1/campaigns/x", "/v1/mailings/x"] {
        Check::get(path).is(&shop, 404, &[]).await;
    }
    Check::put("/v1/orders/x/status", &json!({ "set": "delivery", "code": "shipped" })).is(&shop, 404, &[]).await;
    // Ids that nothing can have.
    let long = format!("/v1/customers/{}", "x".repeat(201));
    for path in ["/v1/customers/%20c", "/v1/orders/a%00b", "/v1/templates/a%20b", "/v1/campaigns/%252F", &long] {
        Check::put(path, &json!({})).is(&shop, 404, &[]).await;
    }
    // API Gateway answers these itself.
    for (method, path) in [("GET", "/v1/nothing"), ("DELETE", "/v1/events"), ("GET", "/"), ("PUT", "/v1/orders/a/b/c")]
    {
        let reply = shop.api.send(method, path, "", Vec::new()).await.unwrap();
        assert_eq!((reply.status, reply.content_type.as_str()), (404, "application/json"), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_contradicts_the_record_is_a_conflict_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.template("t").await;
    let customer = json!({ "updated_at": "2026-11-01T10:00:00Z", "first_name": "Ada" });
    shop.put("/v1/customers/c", customer.clone()).await;
    let known = with(order("c"), json!({ "status": { "delivery": "packed" } }));
    shop.put("/v1/orders/o", known.clone()).await;
    let event = json!({ "id": "e", "customer_id": "c", "name": "product_viewed", "at": "2026-11-01T10:00:00Z" });
    shop.api.tell("POST", "/v1/events", &event).await.unwrap();
    let mailing = json!({ "name": "m", "template": "t" });
    shop.put("/v1/mailings/m", mailing.clone()).await;
    shop.bundle.advance("PT2M".parse().unwrap()).await.unwrap();

    let at = "2026-11-01T10:00:00Z";
    let check = async |check: Check<'_>, place: &str| drop(check.is(&shop, 409, &[place]).await);
    check(Check::put("/v1/customers/c", &with(customer, json!({ "first_name": "Eve" }))), "/updated_at").await;
    check(Check::put("/v1/orders/o", &with(known.clone(), json!({ "total": "1" }))), "/updated_at").await;
    check(Check::put("/v1/orders/o", &with(known.clone(), json!({ "customer_id": "d" }))), "/customer_id").await;
    let shipped = json!({ "status": { "delivery": "shipped" } });
    check(Check::put("/v1/orders/o", &with(known.clone(), shipped)), "/status/delivery").await;
    let shipped = json!({ "status": { "delivery": { "code": "shipped", "at": at } } });
    check(Check::put("/v1/orders/o", &with(known, shipped)), "/status/delivery").await;
    let shipped = json!({ "set": "delivery", "code": "shipped", "at": at });
    check(Check::put("/v1/orders/o/status", &shipped), "/code").await;
    for other in
        [json!({ "name": "bought" }), json!({ "context": { "a": 1 } }), json!({ "at": "2026-11-01T10:00:01Z" })]
    {
        // Nor is it noted who the visitor is, nor that there is such an event.
        let other = with(event.clone(), with(other, json!({ "anonymous_id": "v" })));
        check(Check::post("/v1/events", &other), "/id").await;
    }
    Check::put("/v1/mailings/m", &with(mailing, json!({ "name": "n" }))).is(&shop, 409, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_taken_back_comes_back_by_what_is_true_later_and_by_nothing_else() {
    let shop = Shop::open().await;
    shop.put("/v1/orders/o", order("c")).await;
    assert_eq!(shop.api.send("DELETE", "/v1/orders/o", "", Vec::new()).await.unwrap().status, 204);
    let status = json!({ "set": "delivery", "code": "shipped" });
    Check::put("/v1/orders/o/status", &status).is(&shop, 404, &[]).await;
    Check::put("/v1/orders/o/lines/1/status", &json!({ "code": "packed" })).is(&shop, 404, &[]).await;
    shop.put("/v1/orders/o/lines/1/status", json!({ "code": "packed", "at": "2026-11-02T10:00:00Z" })).await;
    let now = shop.bundle.now();
    for (at, known) in
        [("2026-11-02T10:00:00Z".to_owned(), 404), ((now + SignedDuration::from_hours(1)).to_string(), 200)]
    {
        shop.put("/v1/orders/o/status", with(status.clone(), json!({ "at": at }))).await;
        assert_eq!(shop.api.get("/v1/orders/o").await.unwrap().status, known, "{at}");
    }
}
