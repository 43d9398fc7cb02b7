//! Roles, statuses and reasons, as they stand on the roster.

use core::fmt;
use core::ops::BitOr;

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

    /// Every role with its name.
    const NAMED: [(Self, &str); 3] = [(Self::READ, "read"), (Self::DEPOSIT, "deposit"), (Self::ENROL, "enrol")];

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

    /// `None` for the empty set and for bits that name no role.
    pub(crate) const fn from_byte(bits: u8) -> Option<Self> {
        const ALL: u8 = Roles::READ.0 | Roles::DEPOSIT.0 | Roles::ENROL.0;
        if bits != 0 && bits & !ALL == 0 { Some(Self(bits)) } else { None }
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
        f.debug_set()
            .entries(Self::NAMED.iter().filter(|(role, _)| self.contains(*role)).map(|(_, name)| name))
            .finish()
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
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Active),
            2 => Some(Self::Retired),
            3 => Some(Self::Revoked),
            _ => None,
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
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Erased),
            2 => Some(Self::Compromised),
            _ => None,
        }
    }

    /// Whether a card that is closed for this reason may be closed for `next` later: a compromised card may be erased,
    /// and an erased one stays erased.
    pub(crate) const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Compromised, Self::Erased | Self::Compromised) | (Self::Erased, Self::Erased) => true,
            (Self::Erased, Self::Compromised) => false,
        }
    }
}
