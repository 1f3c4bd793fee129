//! Who is in a segment: page by page, as a table, in numbers, and of one customer; and a
//! mailing to those who are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::mailings::sent;
use crate::support::Shop;

impl Shop {
    /// Customers `c0` …, every second in Riga; every third reads Latvian.
    pub(crate) async fn some_in_riga(&self, customers: usize) {
        let person = |number: usize| {
            let city = if number.is_multiple_of(2) { "Riga" } else { "Oslo" };
            let language = if number.is_multiple_of(3) { "lv" } else { "en" };
            json!({ "id": format!("c{number}"), "city": city, "language": language })
        };
        self.batch("/v1/customers/batch", &(0..customers).map(person).collect::<Vec<_>>()).await;
        self.quiet().await;
    }

    pub(crate) async fn is_in(&self, code: &str, field: &str, is: &str) {
        self.kept_segment(code, json!({ "field": format!("customer.{field}"), "is": is })).await;
    }

    /// The members of a segment as a table, so many rows a page, and of how many pages.
    async fn table(&self, code: &str, limit: usize) -> (String, usize) {
        let (mut table, mut pages) = (String::new(), 0);
        let mut path = format!("/v1/segments/{code}/customers.csv?limit={limit}");
        loop {
            let reply = self.api.get(&path).await.unwrap();
            assert!(reply.status == 200 && reply.content_type.starts_with("text/csv"), "{path}: {}", reply.status);
            table.push_str(std::str::from_utf8(&reply.body).unwrap());
            pages += 1;
            let link = reply.header("link");
            if link.is_empty() {
                return (table, pages);
            }
            path = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
    }

    /// Stands in the way of whoever goes on with finding members: each dies once.
    pub(crate) fn nobody_goes_on(&self) {
        self.fault(json!({ "kind": "kill", "function": "backfill", "at_call": 1, "when": "before", "next": 16 }));
    }

    /// Which version serves, which is being built, and whether that is paused.
    async fn stands(&self, code: &str) -> (Value, Value, Value) {
        let shown = self.get(&format!("/v1/segments/{code}")).await;
        let listed = self.get("/v1/segments").await;
        let listed = listed["items"].as_array().unwrap().iter().find(|listed| listed["id"] == code).unwrap();
        for name in ["serving", "building", "waiting"] {
            assert_eq!(shown[name], listed[name]);
        }
        let of = |name: &str| shown[name]["version"].clone();
        (of("serving"), of("building"), shown["building"]["paused"].clone())
    }

    /// Who is listed as a member, and whether these are all.
    async fn listed(&self, code: &str) -> (Vec<String>, bool) {
        let complete = self.get(&format!("/v1/segments/{code}/customers")).await["complete"].as_bool().unwrap();
        (self.members(code).await, complete)
    }
}

#[tokio::test]
async fn every_member_is_told_once_and_counted_once_however_it_is_asked() {
    let shop = Shop::open().await;
    shop.some_in_riga(120).await;
    shop.is_in("riga", "city", "Riga").await;
    shop.is_in("latvian", "language", "lv").await;
    let riga: BTreeSet<String> = (0..120).step_by(2).map(|number| format!("c{number}")).collect();
    for limit in [1, 7, 59, 60, 61, 100] {
        let listed = shop.all_of("/v1/segments/riga/customers?", limit).await;
        let ids: BTreeSet<String> = listed.iter().map(|member| member["id"].as_str().unwrap().to_owned()).collect();
        assert!(listed.len() == riga.len() && ids == riga, "{limit}: {listed:?}");
        assert!(listed.iter().all(|member| member["since"].is_string()));
    }

    let size = shop.get("/v1/segments/riga/size").await;
    assert_eq!((&size["members"], &size["exact"], &size["complete"]), (&json!(60), &json!(true), &json!(true)));
    let overlap = shop.get("/v1/segments/riga/overlap/latvian").await;
    let numbers = json!({
        "first": 60, "second": 40, "both": 20, "only_first": 40, "only_second": 20, "exact": true, "complete": true,
    });
    assert_eq!(overlap, numbers);
    assert_eq!(shop.get("/v1/segments/latvian/overlap/latvian").await["both"], 40);

    // A day later there are others.
    shop.advance("PT10M").await;
    shop.put("/v1/customers/c0", json!({ "city": "Oslo" })).await;
    shop.advance("P1D").await;
    let over_time = shop.get("/v1/segments/riga/size").await["over_time"].clone();
    let noted: Vec<u64> = over_time.as_array().unwrap().iter().map(|of| of["members"].as_u64().unwrap()).collect();
    assert_eq!(noted, [60, 59], "{over_time}");
    let later = over_time[1]["day"].as_str().unwrap();
    let since = shop.get(&format!("/v1/segments/riga/size?from={later}")).await["over_time"].clone();
    assert_eq!(since, json!([over_time[1]]));
}

#[tokio::test]
async fn the_pages_of_a_table_are_one_file_whatever_customers_are_called() {
    let shop = Shop::open().await;
    shop.some_in_riga(60).await;
    let hostile =
        ["=cmd|'/c calc'!A1", "Ada, \"Countess\"", "two\r\nlines", "@SUM(A1)", "x;=1+1", "-1", "Zoë", "+37120000000"];
    for (number, name) in hostile.iter().enumerate() {
        let body = json!({ "first_name": name, "phone": "+37120000000", "consent": { "email": "granted" } });
        shop.patch(&format!("/v1/customers/c{}", number * 2), body).await;
    }
    shop.is_in("riga", "city", "Riga").await;
    let (whole, pages) = shop.table("riga", 5_000).await;
    assert_eq!(pages, 1);
    for (limit, least) in [(1, 30), (7, 5), (29, 2), (30, 1)] {
        let (table, pages) = shop.table("riga", limit).await;
        assert!(table == whole && pages >= least, "{limit}: {pages}");
    }

    // It is a table of customers like any that can be imported.
    let reply = shop.api.send("POST", "/v1/customers/import", "text/csv", whole.into_bytes()).await.unwrap();
    let report = reply.json();
    assert_eq!(
        (&report["rows"], &report["known"], &report["faulty"]),
        (&json!(30), &json!(30), &json!([])),
        "{report}"
    );
    assert_eq!(report["ignored_columns"], json!(["fields", "since"]));
    let safe = ["'=cmd|'/c calc'!A1", hostile[1], hostile[2], "'@SUM(A1)", "x;'=1+1", "'-1", "Zoë", "+37120000000"];
    for (number, name) in safe.into_iter().enumerate() {
        let customer = shop.get(&format!("/v1/customers/c{}", number * 2)).await;
        assert_eq!((&customer["first_name"], &customer["phone"]), (&json!(name), &json!("+37120000000")));
        assert_eq!(customer["consent"]["email"]["state"], "granted");
    }
}

#[tokio::test]
async fn finding_members_is_paused_and_resumed_and_survives_an_edit_and_a_deletion_in_the_middle() {
    let shop = Shop::open().await;
    for (id, city) in [("ada", "Riga"), ("bob", "Oslo"), ("cyd", "Rome")] {
        shop.customer(id).await;
        shop.patch(&format!("/v1/customers/{id}"), json!({ "city": city })).await;
    }
    shop.quiet().await;
    let edited = async |code: &str, city: &str| {
        shop.nobody_goes_on();
        let condition = json!({ "field": "customer.city", "is": city });
        shop.put(&format!("/v1/segments/{code}"), json!({ "name": code, "condition": condition })).await
    };
    let told = async |what: &str, code: &str| {
        let (status, answer) = shop.ask("POST", &format!("/v1/segments/{code}/{what}"), Value::Null).await;
        (status, answer["building"]["paused"].clone())
    };

    // The first time: nothing serves yet.
    let shown = edited("here", "Riga").await;
    assert_eq!((&shown["serving"], &shown["building"]["version"]), (&Value::Null, &json!(1)));
    for _ in 0..2 {
        assert_eq!(told("pause", "here").await, (200, json!(true)));
    }
    shop.advance("PT1H").await;
    assert_eq!(shop.stands("here").await, (Value::Null, json!(1), json!(true)));
    assert_eq!(shop.listed("here").await, (vec![], false));
    assert_eq!(shop.get("/v1/segments/here/size").await["complete"], false);
    assert_eq!(told("resume", "here").await, (200, json!(false)));
    shop.drain().await;
    assert_eq!(shop.stands("here").await, (json!(1), Value::Null, Value::Null));
    assert_eq!(shop.listed("here").await, (vec!["ada".to_owned()], true));
    for what in ["pause", "resume"] {
        assert_eq!(told(what, "here").await.0, 409);
        assert_eq!(told(what, "nowhere").await.0, 404);
    }

    // Edited: the version before serves, and whatever happens is heard of.
    edited("here", "Oslo").await;
    assert_eq!(told("pause", "here").await, (200, json!(true)));
    shop.patch("/v1/customers/cyd", json!({ "city": "Riga" })).await;
    shop.advance("PT1H").await;
    assert_eq!(shop.stands("here").await, (json!(1), json!(2), json!(true)));
    assert_eq!(shop.listed("here").await, (vec!["ada".to_owned(), "cyd".to_owned()], true));
    // Edited again in the middle of that: it begins anew, and goes on.
    shop.patch("/v1/customers/ada", json!({ "city": "Rome" })).await;
    edited("here", "Rome").await;
    shop.drain().await;
    assert_eq!(shop.stands("here").await, (json!(3), Value::Null, Value::Null));
    assert_eq!(shop.listed("here").await, (vec!["ada".to_owned()], true));

    // Deleted in the middle.
    edited("there", "Oslo").await;
    assert_eq!(told("pause", "there").await, (200, json!(true)));
    assert_eq!(shop.ask("DELETE", "/v1/segments/there", Value::Null).await.0, 204);
    shop.drain().await;
    assert_eq!(shop.ask("GET", "/v1/segments/there/customers", Value::Null).await.0, 404);
    assert_eq!(shop.listed("here").await, (vec!["ada".to_owned()], true));
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn a_customers_segments_are_told_with_what_made_them_so() {
    let shop = Shop::open().await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    shop.quiet().await;
    shop.is_in("riga", "city", "Riga").await;
    shop.kept_segment("buyers", json!({ "count": "orders" })).await;
    shop.kept_segment("recent", json!({ "count": "orders", "during": { "last": "P30D" } })).await;
    let told = async || {
        let told = shop.get("/v1/customers/ada/segments").await;
        let of = |item: &Value| ["segment", "by"].map(|name| item[name].as_str().unwrap().to_owned());
        let mut told: Vec<[String; 2]> = told["items"].as_array().unwrap().iter().map(of).collect();
        told.sort();
        told
    };
    assert_eq!(told().await, [["riga", "found"]]);
    shop.order("o", "ada").await;
    shop.quiet().await;
    let all = [["buyers", "written"], ["recent", "written"], ["riga", "found"]];
    assert_eq!(told().await, all);
    let export = shop.get("/v1/customers/ada/export").await;
    let exported: BTreeSet<&str> =
        export["segments"].as_array().unwrap().iter().map(|segment| segment["id"].as_str().unwrap()).collect();
    assert_eq!(exported, BTreeSet::from(["buyers", "recent", "riga"]));
    let member = shop.get("/v1/segments/buyers/customers/ada").await["member"].clone();
    assert!(member["by_in_words"].as_str().unwrap().starts_with("by what was written: "), "{member}");
    shop.advance("P31D").await;
    assert_eq!(told().await, [["buyers", "written"], ["riga", "found"]]);
    let left = shop.get("/v1/segments/recent/customers/ada").await["member"].clone();
    assert_eq!((&left["is_in"], &left["by_in_words"]), (&json!(false), &json!("by the passing of time")));

    assert_eq!(shop.ask("GET", "/v1/customers/nobody/segments", Value::Null).await.0, 404);
    assert_eq!(shop.ask("DELETE", "/v1/customers/ada", Value::Null).await.0, 202);
    assert_eq!(shop.ask("GET", "/v1/customers/ada/segments", Value::Null).await.0, 410);
}

#[tokio::test]
async fn a_campaign_of_a_segment_names_one_that_there_is_and_its_mails_may_say_which() {
    let shop = Shop::open().await;
    shop.is_in("riga", "city", "Riga").await;
    shop.template("where", "Welcome to {{change.segment}}").await;
    let campaign = |segment: &str| {
        let trigger = json!({ "type": "segment_entered", "segment": segment });
        let filter = json!({ "field": "change.segment", "is": "riga" });
        json!({ "name": "c", "trigger": trigger, "filter": filter, "steps": [{ "send": { "template": "where" } }] })
    };
    let (status, refused) = shop.ask("PUT", "/v1/campaigns/c", campaign("rgia")).await;
    assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &json!("/trigger/segment")), "{refused}");
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("did you mean \"riga\""), "{refused}");
    shop.put("/v1/campaigns/c", campaign("riga")).await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["Welcome to riga"]);
    let (status, refused) = shop.ask("DELETE", "/v1/segments/riga", Value::Null).await;
    assert!(status == 409 && refused["detail"].as_str().unwrap().contains("campaign \"c\""), "{refused}");
}

#[tokio::test]
async fn a_mailing_to_a_segment_reads_its_members_and_hardly_anybody_else() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    let person = |number: usize| {
        let (id, city) = (format!("c{number}"), if number % 700 == 5 { "Riga" } else { "Oslo" });
        let (email, language) = (format!("{id}@example.com"), if number > 100 { "lv" } else { "en" });
        let consent = json!({ "email": "granted" });
        json!({ "id": id, "email": email, "city": city, "language": language, "consent": consent })
    };
    shop.batch("/v1/customers/batch", &(0..2_000).map(person).collect::<Vec<_>>()).await;
    shop.is_in("riga", "city", "Riga").await;
    assert_eq!(shop.members("riga").await, ["c1405", "c5", "c705"]);

    // What each costs, and to whom it goes: all of the segment, and those of it of whom more holds.
    let read = async |id: &str, audience: Value| {
        let units = async || {
            let state = shop.bundle.state().await;
            let of = state.functions.into_iter().find(|function| function.name == "mass-messaging").unwrap();
            of.dynamodb.tables.get("customers").map_or(0.0, |units| units.read_units)
        };
        let before = units().await;
        shop.put(&format!("/v1/mailings/{id}"), json!({ "name": id, "template": "news", "audience": audience })).await;
        let progress = sent(&shop, id).await;
        let count = |name: &str| progress[name].as_u64().unwrap();
        assert_eq!(count("audience"), count("sent"), "{progress}");
        (count("sent"), units().await - before)
    };
    let (to_all, of_all) = read("riga", json!({ "segment": "riga" })).await;
    let latvian = json!({ "all": [{ "field": "customer.language", "is": "lv" }, { "segment": "riga" }] });
    let (to_some, of_some) = read("latvian", latvian).await;
    let (to_others, of_others) = read("others", json!({ "any": [{ "segment": "riga" }] })).await;
    assert_eq!((to_all, to_some, to_others), (3, 2, 3));
    let mut sent_to: Vec<String> = shop.mails().iter().flat_map(|mail| mail.to.clone()).collect();
    sent_to.sort();
    let to = |number: usize| format!("c{number}@example.com");
    assert_eq!(sent_to, [to(1405), to(1405), to(1405), to(5), to(5), to(705), to(705), to(705)]);
    assert!(of_all < 20.0 && of_some < 20.0 && of_others > 100.0, "{of_all} {of_some} {of_others}");
}

#[tokio::test]
async fn a_mailing_in_the_middle_of_which_another_edition_takes_over_reaches_each_member_once() {
    let shop = Shop::open().await;
    shop.template("news", "News").await;
    let person = |number: usize| {
        let (id, consent) = (format!("c{number}"), json!({ "email": "granted" }));
        json!({ "id": id, "email": format!("{id}@example.com"), "city": "Riga", "consent": consent })
    };
    shop.batch("/v1/customers/batch", &(0..200).map(person).collect::<Vec<_>>()).await;
    shop.is_in("riga", "city", "Riga").await;
    for at_call in [30, 60, 90] {
        shop.fault(json!({ "kind": "kill", "function": "mass-messaging", "at_call": at_call, "when": "after" }));
    }
    let mailing = json!({ "name": "News", "template": "news", "audience": { "segment": "riga" } });
    shop.put("/v1/mailings/news", mailing).await;
    for beginning in ["R", "Ri", "Rig"] {
        let condition = json!({ "field": "customer.city", "starts_with": beginning });
        shop.put("/v1/segments/riga", json!({ "name": "riga", "condition": condition })).await;
        shop.advance("PT3M").await;
    }
    let progress = sent(&shop, "news").await;
    assert_eq!((&progress["audience"], &progress["sent"]), (&json!(200), &json!(200)), "{progress}");
    assert_eq!(shop.mails().iter().map(|mail| &mail.to).collect::<BTreeSet<_>>().len(), 200);
    assert_eq!(shop.mails().len(), 200);
    let rows = shop.all_rows().await;
    assert!(!rows.iter().any(|row| row.contains("segment#riga#1\"")), "what is kept of the first edition is gone");
}
