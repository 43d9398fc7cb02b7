//! Measures whether the time of an operation tells two classes of inputs apart: Welch's t-test on many single runs, as in
//! dudect (O. Reparaz, J. Balasch, I. Verbauwhede, 2017).
//!
//! `dudect --filter CASE` runs one case; `timing/run-dudect` runs and judges all of them. An |t| above 4.5 is a finding.

// For the tests of `field.rs`, which are compiled by `--all-targets` and never run here.
#[cfg(test)]
extern crate alloc;

mod comparisons;
mod controls;
mod samples;
mod sharing;

use comparisons::{commitment_key, commitment_place, digest_place, tag_key, tag_place};
use controls::{control_early_exit, control_skipped_zeros};
use sharing::{
    check_fitting, check_place, combine_5, combine_indices, field_inverse, field_product, field_scaled, split_5,
};

dudect_bencher::ctbench_main!(
    control_early_exit,
    control_skipped_zeros,
    field_product,
    field_inverse,
    field_scaled,
    split_5,
    combine_5,
    combine_indices,
    check_fitting,
    check_place,
    commitment_key,
    commitment_place,
    tag_key,
    tag_place,
    digest_place
);
