//! Who may be written to, and leaving.

use local::shop::Client;
use serde_json::json;

use crate::support::Shop;

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
        let body = b"List-Unsubscribe=One-Click".to_vec();
        let left = anybody.send("POST", &path, "application/x-www-form-urlencoded", body).await.unwrap();
        assert_eq!(left.status, 200);
    }
    // The shop's nightly job still believes that she agreed.
    shop.customer("ada").await;
    assert_eq!(shop.get("/v1/customers/ada").await["consent"]["email"]["state"], "denied");
    shop.event("2", "ada", "seen").await;
    shop.quiet().await;
    shop.order("1", "ada").await;
    shop.quiet().await;
    assert_eq!(shop.outcomes("ada").await, ["SENT", "NOT_SENT no_consent", "SENT"]);

    for bad in ["/u/nonsense", &path.replace('.', "x."), &path[..path.len() - 1]] {
        assert_eq!(anybody.send("POST", bad, "", Vec::new()).await.unwrap().status, 404, "{bad}");
    }
}
