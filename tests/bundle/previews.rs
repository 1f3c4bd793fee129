//! What a mail would be, before anybody gets it.

use serde_json::{Value, json};

use crate::support::Shop;

/// What is shown of a template that is saved as `t`.
async fn preview(shop: &Shop, asked: Value) -> Value {
    let (status, shown) = shop.ask("POST", "/v1/templates/t/preview", asked).await;
    assert_eq!(status, 200, "{shown}");
    shown
}

async fn save(shop: &Shop, subject: &str, html: &str) {
    shop.put("/v1/templates/t", json!({ "subject": subject, "html": html })).await;
}

async fn mug(shop: &Shop, price: &str) {
    let product = json!({ "name": "The mug", "price": price, "currency": "EUR", "available": true });
    shop.put("/v1/products/mug", product).await;
}

/// Every row that says anything of the shop: of how often a key called and what the
/// minute's schedules do there are others.
async fn rows(shop: &Shop) -> Vec<String> {
    let mut rows = shop.all_rows().await;
    rows.retain(|row| !row.starts_with("requests") && !row.starts_with("checkpoints"));
    rows.sort();
    rows
}

#[tokio::test]
async fn a_preview_is_the_mail_that_the_customer_gets_and_writes_nothing() {
    let shop = Shop::open().await;
    mug(&shop, "9.00").await;
    let html = "<p>Dear {{customer.first_name}}</p>{{#each order.lines}}<p>{{quantity}} {{name}}, {{product.name}}: \
                {{money total \"EUR\"}}</p>{{/each}}";
    let template = json!({ "subject": "Order {{order.id}}", "html": html, "preheader": "From {{customer.city}}" });
    shop.put("/v1/templates/t", template).await;
    shop.campaign("c", json!({ "type": "order_created" }), json!([{ "send": { "template": "t" } }])).await;
    shop.customer("ada").await;
    shop.patch("/v1/customers/ada", json!({ "city": "Rīga & more" })).await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let before = rows(&shop).await;
    let shown = preview(&shop, json!({ "customer_id": "ada", "order_id": "1" })).await;
    shop.quiet().await;
    assert_eq!(rows(&shop).await, before);

    let mails = shop.mails();
    assert_eq!(mails.len(), 1);
    let plain = |text: Option<&str>| text.unwrap().replace("\r\n", "\n").trim().to_owned();
    assert_eq!(shown["subject"], json!(mails[0].subject));
    assert_eq!(plain(shown["html"].as_str()), plain(mails[0].html.as_deref()));
    assert_eq!(plain(shown["text"].as_str()), plain(mails[0].text.as_deref()));
    assert!(plain(shown["html"].as_str()).contains("1 Mug, The mug: €24.95"), "{shown}");
    assert_eq!((&shown["would_be_sent"], &shown["missing"]), (&json!(true), &json!([])));
    let size = |part: &str| json!(shown[part].as_str().unwrap().len());
    assert_eq!(shown["size"], json!({ "html": size("html"), "text": size("text"), "clipped": false }));
}

#[tokio::test]
async fn a_preview_is_about_the_event_or_the_product_that_is_named() {
    let shop = Shop::open().await;
    mug(&shop, "7.50").await;
    let html = "<p>{{#if event}}{{event.context.price}} then, {{event.product.price}} now{{else}}{{product.name}} at \
                {{product.price}}{{/if}}</p>";
    save(&shop, "s", html).await;
    for id in ["ada", "bob"] {
        shop.customer(id).await;
    }
    let context = json!({ "product_id": "mug", "price": "9.00" });
    shop.tell("/v1/events", json!({ "id": "e", "customer_id": "ada", "name": "rang", "context": context })).await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let html = async |asked: Value| preview(&shop, asked).await["html"].as_str().unwrap().to_owned();
    assert!(html(json!({ "customer_id": "ada", "event_id": "e" })).await.contains("9.00 then, 7.50 now"));
    assert!(html(json!({ "customer_id": "ada", "product_id": "mug" })).await.contains("The mug at 7.50"));

    // What another one did and has is not theirs.
    let (status, _) =
        shop.ask("POST", "/v1/templates/t/preview", json!({ "customer_id": "bob", "event_id": "e" })).await;
    assert_eq!(status, 404);
    for gone in [json!({ "customer_id": "bob", "order_id": "1" }), json!({ "customer_id": "ada", "product_id": "cup" })]
    {
        let shown = preview(&shop, gone).await;
        assert_eq!((&shown["would_be_sent"], &shown["reason"]), (&json!(false), &json!("subject_gone")));
    }
}

#[tokio::test]
async fn given_data_takes_the_place_of_what_there_is_and_is_all_there_is_with_nobody_named() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Your {{shop.name}}</p>" })).await;
    let template = json!({ "subject": "For {{customer.first_name}}", "html": "<p>{{order.total}}</p>{{> sign}}" });
    let data = json!({ "customer": { "first_name": "Eve" }, "order": { "total": "5.00" }, "shop": { "name": "pots" } });
    let asked = json!({ "template": template, "data": data });
    let (status, shown) = shop.ask("POST", "/v1/templates/preview", asked).await;
    assert_eq!((status, &shown["subject"], &shown["would_be_sent"]), (200, &json!("For Eve"), &json!(true)), "{shown}");
    assert_eq!(shown["html"], "<p>5.00</p><p>Your pots</p>");
    assert_eq!(shop.get("/v1/templates").await["items"], json!([]), "a draft is not saved");

    save(&shop, "{{customer.first_name}}", "<p>{{customer.email}}</p>").await;
    shop.customer("ada").await;
    let data = json!({ "customer": { "first_name": "Eve" } });
    let shown = preview(&shop, json!({ "customer_id": "ada", "data": data })).await;
    assert_eq!(shown["missing"][0]["path"], "customer.email", "a field that is given is given as a whole");
    let data = json!({ "now": "2026-11-22T10:00:00Z" });
    assert_eq!(preview(&shop, json!({ "customer_id": "ada", "data": data })).await["subject"], "ada");
}

#[tokio::test]
async fn whatever_is_printed_and_not_there_is_named_at_its_place() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/where", json!({ "source": "<i>in\n{{customer.city}}</i>" })).await;
    save(
        &shop,
        "Dear {{customer.last_name}}",
        "<p>Hi</p>\n{{> where}}{{#if customer.phone}}{{customer.phone}}{{/if}}{{default customer.zip \"-\"}}",
    )
    .await;
    shop.customer("ada").await;
    let shown = preview(&shop, json!({ "customer_id": "ada" })).await;
    let missing = json!([
        { "path": "customer.last_name", "part": "subject", "line": 1, "column": 6 },
        { "path": "customer.city", "part": "html", "partial": "where", "line": 2, "column": 1 },
    ]);
    assert_eq!(shown["missing"], missing);
    assert_eq!((&shown["would_be_sent"], &shown["reason"]), (&json!(false), &json!("missing_variable")));
    assert_eq!(shown["detail"], "customer.last_name (subject, line 1, column 6)");
    assert!(["subject", "html", "text", "size"].iter().all(|part| shown.get(part).is_none()), "{shown}");
}

#[tokio::test]
async fn a_preview_says_why_the_mail_would_not_be_sent() {
    let shop = Shop::open().await;
    save(&shop, "News", "<p>{{#if (eq customer.first_name \"kim\")}}{{block \"not for kim\"}}{{/if}}Hi</p>").await;
    for id in ["ada", "kim", "stopped", "gone"] {
        shop.customer(id).await;
    }
    shop.put("/v1/customers/silent", json!({ "email": "silent@example.com" })).await;
    shop.put("/v1/customers/nowhere", json!({ "consent": { "email": "granted" } })).await;
    shop.ask("PUT", "/v1/suppressions/stopped@example.com", Value::Null).await;
    assert_eq!(shop.ask("DELETE", "/v1/customers/gone", Value::Null).await.0, 202);
    for (customer, reason, detail) in [
        ("silent", "no_consent", Value::Null),
        ("nowhere", "no_address", Value::Null),
        ("stopped", "suppressed", json!("by_hand")),
        ("stranger", "customer_unknown", Value::Null),
        ("gone", "erased", Value::Null),
        ("kim", "blocked_by_template", json!("not for kim")),
    ] {
        let shown = preview(&shop, json!({ "customer_id": customer })).await;
        assert_eq!((&shown["would_be_sent"], &shown["reason"]), (&json!(false), &json!(reason)), "{customer}: {shown}");
        assert_eq!(shown["detail"], detail, "{customer}");
        assert_eq!(shown["html"].is_null(), customer == "kim", "what would keep the mail back does not hide it");
    }
    assert_eq!(preview(&shop, json!({ "customer_id": "ada" })).await["would_be_sent"], true);

    // Mail about an order needs no consent.
    shop.order("1", "silent").await;
    let shown = preview(&shop, json!({ "customer_id": "silent", "order_id": "1" })).await;
    assert_eq!(shown["would_be_sent"], true, "{shown}");
}

#[tokio::test]
async fn a_mail_of_which_gmail_would_show_only_the_beginning_is_said_to_be_clipped() {
    let shop = Shop::open().await;
    for (bytes, clipped) in [(102 * 1024, false), (102 * 1024 + 1, true)] {
        let html = format!("<p>{}</p>", "x".repeat(bytes - "<p></p>".len()));
        let asked = json!({ "template": { "subject": "s", "html": html, "text": "t" } });
        let (_, shown) = shop.ask("POST", "/v1/templates/preview", asked).await;
        assert_eq!(shown["size"], json!({ "html": bytes, "text": 1, "clipped": clipped }));
    }
}

#[tokio::test]
async fn each_version_can_be_previewed_and_what_cannot_be_is_refused_at_its_place() {
    let shop = Shop::open().await;
    save(&shop, "old", "<p>x</p>").await;
    save(&shop, "new", "<p>x</p>").await;
    let subject = async |asked: Value| preview(&shop, asked).await["subject"].clone();
    assert_eq!((subject(json!({})).await, subject(json!({ "version": 1 })).await), (json!("new"), json!("old")));

    let refused = async |path: &str, asked: Value| {
        let (status, problem) = shop.ask("POST", path, asked).await;
        (status, problem["errors"][0]["pointer"].as_str().unwrap_or("-").to_owned())
    };
    let draft = json!({ "subject": "s", "html": "<p>{{frob}}</p>{{frob 1}}" });
    for (path, asked, status, pointer) in [
        ("/v1/templates/t/preview", json!({ "version": 9 }), 404, "-"),
        ("/v1/templates/u/preview", json!({}), 404, "-"),
        ("/v1/templates/t/preview", json!({ "order_id": "1" }), 422, "/customer_id"),
        ("/v1/templates/t/preview", json!({ "customer_id": "c", "order_id": "1", "event_id": "e" }), 422, ""),
        ("/v1/templates/t/preview", json!({ "to": "a@example.com" }), 422, "/to"),
        ("/v1/templates/preview", json!({ "template": draft }), 422, "/template/html"),
        ("/v1/templates/preview", json!({}), 422, "/template"),
    ] {
        assert_eq!(refused(path, asked.clone()).await, (status, pointer.to_owned()), "{path} {asked}");
    }
}

/// Whether it would be sent, and why not.
fn outcome(shown: &Value) -> (bool, &str) {
    (shown["would_be_sent"].as_bool().unwrap(), shown["reason"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_preview_has_the_purpose_and_the_category_of_the_campaign_or_the_mailing_that_is_named() {
    let shop = Shop::open().await;
    save(&shop, "s", "<p>x</p>").await;
    shop.put("/v1/mailing-categories/news", json!({ "name": "News" })).await;
    shop.put("/v1/products/mug", json!({ "name": "The mug", "available": true })).await;
    let refuses = json!({ "email": "granted", "categories": { "news": "denied" } });
    shop.put("/v1/customers/ada", json!({ "email": "ada@example.com", "consent": refuses })).await;
    shop.put("/v1/customers/silent", json!({ "email": "silent@example.com" })).await;
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "t" } }]);
    for (id, purpose, category, trigger) in [
        ("paid", "transactional", Value::Null, json!({ "type": "event_received", "name": "paid" })),
        ("orders", "marketing", json!({ "category": "news" }), json!({ "type": "order_created" })),
    ] {
        let mut body = json!({ "name": id, "purpose": purpose, "trigger": trigger, "steps": steps });
        if !category.is_null() {
            body["sending"] = category;
        }
        shop.put(&format!("/v1/campaigns/{id}"), body).await;
    }
    let mailing = json!({ "name": "News", "template": "t", "at": "2030-01-01T00:00:00Z" });
    shop.put("/v1/mailings/all", mailing.clone()).await;
    let mut news = mailing;
    news["sending"] = json!({ "category": "news" });
    shop.put("/v1/mailings/news", news).await;
    for customer in ["ada", "silent"] {
        shop.event("e", customer, "paid").await;
        shop.event("other", customer, "rang").await;
        shop.order(customer, customer).await;
    }
    shop.quiet().await;
    shop.advance("PT2S").await;

    for (asked, sent, reason) in [
        // A guess, where nothing is named: about an order it is transactional.
        (json!({ "customer_id": "silent", "event_id": "e" }), false, "no_consent"),
        (json!({ "customer_id": "silent", "event_id": "e", "campaign_id": "paid" }), true, ""),
        (json!({ "customer_id": "silent", "campaign_id": "paid" }), true, ""),
        (json!({ "customer_id": "ada", "order_id": "ada" }), true, ""),
        (json!({ "customer_id": "ada", "order_id": "ada", "campaign_id": "orders" }), false, "category_refused"),
        (json!({ "customer_id": "silent", "order_id": "silent", "campaign_id": "orders" }), false, "no_consent"),
        (json!({ "customer_id": "ada", "mailing_id": "all" }), true, ""),
        (json!({ "customer_id": "ada", "mailing_id": "news" }), false, "category_refused"),
        (json!({ "customer_id": "silent", "mailing_id": "all" }), false, "no_consent"),
    ] {
        let shown = preview(&shop, asked.clone()).await;
        assert_eq!(outcome(&shown), (sent, reason), "{asked}: {shown}");
    }
    // By the definition in force.
    let body = json!({ "name": "paid", "trigger": { "type": "event_received", "name": "paid" }, "steps": steps });
    shop.put("/v1/campaigns/paid", body).await;
    let shown = preview(&shop, json!({ "customer_id": "silent", "event_id": "e", "campaign_id": "paid" })).await;
    assert_eq!(outcome(&shown), (false, "no_consent"));

    for (asked, pointer) in [
        (json!({ "campaign_id": "none" }), "/campaign_id"),
        (json!({ "mailing_id": "none" }), "/mailing_id"),
        (json!({ "campaign_id": "paid", "mailing_id": "all" }), "/mailing_id"),
        (json!({ "customer_id": "ada", "order_id": "ada", "mailing_id": "all" }), "/mailing_id"),
        (json!({ "customer_id": "ada", "order_id": "ada", "campaign_id": "paid" }), "/order_id"),
        (json!({ "customer_id": "ada", "event_id": "e", "campaign_id": "orders" }), "/event_id"),
        (json!({ "customer_id": "ada", "event_id": "other", "campaign_id": "paid" }), "/event_id"),
        (json!({ "customer_id": "ada", "product_id": "mug", "campaign_id": "orders" }), "/product_id"),
    ] {
        for (path, asked) in [("preview", asked.clone()), ("test", with_to(&asked))] {
            let (status, problem) = shop.ask("POST", &format!("/v1/templates/t/{path}"), asked.clone()).await;
            assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{path} {asked}: {problem}");
        }
    }
}

fn with_to(asked: &Value) -> Value {
    let mut asked = asked.clone();
    asked["to"] = json!("me@example.com");
    asked
}

#[tokio::test]
async fn what_asks_for_consent_is_previewed_and_tested_with_the_link_that_confirms() {
    let shop = Shop::open().await;
    let html = "<a href=\"{{links.confirm}}\">yes</a>{{#if change.categories}}\
                {{#each change.categories}}<i>{{this}}</i>{{/each}}{{/if}}";
    save(&shop, "{{change.type}}", html).await;
    let steps = json!([{ "send": { "template": "t" } }]);
    let trigger = json!({ "type": "consent_requested" });
    let body =
        json!({ "name": "Asked", "status": "draft", "purpose": "transactional", "trigger": trigger, "steps": steps });
    shop.put("/v1/campaigns/asked", body).await;
    shop.put("/v1/mailing-categories/news", json!({ "name": "News" })).await;
    shop.customer("ada").await;
    let requests = json!({ "email": "requested", "categories": { "news": "requested" } });
    shop.put("/v1/customers/bob", json!({ "email": "bob@example.com", "consent": requests })).await;
    shop.quiet().await;
    for (customer, categories) in [("ada", 0), ("bob", 1)] {
        let asked = json!({ "customer_id": customer, "campaign_id": "asked" });
        let shown = preview(&shop, asked.clone()).await;
        assert_eq!((outcome(&shown), &shown["subject"]), ((true, ""), &json!("consent_requested")), "{shown}");
        let html = shown["html"].as_str().unwrap();
        assert!(html.contains("/c/") && html.matches("<i>news</i>").count() == categories, "{html}");
        shop.tell("/v1/templates/t/test", with_to(&asked)).await;
        shop.quiet().await;
        let mail = shop.mails().pop().unwrap();
        assert_eq!(
            (mail.subject.as_str(), &mail.to[..]),
            ("[Test] consent_requested", &["me@example.com".to_owned()][..])
        );
        assert!(mail.html.unwrap().contains("/c/"));
    }
    let shown = preview(&shop, json!({ "customer_id": "ada" })).await;
    assert_eq!(outcome(&shown), (false, "missing_variable"));
    assert!(shown["missing"].as_array().unwrap().iter().any(|missing| missing["path"] == "links.confirm"), "{shown}");
}

/// What the change is that a preview by a campaign shows: these of its fields.
async fn change(shop: &Shop, about: Value, campaign: &str, fields: &str) -> String {
    let printed = |field: &str| format!("{{{{default change.{field} \"-\"}}}}");
    let subject: Vec<String> = fields.split(' ').map(printed).collect();
    let mut asked = about;
    asked["customer_id"] = json!("ada");
    asked["campaign_id"] = json!(campaign);
    asked["template"] = json!({ "subject": subject.join(" "), "html": "<p>x</p>" });
    let (status, shown) = shop.ask("POST", "/v1/templates/preview", asked).await;
    assert_eq!(status, 200, "{campaign}: {shown}");
    shown["subject"].as_str().unwrap_or_else(|| panic!("{campaign}: {shown}")).to_owned()
}

async fn drafts(shop: &Shop, triggers: &[(&str, Value)]) {
    for (id, trigger) in triggers {
        let steps = json!([{ "send": { "template": "plain" } }]);
        let body = json!({ "name": id, "status": "draft", "trigger": trigger, "steps": steps });
        shop.put(&format!("/v1/campaigns/{id}"), body).await;
    }
}

#[tokio::test]
async fn a_preview_by_a_campaign_shows_the_latest_change_of_the_order_that_sets_it_off_or_one_that_may_come() {
    let shop = Shop::with_plain_template().await;
    let of_status = |set: &str, to: Value| json!({ "type": "order_status_changed", "set": set, "to": to });
    let mut any = of_status("delivery", Value::Null);
    any.as_object_mut().unwrap().remove("to");
    drafts(
        &shop,
        &[
            ("created", json!({ "type": "order_created" })),
            ("any", any),
            ("assembling", of_status("delivery", json!("assembling"))),
            ("arrived", of_status("delivery", json!("delivered"))),
            ("paid", of_status("payment", json!("paid"))),
            ("packed", json!({ "type": "order_line_status_changed", "to": "packed" })),
            ("sewn", json!({ "type": "order_line_status_changed", "to": "sewn" })),
            ("lines", json!({ "type": "order_lines_changed" })),
        ],
    )
    .await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    for (second, code) in [(1, "assembling"), (2, "shipped"), (3, "assembling")] {
        let at = format!("2026-11-01T10:00:0{second}Z");
        shop.put("/v1/orders/1/status", json!({ "set": "delivery", "code": code, "at": at })).await;
    }
    let packed = json!({ "code": "packed", "at": "2026-11-01T11:00:00Z" });
    shop.put("/v1/orders/1/lines/1/status", packed).await;
    shop.quiet().await;

    let of_set = "type set from to nth";
    for (campaign, fields, expected) in [
        ("created", "type order_id", "order_created 1"),
        ("any", of_set, "order_status_changed delivery shipped assembling 2"),
        ("any", "at", "2026-11-01T10:00:03Z"),
        ("assembling", of_set, "order_status_changed delivery shipped assembling 2"),
        ("arrived", of_set, "order_status_changed delivery assembling delivered 1"),
        ("paid", of_set, "order_status_changed payment - paid 1"),
        ("packed", "type line_id from to nth at", "order_line_status_changed 1 - packed 1 2026-11-01T11:00:00Z"),
        ("sewn", "type line_id from to nth", "order_line_status_changed 1 packed sewn 1"),
        ("lines", "type order_id count", "order_lines_changed 1 1"),
    ] {
        assert_eq!(change(&shop, json!({ "order_id": "1" }), campaign, fields).await, expected, "{campaign}");
    }
    let may_come = change(&shop, json!({ "order_id": "1" }), "paid", "at").await;
    assert!(may_come.as_str() > "2026-11-01T12:00:00Z", "{may_come}");
    // Of an order that is not there it is still said that it is not.
    let draft = json!({ "subject": "s", "html": "<p>x</p>" });
    let asked = json!({ "template": draft, "customer_id": "ada", "order_id": "2", "campaign_id": "paid" });
    let (_, shown) = shop.ask("POST", "/v1/templates/preview", asked).await;
    assert_eq!(outcome(&shown), (false, "subject_gone"), "{shown}");
}

#[tokio::test]
async fn a_preview_by_a_campaign_shows_what_happened_to_the_product_the_container_or_the_segment_that_it_waits_for() {
    let shop = Shop::with_plain_template().await;
    shop.put("/v1/segments/loyal", json!({ "name": "Loyal", "condition": { "count": "orders", "at_least": 1 } })).await;
    shop.advance("PT1M").await;
    let news = |what: &str| json!({ "type": "product_changed", "what": what, "whom": { "holding": "cart" } });
    let cart = |what: &str| json!({ "type": "container_changed", "container": "cart", "what": what });
    drafts(
        &shop,
        &[
            ("cheaper", news("price_dropped")),
            ("stock", news("stock_changed")),
            ("back", news("back_in_stock")),
            ("added", cart("item_added")),
            ("removed", cart("item_removed")),
            ("emptied", cart("emptied")),
            ("joined", json!({ "type": "segment_entered", "segment": "loyal" })),
            ("gone", json!({ "type": "segment_left", "segment": "loyal" })),
        ],
    )
    .await;
    shop.customer("ada").await;
    for price in ["9.00", "7.50"] {
        mug(&shop, price).await;
        shop.advance("PT1S").await;
    }
    let items = json!([{ "product_id": "mug" }]);
    shop.tell("/v1/customers/ada/containers/cart", json!({ "id": "1", "op": "add", "items": items })).await;
    shop.quiet().await;
    for (about, campaign, fields, expected) in [
        (json!({ "product_id": "mug" }), "cheaper", "type what from to", "product_changed price_dropped 9.00 7.50"),
        (json!({ "product_id": "mug" }), "stock", "type what from", "product_changed stock_changed -"),
        (json!({ "product_id": "mug" }), "back", "type what product_id", "product_changed back_in_stock mug"),
        (json!({}), "added", "type container what product_id", "container_changed cart item_added mug"),
        (json!({}), "removed", "type container what product_id", "container_changed cart item_removed mug"),
        (json!({}), "emptied", "type container what product_id", "container_changed cart emptied -"),
        (json!({}), "joined", "type segment", "segment_entered loyal"),
        (json!({}), "gone", "type segment", "segment_left loyal"),
    ] {
        assert_eq!(change(&shop, about, campaign, fields).await, expected, "{campaign}");
    }

    // Once it has happened it is that.
    shop.order("1", "ada").await;
    shop.quiet().await;
    let since = shop.get("/v1/customers/ada/segments").await["items"][0]["since"].clone();
    shop.advance("PT1M").await;
    assert_eq!(json!(change(&shop, json!({}), "joined", "at").await), since);
    assert_eq!(change(&shop, json!({}), "gone", "segment").await, "loyal");
}
