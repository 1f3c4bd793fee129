//! A request that comes twice under one `Idempotency-Key`.
//!
//! The first puts a row down, is carried out and leaves its answer in the row;
//! the second is given that answer. While the first is under way the second is
//! turned away, until the first must have been stopped. The row says which
//! request it is for, so that a key used for another one is seen.
//!
//! An answer that is too large to keep is not kept, and the request is carried
//! out again. That does no harm: what our routes take names itself by an id.

use std::future::Future;

use contracts::{ApiKey, Kind, Problem};
use jiff::{SignedDuration, Timestamp};
use lambda::Clock;
use lambda::http::{Failure, Keep, Request, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{Asked, Begun, Requests};

use crate::seal::Seal;

/// Who asks: the one by whom an `Idempotency-Key` is known again, and for whom
/// alone an answer is kept.
///
/// Only whoever has been authenticated is an asker; anybody else's key means nothing.
pub struct Asker {
    id: String,
    secret: String,
    says: Vec<String>,
}

impl Asker {
    /// Whoever has this id among those who call a route. Answers are sealed under
    /// the secret: something that comes with every such request, and is in no table.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into(), says: Vec::new() }
    }

    /// Whoever has this API key.
    #[must_use]
    pub fn with_key(key: &ApiKey) -> Self {
        Self::new(key.id(), key.reveal())
    }

    /// The same, who says this beside the body: with anything else beside it, a body
    /// is another request.
    #[must_use]
    pub fn saying(self, says: &[&str]) -> Self {
        Self { says: says.iter().map(|part| (*part).to_owned()).collect(), ..self }
    }
}

/// The longest key, in characters.
const MOST_CHARACTERS: usize = 255;

/// The largest answer that is kept, in bytes; a row has 400 KB.
const MOST_KEPT: usize = 350 * 1024;

/// How long a request is under way at most: API Gateway waits no longer.
const LONGEST: SignedDuration = SignedDuration::from_secs(30);

/// How long after its deadline a function is surely gone.
const AFTERMATH: SignedDuration = SignedDuration::from_secs(1);

/// After how many seconds whoever asks for a request under way may ask again.
const SOON: i64 = 2;

/// Says in an answer that it was given before.
const REPLAYED: &str = "idempotency-replayed";

#[derive(Debug)]
pub(crate) struct Once {
    requests: Requests,
}

/// An answer, as it is sealed.
#[derive(Serialize, Deserialize)]
struct Kept {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Once {
    pub(crate) fn new(requests: Requests) -> Self {
        Self { requests }
    }

    /// Has the handler answer, or gives the answer that it gave before.
    pub(crate) async fn answer<Work: Future<Output = Result<Response, Failure>>>(
        &self,
        asker: &Asker,
        request: Request,
        clock: &Clock,
        handler: impl FnOnce(Request) -> Work,
    ) -> Result<Response, Failure> {
        let Some((asked, seal)) = asked(asker, &request, clock.now())? else { return handler(request).await };
        let claim = match self.requests.begin(&asked, clock.now()).await? {
            Begun::Mine(claim) => claim,
            Begun::Answered(sealed, claim) => match seal.open(&sealed).and_then(|kept| restored(&kept)) {
                Some(response) => return Ok(response),
                // The asker's secret was changed since: the answer is lost.
                None => match self.requests.begin_over(&asked, &claim, clock.now()).await? {
                    Some(claim) => claim,
                    None => return Err(under_way(SOON).into()),
                },
            },
            Begun::UnderWay { until } => {
                let left = until.duration_since(clock.now()).as_secs();
                return Err(under_way(left.clamp(1, SOON)).into());
            }
            Begun::Another => {
                let detail = "it was used with another body; use a new one for each request";
                return Err(Problem::new(Kind::KeyReused).because(detail).into());
            }
        };
        let response = handler(request).await.unwrap_or_else(|failure| failure.into_problem().into());
        let sealed = match response.keep() {
            Keep::Yes => kept(&response).and_then(|kept| seal.close(kept)).filter(|sealed| sealed.len() <= MOST_KEPT),
            Keep::No => None,
        };
        // It has been done, so the caller is told so. Without the answer in the
        // row the same request is carried out again once the lease is over.
        if let Err(error) = self.requests.finish(&asked, &claim, sealed, clock.now()).await {
            tracing::warn!(error = format!("{error:#}"), "an answer could not be kept");
        }
        Ok(response)
    }
}

/// What is asked under which key; None if there is no such key.
fn asked(asker: &Asker, request: &Request, now: Timestamp) -> Result<Option<(Asked, Seal)>, Problem> {
    if request.method() != "POST" {
        return Ok(None);
    }
    let Some(key) = request.header_bytes("idempotency-key") else { return Ok(None) };
    let printable = |key: &str| key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let key = std::str::from_utf8(key).ok().map(str::trim);
    let Some(key) = key.filter(|key| !key.is_empty() && key.len() <= MOST_CHARACTERS && printable(key)) else {
        let detail = format!("Idempotency-Key must be 1 to {MOST_CHARACTERS} printable ASCII characters");
        return Err(Problem::new(Kind::Malformed).because(detail));
    };
    let id = domain::digest(&[&asker.id, request.route(), &request.target(), key]);
    let Some(seal) = Seal::new(&asker.secret, &id) else { return Ok(None) };
    let mut hasher = Sha256::new();
    for part in &asker.says {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.update(request.media_type().as_bytes());
    hasher.update([0]);
    hasher.update(request.bytes()?);
    let body = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let deadline = request.deadline().and_then(|deadline| Timestamp::from_millisecond(deadline.try_into().ok()?).ok());
    let until = deadline.unwrap_or(now + LONGEST) + AFTERMATH;
    Ok(Some((Asked { id, body, until }, seal)))
}

fn under_way(seconds: i64) -> Problem {
    let detail = "the first one has not been answered yet; ask again soon";
    Problem::new(Kind::InProgress).because(detail).after(seconds.unsigned_abs())
}

fn kept(response: &Response) -> Option<Vec<u8>> {
    let headers = response.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    serde_json::to_vec(&Kept { status: response.status(), headers, body: response.body().to_owned() }).ok()
}

fn restored(kept: &[u8]) -> Option<Response> {
    let Kept { status, headers, body } = serde_json::from_slice(kept).ok()?;
    let mut response = Response::empty().with_status(status).with_body(body);
    for (name, value) in headers {
        response = response.with_header(name, value);
    }
    Some(response.with_header(REPLAYED, "true"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_given_again_as_it_was() {
        let response = Response::json(201, &json!({ "id": "a" })).with_header("x-a", "1");
        let again = restored(&kept(&response).unwrap()).unwrap();
        let headers = |response: &Response| {
            let mut headers: Vec<_> = response.headers().map(|(name, value)| format!("{name}: {value}")).collect();
            headers.sort();
            headers
        };
        assert_eq!((again.status(), again.body()), (201, "{\"id\":\"a\"}"));
        let mut wanted = headers(&response);
        wanted.push("idempotency-replayed: true".into());
        wanted.sort();
        assert_eq!(headers(&again), wanted);
    }

    fn request(header: &str, body: &str) -> Request {
        let event = json!({
            "routeKey": "POST /v1/events", "rawPath": "/v1/events", "body": body, "isBase64Encoded": false,
            "headers": { "idempotency-key": header }, "requestContext": { "http": { "method": "POST" } },
        });
        Request::new(serde_json::from_value(event).unwrap(), None)
    }

    #[test]
    fn a_key_is_printable_and_not_too_long() {
        let now = Timestamp::UNIX_EPOCH;
        let asker = Asker::with_key(&ApiKey::from_random([7; 32]));
        for bad in ["", " ", "a\u{e9}", &"x".repeat(256)] {
            assert_eq!(
                asked(&asker, &request(bad, "{}"), now).err().map(|problem| problem.status()),
                Some(400),
                "{bad:?}"
            );
        }
        for good in ["a", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &"x".repeat(255)] {
            assert!(asked(&asker, &request(good, "{}"), now).unwrap().is_some());
        }
        let of = |header, body| asked(&asker, &request(header, body), now).unwrap().unwrap().0;
        assert_eq!(of("a", "{}").until, now + SignedDuration::from_secs(31));
        assert!(of("a", "{}").id == of("a", "{ }").id && of("a", "{}").body != of("a", "{ }").body);
        assert!(of("a", "{}").id != of("b", "{}").id && of("a", "{}").body == of("b", "{}").body);
    }

    #[test]
    fn the_same_is_asked_by_the_same_asker_who_says_the_same_beside_the_body() {
        let of = |asker: Asker| asked(&asker, &request("a", "{}"), Timestamp::UNIX_EPOCH).unwrap().unwrap().0;
        let (one, rotated, other) = (Asker::new("a", "x"), Asker::new("a", "y"), Asker::new("b", "x"));
        let says = |says| of(Asker::new("a", "x").saying(says));
        let one = of(one);
        assert!(one == of(rotated) && one.id != of(other).id);
        assert!(says(&["t", ""]).id == one.id && says(&["t", ""]).body != one.body);
        assert!(says(&["t", ""]) == says(&["t", ""]) && says(&["t", ""]).body != says(&["", "t"]).body);
    }
}
