//! The AEADs of the crate `chacha20poly1305`, which is the default.

use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};

use super::{Failed, TAG_LEN};

pub(super) fn seal(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], data: &mut [u8]) -> Result<[u8; TAG_LEN], Failed> {
    let tag = ChaCha20Poly1305::new(key.into()).encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data));
    tag.map(Into::into).map_err(|_| Failed)
}

pub(super) fn open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), Failed> {
    let data = InOutBuf::from(data);
    ChaCha20Poly1305::new(key.into()).decrypt_inout_detached(nonce.into(), aad, data, tag.into()).map_err(|_| Failed)
}

pub(super) fn seal_extended(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    data: &mut [u8],
) -> Result<[u8; TAG_LEN], Failed> {
    let tag = XChaCha20Poly1305::new(key.into()).encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data));
    tag.map(Into::into).map_err(|_| Failed)
}

pub(super) fn open_extended(
    key: &[u8; 32],
    nonce: &[u8; 24],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), Failed> {
    let data = InOutBuf::from(data);
    XChaCha20Poly1305::new(key.into()).decrypt_inout_detached(nonce.into(), aad, data, tag.into()).map_err(|_| Failed)
}
