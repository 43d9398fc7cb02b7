//! Keys, one type for each role, and how each is derived.
//!
//! `labels` holds every label of the format, `schedule` every derivation. Private keys live on the heap, are wiped on
//! drop, and come into being only together with the check that they are the expected ones.

pub(crate) mod labels;
pub(crate) mod master;
pub(crate) mod member;
pub(crate) mod patient;
pub(crate) mod recipient;
pub(crate) mod record;
pub(crate) mod registrar;
mod schedule;
mod signed;
#[cfg(test)]
mod tests;
