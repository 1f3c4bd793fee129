//! JSON that is not what a route takes: every wrong field is named by its place.

use serde_json::{Value, json};

use crate::checks::Check;
use crate::support::{Shop, campaign, order, with};

const NO_TIMES: [&str; 4] = ["yesterday", "2026-11-22", "2026-11-22T10:00:00", "1969-12-31T23:59:59Z"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_field_of_an_order_is_named_and_nothing_is_written() {
    let shop = Shop::open().await;
    let check = async |patch: Value, places: &[&str]| {
        Check::put("/v1/orders/o", &with(order("c"), patch)).is(&shop, 422, places).await;
    };
    Check::put("/v1/orders/o", &json!({})).is(&shop, 422, &["/customer_id", "/currency", "/total"]).await;
    for id in [json!(7), json!(""), json!(" c"), json!("a\u{0}b"), json!("x".repeat(201))] {
        check(json!({ "customer_id": id }), &["/customer_id"]).await;
    }
    for time in NO_TIMES {
        check(json!({ "updated_at": time, "created_at": time }), &["/updated_at", "/created_at"]).await;
    }
    for currency in [json!("euro"), json!("eur"), json!(978)] {
        check(json!({ "currency": currency }), &["/currency"]).await;
    }
    for total in [json!("NaN"), json!("24,95"), json!(true), json!("1.0123456789"), json!("9".repeat(19)), json!({})] {
        check(json!({ "total": total }), &["/total"]).await;
    }
    check(json!({ "amounts": [] }), &["/amounts"]).await;
    check(json!({ "amounts": { "money": "x", "tax": "1" } }), &["/amounts/money", "/amounts/tax"]).await;
    check(json!({ "lines": {} }), &["/lines"]).await;
    check(json!({ "lines": vec![json!({}); 1_001] }), &["/lines"]).await;
    check(json!({ "lines": [7, {}] }), &["/lines/0", "/lines/1/id", "/lines/1/product_id", "/lines/1/quantity"]).await;
    check(
        json!({ "lines": [{ "id": "1", "product_id": "p", "quantity": "many", "price": [], "url": 7, "fields": [], "sku": 1 }] }),
        &["/lines/0/quantity", "/lines/0/price", "/lines/0/url", "/lines/0/fields", "/lines/0/sku"],
    )
    .await;
    let line = |id: &str| json!({ "id": id, "product_id": "p", "quantity": 1 });
    check(json!({ "lines": [line("1"), line("2"), line("1")] }), &["/lines/2/id"]).await;
    check(json!({ "status": "shipped" }), &["/status"]).await;
    check(json!({ "status": { "delivery": "on its way", "mood": "good" } }), &["/status/delivery", "/status/mood"])
        .await;
    check(json!({ "status": { "delivery": {} } }), &["/status/delivery/code"]).await;
    check(json!({ "status": { "payment": { "code": "paid", "at": "soon" } } }), &["/status/payment/at"]).await;
    check(json!({ "status": { "general": { "code": "x", "since": 1 } } }), &["/status/general/since"]).await;
    check(json!({ "delivery": { "type": 7, "note": "x".repeat(2_001) } }), &["/delivery/type", "/delivery/note"]).await;
    check(json!({ "delivery": { "address": { "geo": { "lat": 1 } } } }), &["/delivery/address"]).await;
    check(json!({ "payment": { "provider": [] } }), &["/payment/provider"]).await;
    check(json!({ "fields": { "a": { "b": 1 } } }), &["/fields"]).await;
    check(json!({ "colour": "red", "a/b~c": 1 }), &["/a~1b~0c", "/colour"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_field_of_a_status_an_event_or_a_customer_is_named_and_nothing_is_written() {
    let shop = Shop::open().await;
    let status = async |body: Value, places: &[&str]| {
        Check::put("/v1/orders/o/status", &body).is(&shop, 422, places).await;
    };
    status(json!({}), &["/set", "/code"]).await;
    status(json!({ "set": "mood", "code": "in progress", "at": "now", "by": 1 }), &["/set", "/code", "/at", "/by"])
        .await;

    let event = async |patch: Value, places: &[&str]| {
        let good = json!({ "id": "e", "customer_id": "c", "name": "product_viewed" });
        Check::post("/v1/events", &with(good, patch)).is(&shop, 422, places).await;
    };
    Check::post("/v1/events", &json!({})).is(&shop, 422, &["/id", "/name", "/customer_id"]).await;
    event(json!({ "id": "", "customer_id": 7, "name": "a b" }), &["/id", "/customer_id", "/name"]).await;
    event(json!({ "kind": "rumour", "source": "a/b", "session_id": 7 }), &["/kind", "/source", "/session_id"]).await;
    event(json!({ "context": [], "colour": 1 }), &["/context", "/colour"]).await;
    for time in NO_TIMES {
        event(json!({ "at": time }), &["/at"]).await;
    }

    let customer = async |body: Value, places: &[&str]| {
        Check::put("/v1/customers/c", &body).is(&shop, 422, places).await;
    };
    for address in [json!(7), json!({}), json!("x".repeat(501))] {
        customer(json!({ "email": address, "phone": address }), &["/email", "/phone"]).await;
    }
    customer(
        json!({ "updated_at": "today", "phone": 371, "first_name": [] }),
        &["/updated_at", "/phone", "/first_name"],
    )
    .await;
    customer(
        json!({ "birthday": "17.5.1990", "country": "Latvia", "time_zone": "Riga" }),
        &["/country", "/birthday", "/time_zone"],
    )
    .await;
    customer(json!({ "birthday": "1990-02-30", "language": "x".repeat(501) }), &["/language", "/birthday"]).await;
    customer(json!({ "consent": "granted" }), &["/consent"]).await;
    customer(json!({ "consent": {} }), &["/consent/email"]).await;
    customer(json!({ "consent": { "email": "yes", "sms": "granted" } }), &["/consent/email", "/consent/sms"]).await;
    customer(
        json!({ "consent": { "email": { "state": "maybe", "at": "then" } } }),
        &["/consent/email/state", "/consent/email/at"],
    )
    .await;
    customer(json!({ "fields": { "a": [{}] }, "firstname": "Ada" }), &["/fields", "/firstname"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_does_not_compile_is_refused_with_line_and_column() {
    let shop = Shop::open().await;
    let check = async |patch: Value, places: &[&str]| {
        let good = json!({ "subject": "Hello", "html": "<p>Hello</p>" });
        Check::put("/v1/templates/t", &with(good, patch)).is(&shop, 422, places).await
    };
    Check::put("/v1/templates/t", &json!({})).is(&shop, 422, &["/subject", "/html"]).await;
    check(
        json!({ "subject": 7, "text": [], "preheader": 1, "body": "" }),
        &["/subject", "/text", "/preheader", "/body"],
    )
    .await;
    check(json!({ "subject": " " }), &["/subject"]).await;
    for broken in
        ["<p>\n  {{#if order}}open", "<p>\n  {{nosuchhelper 1}}", "<p>\n  {{> partial}}", "<p>\n  {{#each}}{{/each}}"]
    {
        let problem = check(json!({ "html": broken }), &["/html"]).await;
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(detail.starts_with("line 2, column "), "{broken:?}: {detail}");
    }
    check(
        json!({ "subject": "{{", "preheader": "{{/if}}", "text": "{{money 1}}" }),
        &["/subject", "/preheader", "/text"],
    )
    .await;
    check(json!({ "mjml": "<mjml></mjml>" }), &["/mjml"]).await;
    check(json!({ "html": null, "mjml": "<mjml><mj-body><mj-text>" }), &["/mjml"]).await;
    check(json!({ "language": "English", "partials": {} }), &["/language", "/partials"]).await;
    check(
        json!({ "translations": { "lv": { "subject": "s" }, "et": 7 } }),
        &["/translations/et", "/translations/lv/html"],
    )
    .await;
    let content = json!({ "subject": "s", "html": "<p>Hello</p>" });
    check(json!({ "language": "lv", "translations": { "LV": content } }), &["/translations"]).await;
    check(json!({ "translations": { "a b": content } }), &["/translations"]).await;
    let broken = json!({ "subject": "{{", "html": "{{> none}}" });
    check(json!({ "translations": { "lv": broken } }), &["/translations/lv/subject", "/translations/lv/html"]).await;
    for (partial, places) in [
        (json!({}), &["/source"][..]),
        (json!({ "source": "{{#if order}}", "name": "n" }), &["/source"]),
        (json!({ "source": "x", "name": 7, "html": "x" }), &["/name", "/html"]),
    ] {
        Check::put("/v1/partials/p", &partial).is(&shop, 422, places).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_field_of_an_attachment_is_named_and_a_template_brings_along_what_there_is() {
    let shop = Shop::open().await;
    let check = async |patch: Value, places: &[&str]| {
        let good = json!({ "name": "terms.pdf", "type": "application/pdf", "content": "JVBERi0=" });
        Check::put("/v1/attachments/a", &with(good, patch)).is(&shop, 422, places).await
    };
    Check::put("/v1/attachments/a", &json!({})).is(&shop, 422, &["/name", "/type", "/content"]).await;
    check(json!({ "name": 7, "type": "PDF", "content": "%", "size": 1 }), &["/name", "/type", "/content", "/size"])
        .await;
    let problem = check(json!({ "name": "setup.exe" }), &["/name"]).await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("SES sends no such files"), "{problem}");
    let check = async |attachments: Value, places: &[&str]| {
        let body = json!({ "subject": "s", "html": "<p>x</p>", "attachments": attachments });
        Check::put("/v1/templates/t", &body).is(&shop, 422, places).await
    };
    check(json!({}), &["/attachments"]).await;
    check(json!([{ "attachment": "a b", "inline": "yes" }]), &["/attachments/0/attachment", "/attachments/0/inline"])
        .await;
    check(json!([{ "attachment": "a" }, { "attachment": "a" }]), &["/attachments"]).await;
    check(json!(vec![json!({ "attachment": "a" }); 11]), &["/attachments"]).await;
    check(json!([{ "attachment": "a" }]), &["/attachments/0/attachment"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_field_of_a_group_of_promo_codes_and_each_wrong_code_is_named() {
    let shop = Shop::open().await;
    let group = "/v1/promo-code-groups/ten";
    for pattern in [json!("TEN"), json!("TEN-####"), json!("10 %-????????"), json!("?".repeat(21)), json!(7)] {
        Check::put(group, &json!({ "name": "Ten", "pattern": pattern })).is(&shop, 422, &["/pattern"]).await;
    }
    Check::put(group, &json!({ "name": 7, "codes": [] })).is(&shop, 422, &["/name", "/codes"]).await;
    let codes = format!("{group}/codes");
    Check::post(&codes, &json!({ "codes": ["A"] })).is(&shop, 404, &[]).await;
    shop.put(group, json!({ "name": "Ten" })).await;
    // Whatever is wrong, none of the others is taken.
    Check::post(&codes, &json!({ "codes": ["A", "", 7, " B"] }))
        .is(&shop, 422, &["/codes/1", "/codes/2", "/codes/3"])
        .await;
    Check::post(&codes, &json!({ "codes": vec!["A"; 2_001] })).is(&shop, 422, &["/codes"]).await;
    Check::raw("POST", &codes, "text/csv", "").is(&shop, 422, &[""]).await;
    Check::raw("POST", &codes, "text/csv", "A\n".repeat(2_001)).is(&shop, 413, &[]).await;
    Check::raw("POST", &codes, "text/csv", "A".repeat(1024 * 1024 + 1)).is(&shop, 413, &[]).await;
    for after in ["x", "OCNh", "MSM"] {
        Check::get(&format!("{codes}?after={after}")).is(&shop, 422, &["?after"]).await;
    }
    Check::raw("DELETE", "/v1/promo-code-groups/none", "", "").is(&shop, 404, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_wrong_field_of_a_campaign_or_a_mailing_is_named_and_nothing_is_written() {
    let shop = Shop::open().await;
    shop.template("t").await;
    let check = async |patch: Value, places: &[&str]| {
        Check::put("/v1/campaigns/c", &with(campaign("t"), patch)).is(&shop, 422, places).await;
    };
    let send = json!({ "send": { "template": "t" } });
    Check::put("/v1/campaigns/c", &json!({})).is(&shop, 422, &["/name", "/trigger", "/steps"]).await;
    Check::put("/v1/campaigns/c", &campaign("u")).is(&shop, 422, &["/steps/0/send/template"]).await;
    check(
        json!({ "name": 7, "status": "on", "purpose": "spam", "colour": 1 }),
        &["/name", "/status", "/purpose", "/colour"],
    )
    .await;
    check(json!({ "trigger": "order_created" }), &["/trigger"]).await;
    check(json!({ "trigger": { "type": "moon" } }), &["/trigger/type"]).await;
    check(json!({ "trigger": { "type": "order_status_changed" } }), &["/trigger/set"]).await;
    check(
        json!({ "trigger": { "type": "order_status_changed", "set": "delivery", "to": "on its way" } }),
        &["/trigger/to"],
    )
    .await;
    check(json!({ "trigger": { "type": "event_received", "kind": "rumour" } }), &["/trigger/name", "/trigger/kind"])
        .await;
    check(json!({ "filter": { "field": "event.name", "is": 1 } }), &["/filter/field"]).await;
    check(json!({ "filter": { "all": [{ "field": "customer.city", "is": "Riga" }, 7] } }), &["/filter/all/1"]).await;
    check(json!({ "steps": {} }), &["/steps"]).await;
    check(json!({ "steps": [{ "wait": "PT1H" }] }), &["/steps"]).await;
    check(json!({ "steps": vec![send.clone(); 51] }), &["/steps"]).await;
    check(
        json!({ "steps": [send, { "send": {} }, {}, { "nap": 1 }] }),
        &["/steps/1/send/template", "/steps/2", "/steps/3/nap"],
    )
    .await;
    for wait in [json!("soon"), json!("PT0S"), json!("P400D"), json!("-PT1H"), json!(60)] {
        let send = json!({ "send": { "template": "t" } });
        check(json!({ "steps": [{ "wait": wait }, send] }), &["/steps/0/wait"]).await;
    }
    let both = json!({ "wait": "PT1H", "send": { "template": "t" } });
    check(json!({ "steps": [both, { "send": { "template": "t" } }] }), &["/steps/0"]).await;

    let mailing = async |body: Value, places: &[&str]| {
        Check::put("/v1/mailings/m", &body).is(&shop, 422, places).await;
    };
    mailing(json!({}), &["/name", "/template"]).await;
    mailing(json!({ "name": "m", "template": "u" }), &["/template"]).await;
    mailing(json!({ "name": "m", "template": "a b", "at": "soon", "to": [] }), &["/template", "/at", "/to"]).await;
    let audience = json!({ "field": "order.total", "is": 1 });
    mailing(json!({ "name": "m", "template": "t", "audience": audience }), &["/audience/field"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_for_messages_must_say_whose_or_which_and_a_page_that_there_is() {
    let shop = Shop::open().await;
    let check = async |query: &str, places: &[&str]| {
        Check::get(&format!("/v1/messages{query}")).is(&shop, 422, places).await;
    };
    check("", &["?customer"]).await;
    check("?customer=", &["?customer"]).await;
    check("?customer=%20c", &["?customer"]).await;
    check("?customer=c&limit=0", &["?limit"]).await;
    check("?customer=c&limit=101", &["?limit"]).await;
    check("?limit=many", &["?customer", "?limit"]).await;
    check("?state=SENT", &["?customer"]).await;
    check("?campaign=a%20b&state=sent&reason=x", &["?campaign", "?state", "?reason"]).await;
    check("?campaign=a&mailing=b", &["?mailing"]).await;
    check("?customer=c&state=SENT&reason=no_consent", &["?reason"]).await;
    for after in ["", "nonsense", "%23", "2026-11-22T10:00:00.000Z%23", "%23x", "soon%23x"] {
        check(&format!("?customer=c&after={after}"), &["?after"]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_about_the_customer_that_it_names_whatever_is_in_the_name() {
    let shop = Shop::open().await;
    shop.template("t").await;
    shop.put("/v1/campaigns/confirm", campaign("t")).await;
    for (n, id) in ["a", "a,b", "a&b=c", "ü+ %"].iter().enumerate() {
        shop.put(&format!("/v1/orders/{n}"), order(id)).await;
    }
    shop.quiet().await;
    for name in ["a", "a%2Cb", "a%26b%3Dc", "%C3%BC%2B+%25"] {
        assert_eq!(shop.messages(name).await.len(), 1, "{name}");
    }
}
