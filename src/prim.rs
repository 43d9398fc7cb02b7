//! Primitives: one function per notation of the specification, over vetted crates.
//!
//! This is the only room that names a cryptographic crate. Nothing here knows an object of the vault.

pub(crate) mod aead;
pub(crate) mod hash;
#[cfg(feature = "hazmat")]
pub(crate) mod hazmat;
pub(crate) mod hkdf;
pub(crate) mod hpke;
pub(crate) mod label;
pub(crate) mod point;
pub(crate) mod rng;
pub(crate) mod sign;
mod stack;
#[cfg(test)]
mod tests;
