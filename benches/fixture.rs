//! What every benchmark here begins with: a clinic in memory, a cheap generator, names made of values, and one setting
//! of how long is measured.

// Each benchmark uses another part of it.
#![allow(dead_code)]

pub(crate) mod clinic;
pub(crate) mod generator;

use std::time::Duration;

use criterion::Criterion;
use lukko::Suite;

pub(crate) const SUITES: [Suite; 2] = [Suite::XWing, Suite::X25519];

pub(crate) const KIB: usize = 1 << 10;
pub(crate) const MIB: usize = 1 << 20;

/// Short, so that the whole suite takes minutes: 20 samples in half a second. Criterion's own options override it,
/// such as `--measurement-time 5`.
pub(crate) fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .nresamples(10_000)
        .without_plots()
}

/// A length in the largest unit that divides it.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes > 0 && bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        _ if bytes > 0 && bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => format!("{bytes} B"),
    }
}

/// A text of this length. Its period, 251 bytes, divides no power of two, so that neighbouring chunks differ.
pub(crate) fn text(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}
