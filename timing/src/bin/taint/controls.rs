//! Code that leaks in the three ways that there are. Memcheck must find each of them.

use std::hint::black_box;

use crate::mark::{Draws, findings, secret};
use crate::{Case, Expect};

pub(crate) const CASES: &[Case] = &[
    Case { name: "control-table", expect: Expect::Leak, runs: &[("32 bytes", table)] },
    Case { name: "control-branch", expect: Expect::Leak, runs: &[("32 bytes", branch)] },
    Case {
        name: "control-early-exit",
        expect: Expect::Leak,
        runs: &[("byte 0", early_exit::<0>), ("byte 31", early_exit::<31>)],
    },
];

static TABLE: [u8; 256] = [0x5A; 256];

fn drawn(draws: &mut Draws) -> [u8; 32] {
    let mut bytes = draws.bytes();
    secret(&mut bytes);
    bytes
}

fn table(draws: &mut Draws) -> usize {
    let bytes = drawn(draws);
    findings(|| bytes.map(|byte| black_box(&TABLE)[usize::from(byte)]))
}

#[inline(never)]
fn on_odd(byte: &mut u8) {
    *black_box(byte) ^= 1;
}

fn branch(draws: &mut Draws) -> usize {
    let mut bytes = drawn(draws);
    findings(|| {
        for byte in &mut bytes {
            if *byte & 1 == 1 {
                on_odd(byte);
            }
        }
    })
}

fn early_exit<const AT: usize>(draws: &mut Draws) -> usize {
    let expected = draws.bytes::<32>();
    let mut bytes = expected;
    bytes[AT] ^= 1;
    secret(&mut bytes);
    findings(|| {
        for (byte, other) in bytes.iter().zip(black_box(&expected)) {
            if byte != other {
                return false;
            }
        }
        true
    })
}
