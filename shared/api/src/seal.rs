//! How answers are kept: so that only whoever was given them can have them
//! again.
//!
//! An answer may hold an address, or a new key. It is sealed (AES-256-GCM) under
//! a secret made from something that comes with each request of the caller's, such
//! as their key, and that no table has: whoever reads the table reads nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What seals the answers to one request of one caller.
pub(crate) struct Seal {
    key: RandomizedNonceKey,
    id: String,
}

impl Seal {
    /// The seal for the request that is kept under `id`, of the caller who has this
    /// secret.
    pub(crate) fn new(secret: &str, id: &str) -> Option<Self> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
        mac.update(b"answer");
        mac.update(id.as_bytes());
        let key = RandomizedNonceKey::new(&AES_256_GCM, &mac.finalize().into_bytes()).ok()?;
        Some(Self { key, id: id.to_owned() })
    }

    /// The sealed form.
    pub(crate) fn close(&self, mut answer: Vec<u8>) -> Option<Vec<u8>> {
        let nonce = self.key.seal_in_place_append_tag(Aad::from(&self.id), &mut answer).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut answer);
        Some(sealed)
    }

    /// What was sealed; None if it was sealed for somebody else.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, answer) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut answer = answer.to_vec();
        let length = self.key.open_in_place(nonce, Aad::from(&self.id), &mut answer).ok()?.len();
        answer.truncate(length);
        Some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_answer_opens_for_the_same_caller_and_request_alone() {
        let of = |secret: &str, id: &str| Seal::new(secret, id).unwrap();
        let sealed = of("x", "a").close(b"ada@example.com".to_vec()).unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"ada"));
        assert_eq!(of("x", "a").open(&sealed).unwrap(), b"ada@example.com");
        assert!(of("y", "a").open(&sealed).is_none() && of("x", "b").open(&sealed).is_none());
        let mut changed = sealed.clone();
        changed[20] ^= 1;
        assert!(of("x", "a").open(&changed).is_none() && of("x", "a").open(b"short").is_none());
    }
}
