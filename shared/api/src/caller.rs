use contracts::ApiKey;
use contracts::key::RATE;
use jiff::Timestamp;
use store::Keys;

/// Somebody whose key is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The id of the key.
    pub key_id: String,
    /// What the key may be used for, as the API names it.
    pub scopes: Vec<String>,
    /// How many requests a second it may make.
    pub rate: u32,
}

/// Whose key an `Authorization` header holds: `Bearer KEY`, or Basic with the
/// key as the user. None if it holds none, or one that is not good now.
///
/// # Errors
/// If the table cannot be read.
pub async fn authenticate(keys: &Keys, header: Option<&str>, now: Timestamp) -> anyhow::Result<Option<Caller>> {
    match header.and_then(ApiKey::from_header) {
        Some(key) => caller_of(keys, &key, now).await,
        None => Ok(None),
    }
}

/// Whose key this is; None if it is not good now.
///
/// # Errors
/// If the table cannot be read.
pub async fn caller_of(keys: &Keys, key: &ApiKey, now: Timestamp) -> anyhow::Result<Option<Caller>> {
    let Some(kept) = keys.get(key.id()).await? else { return Ok(None) };
    if !key.is_of_one(kept.hashes(now)) {
        return Ok(None);
    }
    let rate = kept.rate.unwrap_or(RATE);
    Ok(Some(Caller { key_id: key.id().to_owned(), scopes: kept.scopes, rate }))
}
