//! What a callee leaves on the stack.
//!
//! Functions that have returned kept copies of a private key below the caller's frame. Safe Rust cannot reach their
//! frames themselves; it can use as much stack as they did, and wipe that. `residue/` measures that it is enough.

pub(crate) use zeroize::zeroize_stack as wipe;

/// Enough for what Ed25519 and X25519 use, in bytes.
pub(crate) const CURVE: usize = 8 * 1_024;
/// Enough for what ML-KEM uses, in bytes.
pub(crate) const LATTICE: usize = 64 * 1_024;
