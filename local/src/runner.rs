//! The runner for programs and people: state, clock, faults, invocations, and the page.

use crate::bundle::{Bundle, InvokeError, WalkError};
use crate::faults::Fault;
use crate::page;
use crate::state::State as BundleState;
use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use jiff::{SignedDuration, Span, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Everything on the runner's port.
///
/// # Errors
/// The page's own templates can't be read.
pub(crate) fn runner_router(bundle: &Arc<Bundle>) -> anyhow::Result<Router> {
    let page = page::router(bundle.ses().clone(), Arc::clone(bundle) as Arc<dyn page::Runner>)?;
    let programs = Router::new()
        .route("/state.json", get(state))
        .route("/clock", get(clock).post(set_clock))
        .route("/invoke/{function}", post(invoke))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .with_state(Arc::clone(bundle));
    Ok(programs.merge(page))
}

#[async_trait]
impl page::Runner for Bundle {
    async fn state(&self) -> Value {
        serde_json::to_value(Self::state(self).await).unwrap_or_default()
    }

    async fn advance(&self, by: SignedDuration) -> anyhow::Result<()> {
        Self::advance(self, by).await?;
        Ok(())
    }

    async fn logs(&self, function: &str) -> Option<Vec<String>> {
        Self::logs(self, function)
    }
}

async fn state(State(bundle): State<Arc<Bundle>>) -> Json<BundleState> {
    Json(bundle.state().await)
}

async fn clock(State(bundle): State<Arc<Bundle>>) -> Json<Value> {
    Json(json!({"now": bundle.now(), "offset_ms": bundle.clock().offset_ms()}))
}

/// `{"advance": "PT2H"}` or `{"set": "2026-12-01T10:00:00Z"}`, with `"step": "PT1H"` if wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance: Option<Span>,
    set: Option<Timestamp>,
    step: Option<Span>,
}

async fn set_clock(State(bundle): State<Arc<Bundle>>, body: Bytes) -> Response {
    let Ok(wanted) = serde_json::from_slice::<Move>(&body) else {
        return problem(
            StatusCode::BAD_REQUEST,
            r#"wanted: {"advance": "PT2H"} or {"set": "2026-12-01T10:00:00Z"}, and "step" if need be"#,
        );
    };
    let now = bundle.now();
    let step = match wanted.step.as_ref().map(exact).transpose().map(|step| step.map(Duration::try_from).transpose()) {
        Ok(Ok(step)) => step.filter(|step| !step.is_zero()).unwrap_or(Duration::from_secs(3600)),
        _ => return problem(StatusCode::BAD_REQUEST, "step is not a length of time"),
    };
    let by = match (wanted.advance.as_ref().map(exact), wanted.set) {
        (Some(Ok(by)), None) => by,
        (Some(Err(e)), None) => return problem(StatusCode::BAD_REQUEST, &e.to_string()),
        (None, Some(to)) => to.duration_since(now),
        _ => return problem(StatusCode::BAD_REQUEST, "one of advance and set is wanted"),
    };
    match bundle.advance_in_steps(by, step).await {
        Ok(now) => Json(json!({"now": now})).into_response(),
        Err(e @ WalkError::Backwards) => problem(StatusCode::BAD_REQUEST, &e.to_string()),
        Err(e @ WalkError::Busy(_)) => problem(StatusCode::SERVICE_UNAVAILABLE, &e.to_string()),
        Err(e @ WalkError::Io(_)) => problem(StatusCode::INTERNAL_SERVER_ERROR, &e.to_string()),
    }
}

/// A day is 24 hours here, whatever it is on a wall.
fn exact(span: &Span) -> Result<SignedDuration, jiff::Error> {
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours())
}

async fn invoke(State(bundle): State<Arc<Bundle>>, Path(function): Path<String>, body: Bytes) -> Response {
    let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
    match bundle.invoke_bytes(&function, body).await {
        Ok(answer) => ([(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(e @ InvokeError::Unknown(_)) => problem(StatusCode::NOT_FOUND, &e.to_string()),
        Err(InvokeError::Failed(error)) => (StatusCode::BAD_GATEWAY, Json(error)).into_response(),
    }
}

async fn faults(State(bundle): State<Arc<Bundle>>) -> Json<Vec<Fault>> {
    Json(bundle.faults())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Fault>),
    One(Fault),
}

async fn add_faults(State(bundle): State<Arc<Bundle>>, body: Bytes) -> Response {
    // By itself, a fault says better what is wrong with it than one of two forms could.
    let faults = match serde_json::from_slice::<OneOrMany>(&body) {
        Ok(OneOrMany::Many(faults)) => faults,
        Ok(OneOrMany::One(fault)) => vec![fault],
        Err(_) => match serde_json::from_slice::<Fault>(&body) {
            Ok(fault) => vec![fault],
            Err(e) => return problem(StatusCode::BAD_REQUEST, &e.to_string()),
        },
    };
    faults.into_iter().for_each(|fault| bundle.fault(fault));
    Json(bundle.faults()).into_response()
}

async fn clear_faults(State(bundle): State<Arc<Bundle>>) -> StatusCode {
    bundle.clear_faults();
    StatusCode::NO_CONTENT
}

fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({"error": message}))).into_response()
}
