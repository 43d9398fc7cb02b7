//! The choices of the format, each one byte or one number. The room `wire` reads them once; from there on each is a type,
//! and a new value makes every room decide.

mod role;
mod suite;

pub use role::{ClosedReason, Roles, Status};
pub use suite::Suite;

/// How the record key of a sealed note reached its record. Read from stored bytes it is a claim, and opening checks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Path {
    /// A reader sealed it: [`Vault::open`](crate::Vault::open), or as an attachment.
    Reader = 1,
    /// A member who cannot read deposited it: [`Vault::open_deposit`](crate::Vault::open_deposit).
    Deposit = 2,
    /// A reader took a deposit over: [`Vault::open_deposit`](crate::Vault::open_deposit).
    Absorbed = 3,
    /// A member who cannot read deposited it as a stream.
    DepositedAttachment = 4,
}

impl Path {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Reader),
            2 => Some(Self::Deposit),
            3 => Some(Self::Absorbed),
            4 => Some(Self::DepositedAttachment),
            _ => None,
        }
    }
}

/// How the length of a note is hidden. Bound to the ciphertext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Padding {
    /// Not at all: the ciphertext is as long as the note, plus a constant.
    None = 0,
    /// Marker and zeros to the Padmé length, at least 256 bytes (Nikitin and others, "Reducing Metadata Leakage from
    /// Encrypted Files and Communication with PURBs", 2019): adds at most 12 % and leaves O(log log n) bits.
    #[default]
    Padme = 1,
}

impl Padding {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Padme),
            _ => None,
        }
    }
}
