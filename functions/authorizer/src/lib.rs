//! Who is calling, and what may this key do.
//!
//! API Gateway asks before each request and remembers the answer for a key and
//! route, for a minute. A key that is unknown, or lacks the route's scope, is
//! turned away.

use api::Caller;
use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerV2Request;
use aws_sdk_dynamodb::Client;
use contracts::{ROUTES, Scope};
use lambda::Clock;
use serde::Serialize;
use store::Keys;

/// Serves API Gateway's questions.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let db = Client::new(&aws::sdk_config().await);
    let keys = Keys::new(db, lambda::config::required("DEFINITIONS_TABLE")?);
    let clock = Clock::from_env();
    lambda::serve(async |request, _| authorize(&keys, &clock, request).await).await
}

/// The answer to API Gateway, in its simple form.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    is_authorized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
}

/// What the functions hear of who is calling.
#[derive(Debug, Serialize)]
struct Context {
    /// The id of the key.
    key: String,
    /// The key's scopes, with spaces between.
    scopes: String,
    /// How many requests a second the key may make.
    rate: u32,
}

async fn authorize(
    keys: &Keys,
    clock: &Clock,
    request: ApiGatewayV2CustomAuthorizerV2Request,
) -> anyhow::Result<Answer> {
    let refused = Answer { is_authorized: false, context: None };
    let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
    let Some(wanted) = scopes_of(request.route_key.as_deref().unwrap_or_default()) else { return Ok(refused) };
    let Some(caller) = api::authenticate(keys, header, clock.now()).await? else { return Ok(refused) };
    let Caller { key_id: key, scopes, rate } = caller;
    let is_authorized = wanted.iter().any(|scope| scopes.iter().any(|kept| kept == scope.as_str()));
    Ok(Answer { is_authorized, context: Some(Context { key, scopes: scopes.join(" "), rate }) })
}

/// The scopes of which a key needs one; none for a route that we do not know.
fn scopes_of(route_key: &str) -> Option<&'static [Scope]> {
    ROUTES.iter().find(|route| route.key == route_key).map(|route| route.scopes)
}
