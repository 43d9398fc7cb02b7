//! Ed25519, RFC 8032: signing, and verification by the strict rules.

use alloc::boxed::Box;
use core::fmt;

use ed25519_dalek::Signer;
use subtle::ConstantTimeEq;

use super::label::Label;
use super::stack;
use alloc::vec::Vec;

/// Length of a signature, in bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// An Ed25519 signing key, on the heap and wiped on drop.
pub(crate) struct SigningKey(Box<ed25519_dalek::SigningKey>);

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032, section 5.1.5).
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let key = expand(seed);
        stack::wipe::<{ stack::CURVE }>();
        Self(key)
    }

    /// `Ed25519-Sign(key, lp(label) || message)`, deterministic, 64 bytes.
    pub(crate) fn sign(&self, label: Label, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.sign_bare(&label.frame(&[message]))
    }

    /// `Ed25519-Sign(key, message)`: only the published vectors have no label.
    pub(super) fn sign_bare(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        let signature = sign(&self.0, message);
        stack::wipe::<{ stack::CURVE }>();
        signature
    }

    /// `body || Ed25519-Sign(key, lp(label) || body)`: how every signed object of the format ends.
    pub(crate) fn append_signature(&self, label: Label, mut body: Vec<u8>) -> Vec<u8> {
        let signature = self.sign(label, &body);
        body.extend_from_slice(&signature);
        body
    }

    /// The public half.
    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }
}

#[inline(never)]
fn expand(seed: &[u8; 32]) -> Box<ed25519_dalek::SigningKey> {
    Box::new(ed25519_dalek::SigningKey::from_bytes(seed))
}

#[inline(never)]
fn sign(key: &ed25519_dalek::SigningKey, message: &[u8]) -> [u8; SIGNATURE_LEN] {
    key.sign(message).to_bytes()
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// An Ed25519 public key: a canonical point that is not of low order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Imports 32 bytes; `None` for what is no point, a non-canonical encoding, or a point of low order.
    ///
    /// Under a low-order key anyone can make signatures that verify for many messages.
    pub(crate) fn import(bytes: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
        // Decompression accepts y >= p; only the canonical encoding comes back the same.
        let canonical = key.to_edwards().compress().to_bytes().ct_eq(bytes);
        (bool::from(canonical) && !key.is_weak()).then_some(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// `Ed25519-Verify(key, lp(label) || message, signature)`: S canonical, R not of low order, no cofactor.
    #[must_use]
    pub(crate) fn verify(&self, label: Label, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        self.verify_bare(&label.frame(&[message]), signature)
    }

    /// `Ed25519-Verify(key, message, signature)`: [`Self::verify`] without a label.
    #[must_use]
    pub(super) fn verify_bare(&self, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(message, &signature).is_ok()
    }
}
