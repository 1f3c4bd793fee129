//! `Idempotency-Key` on each POST that there is, also where the caller is known by
//! something else than a key in `Authorization`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contracts::ROUTES;
use local::ses::Find;
use local::shop::{Client, Reply};
use local::{Fault, When};
use serde_json::{Value, json};

use crate::anything::{KNOWN, SECRET, good, open, send};
use crate::support::{Shop, campaign, sign, with};

const SHOPIFY: &str = "/v1/webhooks/shopify/{source}";

/// The routes that find out themselves who asks, one of each kind.
const UNGUARDED: [(&str, &str); 6] = [
    ("ingest-tracking", "/v1/batch"),
    ("ingest-webhooks", SHOPIFY),
    ("ingest-webhooks", "/v1/webhooks/woocommerce/{source}"),
    ("preferences", "/u/{token}"),
    ("preferences", "/p/{token}"),
    ("preferences", "/c/{token}"),
];

/// The paths of the links in a mail, by their routes'.
type Links = BTreeMap<&'static str, String>;

/// A shop that knows something of each kind, and the paths of the links in a mail.
async fn with_links() -> (Shop, Links) {
    let shop = open().await;
    let html = "{{links.unsubscribe}} {{links.preferences}} {{links.confirm}} ";
    shop.put("/v1/templates/links", json!({ "subject": "s", "html": html })).await;
    let trigger = json!({ "trigger": { "type": "consent_requested" } });
    shop.put("/v1/campaigns/asked", with(campaign("links"), trigger)).await;
    let reader = json!({ "email": "reader@example.com", "consent": { "email": "requested" } });
    shop.put("/v1/customers/reader", reader).await;
    shop.quiet().await;
    let mail = shop.bundle.ses().mails(&Find::default()).unwrap().remove(0);
    let html = mail.html.unwrap();
    let link = |route: &'static str| {
        let (_, token) = html.split_once(route.trim_end_matches("{token}")).unwrap();
        (route, route.replace("{token}", token.split(' ').next().unwrap()))
    };
    let links = UNGUARDED.into_iter().filter(|(function, _)| *function == "preferences");
    let links = links.map(|(_, route)| link(route)).collect();
    (shop, links)
}

/// Posts a body to a route under an `Idempotency-Key`, as somebody who may.
async fn ask(shop: &Shop, links: &Links, path: &str, key: &str, body: Value) -> Reply {
    let header = ("idempotency-key", key);
    if let Some(link) = links.get(path) {
        return click(shop, link, key, &body.to_string()).await;
    }
    send(shop, ("POST", path), KNOWN, body, 0, &[header]).await.1
}

async fn click(shop: &Shop, link: &str, key: &str, body: &str) -> Reply {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("idempotency-key", key)];
    Client::new(shop.bundle.api_url(), "").send_with("POST", link, &headers, body.into()).await.unwrap()
}

fn what(path: &str) -> Value {
    match path.strip_suffix("/{token}") {
        Some(_) => json!("List-Unsubscribe=One-Click"),
        None => good("POST", path, "2026-11-02T10:00:00Z"),
    }
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == "true"
}

/// Which problem it is, if it is one.
fn problem(reply: &Reply) -> &str {
    let text = std::str::from_utf8(&reply.body).unwrap();
    let kind = text.split_once("urn:cartwire:problem:").and_then(|(_, rest)| rest.split_once('"'));
    kind.map_or("", |(kind, _)| kind)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_is_carried_out_once_under_its_idempotency_key() {
    let (shop, links) = with_links().await;
    let posts: Vec<&str> = ROUTES.iter().filter_map(|route| route.key.strip_prefix("POST ")).collect();
    assert!(UNGUARDED.iter().all(|(_, path)| posts.contains(path)));
    for path in posts {
        let first = ask(&shop, &links, path, "k", what(path)).await;
        assert!(first.status < 500 && !replayed(&first), "{path}: {}", first.status);
        let again = ask(&shop, &links, path, "k", what(path)).await;
        assert!(replayed(&again), "{path}: {}", again.status);
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{path}");
        assert_eq!(again.content_type, first.content_type, "{path}");

        let other = ask(&shop, &links, path, "k", json!({ "other": true })).await;
        assert_eq!((other.status, problem(&other)), (409, "idempotency-key-reused"), "{path}");
        assert!(!replayed(&ask(&shop, &links, path, "l", what(path)).await), "{path}");
        let bad = ask(&shop, &links, path, &"x".repeat(256), what(path)).await;
        assert_eq!((bad.status, problem(&bad)), (400, "malformed"), "{path}");
    }

    // And whoever reads the table reads nothing.
    let rows = shop.rows().await["requests"].clone();
    for row in rows.as_array().unwrap() {
        let answer = STANDARD.decode(row["answer"]["B"].as_str().unwrap()).unwrap();
        let text = format!("{row}{}", String::from_utf8_lossy(&answer));
        for said in ["example.com", "success", "became", "text/html", SECRET, shop.api.key()] {
            assert!(!text.contains(said), "{said}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_whose_function_died_is_under_way_until_it_may_be_sent_again() {
    let (shop, links) = with_links().await;
    for (function, path) in UNGUARDED {
        // The first row that it puts down is the claim.
        shop.bundle.fault(Fault::Kill {
            function: function.into(),
            at_call: 1,
            service: Some("dynamodb".into()),
            operation: Some("PutItem".into()),
            when: When::After,
            next: 1,
        });
        assert!(ask(&shop, &links, path, "k", what(path)).await.status >= 500, "{path}");
        shop.bundle.clear_faults();
        let soon = ask(&shop, &links, path, "k", what(path)).await;
        assert_eq!((soon.status, problem(&soon)), (409, "in-progress"), "{path}");
        shop.bundle.advance("PT40S".parse().unwrap()).await.unwrap();
        let later = ask(&shop, &links, path, "k", what(path)).await;
        assert_eq!((later.status, replayed(&later)), (200, false), "{path}");
        let again = ask(&shop, &links, path, "k", what(path)).await;
        assert_eq!((again.status, &again.body, replayed(&again)), (200, &later.body, true), "{path}");
    }
}

/// Delivers a body to the source `shopify`, with this signature and topic.
async fn deliver(shop: &Shop, key: &str, body: &str, signature: &str, topic: &str) -> Reply {
    let headers = [
        ("content-type", "application/json"),
        ("x-shopify-hmac-sha256", signature),
        ("x-shopify-topic", topic),
        ("idempotency-key", key),
    ];
    let nobody = Client::new(shop.bundle.api_url(), "");
    nobody.send_with("POST", &SHOPIFY.replace("{source}", "shopify"), &headers, body.into()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_means_nothing_until_the_webhook_is_known_to_be_the_shops() {
    let shop = open().await;
    let body = good("POST", SHOPIFY, "2026-11-02T10:00:00Z").to_string();
    let (signature, topic) = (sign(SECRET, &body), "orders/create");
    let first = deliver(&shop, "k", &body, &signature, topic).await;
    assert_eq!((first.status, replayed(&first)), (200, false));
    shop.quiet().await;
    let before = shop.rows().await;
    let other = json!({ "id": 2 }).to_string();
    for (body, signature) in [
        (&body, String::new()),
        (&body, sign("another secret", &body)),
        (&other, signature.clone()),
        (&other, String::new()),
    ] {
        for key in ["k", "l"] {
            let reply = deliver(&shop, key, body, &signature, topic).await;
            assert_eq!((reply.status, problem(&reply), replayed(&reply)), (401, "unauthorized", false));
        }
    }
    shop.quiet().await;
    assert!(before == shop.rows().await, "what is not signed has taken a key");

    assert!(replayed(&deliver(&shop, "k", &body, &signature, topic).await));
    // Of another topic it says something else.
    let reply = deliver(&shop, "k", &body, &signature, "orders/delete").await;
    assert_eq!((reply.status, problem(&reply)), (409, "idempotency-key-reused"));
    let reply = deliver(&shop, "l", &body, &signature, topic).await;
    assert_eq!((reply.status, replayed(&reply)), (200, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idempotency_key_means_nothing_on_a_link_that_is_not_ours() {
    let (shop, links) = with_links().await;
    const BODY: &str = "List-Unsubscribe=One-Click";
    let link = &links["/u/{token}"];
    let forged = format!("{}x", &link[..link.len() - 1]);
    for key in ["k", "l"] {
        let before = shop.rows().await;
        let reply = click(&shop, &forged, key, BODY).await;
        assert_eq!((reply.status, replayed(&reply)), (404, false));
        assert!(before == shop.rows().await, "a forged link has taken a key");
        let reply = click(&shop, link, key, BODY).await;
        assert_eq!((reply.status, replayed(&reply)), (200, false));
        shop.quiet().await;
    }
    assert!(replayed(&click(&shop, link, "k", BODY).await));
    assert_eq!(click(&shop, &forged, "k", BODY).await.status, 404);
    let customer = shop.api.get("/v1/customers/reader").await.unwrap().json();
    assert_eq!(customer["consent"]["email"]["state"], "denied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_segments_is_its_callers_wherever_the_key_stands() {
    let shop = Shop::open().await;
    let (one, other) = (shop.client(&["track"]).await, shop.client(&["track"]).await);
    let post = async |write_key: &str, basic: Option<&str>, event: &str| {
        let message = json!({ "type": "track", "userId": "u", "event": event, "messageId": "m" });
        let body = json!({ "writeKey": write_key, "batch": [message] }).to_string();
        let basic = basic.map(|key| format!("Basic {}", STANDARD.encode(format!("{key}:"))));
        let mut headers = vec![("content-type", "text/plain"), ("idempotency-key", "k")];
        headers.extend(basic.as_deref().map(|basic| ("authorization", basic)));
        let nobody = Client::new(shop.bundle.api_url(), "");
        nobody.send_with("POST", "/v1/batch", &headers, body.into()).await.unwrap()
    };
    let first = post(one.key(), None, "Seen").await;
    assert_eq!((first.status, replayed(&first)), (200, false));
    for basic in [None, Some(one.key())] {
        let again = post(one.key(), basic, "Seen").await;
        assert_eq!((again.status, &again.body, replayed(&again)), (200, &first.body, true));
        // A page may read that it is so.
        let names = ["access-control-allow-origin", "access-control-expose-headers"];
        assert!(names.iter().all(|name| again.header(name) == "*") && !again.header("ratelimit").is_empty());
    }
    assert_eq!(problem(&post(one.key(), None, "Gone").await), "idempotency-key-reused");
    // The same body, whose answer is another caller's.
    let reply = post(one.key(), Some(other.key()), "Seen").await;
    assert_eq!((reply.status, replayed(&reply)), (200, false));
    let forged = format!("{}{}", &one.key()[..20], "0".repeat(48));
    let reply = post(&forged, None, "Seen").await;
    assert_eq!((reply.status, replayed(&reply)), (401, false));
}
