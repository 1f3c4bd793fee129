//! Links in our mails: which message they came with, signed, and no address.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::MessageId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The path under which a mail can be left from.
pub const LEAVE: &str = "/u/";

/// The token of a message's links: short enough for a header's line, good for
/// ever.
#[must_use]
pub fn token(secret: &str, message_id: &MessageId) -> String {
    format!("{message_id}.{}", signature(secret, message_id))
}

/// The message that a token is of, if we signed it.
#[must_use]
pub fn verify(secret: &str, token: &str) -> Option<MessageId> {
    let (message_id, signed) = token.split_once('.')?;
    let message_id = MessageId::parse(message_id).ok()?;
    let right: bool = signature(secret, &message_id).as_bytes().ct_eq(signed.as_bytes()).into();
    right.then_some(message_id)
}

fn signature(secret: &str, message_id: &MessageId) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes any key");
    mac.update(b"leave:");
    mac.update(message_id.as_str().as_bytes());
    URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_tokens_are_taken() {
        let id = MessageId::parse("0123456789abcdef0123456789abcdef").unwrap();
        let token = token("secret", &id);
        assert_eq!(verify("secret", &token), Some(id));
        assert_eq!(verify("other", &token), None);
        assert_eq!(verify("secret", &token.replace("0123", "1123")), None);
        assert_eq!(verify("secret", "nonsense"), None);
        assert!(token.len() < 60);
    }
}
