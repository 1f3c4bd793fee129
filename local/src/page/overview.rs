//! The first page: the clock, the functions, what waits, the last mails.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::runner::Running;
use super::{Failure, Page, mailbox, render};
use crate::ses::Find;

/// Mails shown on the first page.
const LAST_MAILS: u64 = 8;
/// How often the page shows a new time if nothing else has changed.
const CLOCK_SECONDS: i64 = 10;

pub(super) async fn show(State(page): State<Page>) -> Result<Response, Failure> {
    let state = page.runner.state().await;
    let running = Running::from(state);
    let find = Find { limit: Some(LAST_MAILS), ..Find::default() };
    let mails = mailbox::rows(page.ses.mails(&find)?);
    let ses = page.ses.status();
    let data = json!({
        "title": "Overview",
        "overview": true,
        "mailbox": false,
        "offset": render::offset(running.clock_offset_ms),
        "calls": running.calls().into_iter().map(|(name, n)| json!({ "name": name, "count": n })).collect::<Vec<_>>(),
        "rate": ses.max_send_rate.to_string(),
        "unlimited": ses.max_24_hour_send < 0.0,
        "max_24_hour_send": ses.max_24_hour_send.max(0.0) as u64,
        "ses": ses,
        "mails": mails,
        "running": running,
    });
    Ok(page.templates.page("overview", &data))
}

#[derive(Deserialize)]
pub(super) struct Advance {
    seconds: i64,
}

pub(super) async fn advance(State(page): State<Page>, Form(form): Form<Advance>) -> Result<Redirect, Failure> {
    let by = SignedDuration::from_secs(form.seconds);
    page.runner.advance(by).await?;
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
pub(super) struct Pause {
    paused: bool,
}

pub(super) async fn pause(State(page): State<Page>, Form(form): Form<Pause>) -> Redirect {
    page.ses.pause(form.paused);
    Redirect::to("/")
}

pub(super) async fn logs(State(page): State<Page>, Path(function): Path<String>) -> Result<Response, Failure> {
    let lines = page.runner.logs(&function).await;
    let lines = lines.ok_or(Failure::NotFound)?;
    let data = json!({
        "title": function,
        "overview": false,
        "mailbox": false,
        "lines": lines,
    });
    Ok(page.templates.page("logs", &data))
}

/// A few characters that are others when there is something new to see.
pub(super) async fn pulse(State(page): State<Page>) -> Response {
    let running = Running::from(page.runner.state().await);
    let mut hasher = DefaultHasher::new();
    page.ses.changes().hash(&mut hasher);
    let now = running.now.map(|now| now.as_second() / CLOCK_SECONDS);
    (now, running.clock_offset_ms, running.quiet).hash(&mut hasher);
    for function in &running.functions {
        (function.invocations, function.errors, function.instances).hash(&mut hasher);
    }
    for queue in &running.queues {
        let counts = (queue.depth, queue.in_flight, queue.delayed, queue.dead_letters);
        counts.hash(&mut hasher);
    }
    for stream in &running.streams {
        stream.pending.hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish()).into_response()
}
