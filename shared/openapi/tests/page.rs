//! The page made of the document.
#![expect(clippy::unwrap_used, reason = "a test ends where something that it relies on is not so")]

use serde_json::Value;

fn rendered() -> (Value, String) {
    let document = openapi::document("https://api.example.com");
    let page = openapi::page(&document).unwrap();
    (document, page)
}

#[test]
fn the_page_has_every_operation_and_schema_and_every_link_on_it_leads_somewhere() {
    let (document, page) = rendered();
    let has = |id: &str| page.contains(&format!("id=\"{id}\""));
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(has(id), "{id}");
        }
    }
    let names = document["components"]["schemas"].as_object().unwrap().keys();
    names.for_each(|name| assert!(has(&format!("schema-{name}")), "{name}"));
    for link in page.split("href=\"#").skip(1) {
        let (to, _) = link.split_once('"').unwrap();
        assert!(has(to), "{to}");
    }
    let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len());
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let (_, page) = rendered();
    for loading in ["<script", "<link", "<img", "<iframe", "src=", "@import", "url(", "javascript:"] {
        assert!(!page.contains(loading), "{loading}");
    }
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn what_the_address_holds_is_text_on_the_page() {
    let document = openapi::document("https://<script>alert(1)</script>");
    assert!(!openapi::page(&document).unwrap().contains("<script"));
}

#[test]
fn an_operation_on_the_page_looks_as_it_did() {
    let (_, page) = rendered();
    let from = page.find("<article aria-labelledby=\"putOrderStatus\">").unwrap();
    let length = page[from..].find("</article>").unwrap();
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("operation", &page[from..from + length]) });
}
