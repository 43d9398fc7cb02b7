//! Bytes and structures, without any cryptography: what is read here is well-formed, not yet trusted.
//!
//! Every parser is strict: fixed order, big-endian integers, one encoding for each value, nothing after the last
//! field. Each struct's `encode` gives back exactly the bytes that were read. `docs/FORMAT.md` has the byte tables.

use core::mem;

pub(crate) mod card;
pub(crate) mod descriptor;
pub(crate) mod disclosure;
pub(crate) mod endorsement;
pub(crate) mod frame;
pub(crate) mod grant;
pub(crate) mod member;
pub(crate) mod pin;
pub(crate) mod reader;
pub(crate) mod record;
#[cfg(any(test, feature = "hazmat"))]
pub(crate) mod reencode;
pub(crate) mod roster;
pub(crate) mod rotation;
pub(crate) mod share;
pub(crate) mod share_text;
#[cfg(test)]
mod tests;
#[cfg(feature = "std")]
pub(crate) mod trailer;
mod writer;

/// Length of an Ed25519 public key, a digest, a vault id and a secret, in bytes.
pub(crate) const LEN_32: usize = 32;

/// Writes fields one after the other into an array of their length.
pub(crate) fn write_fields<const N: usize>(out: &mut [u8; N], fields: &[&[u8]]) {
    let mut rest = out.as_mut_slice();
    for field in fields {
        if let Some((place, behind)) = mem::take(&mut rest).split_at_mut_checked(field.len()) {
            place.copy_from_slice(field);
            rest = behind;
        }
    }
    debug_assert!(rest.is_empty(), "the fields are as long as the array");
}
