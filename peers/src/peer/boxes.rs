//! Sealed boxes as libsodium's, written in Rust: `dryoc` and `crypto_box`.

use crypto_box::aead::OsRng;
use dryoc::classic::crypto_box::{PublicKey, SecretKey, crypto_box_keypair, crypto_box_seal, crypto_box_seal_open};
use dryoc::constants::CRYPTO_BOX_SEALBYTES;

use crate::note::NotePeer;
use crate::work::Outcome;

/// `dryoc`'s sealed box to a key pair.
pub struct Dryoc {
    public: PublicKey,
    secret: SecretKey,
}

impl Dryoc {
    /// A fresh key pair.
    pub fn new() -> Self {
        let (public, secret) = crypto_box_keypair();
        Self { public, secret }
    }
}

impl NotePeer for Dryoc {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "dryoc"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        let mut sealed = vec![0; note.len() + CRYPTO_BOX_SEALBYTES];
        crypto_box_seal(&mut sealed, note, &self.public)?;
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        let mut note = vec![0; sealed.len().checked_sub(CRYPTO_BOX_SEALBYTES).ok_or("too short")?];
        crypto_box_seal_open(&mut note, sealed, &self.public, &self.secret)?;
        Ok(note)
    }
}

/// `crypto_box`'s sealed box to a key pair.
pub struct CryptoBox {
    public: crypto_box::PublicKey,
    secret: crypto_box::SecretKey,
}

impl CryptoBox {
    /// A fresh key pair.
    pub fn new() -> Self {
        let secret = crypto_box::SecretKey::generate(&mut OsRng);
        Self { public: secret.public_key(), secret }
    }
}

impl NotePeer for CryptoBox {
    type Opened = Vec<u8>;

    fn name(&self) -> &'static str {
        "crypto_box"
    }

    fn seal(&self, note: &[u8]) -> Outcome<Vec<u8>> {
        self.public.seal(&mut OsRng, note).map_err(|_| "refused".into())
    }

    fn open(&self, sealed: &[u8]) -> Outcome<Vec<u8>> {
        self.secret.unseal(sealed).map_err(|_| "refused".into())
    }
}
