//! Who may be written to, and leaving.

use std::time::Duration;

use jiff::SignedDuration;
use local::shop::{Client, Reply};
use serde_json::{Value, json};

use crate::support::Shop;

/// Sends what one of our pages' forms would.
pub(crate) async fn post(shop: &Shop, path: &str, body: &str) -> Reply {
    let anybody = Client::new(shop.bundle.api_url(), "");
    anybody.send("POST", path, "application/x-www-form-urlencoded", body.into()).await.unwrap()
}

/// What a customer has said of `email` or of a category.
pub(crate) async fn state(shop: &Shop, customer: &str, what: &str) -> String {
    let consent = shop.get(&format!("/v1/customers/{customer}")).await["consent"].clone();
    let consent = if what == "email" { &consent["email"] } else { &consent["categories"][what] };
    consent["state"].as_str().unwrap_or_default().to_owned()
}

/// Every row about customers and messages, as text.
pub(crate) async fn told(shop: &Shop) -> Vec<String> {
    let of_them = |row: &String| {
        let (table, _) = row.split_once(": ").unwrap();
        table.contains("customers") || table.contains("messages")
    };
    let rows: Vec<String> = shop.all_rows().await.into_iter().filter(of_them).collect();
    assert!(!rows.is_empty());
    rows
}

/// The path of a link in a mail made from the template `links`.
pub(crate) fn path_in(html: &str, kind: &str) -> String {
    let (_, token) = html.split_once(&format!("/{kind}/")).unwrap();
    format!("/{kind}/{}", token.split(['"', '<', ' ']).next().unwrap())
}

/// The path of a link in the mail that a customer gets for an event.
pub(crate) async fn link(shop: &Shop, customer: &str, event: &str, kind: &str) -> String {
    shop.event("for-a-link", customer, event).await;
    shop.quiet().await;
    path_in(&shop.mails().pop().unwrap().html.unwrap(), kind)
}

/// A shop with the categories `news` and `offers`, a campaign for each, order mails of
/// the category `news`, and double opt-in.
pub(crate) async fn shop_with_categories() -> Shop {
    let shop = Shop::open().await;
    let html = "<a href=\"{{links.unsubscribe}}\">u</a> <a href=\"{{links.preferences}}\">p</a>";
    shop.put("/v1/templates/links", json!({ "subject": "s", "html": html })).await;
    let html = "<a href=\"{{links.confirm}}\">c</a>";
    shop.put("/v1/templates/confirm", json!({ "subject": "s", "html": html })).await;
    for (code, name) in [("news", "News"), ("offers", "Offers")] {
        shop.put(&format!("/v1/mailing-categories/{code}"), json!({ "name": name })).await;
    }
    for (id, trigger, category, template) in [
        ("news", json!({ "type": "event_received", "name": "read_news" }), "news", "links"),
        ("offers", json!({ "type": "event_received", "name": "saw_offer" }), "offers", "links"),
        ("order", json!({ "type": "order_created" }), "news", "links"),
        ("asked", json!({ "type": "consent_requested" }), "news", "confirm"),
    ] {
        let steps = json!([{ "send": { "template": template } }]);
        let body = json!({ "name": id, "trigger": trigger, "sending": { "category": category }, "steps": steps });
        shop.put(&format!("/v1/campaigns/{id}"), body).await;
    }
    shop.advance("PT2S").await;
    shop
}

async fn shop_with_marketing() -> Shop {
    let shop = Shop::with_plain_template().await;
    shop.confirm_orders().await;
    shop.campaign(
        "seen",
        json!({ "type": "event_received", "name": "seen" }),
        json!([{ "send": { "template": "plain" } }]),
    )
    .await;
    shop
}

#[tokio::test]
async fn marketing_needs_consent_and_an_orders_own_mail_does_not() {
    let shop = shop_with_marketing().await;
    shop.put("/v1/customers/silent", json!({ "email": "silent@example.com" })).await;
    shop.put("/v1/customers/nowhere", json!({ "consent": { "email": "granted" } })).await;
    for customer in ["silent", "nowhere", "stranger"] {
        shop.event("e", customer, "seen").await;
        shop.quiet().await;
        shop.order(customer, customer).await;
        shop.quiet().await;
    }
    assert_eq!(shop.outcomes("silent").await, ["SENT", "NOT_SENT no_consent"]);
    assert_eq!(shop.outcomes("nowhere").await, ["NOT_SENT no_address", "NOT_SENT no_address"]);
    assert_eq!(shop.outcomes("stranger").await, ["NOT_SENT customer_unknown", "NOT_SENT customer_unknown"]);
}

#[tokio::test]
async fn one_click_leaves_and_a_look_changes_nothing() {
    let shop = shop_with_marketing().await;
    shop.customer("ada").await;
    shop.event("1", "ada", "seen").await;
    shop.quiet().await;

    let mail = shop.mails().remove(0);
    let header = |name: &str| mail.headers.iter().find(|(header, _)| header == name).unwrap().1.clone();
    assert_eq!(header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let link = header("List-Unsubscribe");
    let path = link.trim_matches(['<', '>']).splitn(4, '/').nth(3).unwrap();
    let path = format!("/{path}");
    assert!(!path.contains("ada"), "a link names no address and no customer: {path}");

    let anybody = Client::new(shop.bundle.api_url(), "");
    let before = shop.get("/v1/customers/ada").await;
    let look = anybody.get(&path).await.unwrap();
    assert_eq!((look.status, look.content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert_eq!(shop.get("/v1/customers/ada").await, before);

    for _ in 0..2 {
        assert_eq!(post(&shop, &path, "List-Unsubscribe=One-Click").await.status, 200);
    }
    // The shop's nightly job still believes that she agreed.
    shop.customer("ada").await;
    assert_eq!(state(&shop, "ada", "email").await, "denied");
    shop.event("2", "ada", "seen").await;
    shop.quiet().await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["SENT", "NOT_SENT no_consent", "SENT"]);

    for bad in ["/u/nonsense", &path.replace('.', "x."), &path[..path.len() - 1]] {
        assert_eq!(anybody.send("POST", bad, "", Vec::new()).await.unwrap().status, 404, "{bad}");
    }
}

#[tokio::test]
async fn who_leaves_a_category_leaves_that_one_alone_and_a_nightly_grant_brings_nobody_back() {
    let shop = shop_with_categories().await;
    shop.customer("ada").await;
    let leave = link(&shop, "ada", "read_news", "u").await;
    // A mail program may send its one click with another body, or without any.
    let boundary = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--";
    let anybody = Client::new(shop.bundle.api_url(), "");
    for (content_type, body) in [
        ("multipart/form-data; boundary=x", boundary),
        ("", ""),
        ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
    ] {
        let left = anybody.send("POST", &leave, content_type, body.into()).await.unwrap();
        assert_eq!(left.status, 200);
        assert!(String::from_utf8_lossy(&left.body).contains("News"));
    }
    let left = shop.get("/v1/customers/ada").await["consent"].clone();
    assert_eq!((&left["email"]["state"], &left["categories"]["news"]["state"]), (&json!("granted"), &json!("denied")));

    let nightly = json!({ "email": "granted", "categories": { "news": "granted", "offers": "granted" } });
    shop.patch("/v1/customers/ada", json!({ "consent": nightly })).await;
    assert_eq!(state(&shop, "ada", "news").await, "denied");
    assert_eq!(state(&shop, "ada", "offers").await, "granted");
    for name in ["read_news", "saw_offer"] {
        shop.event(name, "ada", name).await;
        shop.quiet().await;
    }
    shop.order("1", "ada").await;
    shop.quiet().await;
    // The order's own mail is of the category too, and needs no consent.
    assert_eq!(shop.outcomes("ada").await, ["SENT", "SENT", "NOT_SENT category_refused", "SENT"]);

    // And the page leaves everything.
    assert_eq!(post(&shop, &leave, "leave=everything").await.status, 200);
    assert_eq!(state(&shop, "ada", "email").await, "denied");
    shop.event("again", "ada", "saw_offer").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await[0], "NOT_SENT no_consent");
}

#[tokio::test]
async fn a_category_that_nobody_asked_for_is_not_in_use_or_not_seen_goes_by_its_definition() {
    let shop = shop_with_categories().await;
    shop.customer("ada").await;
    let category = async |more: Value| {
        let mut body = json!({ "name": "News" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        shop.put("/v1/mailing-categories/news", body).await;
        shop.advance("PT2S").await;
    };
    let outcome = async |id: &str| {
        shop.event(id, "ada", "read_news").await;
        shop.quiet().await;
        shop.messages("ada").await.remove(0)
    };
    category(json!({ "default": "off" })).await;
    assert_eq!(outcome("1").await["reason"], "category_refused");
    shop.patch("/v1/customers/ada", json!({ "consent": { "categories": { "news": "granted" } } })).await;
    assert_eq!(outcome("2").await["state"], "SENT");
    category(json!({ "active": false })).await;
    let stopped = outcome("3").await;
    assert_eq!(
        (&stopped["reason"], &stopped["detail"]),
        (&json!("category_refused"), &json!("the category is not active"))
    );
    // What customers do not see they cannot leave: one click leaves the whole list.
    category(json!({ "visible": false })).await;
    let leave = link(&shop, "ada", "read_news", "u").await;
    assert_eq!(post(&shop, &leave, "List-Unsubscribe=One-Click").await.status, 200);
    assert_eq!(
        (state(&shop, "ada", "news").await, state(&shop, "ada", "email").await),
        ("granted".into(), "denied".into())
    );
}

#[tokio::test]
async fn double_opt_in_confirms_once_however_often_the_button_is_pressed() {
    let shop = shop_with_categories().await;
    let asked = json!({ "email": "requested", "categories": { "offers": "requested" } });
    shop.put("/v1/customers/ada", json!({ "email": "ada@example.com", "consent": asked })).await;
    shop.quiet().await;
    // The same again asks nobody twice, and what is requested is not granted.
    shop.patch("/v1/customers/ada", json!({ "consent": asked })).await;
    shop.event("1", "ada", "saw_offer").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["NOT_SENT no_consent", "SENT"]);
    let confirm = path_in(&shop.mails()[0].html.clone().unwrap(), "c");

    let anybody = Client::new(shop.bundle.api_url(), "");
    let before = told(&shop).await;
    for _ in 0..2 {
        let look = anybody.get(&confirm).await.unwrap();
        assert!(look.status == 200 && String::from_utf8_lossy(&look.body).contains("<button"));
    }
    assert_eq!(told(&shop).await, before);

    shop.advance("PT1H").await;
    assert_eq!(post(&shop, &confirm, "").await.status, 200);
    let granted = shop.get("/v1/customers/ada").await;
    shop.advance("PT1H").await;
    for _ in 0..3 {
        assert_eq!(post(&shop, &confirm, "").await.status, 200);
    }
    assert_eq!(shop.get("/v1/customers/ada").await, granted);
    assert_eq!(granted["consent"]["email"]["state"], "granted");
    assert_eq!(granted["consent"]["categories"]["offers"]["state"], "granted");
    assert_eq!(granted["consent"]["email"]["at"], granted["consent"]["categories"]["offers"]["at"]);
    shop.event("2", "ada", "saw_offer").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await[0], "SENT");
}

#[tokio::test]
async fn a_confirmation_needs_the_same_address_a_month_at_most_and_to_know_that_one_has_left() {
    let shop = shop_with_categories().await;
    let ask = async |id: &str| {
        let body = json!({ "email": format!("{id}@example.com"), "consent": { "email": "requested" } });
        shop.put(&format!("/v1/customers/{id}"), body).await;
        shop.quiet().await;
        let (mut mail, to) = (shop.mails().into_iter(), format!("{id}@example.com"));
        path_in(&mail.rfind(|mail| mail.to.contains(&to)).unwrap().html.unwrap(), "c")
    };
    let (left, moved, late) = (ask("left").await, ask("moved").await, ask("late").await);

    // Somebody who has left since is told so, and has to say so.
    shop.patch("/v1/customers/left", json!({ "consent": { "email": "denied" } })).await;
    let answer = post(&shop, &left, "").await;
    assert!(answer.status == 200 && String::from_utf8_lossy(&answer.body).contains("name=\"again\""));
    assert_eq!(state(&shop, "left", "email").await, "denied");
    assert_eq!(post(&shop, &left, "again=yes").await.status, 200);
    assert_eq!(state(&shop, "left", "email").await, "granted");

    // Whoever reads one address does not speak for another.
    shop.patch("/v1/customers/moved", json!({ "email": "new@example.com" })).await;
    assert_eq!(post(&shop, &moved, "").await.status, 404);
    assert_eq!(state(&shop, "moved", "email").await, "requested");

    let (month, day) = (SignedDuration::from_hours(31 * 24), Duration::from_secs(24 * 60 * 60));
    shop.bundle.advance_in_steps(month, day).await.unwrap();
    let answer = post(&shop, &late, "").await;
    assert!(answer.status == 410 && String::from_utf8_lossy(&answer.body).contains("30 days"));
    assert_eq!(state(&shop, "late", "email").await, "requested");
}

#[tokio::test]
async fn of_two_who_become_one_the_later_refusal_holds_and_nobody_is_asked_again() {
    let shop = shop_with_categories().await;
    let consent = |news: &str, at: &str| {
        json!({ "email": "ada@example.com", "consent": {
            "email": "requested", "categories": { "news": { "state": news, "at": at } } } })
    };
    shop.put("/v1/customers/ada", consent("granted", "2026-11-01T10:00:00Z")).await;
    shop.put("/v1/customers/eva", consent("denied", "2026-11-02T10:00:00Z")).await;
    shop.quiet().await;
    let asked = shop.mails().len();
    shop.tell("/v1/customers/ada/merge", json!({ "from": "eva" })).await;
    shop.quiet().await;
    assert_eq!(state(&shop, "ada", "news").await, "denied");
    assert_eq!(shop.mails().len(), asked);
}

#[tokio::test]
async fn a_category_is_defined_before_it_is_named_and_stays_while_it_is() {
    let shop = Shop::with_plain_template().await;
    let campaign = |category: &str| {
        json!({ "name": "c", "trigger": { "type": "order_created" }, "sending": { "category": category },
            "filter": { "field": "customer.consent.categories.news.state", "is": "granted" },
            "steps": [{ "send": { "template": "plain" } }] })
    };
    let (status, problem) = shop.ask("PUT", "/v1/campaigns/c", campaign("news")).await;
    let places: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!((status, places), (422, vec!["/filter/field", "/sending/category"]));
    let mailing =
        json!({ "name": "m", "template": "plain", "sending": { "category": "news" }, "at": "2030-01-01T00:00:00Z" });
    assert_eq!(shop.ask("PUT", "/v1/mailings/m", mailing.clone()).await.0, 422);

    shop.put("/v1/mailing-categories/news", json!({ "name": "News" })).await;
    shop.put("/v1/campaigns/c", campaign("news")).await;
    shop.put("/v1/mailings/m", mailing).await;
    let (status, problem) = shop.ask("DELETE", "/v1/mailing-categories/news", Value::Null).await;
    assert_eq!((status, &problem["detail"]), (409, &json!("it is used by campaign \"c\", mailing \"m\"")));
    assert_eq!(shop.ask("PUT", "/v1/mailing-categories/a.b", json!({ "name": "A" })).await.0, 404);
}
