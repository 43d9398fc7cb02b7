//! GF(2^8) modulo X^8 + X^4 + X^3 + X^2 + 1 (0x11D), 8 elements to a 64-bit word.
//!
//! There are two types, because they are treated differently. [`Elements`] come from the indices x alone and may be
//! multiplied with each other. [`SecretElements`] are only ever added, doubled, and masked with bits of `Elements`: no
//! secret byte chooses a branch, an address or a mask. Indices choose no branch and no address either.

use core::hint::black_box;

use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroize;

/// How many elements a word holds.
pub(super) const WIDTH: usize = 8;

/// Words of the 32 secret bytes.
const WORDS: usize = 4;

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const REDUCTION: u64 = 0x1D1D_1D1D_1D1D_1D1D;

/// Bit i in byte i.
const DIAGONAL: u64 = 0x8040_2010_0804_0201;

/// `X^(2 i)` for bit i.
const SQUARES: [u8; 8] = [0x01, 0x04, 0x10, 0x40, 0x1D, 0x74, 0xCD, 0x13];

/// `0xFF` in each byte whose lowest bit is set, else 0.
const fn mask(word: u64) -> u64 {
    let low = word & ONES;
    (low << 8).wrapping_sub(low)
}

/// The same byte eight times.
const fn splat(byte: u8) -> u64 {
    ONES.wrapping_mul(byte as u64)
}

/// `X * e` for the 8 elements of a word: shift, and where X^8 came up, add its residue 0x1D.
const fn double(word: u64) -> u64 {
    ((word & LOW_BITS) << 1) ^ (mask(word >> 7) & REDUCTION)
}

/// 8 elements made of indices x: not secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elements(u64);

impl Elements {
    pub(super) const ONE: Self = Self(ONES);

    /// The first 8 of the bytes, then zeros.
    pub(super) fn load(bytes: &[u8]) -> Self {
        let mut padded = [0; WIDTH];
        for (to, from) in padded.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self(u64::from_le_bytes(padded))
    }

    /// 8 times the same byte.
    pub(super) const fn splat(byte: u8) -> Self {
        Self(splat(byte))
    }

    pub(super) const fn to_bytes(self) -> [u8; WIDTH] {
        self.0.to_le_bytes()
    }

    /// `a + b`, and as well `a - b`.
    pub(super) const fn sum(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// `a * b`, element by element: the doublings of a, each masked with its bit of b.
    pub(super) fn product(self, other: Self) -> Self {
        let mut product = 0;
        let mut doubled = self.0;
        for bit in 0..8 {
            product ^= doubled & mask(other.0 >> bit);
            doubled = double(doubled);
        }
        Self(product)
    }

    /// `a^2`: the squares of its terms, because (a + b)^2 = a^2 + b^2.
    fn square(self) -> Self {
        let terms = (0..8).zip(SQUARES).map(|(bit, square)| mask(self.0 >> bit) & splat(square));
        Self(terms.fold(0, |sum, term| sum ^ term))
    }

    /// `1 / a`, and 0 for 0.
    ///
    /// The group has 255 elements, so 1/a = a^254 = a^240 * a^12 * a^2.
    pub(super) fn inverse(self) -> Self {
        let power_2 = self.square();
        let power_3 = power_2.product(self);
        let power_12 = power_3.square().square();
        let power_14 = power_12.product(power_2);
        let power_15 = power_12.product(power_3);
        let power_240 = power_15.square().square().square().square();
        power_240.product(power_14)
    }

    /// 1 in place of every 0.
    pub(super) const fn zeros_to_ones(self) -> Self {
        // The sum reaches the high bit unless the seven low bits are zero; it never leaves its byte.
        let not_zero = (self.0 & LOW_BITS).wrapping_add(LOW_BITS) | self.0;
        Self(self.0 | ((!not_zero & HIGH_BITS) >> 7))
    }
}

/// The bits of a byte, lowest first, as 0 or -1.
fn bit_masks(byte: u8) -> [i8; 8] {
    // Each byte of the word keeps one bit of the byte; the sum lifts it to the highest place.
    let kept = splat(byte) & DIAGONAL;
    let lifted = kept.wrapping_add(LOW_BITS);
    mask(lifted >> 7).to_le_bytes().map(u8::cast_signed)
}

/// 32 secret elements, wiped on drop.
pub(super) struct SecretElements([u64; WORDS]);

impl SecretElements {
    pub(super) const fn zero() -> Self {
        Self([0; WORDS])
    }

    /// `self + bytes`, in place.
    pub(super) fn add(&mut self, bytes: &[u8; 32]) {
        for (word, chunk) in self.0.iter_mut().zip(bytes.as_chunks().0) {
            *word ^= u64::from_le_bytes(*chunk);
        }
    }

    pub(super) fn write(&self, bytes: &mut [u8; 32]) {
        for (word, chunk) in self.0.iter().zip(bytes.as_chunks_mut().0) {
            *chunk = word.to_le_bytes();
        }
    }

    /// Whether all are zero, in constant time.
    pub(super) fn is_zero(&self) -> Choice {
        self.0.iter().fold(0, |any, word| any | word).ct_eq(&0)
    }
}

impl Drop for SecretElements {
    fn drop(&mut self) {
        self.0.as_mut_slice().zeroize();
    }
}

/// `c, X c, X^2 c, .. X^7 c` for 32 secret elements c, wiped on drop: a product with a byte is then eight masked sums.
pub(super) struct Doublings([[u64; WORDS]; 8]);

impl Doublings {
    pub(super) const fn zero() -> Self {
        Self([[0; WORDS]; 8])
    }

    /// Takes other elements, in place.
    pub(super) fn set(&mut self, bytes: &[u8; 32]) {
        let [first, others @ ..] = &mut self.0;
        for (word, chunk) in first.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let mut previous = first;
        for next in others {
            for (to, from) in next.iter_mut().zip(&*previous) {
                *to = double(*from);
            }
            previous = next;
        }
    }

    /// `sums[i] += factors[i] * c`; factors beyond the sums are ignored.
    pub(super) fn add_products(&self, factors: &[Elements], sums: &mut [SecretElements]) {
        let factors = factors.iter().flat_map(|eight| eight.to_bytes());
        for (sum, factor) in sums.iter_mut().zip(factors) {
            // From a mask `0 - bit` the compiler makes a branch; of the origin of these it knows nothing.
            self.add_masked(black_box(bit_masks(factor)), sum);
        }
    }

    /// `sum += c * factor`, with the factor's bits as masks.
    // Inlined into a loop, the doublings are first copied to the stack, where nobody wipes them.
    #[inline(never)]
    fn add_masked(&self, masks: [i8; 8], sum: &mut SecretElements) {
        for (mask, doubled) in masks.into_iter().zip(&self.0) {
            let mask = i64::from(mask).cast_unsigned();
            for (word, added) in sum.0.iter_mut().zip(doubled) {
                *word ^= added & mask;
            }
        }
    }
}

impl Drop for Doublings {
    fn drop(&mut self) {
        self.0.as_flattened_mut().zeroize();
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Multiplication of polynomials as on paper, then long division by 0x11D.
    fn slow_product(a: u8, b: u8) -> u8 {
        let mut long = 0_u32;
        for bit in 0..8 {
            if b & (1 << bit) != 0 {
                long ^= u32::from(a) << bit;
            }
        }
        for bit in (8..15).rev() {
            if long & (1 << bit) != 0 {
                long ^= 0x11D << (bit - 8);
            }
        }
        u8::try_from(long).unwrap()
    }

    /// All 256 bytes, N at a time.
    fn all<const N: usize>() -> impl Iterator<Item = [u8; N]> {
        let bytes: Vec<u8> = (0..=255).collect();
        let blocks: Vec<[u8; N]> = bytes.as_chunks().0.to_vec();
        blocks.into_iter()
    }

    #[test]
    fn t070_all_products_equal_a_slow_reference() {
        for a in 0..=255 {
            for bytes in all::<WIDTH>() {
                let expected = bytes.map(|b| slow_product(a, b));
                assert_eq!(Elements::splat(a).product(Elements::load(&bytes)).to_bytes(), expected, "{a} * {bytes:?}");
                assert_eq!(Elements::load(&bytes).product(Elements::splat(a)).to_bytes(), expected, "{bytes:?} * {a}");
            }
        }
    }

    #[test]
    fn t070_all_secret_products_equal_a_slow_reference() {
        let mut doublings = Doublings::zero();
        let factors: Vec<Elements> = all::<WIDTH>().map(|bytes| Elements::load(&bytes)).collect();
        for bytes in all::<32>() {
            doublings.set(&bytes);
            let mut sums: Vec<_> = core::iter::repeat_with(SecretElements::zero).take(256).collect();
            doublings.add_products(&factors, &mut sums);
            for (sum, factor) in sums.iter().zip(0..=255) {
                let mut product = [0; 32];
                sum.write(&mut product);
                assert_eq!(product, bytes.map(|b| slow_product(factor, b)), "{factor} * {bytes:?}");
            }
        }
    }

    #[test]
    fn t070_all_squares_equal_a_slow_reference() {
        for bytes in all::<WIDTH>() {
            assert_eq!(Elements::load(&bytes).square().to_bytes(), bytes.map(|b| slow_product(b, b)));
        }
    }

    #[test]
    fn t070_all_inverses() {
        for bytes in all::<WIDTH>() {
            let inverses = Elements::load(&bytes).inverse().to_bytes();
            for (element, inverse) in bytes.into_iter().zip(inverses) {
                assert_eq!(slow_product(element, inverse), u8::from(element != 0), "1 / {element}");
            }
        }
    }

    #[test]
    fn t070_distributivity_on_all_triples() {
        for a in (0..=255).map(Elements::splat) {
            for c in all::<WIDTH>().map(|bytes| Elements::load(&bytes)) {
                let a_c = a.product(c);
                for b in (0..=255).map(Elements::splat) {
                    assert_eq!(a.product(b.sum(c)), a.product(b).sum(a_c));
                }
            }
        }
    }

    #[test]
    fn zeros_become_ones_and_nothing_else_changes() {
        for bytes in all::<WIDTH>() {
            assert_eq!(Elements::load(&bytes).zeros_to_ones().to_bytes(), bytes.map(|b| if b == 0 { 1 } else { b }));
        }
    }

    #[test]
    fn a_short_load_is_padded_with_zeros() {
        let mut expected = [0; WIDTH];
        expected[..3].copy_from_slice(&[7, 8, 9]);
        assert_eq!(Elements::load(&[7, 8, 9]).to_bytes(), expected);
    }
}
