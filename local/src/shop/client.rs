//! A client of the HTTP API.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A client of one bundle's HTTP API, with a key.
pub struct Client {
    http: hyper_util::client::legacy::Client<HttpConnector, Body>,
    base: String,
    key: String,
    requests: AtomicU64,
}

/// An answer of the HTTP API.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// All of the headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
}

impl Reply {
    /// A header as text, by its name; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is not.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Client {
    /// A client of the API at `base` that calls with `key`; an empty key is none.
    pub fn new(base: impl Into<String>, key: impl Into<String>) -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { http, base: base.into(), key: key.into(), requests: AtomicU64::new(0) }
    }

    /// The key that it calls with.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How many requests it has made.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Makes a request with this body and media type; no media type for none.
    ///
    /// # Errors
    /// If no answer came.
    pub async fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> anyhow::Result<Reply> {
        let content_type = (!content_type.is_empty()).then_some(("content-type", content_type));
        self.send_with(method, path, content_type.as_slice(), body).await
    }

    /// Makes a request with this body and these headers.
    ///
    /// # Errors
    /// If no answer came.
    pub async fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> anyhow::Result<Reply> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let uri: Uri = format!("{}{path}", self.base).parse().context("not a path")?;
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(uri);
        if !self.key.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.key));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.http.request(request.body(Body::from(body))?).await?;
        let headers = answer.headers().clone();
        let content_type =
            headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let body = to_bytes(Body::new(answer.into_body()), MAX_ANSWER).await?;
        Ok(Reply { status, content_type, headers, body })
    }

    /// Reads something.
    ///
    /// # Errors
    /// If no answer came.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send("GET", path, "", Vec::new()).await
    }

    /// Puts JSON.
    ///
    /// # Errors
    /// If no answer came.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send("PUT", path, "application/json", body.to_string().into()).await
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// If no answer came.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send("POST", path, "application/json", body.to_string().into()).await
    }

    /// Tells of something, which must be taken.
    ///
    /// # Errors
    /// If no answer came, or one that says that it was not taken.
    pub async fn tell(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let reply = self.send(method, path, "application/json", body.to_string().into()).await?;
        if !(200..300).contains(&reply.status) {
            bail!("{method} {path} was answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
        }
        Ok(reply.json())
    }
}
