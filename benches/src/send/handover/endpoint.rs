//! An SES that takes everything, on a thread of its own.

use anyhow::Context as _;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// It ends with this.
pub(super) struct Endpoint {
    url: String,
    taken: Arc<Taken>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Taken {
    answer: Bytes,
    calls: AtomicU64,
    bytes: AtomicU64,
}

impl Endpoint {
    /// Gives this answer to every call, once it has read its body.
    ///
    /// # Errors
    /// No port can be listened on.
    pub(super) fn start(answer: &serde_json::Value) -> anyhow::Result<Self> {
        let taken = Arc::new(Taken { answer: Bytes::from(answer.to_string()), ..Taken::default() });
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let (end, ended) = oneshot::channel();
        let router = Router::new().fallback(take).layer(DefaultBodyLimit::disable()).with_state(taken.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("ses".to_owned()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = axum::serve(listener, router) => {}
                    _ = ended => {}
                }
            });
        });
        let thread = thread.context("there is no thread for the endpoint")?;
        Ok(Self { url, taken, end: Some(end), thread: Some(thread) })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The mean of the bodies that it has read; 0 before the first.
    pub(super) fn bytes_a_call(&self) -> usize {
        let calls = self.taken.calls.load(Ordering::Relaxed).max(1);
        usize::try_from(self.taken.bytes.load(Ordering::Relaxed) / calls).unwrap_or(usize::MAX)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            let _ = thread.join();
        }
    }
}

async fn take(State(taken): State<Arc<Taken>>, body: Bytes) -> Response {
    taken.calls.fetch_add(1, Ordering::Relaxed);
    taken.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
    ([(CONTENT_TYPE, "application/json")], taken.answer.clone()).into_response()
}
