//! Whose key it is, looked up at most once a minute, as API Gateway does for the
//! routes that it guards.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::{Caller, authenticate};
use contracts::ApiKey;
use jiff::{SignedDuration, Timestamp};
use store::Keys;

/// How long what is known of a key holds. So long a key that was revoked is good
/// yet.
const TRUSTED: SignedDuration = SignedDuration::from_secs(60);

/// How many keys are remembered. A shop has a handful.
const MOST: usize = 100;

pub(crate) struct KnownKeys {
    keys: Keys,
    /// By the key's id and the hash of its secret.
    known: Mutex<HashMap<(String, String), (Timestamp, Caller)>>,
}

impl KnownKeys {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys, known: Mutex::default() }
    }

    /// Whose key it is; None if it is not good. Those are not remembered.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub(crate) async fn caller(&self, key: &ApiKey, now: Timestamp) -> anyhow::Result<Option<Caller>> {
        let name = (key.id().to_owned(), key.hash());
        let known = self.known().get(&name).filter(|(at, _)| now.duration_since(*at).abs() < TRUSTED).cloned();
        if let Some((_, caller)) = known {
            return Ok(Some(caller));
        }
        let header = format!("Bearer {}", key.reveal());
        let caller = authenticate(&self.keys, Some(&header), now).await?;
        let mut known = self.known();
        if known.len() >= MOST {
            known.clear();
        }
        match &caller {
            Some(caller) => drop(known.insert(name, (now, caller.clone()))),
            None => drop(known.remove(&name)),
        }
        Ok(caller)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<(String, String), (Timestamp, Caller)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
