use domain::Fault;
use serde::Serialize;

/// What kind of problem a request met. The name in the document's `type` is
/// stable; programs may compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The body is not JSON, or not text.
    Malformed,
    /// There is no such thing.
    NotFound,
    /// It contradicts what is recorded.
    Conflict,
    /// The body is larger than is taken.
    TooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The body is JSON, but not what this route takes.
    Invalid,
    /// Something failed on our side; the same request may be sent again.
    Internal,
}

impl Kind {
    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::Internal => 500,
        }
    }

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("malformed", "The body could not be read as JSON"),
            Self::NotFound => ("not-found", "There is no such thing"),
            Self::Conflict => ("conflict", "This contradicts what is recorded"),
            Self::TooLarge => ("too-large", "The body is too large"),
            Self::UnsupportedMediaType => ("unsupported-media-type", "The body must be JSON"),
            Self::Invalid => ("invalid", "The body is not what this route takes"),
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
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    /// A problem of this kind, in the general.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let (name, title) = kind.name();
        Self {
            kind,
            r#type: format!("urn:cartwire:problem:{name}"),
            title,
            status: kind.status(),
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

    /// A body that is not what the route takes, with each place at fault.
    #[must_use]
    pub fn invalid(errors: Vec<Fault>) -> Self {
        Self { errors, ..Self::new(Kind::Invalid) }
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
