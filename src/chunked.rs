//! Chunked encryption of one message: <https://c2sp.org/chunked-encryption@v1>.
//!
//! A message is a 56-byte header, salt (24) and commitment (32), and then chunks of 16 KiB, each followed by a
//! 16-byte tag. The last chunk is always shorter, possibly empty: that is what a truncated message lacks. The
//! commitment makes sure that a message opens under one input key only.
//!
//! The rules are kept by types. A [`SealedMessage`] has a possible length, a [`ChunkIndex`] is below 2^38, an
//! [`OpeningKey`] has checked the commitment, and a [`SealingKey`] uses every nonce once.
//!
//! Generic over hash and AEAD ([`Instantiation`]), so that the published vectors, which are for SHA-512 and AES-GCM,
//! run on this code. The library itself uses [`ChaCha20Poly1305`].
//!
//! Security: alone this binds a message to its key and context, and to nothing else. One salt must never meet one
//! input key twice, and who knows the input key can write messages.
#![cfg_attr(
    not(feature = "hazmat"),
    allow(dead_code, unreachable_pub, unused_imports, reason = "public, and used in full, with `hazmat` only")
)]

mod batch;
mod chacha;
mod key;
mod layout;
mod message;
#[cfg(test)]
mod tests;

pub use batch::SealedChunk;
pub use chacha::ChaCha20Poly1305;
pub use key::{KeySlot, OpeningKey, SealingKey};
pub use layout::{BadLength, ChunkIndex, Layout};
pub use message::{Header, SealedMessage, open_append, seal_append};

use crate::error::Result;

/// Plaintext bytes in every chunk but the last: 16 KiB.
pub const CHUNK_LEN: usize = 16 * 1024;
/// Length of the tag behind each chunk, in bytes.
pub const TAG_LEN: usize = 16;
/// A chunk with its tag, in bytes.
pub const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
/// Length of the salt, in bytes.
pub const SALT_LEN: usize = 24;
/// Length of the key commitment, in bytes.
pub const COMMITMENT_LEN: usize = 32;
/// Salt and commitment, in bytes.
pub const HEADER_LEN: usize = SALT_LEN + COMMITMENT_LEN;
/// Length of the base nonce and of each chunk's nonce, in bytes.
pub const NONCE_LEN: usize = 12;

/// Length of the longest key, the base nonce and the commitment together, in bytes.
pub const OKM_LEN: usize = 32 + NONCE_LEN + COMMITMENT_LEN;

/// A hash and an AEAD that the specification is instantiated with.
///
/// `KEY_LEN` is the length of the AEAD's key and so of the input key, in bytes: 32 at most. Nonces have 12 bytes and
/// tags 16. Source: c2sp.org/chunked-encryption@v1, "Key derivation".
pub trait Instantiation<const KEY_LEN: usize> {
    /// The AEAD's name in the IANA registry, such as `AEAD_AES_128_GCM`.
    const AEAD_NAME: &'static str;

    /// `HKDF-Expand(input_key, info || info ..., 76)` into `okm` (RFC 5869, section 2.3).
    fn expand(input_key: &[u8; KEY_LEN], info: &[&[u8]], okm: &mut [u8; OKM_LEN]);

    /// Encrypts `data` in place, with no associated data, and returns the 16-byte tag.
    ///
    /// # Errors
    /// None for the at most 16 KiB of a chunk.
    fn seal_in_place(key: &[u8; KEY_LEN], nonce: &[u8; NONCE_LEN], data: &mut [u8]) -> Result<[u8; TAG_LEN]>;

    /// Checks the tag and decrypts `data` in place, with no associated data.
    ///
    /// # Errors
    /// [`crate::error::Error::NotAuthentic`]; `data` is then of no use.
    fn open_in_place(key: &[u8; KEY_LEN], nonce: &[u8; NONCE_LEN], data: &mut [u8], tag: &[u8; TAG_LEN]) -> Result<()>;
}
