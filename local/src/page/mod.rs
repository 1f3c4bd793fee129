//! The runner's own page: what the bundle is doing, its mailbox and its clock.
//!
//! The pages are plain HTML that works without JavaScript; a few lines of it
//! show changes as they come. Nothing is fetched from elsewhere, and a mail's
//! own HTML is shown in a frame in which no script runs.

mod mailbox;
mod overview;
mod programs;
mod render;
mod runner;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use self::render::Templates;
pub use self::runner::Runner;
use crate::ses::{InjectError, Ses};

/// A mail's frame inherits this, hence images and styles from anywhere.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; \
    connect-src 'self'; img-src * data:; font-src *; frame-src 'self'; form-action 'self'; \
    base-uri 'self'; frame-ancestors 'none'";

#[derive(Clone)]
struct Page {
    ses: Ses,
    runner: Arc<dyn Runner>,
    templates: Arc<Templates>,
}

/// The pages (`/`, `/mailbox`, `/logs/{function}`) and, for programs,
/// `/mailbox.json`, `/mailbox/{n}.eml`, `/mailbox/{n}/events` and `/ses`.
///
/// # Errors
/// If a template of the page can't be read.
pub fn router(ses: Ses, runner: Arc<dyn Runner>) -> anyhow::Result<Router> {
    let page = Page { ses, runner, templates: Arc::new(Templates::new()?) };
    Ok(Router::new()
        .route("/", get(overview::show))
        .route("/page/clock", post(overview::advance))
        .route("/page/ses", post(overview::pause))
        .route("/logs/{function}", get(overview::logs))
        .route("/mailbox", get(mailbox::list))
        .route("/mailbox/{n}", get(mailbox::show))
        .route("/mailbox/{n}/pretend", post(mailbox::pretend))
        .route("/mailbox.json", get(programs::mails))
        .route("/mailbox/{n}/events", post(programs::inject))
        .route("/ses", get(programs::ses).post(programs::set_ses))
        .route("/page/pulse", get(overview::pulse))
        .route("/page/page.css", get(css))
        .route("/page/page.js", get(script))
        .layer(middleware::from_fn_with_state(page.clone(), guard))
        .with_state(page))
}

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("There is nothing here.")]
    NotFound,
    #[error("The mailbox could not be read or written: {0}")]
    Mailbox(#[from] rusqlite::Error),
    #[error("{0}")]
    Other(#[from] anyhow::Error),
}

impl From<InjectError> for Failure {
    fn from(error: InjectError) -> Self {
        match error {
            InjectError::NoSuchMail(_) => Self::NotFound,
            InjectError::Mailbox(error) => Self::Mailbox(error),
        }
    }
}

impl IntoResponse for Failure {
    /// The guard makes a page of it.
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Mailbox(_) | Self::Other(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(Said(self.to_string()));
        response
    }
}

#[derive(Clone)]
struct Said(String);

/// Keeps other sites' pages from pressing this page's buttons, says in a
/// header what a page may load, and shows failures.
async fn guard(State(page): State<Page>, request: Request, next: Next) -> Response {
    let site = request.headers().get("sec-fetch-site");
    let own = site.is_none_or(|site| site == "same-origin" || site == "none");
    if request.method() == Method::POST && !own {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut response = next.run(request).await;
    if let Some(Said(text)) = response.extensions_mut().remove() {
        let status = response.status();
        let data = json!({ "title": text, "overview": false, "mailbox": false });
        response = page.templates.page("failure", &data);
        *response.status_mut() = status;
    }
    let policy = HeaderValue::from_static(POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

async fn css() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("page.css"))
}

async fn script() -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    (kind, include_str!("page.js"))
}
