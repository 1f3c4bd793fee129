//! Segments while much happens: changes, a building in the middle of them, edits, and
//! functions that are killed.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::Shop;

const CUSTOMERS: usize = 150;
const CHANGES: usize = 5_000;
const AT_ONCE: usize = 12;

/// Segments of every kind of thing that a change may touch.
fn conditions() -> Vec<(&'static str, Value)> {
    let last = |over: &str, length: &str| json!({ "count": over, "during": { "last": length } });
    let viewed = json!({ "field": "event.name", "is": "page_viewed" });
    vec![
        ("riga", json!({ "field": "customer.city", "is": "Riga" })),
        ("buyers", json!({ "count": "orders" })),
        ("loyal", json!({ "count": "orders", "at_least": 3 })),
        ("spent", json!({ "sum": "orders.total", "more_than": 100 })),
        ("lately", last("orders", "PT2H")),
        ("viewers", json!({ "count": "events", "where": viewed, "during": { "last": "PT1H" } })),
        ("busy", json!({ "count": "events", "at_least": 10 })),
        ("holding", json!({ "count": "items", "where": { "field": "item.container", "is": "cart" } })),
        ("staff", json!({ "audience": "staff" })),
        ("silent", json!({ "not": last("events", "PT30M") })),
        ("both", json!({ "all": [{ "segment": "riga" }, { "segment": "buyers" }] })),
    ]
}

impl Shop {
    /// One of many changes; most are told twice now and then, some late.
    async fn change(&self, n: usize) {
        let customer = format!("c{}", n * 7919 % CUSTOMERS);
        let ago = SignedDuration::from_mins(i64::try_from(n % 200).unwrap());
        let at = self.bundle.now() - ago;
        let (method, path, body) = match n % 8 {
            0 => ("PATCH", format!("/v1/customers/{customer}"), json!({ "city": (["Riga", "Rome"][n / 8 % 2]) })),
            1 | 2 => {
                let order = json!({ "customer_id": customer, "currency": "EUR", "total": "40",
                    "created_at": at, "updated_at": at });
                ("PUT", format!("/v1/orders/o{n}"), order)
            }
            3 if n >= 80 => ("DELETE", format!("/v1/orders/o{}", n - 2 - 8 * (n % 10)), Value::Null),
            4 => {
                let mut what =
                    json!({ "op": (["add", "remove", "clear"][n / 8 % 3]), "id": format!("op{n}"), "at": at });
                if n / 8 % 3 != 2 {
                    what["items"] = json!([{ "product_id": "mug" }]);
                }
                ("POST", format!("/v1/customers/{customer}/containers/cart"), what)
            }
            5 => {
                let op = ["add", "remove"][n / 8 % 2];
                ("POST", "/v1/audiences/staff/members".to_owned(), json!({ op: [customer] }))
            }
            _ => {
                let name = ["page_viewed", "signed_up"][n / 8 % 2];
                let event = json!({ "id": format!("e{n}"), "customer_id": customer, "name": name, "at": at });
                ("POST", "/v1/events".to_owned(), event)
            }
        };
        for _ in 0..=usize::from(n.is_multiple_of(11)) {
            let (status, answer) = self.ask(method, &path, body.clone()).await;
            // A customer who was erased, an order that was never told or is gone.
            assert!(status < 300 || [404, 409, 410].contains(&status), "{method} {path}: {status} {answer}");
        }
    }

    /// Who is in each segment as it is kept, and who meets its condition, which is asked of
    /// each customer by itself.
    async fn kept_and_meant(&self) -> [BTreeMap<String, BTreeSet<String>>; 2] {
        let (mut kept, mut meant) = (BTreeMap::new(), BTreeMap::new());
        let mut known = Vec::new();
        for n in 0..CUSTOMERS {
            let id = format!("c{n}");
            let (status, customer) = self.ask("GET", &format!("/v1/customers/{id}"), Value::Null).await;
            // Whoever is another one by now is that one, and who was erased is nobody.
            if status == 200 && customer["id"] == id {
                known.push(id);
            }
        }
        assert_eq!(known.len(), CUSTOMERS - 4);
        for (code, _) in conditions() {
            let members: BTreeSet<String> = self.members(code).await.into_iter().collect();
            let asked = futures::stream::iter(&known).map(async |id| {
                let asked = self.get(&format!("/v1/segments/{code}/customers/{id}")).await;
                (asked["holds"] == true).then(|| id.clone())
            });
            let holds: BTreeSet<String> = asked.buffer_unordered(AT_ONCE).filter_map(async |id| id).collect().await;
            kept.insert(code.to_owned(), members);
            meant.insert(code.to_owned(), holds);
        }
        [kept, meant]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_membership_is_wrong_after_five_thousand_changes_a_building_and_kills() {
    let shop = Shop::open().await;
    shop.put("/v1/audiences/staff", json!({ "name": "Staff" })).await;
    for n in 0..CUSTOMERS {
        shop.put(&format!("/v1/customers/c{n}"), json!({ "first_name": "C" })).await;
    }
    for function in ["evaluate", "backfill", "fan-out"] {
        for (operation, when) in
            [("TransactWriteItems", "after"), ("TransactWriteItems", "before"), ("PutItem", "after")]
        {
            for at_call in [3, 40, 90] {
                shop.fault(json!({
                    "kind": "kill", "function": function, "operation": operation, "at_call": at_call, "when": when,
                }));
            }
        }
        shop.fault(json!({ "kind": "kill", "function": function, "at_call": 60, "when": "after", "next": 2 }));
    }
    let changes = async {
        let all = futures::stream::iter(0..CHANGES).map(async |n| shop.change(n).await);
        all.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    };
    let edits = async {
        for (code, condition) in conditions() {
            shop.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": condition })).await;
        }
        for code in ["riga", "lately"] {
            // What is built may be done by now: then there is nothing to pause.
            shop.ask("POST", &format!("/v1/segments/{code}/pause"), json!({})).await;
            shop.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": { "count": "events" } }))
                .await;
            shop.ask("POST", &format!("/v1/segments/{code}/resume"), json!({})).await;
        }
        for (code, condition) in conditions() {
            shop.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": condition })).await;
        }
        for n in [3, 5] {
            let (into, from) = (format!("/v1/customers/c{n}/merge"), format!("c{}", n + 1));
            shop.tell(&into, json!({ "from": from })).await;
            let (status, _) = shop.ask("DELETE", &format!("/v1/customers/c{}", n + 20), Value::Null).await;
            assert_eq!(status, 202);
        }
    };
    futures::join!(changes, edits);
    shop.bundle.clear_faults();
    shop.drain().await;
    for function in &shop.bundle.state().await.functions {
        let at_work = ["evaluate", "backfill", "fan-out"].contains(&function.name.as_str());
        assert!(!at_work || function.errors > 0, "{} was not killed", function.name);
    }

    let [kept, meant] = shop.kept_and_meant().await;
    for (code, members) in &meant {
        assert_eq!(&kept[code], members, "{code}");
        assert!(!members.is_empty(), "{code}: nothing is shown by a segment that nobody is in");
    }
    assert_eq!(shop.dead_letters().await, 0);
    // And when the windows are over.
    shop.advance("PT4H").await;
    let [kept, meant] = shop.kept_and_meant().await;
    assert_eq!(kept, meant);
}
