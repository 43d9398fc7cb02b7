//! Roles, statuses and reasons, as they stand on the roster.

use core::fmt;
use core::ops::BitOr;

use crate::error::{Result, Usage};
use crate::wire::roster::is_role_set;

/// What a key may do: a non-empty set of roles. It never changes; another role is another key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// May be granted patients, and then reads and writes their records.
    pub const READ: Self = Self(1);
    /// May deposit records for any patient, and reads none.
    pub const DEPOSIT: Self = Self(2);
    /// May enrol patients and endorse cards.
    pub const ENROL: Self = Self(4);

    /// Whether all of `roles` are in this set.
    #[must_use]
    pub const fn contains(self, roles: Self) -> bool {
        self.0 & roles.0 == roles.0
    }

    /// The set in one byte: `read` 1, `deposit` 2, `enrol` 4.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Takes a set from one byte.
    ///
    /// # Errors
    /// [`Usage::Roles`] for the empty set and for bits that name no role.
    pub fn from_bits(bits: u8) -> Result<Self> {
        if is_role_set(bits) { Ok(Self(bits)) } else { Err(Usage::Roles.into()) }
    }

    pub(super) const fn from_wire(bits: u8) -> Self {
        Self(bits)
    }
}

impl BitOr for Roles {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(Self::READ, "read"), (Self::DEPOSIT, "deposit"), (Self::ENROL, "enrol")];
        f.debug_set().entries(names.iter().filter(|(role, _)| self.contains(*role)).map(|(_, name)| name)).finish()
    }
}

/// What counts of a key on the roster. It only moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// In use.
    Active = 1,
    /// Believed destroyed: what it signed stands, it signs and receives nothing new. No help against its theft.
    Retired = 2,
    /// Lost or stolen: nothing that it signed counts.
    Revoked = 3,
}

impl Status {
    /// The parser lets only 1, 2 and 3 through.
    pub(super) const fn from_wire(status: u8) -> Self {
        match status {
            1 => Self::Active,
            2 => Self::Retired,
            _ => Self::Revoked,
        }
    }
}

/// Why a card is closed. A closed card is refused for sealing, opening and grants, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ClosedReason {
    /// The patient was erased.
    Erased = 1,
    /// The patient key got into wrong hands.
    Compromised = 2,
}

impl ClosedReason {
    /// The parser lets only 1 and 2 through.
    pub(super) const fn from_wire(reason: u8) -> Self {
        match reason {
            1 => Self::Erased,
            _ => Self::Compromised,
        }
    }
}
