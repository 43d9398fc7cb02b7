//! HKDF-SHA256 and `AEAD_CHACHA20_POLY1305`: the instantiation that the library uses.

use super::{Instantiation, NONCE_LEN, OKM_LEN, TAG_LEN};
use crate::error::Result;
use crate::prim::{aead, hkdf};

/// HKDF-Expand with SHA-256 (RFC 5869) and `AEAD_CHACHA20_POLY1305` (RFC 8439). Keys have 32 bytes.
#[derive(Debug)]
pub enum ChaCha20Poly1305 {}

impl Instantiation<32> for ChaCha20Poly1305 {
    const AEAD_NAME: &'static str = "AEAD_CHACHA20_POLY1305";

    fn expand(input_key: &[u8; 32], info: &[&[u8]], okm: &mut [u8; OKM_LEN]) {
        hkdf::expand(input_key, info, okm);
    }

    fn seal_in_place(key: &[u8; 32], nonce: &[u8; NONCE_LEN], data: &mut [u8]) -> Result<[u8; TAG_LEN]> {
        aead::seal_in_place(key, nonce, &[], data)
    }

    fn open_in_place(key: &[u8; 32], nonce: &[u8; NONCE_LEN], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<()> {
        aead::open_in_place(key, nonce, &[], data, tag)
    }
}
