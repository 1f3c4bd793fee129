//! Which editions of segments are kept goes with what was saved last, whoever saves at the
//! same time; and those by which nobody goes any more are forgotten.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::Shop;

impl Shop {
    fn name_of_definitions(&self) -> &str {
        let tables = &self.bundle.description().tables;
        &tables.iter().find(|table| table.name == "definitions").unwrap().table_name
    }

    /// A row of the definitions, if it is there.
    async fn definition(&self, kind: &str, id: &str) -> Value {
        let key = json!({ "kind": { "S": kind }, "id": { "S": id } });
        let get = json!({ "TableName": self.name_of_definitions(), "Key": key, "ConsistentRead": true });
        self.bundle.dynamodb("GetItem", get).await.unwrap()["Item"].clone()
    }

    /// How many rows there are whose text holds this.
    async fn rows_with(&self, text: &str) -> usize {
        self.all_rows().await.iter().filter(|row| row.contains(text)).count()
    }

    async fn ada_in_riga(&self) {
        self.customer("ada").await;
        self.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
        self.quiet().await;
    }
}

fn in_city(name: &str, city: &str) -> Value {
    json!({ "name": name, "condition": { "field": "customer.city", "is": city } })
}

#[tokio::test]
async fn whoever_saves_a_segment_as_it_was_while_it_is_edited_has_it_built_as_it_was() {
    let shop = Shop::open().await;
    shop.ada_in_riga().await;
    shop.put("/v1/segments/here", in_city("here", "Riga")).await;
    shop.quiet().await;
    for round in 0..12 {
        let saved = (0..4).map(|number| {
            let body = if number == 0 { in_city("b", "Oslo") } else { in_city(&format!("{round} {number}"), "Riga") };
            shop.put("/v1/segments/here", body)
        });
        join_all(saved).await;
        shop.drain().await;
        let saved = shop.get("/v1/segments/here").await;
        let members = if saved["condition"]["is"] == "Riga" { vec!["ada".to_owned()] } else { vec![] };
        assert_eq!(shop.members("here").await, members, "{saved}");
        shop.put("/v1/segments/here", in_city("here", "Riga")).await;
        shop.quiet().await;
    }
}

#[tokio::test]
async fn a_segment_that_was_saved_before_editions_were_kept_is_built_when_it_is_saved_as_it_is() {
    let shop = Shop::open().await;
    shop.ada_in_riga().await;
    shop.put("/v1/segments/here", in_city("here", "Riga")).await;
    shop.quiet().await;
    let key = json!({ "kind": { "S": "editions" }, "id": { "S": "segments" } });
    let delete = json!({ "TableName": shop.name_of_definitions(), "Key": key });
    shop.bundle.dynamodb("DeleteItem", delete).await.unwrap();
    assert_eq!(shop.get("/v1/segments/here").await["serving"], Value::Null);
    let saved = shop.put("/v1/segments/here", in_city("here", "Riga")).await;
    assert_eq!((&saved["version"], &saved["building"]["version"]), (&json!(1), &json!(1)));
    shop.quiet().await;
    assert_eq!(shop.get("/v1/segments/here").await["serving"]["version"], 1);
    assert_eq!(shop.members("here").await, ["ada"]);
}

#[tokio::test]
async fn what_begins_after_a_word_was_edited_begins_no_earlier_than_everybody_goes_by_it() {
    let shop = Shop::open().await;
    shop.put("/v1/statuses/general.received", json!({ "name": "Received", "in_analytics": false })).await;
    let edited_at = shop.bundle.now();
    let saved = shop.put("/v1/segments/buyers", json!({ "name": "b", "condition": { "count": "orders" } })).await;
    let since: jiff::Timestamp = saved["building"]["since"].as_str().unwrap().parse().unwrap();
    assert!(since.duration_since(edited_at) > jiff::SignedDuration::from_secs(2), "{since} {edited_at}");
    shop.advance("PT1M").await;
    assert_eq!(shop.get("/v1/segments/buyers").await["serving"]["version"], 1);
}

#[tokio::test]
async fn the_members_of_an_edition_that_is_gone_are_forgotten_and_nobody_is_told() {
    let shop = Shop::open().await;
    shop.some_in_riga(60).await;
    for city in ["Riga", "Oslo"] {
        for code in ["here", "there"] {
            shop.put(&format!("/v1/segments/{code}"), in_city(code, city)).await;
            shop.quiet().await;
        }
    }
    assert_eq!((shop.rows_with("segment#here#1\"").await, shop.rows_with("segment#there#2\"").await), (30, 30));
    assert_eq!(shop.rows_with("\\\"gone\\\"").await, 1);
    let revision = shop.definition("revision", "definitions").await;
    shop.advance("PT10M").await;
    assert_eq!((shop.rows_with("segment#here#1\"").await, shop.rows_with("segment#there#2\"").await), (0, 0));
    assert_eq!(shop.rows_with("\\\"gone\\\"").await, 0);
    assert_eq!(shop.definition("revision", "definitions").await, revision);
    assert_eq!((shop.members("here").await.len(), shop.members("there").await.len()), (30, 30));
}

#[tokio::test]
async fn sizes_are_noted_once_a_day_and_of_a_new_segment_on_its_first() {
    let shop = Shop::open().await;
    shop.some_in_riga(6).await;
    let sizes = async |code: &str| {
        let over_time = shop.get(&format!("/v1/segments/{code}/size")).await["over_time"].clone();
        over_time.as_array().unwrap().iter().map(|of| of["members"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    shop.is_in("here", "city", "Riga").await;
    shop.advance("PT10M").await;
    assert_eq!(sizes("here").await, [3]);
    shop.put("/v1/customers/c0", json!({ "city": "Oslo" })).await;
    shop.is_in("there", "city", "Oslo").await;
    shop.advance("PT10M").await;
    assert_eq!((sizes("here").await, sizes("there").await), (vec![3], vec![4]));
    shop.advance("P1D").await;
    assert_eq!((sizes("here").await, sizes("there").await), (vec![3, 2], vec![4, 4]));
}

#[tokio::test]
async fn a_survey_that_does_not_come_onto_the_queue_was_begun_all_the_same() {
    let shop = Shop::open().await;
    shop.some_in_riga(6).await;
    shop.fault(json!({ "kind": "throttle", "service": "sqs", "function": "manage", "next": 1000 }));
    let condition = json!({ "field": "customer.city", "is": "Riga" });
    let (status, begun) = shop.ask("POST", "/v1/surveys", json!({ "condition": condition })).await;
    assert_eq!(status, 202, "{begun}");
    shop.bundle.clear_faults();
    shop.advance("PT30M").await;
    let survey = shop.get(&format!("/v1/surveys/{}", begun["id"].as_str().unwrap())).await;
    assert_eq!((&survey["state"], &survey["result"]["matching"]["customers"]), (&json!("done"), &json!(3)), "{survey}");
}
