//! Promo codes: one for each message, the same again, never the same for two.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::consent::path_in;
use crate::mailings::sent;
use crate::support::Shop;

const GROUP: &str = "/v1/promo-code-groups/ten";
const CODES: &str = "/v1/promo-code-groups/ten/codes";

impl Shop {
    /// A shop that sends whoever rings a code of the group `ten`, which is the mail's subject.
    async fn with_promo_codes(pattern: Option<&str>) -> Self {
        let shop = Self::open().await;
        shop.put(GROUP, json!({ "name": "Ten percent", "pattern": pattern })).await;
        let html = "<p>Take {{promo_code \"ten\"}}, or <a href=\"{{links.view}}\">look</a></p>";
        shop.sends("ten", json!({ "subject": "{{promo_code \"ten\"}}", "html": html })).await;
        shop
    }

    /// Has this template sent to whoever rings.
    async fn sends(&self, id: &str, template: Value) {
        self.put(&format!("/v1/templates/{id}"), template).await;
        let trigger = json!({ "type": "event_received", "name": "rang" });
        let steps = json!([{ "send": { "template": id } }]);
        // Of whoever dies with the claim in hand nobody knows what they did.
        let sending = json!({ "if_unknown": { "resend_after": "PT1H" } });
        let campaign = json!({ "name": id, "trigger": trigger, "steps": steps, "sending": sending });
        self.put(&format!("/v1/campaigns/{id}"), campaign).await;
    }

    /// Has a code sent to whoever rings, and so many mails of it to each.
    async fn sends_at_most(&self, id: &str, most: u32) {
        let template = json!({ "subject": "{{promo_code \"ten\"}}", "html": "<p>x</p>" });
        self.put(&format!("/v1/templates/{id}"), template).await;
        let capped = json!({
            "name": id, "trigger": { "type": "event_received", "name": "rang" },
            "steps": [{ "send": { "template": id } }], "sending": { "cap": { "most": most, "per": "P7D" } },
        });
        self.put(&format!("/v1/campaigns/{id}"), capped).await;
    }

    /// Customers who ring, all at once.
    async fn ring(&self, customers: &[String]) {
        let rings = customers.iter().map(async |customer| {
            self.customer(customer).await;
            self.event(customer, customer, "rang").await;
        });
        futures::stream::iter(rings).buffer_unordered(20).collect::<Vec<()>>().await;
    }

    /// How many codes are free and were given.
    async fn free_and_given(&self) -> (u64, u64) {
        let codes = &self.get(GROUP).await["codes"];
        assert_eq!(codes["exact"], true);
        (codes["free"].as_u64().unwrap(), codes["given"].as_u64().unwrap())
    }

    /// The codes that were given, by the messages that have them: each has one, and no two the
    /// same.
    async fn given(&self) -> BTreeMap<String, String> {
        let listed = self.all_of(&format!("{CODES}?of=all"), 7).await;
        let text = |given: &Value, name: &str| given[name].as_str().unwrap().to_owned();
        let given: BTreeMap<_, _> = listed.iter().map(|it| (text(it, "message_id"), text(it, "code"))).collect();
        let codes: BTreeSet<&String> = given.values().collect();
        assert!(given.len() == listed.len() && codes.len() == listed.len(), "{listed:?}");
        assert_eq!(self.free_and_given().await.1, listed.len() as u64);
        given
    }

    /// That each mail has the code that its message was given, and no message has two mails.
    async fn each_mail_has_its_messages_code(&self) {
        let given = self.given().await;
        assert!(self.mails_by_message().values().all(|mails| *mails == 1));
        for mail in self.mails() {
            let code = &given[&mail.tags["message_id"]];
            assert_eq!(&mail.subject, code);
            assert!(mail.html.unwrap().contains(code.as_str()) && mail.text.unwrap().contains(code.as_str()));
        }
    }

    /// Whether a sender has told that few codes are left.
    fn warns_of_few_codes(&self) -> bool {
        let lines = self.bundle.logs("sender").unwrap();
        lines.iter().any(|line| line.contains("PromoCodesLow"))
    }

    async fn upload(&self, codes: impl IntoIterator<Item = String>) -> Value {
        self.tell(CODES, json!({ "codes": codes.into_iter().collect::<Vec<_>>() })).await
    }
}

/// So many names.
fn some(count: usize, name: &str) -> Vec<String> {
    (0..count).map(|number| format!("{name}-{number}")).collect()
}

/// Of an upload: how many codes it had, how many of them were new, and how many known.
fn counts(report: &Value) -> [u64; 3] {
    ["rows", "created", "known"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test]
async fn a_message_has_the_same_code_again_whoever_dies_and_no_two_have_the_same() {
    for (pattern, operation) in [(Some("TEN-????-####"), "PutItem"), (None, "TransactWriteItems")] {
        let shop = Shop::with_promo_codes(pattern).await;
        if pattern.is_none() {
            shop.upload(some(40, "TEN")).await;
        }
        // The links' secret is made with the first mail.
        shop.ring(&["first".to_owned()]).await;
        shop.quiet().await;
        shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 3 }));
        let mut customers = vec!["first".to_owned()];
        for (operation, when) in
            [(operation, "before"), (operation, "after"), ("UpdateItem", "before"), ("SendEmail", "after")]
        {
            let customer = format!("{operation}-{when}");
            shop.fault(json!({
                "kind": "kill", "function": "sender", "at_call": 1, "operation": operation, "when": when,
            }));
            shop.ring(std::slice::from_ref(&customer)).await;
            shop.drain().await;
            assert!(!shop.bundle.faults().iter().any(|fault| json!(fault)["kind"] == "kill"), "{customer}");
            shop.advance("PT2H").await;
            shop.drain().await;
            assert_eq!(shop.outcomes(&customer).await, ["SENT"], "{customer}");
            customers.push(customer);
        }
        shop.each_mail_has_its_messages_code().await;
        assert_eq!((shop.mails().len(), shop.given().await.len()), (customers.len(), customers.len()));
        assert_eq!(shop.dead_letters().await, 0);
    }
}

#[tokio::test]
async fn of_fifty_copies_of_a_message_one_takes_a_code_and_it_is_the_only_one() {
    for pattern in [Some("TEN-????-####"), None] {
        let shop = Shop::with_promo_codes(pattern).await;
        if pattern.is_none() {
            shop.upload(some(60, "TEN")).await;
        }
        shop.fault(json!({ "kind": "duplicate", "queue": "DeliveriesQueue", "times": 50 }));
        shop.ring(&some(2, "c")).await;
        shop.drain().await;
        assert_eq!((shop.mails().len(), shop.given().await.len()), (2, 2));
        shop.each_mail_has_its_messages_code().await;
    }
}

#[tokio::test]
async fn of_many_who_reach_for_few_codes_at_once_as_many_get_one_as_there_are_and_the_others_say_why_not() {
    let shop = Shop::with_promo_codes(None).await;
    assert_eq!(counts(&shop.upload(some(40, "TEN")).await), [40, 40, 0]);
    shop.fault(json!({ "kind": "duplicate", "queue": "*", "times": 2 }));
    let customers = some(60, "c");
    shop.ring(&customers).await;
    shop.drain().await;
    let mut without = Vec::new();
    for customer in &customers {
        let message = &shop.messages(customer).await[0];
        if message["state"] != "SENT" {
            assert_eq!((&message["state"], &message["reason"]), (&json!("NOT_SENT"), &json!("no_promo_code")));
            assert_eq!(message["detail"], "ten (subject, line 1, column 1)");
            without.push(customer);
        }
    }
    assert_eq!((shop.mails().len(), without.len(), shop.free_and_given().await), (40, 20, (0, 40)));
    shop.each_mail_has_its_messages_code().await;
    assert_eq!(shop.dead_letters().await, 0);
    assert!(shop.warns_of_few_codes());

    // What is uploaded then is for whoever comes then.
    shop.upload(["LATE-1".to_owned()]).await;
    shop.event("again", without[0], "rang").await;
    shop.drain().await;
    assert_eq!(shop.outcomes(without[0]).await, ["SENT", "NOT_SENT no_promo_code"]);
    assert_eq!(shop.mails().last().unwrap().subject, "LATE-1");
}

#[tokio::test]
async fn a_code_that_is_uploaded_again_is_known_and_not_there_twice_even_once_it_was_given() {
    let shop = Shop::with_promo_codes(None).await;
    let upload = shop.upload(["A-1", "A-2", "A-1"].map(str::to_owned)).await;
    assert_eq!((counts(&upload), shop.free_and_given().await), ([3, 2, 1], (2, 0)));
    shop.ring(&some(2, "c")).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["A-1", "A-2"]);

    let table = async |media_type: &str, table: &str| {
        let reply = shop.api.send("POST", CODES, media_type, table.into()).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.json());
        reply.json()
    };
    let report = table("text/csv; charset=utf-8", "Campaign,Code\nx,A-2\nx,\"A-3, 10 %\"\nx,\nx\nx,A-4\n").await;
    assert_eq!((counts(&report), shop.free_and_given().await), ([5, 2, 1], (2, 2)));
    let lines: Vec<&Value> = report["faulty"].as_array().unwrap().iter().map(|fault| &fault["line"]).collect();
    assert_eq!(lines, [4, 5]);
    assert_eq!(counts(&table("text/tab-separated-values", "A-1\nA-5\n").await), [2, 1, 1]);
    shop.ring(&some(4, "d")).await;
    shop.quiet().await;
    assert_eq!(shop.subjects(), ["A-1", "A-2", "A-3, 10 %", "A-4", "A-5"]);
    assert_eq!(shop.free_and_given().await, (0, 5));
}

#[tokio::test]
async fn an_upload_that_broke_off_is_made_good_by_the_same_once_more() {
    let shop = Shop::with_promo_codes(None).await;
    let codes = json!({ "codes": some(1_000, "TEN") });
    for when in ["before", "after"] {
        shop.fault(json!({
            "kind": "kill", "function": "manage", "at_call": 5, "operation": "TransactWriteItems", "when": when,
        }));
        assert!(shop.ask("POST", CODES, codes.clone()).await.0 >= 500);
    }
    let broken_off = shop.free_and_given().await.0;
    assert!((50..1_000).contains(&broken_off), "{broken_off}");
    assert_eq!(counts(&shop.tell(CODES, codes.clone()).await), [1_000, 1_000 - broken_off, broken_off]);
    assert_eq!(counts(&shop.tell(CODES, codes).await), [1_000, 0, 1_000]);
    assert_eq!(shop.free_and_given().await, (1_000, 0));
    shop.ring(&["ada".to_owned()]).await;
    shop.quiet().await;
    assert_eq!((shop.free_and_given().await, shop.warns_of_few_codes()), ((999, 1), false));
}

#[tokio::test]
async fn what_only_shows_or_tries_a_mail_or_keeps_it_back_takes_no_code() {
    let shop = Shop::with_promo_codes(None).await;
    shop.put("/v1/promo-code-groups/made", json!({ "name": "Made", "pattern": "M-########-##" })).await;
    let html = "{{#if customer.city}}{{promo_code \"ten\"}}{{promo_code \"made\"}}{{else}}None{{/if}}";
    shop.put("/v1/templates/both", json!({ "subject": "s", "html": html })).await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Riga" })).await;
    let preview = async |template: &str| {
        shop.tell(&format!("/v1/templates/{template}/preview"), json!({ "customer_id": "ada" })).await
    };
    let shown = preview("ten").await;
    assert_eq!((&shown["would_be_sent"], &shown["reason"]), (&json!(false), &json!("no_promo_code")), "{shown}");
    shop.upload(some(9, "TEN")).await;
    let shown = preview("both").await;
    assert_eq!(shown["would_be_sent"], true, "{shown}");
    let html = shown["html"].as_str().unwrap();
    let made = html.strip_prefix("SAMPLE-CODEM-").unwrap();
    assert!(made.len() == 11 && made.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), "{html}");

    shop.tell("/v1/templates/both/test", json!({ "to": "me@example.com", "customer_id": "ada" })).await;
    shop.quiet().await;
    assert!(shop.mails()[0].html.as_ref().unwrap().contains("SAMPLE-CODE"));

    // Something that is missing, the template's own word, a cap, and a branch that is not taken.
    shop.sends("ten", json!({ "subject": "{{promo_code \"ten\"}}", "html": "<p>{{customer.zip}}</p>" })).await;
    shop.sends("blocks", json!({ "subject": "{{promo_code \"ten\"}}", "html": "{{block \"No\"}}" })).await;
    shop.sends_at_most("capped", 1).await;
    shop.sends("both", json!({ "subject": "Both", "html": html_of_branches() })).await;
    shop.ring(&["bob".to_owned()]).await;
    shop.quiet().await;
    shop.event("again", "bob", "rang").await;
    shop.quiet().await;
    let mut outcomes = shop.outcomes("bob").await;
    outcomes.sort();
    let expected = ["blocked_by_template", "frequency_cap", "missing_variable"].map(|why| format!("NOT_SENT {why}"));
    assert_eq!(
        outcomes,
        [&expected[0], &expected[0], &expected[1], &expected[2], &expected[2], "SENT", "SENT", "SENT"]
    );
    assert_eq!(shop.free_and_given().await, (8, 1), "the one that the cap let through");
    assert_eq!(shop.get("/v1/promo-code-groups/made").await["codes"]["given"], 0);
}

#[tokio::test]
async fn a_code_is_taken_with_the_place_under_a_cap_and_neither_is_kept_without_the_other() {
    let shop = Shop::that_sends(0.3).await;
    shop.put(GROUP, json!({ "name": "Ten percent" })).await;
    shop.upload(some(2, "TEN")).await;
    shop.sends_at_most("ten", 1).await;
    for customer in ["ada", "bob", "eva"] {
        shop.customer(customer).await;
    }
    // Behind ada's both of bob's wait for their slots, and as yet there is room for either.
    for (event, customer) in [("1", "ada"), ("2", "bob"), ("3", "bob")] {
        shop.ring_and_wait(event, customer).await;
    }
    assert_eq!(shop.free_and_given().await, (1, 1), "what waits has taken none");
    shop.quiet().await;
    shop.drain().await;
    let mut outcomes = shop.outcomes("bob").await;
    outcomes.sort();
    assert_eq!(outcomes, ["NOT_SENT frequency_cap", "SENT"]);
    assert_eq!(shop.given().await.len(), 2, "nor did what lost its place");

    // What finds no code keeps no place.
    shop.event("4", "eva", "rang").await;
    shop.drain().await;
    shop.upload(["LATE-1".to_owned()]).await;
    shop.event("5", "eva", "rang").await;
    shop.drain().await;
    assert_eq!(shop.outcomes("eva").await, ["SENT", "NOT_SENT no_promo_code"]);
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn of_many_that_come_at_once_only_those_that_the_cap_lets_through_have_a_code() {
    let shop = Shop::open().await;
    shop.put(GROUP, json!({ "name": "Ten percent" })).await;
    shop.upload(some(9, "TEN")).await;
    shop.sends_at_most("ten", 2).await;
    shop.customer("bob").await;
    let event = |n: usize| json!({ "id": n.to_string(), "customer_id": "bob", "name": "rang" });
    shop.tell("/v1/events/batch", (0..9).map(event).collect()).await;
    shop.drain().await;
    let sent = shop.outcomes("bob").await.iter().filter(|outcome| *outcome == "SENT").count();
    assert_eq!((sent, shop.free_and_given().await), (2, (7, 2)));
}

fn html_of_branches() -> &'static str {
    "<p>{{#if customer.city}}{{promo_code \"ten\"}}{{promo_code \"made\"}}{{else}}None{{/if}}</p>"
}

#[tokio::test]
async fn a_group_that_a_template_names_is_there_and_stays_what_it_was() {
    let shop = Shop::with_promo_codes(Some("TEN-????-####")).await;
    let (status, problem) =
        shop.ask("PUT", "/v1/templates/t", json!({ "subject": "s", "html": "<p>\n {{promo_code \"tne\"}}</p>" })).await;
    let detail = "line 2, column 2: there is no group of promo codes \"tne\"; did you mean \"ten\"?";
    assert_eq!((status, &problem["errors"]), (422, &json!([{ "pointer": "/html", "detail": detail }])));
    shop.put("/v1/partials/code", json!({ "source": "x" })).await;
    shop.put("/v1/templates/t", json!({ "subject": "s", "html": "<p>{{> code}}</p>" })).await;
    let source = json!({ "source": "{{promo_code \"tne\"}}" });
    assert_eq!(shop.ask("PUT", "/v1/partials/code", source).await.0, 422);
    shop.put("/v1/partials/code", json!({ "source": "{{promo_code \"ten\"}}" })).await;

    let delete = async || shop.ask("DELETE", GROUP, Value::Null).await;
    assert_eq!(delete().await.1["detail"], "it is used by template \"t\", template \"ten\"");
    let group = |pattern: Value| json!({ "name": "Ten", "pattern": pattern });
    for other in [json!("TEN-????-#####"), Value::Null] {
        assert_eq!(shop.ask("PUT", GROUP, group(other)).await.0, 409);
    }
    let (status, problem) = shop.ask("PUT", "/v1/promo-code-groups/few", group(json!("TEN-####"))).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/pattern")));
    assert_eq!(shop.ask("POST", CODES, json!({ "codes": ["A"] })).await.0, 409);
    let renamed = shop.put(GROUP, group(json!("TEN-????-####"))).await;
    assert_eq!((&renamed["version"], &renamed["name"]), (&json!(2), &json!("Ten")));

    shop.ring(&["ada".to_owned()]).await;
    shop.quiet().await;
    let given = shop.given().await;
    for template in ["t", "ten"] {
        shop.template(template, "s").await;
    }
    assert_eq!((delete().await.0, delete().await.0, shop.ask("GET", CODES, Value::Null).await.0), (204, 404, 404));
    assert_eq!(shop.ask("PUT", GROUP, group(Value::Null)).await.0, 409, "what was given is remembered");
    assert_eq!(shop.put(GROUP, group(json!("TEN-????-####"))).await["version"], 4);
    assert_eq!((shop.given().await, given.len()), (given.clone(), 1));
    let groups = shop.get("/v1/promo-code-groups").await;
    assert_eq!(groups["items"], json!([{ "id": "ten", "version": 4 }]));
    let change = &shop.get("/v1/audit?limit=1").await["items"][0];
    assert_eq!((&change["kind"], &change["code"]), (&json!("promo-code-group"), &json!("ten")));
    let change = shop.get(&format!("/v1/audit/{}", change["id"].as_str().unwrap())).await;
    assert_eq!(change["after"], group(json!("TEN-????-####")));
}

#[tokio::test]
async fn a_mail_that_is_looked_at_as_a_page_has_the_code_that_it_was_sent_with() {
    for pattern in [Some("TEN-????-####"), None] {
        let shop = Shop::with_promo_codes(pattern).await;
        if pattern.is_none() {
            shop.upload(some(9, "TEN")).await;
        }
        shop.ring(&["ada".to_owned(), "bob".to_owned()]).await;
        shop.quiet().await;
        assert_eq!(shop.given().await.len(), 2);
        for is_gone in [false, true] {
            if is_gone {
                shop.template("ten", "s").await;
                assert_eq!(shop.ask("DELETE", GROUP, Value::Null).await.0, 204);
            }
            for mail in shop.mails() {
                let reply = shop.api.get(&path_in(mail.html.as_ref().unwrap(), "v")).await.unwrap();
                let page = String::from_utf8(reply.body.to_vec()).unwrap();
                assert!(reply.status == 200 && page.contains(&mail.subject), "{is_gone}: {page}");
            }
        }
    }
}

#[tokio::test]
async fn a_group_stays_until_the_mailing_is_over_that_prints_its_codes() {
    let shop = Shop::with_promo_codes(Some("TEN-????-####")).await;
    shop.customer("ada").await;
    let at = shop.bundle.now() + jiff::SignedDuration::from_hours(3);
    shop.put("/v1/mailings/m", json!({ "name": "M", "template": "ten", "at": at })).await;
    // The mailing goes by the version that there was.
    shop.template("ten", "s").await;
    let (status, problem) = shop.ask("DELETE", GROUP, Value::Null).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("it is used by mailing \"m\"")));
    shop.advance("PT4H").await;
    assert_eq!(sent(&shop, "m").await["sent"], 1);
    shop.each_mail_has_its_messages_code().await;
    assert_eq!(shop.ask("DELETE", GROUP, Value::Null).await.0, 204);
}

#[tokio::test]
async fn who_uploaded_codes_is_known_and_how_many_they_were_whether_they_were_new_or_not() {
    let shop = Shop::with_promo_codes(None).await;
    let codes = json!({ "codes": ["A-1", "A-2", "A-3"] });
    for _ in 0..2 {
        shop.advance("PT1S").await;
        shop.tell(CODES, codes.clone()).await;
    }
    let changes = shop.get("/v1/audit?limit=2").await;
    for change in changes["items"].as_array().unwrap() {
        assert_eq!((&change["kind"], &change["code"]), (&json!("promo-code-group"), &json!("ten")), "{change}");
        assert_eq!((&change["did"], &change["count"]), (&json!("codes_uploaded"), &json!(3)), "{change}");
        assert!(change["by"].is_string() && change["version"] == 1, "{change}");
        assert_eq!(shop.get(&format!("/v1/audit/{}", change["id"].as_str().unwrap())).await, *change);
    }
    assert!(shop.get("/v1/audit").await["items"].as_array().unwrap().iter().any(|change| change["did"].is_null()));
}

#[tokio::test]
async fn as_many_codes_as_one_upload_may_have_are_taken_however_long_they_are() {
    let shop = Shop::with_promo_codes(None).await;
    let longest = |number: usize| format!("{number:0>200}");
    assert_eq!(counts(&shop.upload((0..2_000).map(longest)).await), [2_000, 2_000, 0]);
}

#[tokio::test]
async fn what_an_erased_customer_was_given_stays_given_and_names_nobody() {
    let shop = Shop::with_promo_codes(None).await;
    shop.upload(some(3, "TEN")).await;
    shop.ring(&["lovelace".to_owned()]).await;
    shop.quiet().await;
    let given = shop.given().await;
    assert_eq!(shop.ask("DELETE", "/v1/customers/lovelace", Value::Null).await.0, 202);
    shop.drain().await;
    assert_eq!((shop.given().await, shop.free_and_given().await), (given, (2, 1)));
    let rows: Vec<String> = shop.all_rows().await.into_iter().filter(|row| row.contains("lovelace")).collect();
    assert!(rows.is_empty(), "{rows:?}");
}
