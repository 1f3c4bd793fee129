//! API Gateway's HTTP API: routes, authorizer, payload format 2.0.

mod answer;
mod authorizer;
mod event;
mod path;
mod routes;
#[cfg(test)]
mod tests;

use crate::clock::Clock;
use crate::functions::{Failure, Functions, PAYLOAD_BYTES};
use crate::template::Route;
use authorizer::{Authorizers, Decision};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use event::Target;
use path::Paths;
use routes::Routes;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most bytes of a request's body.
const MOST_BYTES: usize = 10 * 1024 * 1024;

/// The HTTP API of a bundle.
pub(crate) struct Api {
    routes: Routes,
    authorizers: Authorizers,
    functions: Arc<Functions>,
    clock: Arc<Clock>,
    stopping: AtomicBool,
}

impl Api {
    /// # Errors
    /// A route key that is none.
    pub(crate) fn new(routes: &[Route], functions: Arc<Functions>, clock: Arc<Clock>) -> anyhow::Result<Arc<Self>> {
        let routes = Routes::new(routes)?;
        Ok(Arc::new(Self {
            routes,
            authorizers: Authorizers::default(),
            functions,
            clock,
            stopping: AtomicBool::new(false),
        }))
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(Arc::clone(self))
    }

    /// Refuses everything from now on.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    async fn answer(&self, request: Request) -> Response {
        if self.stopping.load(Ordering::SeqCst) {
            return message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        }
        let (parts, body) = request.into_parts();
        let Some(paths) = Paths::of(parts.uri.path()) else {
            return message(StatusCode::BAD_REQUEST, "Bad Request");
        };
        let Some((route, parameters)) = self.routes.find(&parts.method, &paths.once) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = to_bytes(body, MOST_BYTES).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let target = Target { path: paths.twice, parameters };
        let mut event = event::of(&parts, &body, &route.key, target, self.clock.now());
        if let Some(authorizer) = &route.authorizer {
            match self.authorizers.ask(authorizer, &event, &self.functions, &self.clock).await {
                Decision::Allowed(context) => event["requestContext"]["authorizer"] = json!({"lambda": context}),
                Decision::NoIdentity => return message(StatusCode::UNAUTHORIZED, "Unauthorized"),
                Decision::Denied => return message(StatusCode::FORBIDDEN, "Forbidden"),
                Decision::Failed => return failed(StatusCode::INTERNAL_SERVER_ERROR),
            }
        }
        let Some(pool) = self.functions.find(&route.function) else {
            return failed(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let event = event.to_string();
        if event.len() > PAYLOAD_BYTES {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long");
        }
        let invocation = self.functions.invoke(pool, event);
        match tokio::time::timeout(route.timeout, invocation).await {
            Ok((Ok(answer), _busy)) => {
                answer::read(&answer).unwrap_or_else(|| failed(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Ok((Err(Failure::TimedOut(_) | Failure::Stopping), _busy)) => failed(StatusCode::SERVICE_UNAVAILABLE),
            Ok((Err(_), _busy)) => failed(StatusCode::INTERNAL_SERVER_ERROR),
            Err(_) => failed(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

async fn handle(State(api): State<Arc<Api>>, request: Request) -> Response {
    // A client may go away in the middle; its request is carried out all the same.
    let work = tokio::spawn(async move { api.answer(request).await });
    work.await.unwrap_or_else(|_| failed(StatusCode::INTERNAL_SERVER_ERROR))
}

fn failed(status: StatusCode) -> Response {
    message(status, "Internal Server Error")
}

fn message(status: StatusCode, message: &str) -> Response {
    let mut response = (status, Body::from(json!({"message": message}).to_string())).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
