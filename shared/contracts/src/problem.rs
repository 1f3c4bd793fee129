use domain::Fault;
use serde::Serialize;

/// What kind of problem a request met. The name in the document's `type` is
/// stable; programs may compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The body is not JSON, or not text.
    Malformed,
    /// No key, or none that is known.
    Unauthorized,
    /// The key does not open this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It contradicts what is recorded.
    Conflict,
    /// The Idempotency-Key was used with another request.
    KeyReused,
    /// The request with this Idempotency-Key is still being carried out.
    InProgress,
    /// It was erased and will not come back.
    Gone,
    /// The body is larger than is taken.
    TooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body is JSON, but not what this route takes.
    Invalid,
    /// The key has made as many requests as it may for now.
    TooManyRequests,
    /// Something failed on our side; the same request may be sent again.
    Internal,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Malformed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Conflict,
        Self::KeyReused,
        Self::InProgress,
        Self::Gone,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::TooManyRequests,
        Self::Internal,
    ];

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::KeyReused | Self::InProgress => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
        }
    }

    /// The document's `type`, which is stable.
    #[must_use]
    pub fn urn(self) -> String {
        format!("urn:cartwire:problem:{}", self.name().0)
    }

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("malformed", "The request could not be read"),
            Self::Unauthorized => ("unauthorized", "This takes a key"),
            Self::Forbidden => ("forbidden", "The key does not open this"),
            Self::NotFound => ("not-found", "There is no such thing"),
            Self::Conflict => ("conflict", "This contradicts what is recorded"),
            Self::KeyReused => ("idempotency-key-reused", "The Idempotency-Key belongs to another request"),
            Self::InProgress => ("in-progress", "The request is still being carried out"),
            Self::Gone => ("gone", "It was erased"),
            Self::TooLarge => ("too-large", "The body is too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", "The body is of a media type that is not taken"),
            Self::Invalid => ("invalid", "The body is not what this route takes"),
            Self::TooManyRequests => ("too-many-requests", "The key has made as many requests as it may for now"),
            Self::Internal => ("internal", "Something failed on our side"),
        }
    }
}

/// A problem document (RFC 9457): what a request is answered with when it could
/// not be carried out. Nothing of such a request was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(skip)]
    kind: Kind,
    r#type: String,
    title: &'static str,
    status: u16,
    #[serde(skip)]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    /// A problem of this kind, in the general.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            r#type: kind.urn(),
            title: kind.name().1,
            status: kind.status(),
            retry_after: None,
            detail: None,
            errors: Vec::new(),
        }
    }

    /// The same with what happened here in words.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same with the seconds after which the request may be sent again, which
    /// go into the answer's `Retry-After`.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// A body that is not what the route takes, with each place at fault.
    #[must_use]
    pub fn invalid(errors: Vec<Fault>) -> Self {
        Self { errors, ..Self::new(Kind::Invalid) }
    }

    /// What kind of problem it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The seconds after which the request may be sent again, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl From<Vec<Fault>> for Problem {
    fn from(faults: Vec<Fault>) -> Self {
        Self::invalid(faults)
    }
}

impl From<domain::Conflict> for Problem {
    fn from(conflict: domain::Conflict) -> Self {
        let fault = Fault::new(conflict.pointer, conflict.message);
        Self { errors: vec![fault], ..Self::new(Kind::Conflict) }
    }
}
