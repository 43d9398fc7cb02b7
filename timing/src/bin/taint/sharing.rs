//! Shamir's scheme: secret bytes, coefficients and share values are secret; the outcome of a check is public.

use std::num::NonZeroU8;

use lukko::hazmat::shamir::{self, Point};

use crate::mark::{Draws, PublicDraws, findings, secret};
use crate::{Case, Expect};

/// The library's file, compiled here as well: its operations are private there.
#[allow(dead_code)]
#[path = "../../../../src/shamir/field.rs"]
mod field;

use field::{Doublings, Elements, SecretElements};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "field",
        expect: Expect::None,
        runs: &[("product", product), ("inverse", inverse), ("zeros to ones", ones), ("secret times byte", scaled)],
    },
    // All shares are needed, so that none is left to be checked.
    Case {
        name: "split-all",
        expect: Expect::None,
        runs: &[("5 of 5", split::<5, 5>), ("255 of 255", split::<255, 255>)],
    },
    // Every share beyond the first k is checked, and that it fits is public.
    Case {
        name: "split",
        expect: Expect::Verdicts(20),
        runs: &[("3 of 23", split::<3, 23>), ("20 of 40", split::<20, 40>)],
    },
    Case {
        name: "combine",
        expect: Expect::None,
        runs: &[("2 shares", combine::<2>), ("5 shares", combine::<5>), ("255 shares", combine::<255>)],
    },
    Case {
        name: "check",
        expect: Expect::Verdicts(1),
        runs: &[
            ("fits", check::<32>),
            ("byte 0 wrong", check::<0>),
            ("byte 16 wrong", check::<16>),
            ("byte 31 wrong", check::<31>),
        ],
    },
    // A dealer's list of indices is public, but which custodians came need not be.
    Case { name: "index", expect: Expect::Verdicts(1), runs: &[("share 9", index::<9>), ("share 255", index::<255>)] },
    Case {
        name: "indices",
        expect: Expect::Verdicts(10),
        runs: &[("1 to 5", indices::<0>), ("251 to 255", indices::<1>), ("mixed", indices::<2>)],
    },
];

fn element(draws: &mut Draws) -> Elements {
    let mut bytes = draws.bytes::<8>();
    secret(&mut bytes);
    Elements::load(&bytes)
}

fn product(draws: &mut Draws) -> usize {
    let (a, b) = (element(draws), element(draws));
    findings(|| a.product(b))
}

fn inverse(draws: &mut Draws) -> usize {
    let a = element(draws);
    findings(|| a.inverse())
}

fn ones(draws: &mut Draws) -> usize {
    let a = element(draws);
    findings(|| a.zeros_to_ones().sum(Elements::splat(7)))
}

fn scaled(draws: &mut Draws) -> usize {
    let mut bytes = draws.bytes::<32>();
    secret(&mut bytes);
    let factors = [element(draws), element(draws)];
    findings(|| {
        let mut doublings = Doublings::zero();
        doublings.set(&bytes);
        let mut sums: Vec<SecretElements> = (0..16).map(|_| SecretElements::zero()).collect();
        doublings.add_products(&factors, &mut sums);
        sums
    })
}

fn split<const K: u8, const N: u8>(draws: &mut Draws) -> usize {
    let mut bytes = draws.bytes::<32>();
    secret(&mut bytes);
    findings(|| shamir::split(&bytes, K, N, draws))
}

/// Shares `1..=n` of a `k`-sharing, public.
fn shares(draws: &mut Draws, k: u8, n: u8) -> Vec<(u8, [u8; 32])> {
    let bytes = draws.bytes::<32>();
    let points = shamir::split(&bytes, k, n, &mut PublicDraws(draws)).unwrap_or_default();
    assert_eq!(points.len(), usize::from(n), "a sharing to prepare a case");
    points.iter().map(|point| (point.x().get(), *point.y())).collect()
}

/// A point whose value is secret.
fn point((x, mut y): (u8, [u8; 32])) -> Point {
    secret(&mut y);
    Point::new(NonZeroU8::new(x).unwrap_or(NonZeroU8::MAX), &y)
}

fn combine<const K: u8>(draws: &mut Draws) -> usize {
    let points: Vec<Point> = shares(draws, K, K).into_iter().map(point).collect();
    let points: Vec<&Point> = points.iter().rev().collect();
    findings(|| shamir::combine(&points))
}

fn check<const WRONG: usize>(draws: &mut Draws) -> usize {
    let mut shares = shares(draws, 5, 6);
    if let Some(byte) = shares[5].1.get_mut(WRONG) {
        *byte ^= 0x80;
    }
    let points: Vec<Point> = shares.into_iter().map(point).collect();
    let points: Vec<&Point> = points.iter().collect();
    findings(|| shamir::check(&points[..5], points[5]))
}

/// A point whose index is secret.
fn hidden((x, y): (u8, [u8; 32])) -> Point {
    let mut x = [NonZeroU8::new(x).unwrap_or(NonZeroU8::MAX)];
    secret(&mut x);
    Point::new(x[0], &y)
}

fn index<const X: u8>(draws: &mut Draws) -> usize {
    let shares = shares(draws, 5, 255);
    let points: Vec<Point> = shares[..5].iter().copied().map(point).collect();
    let points: Vec<&Point> = points.iter().collect();
    let further = hidden(shares[usize::from(X) - 1]);
    findings(|| shamir::check(&points, &further))
}

fn indices<const SET: usize>(draws: &mut Draws) -> usize {
    let shares = shares(draws, 5, 255);
    let sets = [[1, 2, 3, 4, 5], [251, 252, 253, 254, 255], [200, 7, 64, 255, 1]];
    let points: Vec<Point> = sets[SET].iter().map(|x| hidden(shares[x - 1])).collect();
    let points: Vec<&Point> = points.iter().collect();
    findings(|| shamir::combine(&points))
}
