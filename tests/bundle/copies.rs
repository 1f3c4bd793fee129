//! A segment is copied to an audience: everybody who is in it, whoever dies on the way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Shop;

impl Shop {
    /// Begins to copy a segment to the audience `vip`, which it defines; where to ask how far
    /// that is.
    async fn copy_to_vip(&self, segment: &str) -> String {
        self.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
        let body = json!({ "audience": "vip" });
        let (status, copy) = self.ask("POST", &format!("/v1/segments/{segment}/copy"), body).await;
        assert_eq!((status, &copy["state"], &copy["copied"]), (202, &json!("running"), &json!(0)), "{copy}");
        assert_eq!((&copy["segment"], &copy["audience"]), (&json!(segment), &json!("vip")));
        format!("/v1/segments/{segment}/copies/{}", copy["id"].as_str().unwrap())
    }

    /// What has become of a copy: its state, and how many were copied.
    async fn copied(&self, path: &str) -> (String, u64) {
        let copy = self.get(path).await;
        let has_ended = copy["state"] != "running";
        assert_eq!((copy["ended_at"].is_string(), copy["progress"]["share"] == "1"), (has_ended, has_ended), "{copy}");
        (copy["state"].as_str().unwrap().to_owned(), copy["copied"].as_u64().unwrap())
    }

    async fn in_vip(&self) -> BTreeSet<String> {
        let members = self.all_of("/v1/audiences/vip/members?", 100).await;
        let ids: BTreeSet<String> = members.iter().map(|member| member["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), members.len(), "each once");
        ids
    }

    /// How many copies are noted as not done.
    async fn open_copies(&self) -> usize {
        let rows = self.all_rows().await;
        rows.iter().filter(|row| row.contains("\"S\":\"scans\"") && row.contains("copy#")).count()
    }

    async fn errors_of_backfill(&self) -> u64 {
        let functions = self.bundle.state().await.functions;
        functions.iter().find(|function| function.name == "backfill").unwrap().errors
    }

    fn backfill_dies(&self, operation: &str, at_call: u32, when: &str) {
        self.fault(json!({
            "kind": "kill", "function": "backfill", "operation": operation, "at_call": at_call, "when": when,
        }));
    }
}

fn every_second(of: usize) -> BTreeSet<String> {
    (0..of).step_by(2).map(|number| format!("c{number}")).collect()
}

#[tokio::test]
async fn a_copy_puts_exactly_the_members_into_the_audience_whoever_is_killed_and_whatever_comes_twice() {
    let shop = Shop::open().await;
    // So many that each part of the list has more than a page.
    shop.some_in_riga(1_800).await;
    shop.is_in("riga", "city", "Riga").await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    // One of them is there already, and one who is no member stays.
    shop.tell("/v1/audiences/vip/members", json!({ "add": ["c0", "c1"] })).await;
    // One has left.
    shop.patch("/v1/customers/c4", json!({ "city": "Oslo" })).await;
    shop.quiet().await;
    let before = shop.errors_of_backfill().await;
    shop.fault(json!({ "kind": "duplicate", "queue": "BackfillQueue", "times": 2 }));
    for (operation, at_call, when) in [
        ("PutItem", 120, "after"),
        ("PutItem", 260, "before"),
        ("PutItem", 430, "after"),
        ("Query", 2, "after"),
        ("BatchGetItem", 3, "before"),
        ("DeleteItem", 1, "before"),
    ] {
        shop.backfill_dies(operation, at_call, when);
    }
    let path = shop.copy_to_vip("riga").await;
    shop.drain().await;
    assert!(shop.errors_of_backfill().await >= before + 5, "the worker was killed");
    assert_eq!(shop.copied(&path).await, ("done".to_owned(), 899));
    let mut expected = every_second(1_800);
    expected.remove("c4");
    assert!(expected.iter().eq(shop.members("riga").await.iter().collect::<BTreeSet<_>>()));
    expected.insert("c1".to_owned());
    assert_eq!(shop.in_vip().await, expected);
    assert_eq!((shop.open_copies().await, shop.dead_letters().await), (0, 0));
    // It is nobody else's.
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(shop.ask("GET", &format!("/v1/segments/other/copies/{id}"), Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_copy_whose_messages_were_lost_goes_on_by_the_edition_that_serves_then() {
    let shop = Shop::open().await;
    shop.some_in_riga(60).await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    shop.is_in("riga", "city", "Riga").await;
    // Whoever asks about the audience hears of it like of any other joining.
    shop.kept_segment("vips", json!({ "audience": "vip" })).await;
    shop.fault(json!({
        "kind": "kill", "function": "manage", "operation": "TransactWriteItems", "at_call": 1, "when": "after",
    }));
    assert!(shop.ask("POST", "/v1/segments/riga/copy", json!({ "audience": "vip" })).await.0 >= 500);
    let rows = shop.all_rows().await;
    let open = rows.iter().find(|row| row.contains("\"S\":\"scans\"") && row.contains("copy#")).unwrap();
    let path = format!("/v1/segments/riga/copies/{}", &open.split("copy#").nth(1).unwrap()[..32]);
    assert_eq!(shop.copied(&path).await, ("running".to_owned(), 0));
    // Of the edition by which it began nothing is left when it goes on.
    shop.is_in("riga", "city", "Oslo").await;
    shop.advance("PT5M").await;
    shop.advance("PT11M").await;
    shop.drain().await;
    assert_eq!(shop.copied(&path).await, ("done".to_owned(), 30));
    let oslo: BTreeSet<String> = (1..60).step_by(2).map(|number| format!("c{number}")).collect();
    assert_eq!(shop.in_vip().await, oslo);
    assert_eq!(shop.members("vips").await.into_iter().collect::<BTreeSet<_>>(), oslo);
    assert_eq!(shop.open_copies().await, 0);
}

#[tokio::test]
async fn a_copy_in_the_middle_of_which_other_editions_take_over_puts_each_member_in() {
    let shop = Shop::open().await;
    shop.some_in_riga(1_800).await;
    shop.is_in("riga", "city", "Riga").await;
    shop.fault(json!({
        "kind": "kill", "function": "backfill", "operation": "PutItem", "at_call": 110, "when": "after", "next": 6,
    }));
    let path = shop.copy_to_vip("riga").await;
    for (number, beginning) in ["R", "Ri", "Rig"].into_iter().enumerate() {
        if number == 0 {
            let (state, copied) = shop.copied(&path).await;
            assert!(state == "running" && copied < 900, "{state}: {copied}");
        }
        let condition = json!({ "field": "customer.city", "starts_with": beginning });
        shop.put("/v1/segments/riga", json!({ "name": "riga", "condition": condition })).await;
        shop.advance("PT7M").await;
    }
    shop.drain().await;
    assert_eq!(shop.copied(&path).await, ("done".to_owned(), 900));
    assert_eq!(shop.in_vip().await, every_second(1_800));
    let rows = shop.all_rows().await;
    assert!(!rows.iter().any(|row| row.contains("segment#riga#1\"")), "what is kept of the first edition is gone");
}

#[tokio::test]
async fn a_segment_is_copied_once_its_members_are_found_and_not_if_it_is_another_or_the_audience_is_gone() {
    let shop = Shop::open().await;
    shop.some_in_riga(20).await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;
    let condition = json!({ "field": "customer.city", "is": "Riga" });
    let segment = json!({ "name": "riga", "condition": condition });
    shop.nobody_goes_on();
    shop.put("/v1/segments/riga", segment.clone()).await;
    let (status, refused) = shop.ask("POST", "/v1/segments/riga/copy", json!({ "audience": "vip" })).await;
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("not found yet"), "{refused}");
    shop.bundle.clear_faults();
    shop.drain().await;

    // Five at the same time, all of whose workers die once.
    shop.fault(json!({ "kind": "kill", "function": "backfill", "at_call": 1, "when": "before", "next": 40 }));
    let mut copies = Vec::new();
    for _ in 0..5 {
        copies.push(shop.copy_to_vip("riga").await);
    }
    let (status, refused) = shop.ask("POST", "/v1/segments/riga/copy", json!({ "audience": "vip" })).await;
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("5 copies"), "{refused}");
    // Deleted, and made again under the same code: it is another one.
    assert_eq!(shop.ask("DELETE", "/v1/segments/riga", Value::Null).await.0, 204);
    shop.put("/v1/segments/riga", segment).await;
    shop.bundle.clear_faults();
    shop.drain().await;
    for copy in &copies {
        assert_eq!(shop.copied(copy).await, ("stopped".to_owned(), 0));
    }
    assert!(shop.in_vip().await.is_empty());

    shop.fault(json!({ "kind": "kill", "function": "backfill", "at_call": 1, "when": "before", "next": 8 }));
    let copy = shop.copy_to_vip("riga").await;
    assert_eq!(shop.ask("DELETE", "/v1/audiences/vip", Value::Null).await.0, 204);
    shop.bundle.clear_faults();
    shop.drain().await;
    assert_eq!(shop.copied(&copy).await, ("stopped".to_owned(), 0));
    let copy = shop.copy_to_vip("riga").await;
    shop.drain().await;
    assert_eq!(shop.copied(&copy).await, ("done".to_owned(), 10));
    assert_eq!((shop.open_copies().await, shop.dead_letters().await), (0, 0));
}

#[tokio::test]
async fn somebody_who_was_erased_or_is_another_one_now_is_copied_as_nobody_else() {
    let shop = Shop::open().await;
    shop.some_in_riga(20).await;
    shop.is_in("riga", "city", "Riga").await;
    // Whoever leaves is in the list until that is seen to.
    shop.fault(json!({ "kind": "kill", "function": "evaluate", "at_call": 1, "when": "before", "next": 4 }));
    assert_eq!(shop.ask("DELETE", "/v1/customers/c0", Value::Null).await.0, 202);
    shop.tell("/v1/customers/c1/merge", json!({ "from": "c2" })).await;
    let copy = shop.copy_to_vip("riga").await;
    shop.drain().await;
    let mut expected = every_second(20);
    expected.retain(|id| !["c0", "c2"].contains(&id.as_str()));
    assert_eq!(shop.copied(&copy).await, ("done".to_owned(), 8));
    assert_eq!(shop.in_vip().await, expected);
}

#[tokio::test]
async fn of_editions_that_were_edited_before_their_time_came_no_message_begets_others() {
    let shop = Shop::open().await;
    shop.some_in_riga(20).await;
    let workers_die = || {
        shop.fault(json!({ "kind": "kill", "function": "backfill", "at_call": 1, "when": "before", "next": 100 }));
    };
    workers_die();
    for city in ["Riga", "Oslo", "Rome", "Riga"] {
        let condition = json!({ "field": "customer.city", "is": city });
        shop.put("/v1/segments/here", json!({ "name": "here", "condition": condition })).await;
    }
    shop.bundle.clear_faults();
    shop.drain().await;
    assert_eq!(shop.members("here").await.into_iter().collect::<BTreeSet<_>>(), every_second(20));
    let functions = shop.bundle.state().await.functions;
    let worker = functions.iter().find(|function| function.name == "backfill").unwrap();
    let sent: u64 =
        worker.aws_calls.iter().filter(|(call, _)| call.contains("SendMessage")).map(|(_, sent)| sent).sum();
    assert!(sent <= 10, "{:?}", worker.aws_calls);
}

#[tokio::test]
async fn a_segment_that_is_made_again_does_not_show_how_many_were_in_the_one_before() {
    let shop = Shop::open().await;
    shop.some_in_riga(20).await;
    let sizes = async || {
        let size = shop.get("/v1/segments/here/size").await;
        let noted = size["over_time"].as_array().unwrap().clone();
        noted.iter().map(|of| of["members"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let rows_of_sizes = async || shop.all_rows().await.iter().filter(|row| row.contains("\"S\":\"sizes#")).count();
    shop.is_in("here", "city", "Riga").await;
    shop.advance("PT10M").await;
    shop.advance("P1D").await;
    assert_eq!(sizes().await, [10, 10]);
    // Edited, it is the same segment.
    shop.is_in("here", "language", "lv").await;
    shop.advance("P1D").await;
    assert_eq!(sizes().await, [10, 10, 7]);
    assert_eq!(shop.ask("DELETE", "/v1/segments/here", Value::Null).await.0, 204);
    shop.is_in("here", "city", "nowhere").await;
    assert_eq!(sizes().await, Vec::<u64>::new());
    shop.advance("PT10M").await;
    assert_eq!((sizes().await, rows_of_sizes().await), (vec![0], 1));
    assert_eq!(shop.ask("DELETE", "/v1/segments/here", Value::Null).await.0, 204);
    shop.advance("PT10M").await;
    assert_eq!(rows_of_sizes().await, 0);
}
