//! What an error says to the person who can act: what happened, what it means, and what to do next.

use std::fmt;

use super::{Conflict, Counted, Error, Mismatch, Missing, Usage};

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => usage.fmt(f),
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::Conflict(conflict) => conflict.fmt(f),
            Self::Stale { what, stored, given } => write!(
                f,
                "{what} {given} was given, and {stored} is stored; nothing was changed: read what is stored, and begin \
                 again from there"
            ),
            Self::Missing(missing) => missing.fmt(f),
            Self::Corrupt { table, what } => write!(
                f,
                "what is stored in the table {table} is damaged: {what}; find out what else wrote to the database, and \
                 restore it from a backup"
            ),
            Self::Schema { found, known } => write!(
                f,
                "the database has schema {found}, and this version of the program knows schemas up to {known}; nothing \
                 was changed: use a newer version of the program"
            ),
            Self::Unavailable(error) => write!(
                f,
                "not done, or not known to be done: {error}; when that is over, give the same change again: what was made \
                 already is not made twice"
            ),
            Self::Held { pieces, seconds } => write!(
                f,
                "the job is not over: {pieces} of its pieces are held by other workers, or by workers that have died; run \
                 the job again in {seconds} seconds, and it takes over those that are left"
            ),
            Self::Core(error) => error.fmt(f),
            Self::Stream(error) => write!(
                f,
                "the stream of an attachment failed: {error}; what it gave until then is not whole: try again, and look \
                 at the place where the objects are kept"
            ),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "a number is above 2^63 - 1, and no database holds it; give a smaller one",
            Self::CardAlone => {
                "the card came without its endorsement and master grant, and without them no quorum could read the \
                 patient; give all three in one change"
            }
            Self::RevisionBackwards => {
                "the record's new revision is not above the one that it replaces; seal the text again with the next \
                 revision"
            }
            Self::ErasureBeforeRoster => {
                "the stored roster does not close every card of the patient as erased, so the erasure would have no \
                 proof; store such a roster in every generation that is not retired, and erase then"
            }
            Self::NoCard => {
                "the patient has stored rows, and no card of the patient is closed as erased; name the patient's cards \
                 in the erasure"
            }
            Self::NewestGeneration => {
                "the newest generation is the one that is in use, and is never retired; retire an older one"
            }
            Self::WrongJob => {
                "the job of this name is of another kind or over other patients; give another name, or the worker for \
                 which the job was begun"
            }
            Self::JobOver => {
                "the job of this name is over, and every piece of it was done or failed; begin one of another name to \
                 do it again"
            }
            Self::NotRotated(patients) => {
                return write!(
                    f,
                    "the generation is still the only way of a quorum to {patients} patients; rotate them first, or \
                     name those that shall be lost"
                );
            }
            Self::OneThread => {
                "attachments are read by streams that block, and this runtime has one thread; run the job on a runtime \
                 of several threads"
            }
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(object) => write!(f, "the {object} is of another vault")?,
            Self::Suite => f.write_str("the record is of a vault of another suite")?,
            Self::Patient => f.write_str("the card is of another patient")?,
            Self::Previous => f.write_str("the card follows another card than the one that it was to replace")?,
            Self::Card { object, named, met } => {
                write!(f, "the {object} is of card {met}, and card {named} was named")?
            }
            Self::Revision { named, met: 0 } => write!(f, "the record is a deposit, and revision {named} was named")?,
            Self::Revision { named: 0, met } => write!(f, "the record is revision {met}, and a deposit was named")?,
            Self::Revision { named, met } => write!(f, "the record is revision {met}, and revision {named} was named")?,
            Self::Generation { object, named, met: Some(met) } => {
                write!(f, "the {object} is of generation {met}, and generation {named} was named")?;
            }
            Self::Generation { object, named, met: None } => {
                write!(f, "the {object} is to a member, and the master key of generation {named} was named")?;
            }
            Self::Recipient { named, met } => {
                write!(f, "the grant is to the key {met}, and the key {named} was named")?
            }
            Self::MasterGrant => f.write_str("the endorsement names another master grant than the one beside it")?,
        }
        f.write_str("; nothing would open it in this place, and nothing was changed: store it where it belongs")
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generation(generation) => write!(
                f,
                "another generation {generation} is stored, and nothing was changed; read it, and ask the custodians \
                 which of the two stands"
            ),
            Self::Roster(version) => write!(
                f,
                "another roster of version {version} is stored, and nothing was changed; read it, and let the registrar \
                 sign the next version on top of it"
            ),
            Self::Member => f.write_str(
                "another entry is stored for this member's key, and nothing was changed; read it, and compare its \
                 fingerprint with the member",
            ),
            Self::Card => f.write_str(
                "the card is not the patient's current one, and nothing was changed: the patient has another card now, or it \
                 is another patient's; read the patient again, and make the change under the current card",
            ),
            Self::Endorsement => f.write_str(
                "the patient's card has another endorsement now, and nothing was changed; read the patient again, and \
                 begin from what is stored",
            ),
            Self::Grant => f.write_str(
                "another grant to this recipient is stored, and nothing was changed; read the patient again, and name \
                 the grant that is to be replaced",
            ),
            Self::Record { stored: Some(revision) } => write!(
                f,
                "somebody else has stored revision {revision} of this record, and nothing was changed; read it, and \
                 decide anew what is to be written"
            ),
            Self::Record { stored: None } => f.write_str(
                "the record is not stored, or not any more, and nothing was changed; somebody may have deleted it: read \
                 the patient's records, and decide anew",
            ),
            Self::Claim => f.write_str(
                "another worker has this piece of the job, or it is done, and nothing was changed; go on with the next \
                 piece",
            ),
            Self::Object => f.write_str(
                "a record names this attachment's object, so it is kept, and nothing was changed; delete the record \
                 first",
            ),
        }
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generation => "generation",
            Self::Roster => "roster version",
        })
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Generation(generation) => {
                return write!(
                    f,
                    "generation {generation} of this vault is not stored, and nothing was changed; look whether this is \
                     the right database, and store the generations in their order, from 1"
                );
            }
            Self::Patient => "the patient is not stored here; check the id, or enrol the patient first",
            Self::Job => "no job of this name is stored; check the name, or begin the job first",
            Self::Erasure => {
                "the erasure is not stored, or has no such part; name it by the first card that it closed, as its \
                 receipt does"
            }
            Self::Object => {
                "the attachment's object is gone, or was given up before a record named it; upload it again, or restore \
                 it from a backup of the objects"
            }
        })
    }
}
