//! API keys.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// How many requests a second a key may make, unless its own record says more or
/// fewer.
pub const RATE: u32 = 500;

/// The highest rate that a key can be given, in requests a second.
pub const MOST_RATE: u32 = 10_000;

/// An API key: `cw_`, the id under which it is kept, and a secret.
///
/// The secret is 192 random bits, so a plain hash keeps it: there is nothing to
/// guess that a slow hash would protect.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    id: String,
    secret: String,
}

impl ApiKey {
    /// A key from 32 bytes of randomness.
    #[must_use]
    pub fn from_random(random: [u8; 32]) -> Self {
        let (id, secret) = random.split_at(8);
        Self { id: hex(id), secret: hex(secret) }
    }

    /// The key in an `Authorization` header: `Bearer KEY`, or `Basic` with the key
    /// as the user and no password, which is how some clients send it.
    #[must_use]
    pub fn from_header(header: &str) -> Option<Self> {
        let (scheme, credentials) = header.trim().split_once(' ')?;
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::from_text(credentials);
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
        Self::from_text(pair.strip_suffix(':')?)
    }

    /// The key as its holder writes it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix("cw_")?.split_once('_')?;
        let fits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let well_formed = fits(id, 16) && fits(secret, 48);
        well_formed.then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
    }

    /// A key of this id, with a secret from 24 bytes of randomness.
    #[must_use]
    pub fn of(id: &str, random: [u8; 24]) -> Self {
        Self { id: id.to_owned(), secret: hex(&random) }
    }

    /// The key as its holder writes it.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("cw_{}_{}", self.id, self.secret)
    }

    /// The id under which it is kept.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is kept of the secret.
    #[must_use]
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.secret.as_bytes()))
    }

    /// Whether this is the key of which `hash` was kept, in constant time.
    #[must_use]
    pub fn is_of(&self, hash: &str) -> bool {
        self.is_of_one([hash])
    }

    /// Whether this is the key of which one of the hashes was kept; each is
    /// compared in constant time, whatever the others said.
    #[must_use]
    pub fn is_of_one<'h>(&self, hashes: impl IntoIterator<Item = &'h str>) -> bool {
        let own = self.hash();
        let compared = hashes.into_iter().map(|hash| own.as_bytes().ct_eq(hash.as_bytes()));
        compared.fold(Choice::from(0), |one, next| one | next).into()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_by_its_hash_alone() {
        let key = ApiKey::from_random([7; 32]);
        let read = ApiKey::from_header(&format!("Bearer {}", key.reveal())).unwrap();
        assert!(read == key && read.is_of(&key.hash()));
        assert!(!ApiKey::from_random([8; 32]).is_of(&key.hash()));
        for bad in ["", "Bearer", "Bearer cw_", "Basic cw_07_07", "Bearer cw_0707070707070707_07"] {
            assert!(ApiKey::from_header(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_may_come_as_the_user_of_basic_authentication() {
        let key = ApiKey::from_random([7; 32]);
        let basic = |pair: String| format!("basic {}", STANDARD.encode(pair));
        assert!(ApiKey::from_header(&basic(format!("{}:", key.reveal()))) == Some(key.clone()));
        for bad in [key.reveal(), format!("{}:password", key.reveal()), format!(":{}", key.reveal())] {
            assert!(ApiKey::from_header(&basic(bad)).is_none());
        }
    }

    #[test]
    fn a_rotated_key_has_the_same_id_and_another_secret() {
        let key = ApiKey::from_random([7; 32]);
        let rotated = ApiKey::of(key.id(), [8; 24]);
        assert!(rotated.id() == key.id() && !rotated.is_of(&key.hash()) && rotated.is_of(&rotated.hash()));
        assert!(key.is_of_one([rotated.hash().as_str(), key.hash().as_str()]) && !key.is_of_one([]));
    }
}
