//! Shamir's scheme.

use std::hint::black_box;
use std::num::NonZeroU8;

use dudect_bencher::rand::Rng;
use dudect_bencher::{BenchRng, CtRunner};
use lukko::hazmat::shamir::{self, Point};

use crate::samples::{Prepared, SAMPLES, Toss};

/// The library's file, compiled here as well: its operations are private there.
#[allow(dead_code)]
#[path = "../../../../src/shamir/field.rs"]
mod field;

use field::{Doublings, Elements, SecretElements};

fn elements(bytes: [u8; 32]) -> [Elements; 4] {
    [0, 8, 16, 24].map(|at| Elements::load(&bytes[at..at + 8]))
}

/// Zeros or random: 32 products.
pub(crate) fn field_product(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let a = black_box(elements(toss.fixed_or_random(rng)));
        runner.run_one(toss.class(), || a.map(|a| a.product(black_box(a))));
    }
}

/// Zeros or random: 32 inverses.
pub(crate) fn field_inverse(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let a = black_box(elements(toss.fixed_or_random(rng)));
        runner.run_one(toss.class(), || a.map(Elements::inverse));
    }
}

/// Zeros or random: 32 secret bytes times 8 bytes, both of the class.
pub(crate) fn field_scaled(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let bytes = black_box(toss.fixed_or_random::<32>(rng));
        let factors = black_box([Elements::load(&toss.fixed_or_random::<8>(rng))]);
        runner.run_one(toss.class(), || {
            let mut doublings = Doublings::zero();
            doublings.set(&bytes);
            let mut sums = [const { SecretElements::zero() }; 8];
            doublings.add_products(&factors, &mut sums);
        });
    }
}

/// Zeros or random, the secret and the coefficients: 3 of 5 shares.
pub(crate) fn split_5(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let secret = black_box(toss.fixed_or_random::<32>(rng));
        let coefficients = black_box(toss.fixed_or_random::<64>(rng));
        runner.run_one(toss.class(), || shamir::split(&secret, 3, 5, &mut Prepared(&coefficients)));
    }
}

fn index(x: u8) -> NonZeroU8 {
    NonZeroU8::new(x).unwrap_or(NonZeroU8::MAX)
}

fn references(points: &[Point]) -> Vec<&Point> {
    points.iter().collect()
}

/// Zeros or random, the values of 5 shares.
pub(crate) fn combine_5(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let points = [9, 200, 31, 4, 77].map(|x| Point::new(index(x), &black_box(toss.fixed_or_random(rng))));
        let points = references(&points);
        runner.run_one(toss.class(), || shamir::combine(&points));
    }
}

/// T134: the shares 1 to 5, or five others.
pub(crate) fn combine_indices(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        // Five that differ: one from each block of 51.
        let mut others = [0; 5];
        rng.fill_bytes(&mut others);
        for (block, x) in (0..).zip(&mut others) {
            *x = *x % 51 + 1 + 51 * block;
        }
        let xs = black_box(toss.either([1, 2, 3, 4, 5], others));
        let points = xs.map(|x| {
            let mut y = [0; 32];
            rng.fill_bytes(&mut y);
            Point::new(index(x), &y)
        });
        let points = references(&points);
        runner.run_one(toss.class(), || shamir::combine(&points));
    }
}

/// Zeros or random, the values of 6 shares that fit together.
pub(crate) fn check_fitting(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let (secret, coefficients) = (toss.fixed_or_random(rng), toss.fixed_or_random::<128>(rng));
        let points = shamir::split(&secret, 5, 6, &mut Prepared(&coefficients)).unwrap_or_default();
        let points = references(&points);
        runner.run_one(toss.class(), || shamir::check(&points[..5], points[5]).is_ok());
    }
}

/// A sixth share that is wrong in byte 0, or in byte 31.
pub(crate) fn check_place(runner: &mut CtRunner, rng: &mut BenchRng) {
    let mut random = [0; 160];
    rng.fill_bytes(&mut random);
    let (secret, coefficients) = random.split_first_chunk().unwrap_or((&[0; 32], &[]));
    let points = shamir::split(secret, 5, 6, &mut Prepared(coefficients)).unwrap_or_default();
    let points = references(&points);
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let wrong = Point::new(points[5].x(), &black_box(toss.altered(*points[5].y())));
        runner.run_one(toss.class(), || shamir::check(&points[..5], &wrong).is_err());
    }
}
