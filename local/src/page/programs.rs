//! The mailbox and SES for programs: JSON in and out.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Page;
use crate::ses::{Find, InjectError, Kind, Mail, Status};

/// What went wrong, as `{"error": "…"}`.
pub(super) struct Problem(StatusCode, String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl From<InjectError> for Problem {
    fn from(error: InjectError) -> Self {
        let status = match error {
            InjectError::NoSuchMail(_) => StatusCode::NOT_FOUND,
            InjectError::Mailbox(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

#[derive(Deserialize)]
pub(super) struct Which {
    to: Option<String>,
    limit: Option<u64>,
}

/// Mails, newest last: all, or the newest `limit`, or those `to` an address.
pub(super) async fn mails(State(page): State<Page>, Query(which): Query<Which>) -> Result<Json<Vec<Mail>>, Problem> {
    let find = Find { to: which.to, limit: which.limit, ..Find::default() };
    Ok(Json(page.ses.mails(&find)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inject {
    kind: Kind,
    #[serde(default = "once")]
    repeat: usize,
}

fn once() -> usize {
    1
}

/// Lets something happen to a mail; answers how many events went out.
pub(super) async fn inject(
    State(page): State<Page>,
    Path(n): Path<u64>,
    Json(inject): Json<Inject>,
) -> Result<Json<Value>, Problem> {
    let handed_on = page.ses.inject(n, inject.kind, inject.repeat)?;
    Ok(Json(json!({ "handed_on": handed_on })))
}

pub(super) async fn ses(State(page): State<Page>) -> Json<Status> {
    Json(page.ses.status())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    max_send_rate: Option<f64>,
    max_24_hour_send: Option<f64>,
    paused: Option<bool>,
    suspended: Option<bool>,
    sandbox: Option<bool>,
    mail_from_failed: Option<bool>,
    lose_answers: Option<u32>,
}

/// Changes what is named and leaves the rest.
pub(super) async fn set_ses(State(page): State<Page>, Json(settings): Json<Settings>) -> Json<Status> {
    let ses = &page.ses;
    if settings.max_send_rate.is_some() || settings.max_24_hour_send.is_some() {
        let now = ses.status();
        ses.set_quota(
            settings.max_send_rate.unwrap_or(now.max_send_rate),
            settings.max_24_hour_send.unwrap_or(now.max_24_hour_send),
        );
    }
    if let Some(paused) = settings.paused {
        ses.pause(paused);
    }
    if let Some(suspended) = settings.suspended {
        ses.suspend(suspended);
    }
    if let Some(sandbox) = settings.sandbox {
        ses.sandbox(sandbox);
    }
    if let Some(failed) = settings.mail_from_failed {
        ses.fail_mail_from(failed);
    }
    if let Some(count) = settings.lose_answers {
        ses.lose_answers(count);
    }
    Json(ses.status())
}
