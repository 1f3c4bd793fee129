//! Who is calling, and what may this key do.
//!
//! API Gateway asks before each request and remembers the answer for a key and
//! route. A key that is unknown, or lacks the route's scope, is turned away.

use aws_lambda_events::apigw::ApiGatewayV2CustomAuthorizerV2Request;
use contracts::{ApiKey, ROUTES, Scope};
use serde::Serialize;
use store::Definitions;

/// Serves API Gateway's questions.
///
/// # Errors
/// If the environment lacks a variable or the Runtime API cannot be spoken to.
pub async fn run() -> Result<(), lambda::Error> {
    let config = aws::sdk_config().await;
    let definitions =
        Definitions::new(aws_sdk_dynamodb::Client::new(&config), lambda::config::required("DEFINITIONS_TABLE")?);
    lambda::serve(async |request, _| authorize(&definitions, request).await).await
}

/// The answer to API Gateway, in its simple form.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    is_authorized: bool,
    context: Caller,
}

/// What the functions hear of who is calling.
#[derive(Debug, Default, Serialize)]
struct Caller {
    /// The key's scopes, with spaces between.
    scopes: String,
}

async fn authorize(
    definitions: &Definitions,
    request: ApiGatewayV2CustomAuthorizerV2Request,
) -> anyhow::Result<Answer> {
    let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
    let route = request.route_key.as_deref().unwrap_or_default();
    let (Some(key), Some(wanted)) = (header.and_then(ApiKey::from_header), scopes_of(route)) else {
        return Ok(Answer::default());
    };
    let Some(kept) = definitions.key(key.id()).await?.filter(|kept| key.is_of(&kept.hash)) else {
        return Ok(Answer::default());
    };
    let is_authorized = wanted.iter().any(|scope| kept.scopes.iter().any(|kept| kept == scope.as_str()));
    Ok(Answer { is_authorized, context: Caller { scopes: kept.scopes.join(" ") } })
}

/// The scopes of which a key needs one; none for a route that we do not know.
fn scopes_of(route_key: &str) -> Option<&'static [Scope]> {
    ROUTES.iter().find(|route| route.key == route_key).map(|route| route.scopes)
}
