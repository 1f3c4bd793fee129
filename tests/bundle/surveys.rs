//! Surveys, which go through all customers, and previews, which look at a few.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Shop, options};

/// How many things go with one request.
const BATCH: usize = 500;

/// What the test itself counts: customers, and orders and cents by currency.
#[derive(Debug, Default, PartialEq)]
struct Counted {
    customers: u64,
    spent: BTreeMap<&'static str, (u64, u64)>,
}

impl Counted {
    fn shown(value: &Value) -> Self {
        let mut counted = Self { customers: value["customers"].as_u64().unwrap(), spent: BTreeMap::new() };
        for (currency, spent) in value["revenue"].as_object().unwrap() {
            let cents = spent["total"].as_str().unwrap().replace('.', "").parse().unwrap();
            let currency = if currency == "EUR" { "EUR" } else { "USD" };
            counted.spent.insert(currency, (spent["orders"].as_u64().unwrap(), cents));
        }
        let orders: u64 = counted.spent.values().map(|(orders, _)| orders).sum();
        assert_eq!(value["orders"], orders, "{value}");
        counted
    }
}

impl Shop {
    pub(crate) async fn batch(&self, path: &str, bodies: &[Value]) {
        for bodies in bodies.chunks(BATCH) {
            let (status, answer) = self.ask("POST", path, json!(bodies)).await;
            let told = answer["items"].as_array().unwrap().iter().all(|item| item["status"].as_u64().unwrap() < 300);
            assert!(status == 207 && told, "{answer}");
        }
    }

    /// Customers `c0` …, every third in Riga, and of some an order or more: in euros, but for
    /// every fifth customer's. What that comes to in Riga, and in all.
    async fn with_orders(&self, customers: usize) -> (Counted, Counted) {
        let (mut riga, mut all) = (Counted::default(), Counted::default());
        let (mut people, mut orders) = (Vec::new(), Vec::new());
        for number in 0..customers {
            let is_in_riga = number.is_multiple_of(3);
            let city = if is_in_riga { "Riga" } else { "Oslo" };
            people.push(json!({ "id": format!("c{number}"), "city": city }));
            let currency = if number.is_multiple_of(5) { "USD" } else { "EUR" };
            let mut counted = Counted { customers: 1, ..Counted::default() };
            for order in 0..number % 4 {
                let cents = 1_00 + (number * 7 + order * 13) as u64 % 9_973;
                let total = format!("{}.{:02}", cents / 100, cents % 100);
                let cancelled = (number + order).is_multiple_of(11);
                let status = if cancelled { "cancelled" } else { "received" };
                orders.push(json!({
                    "id": format!("o{number}-{order}"), "customer_id": format!("c{number}"), "currency": currency,
                    "total": total, "status": { "general": status }, "lines": [],
                }));
                if !cancelled {
                    let spent = counted.spent.entry(currency).or_default();
                    *spent = (spent.0 + 1, spent.1 + cents);
                }
            }
            for sum in [Some(&mut all), is_in_riga.then_some(&mut riga)].into_iter().flatten() {
                sum.customers += 1;
                for (currency, (orders, cents)) in &counted.spent {
                    let spent = sum.spent.entry(currency).or_default();
                    *spent = (spent.0 + orders, spent.1 + cents);
                }
            }
        }
        self.batch("/v1/customers/batch", &people).await;
        self.batch("/v1/orders/batch", &orders).await;
        self.quiet().await;
        (riga, all)
    }

    async fn survey(&self, condition: Value) -> String {
        let (status, begun) = self.ask("POST", "/v1/surveys", json!({ "condition": condition, "name": "n" })).await;
        assert_eq!((status, &begun["state"]), (202, &json!("running")), "{begun}");
        begun["id"].as_str().unwrap().to_owned()
    }

    /// A survey that was begun, and of which no message came onto the queue.
    async fn lost_survey(&self, condition: Value) -> String {
        self.fault(json!({
            "kind": "kill", "function": "manage", "operation": "TransactWriteItems", "at_call": 1, "when": "after",
        }));
        assert!(self.ask("POST", "/v1/surveys", json!({ "condition": condition })).await.0 >= 500);
        let rows = self.all_rows().await;
        let row = rows.iter().find(|row| row.contains("\"S\":\"scans\"")).unwrap();
        row.split("survey#").nth(1).unwrap()[..32].to_owned()
    }

    /// Writes a row of a customer's that is of its kind but for what it holds.
    async fn broken_row(&self, customer: &str, item: &str) {
        let table = self.bundle.description().tables.iter().find(|table| table.name == "customers").unwrap();
        let row = json!({
            "customer": { "S": format!("customer#{customer}") }, "item": { "S": item }, "body": { "S": "7" },
            "version": { "N": "1" }, "written": { "S": "2026-01-01T00:00:00Z" },
        });
        self.bundle.dynamodb("PutItem", json!({ "TableName": table.table_name, "Item": row })).await.unwrap();
    }

    /// What has come of a survey that is done.
    async fn surveyed(&self, id: &str) -> Value {
        let survey = self.get(&format!("/v1/surveys/{id}")).await;
        assert_eq!((&survey["state"], &survey["progress"]["share"]), (&json!("done"), &json!("1")), "{survey}");
        assert!(survey["ended_at"].is_string() && survey["progress"]["done_by"] == survey["ended_at"], "{survey}");
        survey["result"].clone()
    }

    /// How many rows there are of scans, and of those that are open.
    async fn rows_of_scans(&self) -> (usize, usize) {
        let rows = self.all_rows().await;
        let of = |task: &str| rows.iter().filter(|row| row.contains(task)).count();
        (of("\"S\":\"scan#"), of("\"S\":\"scans\""))
    }
}

fn riga() -> Value {
    json!({ "field": "customer.city", "is": "Riga" })
}

#[tokio::test]
async fn a_part_that_was_moved_on_and_no_answer_came_goes_on_without_waiting_to_be_missed() {
    let shop = Shop::open().await;
    let (of_riga, _) = shop.with_orders(60).await;
    shop.fault(json!({
        "kind": "lose_answer", "service": "dynamodb", "operation": "PutItem", "function": "backfill", "next": 4,
    }));
    let id = shop.survey(riga()).await;
    // The clock stands still: nothing that is looked for every minute is.
    shop.quiet().await;
    assert_eq!(Counted::shown(&shop.surveyed(&id).await["matching"]), of_riga);
}

#[tokio::test]
async fn a_survey_counts_everybody_once_whoever_is_killed_and_whatever_comes_twice() {
    let shop = Shop::open().await;
    let (of_riga, of_all) = shop.with_orders(400).await;
    // Neither is a customer of whom anybody told.
    shop.tell("/v1/events", json!({ "id": "e", "anonymous_id": "v", "name": "product_viewed" })).await;
    shop.tell("/v1/events", json!({ "id": "s", "kind": "system", "name": "backup_done" })).await;
    let taken_back = json!({ "customer_id": "c3", "currency": "EUR", "total": "1000.00", "lines": [] });
    shop.put("/v1/orders/taken-back", taken_back).await;
    assert_eq!(shop.ask("DELETE", "/v1/orders/taken-back", Value::Null).await.0, 204);
    shop.quiet().await;
    shop.fault(json!({ "kind": "duplicate", "queue": "BackfillQueue", "times": 2 }));
    for (operation, at_call, when) in [
        ("PutItem", 2, "after"),
        ("PutItem", 5, "before"),
        ("Scan", 4, "after"),
        ("Scan", 9, "before"),
        ("Query", 3, "after"),
        ("DeleteItem", 1, "before"),
    ] {
        shop.fault(json!({
            "kind": "kill", "function": "backfill", "operation": operation, "at_call": at_call, "when": when,
        }));
    }
    let id = shop.survey(riga()).await;
    shop.drain().await;
    let result = shop.surveyed(&id).await;
    assert_eq!(Counted::shown(&result["matching"]), of_riga);
    assert_eq!(Counted::shown(&result["all"]), of_all);
    assert_eq!(result["matching"]["share"], "0.335");
    let share = |of: &Counted| of.spent["EUR"].1 as f64;
    let shown: f64 = result["matching"]["revenue"]["EUR"]["share"].as_str().unwrap().parse().unwrap();
    assert!((shown - share(&of_riga) / share(&of_all)).abs() < 1e-6, "{result}");
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "backfill").unwrap();
    assert!(worker.errors >= 5, "the worker was killed");
    assert_eq!((shop.dead_letters().await, shop.rows_of_scans().await.1), (0, 0));
}

#[tokio::test]
async fn a_customer_of_more_than_a_page_is_one_and_whole_whoever_hands_on() {
    // The workers' time is over from the beginning, so that each hands on after a page.
    let folder = tempfile::tempdir().unwrap();
    let mut options = options();
    let template = std::fs::read_to_string(&options.template).unwrap();
    let (before, backfill) = template.split_once("  Backfill:\n").unwrap();
    let hasty = format!("{before}  Backfill:\n{}", backfill.replacen("Timeout: 900", "Timeout: 60", 1));
    assert_ne!(hasty, template);
    options.template = folder.path().join("template.yaml");
    std::fs::write(&options.template, hasty).unwrap();
    let shop = Shop::open_with(options).await;
    let people: Vec<Value> = (0..40).map(|number| json!({ "id": format!("c{number}"), "city": "Oslo" })).collect();
    shop.batch("/v1/customers/batch", &people).await;
    let orders = (0..2_500).map(|number| {
        json!({ "id": format!("o{number}"), "customer_id": "c7", "currency": "EUR", "total": "0.01", "lines": [] })
    });
    shop.batch("/v1/orders/batch", &orders.collect::<Vec<_>>()).await;
    shop.quiet().await;
    let id = shop.survey(json!({ "count": "orders", "is": 2_500 })).await;
    shop.drain().await;
    let result = shop.surveyed(&id).await;
    assert_eq!((&result["all"]["customers"], &result["all"]["orders"]), (&json!(40), &json!(2_500)));
    assert_eq!(
        result["matching"],
        json!({
            "customers": 1, "orders": 2_500, "share": "0.025",
            "revenue": { "EUR": { "orders": 2_500, "total": "25.00", "average_order": "0.01", "share": "1" } },
        })
    );
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "backfill").unwrap();
    let handed_on = worker.aws_calls.iter().filter(|(call, _)| call.contains("SendMessage")).map(|(_, count)| count);
    assert!(handed_on.sum::<u64>() > 0, "{:?}", worker.aws_calls);
    let (status, shown) =
        shop.ask("POST", "/v1/conditions/preview", json!({ "condition": { "count": "orders" } })).await;
    assert_eq!((status, &shown["members"]["low"], &shown["members"]["high"]), (200, &json!(1), &json!(1)), "{shown}");
}

#[tokio::test]
async fn a_survey_whose_messages_were_lost_is_gone_on_with_by_the_segments_that_it_began_with() {
    let shop = Shop::open().await;
    let (of_riga, _) = shop.with_orders(60).await;
    let segment = |condition: Value| json!({ "name": "s", "condition": condition });
    shop.put("/v1/segments/inner", segment(riga())).await;
    shop.put("/v1/segments/outer", segment(json!({ "all": [{ "segment": "inner" }] }))).await;
    shop.quiet().await;
    let id = shop.lost_survey(json!({ "segment": "outer" })).await;
    shop.put("/v1/segments/inner", segment(json!({ "field": "customer.city", "is": "Oslo" }))).await;
    let running = shop.get(&format!("/v1/surveys/{id}")).await;
    assert_eq!((&running["state"], &running["progress"]["customers"]), (&json!("running"), &json!(0)));
    shop.advance("PT16M").await;
    shop.drain().await;
    assert_eq!(Counted::shown(&shop.surveyed(&id).await["matching"]), of_riga);
    assert_eq!(shop.rows_of_scans().await.1, 0);
}

#[tokio::test]
async fn a_message_that_is_older_than_its_part_stops() {
    let shop = Shop::open().await;
    let id = shop.lost_survey(riga()).await;
    let sent = async |version: u64| {
        let work = json!({ "scan": format!("survey#{id}"), "part": 3, "version": version });
        shop.bundle.send("backfill", work.to_string()).await.unwrap();
        shop.quiet().await;
        shop.get(&format!("/v1/surveys/{id}")).await["progress"]["share"].clone()
    };
    assert_eq!(sent(0).await, "0");
    assert_eq!(sent(1).await, "0.0625");
}

#[tokio::test]
async fn a_customer_whose_rows_cannot_be_read_holds_up_nobody() {
    let shop = Shop::open().await;
    shop.some_in_riga(40).await;
    // Of the one the scan sees it; of the other whoever looks at their memberships.
    shop.broken_row("c4", "container#cart").await;
    shop.broken_row("c6", "segments").await;
    shop.quiet().await;
    let without_cart = json!({ "all": [riga(), { "not": { "count": "containers" } }] });
    let id = shop.survey(without_cart.clone()).await;
    // That there are too many calls for a while is no reason to pass over anybody.
    shop.fault(json!({
        "kind": "throttle", "service": "dynamodb", "operation": "Query", "function": "backfill", "next": 12,
    }));
    shop.put("/v1/segments/riga", json!({ "name": "riga", "condition": without_cart })).await;
    shop.drain().await;
    let result = shop.surveyed(&id).await;
    assert_eq!((&result["all"]["customers"], &result["matching"]["customers"]), (&json!(39), &json!(19)));
    assert_eq!(shop.get(&format!("/v1/surveys/{id}")).await["progress"]["failed"], 1);
    let members = shop.members("riga").await;
    assert_eq!(members.len(), 18, "{members:?}");
    assert!(shop.get("/v1/segments/riga").await["serving"].is_object());
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_survey_that_is_deleted_stops_and_leaves_nothing() {
    let shop = Shop::open().await;
    shop.with_orders(60).await;
    // Every worker dies, so that it is still running.
    shop.fault(json!({
        "kind": "kill", "function": "backfill", "operation": "PutItem", "at_call": 1, "when": "before", "next": 16,
    }));
    let id = shop.survey(riga()).await;
    let path = format!("/v1/surveys/{id}");
    assert_eq!(shop.ask("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(shop.ask("GET", &path, Value::Null).await.0, 404);
    assert_eq!(shop.ask("DELETE", &path, Value::Null).await.0, 404);
    shop.bundle.clear_faults();
    shop.drain().await;
    assert_eq!((shop.rows_of_scans().await, shop.dead_letters().await), ((0, 0), 0));

    // There is room for as many as may run.
    shop.fault(json!({
        "kind": "kill", "function": "backfill", "operation": "Scan", "at_call": 1, "when": "before", "next": 1_000,
    }));
    let mut running = Vec::new();
    for _ in 0..5 {
        running.push(shop.survey(riga()).await);
    }
    let (status, answer) = shop.ask("POST", "/v1/surveys", json!({ "condition": riga() })).await;
    assert_eq!(status, 409, "{answer}");
    assert_eq!(shop.ask("DELETE", &format!("/v1/surveys/{}", running[0]), Value::Null).await.0, 204);
    shop.survey(riga()).await;
}

#[tokio::test]
async fn a_preview_of_a_small_shop_is_exact() {
    let shop = Shop::open().await;
    shop.with_orders(60).await;
    let (status, shown) = shop.ask("POST", "/v1/conditions/preview", json!({ "condition": riga() })).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(
        shown,
        json!({
            "in_words": "customer city is Riga", "sampled": 60, "exact": true,
            "members": { "estimate": 20, "low": 20, "high": 20 },
            "share": { "estimate": "0.333333", "low": "0.333333", "high": "0.333333" },
        })
    );
}

#[tokio::test]
async fn a_preview_of_a_larger_shop_holds_the_truth_between_its_ends() {
    const CUSTOMERS: usize = 1_500;
    const ASKED: usize = 30;
    let shop = Shop::open().await;
    // The n-th city has n of every hundred customers or so.
    let points = |number: usize| number * 7_919 % 100;
    let people: Vec<Value> =
        (0..CUSTOMERS).map(|n| json!({ "id": format!("c{n}"), "fields": { "points": points(n) } })).collect();
    shop.put("/v1/fields/customer.points", json!({ "label": "Points", "type": "integer" })).await;
    shop.batch("/v1/customers/batch", &people).await;
    // So many rows that no preview looks at all of them.
    let rows: Vec<Value> = (0..CUSTOMERS * 8)
        .map(|n| {
            let customer = format!("customer#c{}", n / 8);
            let item = json!({ "customer": { "S": customer }, "item": { "S": format!("padding#{}", n % 8) } });
            json!({ "PutRequest": { "Item": item } })
        })
        .collect();
    let table = shop.bundle.description().tables.iter().find(|table| table.name == "customers").unwrap();
    for rows in rows.chunks(25) {
        let written =
            shop.bundle.dynamodb("BatchWriteItem", json!({ "RequestItems": { &table.table_name: rows } })).await;
        written.unwrap();
    }
    shop.quiet().await;
    let mut held = 0;
    for asked in 0..ASKED {
        let most = 2 + asked * 3;
        let condition = json!({ "field": "customer.fields.points", "less_than": most });
        let (status, shown) = shop.ask("POST", "/v1/conditions/preview", json!({ "condition": condition })).await;
        assert_eq!((status, &shown["exact"]), (200, &json!(false)), "{shown}");
        assert!((200..1_300).contains(&shown["sampled"].as_u64().unwrap()), "{shown}");
        let truth = (0..CUSTOMERS).filter(|n| points(*n) < most).count();
        let members = &shown["members"];
        let end = |end: &str| members[end].as_u64().unwrap() as usize;
        assert!(end("low") <= end("estimate") && end("estimate") <= end("high") && end("low") < end("high"), "{shown}");
        held += usize::from((end("low")..=end("high")).contains(&truth));
    }
    // Of 30 intervals of 95 % one or two miss; more than eight once in a million times.
    assert!(held >= 22, "{held} of {ASKED}");
}
