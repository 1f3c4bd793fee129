//! Payload format 2.0. See
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use super::path::decode;
use crate::names::ACCOUNT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The event of a request; its path is the one API Gateway has made of it.
pub(super) fn of(
    parts: &Parts,
    body: &[u8],
    route_key: &str,
    Target { path, parameters }: Target,
    now: Timestamp,
) -> Value {
    let headers = headers(&parts.headers);
    let header = |name: &str| headers.get(name).cloned().unwrap_or(Value::from(""));
    let query = parts.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": header("host"),
            "domainPrefix": "local",
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": header("user-agent"),
            },
            "requestId": uuid::Uuid::new_v4().to_string(),
            "routeKey": route_key,
            "stage": "$default",
            "time": now.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    let cookies: Vec<&str> =
        parts.headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    if !cookies.is_empty() {
        event["cookies"] = cookies.iter().flat_map(|cookies| cookies.split("; ")).collect();
    }
    event["headers"] = Value::Object(headers);
    if !query.is_empty() {
        event["queryStringParameters"] = query_parameters(query);
    }
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body).ok().filter(|_| is_text(&parts.headers)) {
            Some(text) => event["body"] = Value::from(text),
            None => {
                event["body"] = Value::from(STANDARD.encode(body));
                event["isBase64Encoded"] = Value::Bool(true);
            }
        }
    }
    event
}

fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != header::COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let entry = joined.entry(name.as_str()).or_default();
        if !entry.is_empty() {
            entry.push(',');
        }
        entry.push_str(&value);
    }
    joined.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn query_parameters(query: &str) -> Value {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")));
        match joined.get_mut(&name) {
            Some(values) => {
                values.push(',');
                values.push_str(&value);
            }
            None => {
                joined.insert(name, value);
            }
        }
    }
    json!(joined)
}

/// Media types whose bodies API Gateway passes on as they are. All others are encoded, a form's and
/// a body's of no type too: that is how it was seen to be on AWS, whose documents do not say.
fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || matches!(kind.as_str(), "application/json" | "application/xml" | "application/javascript")
}

/// Where a request goes, as its function sees it.
pub(super) struct Target {
    /// Decoded.
    pub(super) path: String,
    /// Decoded too.
    pub(super) parameters: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    #[test]
    fn an_event_holds_the_request() {
        let request = Request::put("http://127.0.0.1:3000/v1/orders/7%208?a=1&b=x%26y&a=2")
            .header("Host", "127.0.0.1:3000")
            .header("X-Two", "1")
            .header("X-Two", "2")
            .header("Cookie", "k=v; l=w")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let parameters = BTreeMap::from([("id".to_owned(), "7 8".to_owned())]);
        let target = Target { path: "/v1/orders/7 8".to_owned(), parameters };
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let event = of(&parts, b"{}", "PUT /v1/orders/{id}", target, now);
        assert_eq!(event["rawPath"], "/v1/orders/7 8");
        assert_eq!(event["rawQueryString"], "a=1&b=x%26y&a=2");
        assert_eq!(event["queryStringParameters"], json!({"a": "1,2", "b": "x&y"}));
        assert_eq!(event["pathParameters"], json!({"id": "7 8"}));
        assert_eq!(event["headers"]["x-two"], "1,2");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["cookies"], json!(["k=v", "l=w"]));
        assert_eq!(event["body"], "{}");
        assert_eq!(event["requestContext"]["time"], "22/Nov/2026:10:00:00 +0000");
        assert_eq!(event["requestContext"]["http"]["method"], "PUT");
    }

    #[test]
    fn a_body_that_is_no_text_is_encoded() {
        let check = |kind: Option<&str>, body: &[u8], text: &str| {
            let mut request = Request::post("/");
            if let Some(kind) = kind {
                request = request.header("Content-Type", kind);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let target = Target { path: "/".to_owned(), parameters: BTreeMap::new() };
            let event = of(&parts, body, "$default", target, Timestamp::UNIX_EPOCH);
            assert_eq!(event["body"], text, "{kind:?}");
            assert_eq!(event["isBase64Encoded"], json!(text.as_bytes() != body), "{kind:?}");
        };
        check(Some("text/csv"), b"a,b", "a,b");
        check(Some("Application/JSON; charset=utf-8"), b"{}", "{}");
        check(Some("application/xml"), b"<a/>", "<a/>");
        check(Some("application/x-www-form-urlencoded"), b"a=b", "YT1i");
        check(Some("application/x-ndjson"), b"{}", "e30=");
        check(Some("application/vnd.shop+json"), b"{}", "e30=");
        check(Some("image/png"), b"png", "cG5n");
        check(None, b"{}", "e30=");
        check(Some("application/json"), b"\xff", "/w==");
    }
}
