use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

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

    /// The key in an `Authorization: Bearer …` header.
    #[must_use]
    pub fn from_header(header: &str) -> Option<Self> {
        let (scheme, key) = header.trim().split_once(' ')?;
        let (id, secret) = key.trim().strip_prefix("cw_")?.split_once('_')?;
        let fits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let well_formed = scheme.eq_ignore_ascii_case("bearer") && fits(id, 16) && fits(secret, 48);
        well_formed.then(|| Self { id: id.to_owned(), secret: secret.to_owned() })
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
        self.hash().as_bytes().ct_eq(hash.as_bytes()).into()
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
}
