//! What was put back, or is missing, by comparison with a member's memory.

use std::fmt;

use lukko::CardId;

use crate::note::Note;

/// Something that is older in the database than this member has seen, or gone.
///
/// A backup that was restored, a replica that lags, or a thief: which one, a person finds out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RolledBack {
    /// The list of members is older.
    Roster {
        /// The version that this member has seen.
        remembered: u64,
        /// The version that is stored.
        stored: u64,
    },
    /// The clinic's generation that this member has seen is not stored.
    Generation {
        /// The generation that this member has seen.
        remembered: u32,
    },
    /// The patient's card is an older one, or another one.
    Card {
        /// The patient.
        patient: String,
        /// The card that this member has accepted.
        remembered: CardId,
        /// The card that is stored; none if none is.
        stored: Option<CardId>,
    },
    /// A record has an earlier revision.
    Record {
        /// The record, as it is stored.
        note: Note,
        /// The revision that this member has seen.
        remembered: u64,
    },
    /// A record is gone, and this member did not delete it.
    Dropped(Note),
    /// A record that was deleted is there again.
    Undeleted(Note),
    /// A deposit that was taken over is none any more: another one was put in its place.
    TakenOver(Note),
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Roster { remembered, stored } => write!(
                f,
                "the database shows version {stored} of the list of members, and version {remembered} was seen before"
            ),
            Self::Generation { remembered } => {
                write!(f, "the database does not show generation {remembered}, which was seen before")
            }
            Self::Card { patient, remembered, stored: Some(stored) } => {
                write!(
                    f,
                    "the database shows card {stored} of patient {patient}, and card {remembered} was accepted before"
                )
            }
            Self::Card { patient, remembered, stored: None } => {
                write!(f, "the database shows no card of patient {patient}, and card {remembered} was accepted before")
            }
            Self::Record { note, remembered } => write!(
                f,
                "{note} was put back to revision {}, and revision {remembered} was seen before",
                note.revision()
            ),
            Self::Dropped(note) => write!(f, "{note} was seen before, and is gone"),
            Self::Undeleted(note) => write!(f, "{note} was deleted, and is there again"),
            Self::TakenOver(note) => write!(f, "{note} was taken over, and another deposit is in its place"),
        }
    }
}
