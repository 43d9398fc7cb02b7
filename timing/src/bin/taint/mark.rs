//! Marks, and the count of what memcheck found.

use std::convert::Infallible;
use std::hint::black_box;

use crabgrind::memcheck::{MemState, Memcheck};
use crabgrind::valgrind;
use lukko::rand_core::{TryCryptoRng, TryRng};

pub(crate) fn is_measuring() -> bool {
    valgrind::running_mode().is_valgrind()
}

/// From here on the bytes of these values are secret, and so is what is computed from them.
pub(crate) fn secret<T>(values: &mut [T]) {
    let marked = black_box(values).mark(MemState::Undefined);
    assert!(marked.is_ok(), "not under valgrind");
}

/// How often memcheck complained during the operation. What that returns is dropped afterwards, uncounted.
pub(crate) fn findings<T>(operation: impl FnOnce() -> T) -> usize {
    let before = valgrind::count_errors();
    let result = black_box(operation());
    let found = valgrind::count_errors() - before;
    drop(result);
    found
}

/// SplitMix64. As a generator for the library it marks all that it hands out.
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new() -> Self {
        Self(0x6C75_6B6B_6F21)
    }

    /// Public bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

impl TryRng for Draws {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0; 4];
        self.try_fill_bytes(&mut word).map(|()| u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0; 8];
        self.try_fill_bytes(&mut word).map(|()| u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        secret(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Draws {}

/// A generator that hands out public bytes, to prepare a case.
pub(crate) struct PublicDraws<'a>(pub(crate) &'a mut Draws);

impl TryRng for PublicDraws<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for PublicDraws<'_> {}
