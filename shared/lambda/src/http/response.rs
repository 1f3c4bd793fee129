use std::borrow::Cow;

use contracts::Problem;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// Whether the same request, sent again under the same Idempotency-Key, is
/// given the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// It is.
    Yes,
    /// It is carried out again: not everything that it asked for could be done.
    No,
}

/// An answer, as API Gateway takes it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    #[serde(serialize_with = "as_map")]
    headers: Headers,
    body: String,
    #[serde(skip)]
    keep: Keep,
}

type Headers = Vec<(Cow<'static, str>, Cow<'static, str>)>;

fn as_map<S: Serializer>(headers: &Headers, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(headers.len()))?;
    for (name, value) in headers {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

impl Response {
    /// Any text, with its media type.
    #[must_use]
    pub fn new(status_code: u16, content_type: impl Into<Cow<'static, str>>, body: String) -> Self {
        let keep = if status_code < 500 { Keep::Yes } else { Keep::No };
        let headers = vec![("content-type".into(), content_type.into()), ("cache-control".into(), "no-store".into())];
        Self { status_code, headers, body, keep }
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

    /// No content: 204.
    #[must_use]
    pub fn empty() -> Self {
        let headers = vec![("cache-control".into(), "no-store".into())];
        Self { status_code: 204, headers, body: String::new(), keep: Keep::Yes }
    }

    /// A page of a list: `{"items": […]}` and, unless it is the last, the place
    /// after it as `next`, which [`super::Page`] reads.
    #[must_use]
    pub fn page(items: Vec<Value>, next: Option<&str>) -> Self {
        Self::paged(json!({ "items": items }), next)
    }

    /// A document of which there is more behind a place.
    #[must_use]
    pub fn paged(mut body: Value, next: Option<&str>) -> Self {
        if let Some(next) = next {
            body["next"] = super::page::opaque(next).into();
        }
        Self::json(200, &body)
    }

    /// The same with the address of the next page in a `Link` header (RFC 8288), unless it
    /// is the last. For lists that have no room for it in their body.
    #[must_use]
    pub fn with_next(self, request: &super::Request, limit: usize, next: Option<&str>) -> Self {
        let Some(next) = next else { return self };
        let target = request.target();
        let path = target.split('?').next().unwrap_or_default();
        let next = super::page::opaque(next);
        self.with_header("link", format!("<{path}?limit={limit}&after={next}>; rel=\"next\""))
    }

    /// A problem document.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = serde_json::to_string(problem).unwrap_or_default();
        Self::new(problem.status(), "application/problem+json", body)
    }

    /// The same with a header, in place of any of this name; the name in small
    /// letters.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The same, kept or not for when the request comes again.
    #[must_use]
    pub fn kept(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// Whether it is kept for when the request comes again: what went wrong on
    /// our side never is.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status_code
    }

    /// The headers, their names in small letters.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(self, status_code: u16) -> Self {
        Self { status_code, ..self }
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(self, body: String) -> Self {
        Self { body, ..self }
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        let response = Self::problem(&problem);
        match problem.retry_after() {
            Some(seconds) => response.with_header("retry-after", seconds.to_string()),
            None => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_api_gateway_takes() {
        let response = Response::json(201, &json!({ "id": "a" })).with_header("x-a", "1").with_header("x-a", "2");
        let headers = json!({ "content-type": "application/json", "cache-control": "no-store", "x-a": "2" });
        let wanted = json!({ "statusCode": 201, "headers": headers, "body": "{\"id\":\"a\"}" });
        assert_eq!(serde_json::to_value(response).unwrap(), wanted);
    }

    #[test]
    fn the_next_page_is_where_the_link_leads() {
        let request = super::super::request::tests::request("GET /v1/keys", "manage", "", "", "limit=9");
        let link = |next| {
            let response = Response::empty().with_next(&request, 7, next);
            response.headers().find(|(name, _)| *name == "link").map(|(_, link)| link.to_owned())
        };
        assert_eq!(link(Some("a")), Some("</v1/keys?limit=7&after=YQ>; rel=\"next\"".into()));
        assert_eq!(link(None), None);
    }

    #[test]
    fn what_went_wrong_on_our_side_is_not_kept() {
        assert_eq!(Response::json(422, &json!({})).keep(), Keep::Yes);
        assert_eq!(Response::json(500, &json!({})).keep(), Keep::No);
    }
}
