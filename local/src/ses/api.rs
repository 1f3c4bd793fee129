//! The HTTP side: paths and bodies of SES API v2.

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use futures::stream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Ses;
use super::address::Address;
use super::error::Refusal;
use super::outgoing::Outgoing;
use super::request::SendEmail;

/// 40 MB of mail in base64, and its surroundings.
const MAX_BODY: usize = 60 * 1024 * 1024;

type Answer = Result<Json<Value>, Refusal>;

pub(super) fn router(ses: Ses) -> Router {
    Router::new()
        .route("/v2/email/outbound-emails", post(send_email))
        .route("/v2/email/account", get(get_account))
        .route("/v2/email/suppression/addresses", put(put_suppressed))
        .route("/v2/email/suppression/addresses/{address}", get(get_suppressed).delete(delete_suppressed))
        .route("/v2/email/identities", post(create_identity))
        .route("/v2/email/identities/{identity}", get(get_identity))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(ses)
}

async fn send_email(State(ses): State<Ses>, body: Bytes) -> Result<Response, Refusal> {
    let outgoing = Outgoing::try_from(decode::<SendEmail>(&body)?)?;
    let id = ses.send(&outgoing)?;
    if ses.loses_answer() {
        let broken = std::io::Error::other("the answer is lost");
        return Ok(Body::from_stream(stream::iter([Err::<Bytes, _>(broken)])).into_response());
    }
    Ok(Json(json!({ "MessageId": id })).into_response())
}

async fn get_account(State(ses): State<Ses>) -> Json<Value> {
    let status = ses.status();
    Json(json!({
        "DedicatedIpAutoWarmupEnabled": false,
        "EnforcementStatus": if status.suspended { "SHUTDOWN" } else { "HEALTHY" },
        "ProductionAccessEnabled": !status.sandbox,
        "SendQuota": {
            "Max24HourSend": status.max_24_hour_send,
            "MaxSendRate": status.max_send_rate,
            "SentLast24Hours": status.sent_last_24_hours as f64,
        },
        "SendingEnabled": !status.paused && !status.suspended,
        "SuppressionAttributes": { "SuppressedReasons": ["BOUNCE", "COMPLAINT"] },
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutSuppressed {
    email_address: String,
    reason: String,
}

async fn put_suppressed(State(ses): State<Ses>, body: Bytes) -> Answer {
    let request: PutSuppressed = decode(&body)?;
    let address = Address::parse(&request.email_address).map_err(bad)?;
    if !["BOUNCE", "COMPLAINT"].contains(&request.reason.as_str()) {
        return Err(bad("Reason must be BOUNCE or COMPLAINT"));
    }
    let now = ses.now();
    let state = ses.state();
    state.mailbox.suppress(&address.bare(), &request.reason, now)?;
    Ok(Json(json!({})))
}

async fn get_suppressed(State(ses): State<Ses>, Path(address): Path<String>) -> Answer {
    let found = ses.state().mailbox.suppressed(&address)?;
    let found = found.ok_or_else(|| not_suppressed(&address))?;
    Ok(Json(json!({ "SuppressedDestination": {
        "EmailAddress": address,
        "Reason": found.reason,
        "LastUpdateTime": found.time.as_millisecond() as f64 / 1000.0,
    }})))
}

async fn delete_suppressed(State(ses): State<Ses>, Path(address): Path<String>) -> Answer {
    if ses.state().mailbox.unsuppress(&address)? { Ok(Json(json!({}))) } else { Err(not_suppressed(&address)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateIdentity {
    email_identity: String,
}

/// Verified at once: there is nobody to follow the link, and no DNS to look into.
async fn create_identity(State(ses): State<Ses>, body: Bytes) -> Answer {
    let request: CreateIdentity = decode(&body)?;
    let name = request.email_identity;
    let whole = if name.contains('@') { name.clone() } else { format!("postmaster@{name}") };
    Address::parse(&whole).map_err(bad)?;
    let mut state = ses.state();
    if state.account.identities.contains(&name) {
        return Err(Refusal::AlreadyExists(format!("Email identity {name} already exist.")));
    }
    state.mailbox.add_identity(&name)?;
    state.account.identities.insert(name.clone());
    Ok(Json(identity(&name)))
}

async fn get_identity(State(ses): State<Ses>, Path(name): Path<String>) -> Answer {
    if ses.state().account.identities.contains(&name) {
        Ok(Json(identity(&name)))
    } else {
        let text = format!("Email identity {name} does not exist.");
        Err(Refusal::NotFound(text))
    }
}

fn identity(name: &str) -> Value {
    let is_address = name.contains('@');
    json!({
        "IdentityType": if is_address { "EMAIL_ADDRESS" } else { "DOMAIN" },
        "VerifiedForSendingStatus": true,
        "VerificationStatus": "SUCCESS",
        "FeedbackForwardingStatus": true,
        "DkimAttributes": { "SigningEnabled": false, "Status": "NOT_STARTED" },
    })
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| bad(error.to_string()))
}

fn bad(text: impl Into<String>) -> Refusal {
    Refusal::BadRequest(text.into())
}

fn not_suppressed(address: &str) -> Refusal {
    Refusal::NotFound(format!("Email address {address} does not exist on your suppression list."))
}
