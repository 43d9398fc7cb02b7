//! `HKDF-Expand-SHA256(prk, info, length)`, RFC 5869, section 2.3.

use hkdf::Hkdf;
use sha2::Sha256;

use super::label::Label;
use crate::error::{Error, Result, Usage};

/// `HKDF-Expand-SHA256(prk, info || info ..., length of okm)` into `okm`, at most 8,160 bytes.
///
/// The pseudorandom key is 32 uniform bytes, so Extract is not needed (RFC 5869, section 3.3).
///
/// # Errors
/// [`Usage::TooLong`] above 8,160 bytes, which no caller asks for.
pub(crate) fn expand(prk: &[u8; 32], info: &[&[u8]], okm: &mut [u8]) -> Result<()> {
    Hkdf::<Sha256>::from_prk(prk)
        .map_err(|_| Error::Usage(Usage::TooLong))?
        .expand_multi_info(info, okm)
        .map_err(|_| Error::Usage(Usage::TooLong))
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
    let prefix = label.prefix();
    let hkdf = Hkdf::<Sha256>::from_prk(prk).map_err(|_| Error::Usage(Usage::TooLong))?;
    let head: [&[u8]; 2] = [&prefix, label.as_bytes()];
    let mut all: [&[u8]; 10] = [&[]; 10];
    for (slot, part) in all.iter_mut().zip(head.into_iter().chain(info)) {
        *slot = part;
    }
    const { assert!(PARTS <= 8, "more info parts than expand_labelled passes on") };
    hkdf.expand_multi_info(&all, okm).map_err(|_| Error::Usage(Usage::TooLong))
}
