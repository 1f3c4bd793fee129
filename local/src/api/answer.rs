//! A function's answer, in full or as API Gateway infers it.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// `None` for an answer that makes no HTTP response.
pub(super) fn read(answer: &[u8]) -> Option<Response> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    let Some(status) = answer.get("statusCode") else { return inferred(&answer) };
    let status = match status {
        Value::Number(status) => u16::try_from(status.as_u64()?).ok()?,
        Value::String(status) => status.parse().ok()?,
        _ => return None,
    };
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(body)) if answer["isBase64Encoded"] == true => STANDARD.decode(body).ok()?,
        Some(Value::String(body)) => body.clone().into_bytes(),
        Some(_) => return None,
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer.get("headers").and_then(Value::as_object).into_iter().flatten() {
        let value = match value {
            Value::String(value) => value.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return None,
        };
        headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(&value).ok()?);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        headers.append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    Some(response)
}

/// Valid JSON without a status is the body of a 200.
fn inferred(answer: &Value) -> Option<Response> {
    let body = match answer {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_taken_in_full_or_inferred() {
        let full = read(br#"{"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["a=1", "b=2"], "body": "made"}"#)
            .unwrap();
        assert_eq!((full.status(), &full.headers()["x-a"]), (StatusCode::CREATED, &HeaderValue::from_static("b")));
        assert_eq!(full.headers().get_all("set-cookie").iter().count(), 2);
        let inferred = read(br#"{"ok": true}"#).unwrap();
        assert_eq!(
            (inferred.status(), &inferred.headers()["content-type"]),
            (StatusCode::OK, &HeaderValue::from_static("application/json"))
        );
        assert!(read(b"{").is_none());
        assert!(read(br#"{"statusCode": "none"}"#).is_none());
        assert!(read(br#"{"statusCode": 200, "body": {}}"#).is_none());
    }
}
