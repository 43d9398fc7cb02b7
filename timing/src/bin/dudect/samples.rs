//! The two classes: prepared by the same code, without a branch on which of them it is.

use std::convert::Infallible;

use dudect_bencher::rand::Rng;
use dudect_bencher::{BenchRng, Class};
use lukko::rand_core::{TryCryptoRng, TryRng};

/// Samples of each case: half of them in each class, by the toss of a coin.
pub(crate) const SAMPLES: usize = 1_000_000;

/// One toss: the class, and a mask that is 0 for the left class and 0xFF for the right one.
pub(crate) struct Toss(u8);

impl Toss {
    pub(crate) fn new(rng: &mut BenchRng) -> Self {
        Self(0_u8.wrapping_sub(u8::from(rng.next_u32() & 1 == 1)))
    }

    pub(crate) fn class(&self) -> Class {
        if self.0 == 0 { Class::Left } else { Class::Right }
    }

    /// All zero for the left class, random for the right one.
    pub(crate) fn fixed_or_random<const N: usize>(&self, rng: &mut BenchRng) -> [u8; N] {
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        bytes.map(|byte| byte & self.0)
    }

    /// The value of the left class or of the right one.
    pub(crate) fn either<const N: usize>(&self, left: [u8; N], right: [u8; N]) -> [u8; N] {
        let mut chosen = left;
        for (to, from) in chosen.iter_mut().zip(right) {
            *to ^= (*to ^ from) & self.0;
        }
        chosen
    }

    /// The first byte altered for the left class, the last one for the right.
    pub(crate) fn altered<const N: usize>(&self, bytes: [u8; N]) -> [u8; N] {
        let (mut first, mut last) = (bytes, bytes);
        first[0] ^= 1;
        last[N - 1] ^= 1;
        self.either(first, last)
    }
}

/// Hands out bytes that were prepared before.
pub(crate) struct Prepared<'a>(pub(crate) &'a [u8]);

impl TryRng for Prepared<'_> {
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
        bytes.copy_from_slice(&self.0[..bytes.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Prepared<'_> {}
