//! 32 polynomials over GF(2^8) at once, one for each byte of a secret: their values, and the way back.
//!
//! Both are one sum, `factor * bytes` over all coefficients or all points. The factors come from the indices alone:
//! powers of x, or the Lagrange basis.

use alloc::vec::Vec;

use super::field::{Doublings, Elements, SecretElements, WIDTH};

/// `c_0 + c_1 x + .. + c_(k-1) x^(k-1)` for every x in `xs`; `c_0` is `constant`, the others are `higher`.
///
/// Work: k - 1 products with a byte for each index.
pub(super) fn evaluate(constant: &[u8; 32], higher: &[[u8; 32]], xs: &[u8]) -> Vec<SecretElements> {
    let mut sums = zeros(xs.len());
    sums.iter_mut().for_each(|sum| sum.add(constant));
    let xs = pack(xs);
    let mut powers = xs.clone();
    let mut doublings = Doublings::zero();
    for coefficient in higher {
        doublings.set(coefficient);
        doublings.add_products(&powers, &mut sums);
        multiply(&mut powers, xs.iter().copied());
    }
    sums
}

/// The Lagrange basis of distinct indices: `w_i = 1 / product of (x_i - x_m), m != i`.
///
/// It depends on the indices only, holds nothing secret, and serves any number of targets.
pub(super) struct Basis<'a> {
    xs: &'a [u8],
    weights: Vec<u8>,
}

impl<'a> Basis<'a> {
    /// Of indices that are distinct, which the caller has checked.
    ///
    /// Work: k^2 / 8 products of words.
    pub(super) fn new(xs: &'a [u8]) -> Self {
        let weights = xs.chunks(WIDTH).map(|chunk| denominators(Elements::load(chunk), xs).inverse());
        // The last word may hold more than there are indices.
        let weights = weights.flat_map(Elements::to_bytes).take(xs.len()).collect();
        Self { xs, weights }
    }

    /// The values at `targets` of the polynomials of lowest degree through the points `(x_i, y_i)`.
    ///
    /// `sum of y_i * w_i * product of (t - x_m), m != i`. There is no division by `t - x_i`: a target among the x gives
    /// its own y back. Work: k products with a byte for each target.
    pub(super) fn interpolate<'y>(
        &self,
        ys: impl DoubleEndedIterator<Item = &'y [u8; 32]> + ExactSizeIterator,
        targets: &[u8],
    ) -> Vec<SecretElements> {
        let mut sums = zeros(targets.len());
        let targets = pack(targets);
        let mut factors = self.left_products(&targets);
        let mut right = ones(&targets);
        let mut doublings = Doublings::zero();
        // Rows of length 0, if nothing is asked, are the one thing that `chunks_exact_mut` refuses.
        let rows = factors.chunks_exact_mut(targets.len().max(1));
        for ((x, y), row) in self.xs.iter().zip(ys).zip(rows).rev() {
            multiply(row, right.iter().copied());
            doublings.set(y);
            doublings.add_products(row, &mut sums);
            multiply(&mut right, differences(&targets, *x));
        }
        sums
    }

    /// `w_i * product of (t - x_m), m < i`: for each i a row of all targets t.
    fn left_products(&self, targets: &[Elements]) -> Vec<Elements> {
        let mut rows = Vec::with_capacity(self.xs.len().saturating_mul(targets.len()));
        let mut left = ones(targets);
        for (x, weight) in self.xs.iter().zip(&self.weights) {
            rows.extend(left.iter().map(|product| product.product(Elements::splat(*weight))));
            multiply(&mut left, differences(targets, *x));
        }
        rows
    }
}

/// `product of (x - x_m), x_m != x` for 8 indices x.
fn denominators(x: Elements, xs: &[u8]) -> Elements {
    // The indices are distinct, so the only zero among the factors is that of x itself: it becomes a one.
    let factors = xs.iter().map(|x_m| x.sum(Elements::splat(*x_m)).zeros_to_ones());
    factors.fold(Elements::ONE, Elements::product)
}

/// `t - x` for all targets t.
fn differences(targets: &[Elements], x: u8) -> impl Iterator<Item = Elements> {
    targets.iter().map(move |t| t.sum(Elements::splat(x)))
}

fn multiply(products: &mut [Elements], factors: impl Iterator<Item = Elements>) {
    for (product, factor) in products.iter_mut().zip(factors) {
        *product = product.product(factor);
    }
}

fn pack(bytes: &[u8]) -> Vec<Elements> {
    bytes.chunks(WIDTH).map(Elements::load).collect()
}

fn ones(targets: &[Elements]) -> Vec<Elements> {
    targets.iter().map(|_| Elements::ONE).collect()
}

fn zeros(count: usize) -> Vec<SecretElements> {
    core::iter::repeat_with(SecretElements::zero).take(count).collect()
}
