//! `orion`: XChaCha20-Poly1305 under one secret key, with a random nonce. Symmetric.

use orion::aead::{self, SecretKey};

use crate::note::NotePeer;
use crate::work::Outcome;

/// A secret key.
pub struct Orion(SecretKey);

impl Orion {
    /// A fresh key.
    pub fn new() -> Outcome<Self> {
        Ok(Self(SecretKey::generate()?))
    }
}

impl NotePeer for Orion {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "orion (symmetric)"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        Ok(aead::seal(&self.0, note)?)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        Ok(aead::open(&self.0, sealed)?)
    }
}
