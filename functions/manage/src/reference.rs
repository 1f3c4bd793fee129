//! What the API is, for programs and for people.

use anyhow::anyhow;
use lambda::http::{Failure, Request, Response};

/// For how long an answer may be kept by whoever reads it.
const KEPT: &str = "public, max-age=300";

/// `GET /v1/openapi.json`.
pub(crate) fn document(request: &Request) -> Response {
    Response::json(200, &openapi::document(&server(request))).with_header("cache-control", KEPT)
}

/// `GET /v1/reference`.
pub(crate) fn page(request: &Request) -> Result<Response, Failure> {
    let page = openapi::page(&openapi::document(&server(request)));
    let page = page.map_err(|error| anyhow!("the reference could not be rendered: {error}"))?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    Ok(Response::html(200, page).with_header("cache-control", KEPT).with_header("content-security-policy", policy))
}

/// The address under which the caller reached us.
fn server(request: &Request) -> String {
    // Behind API Gateway it is always https; on a machine of one's own it is not.
    let protocol = if request.header("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    let plain =
        |host: &&str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
    match request.header("host").filter(plain) {
        Some(host) => format!("{protocol}://{host}"),
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::read::Faults;
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;
    use crate::{attachments, keys, templates};

    fn asked(headers: Value) -> Request {
        let route = "GET /v1/openapi.json";
        let event = json!({
            "version": "2.0", "routeKey": route, "rawPath": "/v1/openapi.json", "headers": headers,
            "isBase64Encoded": false,
            "requestContext": { "http": { "method": "GET", "path": "/v1/openapi.json" } },
        });
        Request::new(serde_json::from_value(event).unwrap(), None)
    }

    type Read = fn(&Value) -> Result<(), Faults>;

    /// Each schema of a request that is read here, and who reads such a body.
    const READERS: &[(&str, Read)] = &[
        ("Template", |body| templates::read_template(body).map(drop)),
        ("Partial", |body| templates::read_partial(body).map(drop)),
        ("Attachment", |body| attachments::read_attachment(body).map(drop)),
        ("Key", |body| keys::read(body, Timestamp::UNIX_EPOCH).map(drop)),
        ("Rotation", |body| keys::read_grace(body).map(drop)),
    ];

    #[test]
    fn a_body_that_is_read_here_has_the_names_that_the_document_says_and_no_other() {
        let document = openapi::document("https://api.example.com");
        let sources = [include_str!("templates.rs"), include_str!("attachments.rs"), include_str!("keys.rs")].concat();
        let word = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        for (name, read) in READERS {
            let schema = &document["components"]["schemas"][name];
            let examples = schema["examples"].as_array().unwrap();
            let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
            let known: BTreeSet<String> = examples.iter().flat_map(names).collect();
            assert_eq!(known, names(&schema["properties"]), "{name}");
            examples.iter().for_each(|example| assert_eq!(read(example), Ok(()), "{name}"));
            let example = &examples[0];
            for required in schema["required"].as_array().into_iter().flatten() {
                let mut body = example.clone();
                body.as_object_mut().unwrap().remove(required.as_str().unwrap());
                assert!(read(&body).is_err(), "{name} without {required}");
            }
            for other in sources.split('"').filter(word).filter(|other| !known.contains(*other)) {
                let mut body = example.clone();
                body[other] = Value::Null;
                assert!(read(&body).is_err(), "{name} takes {other}");
            }
        }
    }

    #[test]
    fn the_server_is_the_one_that_was_asked() {
        let of = |headers| server(&asked(headers));
        assert_eq!(of(json!({ "host": "api.example.com", "x-forwarded-proto": "https" })), "https://api.example.com");
        assert_eq!(of(json!({ "host": "127.0.0.1:3000" })), "http://127.0.0.1:3000");
        assert_eq!(of(json!({ "host": "a/'\"<b>" })), "/");
        assert_eq!(of(json!({})), "/");
    }

    #[test]
    fn both_answers_may_be_kept_and_fit_what_lambda_gives_back() {
        let request = asked(json!({ "host": "api.example.com", "x-forwarded-proto": "https" }));
        for answer in [document(&request), page(&request).unwrap()] {
            assert!(answer.headers().any(|header| header == ("cache-control", KEPT)));
            assert!(answer.status() == 200 && answer.body().len() < 2_000_000);
        }
    }
}
