//! What a callee leaves on the stack.

use core::hint::black_box;

use zeroize::Zeroize;

/// Enough for what Ed25519 and X25519 use, in words of 8 bytes: 8 KiB.
pub(crate) const CURVE: usize = 1_024;
/// Enough for what ML-KEM uses, in words of 8 bytes: 64 KiB. `residue/` measures that it is enough.
pub(crate) const LATTICE: usize = 8_192;

/// Overwrites `WORDS` words of the stack below the caller's frame, where functions that have returned kept copies of a
/// private key.
///
/// Safe Rust cannot reach the frames themselves. It can use as much stack as they did, and wipe that.
#[inline(never)]
pub(crate) fn wipe<const WORDS: usize>() {
    let mut below = [0_u64; WORDS];
    below.zeroize();
    black_box(&below);
}
