//! Requests of the HTTP API and their answers.
//!
//! Error doctrine: a handler answers what the caller did wrong with a
//! [`Problem`], which says what and where. Anything else that goes wrong is an
//! error of ours: the caller hears only that it failed and may try again; what
//! failed goes to the log, once.

use std::future::Future;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine;
use contracts::{Kind, Problem, Scope};
use domain::{Fault, TooLarge};
use serde::Serialize;
use serde_json::Value;

use crate::Error;

/// The largest body that is taken, in bytes.
const MAX_BODY: usize = 256 * 1024;

/// A request, as API Gateway hands it over.
#[derive(Debug)]
pub struct Request(ApiGatewayV2httpRequest);

impl Request {
    /// The route that API Gateway matched, such as `PUT /v1/orders/{id}`.
    #[must_use]
    pub fn route(&self) -> &str {
        self.0.route_key.as_deref().unwrap_or_default()
    }

    /// A part of the path, through a parser.
    ///
    /// # Errors
    /// 404 if it cannot be the name of anything.
    pub fn path<T, E: ToString>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
        let text = self.0.path_parameters.get(name).map(String::as_str).unwrap_or_default();
        parse(text).map_err(|error| Problem::new(Kind::NotFound).because(format!("{name} {}", error.to_string())))
    }

    /// Whether the caller's key has this scope, as the authorizer says.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        let authorizer = self.0.request_context.authorizer.as_ref();
        let scopes = authorizer.and_then(|authorizer| authorizer.fields.get("scopes")).and_then(Value::as_str);
        scopes.is_some_and(|scopes| scopes.split(' ').any(|known| known == scope.as_str()))
    }

    /// A parameter of the query; the first, if there are several of the name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        // API Gateway's own map joins several values with commas, so that a
        // comma in a value can no longer be told from those.
        let query = self.0.raw_query_string.as_deref().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// 415 if it is not declared as JSON, 413 if it is too large, 400 if it is
    /// not JSON.
    pub fn json(&self) -> Result<Value, Problem> {
        let declared = self.0.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type != "application/json"
            && !(media_type.starts_with("application/") && media_type.ends_with("+json"))
        {
            return Err(Problem::new(Kind::UnsupportedMediaType).because("send it with Content-Type: application/json"));
        }
        let body = self.body()?;
        if body.len() > MAX_BODY {
            let detail = format!("it has {} bytes; at most {MAX_BODY} are taken", body.len());
            return Err(Problem::new(Kind::TooLarge).because(detail));
        }
        serde_json::from_slice(&body).map_err(|error| {
            // The error's own text may quote the body.
            let place = format!("at line {} column {}", error.line(), error.column());
            let detail =
                if error.is_eof() { format!("it ends too soon, {place}") } else { format!("it is not JSON {place}") };
            Problem::new(Kind::Malformed).because(detail)
        })
    }

    fn body(&self) -> Result<Vec<u8>, Problem> {
        let text = self.0.body.as_deref().unwrap_or_default();
        if self.0.is_base64_encoded {
            let malformed = |_| Problem::new(Kind::Malformed).because("it is not base64");
            base64::engine::general_purpose::STANDARD.decode(text).map_err(malformed)
        } else {
            Ok(text.as_bytes().to_vec())
        }
    }
}

/// An answer, as API Gateway takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    headers: Headers,
    body: String,
}

#[derive(Debug, Serialize)]
struct Headers {
    #[serde(rename = "content-type")]
    content_type: &'static str,
    #[serde(rename = "cache-control")]
    cache_control: &'static str,
}

impl Response {
    fn new(status_code: u16, content_type: &'static str, body: String) -> Self {
        Self { status_code, headers: Headers { content_type, cache_control: "no-store" }, body }
    }

    /// A JSON document.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A page for people.
    #[must_use]
    pub fn html(status: u16, body: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", body)
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let body = serde_json::to_string(&problem).unwrap_or_default();
        Self::new(problem.status(), "application/problem+json", body)
    }
}

/// What stops a request: the caller's fault, or ours.
#[derive(Debug)]
pub enum Failure {
    /// The caller's.
    Problem(Problem),
    /// Ours.
    Internal(anyhow::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Vec<Fault>> for Failure {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Problem(faults.into())
    }
}

impl From<domain::Conflict> for Failure {
    fn from(conflict: domain::Conflict) -> Self {
        Self::Problem(conflict.into())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast_ref::<TooLarge>() {
            Some(too_large) => Self::Problem(Problem::new(Kind::TooLarge).because(too_large.to_string())),
            None => Self::Internal(error),
        }
    }
}

/// Answers one request.
pub async fn answer<Work: Future<Output = Result<Response, Failure>>>(
    event: ApiGatewayV2httpRequest,
    handler: impl FnOnce(Request) -> Work,
) -> Response {
    match handler(Request(event)).await {
        Ok(response) => response,
        Err(Failure::Problem(problem)) => problem.into(),
        Err(Failure::Internal(error)) => {
            tracing::error!(error = format!("{error:#}"), "the request failed");
            Problem::new(Kind::Internal).because("nothing was lost; send it again").into()
        }
    }
}

/// Serves requests until the environment is taken down.
///
/// # Errors
/// If the Runtime API cannot be spoken to.
pub async fn serve<Work: Future<Output = Result<Response, Failure>>>(
    handler: impl Fn(Request) -> Work,
) -> Result<(), Error> {
    crate::serve(async |event, _| anyhow::Ok(answer(event, &handler).await)).await
}
