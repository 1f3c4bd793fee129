use sha2::{Digest, Sha256};

/// A name made from causes: 128 bits of SHA-256 over the parts, in hex.
///
/// The same parts always give the same name, which is how a thing that must
/// happen once is recognised the second time. Each part goes in with its
/// length, so that no two lists of parts run into one another.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn parts_do_not_run_into_one_another() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["ab"]), digest(&["ab", ""]));
        assert_eq!(digest(&["ab", "c"]).len(), 32);
    }
}
