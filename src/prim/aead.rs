//! `AEAD_CHACHA20_POLY1305` (RFC 8439) for payload chunks, XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) for wrapping.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use crate::error::{Error, Result, Usage};

/// Length of a Poly1305 tag, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// `ChaCha20-Poly1305-Encrypt[key, nonce](aad, data)` in place; returns the 16-byte tag.
///
/// The 12-byte nonce must never meet the same key twice: every message has its own key here.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB, which no chunk reaches.
pub(crate) fn seal_in_place(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    ChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data))
        .map(Into::into)
        .map_err(|_| Error::Usage(Usage::TooLong))
}

/// `ChaCha20-Poly1305-Decrypt[key, nonce](aad, data, tag)` in place; the tag is checked first, in constant time.
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged.
pub(crate) fn open_in_place(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<()> {
    ChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data), tag.into())
        .map_err(|_| Error::NotAuthentic)
}

/// `XChaCha20-Poly1305-Encrypt[key, nonce](aad, data)` in place; returns the 16-byte tag.
///
/// A random 24-byte nonce may meet one key 2^80 times before a repetition is likelier than 2^-32.
///
/// # Errors
/// [`Usage::TooLong`] above 256 GiB, which no caller reaches.
pub(crate) fn wrap_in_place(key: &[u8; 32], nonce: &[u8; 24], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
    XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data))
        .map(Into::into)
        .map_err(|_| Error::Usage(Usage::TooLong))
}

/// `XChaCha20-Poly1305-Decrypt[key, nonce](aad, data, tag)` in place; the tag is checked first, in constant time.
///
/// # Errors
/// [`Error::NotAuthentic`]; `data` is then unchanged.
pub(crate) fn unwrap_in_place(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<()> {
    XChaCha20Poly1305::new(key.into())
        .decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data), tag.into())
        .map_err(|_| Error::NotAuthentic)
}
