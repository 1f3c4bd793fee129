//! A REQUEST authorizer with payload 2.0 and simple answers.

use crate::clock::{Clock, millis};
use crate::functions::Functions;
use crate::template::Authorizer;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Answers kept at most, so that a flood of wrong keys does not fill the memory.
const MOST_KEPT: usize = 10_000;

/// What an authorizer says.
pub(super) enum Decision {
    /// With what it wants the function to know.
    Allowed(Value),
    Denied,
    /// An identity source is missing, so nobody was asked.
    NoIdentity,
    Failed,
}

/// Answers of authorizers, for as long as they hold.
#[derive(Default)]
pub(super) struct Authorizers(Mutex<HashMap<Vec<String>, Kept>>);

struct Kept {
    until_ms: i64,
    /// `None` is a refusal.
    context: Option<Value>,
}

impl Authorizers {
    /// Asks about an event, or remembers.
    pub(super) async fn ask(
        &self,
        authorizer: &Authorizer,
        event: &Value,
        functions: &Functions,
        clock: &Clock,
    ) -> Decision {
        let sources = authorizer.identity_sources.iter().map(|source| identity(source, event));
        let Some(identity) = sources.collect::<Option<Vec<_>>>() else { return Decision::NoIdentity };
        let mut key = vec![authorizer.logical_id.clone()];
        key.extend(identity.iter().cloned());
        if let Some(kept) = self.kept(&key, clock.now_ms()) {
            return decision(kept);
        }
        let Some(pool) = functions.find(&authorizer.function) else { return Decision::Failed };
        let (outcome, _busy) = functions.invoke(pool, request(event, &identity).to_string()).await;
        let answer = outcome.ok().and_then(|answer| serde_json::from_slice::<Value>(&answer).ok());
        let Some(answer) = answer else { return Decision::Failed };
        let context = match answer["isAuthorized"] {
            Value::Bool(true) => Some(answer.get("context").cloned().unwrap_or_else(|| Value::Object(Map::new()))),
            Value::Bool(false) => None,
            _ => return Decision::Failed,
        };
        let until_ms = clock.now_ms() + millis(authorizer.ttl);
        if !authorizer.ttl.is_zero() {
            self.keep(key, Kept { until_ms, context: context.clone() }, clock.now_ms());
        }
        decision(context)
    }

    fn kept(&self, key: &[String], now_ms: i64) -> Option<Option<Value>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|kept| kept.until_ms > now_ms).map(|kept| kept.context.clone())
    }

    fn keep(&self, key: Vec<String>, fresh: Kept, now_ms: i64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, kept| kept.until_ms > now_ms);
        }
        if kept.len() < MOST_KEPT {
            kept.insert(key, fresh);
        }
    }
}

fn decision(context: Option<Value>) -> Decision {
    context.map_or(Decision::Denied, Decision::Allowed)
}

/// The value of `$request.header.NAME`, `$request.querystring.NAME` or `$context.NAME`.
fn identity(source: &str, event: &Value) -> Option<String> {
    let value = match source.strip_prefix('$')?.split_once('.')? {
        ("request", rest) => match rest.split_once('.')? {
            ("header", name) => event["headers"].get(name.to_ascii_lowercase())?,
            ("querystring", name) => event.get("queryStringParameters")?.get(name)?,
            _ => return None,
        },
        ("context", path) => path.split('.').try_fold(&event["requestContext"], |value, name| value.get(name))?,
        _ => return None,
    };
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (!text.is_empty()).then_some(text)
}

/// The authorizer's event: the function's, without the body.
fn request(event: &Value, identity: &[String]) -> Value {
    let mut request = json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": crate::names::arn("execute-api", &format!("local/$default/{}", event["requestContext"]["http"]["method"].as_str().unwrap_or_default())) + event["rawPath"].as_str().unwrap_or_default(),
        "identitySource": identity,
    });
    for name in [
        "routeKey",
        "rawPath",
        "rawQueryString",
        "cookies",
        "headers",
        "queryStringParameters",
        "requestContext",
        "pathParameters",
    ] {
        if let Some(value) = event.get(name) {
            request[name] = value.clone();
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_sources_name_parts_of_the_request() {
        let event = json!({
            "headers": {"authorization": "Bearer k"},
            "queryStringParameters": {"t": "q"},
            "requestContext": {"routeKey": "GET /a", "http": {"method": "GET"}},
        });
        let check = |source: &str, expected: Option<&str>| {
            assert_eq!(identity(source, &event).as_deref(), expected, "{source}")
        };
        check("$request.header.Authorization", Some("Bearer k"));
        check("$request.header.Other", None);
        check("$request.querystring.t", Some("q"));
        check("$context.routeKey", Some("GET /a"));
        check("$context.http.method", Some("GET"));
    }
}
