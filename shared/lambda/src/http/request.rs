use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use base64::Engine;
use contracts::{Kind, Problem, Scope};
use serde_json::Value;

use super::json;

/// The largest body of a request that is about one thing, in bytes.
pub const MOST_IN_BODY: usize = 256 * 1024;

/// The largest body of a batch, in bytes. Lambda takes events of 6 MB, in which
/// the body stands as JSON text, or as base64 if its media type is no text: a
/// body that does not fit is answered 413 by API Gateway.
pub const MOST_IN_BATCH: usize = 5 * 1024 * 1024;

/// A request, as API Gateway hands it over.
#[derive(Debug)]
pub struct Request {
    event: ApiGatewayV2httpRequest,
    /// None if it was handed over in a form that is none.
    body: Option<Vec<u8>>,
    deadline: Option<u64>,
}

impl Request {
    /// The request in an event; the function is stopped at `deadline`, in
    /// milliseconds since 1970, if that is known.
    #[must_use]
    pub fn new(mut event: ApiGatewayV2httpRequest, deadline: Option<u64>) -> Self {
        let text = event.body.take().unwrap_or_default();
        let body = if event.is_base64_encoded {
            base64::engine::general_purpose::STANDARD.decode(text).ok()
        } else {
            Some(text.into_bytes())
        };
        Self { event, body, deadline }
    }

    /// The route that API Gateway matched, such as `PUT /v1/orders/{id}`.
    #[must_use]
    pub fn route(&self) -> &str {
        self.event.route_key.as_deref().unwrap_or_default()
    }

    /// The method, such as `PUT`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.event.request_context.http.method.as_str()
    }

    /// The path as it was asked for, still percent-encoded, and the query after
    /// a `?`, if there is one.
    #[must_use]
    pub fn target(&self) -> String {
        let path = self.event.raw_path.as_deref().unwrap_or_default();
        match self.event.raw_query_string.as_deref().unwrap_or_default() {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// A header, by its name in any case; None if it is not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.event.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A header as it came, by its name in any case.
    #[must_use]
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        self.event.headers.get(name).map(|value| value.as_bytes())
    }

    /// When the function is stopped, in milliseconds since 1970, if that is
    /// known.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        self.deadline
    }

    /// A part of the path, through a parser.
    ///
    /// # Errors
    /// 404 if it cannot be the name of anything.
    pub fn path<T, E: ToString>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Problem> {
        let text = self.event.path_parameters.get(name).map(String::as_str).unwrap_or_default();
        parse(text).map_err(|error| Problem::new(Kind::NotFound).because(format!("{name} {}", error.to_string())))
    }

    /// The id of the caller's key, as the authorizer says; None on a public
    /// route.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.caller("key").and_then(Value::as_str)
    }

    /// How many requests a second the caller's key may make, as the authorizer
    /// says.
    #[must_use]
    pub fn rate(&self) -> Option<u32> {
        let rate = self.caller("rate")?;
        // API Gateway may hand numbers on as text.
        let rate = rate.as_u64().or_else(|| rate.as_str()?.parse().ok())?;
        u32::try_from(rate).ok()
    }

    /// Whether the caller's key has this scope, as the authorizer says.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        let scopes = self.caller("scopes").and_then(Value::as_str);
        scopes.is_some_and(|scopes| scopes.split(' ').any(|known| known == scope.as_str()))
    }

    /// Whether the caller's key has the scope `track` and no other: anybody can
    /// read such a key in a browser, so it tells and is told nothing.
    #[must_use]
    pub fn is_track_only(&self) -> bool {
        Scope::ALL.iter().all(|scope| self.may(*scope) == (*scope == Scope::Track))
    }

    fn caller(&self, name: &str) -> Option<&Value> {
        self.event.request_context.authorizer.as_ref()?.fields.get(name)
    }

    /// A parameter of the query; the first, if there are several of the name.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        // API Gateway's own map joins several values with commas, so that a
        // comma in a value can no longer be told from those.
        let query = self.event.raw_query_string.as_deref().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    /// The body as it was sent, of whatever size.
    ///
    /// # Errors
    /// 400 if it was handed over in a form that is none.
    pub fn bytes(&self) -> Result<&[u8], Problem> {
        self.body.as_deref().ok_or_else(|| Problem::new(Kind::Malformed).because("it is not base64"))
    }

    /// The body as it was sent, if it has at most `most` bytes.
    ///
    /// # Errors
    /// 413 if it is larger.
    pub fn bytes_up_to(&self, most: usize) -> Result<&[u8], Problem> {
        let body = self.bytes()?;
        if body.len() > most {
            let detail = format!("it has {} bytes; at most {most} are taken", body.len());
            return Err(Problem::new(Kind::TooLarge).because(detail));
        }
        Ok(body)
    }

    /// The body's media type in small letters, without parameters; empty if
    /// none is declared.
    #[must_use]
    pub fn media_type(&self) -> String {
        let declared = self.header("content-type").unwrap_or_default();
        declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(super) fn is_json(&self) -> bool {
        let media_type = self.media_type();
        media_type == "application/json" || (media_type.starts_with("application/") && media_type.ends_with("+json"))
    }

    /// The body as JSON, of at most [`MOST_IN_BODY`] bytes.
    ///
    /// # Errors
    /// 415 if it is not declared as JSON, 413 if it is too large, 400 if it is
    /// not JSON: nested deeper than 127 levels, or an object that names a field
    /// twice, is none either.
    pub fn json(&self) -> Result<Value, Problem> {
        self.json_up_to(MOST_IN_BODY)
    }

    /// The body as JSON, of at most `most` bytes.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_up_to(&self, most: usize) -> Result<Value, Problem> {
        if !self.is_json() {
            return Err(Problem::new(Kind::UnsupportedMediaType).because("send it with Content-Type: application/json"));
        }
        json::parse(self.bytes_up_to(most)?)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A request with this route, caller, media type and body.
    pub(crate) fn request(route: &str, scopes: &str, media_type: &str, body: &str, query: &str) -> Request {
        let (method, path) = route.split_once(' ').unwrap();
        let event = json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query, "body": body,
            "headers": { "content-type": media_type }, "isBase64Encoded": false,
            "requestContext": {
                "http": { "method": method, "path": path },
                "authorizer": { "lambda": { "key": "0123456789abcdef", "scopes": scopes, "rate": 7 } },
            },
        });
        Request::new(serde_json::from_value(event).unwrap(), Some(1))
    }

    #[test]
    fn a_request_says_who_calls() {
        let request = request("POST /v1/events", "track", "application/json", "{}", "a=1");
        assert_eq!((request.key_id(), request.rate(), request.method()), (Some("0123456789abcdef"), Some(7), "POST"));
        assert_eq!(
            (request.target().as_str(), request.header("Content-Type")),
            ("/v1/events?a=1", Some("application/json"))
        );
        assert!(request.is_track_only() && request.may(Scope::Track) && !request.may(Scope::Ingest));
    }

    #[test]
    fn a_key_with_more_than_track_is_no_browsers() {
        for scopes in ["", "ingest", "track ingest", "track ingest manage"] {
            assert!(!request("POST /v1/events", scopes, "", "", "").is_track_only(), "{scopes}");
        }
    }

    #[test]
    fn a_body_is_taken_up_to_its_limit() {
        let of = |length: usize| {
            request("POST /v1/events", "", "application/json", &format!("{}1", " ".repeat(length - 1)), "")
        };
        assert!(of(MOST_IN_BODY).json().is_ok());
        assert_eq!(of(MOST_IN_BODY + 1).json().unwrap_err().status(), 413);
        assert!(of(MOST_IN_BODY + 1).json_up_to(MOST_IN_BATCH).is_ok());
        assert_eq!(request("POST /v1/events", "", "text/plain", "1", "").json().unwrap_err().status(), 415);
    }
}
