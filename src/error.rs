//! Errors, split by who can act on them.
//!
//! A caller can correct [`Error::Usage`]; whoever runs the database can look into [`Error::Malformed`],
//! [`Error::Untrusted`], [`Error::Stale`] and [`Error::Conflict`]; a custodian can act on [`Error::Share`] and
//! [`Error::NotEnoughShares`]. Once a key has touched data there is one value, [`Error::NotAuthentic`], whatever
//! went wrong: a finer answer would serve as an oracle. No error holds a secret or a plaintext.

use core::fmt;

#[cfg(feature = "std")]
mod io;

use crate::ident::{CardId, Fingerprint, KeyFingerprint, Path};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why an operation was refused, by who can act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that cannot be done; the arguments must change.
    Usage(Usage),
    /// Public bytes do not follow the format: which object, which field, at which byte.
    Malformed {
        /// The kind of object that was read.
        object: Object,
        /// The field that was refused, by its name in `docs/FORMAT.md`.
        field: &'static str,
        /// Offset of that field from the start of the object, in bytes.
        offset: usize,
    },
    /// A signature, a pin or an entitlement does not hold; nothing secret was touched.
    Untrusted(Untrusted),
    /// What was met is older or newer than what is known.
    Stale {
        /// What the two numbers count.
        what: Versioned,
        /// What the client knows.
        known: u64,
        /// What it met.
        met: u64,
    },
    /// Two objects exclude each other; a person must decide.
    Conflict(Conflict),
    /// A share is refused.
    Share {
        /// The share's index x, 1 to 255; 0 only where the share itself claims it.
        index: u8,
        /// Why.
        reason: ShareFault,
    },
    /// The quorum is not complete.
    NotEnoughShares {
        /// Shares accepted so far.
        have: u8,
        /// Shares needed, the k of the vault.
        need: u8,
    },
    /// Decryption failed. Wrong key, wrong place, altered bytes and broken padding are one and the same value.
    NotAuthentic,
    /// The random number generator failed; nothing was made.
    Randomness,
}

/// A caller's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// An identifier must have 1 to 255 bytes.
    IdentifierLength {
        /// The length that was given, in bytes.
        length: usize,
    },
    /// The policy needs 2 <= k <= n <= 255.
    PolicyRange,
    /// A policy with k <= n/2 lets a minority open the vault: ask for it by name (`Policy::minority`).
    PolicyMinority,
    /// A policy with k = n loses the vault with one share: ask for it by name (`Policy::unanimous`).
    PolicyUnanimous,
    /// The first revision is 1 and the largest value is never used.
    RevisionRange,
    /// A version counter has reached its largest value.
    VersionExhausted,
    /// The plaintext is longer than one object can hold on this machine.
    TooLong,
    /// A role set is empty or names a role that does not exist.
    Roles,
    /// The key belongs to another patient or to another version of this patient's key.
    WrongCard {
        /// The card of the key in hand.
        key: CardId,
        /// The card that the object names.
        object: CardId,
    },
    /// The note is of another path than this call opens; its path says which call does.
    WrongPath {
        /// The path that it names.
        met: Path,
    },
    /// The object belongs to a vault of another suite.
    WrongSuite,
    /// The object belongs to another vault.
    WrongVault,
    /// The grant is addressed to another key.
    WrongRecipient {
        /// The key that the grant names.
        addressed_to: KeyFingerprint,
    },
    /// The member is on the roster already: roles of a key never change, a new key is a new entry.
    AlreadyOnRoster(KeyFingerprint),
    /// The key is not on the roster.
    NotOnRoster(KeyFingerprint),
    /// A status only moves forward: active, retired, revoked.
    StatusBackwards(KeyFingerprint),
    /// The card is closed already, and a closed card stays closed.
    AlreadyClosed(CardId),
    /// The signing key is neither the vault's registrar nor its root.
    NotTheRegistrar,
    /// The stored objects are of different patients.
    MixedPatients,
    /// The card is of another patient than the one asked for: rows were moved or mixed up in the store.
    WrongPatient,
    /// No card was given.
    NoCard,
    /// One card was given twice: a row of the store is there two times.
    CardTwice(CardId),
}

/// What did not hold, and whose it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untrusted {
    /// The descriptor is not the pinned one.
    Fingerprint {
        /// The pinned fingerprint.
        pinned: Fingerprint,
        /// The fingerprint of what was met.
        met: Fingerprint,
    },
    /// The stored pin does not match its own checksum.
    Pin,
    /// The roster's signature does not verify under the registrar's or the root's key.
    RosterSignature,
    /// A roster of the next version does not name the known one as its predecessor.
    RosterChain,
    /// A newer roster takes back what the known one said of a key or of a closed card.
    RosterReversal,
    /// A member entry is not signed by its own key.
    EntrySignature(KeyFingerprint),
    /// The key is not on the roster, or its entry was not given.
    UnknownMember(KeyFingerprint),
    /// The roster lists the key as revoked: nothing it signed counts.
    Revoked(KeyFingerprint),
    /// The roster lists the key as retired: it signs and receives nothing new.
    Retired(KeyFingerprint),
    /// The member lacks the role that this needs.
    Role(KeyFingerprint),
    /// The endorsement speaks of another card.
    EndorsedCard {
        /// The card in hand.
        card: CardId,
        /// The card that the endorsement names.
        endorsed: CardId,
    },
    /// The endorsement's signature does not verify; `None` is the root.
    EndorsementSignature(Option<KeyFingerprint>),
    /// The master grant is not the one that was endorsed: without it a quorum could not break the glass.
    MasterGrant(CardId),
    /// The signature of a deposit does not verify under the key of the writer that it names.
    DepositSignature(KeyFingerprint),
    /// The card is not vouched for by the succession key of the card before it.
    Succession(CardId),
    /// The card is closed because its patient was erased.
    CardErased(CardId),
    /// The card is closed because its key was compromised.
    CardCompromised(CardId),
    /// The card is neither the expected one nor linked to it.
    UnexpectedCard {
        /// The card that the client accepted before.
        expected: CardId,
        /// The card that it met.
        met: CardId,
    },
    /// The keys of the recovered master secret are not those of the descriptor.
    MasterKey,
}

/// What excludes what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// Two rosters of one version.
    Roster {
        /// The version of both.
        version: u64,
    },
    /// Two cards of one patient and one version, of which at most one is the true one; neither was verified yet.
    Cards {
        /// The version of both.
        version: u32,
        /// One card.
        first: CardId,
        /// The other.
        second: CardId,
    },
}

/// What a pair of numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Versioned {
    /// The generation of the master secret.
    Generation,
    /// The version of the roster.
    Roster,
}

/// Why a share is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShareFault {
    /// The share is of another vault.
    Vault,
    /// The share is of another generation of the master secret.
    Generation,
    /// The share's threshold k is not the descriptor's.
    Threshold,
    /// The share's count n is not the descriptor's.
    Count,
    /// The index is 0 or above n.
    Index,
    /// The value is not the one that was dealt under this index: mistyped, damaged or forged.
    Value,
    /// A share of this index was given already.
    Duplicate,
    /// The share does not lie on the polynomial of the others: it was dealt wrongly.
    OffPolynomial,
}

/// The kinds of objects that are read from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Object {
    /// The public part of a vault.
    Descriptor,
    /// A custodian's share, in bytes.
    Share,
    /// A custodian's share, as text; the offset counts characters.
    ShareText,
    /// What a client remembers.
    Pin,
    /// A member's self-signed keys.
    MemberEntry,
    /// The signed list of members and closed cards.
    Roster,
    /// The public part of a patient key.
    Card,
    /// What vouches for a card.
    Endorsement,
    /// A patient secret wrapped to one recipient.
    Grant,
    /// A sealed note.
    Record,
}

impl Error {
    pub(crate) const fn malformed(object: Object, field: &'static str, offset: usize) -> Self {
        Self::Malformed { object, field, offset }
    }
}

impl From<Usage> for Error {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Untrusted> for Error {
    fn from(untrusted: Untrusted) -> Self {
        Self::Untrusted(untrusted)
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => usage.fmt(f),
            Self::Malformed { object: object @ (Object::Share | Object::ShareText), field, offset } => {
                write!(f, "malformed {object}: `{field}` at {offset}; compare it with the custodian's copy")
            }
            Self::Malformed { object, field, offset } => {
                write!(f, "malformed {object}: field `{field}` at offset {offset}; restore this object from a backup")
            }
            Self::Untrusted(untrusted) => untrusted.fmt(f),
            Self::Stale { what, known, met } if known > met => {
                write!(f, "stale {what}: {met} was met, {known} is known; an old copy was put back or a replica lags")
            }
            Self::Stale { what, known, met } => {
                write!(f, "unknown {what}: {met} was met, {known} is known; fetch the newer one and follow it first")
            }
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Share { index, reason } => write!(f, "share {index} refused: {reason}"),
            Self::NotEnoughShares { have, need } => {
                write!(f, "{have} of {need} needed shares; {} more", need.saturating_sub(*have))
            }
            Self::NotAuthentic => f.write_str("not authentic: wrong key, wrong place or altered bytes"),
            Self::Randomness => f.write_str("the random number generator failed; nothing was made, try again"),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentifierLength { length } => write!(f, "an identifier has 1 to 255 bytes, this one has {length}"),
            Self::PolicyRange => f.write_str("a policy needs 2 <= k <= n <= 255"),
            Self::PolicyMinority => {
                f.write_str("k <= n/2 lets a minority open the vault; use Policy::minority if that is meant")
            }
            Self::PolicyUnanimous => {
                f.write_str("k = n loses the vault with one share; use Policy::unanimous if that is meant")
            }
            Self::RevisionRange => f.write_str("a revision is 1 to 2^64 - 2"),
            Self::VersionExhausted => f.write_str("the version counter has reached its end"),
            Self::TooLong => f.write_str("the plaintext is too long for one record; use an attachment"),
            Self::Roles => f.write_str("a role set names at least one of read, deposit, enrol, and nothing else"),
            Self::WrongCard { key, object } => write!(f, "the key is of card {key}, the object of card {object}"),
            Self::WrongPath { met: Path::Reader } => f.write_str("a reader sealed this note: use Vault::open"),
            Self::WrongPath { met: Path::Deposit | Path::Absorbed } => {
                f.write_str("this note was deposited: use Vault::open_deposit")
            }
            Self::WrongPath { met: Path::DepositedAttachment } => {
                f.write_str("this is a deposited attachment: use Vault::open_deposited_attachment")
            }
            Self::WrongSuite => f.write_str("the object is of another suite than the vault"),
            Self::WrongVault => f.write_str("the object is of another vault"),
            Self::WrongRecipient { addressed_to } => write!(f, "the grant is addressed to key {addressed_to}"),
            Self::AlreadyOnRoster(key) => {
                write!(f, "key {key} is on the roster; its roles never change, admit a new key instead")
            }
            Self::NotOnRoster(key) => write!(f, "key {key} is not on the roster; admit it first"),
            Self::StatusBackwards(key) => {
                write!(f, "the status of key {key} only moves forward; admit a new key instead")
            }
            Self::AlreadyClosed(card) => write!(f, "card {card} is closed already"),
            Self::NotTheRegistrar => f.write_str("this key is neither the vault's registrar nor its root"),
            Self::MixedPatients => f.write_str("the stored objects are of different patients"),
            Self::WrongPatient => f.write_str("the stored card is of another patient than the one asked for"),
            Self::NoCard => f.write_str("no card was given"),
            Self::CardTwice(card) => write!(f, "card {card} is stored twice; remove the second row"),
        }
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint { pinned, met } => {
                write!(f, "the descriptor has fingerprint {met}, pinned is {pinned}; do not go on before you know why")
            }
            Self::Pin => f.write_str("the stored pin is damaged; pin the vault anew from a fingerprint you trust"),
            Self::RosterSignature => f.write_str("the roster is not signed by the registrar or the root"),
            Self::RosterChain => f.write_str("the roster does not follow the one that is known"),
            Self::RosterReversal => {
                f.write_str("the roster takes back what an earlier one said; ask the registrar why")
            }
            Self::EntrySignature(key) => write!(f, "the entry of member key {key} is not signed by that key"),
            Self::UnknownMember(key) => write!(f, "member key {key} is not on the roster, or its entry was not given"),
            Self::Revoked(key) => write!(f, "member key {key} is revoked"),
            Self::Retired(key) => write!(f, "member key {key} is retired"),
            Self::Role(key) => write!(f, "member key {key} lacks the role for this"),
            Self::EndorsedCard { card, endorsed } => {
                write!(f, "the endorsement is for card {endorsed}, not for {card}")
            }
            Self::EndorsementSignature(Some(key)) => write!(f, "the endorsement is not signed by member key {key}"),
            Self::EndorsementSignature(None) => f.write_str("the endorsement is not signed by the root"),
            Self::MasterGrant(card) => write!(f, "the master grant of card {card} is missing or replaced; restore it"),
            Self::DepositSignature(key) => write!(f, "the deposit is not signed by member key {key}"),
            Self::Succession(card) => write!(f, "card {card} is not vouched for by the card before it"),
            Self::CardErased(card) => write!(f, "card {card} is closed: the patient was erased"),
            Self::CardCompromised(card) => write!(f, "card {card} is closed: its key was compromised"),
            Self::UnexpectedCard { expected, met } => {
                write!(f, "card {expected} was accepted before; {met} does not follow from it")
            }
            Self::MasterKey => f.write_str("the recovered master key is not the one of this vault"),
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roster { version } => {
                write!(f, "two rosters of version {version}; ask the registrar which one stands")
            }
            Self::Cards { version, first, second } => {
                write!(
                    f,
                    "two cards of version {version}, {first} and {second}; the true one is endorsed, remove or close the other"
                )
            }
        }
    }
}

impl fmt::Display for Versioned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generation => "generation",
            Self::Roster => "roster version",
        })
    }
}

impl fmt::Display for ShareFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vault => "it is of another vault",
            Self::Generation => "it is of another generation of the master secret",
            Self::Threshold => "its threshold k is not the vault's",
            Self::Count => "its count n is not the vault's",
            Self::Index => "its index is not one of this vault's",
            Self::Value => "its value is not the one that was dealt; check it for typing errors",
            Self::Duplicate => "a share of this index was given already",
            Self::OffPolynomial => "it does not fit the other shares",
        })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptor => "descriptor",
            Self::Share => "share",
            Self::ShareText => "share text",
            Self::Pin => "pin",
            Self::MemberEntry => "member entry",
            Self::Roster => "roster",
            Self::Card => "card",
            Self::Endorsement => "endorsement",
            Self::Grant => "grant",
            Self::Record => "record",
        })
    }
}
