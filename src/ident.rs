//! Identifiers and counters that a caller gives, valid by construction, and what an object belongs to.

use alloc::boxed::Box;
use alloc::string::String;

use rand_core::TryCryptoRng;

use crate::choice::Suite;
use crate::digest::VaultId;
use crate::error::{Error, Result, Usage};

/// What every object belongs to: a vault, and with it a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) suite: Suite,
    pub(crate) vault: VaultId,
}

impl Scope {
    /// `suite || vault id`, as it stands in objects and in contexts.
    pub(crate) fn to_bytes(self) -> [u8; 34] {
        let mut bytes = [0; 34];
        let (suite, vault) = bytes.split_at_mut(2);
        suite.copy_from_slice(&self.suite.kem_id().to_be_bytes());
        vault.copy_from_slice(&self.vault.0);
        bytes
    }

    /// Refuses an object of another vault or suite.
    pub(crate) fn require(self, met: Self) -> Result<()> {
        if self.vault != met.vault {
            return Err(Usage::WrongVault.into());
        }
        if self.suite == met.suite { Ok(()) } else { Err(Usage::WrongSuite.into()) }
    }
}

/// 1 to 255 bytes, compared bytewise: no case folding, no normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Identifier<'a>(&'a [u8]);

impl<'a> Identifier<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Result<Self> {
        match bytes.len() {
            1..=255 => Ok(Self(bytes)),
            length => Err(Error::Usage(Usage::IdentifierLength { length })),
        }
    }

    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The length byte that stands before it.
    pub(crate) const fn lp(self) -> [u8; 1] {
        lp(self.0)
    }
}

/// One length byte, for at most 255 bytes.
#[allow(
    clippy::cast_possible_truncation,
    reason = "identifiers have at most 255 bytes by their type, labels by a test"
)]
pub(crate) const fn lp(bytes: &[u8]) -> [u8; 1] {
    [bytes.len() as u8]
}

/// An identifier of one kind of thing.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name<'a>(pub(crate) Identifier<'a>);

        impl<'a> $name<'a> {
            /// Takes 1 to 255 bytes as they are.
            ///
            /// # Errors
            /// [`Usage::IdentifierLength`] for any other length.
            pub fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self> {
                Identifier::new(bytes.as_ref()).map(Self)
            }

            /// The bytes, 1 to 255 of them.
            #[must_use]
            pub const fn as_bytes(&self) -> &'a [u8] {
                self.0.0
            }
        }
    };
}

identifier! {
    /// Names a patient: 1 to 255 bytes, stored in clear, compared bytewise.
    ///
    /// Security: never a name or a personal identity code. [`random_id`] draws one that says nothing.
    PatientId
}

identifier! {
    /// Names a record of a patient: 1 to 255 bytes, stored in clear, compared bytewise.
    RecordId
}

identifier! {
    /// Names a field of a record, such as `note` or `title`: 1 to 255 bytes, compared bytewise.
    FieldLabel
}

identifier! {
    /// Names a member: 1 to 255 bytes, stored in clear, compared bytewise. Its keys decide who it is.
    MemberId
}

/// Where a note stands among those of its patient: a record, and a field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place<'a> {
    /// The record's id.
    pub record: RecordId<'a>,
    /// The field.
    pub field: FieldLabel<'a>,
}

impl<'a> Place<'a> {
    /// A field of a record.
    #[must_use]
    pub const fn new(record: RecordId<'a>, field: FieldLabel<'a>) -> Self {
        Self { record, field }
    }
}

/// A patient's id that its holder owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnedPatientId(Box<[u8]>);

impl OwnedPatientId {
    pub(crate) const fn as_id(&self) -> PatientId<'_> {
        PatientId(Identifier(&self.0))
    }
}

impl From<PatientId<'_>> for OwnedPatientId {
    fn from(id: PatientId<'_>) -> Self {
        Self(id.as_bytes().into())
    }
}

/// Draws a random identifier of 32 hexadecimal characters (128 bits), which names nobody.
///
/// # Errors
/// [`Error::Randomness`] if the generator fails.
pub fn random_id(rng: &mut impl TryCryptoRng) -> Result<String> {
    let mut bytes = [0; 16];
    rng.try_fill_bytes(&mut bytes).map_err(|_| Error::Randomness)?;
    let mut id = String::with_capacity(32);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 0x0F] {
            id.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    Ok(id)
}

/// Counts the texts of one field of one record. A reader's first is 1; the largest value is never used.
///
/// It is bound to the ciphertext and returned on opening: a client that remembers it notices an old text put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// A reader's first revision, 1.
    pub const FIRST: Self = Self(1);
    /// The revision of every deposit, 0: below all that a reader writes.
    pub const DEPOSIT: Self = Self(0);

    /// A revision from 1 to 2^64 - 2.
    ///
    /// # Errors
    /// [`Usage::RevisionRange`] for 0 and 2^64 - 1.
    pub const fn new(number: u64) -> Result<Self> {
        match number {
            0 | u64::MAX => Err(Error::Usage(Usage::RevisionRange)),
            number => Ok(Self(number)),
        }
    }

    /// Any revision, a deposit's too; `None` for the largest value.
    pub(crate) const fn from_number(number: u64) -> Option<Self> {
        match number {
            u64::MAX => None,
            number => Some(Self(number)),
        }
    }

    /// The revision after this one.
    ///
    /// # Errors
    /// [`Usage::RevisionRange`] after 2^64 - 2.
    pub const fn next(self) -> Result<Self> {
        Self::new(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}
