//! Public values, valid by construction: identifiers, digests, counters and the suite.

use alloc::string::String;
use core::fmt;

use rand_core::TryCryptoRng;

use crate::error::{Error, Result, Usage};

/// The public-key suite of a vault, the same for all of its objects and for ever.
///
/// HPKE base mode with HKDF-SHA256 and ChaCha20-Poly1305 (RFC 9180); the suites differ in the KEM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Suite {
    /// X-Wing: ML-KEM-768 and X25519 together, KEM 0x647A (draft-connolly-cfrg-xwing-kem). Keeps stored notes
    /// secret from a quantum computer. Public keys have 1,216 bytes, encapsulations 1,120.
    #[default]
    XWing,
    /// X25519, KEM 0x0020 (RFC 9180, section 7.1). Public keys and encapsulations have 32 bytes.
    X25519,
}

impl Suite {
    /// The KEM's identifier in the HPKE registry (RFC 9180, section 7.1).
    #[must_use]
    pub const fn kem_id(self) -> u16 {
        match self {
            Self::XWing => 0x647A,
            Self::X25519 => 0x0020,
        }
    }

    pub(crate) const fn from_kem_id(id: u16) -> Option<Self> {
        match id {
            0x647A => Some(Self::XWing),
            0x0020 => Some(Self::X25519),
            _ => None,
        }
    }

    /// Length of a public HPKE key, in bytes.
    #[must_use]
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::XWing => 1216,
            Self::X25519 => 32,
        }
    }

    /// Length of an HPKE encapsulation, in bytes.
    #[must_use]
    pub const fn encapsulation_len(self) -> usize {
        match self {
            Self::XWing => 1120,
            Self::X25519 => 32,
        }
    }

    /// Length of a sealed 32-byte secret, in bytes: the encapsulation, 32 bytes and the 16-byte tag.
    #[must_use]
    pub const fn sealed_secret_len(self) -> usize {
        self.encapsulation_len().saturating_add(48)
    }
}

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

/// Refuses what belongs to another vault or suite than expected.
pub(crate) fn require_vault(expected: (Suite, VaultId), met: (Suite, VaultId)) -> Result<()> {
    if expected.1 != met.1 {
        return Err(Usage::WrongVault.into());
    }
    if expected.0 == met.0 { Ok(()) } else { Err(Usage::WrongSuite.into()) }
}

/// 1 to 255 bytes, compared bytewise: no case folding, no normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Identifier<'a>(&'a [u8]);

impl<'a> Identifier<'a> {
    const fn new(bytes: &'a [u8]) -> Result<Self> {
        match bytes.len() {
            1..=255 => Ok(Self(bytes)),
            length => Err(Error::Usage(Usage::IdentifierLength { length })),
        }
    }
}

/// Names a patient: 1 to 255 bytes, stored in clear, compared bytewise.
///
/// Security: never a name or a personal identity code. [`random_id`] draws one that says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientId<'a>(Identifier<'a>);

impl<'a> PatientId<'a> {
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

/// Names a record of a patient: 1 to 255 bytes, stored in clear, compared bytewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId<'a>(Identifier<'a>);

impl<'a> RecordId<'a> {
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

/// Names a field of a record, such as `note` or `title`: 1 to 255 bytes, compared bytewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldLabel<'a>(Identifier<'a>);

impl<'a> FieldLabel<'a> {
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

/// Names a member: 1 to 255 bytes, stored in clear, compared bytewise. Who it is, is decided by its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId<'a>(Identifier<'a>);

impl<'a> MemberId<'a> {
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

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// The 32 random bytes that name a vault in all of its objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VaultId(pub(crate) [u8; 32]);

impl VaultId {
    /// A vault's id from its 32 bytes, such as from an invitation. It says which vault is meant, and proves nothing.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The fingerprint of a descriptor, 32 bytes: what a client pins, and what people compare by voice or on paper.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(crate) [u8; 32]);

impl Fingerprint {
    /// Takes the 32 bytes that came by a trusted way.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The fingerprint of a key that receives or signs, 32 bytes. For a member it covers id and both keys.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(pub(crate) [u8; 32]);

impl KeyFingerprint {
    /// Takes 32 bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The id of a card, 32 bytes: a hash of its body, so it names one patient key and nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CardId(pub(crate) [u8; 32]);

impl CardId {
    /// Takes 32 bytes, as a store keeps them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for VaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VaultId({self})")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFingerprint({self})")
    }
}

impl fmt::Display for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for CardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardId({self})")
    }
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

    /// The parser lets only 0 through for deposits, and no number that [`Revision::new`] refuses for readers.
    pub(crate) const fn from_wire(number: u64) -> Self {
        Self(number)
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
