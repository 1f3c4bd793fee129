//! What every keyed route has in common: the same request twice, how often a
//! key may call, browsers, batches, and the keys themselves.

use contracts::{ROUTES, Scope};
use local::shop::{Client, Reply};
use serde_json::{Value, json};

use crate::support::Shop;

fn event(id: &str) -> Value {
    json!({ "id": id, "customer_id": "c", "name": "product_viewed", "at": "2026-11-01T10:00:00Z" })
}

/// Posts JSON under an `Idempotency-Key`.
async fn post_once(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    client.send_with("POST", path, &headers, body.to_string().into()).await.unwrap()
}

fn replayed(reply: &Reply) -> bool {
    reply.header("idempotency-replayed") == "true"
}

fn problem(reply: &Reply) -> String {
    reply.json()["type"].as_str().unwrap_or_default().replace("urn:cartwire:problem:", "")
}

async fn advance(shop: &Shop, by: &str) {
    shop.bundle.advance(by.parse().unwrap()).await.unwrap();
}

/// A new key, as `POST /v1/keys` answers.
async fn make(shop: &Shop, body: Value) -> (String, Client) {
    let made = shop.api.tell("POST", "/v1/keys", &body).await.unwrap();
    let client = Client::new(shop.bundle.api_url(), made["key"].as_str().unwrap());
    (made["id"].as_str().unwrap().to_owned(), client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_under_one_key_is_carried_out_once_and_answered_the_same() {
    let shop = Shop::open().await;
    let api = &shop.api;
    let first = post_once(api, "/v1/events", "k", &event("e")).await;
    assert_eq!((first.status, replayed(&first)), (201, false));
    let again = post_once(api, "/v1/events", "k", &event("e")).await;
    assert_eq!((again.status, &again.body, replayed(&again)), (201, &first.body, true));
    assert_eq!(again.content_type, first.content_type);

    // Another body, another caller, another key: none of them is the same request.
    let other = post_once(api, "/v1/events", "k", &event("f")).await;
    assert_eq!((other.status, problem(&other).as_str()), (409, "idempotency-key-reused"));
    let caller = shop.client(&["ingest"]).await;
    let reply = post_once(&caller, "/v1/events", "k", &event("e")).await;
    assert_eq!((reply.status, replayed(&reply)), (200, false));
    assert!(!replayed(&post_once(api, "/v1/events", "l", &event("e")).await));

    // What the caller got wrong is answered the same as well.
    let wrong = json!({ "id": "g" });
    let first = post_once(api, "/v1/events", "m", &wrong).await;
    let again = post_once(api, "/v1/events", "m", &wrong).await;
    assert_eq!((first.status, again.status, replayed(&again)), (422, 422, true));
    assert_eq!((first.content_type, first.body), (again.content_type, again.body));

    for bad in [" ", "a\tb", &"x".repeat(256)] {
        let reply = post_once(api, "/v1/events", bad, &event("h")).await;
        assert_eq!((reply.status, problem(&reply).as_str()), (400, "malformed"), "{bad:?}");
    }
    // A day later the key may be used anew.
    advance(&shop, "PT25H").await;
    assert_eq!(post_once(api, "/v1/events", "k", &event("f")).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_requests_that_come_at_once_under_one_key_one_is_carried_out() {
    let shop = Shop::open().await;
    let body = event("e");
    let replies = futures::future::join_all((0..4).map(|_| post_once(&shop.api, "/v1/events", "k", &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201 && !replayed(reply)).count(), 1);
    for reply in replies {
        let known = reply.status == 201 || (reply.status == 409 && problem(&reply) == "in-progress");
        assert!(known, "{}: {}", reply.status, reply.json());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_function_died_may_be_sent_again_under_its_key() {
    let shop = Shop::open().await;
    // The first call claims the key, the second writes the event.
    let fault = json!({
        "kind": "kill", "function": "ingest-events", "service": "dynamodb", "operation": "PutItem", "at_call": 2,
        "when": "after",
    });
    shop.bundle.fault(serde_json::from_value(fault).unwrap());
    assert!(post_once(&shop.api, "/v1/events", "k", &event("e")).await.status >= 500);

    let soon = post_once(&shop.api, "/v1/events", "k", &event("e")).await;
    assert_eq!((soon.status, problem(&soon).as_str()), (409, "in-progress"));
    assert!((1..=2).contains(&soon.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(post_once(&shop.api, "/v1/events", "k", &event("f")).await.status, 409);

    advance(&shop, "PT40S").await;
    let later = post_once(&shop.api, "/v1/events", "k", &event("e")).await;
    assert!((200..300).contains(&later.status) && !replayed(&later), "{}", later.status);
    let again = post_once(&shop.api, "/v1/events", "k", &event("e")).await;
    assert_eq!((again.status, &again.body, replayed(&again)), (later.status, &later.body, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_failed_on_our_side_is_carried_out_again_at_once() {
    let shop = Shop::open().await;
    let (id, _) = make(&shop, json!({ "name": "x", "scopes": ["track"] })).await;
    let path = format!("/v1/keys/{id}/rotate");
    let throttle = |function: &str, operation: &str| {
        let fault = json!({
            "kind": "throttle", "service": "dynamodb", "function": function, "operation": operation, "next": 100,
        });
        shop.bundle.fault(serde_json::from_value(fault).unwrap());
    };
    throttle("manage", "GetItem");
    let failed = post_once(&shop.api, &path, "k", &json!({})).await;
    assert_eq!((failed.status, problem(&failed).as_str()), (500, "internal"));
    shop.bundle.clear_faults();
    let reply = post_once(&shop.api, &path, "k", &json!({})).await;
    assert_eq!((reply.status, replayed(&reply)), (200, false));

    // Calls that cannot be counted and answers that cannot be kept stop nobody.
    throttle("ingest-events", "UpdateItem");
    assert_eq!(post_once(&shop.api, "/v1/events", "k", &event("e")).await.status, 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kept_answers_can_be_read_by_nobody_else() {
    let shop = Shop::open().await;
    let mut told = event("e");
    told["context"] = json!({ "email": "ada@example.com" });
    let first = post_once(&shop.api, "/v1/events", "the key itself", &told).await;
    assert!(String::from_utf8_lossy(&first.body).contains("ada@example.com"));
    let made = post_once(&shop.api, "/v1/keys", "k", &json!({ "name": "x", "scopes": ["track"] })).await;
    let again = post_once(&shop.api, "/v1/keys", "k", &json!({ "name": "x", "scopes": ["track"] })).await;
    assert_eq!((made.status, &made.body, replayed(&again)), (201, &again.body, true));
    let rows = shop.rows().await["requests"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    for row in rows.as_array().unwrap() {
        let answer =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, row["answer"]["B"].as_str().unwrap());
        let text = format!("{row}{}", String::from_utf8_lossy(&answer.unwrap()));
        for said in ["ada@", "product_viewed", "cw_", "the key itself"] {
            assert!(!text.contains(said), "{said}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_carried_out_again_where_its_answer_can_no_longer_be_read() {
    let shop = Shop::open().await;
    let (id, old) = make(&shop, json!({ "name": "x", "scopes": ["ingest"] })).await;
    assert_eq!(post_once(&old, "/v1/events", "k", &event("e")).await.status, 201);
    let rotated = shop.api.tell("POST", &format!("/v1/keys/{id}/rotate"), &json!({})).await.unwrap();
    let new = Client::new(shop.bundle.api_url(), rotated["key"].as_str().unwrap());
    for wanted in [(200, false), (200, true)] {
        let reply = post_once(&new, "/v1/events", "k", &event("e")).await;
        assert_eq!((reply.status, replayed(&reply)), wanted);
    }
    assert_eq!(problem(&post_once(&new, "/v1/events", "k", &event("f")).await), "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    let shop = Shop::open().await;
    let (_, slow) = make(&shop, json!({ "name": "slow", "scopes": ["ingest"], "rate": 1 })).await;
    let mut passed = 0;
    let refused = loop {
        let reply = slow.get("/v1/orders/x").await.unwrap();
        assert_eq!(reply.header("ratelimit-policy"), "\"default\";q=10;w=10");
        if reply.status == 429 {
            break reply;
        }
        assert_eq!(reply.status, 404);
        passed += 1;
        // On a slow machine a window or two may end on the way.
        assert!(passed < 100, "nothing was refused");
    };
    assert!(passed >= 10, "{passed}");
    assert_eq!(
        (problem(&refused).as_str(), refused.content_type.as_str()),
        ("too-many-requests", "application/problem+json")
    );
    let seconds = refused.header("retry-after");
    assert!((1..=10).contains(&seconds.parse::<u32>().unwrap()), "{seconds}");
    assert_eq!(refused.header("ratelimit"), format!("\"default\";r=0;t={seconds}"));
    // Nobody else is held up, and the key's own next window is open.
    let other = shop.api.get("/v1/orders/x").await.unwrap();
    assert_eq!((other.status, other.header("ratelimit-policy")), (404, "\"default\";q=5000;w=10"));
    advance(&shop, "PT10S").await;
    assert_eq!(slow.get("/v1/orders/x").await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_browsers_key_is_answered_across_origins() {
    let shop = Shop::open().await;
    let origin = "access-control-allow-origin";
    let asked = shop.client(&["track"]).await;
    for route in ROUTES.iter().filter(|route| route.scopes.contains(&Scope::Track)) {
        let (method, path) = route.key.split_once(' ').unwrap();
        let path = path.replace("{id}", "x").replace("{code}", "cart");
        // A browser asks without the key.
        let nobody = Client::new(shop.bundle.api_url(), "");
        let asking = [("origin", "https://shop.example"), ("access-control-request-method", method)];
        let reply = nobody.send_with("OPTIONS", &path, &asking, Vec::new()).await.unwrap();
        assert_eq!((reply.status, reply.header(origin)), (204, "*"), "{}", route.key);
        assert!(reply.header("access-control-allow-methods").contains(method));
        let allowed = reply.header("access-control-allow-headers");
        assert!(["authorization", "content-type", "idempotency-key"].iter().all(|name| allowed.contains(name)));
        assert!(!reply.header("access-control-max-age").is_empty());
        // And may then read the answer, whatever it is.
        let reply = asked.send(method, &path, "application/json", b"{}".to_vec()).await.unwrap();
        assert_eq!(reply.header(origin), "*", "{}: {}", route.key, reply.status);
        assert!(reply.header("access-control-expose-headers").contains("retry-after"));
    }
    assert_eq!(asked.send("OPTIONS", "/v1/orders/x", "", Vec::new()).await.unwrap().status, 404);

    for scopes in [&["ingest"][..], &["track", "ingest"], &["manage"]] {
        let client = shop.client(scopes).await;
        for path in ["/v1/events", "/v1/orders/x", "/v1/templates"] {
            for method in ["POST", "GET"] {
                let reply = client.send(method, path, "application/json", b"{}".to_vec()).await.unwrap();
                assert!(!reply.headers.contains_key(origin), "{scopes:?} {method} {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browsers_key_reads_nothing() {
    let shop = Shop::open().await;
    let track = shop.client(&["track"]).await;
    for route in ROUTES.iter().filter(|route| !route.scopes.is_empty()) {
        let (method, path) = route.key.split_once(' ').unwrap();
        let opens = route.scopes.contains(&Scope::Track);
        assert!(!opens || ["POST", "PUT"].contains(&method), "{}", route.key);
        if !opens {
            let path: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
            let reply = track.send(method, &path.join("/"), "", Vec::new()).await.unwrap();
            assert_eq!(reply.status, 403, "{}", route.key);
        }
    }
    // Not even what it told itself comes back, new or known.
    for status in [201, 200] {
        let reply = track.post("/v1/events", &event("e")).await.unwrap();
        assert_eq!((reply.status, reply.json()), (status, json!({ "id": "e" })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_key_goes_on_for_its_grace_and_a_revoked_one_stops() {
    let shop = Shop::open().await;
    let status = async |client: &Client| client.get("/v1/orders/x").await.unwrap().status;
    let (id, old) = make(&shop, json!({ "name": "back end", "scopes": ["ingest"] })).await;
    let rotate = async |body: Value| {
        let rotated = shop.api.tell("POST", &format!("/v1/keys/{id}/rotate"), &body).await.unwrap();
        Client::new(shop.bundle.api_url(), rotated["key"].as_str().unwrap())
    };
    let new = rotate(json!({ "grace": "PT1H" })).await;
    assert_eq!((status(&old).await, status(&new).await), (404, 404));
    let listed = shop.api.get("/v1/keys").await.unwrap();
    let text = String::from_utf8_lossy(&listed.body).into_owned();
    assert!(!text.contains("hash") && !text.contains("cw_"), "{text}");
    let listed = listed.json()["items"].as_array().unwrap().clone();
    let listed = listed.iter().find(|key| key["id"] == id.as_str()).unwrap();
    assert!(listed["previous_until"].is_string() && listed["rotated_at"].is_string(), "{listed}");
    assert_eq!(
        (&listed["name"], &listed["scopes"], &listed["rate"]),
        (&json!("back end"), &json!(["ingest"]), &json!(500))
    );

    // API Gateway remembers for a minute who was let in.
    advance(&shop, "PT1H2M").await;
    assert_eq!((status(&old).await, status(&new).await), (403, 404));
    let newest = rotate(json!({ "grace": "PT0S" })).await;
    advance(&shop, "PT2M").await;
    assert_eq!((status(&new).await, status(&newest).await), (403, 404));

    let path = format!("/v1/keys/{id}");
    let delete = async || shop.api.send("DELETE", &path, "", Vec::new()).await.unwrap().status;
    assert_eq!((delete().await, delete().await), (204, 404));
    advance(&shop, "PT2M").await;
    assert_eq!(status(&newest).await, 403);

    // A key that can revoke keys can revoke itself.
    let (id, own) = make(&shop, json!({ "name": "lost", "scopes": ["manage"] })).await;
    assert_eq!(own.send("DELETE", &format!("/v1/keys/{id}"), "", Vec::new()).await.unwrap().status, 204);
    advance(&shop, "PT2M").await;
    assert_eq!(own.get("/v1/keys").await.unwrap().status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_page_by_page() {
    let shop = Shop::open().await;
    for number in 0..4 {
        make(&shop, json!({ "name": number.to_string(), "scopes": ["track"] })).await;
        shop.template(&format!("t{number}")).await;
    }
    shop.template("t4").await;
    for list in ["/v1/keys", "/v1/templates"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = shop.api.get(&format!("{list}?limit=2{after}")).await.unwrap().json();
            let items = page["items"].as_array().unwrap();
            assert!((1..=2).contains(&items.len()), "{page}");
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(seen.len() == 5 && seen.is_sorted(), "{seen:?}");
        for (query, place) in [("limit=0", "?limit"), ("limit=x", "?limit"), ("after=x", "?after")] {
            let reply = shop.api.get(&format!("{list}?{query}")).await.unwrap();
            assert_eq!((reply.status, &reply.json()["errors"][0]["pointer"]), (422, &json!(place)), "{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_only_as_it_can_be() {
    let shop = Shop::open().await;
    let (id, _) = make(&shop, json!({ "name": "x", "scopes": ["track"] })).await;
    let before = shop.rows().await;
    let check = async |path: &str, body: Value, places: &[&str]| {
        let reply = shop.api.post(path, &body).await.unwrap();
        let problem = reply.json();
        let named: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
        assert_eq!(
            (reply.status, named),
            (422, places.iter().map(|place| json!(place)).collect::<Vec<_>>().iter().collect())
        );
    };
    check("/v1/keys", json!({}), &["/name", "/scopes"]).await;
    check("/v1/keys", json!({ "name": "x", "scopes": [] }), &["/scopes"]).await;
    check("/v1/keys", json!({ "name": "x", "scopes": ["track", "all"] }), &["/scopes"]).await;
    for rate in [json!(0), json!(10_001), json!(1.5), json!("1")] {
        check("/v1/keys", json!({ "name": "x", "scopes": ["track"], "rate": rate }), &["/rate"]).await;
    }
    for grace in [json!("P31D"), json!("-PT1S"), json!(1), json!("soon")] {
        check(&format!("/v1/keys/{id}/rotate"), json!({ "grace": grace }), &["/grace"]).await;
    }
    for path in ["/v1/keys/0123456789abcdef/rotate", "/v1/keys/x/rotate"] {
        assert_eq!(shop.api.post(path, &json!({})).await.unwrap().status, 404);
    }
    assert!(before == shop.rows().await);
}
