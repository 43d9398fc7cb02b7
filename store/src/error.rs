//! Errors, split by who can act on them.

mod display;

use std::error::Error as StdError;

use lukko::error::Object;
use lukko::{CardId, KeyFingerprint};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the store refused, or could not answer. Holds no secret and nothing of what is stored.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that cannot be done; the arguments must change.
    Usage(Usage),
    /// An object was to be stored in another place than the one for which it was made. Nothing would open it there.
    Mismatch(Mismatch),
    /// Somebody else was there first. Nothing was changed: read again, and decide anew.
    Conflict(Conflict),
    /// What was given is older than what is stored, or not newer where it must be. Nothing was changed.
    Stale {
        /// What the two numbers count.
        what: Counted,
        /// What is stored.
        stored: u64,
        /// What was given.
        given: u64,
    },
    /// What the change builds on is not stored.
    Missing(Missing),
    /// The database holds what this crate never writes; whoever runs it must look.
    Corrupt {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        what: &'static str,
    },
    /// The database's schema is newer than this version of the crate knows. Nothing was changed.
    Schema {
        /// The version found.
        found: i64,
        /// The newest one known.
        known: i64,
    },
    /// The database did not answer, or not in time. Whether the change was made is not known: give the same one again,
    /// which changes nothing if it was.
    Unavailable(Box<dyn StdError + Send + Sync>),
    /// The job is not over: other workers hold pieces of it, or workers that have died did. Run the job again when that time
    /// is over, and it takes the pieces over.
    Held {
        /// How many pieces are open.
        pieces: u64,
        /// After how many seconds, at most, every one of them is free.
        seconds: u64,
    },
    /// The core refused what is stored, or what was to be done with it.
    Core(lukko::Error),
    /// An attachment's stream failed.
    Stream(std::io::Error),
}

/// A caller's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// A number is above 2^63 - 1, which databases cannot hold.
    TooLarge,
    /// A card comes with its endorsement and master grant, in the same change.
    CardAlone,
    /// The revision of a record does not go backwards, and rises where the text changes.
    RevisionBackwards,
    /// A generation that is not retired has a stored roster that does not close every card of the patient as erased. Store
    /// such a roster in each of them, before the erasure or in the same change.
    ErasureBeforeRoster,
    /// Rows are stored of the patient, and no card that is closed as erased is known: name the patient's cards.
    NoCard,
    /// The newest generation is never retired.
    NewestGeneration,
    /// The job is of another kind than the worker or over other patients, or was to do something else with them, as an
    /// erasure that kept the records.
    WrongJob,
    /// The job is over: every piece was done or failed. To do it again, begin one of another name.
    JobOver,
    /// For this many patients a card that is current, or that carries records, has no master grant in a later generation:
    /// rotate them first, or name those that shall be lost.
    NotRotated(u64),
    /// Attachments are read by streams that block: their job needs a runtime of several threads.
    OneThread,
}

/// In what an object differs from the place in which it was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// It is of another vault.
    Vault(Object),
    /// The record is of a vault of another suite.
    Suite,
    /// The card is of another patient.
    Patient,
    /// The card follows another card than the one that it was to replace.
    Previous,
    /// It is of another card.
    Card {
        /// What.
        object: Object,
        /// The card that the caller named.
        named: CardId,
        /// The card that its bytes name.
        met: CardId,
    },
    /// The record is of another revision.
    Revision {
        /// The revision that the caller named.
        named: u64,
        /// The revision that its bytes name; 0 is a deposit.
        met: u64,
    },
    /// It is of another generation.
    Generation {
        /// What.
        object: Object,
        /// The generation that the caller named.
        named: u32,
        /// The generation that its bytes name; none for a grant to a member.
        met: Option<u32>,
    },
    /// The grant is to another key.
    Recipient {
        /// The key that the caller named.
        named: KeyFingerprint,
        /// The key that its bytes name.
        met: KeyFingerprint,
    },
    /// The endorsement names another master grant than the one beside it.
    MasterGrant,
}

/// What excludes what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Conflict {
    /// Another generation of this number is stored.
    Generation(u32),
    /// Another roster of this version is stored.
    Roster(u64),
    /// Another member's entry is stored under this key.
    Member,
    /// The patient has another card now than the change builds on.
    Card,
    /// The endorsement is another one now than the change builds on.
    Endorsement,
    /// Another grant to this recipient is stored.
    Grant,
    /// The record is another one now than the change builds on, or is gone: the only answer to a writer who was overtaken.
    Record {
        /// The revision that is stored now; none if the record is not stored, or not any more.
        stored: Option<u64>,
    },
    /// Another worker has this piece of the job, or it is done.
    Claim,
    /// A record names the object, which is therefore not given up.
    Object,
}

/// What a pair of numbers counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counted {
    /// The generation of the master secret.
    Generation,
    /// The version of the roster.
    Roster,
}

/// What is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The generation, or the one before it.
    Generation(u32),
    /// The patient.
    Patient,
    /// The job.
    Job,
    /// The erasure, or the part of it.
    Erasure,
    /// The attachment's object.
    Object,
}

impl Error {
    /// Wraps what a driver reported.
    pub(crate) fn unavailable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unavailable(error.into())
    }

    /// Whether the same change may be given again as it is: nothing in it is at fault.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unavailable(error) => Some(error.as_ref()),
            Self::Core(error) => Some(error),
            Self::Stream(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Usage> for Error {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl From<Mismatch> for Error {
    fn from(mismatch: Mismatch) -> Self {
        Self::Mismatch(mismatch)
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        Self::Conflict(conflict)
    }
}

impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        Self::Missing(missing)
    }
}

impl From<lukko::Error> for Error {
    fn from(error: lukko::Error) -> Self {
        Self::Core(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match lukko::Error::from_io(&error) {
            Some(error) => Self::Core(error.clone()),
            None => Self::Stream(error),
        }
    }
}
