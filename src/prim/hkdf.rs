//! `HKDF-Expand-SHA256(prk, info, length)`, RFC 5869, section 2.3.
//!
//! Over the crate `hmac` and not `hkdf`, which leaves each block of output keying material on the stack. Here the blocks
//! and the states of the MAC are wiped.

use core::iter;

use hmac::Hmac;
use hmac::digest::{FixedOutput, KeyInit, Update};
use sha2::Sha256;

use super::label::Label;
use crate::secret::Scratch;

/// Length of one block of output, in bytes.
const BLOCK_LEN: usize = 32;
/// Length of the key that HMAC-SHA256 takes as it is (RFC 2104), in bytes. Shorter keys are padded with zeros.
const HMAC_KEY_LEN: usize = 64;
/// The longest output, in bytes.
pub(super) const MAX_LEN: usize = 255 * BLOCK_LEN;

/// `HKDF-Expand-SHA256(prk, info || info ..., N)` into `okm`.
///
/// The pseudorandom key is 32 uniform bytes, so Extract is not needed (RFC 5869, section 3.3).
pub(crate) fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]], okm: &mut [u8; N]) {
    const { assert!(N <= MAX_LEN, "longer than HKDF-Expand gives") };
    fill(prk, info.iter().copied(), okm);
}

/// `HKDF-Expand-SHA256(prk, lp(label) || info ..., N)` into `okm`.
pub(crate) fn expand_labelled<const N: usize, const PARTS: usize>(
    prk: &[u8; 32],
    label: Label,
    info: [&[u8]; PARTS],
    okm: &mut [u8; N],
) {
    const { assert!(N <= MAX_LEN, "longer than HKDF-Expand gives") };
    let lp = label.lp();
    fill(prk, iter::once(lp.as_slice()).chain([label.as_bytes()]).chain(info), okm);
}

/// T(i) = HMAC(prk, T(i-1) || info || i), i from 1; T(0) is empty. At most 255 blocks.
pub(super) fn fill<'a>(prk: &[u8; 32], info: impl Iterator<Item = &'a [u8]> + Clone, okm: &mut [u8]) {
    let mut key = Scratch::<HMAC_KEY_LEN>::zeroed();
    key.as_mut().split_at_mut(prk.len()).0.copy_from_slice(prk);
    let keyed = Hmac::<Sha256>::new(key.expose().into());
    let mut block = Scratch::<BLOCK_LEN>::zeroed();
    for (counter, piece) in (1..=u8::MAX).zip(okm.chunks_mut(BLOCK_LEN)) {
        let mut mac = keyed.clone();
        if counter > 1 {
            mac.update(block.expose());
        }
        info.clone().for_each(|part| mac.update(part));
        mac.update(&[counter]);
        mac.finalize_into(block.as_mut().into());
        for (slot, byte) in piece.iter_mut().zip(block.expose()) {
            *slot = *byte;
        }
    }
}
