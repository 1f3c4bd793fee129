//! `ClientRequestToken`: a transaction that is asked for again is not carried out again.

use serde_json::Value;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// How long DynamoDB remembers a token.
const TEN_MINUTES_MS: i64 = 10 * 60 * 1000;

/// Answers to recent transactions.
#[derive(Default)]
pub(super) struct Tokens(HashMap<String, Kept>);

struct Kept {
    items: u64,
    json: String,
    at_ms: i64,
}

/// A transaction's token and what it stands for.
pub(super) struct Asked {
    token: String,
    items: u64,
}

impl Asked {
    /// `None` for a request without a token.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let request: Value = serde_json::from_slice(body).ok()?;
        let token = request.get("ClientRequestToken")?.as_str()?.to_owned();
        let mut hasher = DefaultHasher::new();
        // As text its keys are in order, whatever order they came in.
        request.get("TransactItems")?.to_string().hash(&mut hasher);
        Some(Self { token, items: hasher.finish() })
    }
}

impl Tokens {
    /// The kept answer; `Some(None)` if the token stood for something else.
    pub(super) fn get(&self, asked: &Asked, now_ms: i64) -> Option<Option<String>> {
        let kept = self.0.get(&asked.token).filter(|kept| now_ms - kept.at_ms < TEN_MINUTES_MS)?;
        Some((kept.items == asked.items).then(|| kept.json.clone()))
    }

    pub(super) fn keep(&mut self, asked: Asked, json: String, now_ms: i64) {
        if self.0.len() >= 10_000 {
            self.0.retain(|_, kept| now_ms - kept.at_ms < TEN_MINUTES_MS);
        }
        self.0.insert(asked.token, Kept { items: asked.items, json, at_ms: now_ms });
    }
}
