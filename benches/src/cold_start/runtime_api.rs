//! The Runtime API for one process: one event, and the times at which it was asked for and answered.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use jiff::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// What the process did.
pub(super) enum Did {
    Poll(Instant),
    Answer(Instant),
    Fail(String),
}

/// A server that ends with this.
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) did: UnboundedReceiver<Did>,
    server: JoinHandle<()>,
}

struct Shared {
    event: Bytes,
    arn: String,
    deadline: String,
    did: UnboundedSender<Did>,
}

impl RuntimeApi {
    pub(super) async fn start(event: Bytes, arn: &str, timeout: jiff::SignedDuration) -> anyhow::Result<Self> {
        let (sender, did) = unbounded_channel();
        let deadline = (Timestamp::now() + timeout).as_millisecond().to_string();
        let shared = Arc::new(Shared { event, arn: arn.to_owned(), deadline, did: sender });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(shared);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(async move {
            // It has no end of its own.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, did, server })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    // The process is ended after its first answer, so a second poll may get the same.
    let _ = shared.did.send(Did::Poll(Instant::now()));
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", &shared.deadline),
        ("lambda-runtime-invoked-function-arn", &shared.arn),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
        ("content-type", "application/json"),
    ];
    (headers, shared.event.clone()).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let did = Did::Answer(Instant::now());
    // A batch that is said to have failed is no answer worth timing.
    let failed = body.starts_with(br#"{"batchItemFailures":[{"#);
    let _ = shared.did.send(if failed { Did::Fail(String::from_utf8_lossy(&body).into_owned()) } else { did });
    StatusCode::ACCEPTED
}

async fn error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    let _ = shared.did.send(Did::Fail(String::from_utf8_lossy(&body).into_owned()));
    StatusCode::ACCEPTED
}
