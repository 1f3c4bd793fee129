//! What templates are made of: partials that are edited, languages.

use serde_json::{Value, json};

use crate::support::Shop;

/// The text of each mail to somebody, in the order in which they went out.
fn texts(shop: &Shop, customer: &str) -> Vec<String> {
    let to = format!("{customer}@example.com");
    shop.mails()
        .iter()
        .filter(|mail| mail.to == [to.as_str()])
        .map(|mail| mail.text.clone().unwrap_or_default())
        .collect()
}

async fn version(shop: &Shop, template: &str) -> Value {
    shop.get(&format!("/v1/templates/{template}")).await["version"].clone()
}

#[tokio::test]
async fn an_edited_partial_makes_new_versions_and_what_has_begun_keeps_the_old_text() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Your old shop</p>" })).await;
    let layout = json!({ "name": "Page", "source": "<body>{{> @partial-block}}{{> sign}}</body>" });
    shop.put("/v1/partials/page", layout).await;
    let html = "{{#> page}}<p>Order {{order.id}}</p>{{/page}}";
    let saved = shop.put("/v1/templates/thanks", json!({ "subject": "Thanks", "html": html })).await;
    assert_eq!(
        (&saved["partials"], &saved["html"], &saved["warnings"]),
        (&json!(["page", "sign"]), &json!(html), &json!([]))
    );
    shop.put("/v1/templates/other", json!({ "subject": "s", "html": "<p>x</p>" })).await;
    let steps = json!([{ "wait": "PT1H" }, { "send": { "template": "thanks" } }]);
    shop.campaign("thanks", json!({ "type": "order_created" }), steps).await;
    shop.customer("ada").await;
    shop.order("1", "ada").await;
    shop.drain().await;

    let edited = shop.put("/v1/partials/sign", json!({ "source": "<p>Your new shop</p>" })).await;
    assert_eq!(edited["templates"], json!([{ "id": "thanks", "version": 2 }]));
    assert_eq!((version(&shop, "thanks").await, version(&shop, "other").await), (json!(2), json!(1)));
    // The same once more makes none.
    let again = shop.put("/v1/partials/sign", json!({ "source": "<p>Your new shop</p>" })).await;
    assert_eq!((&again["version"], &again["templates"]), (&json!(2), &json!([])));
    shop.order("2", "ada").await;
    shop.advance("PT2H").await;
    let sent = texts(&shop, "ada");
    assert!(
        sent.len() == 2 && sent.iter().any(|text| text.contains("Order 1") && text.contains("old shop")),
        "{sent:?}"
    );
    assert!(sent.iter().any(|text| text.contains("Order 2") && text.contains("new shop")), "{sent:?}");
    let changes = shop.get("/v1/audit?limit=50").await;
    let kinds: Vec<&Value> = changes["items"].as_array().unwrap().iter().map(|change| &change["kind"]).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "partial").count(), 3, "{kinds:?}");
}

#[tokio::test]
async fn a_partial_that_breaks_a_template_is_not_saved_and_one_in_use_stays() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Bye</p>" })).await;
    shop.put("/v1/partials/page", json!({ "source": "{{> sign}}" })).await;
    shop.put("/v1/templates/thanks", json!({ "subject": "s", "html": "<p>x</p>\n {{> page}}" })).await;
    let put = async |code: &str, source: &str| {
        let (status, problem) = shop.ask("PUT", &format!("/v1/partials/{code}"), json!({ "source": source })).await;
        (status, problem["errors"][0]["detail"].as_str().unwrap_or_default().to_owned())
    };
    let (status, detail) = put("sign", "<p>\n {{frob 1}}</p>").await;
    assert!(status == 422 && detail.starts_with("line 2, column 2: there is no helper"), "{detail}");
    let (status, detail) = put("sign", "{{> page}}").await;
    assert!(status == 422 && detail.contains("circle: page → sign → page"), "{detail}");
    // Sound by itself, but a layout where no layout is meant.
    let (status, detail) = put("page", "{{> sign}}{{> @partial-block}}").await;
    assert!(
        status == 422 && detail.starts_with("in the template \"thanks\": html, partial page, line 1, column 11"),
        "{detail}"
    );
    assert_eq!(
        (version(&shop, "thanks").await, shop.get("/v1/partials/page").await["version"].clone()),
        (json!(1), json!(1))
    );

    let delete = async |code: &str| shop.ask("DELETE", &format!("/v1/partials/{code}"), Value::Null).await;
    let (status, problem) = delete("sign").await;
    assert_eq!(
        (status, problem["detail"].as_str()),
        (409, Some("it is used by partial \"page\", template \"thanks\""))
    );
    shop.put("/v1/templates/thanks", json!({ "subject": "s", "html": "<p>x</p>" })).await;
    assert_eq!(delete("page").await.0, 204);
    assert_eq!((delete("page").await.0, delete("sign").await.0, delete("none").await.0), (404, 204, 404));
    assert_eq!(shop.get("/v1/partials").await["items"], json!([]));
    let (status, problem) =
        shop.ask("PUT", "/v1/templates/late", json!({ "subject": "s", "html": "{{> page}}" })).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/html")));
}

#[tokio::test]
async fn more_templates_than_a_transaction_holds_all_get_the_new_partial() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>old</p>" })).await;
    for n in 0..70 {
        shop.put(&format!("/v1/templates/t{n}"), json!({ "subject": "s", "html": "{{> sign}}" })).await;
    }
    let edited = shop.put("/v1/partials/sign", json!({ "source": "<p>new</p>" })).await;
    let made = edited["templates"].as_array().unwrap();
    assert_eq!((made.len(), &edited["version"]), (70, &json!(2)));
    assert!(made.iter().all(|made| made["version"] == 2), "{made:?}");
}

#[tokio::test]
async fn a_partial_with_which_one_of_many_templates_is_too_large_changes_none_of_them() {
    let shop = Shop::open().await;
    shop.put("/v1/partials/long", json!({ "source": "short" })).await;
    let template =
        |size: usize| json!({ "subject": "s", "html": format!("<p>{}</p>{{{{> long}}}}", "x".repeat(size)) });
    for n in 0..7 {
        shop.put(&format!("/v1/templates/t{n}"), template(100 * 1024)).await;
    }
    shop.put("/v1/templates/the-last", template(245 * 1024)).await;
    let long = json!({ "source": "x".repeat(150 * 1024) });
    let (status, problem) = shop.ask("PUT", "/v1/partials/long", long).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/source")), "{problem}");
    let detail = problem["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.starts_with("in the template \"the-last\": "), "{detail}");
    assert_eq!(shop.get("/v1/partials/long").await["version"], 1);
    for n in 0..7 {
        assert_eq!(version(&shop, &format!("t{n}")).await, 1);
    }
}

#[tokio::test]
async fn who_reads_a_language_gets_its_translation() {
    let shop = Shop::open().await;
    let content =
        |word: &str| json!({ "subject": format!("{word} {{{{order.id}}}}"), "html": format!("<p>{word}</p>") });
    let mut template = content("Order");
    template["language"] = json!("en");
    template["translations"] = json!({ "lv": content("Pasūtījums"), "pt-BR": content("Pedido") });
    shop.put("/v1/templates/plain", template.clone()).await;
    shop.confirm_orders().await;
    for (customer, language) in [("ada", "lv-LV"), ("eve", "lv"), ("bob", "pt_BR"), ("dan", "pt"), ("kim", "en-GB")] {
        shop.customer(customer).await;
        shop.patch(&format!("/v1/customers/{customer}"), json!({ "language": language })).await;
        shop.order(customer, customer).await;
    }
    shop.drain().await;
    let mut subjects = shop.subjects();
    subjects.sort();
    assert_eq!(subjects, ["Order dan", "Order kim", "Pasūtījums ada", "Pasūtījums eve", "Pedido bob"]);

    let mut broken = template;
    broken["translations"]["lv"]["html"] = json!("<p>\n{{frob 1}}</p>");
    let (status, problem) = shop.ask("PUT", "/v1/templates/plain", broken).await;
    let error = &problem["errors"][0];
    assert_eq!((status, &error["pointer"]), (422, &json!("/translations/lv/html")));
    assert!(error["detail"].as_str().unwrap().starts_with("line 2, column 1: "), "{error}");
}
