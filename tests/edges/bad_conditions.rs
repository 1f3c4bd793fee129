//! Conditions that ask what nobody can answer: each fault is named by its place, with
//! what may have been meant.

use serde_json::{Value, json};

use crate::checks::Check;
use crate::support::{Shop, campaign, with};

/// That a campaign with this filter is refused for these reasons, each at its place.
async fn check(shop: &Shop, filter: Value, expected: &[(&str, &str)]) {
    let places: Vec<&str> = expected.iter().map(|(place, _)| *place).collect();
    let body = with(campaign("t"), json!({ "filter": filter }));
    let problem = Check::put("/v1/campaigns/c", &body).is(shop, 422, &places).await;
    for (error, (_, wanted)) in problem["errors"].as_array().unwrap().iter().zip(expected) {
        assert!(error["detail"].as_str().unwrap().contains(wanted), "{wanted}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_that_a_filter_asks_for_and_is_not_there_is_named_with_what_may_be_meant() {
    let shop = Shop::open().await;
    shop.template("t").await;
    shop.put("/v1/fields/customer.tier", json!({ "label": "Tier", "type": "string", "allowed": ["gold", "silver"] }))
        .await;
    let children = json!({ "label": "Children", "type": "integer", "min": 0, "max": 20 });
    shop.put("/v1/fields/customer.children", children).await;
    shop.put("/v1/audiences/vip", json!({ "name": "VIP" })).await;

    check(&shop, json!({ "field": "customer.citty", "is": "Riga" }), &[("/filter/field", "\"customer.city\"")]).await;
    let tier = json!({ "field": "customer.tier", "is": "gold" });
    check(&shop, tier, &[("/filter/field", "\"customer.fields.tier\"")]).await;
    let tier = json!({ "field": "customer.fields.tier", "is": "golden" });
    check(&shop, tier, &[("/filter/is", "\"gold\"")]).await;
    let total = json!({ "field": "order.total", "starts_with": "1" });
    check(&shop, total, &[("/filter/starts_with", "a number")]).await;
    let children = json!({ "field": "customer.fields.children", "more_than": 20 });
    check(&shop, children, &[("/filter/more_than", "at least 0 and at most 20")]).await;
    // All at once, however deep.
    let filter = json!({ "all": [
        { "field": "order.status.delivery", "is": "shiped" },
        { "not": { "audience": "vipp" } },
        { "count": "orders", "where": { "any": [
            { "field": "order.status.general", "in": ["completed", "canceled"] },
            { "field": "order.totl", "at_least": 10 },
        ] } },
        {
            "count": "items", "where": { "field": "item.container", "is": "card" },
            "during": { "since": { "last": "events", "where": { "field": "event.sesion_id", "set": true } } },
        },
    ] });
    let faults = [
        ("/filter/all/0/is", "\"shipped\""),
        ("/filter/all/1/not/audience", "did you mean \"vip\"?"),
        ("/filter/all/2/where/any/0/in/1", "\"cancelled\""),
        ("/filter/all/2/where/any/1/field", "\"order.total\""),
        ("/filter/all/3/where/is", "\"cart\""),
        ("/filter/all/3/during/since/where/field", "\"event.session_id\""),
    ];
    check(&shop, filter, &faults).await;

    let mailing = |audience: Value, template: &str| json!({ "name": "m", "template": template, "audience": audience });
    let unknown = mailing(json!({ "field": "customer.fields.teir", "is": "gold" }), "t");
    Check::put("/v1/mailings/m", &unknown).is(&shop, 422, &["/audience/field"]).await;
    let unknown = mailing(json!({ "audience": "staff" }), "u");
    Check::put("/v1/mailings/m", &unknown).is(&shop, 422, &["/audience/audience", "/template"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_event_brings_is_known_by_its_definition_and_of_others_anything_may_be_asked() {
    let shop = Shop::open().await;
    shop.template("t").await;
    let fields = json!({ "courier": "string", "attempt": "integer" });
    shop.put("/v1/event-types/courier_missed", json!({ "name": "Missed", "kind": "event", "fields": fields })).await;
    let about = |event: &str, filter: Value| {
        with(campaign("t"), json!({ "trigger": { "type": "event_received", "name": event }, "filter": filter }))
    };
    let attempt = json!({ "field": "event.context.atempt", "at_least": 2 });
    let body = about("courier_missed", attempt.clone());
    let problem = Check::put("/v1/campaigns/c", &body).is(&shop, 422, &["/filter/field"]).await;
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("\"event.context.attempt\""), "{problem}");
    let body = about("courier_missed", json!({ "field": "event.context.attempt", "is": "twice" }));
    Check::put("/v1/campaigns/c", &body).is(&shop, 422, &["/filter/is"]).await;
    shop.put("/v1/campaigns/c", about("rang_the_bell", attempt)).await;
    let attempt = json!({ "field": "event.context.attempt", "at_least": 2 });
    shop.put("/v1/campaigns/c", about("courier_missed", attempt)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_over_what_is_defined_is_taken_from_the_moment_that_it_is() {
    let shop = Shop::open().await;
    shop.template("t").await;
    let filter = json!({ "all": [
        { "field": "customer.fields.tier", "is": "gold" },
        { "field": "order.status.delivery", "is": "at_customs" },
        { "field": "order.source", "is": "app" },
        { "count": "containers", "where": { "field": "container.code", "is": "later" }, "at_least": 1 },
        { "audience": "vip" },
        { "field": "order.lines.fields.engraving", "contains": "Ada" },
    ] });
    let places = ["/0/field", "/1/is", "/2/is", "/3/where/is", "/4/audience", "/5/field"];
    let places = places.map(|place| format!("/filter/all{place}"));
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let body = with(campaign("t"), json!({ "filter": filter }));
    Check::put("/v1/campaigns/c", &body).is(&shop, 422, &places).await;
    for (path, word) in [
        ("fields/customer.tier", json!({ "label": "Tier", "type": "string" })),
        ("fields/order_line.engraving", json!({ "label": "Engraving", "type": "string" })),
        ("statuses/delivery.at_customs", json!({ "name": "At customs" })),
        ("sources/app", json!({ "name": "App" })),
        ("containers/later", json!({ "name": "Later" })),
        ("audiences/vip", json!({ "name": "VIP" })),
    ] {
        shop.put(&format!("/v1/{path}"), word).await;
    }
    assert_eq!(shop.put("/v1/campaigns/c", body).await["filter"], filter);
}
