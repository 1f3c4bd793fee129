//! One request that must be turned away, and what is asked of the answer.

use serde_json::Value;

use crate::support::Shop;

/// A request and the answer that it must have.
pub(crate) struct Check<'a> {
    method: &'static str,
    path: &'a str,
    content_type: &'a str,
    body: Vec<u8>,
}

impl<'a> Check<'a> {
    pub(crate) fn put(path: &'a str, body: &Value) -> Self {
        Self::raw("PUT", path, "application/json", body.to_string())
    }

    pub(crate) fn post(path: &'a str, body: &Value) -> Self {
        Self::raw("POST", path, "application/json", body.to_string())
    }

    pub(crate) fn patch(path: &'a str, body: &Value) -> Self {
        Self::raw("PATCH", path, "application/json", body.to_string())
    }

    pub(crate) fn get(path: &'a str) -> Self {
        Self::raw("GET", path, "", "")
    }

    pub(crate) fn raw(method: &'static str, path: &'a str, content_type: &'a str, body: impl Into<Vec<u8>>) -> Self {
        Self { method, path, content_type, body: body.into() }
    }

    /// Answered with this status, a problem document that names exactly these
    /// places, and nothing written. Gives the document.
    pub(crate) async fn is(self, shop: &Shop, status: u16, places: &[&str]) -> Value {
        let Self { method, path, content_type, body } = self;
        let said: String = String::from_utf8_lossy(&body).chars().take(300).collect();
        let what = format!("{method} {path} {said}");
        shop.quiet().await;
        let before = shop.rows().await;
        let reply = shop.api.send(method, path, content_type, body).await.unwrap();
        let problem = reply.json();
        assert_eq!(reply.status, status, "{what}: {problem}");
        assert_eq!(reply.content_type, "application/problem+json", "{what}");
        assert_eq!(problem["status"], status, "{what}: {problem}");
        let named: Vec<&str> = match problem["errors"].as_array() {
            Some(errors) => errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect(),
            None => Vec::new(),
        };
        assert_eq!(named, places, "{what}: {problem}");
        shop.quiet().await;
        assert!(before == shop.rows().await, "{what} wrote something");
        problem
    }
}
