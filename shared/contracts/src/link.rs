//! Links in our mails: which message they came with, signed, and no address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::MessageId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// What a link is for. What is signed for one is good for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link<'a> {
    /// Leaves what the mail was of.
    Leave,
    /// Shows what the reader gets, and lets them choose.
    Preferences,
    /// Shows the mail itself.
    View,
    /// Says that the reader agrees to be written to.
    Confirm {
        /// The fingerprint of the address to which the mail went: whoever reads one
        /// address says nothing for another.
        address: &'a str,
    },
}

impl Link<'_> {
    /// The path under which it is found; the token follows.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Leave => "/u/",
            Self::Preferences => "/p/",
            Self::View => "/v/",
            Self::Confirm { .. } => "/c/",
        }
    }

    /// What is signed.
    fn of(self, message_id: &MessageId) -> String {
        match self {
            Self::Leave => format!("leave:{message_id}"),
            Self::Preferences => format!("preferences:{message_id}"),
            Self::View => format!("view:{message_id}"),
            Self::Confirm { address } => format!("confirm:{message_id}:{address}"),
        }
    }
}

/// The token of one of a message's links: short enough for a header's line, good for
/// ever.
#[must_use]
pub fn token(secret: &str, link: Link<'_>, message_id: &MessageId) -> String {
    format!("{message_id}.{}", signature(secret, link, message_id))
}

/// The message that a token is of, if we signed it for this.
#[must_use]
pub fn verify(secret: &str, link: Link<'_>, token: &str) -> Option<MessageId> {
    let (message_id, signed) = token.split_once('.')?;
    let message_id = MessageId::parse(message_id).ok()?;
    let right: bool = signature(secret, link, &message_id).as_bytes().ct_eq(signed.as_bytes()).into();
    right.then_some(message_id)
}

/// The message of which a token says that it is, whoever signed it: what was signed may
/// have to be looked up first.
#[must_use]
pub fn claimed(token: &str) -> Option<MessageId> {
    MessageId::parse(token.split_once('.')?.0).ok()
}

fn signature(secret: &str, link: Link<'_>, message_id: &MessageId) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    mac.update(link.of(message_id).as_bytes());
    URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINKS: [Link<'_>; 5] =
        [Link::Leave, Link::Preferences, Link::View, Link::Confirm { address: "a" }, Link::Confirm { address: "b" }];

    #[test]
    fn only_our_own_tokens_are_taken_and_each_for_its_purpose_alone() {
        let id = MessageId::parse("0123456789abcdef0123456789abcdef").unwrap();
        for link in LINKS {
            let token = token("secret", link, &id);
            for other in LINKS {
                assert_eq!(verify("secret", other, &token).is_some(), other == link, "{link:?} {other:?}");
            }
            assert_eq!(verify("other", link, &token), None);
            assert_eq!(verify("secret", link, &token.replace("0123", "1123")), None);
            assert_eq!(claimed(&token).as_ref(), Some(&id));
            assert!(token.len() < 60 && token.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        assert_eq!(verify("secret", Link::Leave, "nonsense"), None);
        assert_eq!(claimed("nonsense"), None);
    }
}
