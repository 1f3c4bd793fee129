//! API keys: made, listed, rotated and revoked. A secret is in the answer that
//! made it and nowhere else.

use anyhow::bail;
use contracts::key::{MOST_RATE, RATE};
use contracts::{ApiKey, Kind, Problem, Scope};
use domain::Fault;
use domain::read::{self, Faults, Reader};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use lambda::http::{Failure, Request, Response};
use serde_json::{Value, json};
use store::{Key, Keys, Previous, Written};

/// For how long the secret before is good, unless the caller says otherwise.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// For how long it may be good at most.
const MOST_GRACE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Makes a key at somebody's invocation, which is how the first one comes to be.
pub(crate) async fn invoked(keys: &Keys, body: &Value, now: Timestamp) -> anyhow::Result<Value> {
    let wanted = match read(body, now) {
        Ok(wanted) => wanted,
        Err(faults) => bail!("create_key: {}", said(&faults)),
    };
    let (key, _) = make(keys, wanted).await?;
    Ok(json!({ "id": key.id(), "key": key.reveal() }))
}

/// `POST /v1/keys`.
pub(crate) async fn create(keys: &Keys, request: &Request, now: Timestamp) -> Result<Response, Failure> {
    let wanted = read(&request.json()?, now)?;
    let (key, kept) = make(&keys.by(request.key_id()), wanted).await?;
    let mut shown = shown(key.id(), &kept, now);
    shown["key"] = key.reveal().into();
    Ok(Response::json(201, &shown))
}

/// `GET /v1/keys`.
pub(crate) async fn list(keys: &Keys, request: &Request, now: Timestamp) -> Result<Response, Failure> {
    let page = request.page(is_id)?;
    let (found, next) = keys.list(page.limit, page.after.as_deref()).await?;
    let items = found.iter().map(|(id, kept)| shown(id, kept, now)).collect();
    Ok(Response::page(items, next.as_deref()))
}

/// `POST /v1/keys/{id}/rotate`.
pub(crate) async fn rotate(keys: &Keys, request: &Request, now: Timestamp) -> Result<Response, Failure> {
    let id = request.path("id", id)?;
    let keys = keys.by(request.key_id());
    let grace = if request.bytes()?.is_empty() { GRACE } else { read_grace(&request.json()?)? };
    loop {
        let known = keys.get(&id).await?.ok_or_else(unknown)?;
        let key = ApiKey::of(&id, random()?);
        let kept = Key {
            hash: key.hash(),
            rotated_at: Some(now),
            previous: Some(Previous { hash: known.hash.clone(), until: now + grace }),
            ..known.clone()
        };
        if keys.put(&id, kept.clone(), Some(&known), now).await? == Written::Done {
            let mut shown = shown(&id, &kept, now);
            shown["key"] = key.reveal().into();
            return Ok(Response::json(200, &shown));
        }
    }
}

/// `DELETE /v1/keys/{id}`. A key may revoke itself: one that has got into the
/// wrong hands is best got rid of with whatever is at hand.
pub(crate) async fn revoke(keys: &Keys, request: &Request, now: Timestamp) -> Result<Response, Failure> {
    let id = request.path("id", id)?;
    let keys = keys.by(request.key_id());
    loop {
        let known = keys.get(&id).await?.ok_or_else(unknown)?;
        if keys.delete(&id, &known, now).await? == Written::Done {
            return Ok(Response::empty());
        }
    }
}

async fn make(keys: &Keys, wanted: Wanted) -> anyhow::Result<(ApiKey, Key)> {
    let key = ApiKey::from_random(random()?);
    let Wanted { name, scopes, rate, created_at } = wanted;
    let kept = Key { name, hash: key.hash(), scopes, created_at, rate, rotated_at: None, previous: None, version: 0 };
    match keys.put(key.id(), kept.clone(), None, created_at).await? {
        Written::Done => Ok((key, kept)),
        Written::Overtaken => bail!("a key of this id is there already"),
    }
}

/// What a key is to be.
pub(crate) struct Wanted {
    name: String,
    scopes: Vec<String>,
    rate: Option<u32>,
    created_at: Timestamp,
}

pub(crate) fn read(body: &Value, created_at: Timestamp) -> Result<Wanted, Faults> {
    let mut reader = Reader::new(body);
    let name = reader.required("name", read::short);
    let scopes = reader.required("scopes", scopes);
    let rate = reader.optional("rate", rate);
    reader.finish()?;
    Ok(Wanted { name: name.unwrap_or_default(), scopes: scopes.unwrap_or_default(), rate, created_at })
}

fn scopes(value: &Value) -> Result<Vec<String>, String> {
    let wanted = || format!("must be a list of \"{}\"", Scope::ALL.map(Scope::as_str).join("\", \""));
    let named = value.as_array().filter(|named| !named.is_empty()).ok_or_else(wanted)?;
    let is = |scope: Scope| named.iter().any(|named| named == scope.as_str());
    if named.iter().any(|named| !Scope::ALL.iter().any(|scope| named == scope.as_str())) {
        return Err(wanted());
    }
    Ok(Scope::ALL.iter().filter(|scope| is(**scope)).map(|scope| scope.as_str().to_owned()).collect())
}

fn rate(value: &Value) -> Result<u32, String> {
    let rate = value.as_u64().and_then(|rate| u32::try_from(rate).ok()).filter(|rate| (1..=MOST_RATE).contains(rate));
    rate.ok_or_else(|| format!("must be a number of requests a second, from 1 to {MOST_RATE}"))
}

pub(crate) fn read_grace(body: &Value) -> Result<SignedDuration, Faults> {
    let mut reader = Reader::new(body);
    let grace = reader.optional("grace", grace);
    reader.finish()?;
    Ok(grace.unwrap_or(GRACE))
}

fn grace(value: &Value) -> Result<SignedDuration, &'static str> {
    const WANT: &str = "must be a length of time (ISO 8601) from \"PT0S\" to \"P30D\", such as \"PT24H\"";
    let span: Span = value.as_str().and_then(|text| text.parse().ok()).ok_or(WANT)?;
    let grace = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| WANT)?;
    if (SignedDuration::ZERO..=MOST_GRACE).contains(&grace) { Ok(grace) } else { Err(WANT) }
}

/// A key, without what would open anything.
fn shown(id: &str, kept: &Key, now: Timestamp) -> Value {
    let mut shown = json!({
        "id": id, "name": kept.name, "scopes": kept.scopes, "rate": kept.rate.unwrap_or(RATE),
        "created_at": kept.created_at,
    });
    if let Some(at) = kept.rotated_at {
        shown["rotated_at"] = json!(at);
    }
    if let Some(previous) = kept.previous.as_ref().filter(|previous| now < previous.until) {
        shown["previous_until"] = json!(previous.until);
    }
    shown
}

fn id(text: &str) -> Result<String, &'static str> {
    if is_id(text) { Ok(text.to_owned()) } else { Err("is no key's") }
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn unknown() -> Problem {
    Problem::new(Kind::NotFound).because("no such key is known")
}

fn random<const LENGTH: usize>() -> anyhow::Result<[u8; LENGTH]> {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the system has no randomness"))?;
    Ok(random)
}

fn said(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect::<Vec<_>>().join("; ")
}
