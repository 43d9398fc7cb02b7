//! Errors, split by who can act on them.
//!
//! A caller can correct [`Error::Usage`]; whoever runs the database can look into [`Error::Malformed`],
//! [`Error::Untrusted`], [`Error::Stale`] and [`Error::Conflict`]; a custodian can act on [`Error::Share`] and
//! [`Error::NotEnoughShares`]. Once a key has touched data there is one value, [`Error::NotAuthentic`], whatever
//! went wrong: a finer answer would serve as an oracle. No error holds a secret or a plaintext.

mod display;

#[cfg(feature = "std")]
mod io;

use crate::choice::Path;
use crate::digest::{CardId, Fingerprint, KeyFingerprint};

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
    /// A share's text has a character that no share has. It says nothing about the share.
    ShareCharacter {
        /// The character, in lower case if it is a letter.
        met: char,
        /// Its place, counted from 0 without what is passed over.
        position: usize,
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
    /// The deposit was not taken over, and only what was taken over is opened here.
    NotTakenOver,
    /// The deposit was taken over before: nothing is left to do.
    TakenOver,
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
    WrongSigner,
    /// A deposit that is taken over needs a record id of the reader's: its own may have been chosen to meet a record.
    DepositsPlace,
    /// Records move to a newer version of their patient's key, and from there to an older one only if the newer is closed.
    OlderKey,
    /// An older card of the patient is named by a card and was not given: find it, or say that it is to be closed unseen.
    CardMissing(CardId),
    /// No rotation statement was given, or the generation does not come after the other.
    NoSuccessor,
    /// The old generation is still needed: new shares are unchecked, patients not re-wrapped, old shares not destroyed.
    NotRetired {
        /// New shares that nobody has checked.
        shares: usize,
        /// Patients neither done nor listed as failed.
        patients: usize,
        /// Old shares that are still to be destroyed.
        destructions: u8,
    },
    /// The erasure is not done: this card is not closed in the roster yet.
    ErasurePending(CardId),
    /// The key is still active: revoke or retire it first.
    StillActive(KeyFingerprint),
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
    /// A rotation statement is not signed by the root of this generation.
    RotationSignature {
        /// The generation, old or new.
        generation: u32,
    },
    /// The signature of a disclosure does not verify under the key of the member that it names.
    DisclosureSignature(KeyFingerprint),
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
    /// Two next generations, each signed by the old root and by its own.
    Successors {
        /// The fingerprint of one.
        first: Fingerprint,
        /// The fingerprint of the other.
        second: Fingerprint,
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
    /// The statement that one generation follows another.
    Rotation,
    /// A note handed to someone outside.
    Disclosure,
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
