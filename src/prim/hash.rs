//! `SHA-256(lp(label) || parts)`, FIPS 180-4.

use sha2::{Digest, Sha256};

use super::label::Label;

/// `SHA-256(lp(label) || part || part ...)`, 32 bytes.
///
/// Parts are concatenated as they are: the caller gives fixed lengths or length prefixes.
pub(crate) fn hash(label: Label, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Hasher::new(label);
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// The same hash over parts that come one after the other.
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn new(label: Label) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(label.lp());
        hasher.update(label.as_bytes());
        Self(hasher)
    }

    pub(crate) fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
