//! Templates are held to what a mail can be filled with.

use serde_json::{Value, json};

use crate::support::Shop;

/// The places and the details of a refusal.
fn told(problem: &Value) -> Vec<(String, String)> {
    let text = |error: &Value, name: &str| error[name].as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| (text(error, "pointer"), text(error, "detail"))).collect()
}

async fn refused(shop: &Shop, path: &str, body: Value) -> Vec<(String, String)> {
    let (status, problem) = shop.ask("PUT", path, body).await;
    assert_eq!(status, 422, "{problem}");
    told(&problem)
}

#[tokio::test]
async fn a_template_that_names_what_there_is_not_is_refused_at_its_line_with_what_is_near() {
    let shop = Shop::open().await;
    let html = "<p>{{order.id}}</p>\n  {{#each order.lines}}{{nmae}}{{/each}}";
    let told = refused(&shop, "/v1/templates/t", json!({ "subject": "{{custmer.city}}", "html": html })).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0].0, "/subject");
    assert!(told[0].1.contains("line 1, column 1: there is no custmer; did you mean customer"), "{told:?}");
    assert_eq!(told[1].0, "/html");
    assert!(told[1].1.contains("line 2, column 24: there is no order.lines[].nmae; did you mean"), "{told:?}");

    // A field of the shop's own is one once it is defined.
    let own = json!({ "subject": "s", "html": "<p>{{customer.fields.nickname}}</p>" });
    let told = refused(&shop, "/v1/templates/own", own.clone()).await;
    assert!(told[0].1.contains("there is no customer.fields.nickname"), "{told:?}");
    shop.put("/v1/fields/customer.nickname", json!({ "label": "Nickname", "type": "string" })).await;
    shop.put("/v1/templates/own", own).await;
}

#[tokio::test]
async fn a_template_that_needs_what_its_trigger_does_not_bring_is_refused_where_it_is_named() {
    let shop = Shop::open().await;
    shop.template("order", "{{order.id}}").await;
    shop.template("either", "{{#if order}}{{order.id}}{{else}}{{default customer.first_name \"you\"}}{{/if}}").await;
    let campaign = |trigger: Value, template: &str| {
        let steps = json!([{ "wait": "PT1H" }, { "send": { "template": template } }]);
        json!({ "name": "c", "purpose": "transactional", "trigger": trigger, "steps": steps })
    };
    let rang = json!({ "type": "event_received", "name": "rang" });
    let created = json!({ "type": "order_created" });
    let told = refused(&shop, "/v1/campaigns/c", campaign(rang.clone(), "order")).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].0, "/steps/1/send/template");
    assert!(told[0].1.contains("prints order.id (subject, line 1, column 1)"), "{told:?}");
    shop.put("/v1/campaigns/c", campaign(rang, "either")).await;
    shop.put("/v1/campaigns/d", campaign(created, "order")).await;

    let mailing = |template: &str| json!({ "name": "News", "template": template });
    let told = refused(&shop, "/v1/mailings/m", mailing("order")).await;
    assert_eq!(told[0].0, "/template");
    assert!(told[0].1.contains("which a mailing has not"), "{told:?}");
    shop.put("/v1/mailings/n", mailing("either")).await;
}
