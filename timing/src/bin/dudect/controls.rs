//! Code that leaks. Its t must exceed 4.5, or the measurement does not work.

use std::hint::black_box;

use dudect_bencher::rand::Rng;
use dudect_bencher::{BenchRng, CtRunner};

use crate::samples::{SAMPLES, Toss};

/// A comparison of 32 bytes that stops at the first difference: at byte 0, or at byte 31.
pub(crate) fn control_early_exit(runner: &mut CtRunner, rng: &mut BenchRng) {
    let mut expected = [0; 32];
    rng.fill_bytes(&mut expected);
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let met = black_box(toss.altered(expected));
        runner.run_one(toss.class(), || {
            for (a, b) in met.iter().zip(black_box(&expected)) {
                if a != b {
                    return false;
                }
            }
            true
        });
    }
}

/// A product in GF(2^8) that does nothing for a zero bit: of 32 zeros, or of 32 random bytes.
pub(crate) fn control_skipped_zeros(runner: &mut CtRunner, rng: &mut BenchRng) {
    for _ in 0..SAMPLES {
        let toss = Toss::new(rng);
        let bytes = black_box(toss.fixed_or_random::<32>(rng));
        runner.run_one(toss.class(), || bytes.map(|byte| leaky_product(black_box(0xA7), byte)));
    }
}

#[inline(never)]
fn leaky_product(a: u8, mut b: u8) -> u8 {
    let (mut product, mut doubled) = (0, a);
    while b != 0 {
        if b & 1 == 1 {
            product ^= doubled;
        }
        doubled = (doubled << 1) ^ if doubled & 0x80 == 0 { 0 } else { 0x1D };
        b >>= 1;
    }
    product
}
