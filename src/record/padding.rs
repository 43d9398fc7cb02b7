//! Padding: ISO/IEC 7816-4 marker and zeros, to the length that Padmé gives.

use crate::error::{Error, Result, Usage};

/// The byte behind the note (ISO/IEC 7816-4).
pub(super) const MARKER: u8 = 0x80;
/// No padded note is shorter, in bytes.
const MIN_LEN: usize = 256;

/// How the length of a note is hidden. Bound to the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Padding {
    /// Not at all: the ciphertext is as long as the note, plus a constant.
    None = 0,
    /// Marker and zeros to the Padmé length, at least 256 bytes (Nikitin and others, "Reducing Metadata Leakage from
    /// Encrypted Files and Communication with PURBs", 2019): adds at most 12 % and leaves O(log log n) bits.
    #[default]
    Padme = 1,
}

impl Padding {
    /// The parser lets only 0 and 1 through.
    pub(super) const fn from_wire(padding: u8) -> Self {
        match padding {
            0 => Self::None,
            _ => Self::Padme,
        }
    }

    /// How many zeros follow note and marker; `None` for a rule without a marker.
    pub(super) fn zeros(self, note_len: usize) -> Result<Option<usize>> {
        match self {
            Self::None => Ok(None),
            Self::Padme => {
                let marked = note_len.checked_add(1).ok_or(Usage::TooLong)?;
                let padded = padded_len(marked).ok_or(Usage::TooLong)?;
                Ok(padded.checked_sub(marked))
            }
        }
    }

    /// The length of the note in an authenticated plaintext; only the exact padding is accepted.
    pub(crate) fn note_len(self, plaintext: &[u8]) -> Result<usize> {
        match self {
            Self::None => Ok(plaintext.len()),
            Self::Padme => {
                let marker = plaintext.iter().rposition(|byte| *byte != 0).ok_or(Error::NotAuthentic)?;
                let marked = marker.checked_add(1).and_then(padded_len);
                let exact = plaintext.get(marker) == Some(&MARKER) && marked == Some(plaintext.len());
                if exact { Ok(marker) } else { Err(Error::NotAuthentic) }
            }
        }
    }
}

/// The Padmé length of `len` bytes, at least 256: only the leading bits of a length stay, as many as its exponent has
/// bits. `None` where the length does not fit into memory.
fn padded_len(len: usize) -> Option<usize> {
    if len <= MIN_LEN {
        return Some(MIN_LEN);
    }
    // E = floor(log2 len), S = floor(log2 E) + 1; the last E - S bits become zero, rounding up.
    let exponent = len.ilog2();
    let kept = exponent.ilog2().checked_add(1)?;
    let mask = 1_usize.checked_shl(exponent.checked_sub(kept)?)?.checked_sub(1)?;
    Some(len.checked_add(mask)? & !mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T082: the definition again, in floating point and without bit masks, for every length up to 70,000.
    #[test]
    fn t082_padded_len_agrees_with_the_definition() {
        for len in 1..70_000_usize {
            let exponent = (len as f64).log2().floor();
            let kept = exponent.log2().floor() + 1.0;
            let step = (exponent - kept).exp2();
            let padme = ((len as f64) / step).ceil() * step;
            let expected = if len <= 256 { 256 } else { padme as usize };
            assert_eq!(padded_len(len), Some(expected), "length {len}");
        }
    }

    #[test]
    fn t082_padding_costs_at_most_12_percent() {
        for len in 257..200_000_usize {
            let padded = padded_len(len).unwrap();
            assert!(padded >= len && padded * 100 <= len * 112, "length {len} became {padded}");
        }
    }

    #[test]
    fn huge_lengths_are_refused_not_wrapped() {
        assert_eq!(padded_len(usize::MAX), None);
        assert_eq!(Padding::Padme.zeros(usize::MAX), Err(Usage::TooLong.into()));
    }

    #[test]
    fn only_the_exact_padding_is_accepted() {
        let mut padded = [0; 256];
        padded[5] = MARKER;
        assert_eq!(Padding::Padme.note_len(&padded), Ok(5));
        for broken in [&padded[..255], &padded[..6], &[0; 256][..], &[][..], &[0x80; 257][..]] {
            assert_eq!(Padding::Padme.note_len(broken), Err(Error::NotAuthentic));
        }
        padded[5] = 0x81;
        assert_eq!(Padding::Padme.note_len(&padded), Err(Error::NotAuthentic));
    }
}
