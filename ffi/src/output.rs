//! What a call gives out, and what stands there when it fails.
//!
//! Every failure writes zero to every output, so that a program which ignored the code does not go on with what an
//! earlier call left there. Two outputs say something about the failure and are kept: the needed size, and the fault of
//! a share.

use crate::buffer::{Plain, Slot};
use crate::error::{LUKKO_E_MALFORMED, LUKKO_E_SHARE, LUKKO_E_TOO_SMALL, Result};
use crate::values::lukko_share_fault;

/// Outputs that a failure clears. NULL is passed over.
pub(crate) trait Clear {
    /// Writes zeros, unless this code explains itself there.
    fn clear(self, code: i32);
}

/// Outputs of values.
pub(crate) trait Outputs: Clear + Copy {
    /// What is given out.
    type Values;
    /// Refuses NULL.
    fn check(self) -> Result<()>;
    /// Writes the values.
    fn put(self, values: Self::Values);
}

/// The output of a size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'call>(pub(crate) Slot<'call, usize>);

/// The output of a share's fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault<'call>(pub(crate) Slot<'call, lukko_share_fault>);

impl Clear for () {
    fn clear(self, _code: i32) {}
}

impl Clear for Written<'_> {
    fn clear(self, code: i32) {
        if code != LUKKO_E_TOO_SMALL {
            self.0.zero();
        }
    }
}

impl Clear for Fault<'_> {
    fn clear(self, code: i32) {
        if code != LUKKO_E_SHARE && code != LUKKO_E_MALFORMED {
            self.0.zero();
        }
    }
}

impl<T: Plain> Clear for Slot<'_, T> {
    fn clear(self, _code: i32) {
        self.zero();
    }
}

impl<A: Clear, B: Clear> Clear for (A, B) {
    fn clear(self, code: i32) {
        self.0.clear(code);
        self.1.clear(code);
    }
}

impl<A: Clear, B: Clear, C: Clear> Clear for (A, B, C) {
    fn clear(self, code: i32) {
        let (a, b, c) = self;
        (a, (b, c)).clear(code);
    }
}

impl<T: Plain> Outputs for Slot<'_, T> {
    type Values = T;

    fn check(self) -> Result<()> {
        self.present().map(drop)
    }

    fn put(self, value: T) {
        if let Ok(out) = self.present() {
            out.put(value);
        }
    }
}

impl<A: Outputs, B: Outputs> Outputs for (A, B) {
    type Values = (A::Values, B::Values);

    fn check(self) -> Result<()> {
        self.0.check()?;
        self.1.check()
    }

    fn put(self, values: Self::Values) {
        self.0.put(values.0);
        self.1.put(values.1);
    }
}

impl<A: Outputs, B: Outputs, C: Outputs> Outputs for (A, B, C) {
    type Values = (A::Values, B::Values, C::Values);

    fn check(self) -> Result<()> {
        let (a, b, c) = self;
        (a, (b, c)).check()
    }

    fn put(self, values: Self::Values) {
        let (a, b, c) = self;
        (a, (b, c)).put((values.0, (values.1, values.2)));
    }
}
