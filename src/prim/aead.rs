//! `AEAD_CHACHA20_POLY1305` (RFC 8439) for payload chunks, XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) for wrapping.

#[cfg(feature = "aws-lc")]
mod aws_lc;
#[cfg(not(feature = "aws-lc"))]
mod rust_crypto;

#[cfg(feature = "aws-lc")]
use aws_lc as backend;
#[cfg(not(feature = "aws-lc"))]
use rust_crypto as backend;

use crate::error::{Error, Result, Usage};

/// Length of a Poly1305 tag, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// A backend refused: a tag that does not fit, or a length that the AEAD cannot take.
struct Failed;

/// `ChaCha20-Poly1305-Encrypt[key, nonce](aad, data)` in place; returns the 16-byte tag.
///
/// The 12-byte nonce must never meet the same key twice: every message has its own key here.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB, which no chunk reaches.
pub(crate) fn seal_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    backend::seal(key, nonce, aad, data).map_err(|Failed| Usage::TooLong.into())
}

/// `ChaCha20-Poly1305-Decrypt[key, nonce](aad, data, tag)` in place; the tag is checked first, in constant time.
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged or zero.
pub(crate) fn open_in_place(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<()> {
    backend::open(key, nonce, aad, data, tag).map_err(|Failed| Error::NotAuthentic)
}

/// `XChaCha20-Poly1305-Encrypt[key, nonce](aad, data)` in place; returns the 16-byte tag.
///
/// A random 24-byte nonce may meet one key 2^80 times before a repetition is likelier than 2^-32.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB, which no caller reaches.
pub(crate) fn wrap_in_place(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    backend::seal_extended(key, nonce, aad, data).map_err(|Failed| Usage::TooLong.into())
}

/// `XChaCha20-Poly1305-Decrypt[key, nonce](aad, data, tag)` in place; the tag is checked first, in constant time.
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged or zero.
pub(crate) fn unwrap_in_place(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<()> {
    backend::open_extended(key, nonce, aad, data, tag).map_err(|Failed| Error::NotAuthentic)
}
