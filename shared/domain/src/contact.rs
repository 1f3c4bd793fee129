use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to reach somebody, as the shop gave it: one that can be used, or one that
/// cannot. What cannot be used is kept, so that the shop sees what it sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Contact {
    /// Well formed, and written in the one way in which all are written.
    Valid(String),
    /// As it came.
    Invalid(String),
}

/// How the text of one that cannot be used begins where it is kept. No valid one
/// begins so.
const INVALID: &str = "invalid:";

impl Contact {
    /// As it is shown: the text, valid or not.
    #[must_use]
    pub fn text(&self) -> &str {
        let (Self::Valid(text) | Self::Invalid(text)) = self;
        text
    }

    /// The text, if it can be used.
    #[must_use]
    pub fn valid(&self) -> Option<&str> {
        match self {
            Self::Valid(text) => Some(text),
            Self::Invalid(_) => None,
        }
    }
}

impl From<String> for Contact {
    fn from(kept: String) -> Self {
        match kept.strip_prefix(INVALID) {
            Some(text) => Self::Invalid(text.to_owned()),
            None => Self::Valid(kept),
        }
    }
}

impl From<Contact> for String {
    fn from(contact: Contact) -> Self {
        match contact {
            Contact::Valid(text) => text,
            Contact::Invalid(text) => format!("{INVALID}{text}"),
        }
    }
}

/// Written without what it holds: a log must never hold one.
impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid(_) => "Valid(…)",
            Self::Invalid(_) => "Invalid(…)",
        })
    }
}
