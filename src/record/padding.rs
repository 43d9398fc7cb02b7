//! Padding: ISO/IEC 7816-4 marker and zeros, to the length that Padmé gives.

use crate::choice::Padding;
use crate::error::{Error, Result, Usage};

/// The byte behind the note (ISO/IEC 7816-4).
pub(crate) const MARKER: u8 = 0x80;
/// No padded note is shorter, in bytes.
const MIN_LEN: u64 = 256;

impl Padding {
    /// How many zeros follow note and marker; `None` for a rule without a marker.
    pub(crate) fn zeros(self, note_len: u64) -> Result<Option<u64>> {
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
                let exact = plaintext.get(marker) == Some(&MARKER) && is_exact(marker, plaintext.len());
                if exact { Ok(marker) } else { Err(Error::NotAuthentic) }
            }
        }
    }

    /// The least length of a note that is padded to `padded` bytes, which is public; `None` if no note is.
    #[cfg(any(test, feature = "std"))]
    pub(crate) fn least_note_len(self, padded: u64) -> Option<u64> {
        match self {
            Self::None => Some(padded),
            Self::Padme if padded == MIN_LEN => Some(0),
            Self::Padme => {
                // From 257 on, lengths of one exponent stand a step apart. The length before this one is itself
                // padded to itself, so note and marker have at least one byte more, and the note as many.
                let before = padded.checked_sub(1).filter(|before| *before >= MIN_LEN)?;
                let least = before & !step_mask(before)?;
                (padded_len(padded)? == padded).then_some(least)
            }
        }
    }
}

/// Whether a note of this length is padded to exactly this length.
fn is_exact(note_len: usize, padded: usize) -> bool {
    let marked = u64::try_from(note_len).ok().and_then(|len| len.checked_add(1));
    marked.and_then(padded_len) == u64::try_from(padded).ok()
}

/// The Padmé length of `len` bytes, at least 256: only the leading bits of a length stay, as many as its exponent has
/// bits. `None` above 2^64 - 1.
fn padded_len(len: u64) -> Option<u64> {
    if len <= MIN_LEN {
        return Some(MIN_LEN);
    }
    let mask = step_mask(len)?;
    Some(len.checked_add(mask)? & !mask)
}

/// The bits that Padmé makes zero, rounding up: with E = floor(log2 len) and S = floor(log2 E) + 1 the last E - S.
fn step_mask(len: u64) -> Option<u64> {
    let exponent = len.checked_ilog2()?;
    let kept = exponent.checked_ilog2()?.checked_add(1)?;
    1_u64.checked_shl(exponent.checked_sub(kept)?)?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T082: the definition again, in floating point and without bit masks, for every length up to 70,000.
    #[test]
    fn t082_padded_len_agrees_with_the_definition() {
        for len in 1..70_000_u64 {
            let exponent = (len as f64).log2().floor();
            let kept = exponent.log2().floor() + 1.0;
            let step = (exponent - kept).exp2();
            let padme = ((len as f64) / step).ceil() * step;
            let expected = if len <= 256 { 256 } else { padme as u64 };
            assert_eq!(padded_len(len), Some(expected), "length {len}");
        }
    }

    #[test]
    fn t082_padding_costs_at_most_12_percent() {
        for len in 257..200_000_u64 {
            let padded = padded_len(len).unwrap();
            assert!(padded >= len && padded * 100 <= len * 112, "length {len} became {padded}");
        }
    }

    #[test]
    fn huge_lengths_are_refused_not_wrapped() {
        assert_eq!(padded_len(u64::MAX), None);
        assert_eq!(Padding::Padme.zeros(u64::MAX), Err(Usage::TooLong.into()));
    }

    /// Seen from the other side: of all notes up to 70,000 bytes, the first that is padded to each length.
    #[test]
    fn the_least_note_of_every_padded_length_is_found() {
        let mut first_of = std::collections::BTreeMap::new();
        for note_len in 0..70_000 {
            first_of.entry(padded_len(note_len + 1).unwrap()).or_insert(note_len);
        }
        for padded in 0..70_000 {
            assert_eq!(Padding::Padme.least_note_len(padded), first_of.get(&padded).copied(), "padded {padded}");
            assert_eq!(Padding::None.least_note_len(padded), Some(padded));
        }
        assert_eq!(Padding::Padme.least_note_len(1 << 63), Some((1 << 63) - (1 << 56)));
        assert_eq!(Padding::Padme.least_note_len(u64::MAX), None);
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
