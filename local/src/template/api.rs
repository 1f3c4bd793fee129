//! `AWS::ApiGatewayV2::Route`, with the integration and the authorizer it points at.

use super::{Authorizer, Properties, Route, Stack};
use serde_json::Value;
use std::time::Duration;

impl Stack {
    pub(super) fn route(&self, properties: Properties<'_>) -> Result<Route, String> {
        let target = properties.need("Target")?;
        let integration_id = target.strip_prefix("integrations/").ok_or("Target is not an integration")?;
        let integration = self.resolved(integration_id)?;
        let integration = Properties::new(&integration);
        if integration.text("PayloadFormatVersion") != Some("2.0") {
            return Err(format!("{integration_id}: only PayloadFormatVersion 2.0 is supported"));
        }
        let timeout = integration.number("TimeoutInMillis")?.and_then(|n| u64::try_from(n).ok()).unwrap_or(30_000);
        let authorizer = match properties.text("AuthorizationType").unwrap_or("NONE") {
            "NONE" => None,
            "CUSTOM" => Some(self.authorizer(properties.need("AuthorizerId")?)?),
            other => return Err(format!("AuthorizationType {other} is not supported")),
        };
        Ok(Route {
            key: properties.need("RouteKey")?.to_owned(),
            function: invoked(integration.need("IntegrationUri")?).to_owned(),
            timeout: Duration::from_millis(timeout),
            authorizer,
        })
    }

    fn authorizer(&self, logical_id: &str) -> Result<Authorizer, String> {
        let resolved = self.resolved(logical_id)?;
        let properties = Properties::new(&resolved);
        let fits = properties.text("AuthorizerType") == Some("REQUEST")
            && properties.text("AuthorizerPayloadFormatVersion") == Some("2.0")
            && properties.flag("EnableSimpleResponses") == Some(true);
        if !fits {
            return Err(format!("{logical_id}: only REQUEST with payload 2.0 and simple responses is supported"));
        }
        let sources = properties.list("IdentitySource").filter_map(|source| source.value().as_str());
        let ttl = properties.number("AuthorizerResultTtlInSeconds")?.and_then(|n| u64::try_from(n).ok());
        let identity_sources: Vec<String> = sources.map(str::to_owned).collect();
        // Without identity sources there is nothing to keep an answer under.
        let ttl = if identity_sources.is_empty() { 0 } else { ttl.unwrap_or(300) };
        Ok(Authorizer {
            logical_id: logical_id.to_owned(),
            function: invoked(properties.need("AuthorizerUri")?).to_owned(),
            identity_sources,
            ttl: Duration::from_secs(ttl),
        })
    }

    fn resolved(&self, logical_id: &str) -> Result<Value, String> {
        self.kind(logical_id)?;
        let properties = self.resources.get(logical_id).and_then(|resource| resource.get("Properties"));
        Ok(self.resolve(properties.unwrap_or(&Value::Null))?.unwrap_or(Value::Null))
    }
}

/// The function's ARN, bare or inside API Gateway's invocation URI.
fn invoked(uri: &str) -> &str {
    let arn = uri.split_once("/functions/").map_or(uri, |(_, rest)| rest);
    arn.strip_suffix("/invocations").unwrap_or(arn)
}
