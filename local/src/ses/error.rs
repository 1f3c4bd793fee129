//! What SES says when it refuses, in the form its clients understand.
//!
//! The name of the error goes into `x-amzn-errortype`, the text into
//! `message` (AWS restJson1). Names, statuses and texts are those of
//! Amazon SES API v2, so that a client which matches on them meets the same
//! thing here and there.

use axum::Json;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// The request itself is wrong. 400.
    #[error("{0}")]
    BadRequest(String),
    /// The message can't be taken, such as from an address nobody verified. 400.
    #[error("{0}")]
    MessageRejected(String),
    /// No configuration set, identity or suppressed address of that name. 404.
    #[error("{0}")]
    NotFound(String),
    /// It is there already. 400.
    #[error("{0}")]
    AlreadyExists(String),
    /// More recipients in this second than the account may have. 429.
    #[error("Maximum sending rate exceeded.")]
    TooManyRequests,
    /// More recipients in 24 hours than the account may have. 400.
    #[error("Daily message quota exceeded.")]
    LimitExceeded,
    /// Somebody has paused the sending of the account or of the configuration set. 400.
    #[error("{0}")]
    SendingPaused(String),
    /// SES has taken away the account's right to send. 400.
    #[error("The account's ability to send email has been permanently restricted.")]
    AccountSuspended,
    /// The MAIL FROM domain that was set up has no MX record. 400.
    #[error("The sending domain's MAIL FROM domain is not verified.")]
    MailFromNotVerified,
    /// The mailbox could not be written. 500.
    #[error("The mailbox could not be read or written: {0}")]
    Mailbox(#[from] rusqlite::Error),
}

impl Refusal {
    fn name_and_status(&self) -> (&'static str, StatusCode) {
        match self {
            Self::BadRequest(_) => ("BadRequestException", StatusCode::BAD_REQUEST),
            Self::MessageRejected(_) => ("MessageRejected", StatusCode::BAD_REQUEST),
            Self::NotFound(_) => ("NotFoundException", StatusCode::NOT_FOUND),
            Self::AlreadyExists(_) => ("AlreadyExistsException", StatusCode::BAD_REQUEST),
            Self::TooManyRequests => ("TooManyRequestsException", StatusCode::TOO_MANY_REQUESTS),
            Self::LimitExceeded => ("LimitExceededException", StatusCode::BAD_REQUEST),
            Self::SendingPaused(_) => ("SendingPausedException", StatusCode::BAD_REQUEST),
            Self::AccountSuspended => ("AccountSuspendedException", StatusCode::BAD_REQUEST),
            Self::MailFromNotVerified => ("MailFromDomainNotVerifiedException", StatusCode::BAD_REQUEST),
            Self::Mailbox(_) => ("InternalServiceErrorException", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (name, status) = self.name_and_status();
        let body = Json(json!({ "message": self.to_string() }));
        let mut response = (status, body).into_response();
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
        response
    }
}
