//! The pages behind the links in mails.

use std::collections::BTreeSet;

use local::shop::{Client, Reply};
use serde_json::json;

use crate::consent::{link, path_in, post, shop_with_categories, state, told};
use crate::support::Shop;

async fn look(shop: &Shop, path: &str) -> Reply {
    Client::new(shop.bundle.api_url(), "").get(path).await.unwrap()
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.to_vec()).unwrap()
}

/// What a browser would send of a page's form, with these boxes turned over.
fn form(page: &str, turned: &[&str]) -> String {
    let value =
        |tag: &str, name: &str| Some(tag.split_once(&format!("{name}=\""))?.1.split('"').next().unwrap().to_owned());
    let mut fields = Vec::new();
    for tag in page.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let (name, of) = (value(tag, "name").unwrap(), value(tag, "value").unwrap());
        let is_on = tag.contains(" checked") != turned.contains(&&*of);
        if !tag.contains("checkbox") || is_on {
            fields.push(format!("{name}={}", of.replace('*', "%2A")));
        }
    }
    fields.join("&") + "&do=save"
}

#[tokio::test]
async fn what_is_chosen_on_the_page_is_saved_once_and_nothing_else_is_changed() {
    let shop = shop_with_categories().await;
    shop.customer("ada").await;
    let path = link(&shop, "ada", "read_news", "p").await;
    let page = text(&look(&shop, &path).await);
    let shown: BTreeSet<&str> = page.split("<label").skip(1).map(|l| l.split(['>', '<']).nth(1).unwrap()).collect();
    assert!(shown.contains("News") && shown.contains("Offers") && shown.len() == 3, "{shown:?}");
    assert!(!page.contains("ada"), "a page shows nobody's name or address");

    // Nothing was changed in it, so nothing changes, and it is never said what was never said.
    let before = shop.get("/v1/customers/ada").await;
    assert_eq!(post(&shop, &path, &form(&page, &[])).await.status, 200);
    assert_eq!(shop.get("/v1/customers/ada").await, before);

    let without_offers = form(&page, &["offers"]);
    let saved = post(&shop, &path, &without_offers).await;
    assert!(saved.status == 200 && text(&saved).contains("role=\"status\""));
    assert_eq!(state(&shop, "ada", "offers").await, "denied");
    assert_eq!(
        (state(&shop, "ada", "news").await, state(&shop, "ada", "email").await),
        (String::new(), "granted".into())
    );
    let once = shop.get("/v1/customers/ada").await;
    shop.advance("PT1H").await;
    assert_eq!(post(&shop, &path, &without_offers).await.status, 200);
    assert_eq!(shop.get("/v1/customers/ada").await, once);

    // A form that was open all the while says what was changed in it, not what it was.
    assert_eq!(post(&shop, &path, &form(&page, &["news"])).await.status, 200);
    assert_eq!(
        (state(&shop, "ada", "news").await, state(&shop, "ada", "offers").await),
        ("denied".into(), "denied".into())
    );

    let page = text(&post(&shop, &path, "do=nothing").await);
    assert_eq!(state(&shop, "ada", "email").await, "denied");
    // And back again.
    assert_eq!(post(&shop, &path, &form(&page, &["*", "news"])).await.status, 200);
    assert_eq!(
        (state(&shop, "ada", "email").await, state(&shop, "ada", "news").await),
        ("granted".into(), "granted".into())
    );
}

#[tokio::test]
async fn a_scanner_that_opens_every_link_changes_nothing() {
    let shop = shop_with_categories().await;
    shop.put("/v1/customers/ada", json!({ "email": "ada@example.com", "consent": { "email": "requested" } })).await;
    shop.quiet().await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let mails = shop.mails();
    let mut links = vec![path_in(mails[0].html.as_ref().unwrap(), "c")];
    links.extend(["u", "p"].map(|kind| path_in(mails[1].html.as_ref().unwrap(), kind)));
    let before = told(&shop).await;
    for path in &links {
        for _ in 0..2 {
            let page = look(&shop, path).await;
            assert_eq!((page.status, page.content_type.as_str()), (200, "text/html; charset=utf-8"));
            assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
            let policy = page.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("img-src 'none'"), "{policy}");
            assert!(page.header("x-robots-tag").contains("noindex"));
        }
    }
    assert_eq!(told(&shop).await, before);
    // What is signed for one purpose is good for no other.
    for path in &links {
        let (_, token) = path.rsplit_once('/').unwrap();
        for kind in ["u", "p", "c"].into_iter().filter(|kind| !path.starts_with(&format!("/{kind}/"))) {
            assert_eq!(look(&shop, &format!("/{kind}/{token}")).await.status, 404, "{kind} {path}");
            assert_eq!(post(&shop, &format!("/{kind}/{token}"), "").await.status, 404, "{kind} {path}");
        }
    }
}

#[tokio::test]
async fn who_was_erased_and_who_never_was_see_the_same_page() {
    let shop = shop_with_categories().await;
    // Whoever is called so is not who was erased.
    for id in ["ada", "erased"] {
        shop.customer(id).await;
    }
    let leave = link(&shop, "ada", "read_news", "u").await;
    let choose = path_in(&shop.mails().pop().unwrap().html.unwrap(), "p");
    assert_eq!(shop.ask("DELETE", "/v1/customers/ada", serde_json::Value::Null).await.0, 202);
    for quiet in [false, true] {
        if quiet {
            shop.quiet().await;
        }
        let nobody = look(&shop, "/u/nonsense").await;
        assert_eq!(nobody.status, 404);
        for path in [&leave, &choose] {
            for page in [look(&shop, path).await, post(&shop, path, "do=nothing").await] {
                assert_eq!((page.status, text(&page)), (404, text(&nobody)), "{path}");
            }
        }
    }
    assert_eq!(state(&shop, "erased", "email").await, "granted");
}

#[tokio::test]
async fn a_page_speaks_its_readers_language_and_has_the_shops_name_and_logo() {
    let shop = shop_with_categories().await;
    shop.put("/v1/settings", json!({ "languages": ["lv"], "logo": "https://cdn.example.com/logo.png" })).await;
    let names = json!({ "de": "Neuigkeiten", "ar": "أخبار" });
    shop.put("/v1/mailing-categories/news", json!({ "name": "News", "names": names })).await;
    shop.customer("ada").await;
    shop.advance("PT2S").await;
    let path = link(&shop, "ada", "read_news", "p").await;
    for (language, shown, name) in [
        (None, "lv", "News"),
        (Some("de-AT"), "de", "Neuigkeiten"),
        (Some("ar"), "ar", "أخبار"),
        (Some("hy"), "lv", "News"),
    ] {
        shop.patch("/v1/customers/ada", json!({ "language": language })).await;
        let page = look(&shop, &path).await;
        assert!(page.header("content-security-policy").contains("img-src https://cdn.example.com;"));
        let page = text(&page);
        assert!(page.contains(&format!("<html lang=\"{shown}\"")), "{page}");
        assert!(
            page.contains(&format!(">{name}</label>"))
                && page.contains("<img src=\"https://cdn.example.com/logo.png\"")
        );
    }
}

#[tokio::test]
async fn who_leaves_while_they_become_somebody_else_has_left() {
    let shop = shop_with_categories().await;
    for id in ["eva", "kim"] {
        shop.customer(id).await;
    }
    let (eva, kim) = (link(&shop, "eva", "read_news", "u").await, link(&shop, "kim", "read_news", "p").await);
    // What they have is not moved yet, and of whom they are now nothing is known.
    shop.fault(json!({ "kind": "kill", "function": "evaluate", "at_call": 1, "when": "before", "next": 100 }));
    for (from, into) in [("eva", "ada"), ("kim", "joe")] {
        shop.tell(&format!("/v1/customers/{into}/merge"), json!({ "from": from })).await;
    }
    assert_eq!(look(&shop, &eva).await.status, 200);
    assert_eq!(post(&shop, &eva, "List-Unsubscribe=One-Click").await.status, 200);
    assert_eq!(post(&shop, &kim, "do=nothing").await.status, 200);
    shop.bundle.clear_faults();
    shop.drain().await;
    assert_eq!(
        (state(&shop, "ada", "news").await, state(&shop, "ada", "email").await),
        ("denied".into(), "granted".into())
    );
    assert_eq!(state(&shop, "joe", "email").await, "denied");
    assert_eq!(shop.get("/v1/customers/ada").await["email"], "eva@example.com");
    assert_eq!(shop.dead_letters().await, 0);
}

#[tokio::test]
async fn whoever_asks_to_leave_one_kind_that_is_not_shown_any_more_leaves_nothing_else() {
    let shop = shop_with_categories().await;
    shop.customer("ada").await;
    let leave = link(&shop, "ada", "read_news", "u").await;
    assert!(text(&look(&shop, &leave).await).contains("value=\"kind\""));
    shop.put("/v1/mailing-categories/news", json!({ "name": "News", "visible": false })).await;
    shop.advance("PT2S").await;
    let page = post(&shop, &leave, "leave=kind").await;
    assert_eq!((page.status, state(&shop, "ada", "email").await), (200, "granted".into()));
    let page = text(&page);
    assert!(page.contains("value=\"everything\"") && !page.contains("role=\"status\""), "{page}");
    assert_eq!(post(&shop, &leave, "leave=everything").await.status, 200);
    assert_eq!(state(&shop, "ada", "email").await, "denied");
}

#[tokio::test]
async fn the_page_behind_an_older_mail_does_not_confirm_what_was_asked_since() {
    let shop = shop_with_categories().await;
    shop.customer("ada").await;
    let older = link(&shop, "ada", "read_news", "p").await;
    let ask = async || {
        shop.advance("PT1H").await;
        let asked = json!({ "email": { "state": "requested", "at": shop.bundle.now() } });
        shop.patch("/v1/customers/ada", json!({ "email": "new@example.com", "consent": asked })).await;
        shop.quiet().await;
        assert_eq!(state(&shop, "ada", "email").await, "requested");
    };
    ask().await;
    assert!(!text(&look(&shop, &older).await).contains("value=\"*\""));
    assert_eq!(post(&shop, &older, "shown=*&on=*&do=save").await.status, 200);
    assert_eq!(state(&shop, "ada", "email").await, "requested");
    // Leaving needs no such thing.
    assert_eq!(post(&shop, &older, "do=nothing").await.status, 200);
    assert_eq!(state(&shop, "ada", "email").await, "denied");

    ask().await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    let newer = path_in(&shop.mails().pop().unwrap().html.unwrap(), "p");
    assert_eq!(post(&shop, &newer, "shown=*&on=*&do=save").await.status, 200);
    assert_eq!(state(&shop, "ada", "email").await, "granted");
}
