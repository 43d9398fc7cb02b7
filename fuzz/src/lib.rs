//! What the fuzz targets share: worlds with one of everything, edits of valid objects, and forgery by insiders.
//!
//! A target's input is either an object as it is stored, which begins with `LK`, or a recipe: which world, which valid
//! object of it, and what is changed in it. So the fuzzer reaches both the parsers and what lies behind signatures.

pub mod forge;
pub mod input;
mod rng;
pub mod seeds;
pub mod world;

pub use input::{Case, Input};
pub use world::World;

/// Panics if bytes were accepted that nobody made.
///
/// # Panics
/// That is how a target reports.
pub fn require_made(bytes: &[u8], made: &[&[u8]]) {
    assert!(made.contains(&bytes), "accepted, and nobody made it");
}
