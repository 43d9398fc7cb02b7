//! The table of errors: code, hint, and whether the same call may be made again.

use lukko_store::error::Conflict;

use super::{Error, RolledBack};

/// What is said of one kind of error.
struct Words {
    code: &'static str,
    hint: &'static str,
    retryable: bool,
}

const fn words(code: &'static str, hint: &'static str) -> Words {
    Words { code, hint, retryable: false }
}

const fn again(code: &'static str, hint: &'static str) -> Words {
    Words { code, hint, retryable: true }
}

impl Error {
    /// A short name that stays the same, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.words().code
    }

    /// One sentence that says what to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.words().hint
    }

    /// Whether the same call may be made again as it is: nothing in it is at fault.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.words().retryable
    }

    fn words(&self) -> Words {
        match self {
            Self::MemoryEmpty => words("memory-empty", "Join the clinic with its invitation, or found it."),
            Self::MemoryInUse => words("memory-in-use", "Open the clinic with this memory, or give an empty memory."),
            Self::MemoryBeside => {
                words("memory-beside", "Keep the memory out of the database's directory and its backups.")
            }
            Self::MemoryMode => words("memory-mode", "Make the file readable by its owner alone: chmod 600."),
            Self::Memory(_) => again("memory", "Look at the memory's file and its disk, then try again."),
            Self::NotNoted(_) => {
                words("not-noted", "Repair the memory, then read what is stored; do not write it twice.")
            }
            Self::OtherDatabase => words("other-database", "Check the address of the database."),
            Self::Invitation => words("invitation", "Copy the invitation again, whole."),
            Self::RolledBack(what) => what.words(),
            Self::NotAMember => words("not-a-member", "Ask an officer of the clinic to admit this key."),
            Self::NotGranted => {
                words("not-granted", "Check the patient's id, or ask a colleague to share the patient.")
            }
            Self::NoPatient => words("no-patient", "Check the patient's id."),
            Self::NotEndorsed => words("not-endorsed", "Ask an officer to bring the patient into this generation."),
            Self::PatientExists => words("patient-exists", "Open the patient, or choose another id."),
            Self::NoRecord => words("no-record", "List the patient's records; somebody may have deleted this one."),
            Self::Overtaken(_) => words("overtaken", "Read what is stored now, and decide anew what is to be written."),
            Self::Expired => words("session-expired", "Begin a new session, and open the patient again."),
            Self::Misplaced => {
                words("misplaced", "Take this record from an older backup: somebody put another one there.")
            }
            Self::NoColleague => {
                words("no-colleague", "Check the name, or let an officer admit the colleague as a reader.")
            }
            Self::SeveralKeys(_) => {
                words("several-keys", "Let an officer retire the key that the colleague does not use.")
            }
            Self::NewKey(_) => words("new-key", "Compare the fingerprint with the colleague, then confirm it."),
            Self::NoFiles => words("no-files", "Give the clinic a place for attachments."),
            Self::Name => {
                words("name", "Give a name of 1 to 240 bytes that does not begin with lukko/, deposit/ or file/.")
            }
            Self::NotText => words("not-text", "Read this record as bytes, through the core."),
            Self::KeySource(_) => again("key-source", "Look at where the key comes from, then try again."),
            Self::KeyMode => words("key-mode", "Make the file readable by its owner alone: chmod 600."),
            Self::KeyFile => {
                words("key-file", "Give the path of a file that this program wrote, or take it from a backup.")
            }
            Self::Passphrase => words("passphrase", "Type the passphrase again."),
            Self::Plan(_) => words("plan", "Correct the plan."),
            Self::Core(error) => of_core(error),
            Self::Store(error) => of_store(error),
            Self::Stream(_) => {
                again("stream", "Look at the file or the connection, then try again from its beginning.")
            }
        }
    }

    /// What happened, where that needs no details.
    pub(super) fn sentence(&self) -> &'static str {
        match self {
            Self::MemoryEmpty => "the memory knows no clinic",
            Self::MemoryInUse => "the memory knows a clinic already",
            Self::MemoryBeside => "the memory lies in the directory of the database",
            Self::MemoryMode => "others can read the memory's file",
            Self::OtherDatabase => "the database does not hold this clinic",
            Self::Invitation => "this is no invitation",
            Self::NotAMember => "this key is not on the list of members",
            Self::NotGranted => "the patient is not granted to this member, or there is no such patient",
            Self::NoPatient => "there is no such patient",
            Self::NotEndorsed => "this generation of the clinic has no endorsement of the patient's card",
            Self::PatientExists => "there is a patient of this id already",
            Self::NoRecord => "the patient has no such record",
            Self::Overtaken(_) => "somebody else has changed this record meanwhile, and nothing was changed",
            Self::Expired => "the session is over",
            Self::Misplaced => "something else stands in this place",
            Self::NoColleague => "no member of this name can read",
            Self::NoFiles => "the clinic has no place for attachments",
            Self::Name => "a name is empty, too long or reserved",
            Self::NotText => "this record is no text",
            Self::KeyMode => "others can read the file with the key",
            Self::KeyFile => "this is no file with a key, or it is damaged",
            Self::Passphrase => "the file with the key does not open with this passphrase",
            // These are written out with their details.
            Self::RolledBack(_)
            | Self::Memory(_)
            | Self::NotNoted(_)
            | Self::KeySource(_)
            | Self::SeveralKeys(_)
            | Self::NewKey(_)
            | Self::Plan(_)
            | Self::Core(_)
            | Self::Store(_)
            | Self::Stream(_) => "refused",
        }
    }
}

/// What helps against everything that is older than it was.
const PUT_BACK: &str = "Ask who restored the database; if it was right, an officer accepts what is stored.";

impl RolledBack {
    const fn words(&self) -> Words {
        let code = match self {
            Self::Roster { .. } => "old-roster",
            Self::Generation { .. } => "old-generation",
            Self::Card { .. } => "old-card",
            Self::Record { .. } => "old-revision",
            Self::Dropped(_) => "dropped",
            Self::Undeleted(_) => "undeleted",
            Self::TakenOver(_) => "deposit-replaced",
        };
        words(code, PUT_BACK)
    }
}

fn of_core(error: &lukko::Error) -> Words {
    use lukko::Error as Core;
    match error {
        Core::Usage(_) => words("usage", "Correct the call: its arguments do not go together."),
        Core::Malformed { .. } => words("malformed", "Take this object from a backup: it is damaged."),
        Core::ShareCharacter { .. } => words("share-character", "Compare the text with the custodian's paper."),
        Core::Untrusted(_) => words("untrusted", "Ask an officer: a signature or an entitlement does not hold."),
        Core::Stale { .. } => words("stale", "Let this client follow the clinic, or ask who restored the database."),
        Core::Conflict(_) => words("conflict", "Show both objects to an officer, who decides which one stands."),
        Core::Share { .. } => words("share", "Ask the custodian for the right share."),
        Core::NotEnoughShares { .. } => words("too-few-shares", "Ask further custodians."),
        Core::NotAuthentic => words("not-authentic", "Take this object from a backup: it was altered or moved."),
        Core::Randomness => again("randomness", "Look at the machine's random number generator, then try again."),
        _ => words("core", "Read the text of the error."),
    }
}

fn of_store(error: &lukko_store::Error) -> Words {
    use lukko_store::Error as Store;
    match error {
        Store::Usage(_) => words("store-usage", "Correct the call."),
        Store::Mismatch(_) => {
            words("store-mismatch", "Correct the call: the object is not of the place that it was given for.")
        }
        Store::Conflict(Conflict::Roster(_)) => {
            words("store-roster", "Make the change again on the newer list of members.")
        }
        Store::Conflict(_) => words("store-conflict", "Read what is stored, and decide anew."),
        Store::Stale { .. } => words("store-stale", "Read what is stored, and begin again from there."),
        Store::Missing(_) => words("store-missing", "Check the name, or take what is missing from a backup."),
        Store::Corrupt { .. } => words("store-corrupt", "Find out what else wrote to the database, and restore it."),
        Store::Schema { .. } => words("store-schema", "Use a newer version of the program."),
        Store::Unavailable(_) => {
            again("unavailable", "Wait until the database answers, then make the same call again.")
        }
        Store::Held { .. } => again("job-held", "Run the job again when the other workers' time is over."),
        _ => words("store", "Read the text of the error."),
    }
}
