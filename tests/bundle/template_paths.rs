//! Templates are held to what a mail can be filled with.

use serde_json::{Value, json};

use crate::support::{Shop, refused};

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

#[tokio::test]
async fn a_template_is_not_edited_to_what_a_campaign_that_names_it_does_not_bring() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Bye</p>" })).await;
    let template = |subject: &str, html: &str| json!({ "subject": subject, "html": html });
    shop.put("/v1/templates/t", template("{{order.id}}", "<p>x</p>{{> sign}}")).await;
    let cart = json!({ "type": "container_changed", "container": "cart" });
    shop.template("u", "s").await;
    for (id, trigger, named) in [("orders", json!({ "type": "order_created" }), "t"), ("other", cart.clone(), "u")] {
        let steps = json!([{ "send": { "template": named } }]);
        shop.put(&format!("/v1/campaigns/{id}"), json!({ "name": id, "trigger": trigger, "steps": steps })).await;
    }
    let said = "prints event.id, which nothing has that sets the campaign \"orders\" off";
    let mut edited = template("{{order.id}}", "<p>\n {{event.id}}</p>{{> sign}}");
    edited["translations"] = json!({ "lv": template("{{product.id}}", "<p>x</p>") });
    let told = refused(&shop, "/v1/templates/t", edited).await;
    let translated = format!("line 1, column 1: {}", said.replace("event", "product"));
    let expected = [("/html", format!("line 2, column 2: {said}")), ("/translations/lv/subject", translated)];
    assert_eq!(told, expected.map(|(place, detail)| (place.to_owned(), detail)));
    let told = refused(&shop, "/v1/partials/sign", json!({ "source": "<p>{{event.id}}</p>" })).await;
    let expected = format!("in the template \"t\": html, partial sign, line 1, column 4: {said}");
    assert_eq!(told, [("/source".to_owned(), expected)]);
    let told = refused(&shop, "/v1/templates/u", template("{{order.id}}", "<p>x</p>")).await;
    assert!(told.len() == 1 && told[0].1.contains("the campaign \"other\""), "{told:?}");
    assert_eq!(shop.get("/v1/templates/t").await["version"], 1);

    // Whoever asks first may have it, and what nobody names may be anything.
    shop.put("/v1/templates/t", template("{{order.id}}", "<p>{{#if event}}{{event.id}}{{/if}}</p>")).await;
    shop.put("/v1/templates/free", template("{{event.id}}", "<p>{{order.id}}</p>")).await;
    // Once the campaign names another one, so may this.
    let steps = json!([{ "send": { "template": "safe" } }]);
    shop.template("safe", "s").await;
    shop.put("/v1/campaigns/other", json!({ "name": "other", "trigger": cart, "steps": steps })).await;
    shop.put("/v1/templates/u", template("{{order.id}}", "<p>x</p>")).await;
}

#[tokio::test]
async fn of_a_template_and_a_campaign_that_do_not_fit_one_alone_is_saved_even_at_the_same_time() {
    let shop = Shop::open().await;
    for round in 0..12 {
        let id = format!("t{round}");
        shop.template(&id, "s").await;
        let steps = json!([{ "send": { "template": id } }]);
        let campaign = json!({ "name": "c", "trigger": { "type": "order_created" }, "steps": steps });
        let template = json!({ "subject": "{{event.id}}", "html": "<p>x</p>" });
        let (template_path, campaign_path) = (format!("/v1/templates/{id}"), format!("/v1/campaigns/c{round}"));
        let (one, other) =
            tokio::join!(shop.ask("PUT", &template_path, template), shop.ask("PUT", &campaign_path, campaign),);
        let mut statuses = [one.0, other.0];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "{one:?} {other:?}");
    }
}

#[tokio::test]
async fn of_a_change_a_campaigns_template_may_name_what_its_own_trigger_brings_and_no_more() {
    let shop = Shop::open().await;
    for (id, subject) in [
        ("from", "{{change.from}}"),
        ("agree", "{{links.confirm}}"),
        ("asks", "{{#if change.from}}{{change.from}}{{/if}}{{#if links.confirm}}{{links.confirm}}{{/if}}"),
    ] {
        // Of a template alone nobody knows yet what sets it off.
        shop.template(id, subject).await;
    }
    let when = json!({ "field": "change.segment", "is": "loyal" });
    let block = json!([{ "when": when, "reason": "loyal already" }]);
    shop.put("/v1/templates/blocks", json!({ "subject": "s", "html": "<p>x</p>", "block": block })).await;
    shop.put("/v1/segments/loyal", json!({ "name": "Loyal", "condition": { "count": "orders", "at_least": 3 } })).await;
    let campaign = |trigger: &Value, template: &str| {
        let steps = json!([{ "send": { "template": template } }]);
        json!({ "name": "c", "trigger": trigger, "steps": steps })
    };
    let created = json!({ "type": "order_created" });
    let shipped = json!({ "type": "order_status_changed", "set": "delivery", "to": "shipped" });
    let entered = json!({ "type": "segment_entered", "segment": "loyal" });
    let requested = json!({ "type": "consent_requested" });
    for (trigger, template, said) in [
        (&created, "from", "prints change.from (subject, line 1, column 1)"),
        (&requested, "from", "prints change.from (subject, line 1, column 1)"),
        (&shipped, "agree", "prints links.confirm (subject, line 1, column 1)"),
        (&created, "blocks", "asks for change.segment (/block/0/when)"),
    ] {
        let told = refused(&shop, "/v1/campaigns/c", campaign(trigger, template)).await;
        let said = format!("{said}, which nothing has that sets this campaign off");
        assert_eq!(told, [("/steps/0/send/template".to_owned(), said)], "{trigger}");
    }
    for (n, (trigger, template)) in
        [(&shipped, "from"), (&requested, "agree"), (&entered, "blocks"), (&created, "asks")].into_iter().enumerate()
    {
        shop.put(&format!("/v1/campaigns/c{n}"), campaign(trigger, template)).await;
    }

    // Nor does anybody who gets a mailing have anything to confirm.
    let told = refused(&shop, "/v1/mailings/m", json!({ "name": "News", "template": "agree" })).await;
    assert!(told.len() == 1 && told[0].1.contains("prints links.confirm"), "{told:?}");
    shop.put("/v1/mailings/m", json!({ "name": "News", "template": "asks" })).await;
    let told = refused(&shop, "/v1/templates/asks", json!({ "subject": "{{change.nth}}", "html": "<p>x</p>" })).await;
    assert!(told.len() == 1 && told[0].1.contains("prints change.nth, which nothing has"), "{told:?}");
}

#[tokio::test]
async fn a_container_that_is_not_defined_is_refused_with_those_that_are() {
    let shop = Shop::open().await;
    let items = |container: &str| {
        let html = format!("<p>{{{{#each containers.{container}.items}}}}{{{{name}}}}{{{{/each}}}}</p>");
        json!({ "subject": "s", "html": html })
    };
    let told = refused(&shop, "/v1/templates/t", items("wishlst")).await;
    let said = "there is no containers.wishlst; did you mean containers.wishlist, ";
    assert!(!told.is_empty() && told.iter().all(|(place, told)| place == "/html" && told.contains(said)), "{told:?}");
    shop.put("/v1/templates/t", items("wishlist")).await;
    refused(&shop, "/v1/templates/own", items("registry")).await;
    shop.put("/v1/containers/registry", json!({ "name": "Registry" })).await;
    shop.put("/v1/templates/own", items("registry")).await;
    let any = "<p>{{#each containers}}{{total}}{{#each items}}{{name}}{{/each}}{{/each}}</p>";
    shop.put("/v1/templates/any", json!({ "subject": "s", "html": any })).await;
}
