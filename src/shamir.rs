//! Shamir's secret sharing, bytewise over GF(2^8) (A. Shamir, "How to share a secret", CACM 22(11), 1979).
//!
//! `f(x) = secret + c_1 x + .. + c_(k-1) x^(k-1)`, one such polynomial for each of the 32 bytes, modulo 0x11D; share x is
//! `f(x)`. Any k shares determine f and with it `f(0)`, the secret; k - 1 say nothing about it.
//!
//! **Why every coefficient is uniform over all 256 values, the leading one too.** Fix any k - 1 shares. For each
//! candidate secret exactly one polynomial of degree *at most* k - 1 passes through it and the shares. When all
//! polynomials are equally likely, so are all secrets: the shares say nothing. A dealer who avoids a leading zero removes
//! one candidate, the value at 0 of the polynomial of lower degree through the k - 1 shares. Every further sharing of
//! the same secret removes another one, until the true secret is left: RUSTSEC-2024-0398.
//!
//! Time depends on k and n only: not on secret bytes, and not on which custodians came.
//!
//! Security: nothing here knows whether a share is genuine or how many are needed. Whoever combines must have
//! checked each share against its digest, count them, and compare what the secret derives with what is expected.

#![cfg_attr(
    not(feature = "hazmat"),
    allow(unreachable_pub, dead_code, reason = "the room is public under `hazmat` only, for vectors and benchmarks")
)]

use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::num::NonZeroU8;

use rand_core::TryCryptoRng;

use crate::error::{Error, Result, ShareFault, Usage};
use crate::secret::{Secret, SecretBytes};

use self::field::SecretElements;
use self::polynomial::Basis;

mod field;
mod polynomial;
#[cfg(test)]
mod tests;

/// `(x, f(x))`: one share's value of 32 bytes and its index, 1 to 255.
///
/// Security: x = 0 would be the secret itself and cannot be written down. The value is wiped on drop and not shown.
pub struct Point {
    x: NonZeroU8,
    y: Secret<32>,
}

impl Point {
    /// Copies a value that the caller owns and wipes.
    #[must_use]
    pub fn new(x: NonZeroU8, y: &[u8; 32]) -> Self {
        Self::from_secret(x, Secret::copied(y))
    }

    pub(crate) const fn from_secret(x: NonZeroU8, y: Secret<32>) -> Self {
        Self { x, y }
    }

    /// The index.
    #[must_use]
    pub const fn x(&self) -> NonZeroU8 {
        self.x
    }

    /// The value, secret.
    #[must_use]
    pub fn y(&self) -> &[u8; 32] {
        self.y.expose()
    }

    /// Whether the value is another one, in constant time. Leaves the difference in its place.
    fn differs_from(&self, value: &mut SecretElements) -> bool {
        value.add(self.y());
        !bool::from(value.is_zero())
    }

    const fn refused(&self, reason: ShareFault) -> Error {
        Error::Share { index: self.x.get(), reason }
    }
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point").field("x", &self.x).finish_non_exhaustive()
    }
}

/// What [`combine`] found at x = 0: 32 bytes, wiped on drop and not shown.
///
/// Security: it is the secret only if the points were genuine and at least k. Compare what it derives before use.
pub struct Recovered(Secret<32>);

impl Recovered {
    /// The 32 bytes, to be checked before use.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    pub(crate) fn into_secret(self) -> Secret<32> {
        self.0
    }
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered").finish_non_exhaustive()
    }
}

/// `f(1), .., f(n)` for a random f of degree at most k - 1 with `f(0) = secret`.
///
/// 32 bytes in, n points of 32 bytes out, in the order of x; any k of them recover the secret. Draws `(k - 1) * 32`
/// bytes, once.
///
/// # Errors
/// [`Usage::PolicyRange`] unless 2 <= k <= n <= 255; [`Error::Randomness`] if the generator fails;
/// [`Error::Share`] with [`ShareFault::OffPolynomial`] if a share does not fit the first k (a computation error of the
/// machine). Nothing is returned then.
///
/// # Security
/// The generator must be a secure one: who can predict it knows the secret from one share.
pub fn split(secret: &[u8; 32], k: u8, n: u8, rng: &mut impl TryCryptoRng) -> Result<Vec<Point>> {
    if k < 2 || k > n {
        return Err(Usage::PolicyRange.into());
    }
    let mut random = SecretBytes::new(vec![0; usize::from(k).saturating_sub(1).saturating_mul(32)]);
    rng.try_fill_bytes(random.as_mut()).map_err(|_| Error::Randomness)?;

    let xs: Vec<u8> = (1..=n).collect();
    let values = polynomial::evaluate(secret, random.expose().as_chunks().0, &xs);
    let indices = (1..=n).filter_map(NonZeroU8::new);
    let points: Vec<Point> = indices.zip(&values).map(|(x, value)| Point::from_secret(x, value.to_secret())).collect();

    let (first, further) = points.split_at_checked(k.into()).ok_or(Usage::PolicyRange)?;
    check_all(first, further)?;
    Ok(points)
}

/// `f(0)` for the f of lowest degree through all of the given points, 2 to 255 of them, in any order.
///
/// With k or more points of one [`split`] this is its secret. More than k points give no assurance by themselves:
/// [`check`] them.
///
/// # Errors
/// [`Error::NotEnoughShares`] for fewer than 2 points; [`Error::Share`] with [`ShareFault::Duplicate`] and the index of
/// the first one that comes a second time.
///
/// # Security
/// Fewer than k points, or one wrong one, give 32 bytes that look like any others. One wrong point lets its
/// owner shift the result by a difference of his choice. See [`Recovered`].
pub fn combine(points: &[&Point]) -> Result<Recovered> {
    let xs = distinct(points)?;
    let values = interpolate(points, &xs, &[0]);
    let at_zero = values.first().map(SecretElements::to_secret);
    at_zero.map(Recovered).ok_or(Error::NotEnoughShares { have: 0, need: 2 })
}

/// Whether `further` lies on the f of lowest degree through `points`, 2 to 255 of them, k in use.
///
/// # Errors
/// [`Error::Share`] with [`ShareFault::OffPolynomial`] and the index of `further` if it does not; as [`combine`] for the
/// `points`.
///
/// # Security
/// It says that the shares differ, not which one is wrong: a false one among `points` makes a good one fail.
pub fn check(points: &[&Point], further: &Point) -> Result<()> {
    check_all(points, &[further])
}

/// [`check`] for several at once, which computes the basis once; names the first that does not fit.
pub(crate) fn check_all<P: Borrow<Point>>(points: &[P], further: &[P]) -> Result<()> {
    let xs = distinct(points)?;
    if further.is_empty() {
        return Ok(());
    }
    let targets: Vec<u8> = further.iter().map(|point| point.borrow().x.get()).collect();
    let mut values = interpolate(points, &xs, &targets);
    // By reference: a value that is moved out of a vector stays in its memory, where nobody wipes it.
    let off = further.iter().zip(&mut values).find_map(|(point, value)| {
        let point = point.borrow();
        point.differs_from(value).then_some(point)
    });
    off.map_or(Ok(()), |point| Err(point.refused(ShareFault::OffPolynomial)))
}

fn interpolate<P: Borrow<Point>>(points: &[P], xs: &[u8], targets: &[u8]) -> Vec<SecretElements> {
    Basis::new(xs).interpolate(points.iter().map(|point| point.borrow().y()), targets)
}

/// The indices, at least 2 and no two the same.
fn distinct<P: Borrow<Point>>(points: &[P]) -> Result<Vec<u8>> {
    let mut xs = Vec::with_capacity(points.len());
    for point in points.iter().map(Borrow::borrow) {
        // Without a repetition this looks at every byte: its time says nothing about the indices.
        if xs.contains(&point.x.get()) {
            return Err(point.refused(ShareFault::Duplicate));
        }
        xs.push(point.x.get());
    }
    match xs.len() {
        have @ (0 | 1) => Err(Error::NotEnoughShares { have: u8::from(have == 1), need: 2 }),
        _ => Ok(xs),
    }
}

impl SecretElements {
    fn to_secret(&self) -> Secret<32> {
        Secret::filled(|bytes| self.write(bytes))
    }
}
