//! How many custodians there are, and how many of them open the vault.

use crate::error::{Result, Usage};

/// k of n: any k of the n shares recover the master secret, fewer say nothing about it. 2 <= k <= n <= 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    k: u8,
    n: u8,
}

impl Policy {
    /// A majority that can afford to lose shares: n/2 < k < n, such as 3 of 5.
    ///
    /// # Errors
    /// [`Usage::PolicyRange`] outside 2 <= k <= n <= 255, [`Usage::PolicyMinority`] for k <= n/2,
    /// [`Usage::PolicyUnanimous`] for k = n.
    pub fn new(k: u8, n: u8) -> Result<Self> {
        let policy = Self::in_range(k, n)?;
        if k == n {
            return Err(Usage::PolicyUnanimous.into());
        }
        if policy.is_minority() {
            return Err(Usage::PolicyMinority.into());
        }
        Ok(policy)
    }

    /// k <= n/2: two disjoint groups of custodians can each open the vault.
    ///
    /// # Errors
    /// [`Usage::PolicyRange`] outside 2 <= k <= n/2.
    pub fn minority(k: u8, n: u8) -> Result<Self> {
        let policy = Self::in_range(k, n)?;
        if policy.is_minority() { Ok(policy) } else { Err(Usage::PolicyRange.into()) }
    }

    /// k = n: one lost share loses the vault.
    ///
    /// # Errors
    /// [`Usage::PolicyRange`] for n below 2.
    pub fn unanimous(n: u8) -> Result<Self> {
        Self::in_range(n, n)
    }

    /// The threshold.
    #[must_use]
    pub const fn k(self) -> u8 {
        self.k
    }

    /// The number of shares.
    #[must_use]
    pub const fn n(self) -> u8 {
        self.n
    }

    fn in_range(k: u8, n: u8) -> Result<Self> {
        if 2 <= k && k <= n { Ok(Self { k, n }) } else { Err(Usage::PolicyRange.into()) }
    }

    fn is_minority(self) -> bool {
        u16::from(self.k).saturating_mul(2) <= u16::from(self.n)
    }
}
