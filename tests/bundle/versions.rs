//! The versions of a template, and what they differ in.

use serde_json::{Value, json};

use crate::support::Shop;

/// A shop with a template `t` of three versions: the third is that of a partial.
async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Your old shop</p>" })).await;
    let html = "<h1>Hello</h1>\n<p>One</p>\n<p>Two</p>\n{{> sign}}";
    let latvian = |subject: &str| json!({ "lv": { "subject": subject, "html": "<p>Sveiki</p>" } });
    let mut template = json!({ "subject": "Old", "html": html, "language": "en", "translations": latvian("Vecs") });
    shop.put("/v1/templates/t", template.clone()).await;
    template["html"] = json!(html.replace("One", "1"));
    template["translations"] = latvian("Jauns");
    template["preheader"] = json!("Look");
    shop.put("/v1/templates/t", template).await;
    shop.advance("PT1M").await;
    shop.put("/v1/partials/sign", json!({ "source": "<p>Your new shop</p>" })).await;
    shop
}

/// What two versions differ in, by place.
async fn differences(shop: &Shop, query: &str) -> Value {
    let shown = shop.get(&format!("/v1/templates/t/differences{query}")).await;
    let each = shown["differences"].as_array().unwrap().iter();
    let by_place = each.map(|one| (one["pointer"].as_str().unwrap().to_owned(), one["diff"].clone())).collect();
    json!({ "from": shown["from"], "to": shown["to"], "in": Value::Object(by_place) })
}

#[tokio::test]
async fn versions_are_listed_the_newest_first_with_when_and_by_whom_they_were_saved() {
    let shop = shop().await;
    let listed = shop.all_of("/v1/templates/t/versions?a=b", 2).await;
    assert_eq!(listed.iter().map(|one| one["version"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 2, 1]);
    let ours = json!(shop.api.key().split('_').nth(1).unwrap());
    assert!(listed.iter().all(|one| one["by"] == ours), "{listed:?}");
    let at = |place: usize| listed[place]["saved_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(at(0).duration_since(at(1)).as_secs() >= 60 && at(1) >= at(2));
    let change = shop.get(&format!("/v1/audit/{}", listed[1]["change"].as_str().unwrap())).await;
    assert_eq!((&change["code"], &change["version"], &change["at"]), (&json!("t"), &json!(2), &listed[1]["saved_at"]));
    let places: Vec<&Value> = change["differences"].as_array().unwrap().iter().map(|one| &one["pointer"]).collect();
    assert_eq!(places, ["/html", "/preheader", "/translations/lv/subject"]);
    assert_eq!(shop.ask("GET", "/v1/templates/none/versions", Value::Null).await.0, 404);
}

#[tokio::test]
async fn two_versions_differ_place_by_place_and_line_by_line() {
    let shop = shop().await;
    let old = "@@ -1,4 +1,4 @@\n <h1>Hello</h1>\n-<p>One</p>\n+<p>1</p>\n <p>Two</p>\n {{> sign}}\n";
    let sign = "@@ -1 +1 @@\n-<p>Your old shop</p>\n+<p>Your new shop</p>\n";
    let latvian = "@@ -1 +1 @@\n-Vecs\n+Jauns\n";
    let expected = json!({ "from": 1, "to": 3, "in": {
        "/html": old, "/partials/sign": sign, "/preheader": "@@ -0,0 +1 @@\n+Look\n", "/translations/lv/subject": latvian,
    } });
    assert_eq!(differences(&shop, "?from=1&to=3").await, expected);
    // What the newest changed; the other way round; nothing; and what the first began with.
    assert_eq!(differences(&shop, "").await, json!({ "from": 2, "to": 3, "in": { "/partials/sign": sign } }));
    let back = differences(&shop, "?from=2&to=1").await;
    assert_eq!(back["in"]["/translations/lv/subject"], "@@ -1 +1 @@\n-Jauns\n+Vecs\n");
    assert_eq!(differences(&shop, "?from=2&to=2").await["in"], json!({}));
    let first = differences(&shop, "?to=1").await;
    assert_eq!((&first["from"], &first["in"]["/subject"]), (&json!(0), &json!("@@ -0,0 +1 @@\n+Old\n")));
}

#[tokio::test]
async fn each_version_can_be_read_and_one_that_is_not_there_is_not_found() {
    let shop = shop().await;
    let read = async |query: &str| {
        let shown = shop.get(&format!("/v1/templates/t{query}")).await;
        (shown["version"].as_u64().unwrap(), shown["translations"]["lv"]["subject"].as_str().unwrap().to_owned())
    };
    assert_eq!(read("").await, (3, "Jauns".to_owned()));
    assert_eq!(read("?version=1").await, (1, "Vecs".to_owned()));
    for (path, status, pointer) in [
        ("?version=9", 404, "-"),
        ("?version=0", 422, "?version"),
        ("/differences?from=1&to=9", 404, "-"),
        ("/differences?from=9", 404, "-"),
        ("/differences?from=0", 422, "?from"),
        ("/differences?from=one&to=2.5", 422, "?from"),
    ] {
        let (answered, problem) = shop.ask("GET", &format!("/v1/templates/t{path}"), Value::Null).await;
        let at = problem["errors"][0]["pointer"].as_str().unwrap_or("-");
        assert_eq!((answered, at), (status, pointer), "{path}: {problem}");
    }
    assert_eq!(shop.ask("GET", "/v1/templates/none/differences", Value::Null).await.0, 404);
}
