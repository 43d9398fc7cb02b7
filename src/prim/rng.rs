//! Randomness: drawn fallibly, from the generator that the caller passes.

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

use crate::error::{Error, Result};

/// Fills `bytes` from the generator.
///
/// # Errors
/// [`Error::Randomness`] if the generator fails; what it wrote until then is the caller's to wipe.
pub(crate) fn fill(rng: &mut impl TryCryptoRng, bytes: &mut [u8]) -> Result<()> {
    rng.try_fill_bytes(bytes).map_err(|_| Error::Randomness)
}

/// Hands out bytes that were drawn before, once, to code that takes an infallible generator.
///
/// An overrun hands out zeros and is remembered: the result counts only if [`OneShot::spent_exactly`] says so.
pub(crate) struct OneShot<'a> {
    left: &'a [u8],
    overrun: bool,
}

impl<'a> OneShot<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, overrun: false }
    }

    /// Whether all of the bytes were handed out and no more were asked for.
    pub(crate) const fn spent_exactly(&self) -> bool {
        self.left.is_empty() && !self.overrun
    }
}

impl TryRng for OneShot<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word)?;
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self.left.split_at_checked(bytes.len()) {
            Some((head, tail)) => {
                bytes.copy_from_slice(head);
                self.left = tail;
            }
            None => {
                bytes.fill(0);
                self.overrun = true;
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for OneShot<'_> {}

#[cfg(test)]
mod tests {
    use rand_core::Rng;

    use super::*;

    #[test]
    fn one_shot_counts_only_when_spent_exactly() {
        let mut exact = OneShot::new(&[1, 2, 3, 4]);
        assert_eq!(exact.next_u32(), 0x0403_0201);
        assert!(exact.spent_exactly());

        let mut short = OneShot::new(&[1, 2, 3, 4]);
        short.fill_bytes(&mut [0; 3]);
        assert!(!short.spent_exactly());

        let mut overrun = OneShot::new(&[1; 8]);
        overrun.next_u64();
        overrun.fill_bytes(&mut [0; 1]);
        assert!(!overrun.spent_exactly());
    }
}
