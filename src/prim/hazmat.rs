//! The primitives by themselves, for published vectors. Not covered by semantic versioning.
//!
//! Each function hands its arguments to the one that the vault uses. What is called bare has no label in front, because
//! no published vector has one; the vault itself always writes a label.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::aead::{self, TAG_LEN};
use super::sign::{SIGNATURE_LEN, SigningKey, VerifyingKey};
use super::{hkdf, hpke, point};
use crate::choice::Suite;
use crate::error::{Error, Result, Usage};
use crate::secret::Secret;

/// `ChaCha20-Poly1305-Encrypt` in place (RFC 8439), which returns the tag.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB.
pub fn seal_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    aead::seal_in_place(key, nonce, aad, data)
}

/// `ChaCha20-Poly1305-Decrypt` in place (RFC 8439).
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged or zero.
pub fn open_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<()> {
    aead::open_in_place(key, nonce, aad, data, tag)
}

/// `XChaCha20-Poly1305-Encrypt` in place (draft-irtf-cfrg-xchacha-03), which returns the tag.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB.
pub fn wrap_in_place(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    aead::wrap_in_place(key, nonce, aad, data)
}

/// `XChaCha20-Poly1305-Decrypt` in place (draft-irtf-cfrg-xchacha-03).
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged or zero.
pub fn unwrap_in_place(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<()> {
    aead::unwrap_in_place(key, nonce, aad, data, tag)
}

/// `HKDF-Expand-SHA256(prk, info || info ..., length of okm)` into `okm` (RFC 5869, section 2.3).
///
/// # Errors
/// [`Usage::TooLong`] above 8,160 bytes.
pub fn expand(prk: &[u8; 32], info: &[&[u8]], okm: &mut [u8]) -> Result<()> {
    if okm.len() > hkdf::MAX_LEN {
        return Err(Usage::TooLong.into());
    }
    hkdf::fill(prk, info.iter().copied(), okm);
    Ok(())
}

/// Whether an X25519 public key may be stored: canonical, and not of low order.
#[must_use]
pub fn is_canonical_and_full_order(u: &[u8; 32]) -> bool {
    point::is_canonical_and_full_order(u)
}

/// Whether the bytes are imported as a public HPKE key of the suite.
#[must_use]
pub fn hpke_imports(suite: Suite, public_key: &[u8]) -> bool {
    hpke::PublicKey::import(suite, public_key).is_some()
}

/// The public HPKE key of a private one.
///
/// # Errors
/// [`Error::NotAuthentic`] if the KEM refuses the key.
pub fn hpke_public_key(suite: Suite, private_key: &[u8; 32]) -> Result<Vec<u8>> {
    private(suite, private_key)?.public_key().map(|key| key.as_bytes().to_vec())
}

/// `SealBase` (RFC 9180, section 6.1): encapsulation || ciphertext || tag. X25519 draws 32 bytes, X-Wing 64.
///
/// # Errors
/// [`Error::Randomness`] if the generator fails; [`Error::NotAuthentic`] if the public key is not imported.
pub fn hpke_seal(
    suite: Suite,
    public_key: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl TryCryptoRng,
) -> Result<Vec<u8>> {
    let to = hpke::PublicKey::import(suite, public_key).ok_or(Error::NotAuthentic)?;
    hpke::seal_secret(&to, info, aad, plaintext, &hpke::Coins::draw(suite, rng)?)
}

/// `OpenBase` (RFC 9180, section 6.1), for a plaintext of any length.
///
/// # Errors
/// [`Error::NotAuthentic`], for every reason.
pub fn hpke_open(suite: Suite, private_key: &[u8; 32], info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    hpke::open_bytes(&private(suite, private_key)?, info, aad, sealed).map(|opened| opened.to_vec())
}

/// `OpenBase` (RFC 9180, section 6.1) as the vault calls it: 32 bytes or nothing.
///
/// # Errors
/// [`Error::NotAuthentic`], for every reason.
pub fn hpke_open_secret(
    suite: Suite,
    private_key: &[u8; 32],
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<[u8; 32]> {
    hpke::open_secret(&private(suite, private_key)?, info, aad, sealed).map(|secret| *secret.expose())
}

/// The Ed25519 public key of a seed (RFC 8032, section 5.1.5).
#[must_use]
pub fn ed25519_public_key(seed: &[u8; 32]) -> [u8; 32] {
    *SigningKey::from_seed(seed).verifying_key().as_bytes()
}

/// `Ed25519-Sign(seed, message)` (RFC 8032, section 5.1.6), bare.
#[must_use]
pub fn ed25519_sign(seed: &[u8; 32], message: &[u8]) -> [u8; SIGNATURE_LEN] {
    SigningKey::from_seed(seed).sign_bare(message)
}

/// Whether the bytes are imported as an Ed25519 public key: a canonical point that is not of low order.
#[must_use]
pub fn ed25519_imports(public_key: &[u8; 32]) -> bool {
    VerifyingKey::import(public_key).is_some()
}

/// `Ed25519-Verify(public key, message, signature)` by the strict rules, bare; false for a key that is not imported.
#[must_use]
pub fn ed25519_verify(public_key: &[u8; 32], message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
    VerifyingKey::import(public_key).is_some_and(|key| key.verify_bare(message, signature))
}

fn private(suite: Suite, private_key: &[u8; 32]) -> Result<hpke::PrivateKey> {
    hpke::PrivateKey::from_secret(suite, Secret::copied(private_key))
}
