//! Products: told one by one, in batches, and by feeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use futures::StreamExt;
use local::shop::Reply;
use serde_json::{Value, json};

use crate::support::{Shop, options};

impl Shop {
    async fn post(&self, path: &str, media_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        self.api.send("POST", path, media_type, body.into()).await.unwrap()
    }

    /// Asks for an import and sees it through; what became of it.
    async fn import(&self, media_type: &str, body: impl Into<Vec<u8>>) -> Value {
        let begun = self.post("/v1/products/import", media_type, body).await;
        assert_eq!(begun.status, 202, "{:?}", begun.json());
        self.quiet().await;
        self.get(begun.header("location")).await
    }

    async fn import_url(&self, url: &str, format: &str) -> Value {
        self.import("application/json", json!({ "url": url, "format": format }).to_string()).await
    }
}

/// A bundle that may fetch from a server of ours, and where that server is.
async fn with_feeds(feeds: Router) -> (Shop, String) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, feeds).await });
    let mut options = options();
    options.parameters.insert("FeedHosts".into(), host.clone());
    (Shop::open_with(options).await, format!("http://{host}"))
}

fn changes(product: &Value) -> Vec<&str> {
    product["changes"].as_array().unwrap().iter().map(|change| change["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_product_is_put_changed_in_part_and_taken_back() {
    let shop = Shop::open().await;
    let put = json!({ "name": "Mug", "price": "10.00", "currency": "EUR", "stock": 2, "fields": { "colour": "blue" } });
    let reply = shop.api.put("/v1/products/mug", &put).await.unwrap();
    assert_eq!(reply.status, 201, "{:?}", reply.json());
    let patch = json!({ "price": "8.00", "stock": 0, "fields": { "colour": null, "size": "L" } });
    shop.api.tell("PATCH", "/v1/products/mug", &patch).await.unwrap();
    let known = shop.get("/v1/products/mug").await;
    assert_eq!(
        (&known["name"], &known["price"], &known["in_stock"], &known["fields"]),
        (&json!("Mug"), &json!("8.00"), &json!(false), &json!({ "size": "L" }))
    );
    let price = known["changes"].as_array().unwrap().iter().find(|change| change["type"] == "price_changed").unwrap();
    assert_eq!((&price["from"], &price["to"]), (&json!("10.00"), &json!("8.00")));
    let mut named = changes(&known);
    named.sort_unstable();
    assert_eq!(named, ["created", "out_of_stock", "price_changed", "stock_changed"]);

    assert_eq!(shop.api.send("DELETE", "/v1/products/mug", "", Vec::new()).await.unwrap().status, 204);
    assert_eq!(shop.api.get("/v1/products/mug").await.unwrap().status, 404);
    shop.put("/v1/products/mug", put).await;
    assert_eq!(shop.get("/v1/products/mug").await["price"], "10.00");
}

#[tokio::test]
async fn whatever_the_order_of_arrival_a_product_ends_the_same() {
    let shop = Shop::open().await;
    let updates = [
        ("PUT", json!({ "name": "Mug", "price": "10", "stock": 5, "updated_at": "2026-11-01T00:00:00Z" })),
        ("PATCH", json!({ "price": "12", "updated_at": "2026-11-02T00:00:00Z" })),
        ("PATCH", json!({ "stock": 0, "updated_at": "2026-11-03T00:00:00Z" })),
        ("PATCH", json!({ "stock": 9, "brand": "B", "updated_at": "2026-11-04T00:00:00Z" })),
    ];
    let orders = [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]];
    let mut ends = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        let path = format!("/v1/products/p{number}");
        for index in order.iter().chain(order) {
            let (method, body) = &updates[*index];
            shop.api.tell(method, &path, body).await.unwrap();
        }
        let mut end = shop.get(&path).await;
        end["id"] = Value::Null;
        ends.push(end);
    }
    assert!(ends.iter().all(|end| end == &ends[0]), "{ends:#?}");
    let want = ["stock_changed", "back_in_stock", "stock_changed", "out_of_stock", "price_changed", "created"];
    let mut named = changes(&ends[0]);
    named.sort_unstable();
    let mut want = want.to_vec();
    want.sort_unstable();
    assert_eq!(named, want);
}

#[tokio::test]
async fn a_batch_answers_for_each_product_in_its_place() {
    let shop = Shop::open().await;
    shop.put("/v1/products/known", json!({ "name": "Known" })).await;
    let body = json!([
        { "id": "new", "name": "New" },
        { "id": "known", "name": "Known", "price": "1" },
        { "id": "bad", "name": "Bad", "price": "cheap" },
        { "name": "Nobody" },
        7,
    ]);
    let reply = shop.post("/v1/products/batch", "application/json", body.to_string()).await;
    assert_eq!(reply.status, 207);
    let items = reply.json()["items"].as_array().unwrap().clone();
    let seen: Vec<_> = items.iter().map(|item| (item["id"].as_str(), item["status"].as_u64().unwrap())).collect();
    assert_eq!(seen, [(Some("new"), 201), (Some("known"), 200), (Some("bad"), 422), (None, 422), (None, 422)]);
    assert_eq!(items[2]["problem"]["errors"][0]["pointer"], "/price");
    let lines = "{\"id\":\"a\",\"name\":\"A\"}\n{\n{\"id\":\"a\",\"name\":\"A2\"}\n";
    let reply = shop.post("/v1/products/batch", "application/x-ndjson", lines).await;
    let statuses: Vec<_> =
        reply.json()["items"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, [json!(201), json!(400), json!(200)]);
    assert_eq!(shop.get("/v1/products/a").await["name"], "A2");
}

#[tokio::test]
async fn a_table_is_imported_with_a_report_by_line() {
    let shop = Shop::open().await;
    shop.put("/v1/products/p-2", json!({ "name": "Cup", "price": "9.90", "currency": "EUR", "stock": 4 })).await;
    let table = "id;name;price;currency;stock;weather\r\np-1;Mug;\"12,50\";EUR;3;x\r\np-2;Cup;9.90;EUR;0;x\r\n\
                 p-3;Bad;cheap;EUR;1;x\r\np-4;Short;1\r\np-5;Coin;1;euro;1;x\r\n";
    let import = shop.import("text/csv; charset=utf-8", table).await;
    assert_eq!(import["state"], "done", "{import}");
    let rows =
        json!({ "read": 5, "created": 1, "changed": 1, "unchanged": 0, "categories": 0, "faulty": 3, "missing": 0 });
    assert_eq!((&import["rows"], &import["ignored"]), (&rows, &json!(["weather"])));
    let faults = import["faults"].as_array().unwrap();
    let places: Vec<_> =
        faults.iter().map(|fault| (fault["line"].as_u64().unwrap(), fault["column"].as_str())).collect();
    assert_eq!(places, [(4, Some("price")), (5, None), (6, Some("currency"))]);
    assert_eq!(shop.get("/v1/products/p-1").await["price"], "12.50");
    assert!(changes(&shop.get("/v1/products/p-2").await).contains(&"out_of_stock"));
    assert_eq!(shop.import("text/csv", table).await["rows"]["unchanged"], 2);
}

const CATALOGUE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<yml_catalog date="2026-11-22 10:00"><shop>
  <categories><category id="1">Kitchen</category><category id="2" parentId="1">Mugs</category></categories>
  <offers>
    <offer id="m-1" available="true"><name>Mug</name><price>12.50</price><currencyId>EUR</currencyId><categoryId>2</categoryId></offer>
    <offer id="m-2" available="false"><vendor>B</vendor><model>Cup</model><price>9</price><currencyId>EUR</currencyId></offer>
  </offers></shop></yml_catalog>"#;

#[tokio::test]
async fn a_catalogue_is_fetched_from_where_it_lies() {
    let answers = Arc::new(AtomicU32::new(0));
    let asked = Arc::clone(&answers);
    let flaky = get(async move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 => (StatusCode::SERVICE_UNAVAILABLE, ""),
        _ => (StatusCode::OK, CATALOGUE),
    });
    let feeds = Router::new().route("/feed.yml", get(async || CATALOGUE)).route("/flaky.yml", flaky);
    let (shop, base) = with_feeds(feeds).await;

    let import = shop.import_url(&format!("{base}/feed.yml"), "yml").await;
    assert_eq!(import["state"], "done", "{import}");
    let rows =
        json!({ "read": 4, "created": 2, "changed": 0, "unchanged": 0, "categories": 2, "faulty": 0, "missing": 0 });
    assert_eq!(import["rows"], rows);
    let mug = shop.get("/v1/products/m-1").await;
    assert_eq!((&mug["price"], &mug["categories"], &mug["in_stock"]), (&json!("12.50"), &json!(["2"]), &json!(true)));
    let categories = shop.get("/v1/categories").await;
    assert_eq!(categories["items"][1]["parent"], "1");

    // A server that cannot answer now is asked once more, and what is known is not written again.
    let begun = shop
        .post(
            "/v1/products/import",
            "application/json",
            json!({ "url": format!("{base}/flaky.yml"), "format": "yml" }).to_string(),
        )
        .await;
    shop.drain().await;
    let import = shop.get(begun.header("location")).await;
    assert_eq!((&import["state"], &import["rows"]["unchanged"]), (&json!("done"), &json!(2)), "{import}");
    assert_eq!(answers.load(Ordering::Relaxed), 2);

    let missing = shop.import_url(&format!("{base}/nothing.yml"), "yml").await;
    assert_eq!((&missing["state"], &missing["reason"]), (&json!("failed"), &json!("the server answers 404")));
    let no_catalogue = shop.import_url(&format!("{base}/feed.yml"), "csv").await;
    assert_eq!(no_catalogue["state"], "failed", "{no_catalogue}");
}

#[tokio::test]
async fn what_a_complete_feed_does_not_have_cannot_be_had() {
    let shop = Shop::open().await;
    shop.put("/v1/products/sold-by-hand", json!({ "name": "Vase", "stock": 1 })).await;
    shop.put("/v1/products/deleted", json!({ "name": "Pot" })).await;
    shop.api.send("DELETE", "/v1/products/deleted", "", Vec::new()).await.unwrap();
    let import = async |table: &str| {
        shop.advance("PT1M").await;
        let begun = shop.post("/v1/products/import?complete=true", "text/csv", table).await;
        assert_eq!(begun.status, 202, "{:?}", begun.json());
        shop.quiet().await;
        shop.get(begun.header("location")).await
    };
    let first = import("id,name,stock\na,A,3\nb,B,\nsold-by-hand,Vase,1\n").await;
    assert_eq!((&first["rows"]["created"], &first["rows"]["missing"]), (&json!(2), &json!(0)), "{first}");

    let unclear = import("id,name,stock\na,A,3\nb\n").await;
    assert_eq!((&unclear["state"], &unclear["rows"]["missing"]), (&json!("done"), &json!(0)), "{unclear}");
    assert!(unclear["reason"].is_string());

    let second = import("id,name,stock\na,A,3\n").await;
    assert_eq!((&second["rows"]["unchanged"], &second["rows"]["missing"]), (&json!(1), &json!(2)), "{second}");
    for (id, in_stock) in [("a", true), ("b", false), ("sold-by-hand", false)] {
        assert_eq!(shop.get(&format!("/v1/products/{id}")).await["in_stock"], in_stock, "{id}");
    }
    assert!(changes(&shop.get("/v1/products/sold-by-hand").await).contains(&"out_of_stock"));
    let again = import("id,name,stock\na,A,3\nsold-by-hand,Vase,2\n").await;
    assert_eq!(again["rows"]["changed"], 1, "{again}");
    assert_eq!(shop.get("/v1/products/sold-by-hand").await["in_stock"], true);
    import("id,name\na,A\nb,B\nsold-by-hand,Vase\n").await;
    assert_eq!(shop.get("/v1/products/b").await["available"], Value::Null);
}

#[tokio::test]
async fn what_stands_beside_the_function_is_not_fetched() {
    let shop = Shop::open().await;
    for url in ["https://127.0.0.1:9001/feed.csv", "http://93.184.216.34/feed.csv", "https://169.254.169.254/latest"] {
        let import = shop.import_url(url, "csv").await;
        assert_eq!(import["state"], "failed", "{url}: {import}");
    }
    let reply = shop
        .post("/v1/products/import", "application/json", json!({ "url": "ftp://x/y", "format": "csv" }).to_string())
        .await;
    assert_eq!(reply.status, 422);
}

#[tokio::test]
async fn an_import_whose_worker_is_killed_goes_on_and_counts_each_row_once() {
    let shop = Shop::open().await;
    let rows: String = (0..2_500).map(|number| format!("p{number},Mug {number},1.50\n")).collect();
    for at_call in [30, 1_400] {
        shop.fault(json!({ "kind": "kill", "function": "import-products", "at_call": at_call,
                           "service": "dynamodb", "operation": "PutItem", "when": "after" }));
    }
    let begun = shop.post("/v1/products/import", "text/csv", format!("id,name,price\n{rows}")).await;
    shop.drain().await;
    let import = shop.get(begun.header("location")).await;
    assert_eq!(import["state"], "done", "{import}");
    let rows = json!({ "read": 2_500, "created": 2_500, "changed": 0, "unchanged": 0, "categories": 0, "faulty": 0, "missing": 0 });
    assert_eq!(import["rows"], rows);
    assert_eq!(shop.get("/v1/products/p2499").await["name"], "Mug 2499");
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "import-products").unwrap();
    assert_eq!(worker.cold_starts, 3, "the worker was killed twice");
}

#[tokio::test]
async fn a_large_feed_is_never_in_memory_as_a_whole() {
    const OFFERS: u32 = 2_000;
    let offer = |number: u32| {
        let description = "Of a mug there is much to say. ".repeat(700);
        format!(
            "<offer id=\"p{number}\"><name>Mug</name><price>1</price><description>{description}</description></offer>\n"
        )
    };
    let feed = get(async move || {
        let begin = futures::stream::iter(["<yml_catalog><shop><offers>".to_owned()]);
        let end = futures::stream::iter(["</offers></shop></yml_catalog>".to_owned()]);
        let pieces = begin.chain(futures::stream::iter((0..OFFERS).map(offer))).chain(end);
        Body::from_stream(pieces.map(Ok::<_, std::convert::Infallible>))
    });
    let (shop, base) = with_feeds(Router::new().route("/feed.yml", feed)).await;
    let import = shop.import_url(&format!("{base}/feed.yml"), "yml").await;
    assert_eq!((&import["state"], &import["rows"]["created"]), (&json!("done"), &json!(OFFERS)), "{import}");
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "import-products").unwrap();
    // The feed has 43 MB.
    assert!(worker.peak_memory_bytes < 60_000_000, "{}", worker.peak_memory_bytes);
}

#[tokio::test]
async fn what_is_no_product_or_feed_is_refused_with_its_place() {
    let shop = Shop::open().await;
    let pointer = |reply: &Reply| reply.json()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
    for (body, place) in [
        (json!({ "price": "1" }), "/name"),
        (json!({ "name": "Mug", "price": "NaN" }), "/price"),
        (json!({ "name": "Mug", "colour": "red" }), "/colour"),
        (json!({ "name": "Mug", "updated_at": "2026-11-22" }), "/updated_at"),
        (json!({ "name": "Mug", "categories": [7] }), "/categories"),
    ] {
        let reply = shop.api.put("/v1/products/mug", &body).await.unwrap();
        assert_eq!((reply.status, pointer(&reply).as_str()), (422, place), "{body}");
    }
    let reply = shop.api.put(&format!("/v1/products/{}", "x".repeat(2_000)), &json!({ "name": "Mug" })).await.unwrap();
    assert_eq!(reply.status, 404);
    assert_eq!(shop.api.get("/v1/products/mug").await.unwrap().status, 404);

    let import =
        async |media_type: &str, body: Vec<u8>| shop.post("/v1/products/import", media_type, body).await.status;
    assert_eq!(import("text/plain", b"id\n1".to_vec()).await, 415);
    assert_eq!(import("text/csv", Vec::new()).await, 422);
    assert_eq!(import("text/csv", vec![b'x'; 5 * 1024 * 1024 + 1]).await, 413);
    let nameless = shop.import("text/csv", "name,price\nMug,1\n").await;
    assert_eq!(nameless["state"], "failed", "{nameless}");
    let unknown = shop.import("text/csv", "id,price\nmug,1\n").await;
    assert_eq!((&unknown["rows"]["faulty"], &unknown["faults"][0]["column"]), (&json!(1), &json!("name")));
}

#[tokio::test]
async fn who_viewed_and_who_holds_a_product_can_be_asked() {
    let shop = Shop::open().await;
    for customer in ["ada", "bob"] {
        shop.customer(customer).await;
    }
    let viewed =
        json!({ "id": "e1", "customer_id": "ada", "name": "product_viewed", "context": { "product_id": "mug" } });
    shop.api.tell("POST", "/v1/events", &viewed).await.unwrap();
    let added = json!({ "id": "o1", "op": "add", "items": [{ "product_id": "mug", "quantity": 2 }] });
    shop.api.tell("POST", "/v1/customers/bob/containers/cart", &added).await.unwrap();
    shop.quiet().await;
    let who = async |query: &str| shop.get(&format!("/v1/products/mug/customers?{query}")).await["items"].clone();
    assert_eq!(who("viewed").await, json!([{ "customer_id": "ada" }]));
    assert_eq!(who("holding=cart").await, json!([{ "customer_id": "bob" }]));
    assert_eq!(who("holding=wishlist").await, json!([]));
    assert_eq!(shop.api.get("/v1/products/mug/customers").await.unwrap().status, 422);
}
