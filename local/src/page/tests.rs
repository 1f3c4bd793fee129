//! The pages and the answers for programs, over a bundle that only pretends.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Runner, router};
use crate::ses::{Config, Ses};

#[derive(Default)]
struct Pretended {
    ahead: Mutex<SignedDuration>,
}

#[async_trait]
impl Runner for Pretended {
    async fn state(&self) -> Value {
        let ahead = self.ahead.lock().unwrap().as_millis();
        json!({
            "quiet": true,
            "now": "2026-03-01T12:00:00Z",
            "clock_offset_ms": ahead as i64,
            "functions": [{ "name": "sender", "invocations": 1234, "errors": 1, "last_error": "boom <b>",
                "dynamodb": { "read_units": 0.5, "write_units": 4321.0, "tables": {} } }],
            "queues": [{ "name": "Deliveries", "depth": 2 }],
        })
    }

    async fn advance(&self, by: SignedDuration) -> anyhow::Result<()> {
        *self.ahead.lock().unwrap() += by;
        Ok(())
    }

    async fn logs(&self, function: &str) -> Option<Vec<String>> {
        (function == "sender").then(|| vec!["{\"message\":\"sent\"}".to_owned()])
    }
}

struct World {
    pages: Router,
    ses: Ses,
}

fn world() -> World {
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut config = Config::new(Arc::new(move || now), Arc::new(|_| ()));
    config.identities = vec!["example.com".into()];
    let ses = Ses::open(config).unwrap();
    let pages = router(ses.clone(), Arc::new(Pretended::default())).unwrap();
    World { pages, ses }
}

impl World {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.pages.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
        (status, String::from_utf8(body.unwrap().to_vec()).unwrap())
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty());
        self.ask(request.unwrap()).await
    }

    async fn post(&self, path: &str, kind: &str, body: &str) -> (StatusCode, String) {
        let request = Request::post(path).header("content-type", kind);
        let request = request.body(body.to_owned().into());
        self.ask(request.unwrap()).await
    }

    async fn send(&self, subject: &str, to: &str) {
        let body = json!({ "Html": { "Data": "<p title=\"a\">Hi</p>" } });
        self.send_content(to, json!({ "Subject": { "Data": subject }, "Body": body })).await;
    }

    async fn send_content(&self, to: &str, content: Value) {
        let mail = json!({
            "FromEmailAddress": "shop@example.com",
            "Destination": { "ToAddresses": [to] },
            "Content": { "Simple": content },
        });
        let request = Request::post("/v2/email/outbound-emails");
        let request = request.body(Body::from(mail.to_string())).unwrap();
        let answer = self.ses.router().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn the_overview_shows_the_state_escaped() {
    let world = world();
    world.send("<script>", "jo@example.org").await;
    let (status, page) = world.get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("Sun 1 Mar 2026, 12:00:00"));
    assert!(page.contains("boom &lt;b&gt;") && page.contains("&lt;script&gt;"));
    assert!(
        page.contains("1\u{202f}234")
            && page.contains(">½<")
            && page.contains("4\u{202f}321")
            && page.contains("all quiet")
    );
}

#[tokio::test]
async fn the_clock_moves_by_a_form() {
    let world = world();
    let (status, _) = world.post("/page/clock", FORM, "seconds=86400").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert!(world.get("/").await.1.contains("1 day ahead"));
}

#[tokio::test]
async fn a_mail_is_shown_in_a_frame_without_scripts() {
    let world = world();
    world.send("Hello", "jo@example.org").await;
    let (_, page) = world.get("/mailbox/1").await;
    let frame = page.split("<iframe").nth(1).unwrap();
    let frame = &frame[..frame.find('>').unwrap()];
    assert!(frame.contains("sandbox=") && !frame.contains("allow-scripts"));
    assert!(frame.contains("&lt;p title"));
    let (status, eml) = world.get("/mailbox/1.eml").await;
    assert!(status.is_success() && eml.contains("Subject: Hello\r\n"));
    assert_eq!(world.get("/mailbox/2").await.0, StatusCode::NOT_FOUND);
    assert_eq!(world.get("/mailbox/x").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_mails_files_are_named_and_its_pictures_seen() {
    let world = world();
    let file = |name: &str, disposition: &str, id: Option<&str>| {
        json!({ "FileName": name, "ContentType": "image/png", "ContentDisposition": disposition, "ContentId": id,
                "ContentTransferEncoding": "BASE64", "RawContent": "AP8=" })
    };
    let content = json!({
        "Subject": { "Data": "s" }, "Body": { "Html": { "Data": "<img src=\"cid:logo\"><img src='cid:logo2'>" } },
        "Attachments": [file("logo.png", "INLINE", Some("logo")), file("<b>.png", "ATTACHMENT", None)],
    });
    world.send_content("jo@example.org", content).await;
    let (_, page) = world.get("/mailbox/1").await;
    assert!(page.contains("<li>logo.png <small>image/png, 2 bytes</small></li>") && page.contains("<li>&lt;b&gt;.png"));
    assert!(
        page.contains("src&#x3D;&quot;data:image/png;base64,AP8&#x3D;&quot;") && page.contains("cid:logo2"),
        "{page}"
    );
}

#[tokio::test]
async fn the_list_is_searched_and_paged() {
    let world = world();
    for n in 1..=51 {
        world.send(&format!("Mail {n}"), "jo@example.org").await;
    }
    world.send("Ordered", "ann@example.net").await;
    let (_, page) = world.get("/mailbox").await;
    assert!(page.contains("Ordered") && page.contains("Older") && !page.contains("Newer"));
    let (_, page) = world.get("/mailbox?q=&page=1").await;
    assert!(page.contains(">Mail 2<") && page.contains("Newer") && !page.contains("Older"));
    let (_, page) = world.get("/mailbox?q=ANN%40").await;
    assert!(page.contains("Ordered") && !page.contains(">Mail 51<"));
}

#[tokio::test]
async fn programs_read_the_mailbox_and_make_events() {
    let world = world();
    world.send("One", "jo@example.org").await;
    world.send("Two", "ann@example.net").await;
    let mails = async |query: &str| -> Vec<Value> {
        let (_, body) = world.get(&format!("/mailbox.json{query}")).await;
        serde_json::from_str(&body).unwrap()
    };
    let all = mails("").await;
    assert_eq!((&all[0]["n"], &all[1]["subject"]), (&json!(1), &json!("Two")));
    assert_eq!(mails("?limit=1").await[0]["n"], 2);
    assert_eq!(mails("?to=Jo@example.org").await.len(), 1);
    let path = "/mailbox/1/events";
    let (status, _) = world.post(path, JSON, r#"{"kind":"bounce","repeat":2}"#).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(mails("").await[0]["events"][2]["type"], "Bounce");
    let (status, _) = world.post("/mailbox/9/events", JSON, r#"{"kind":"open"}"#).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (_, body) = world.post("/ses", JSON, r#"{"max_send_rate":5,"paused":true}"#).await;
    let status: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&status["max_send_rate"], &status["paused"]), (&json!(5.0), &json!(true)));
    assert_eq!(status["max_24_hour_send"], 5_000_000.0);
}

#[tokio::test]
async fn the_pulse_changes_when_something_has_happened() {
    let world = world();
    let before = world.get("/page/pulse").await.1;
    assert_eq!(before, world.get("/page/pulse").await.1);
    world.send("One", "jo@example.org").await;
    let after = world.get("/page/pulse").await.1;
    assert_ne!(before, after);
    world.post("/mailbox/1/pretend", FORM, "kind=open").await;
    assert_ne!(after, world.get("/page/pulse").await.1);
}

#[tokio::test]
async fn other_sites_press_no_buttons() {
    let world = world();
    let request = Request::post("/page/clock")
        .header("content-type", FORM)
        .header("sec-fetch-site", "cross-site")
        .body(Body::from("seconds=60"));
    let (status, _) = world.ask(request.unwrap()).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_function_has_its_log() {
    let world = world();
    assert!(world.get("/logs/sender").await.1.contains("sent"));
    let (status, page) = world.get("/logs/nobody").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(page.contains("There is nothing here."));
}
