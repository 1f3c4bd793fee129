//! An SES v2 call.

use crate::iam::Wanted;
use crate::names;
use crate::template::Function;
use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use tower::ServiceExt as _;

pub(super) struct Prepared {
    pub(super) operation: &'static str,
    parts: Parts,
    body: Bytes,
}

/// What of a mail its permission depends on.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Sent {
    from_email_address: Option<String>,
    configuration_set_name: Option<String>,
}

pub(super) fn prepare(parts: Parts, body: Bytes) -> Prepared {
    let path = parts.uri.path().trim_start_matches("/v2/email/");
    let mut path = path.split('/');
    let operation = match (&parts.method, path.next().unwrap_or_default(), path.next()) {
        (&Method::POST, "outbound-emails", _) => "SendEmail",
        (&Method::POST, "outbound-bulk-emails", _) => "SendBulkEmail",
        (&Method::GET, "account", None) => "GetAccount",
        (&Method::GET, "suppression", _) => "GetSuppressedDestination",
        (&Method::PUT, "suppression", _) => "PutSuppressedDestination",
        (&Method::DELETE, "suppression", _) => "DeleteSuppressedDestination",
        (&Method::POST, "identities", None) => "CreateEmailIdentity",
        (&Method::GET, "identities", Some(_)) => "GetEmailIdentity",
        _ => "Unknown",
    };
    Prepared { operation, parts, body }
}

impl Prepared {
    /// What IAM says, if it says no: the sending identity and the configuration set must both be allowed.
    pub(super) fn refusal(&self, function: &Function) -> Option<Response> {
        let action = format!("ses:{}", self.operation);
        let sending = matches!(self.operation, "SendEmail" | "SendBulkEmail");
        let sent: Sent = serde_json::from_slice(&self.body).ok().filter(|_| sending).unwrap_or_default();
        let from = bare_address(sent.from_email_address.as_deref().unwrap_or_default());
        let context = if sending { vec![("ses:FromAddress", from.to_owned())] } else { Vec::new() };
        let wanted = |resource: String| Wanted { action: action.clone(), resource, context: context.clone() };
        let identity = |name: &str| wanted(names::arn("ses", &format!("identity/{name}")));
        if !sending {
            let anything = wanted("*".to_owned());
            return (!function.policy.allows(&anything)).then(|| denied(function, &anything));
        }
        // Which of the two is verified does not matter here.
        let domain = names::last(from, '@');
        if !function.policy.allows(&identity(from)) && !function.policy.allows(&identity(domain)) {
            return Some(denied(function, &identity(from)));
        }
        let set = sent.configuration_set_name.filter(|set| !set.is_empty())?;
        let set = wanted(names::arn("ses", &format!("configuration-set/{set}")));
        (!function.policy.allows(&set)).then(|| denied(function, &set))
    }

    pub(super) async fn carry_out(self, ses: Router) -> Response {
        let request = Request::from_parts(self.parts, Body::from(self.body));
        match ses.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn denied(function: &Function, wanted: &Wanted) -> Response {
    refused(StatusCode::FORBIDDEN, "AccessDeniedException", &super::denied(&function.function_name, wanted))
}

pub(super) fn refused(status: StatusCode, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({"message": message}).to_string();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(kind) = HeaderValue::from_str(kind) {
        headers.insert("x-amzn-errortype", kind);
    }
    response
}

/// `shop@example.com` of `My shop <shop@example.com>`.
fn bare_address(from: &str) -> &str {
    match from.rsplit_once('<') {
        Some((_, address)) => address.trim_end().trim_end_matches('>'),
        None => from.trim(),
    }
}
