//! What is different for a browser: it asks before it sends across origins
//! (CORS), and the key in its page can be read by anybody.
//!
//! Only the routes that a key with the scope `track` opens may be called from a
//! page, and only answers to such a key may be read there. A key that can do
//! more has no business in a browser, so its answers say nothing of origins.

use contracts::{ROUTES, Route, Scope};
use serde_json::{Value, json};

use super::{Request, Response};

/// How long a browser need not ask again, in seconds. Chromium keeps an answer
/// no longer than two hours.
const REMEMBERED: &str = "7200";

/// The answer to a browser that asks before it sends; None for any other
/// request.
pub(super) fn preflight(request: &Request) -> Option<Response> {
    let path = request.route().strip_prefix("OPTIONS ")?;
    let methods = methods(path);
    if methods.is_empty() {
        return None;
    }
    let response = Response::empty()
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-allow-methods", methods.join(", "))
        .with_header("access-control-allow-headers", "authorization, content-type, idempotency-key")
        .with_header("access-control-max-age", REMEMBERED);
    Some(response)
}

/// The methods of this path that a browser's key opens.
fn methods(path: &str) -> Vec<&'static str> {
    let of_path = |route: &Route| route.key.split_once(' ').filter(|(_, known)| *known == path);
    ROUTES.iter().filter(|route| tracks(route)).filter_map(|route| Some(of_path(route)?.0)).collect()
}

/// Whether a browser's key opens this route.
pub(super) fn opens(route_key: &str) -> bool {
    ROUTES.iter().any(|route| route.key == route_key && tracks(route))
}

fn tracks(route: &Route) -> bool {
    route.scopes.contains(&Scope::Track)
}

/// What a browser's key hears: that it was done, and the id. Whatever else the
/// handler would show may be known to the shop alone.
pub(super) fn shown(response: Response) -> Response {
    let response = response
        .with_header("access-control-allow-origin", "*")
        .with_header("access-control-expose-headers", "idempotency-replayed, ratelimit, ratelimit-policy, retry-after");
    // A problem tells what was wrong with what was sent; 207 is put together
    // from ids, statuses and problems.
    if response.status() >= 300 || response.status() == 207 || response.body().is_empty() {
        return response;
    }
    let body: Value = serde_json::from_str(response.body()).unwrap_or_default();
    let said = match body.get("id") {
        Some(id) => json!({ "id": id }),
        None => json!({}),
    };
    response.with_body(said.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::request;
    use super::super::{Failure, answer_by};
    use super::*;

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    async fn answered(route: &str, scopes: &str) -> Response {
        let (method, path) = route.split_once(' ').unwrap();
        let event = json!({
            "routeKey": route, "rawPath": path, "headers": {}, "isBase64Encoded": false,
            "requestContext": { "http": { "method": method }, "authorizer": { "lambda": { "scopes": scopes } } },
        });
        let shown = json!({ "id": "e", "customer": { "email": "ada@example.com" } });
        let handler = async |_| Ok::<_, Failure>(Response::json(201, &shown));
        answer_by(serde_json::from_value(event).unwrap(), None, handler).await
    }

    #[test]
    fn a_browser_may_ask_about_the_routes_of_its_key_alone() {
        let asked = |route: &str| preflight(&request(route, "", "", "", ""));
        let answer = asked("OPTIONS /v1/events").unwrap();
        assert_eq!((answer.status(), answer.body()), (204, ""));
        assert_eq!(header(&answer, "access-control-allow-methods"), Some("POST"));
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
        assert!(asked("OPTIONS /v1/templates/{id}").is_none() && asked("POST /v1/events").is_none());
    }

    #[tokio::test]
    async fn a_browsers_key_hears_the_id_and_nothing_else() {
        let answer = answered("POST /v1/events", "track").await;
        assert_eq!((answer.status(), answer.body()), (201, "{\"id\":\"e\"}"));
        assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"));
        let answer = answered("POST /v1/events", "track ingest").await;
        assert!(answer.body().contains("ada@example.com") && header(&answer, "access-control-allow-origin").is_none());
    }

    #[tokio::test]
    async fn a_browsers_key_opens_no_other_route_whoever_let_it_through() {
        assert_eq!(answered("GET /v1/customers/{id}", "track").await.status(), 403);
        assert_eq!(answered("GET /v1/customers/{id}", "ingest").await.status(), 201);
    }
}
