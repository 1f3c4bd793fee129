//! What analytics.js asks before it sends anything: where to, and what else to
//! load. Pointed at this API, it is told to send everything here and load nothing.

use lambda::http::{Request, Response};
use serde_json::json;

/// The settings of a source. They are the same for all and tell nothing of the key.
pub(crate) fn answer(request: &Request, key: &str) -> Response {
    let host = request.header("host").unwrap_or_default();
    // Behind API Gateway it is always https; on a machine of one's own it is not.
    let protocol = request.header("x-forwarded-proto").unwrap_or("http");
    let everything = json!({ "__default": { "enabled": true, "integrations": {} } });
    let body = json!({
        "integrations": {
            "Segment.io": {
                "apiKey": key,
                "apiHost": format!("{host}/v1"),
                "protocol": protocol,
                "unbundledIntegrations": [],
                "addBundledMetadata": false,
                "maybeBundledConfigIds": {},
                "versionSettings": { "version": "4.4.7", "componentTypes": ["browser"] },
            },
        },
        "plan": { "track": everything, "identify": everything, "group": everything },
        "edgeFunction": {},
        "analyticsNextEnabled": true,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": { "sampleRate": 0 },
        "legacyVideoPluginsEnabled": false,
        "remotePlugins": [],
    });
    Response::json(200, &body).with_header("cache-control", "public, max-age=300")
}
