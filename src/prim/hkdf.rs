//! `HKDF-Expand-SHA256(prk, info, length)`, RFC 5869, section 2.3.
//!
//! Over the crate `hmac` and not `hkdf`, which leaves each block of output keying material on the stack. Here the blocks
//! and the states of the MAC are wiped.

use core::iter;

use hmac::Hmac;
use hmac::digest::{FixedOutput, KeyInit, Update};
use sha2::Sha256;

use super::label::Label;
use crate::error::{Error, Result, Usage};
use crate::secret::Scratch;

/// Length of one block, in bytes.
const BLOCK_LEN: usize = 32;

/// `HKDF-Expand-SHA256(prk, info || info ..., length of okm)` into `okm`, at most 8,160 bytes.
///
/// The pseudorandom key is 32 uniform bytes, so Extract is not needed (RFC 5869, section 3.3).
///
/// # Errors
/// [`Usage::TooLong`] above 8,160 bytes, which no caller asks for.
pub(crate) fn expand(prk: &[u8; 32], info: &[&[u8]], okm: &mut [u8]) -> Result<()> {
    expand_parts(prk, info.iter().copied(), okm)
}

/// `HKDF-Expand-SHA256(prk, lp(label) || info ..., length of okm)` into `okm`.
///
/// # Errors
/// As [`expand`].
pub(crate) fn expand_labelled<const PARTS: usize>(
    prk: &[u8; 32],
    label: Label,
    info: [&[u8]; PARTS],
    okm: &mut [u8],
) -> Result<()> {
    let prefix = label.lp();
    expand_parts(prk, iter::once(prefix.as_slice()).chain([label.as_bytes()]).chain(info), okm)
}

/// T(i) = HMAC(prk, T(i-1) || info || i), i from 1; T(0) is empty.
fn expand_parts<'a>(prk: &[u8; 32], info: impl Iterator<Item = &'a [u8]> + Clone, okm: &mut [u8]) -> Result<()> {
    let keyed = Hmac::<Sha256>::new_from_slice(prk).map_err(|_| Error::Usage(Usage::TooLong))?;
    let mut block = Scratch::<BLOCK_LEN>::zeroed();
    for (index, piece) in okm.chunks_mut(BLOCK_LEN).enumerate() {
        let counter = index.checked_add(1).and_then(|counter| u8::try_from(counter).ok());
        let mut mac = keyed.clone();
        if index > 0 {
            mac.update(block.expose());
        }
        info.clone().for_each(|part| mac.update(part));
        mac.update(&[counter.ok_or(Usage::TooLong)?]);
        mac.finalize_into(block.as_mut().into());
        for (slot, byte) in piece.iter_mut().zip(block.expose()) {
            *slot = *byte;
        }
    }
    Ok(())
}
