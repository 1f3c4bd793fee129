//! A client on one connection, as light as can be: it shares the machine with what it measures.

use anyhow::Context as _;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::http::request::Builder;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// What DynamoDB calls itself in a request.
const DYNAMODB: &str = "DynamoDB_20120810";

/// A connection that is kept open.
pub(crate) struct Client {
    requests: SendRequest<Body>,
    host: String,
    authorization: Option<String>,
}

/// A request's method, path, media type and body.
pub(crate) struct Shot {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Client {
    /// Connects to `http://HOST:PORT`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub(crate) async fn connect(url: &str, authorization: Option<String>) -> anyhow::Result<Self> {
        let host = url.strip_prefix("http://").unwrap_or(url).to_owned();
        let stream = TcpStream::connect(&host).await.with_context(|| format!("cannot connect to {url}"))?;
        stream.set_nodelay(true)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        // It ends with the client.
        tokio::spawn(connection);
        Ok(Self { requests, host, authorization })
    }

    /// The answer's status and body.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn send(&mut self, method: Method, path: &str, body: String) -> anyhow::Result<(u16, Bytes)> {
        self.shoot(Shot { method, path: path.to_owned(), kind: "application/json", body }).await
    }

    /// As [`Client::send`], with any media type.
    ///
    /// # Errors
    /// The connection broke.
    pub(crate) async fn shoot(&mut self, shot: Shot) -> anyhow::Result<(u16, Bytes)> {
        let Shot { method, path, kind, body } = shot;
        self.exchange(Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind), body).await
    }

    /// Asks DynamoDB to carry out an operation.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn dynamodb(&mut self, operation: &str, body: String) -> anyhow::Result<Value> {
        let request =
            Request::builder().method(Method::POST).uri("/").header("x-amz-target", format!("{DYNAMODB}.{operation}"));
        let (status, answer) = self.exchange(request, body).await?;
        anyhow::ensure!(status == 200, "{operation} answered {status}: {}", String::from_utf8_lossy(&answer));
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn exchange(&mut self, request: Builder, body: String) -> anyhow::Result<(u16, Bytes)> {
        let mut request = request.header(header::HOST, &self.host);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Body::from(body))?;
        self.requests.ready().await?;
        let answer = self.requests.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, to_bytes(Body::new(answer.into_body()), usize::MAX).await?))
    }

    /// The answer's JSON.
    ///
    /// # Errors
    /// The answer is not a good one; says what it was.
    pub(crate) async fn json(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.send(method, path, body).await?;
        anyhow::ensure!(status < 300, "{path} answered {status}: {}", String::from_utf8_lossy(&answer));
        Ok(serde_json::from_slice(&answer)?)
    }

    /// As [`Client::json`], with GET.
    pub(crate) async fn get(&mut self, path: &str) -> anyhow::Result<Value> {
        self.json(Method::GET, path, &Value::Null).await
    }

    /// As [`Client::json`], with PUT.
    pub(crate) async fn put(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.json(Method::PUT, path, body).await
    }
}
