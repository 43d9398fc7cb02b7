//! Errors, for the person who can act: each has a code for programs, a sentence for people, and says whether to try again.

mod rolled_back;
mod words;

use std::error::Error as StdError;
use std::fmt;

use lukko::KeyFingerprint;

pub use rolled_back::RolledBack;

use crate::memory::Failure;
use crate::note::{Note, Text};

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call was refused, or could not be done. Holds no key, and no text shows in `Debug` or `Display`.
///
/// [`Error::code`] is stable and meant for programs, [`Error::hint`] says in one sentence what to do, and
/// [`Error::is_retryable`] whether the same call may be made again as it is. `docs/SESSION.md` has the table.
///
/// ```
/// let error = lukko_clinic::Error::Expired;
/// assert_eq!(error.code(), "session-expired");
/// assert!(!error.is_retryable());
/// println!("{error}: {}", error.hint());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The memory holds no clinic yet.
    MemoryEmpty,
    /// The memory holds a clinic already.
    MemoryInUse,
    /// The memory lies in the directory of the database.
    MemoryBeside,
    /// Others can read the memory's file.
    MemoryMode,
    /// The memory could not be read or written. Nothing was changed in the database.
    Memory(Failure),
    /// The change was made in the database, and the memory could not note it.
    NotNoted(Failure),
    /// The database does not hold this clinic.
    OtherDatabase,
    /// An invitation that is none.
    Invitation,
    /// What the database shows is older than what this member has seen.
    RolledBack(RolledBack),
    /// The key is not on the clinic's list of members.
    NotAMember,
    /// The patient is not granted to this member, or there is no such patient.
    NotGranted,
    /// There is no such patient.
    NoPatient,
    /// The clinic's generation has no endorsement of the patient's card.
    NotEndorsed,
    /// There is a patient of this id already.
    PatientExists,
    /// The patient has no such record.
    NoRecord,
    /// Somebody else has changed the record meanwhile.
    Overtaken(Box<Overtaken>),
    /// The session is over.
    Expired,
    /// Something else stands in the place than the call reads: a deposit for a note, or the reverse.
    Misplaced,
    /// No member of this name can read.
    NoColleague,
    /// The name has several keys that can read.
    SeveralKeys(Vec<KeyFingerprint>),
    /// The colleague's key is not the one that this member knows.
    NewKey(KeyFingerprint),
    /// No place for attachments was given.
    NoFiles,
    /// A name that is empty, too long or reserved.
    Name,
    /// What was opened is no text.
    NotText,
    /// The source of a key failed.
    KeySource(Failure),
    /// A file with a key that others can read.
    KeyMode,
    /// A file with a key that is damaged or no such file.
    KeyFile,
    /// A file with a key does not open: the passphrase is another one, or the file was altered.
    Passphrase,
    /// The plan of a clinic cannot be carried out.
    Plan(&'static str),
    /// The core refused.
    Core(lukko::Error),
    /// The store refused, or did not answer.
    Store(lukko_store::Error),
    /// A stream that the caller gave, or a file, failed.
    Stream(std::io::Error),
}

/// What is stored now where somebody else was quicker.
#[derive(Default)]
pub struct Overtaken {
    /// The text that is stored now; none if the record was deleted, or is none that this call reads.
    pub stored: Option<Text>,
}

impl fmt::Debug for Overtaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overtaken").field("note", &self.stored.as_ref().map(Text::note)).finish_non_exhaustive()
    }
}

impl Error {
    /// Whether somebody else was quicker: read again, and decide anew.
    #[must_use]
    pub const fn is_overtaken(&self) -> bool {
        matches!(self, Self::Overtaken(_))
    }

    /// What was put back or is missing, if it is that.
    #[must_use]
    pub const fn rolled_back(&self) -> Option<&RolledBack> {
        match self {
            Self::RolledBack(what) => Some(what),
            _ => None,
        }
    }

    /// The note that is stored now, if somebody else was quicker.
    #[must_use]
    pub fn stored(&self) -> Option<&Note> {
        match self {
            Self::Overtaken(overtaken) => overtaken.stored.as_ref().map(Text::note),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolledBack(what) => what.fmt(f),
            Self::Memory(error) => write!(f, "the memory cannot be used: {error}"),
            Self::NotNoted(error) => write!(f, "the change was made, and the memory could not note it: {error}"),
            Self::KeySource(error) => write!(f, "the source of the key failed: {error}"),
            Self::SeveralKeys(keys) => {
                f.write_str("the colleague has several keys that can read:")?;
                keys.iter().try_for_each(|key| write!(f, " {key}"))
            }
            Self::NewKey(key) => write!(f, "the colleague has a key that this member does not know: {key}"),
            Self::Plan(what) => write!(f, "the plan cannot be carried out: {what}"),
            Self::Core(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Stream(error) => write!(f, "a stream failed: {error}"),
            other => f.write_str(other.sentence()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Memory(error) | Self::NotNoted(error) | Self::KeySource(error) => Some(error.as_ref()),
            Self::Core(error) => Some(error),
            Self::Store(error) => Some(error),
            Self::Stream(error) => Some(error),
            _ => None,
        }
    }
}

impl From<RolledBack> for Error {
    fn from(what: RolledBack) -> Self {
        Self::RolledBack(what)
    }
}

impl From<lukko::Error> for Error {
    fn from(error: lukko::Error) -> Self {
        Self::Core(error)
    }
}

impl From<lukko_store::Error> for Error {
    fn from(error: lukko_store::Error) -> Self {
        match error {
            lukko_store::Error::Core(error) => Self::Core(error),
            lukko_store::Error::Stream(error) => Self::Stream(error),
            error => Self::Store(error),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        lukko_store::Error::from(error).into()
    }
}
