//! What can be changed. Each value says what it builds on, so that a writer who has been overtaken is told so.

use lukko::error::Object;
use lukko::{CardId, Enrolment, FieldLabel, Grant, KeyFingerprint, PatientId, RecordId, Vault};

use crate::error::{Mismatch, Result};
use crate::placed::{MasterGrantRow, NewCard, NewEndorsement, NewGrant, NewMasterGrant, NewRecord, Placed};
use crate::rows::{Claim, Erasure};

/// One part of a logical change. Those that belong together go into one [`Store::apply`](crate::Store::apply).
///
/// Every one may be given again: where the store already holds exactly this, nothing changes and the call succeeds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Change<'a> {
    /// A generation of the vault, the first one or the one after the newest.
    Generation(NewGeneration<'a>),
    /// A member's entry.
    Member {
        /// The fingerprint of the key.
        key: KeyFingerprint,
        /// The self-signed entry.
        entry: &'a [u8],
    },
    /// A roster, in place of an older one of its generation.
    Roster {
        /// The generation whose registrar or root signed it.
        generation: u32,
        /// Its version: above the stored one.
        version: u64,
        /// Its bytes.
        roster: &'a [u8],
    },
    /// A patient's card: of a new patient, or of the next version of the key.
    Card(NewCard<'a>),
    /// The endorsement of the patient's current card, with the master grant, for one generation. Where it replaces the
    /// endorsement of another card, the master grant of that card stays, as if [`Change::MasterGrant`] had stored it.
    Endorse(NewEndorsement<'a>),
    /// A grant of the patient to a member.
    Grant(NewGrant<'a>),
    /// The master grant of an older card, whose records have not all moved yet. Where one is stored and it replaces none, the
    /// stored one stays.
    MasterGrant(NewMasterGrant<'a>),
    /// Deletes a grant to a member. Where there was one, the store remembers the key until the patient is erased
    /// ([`Patient::withdrawn`](crate::Patient::withdrawn)), and the receipt of the erasure names it.
    Withdraw {
        /// The patient.
        patient: PatientId<'a>,
        /// The card whose key is in it.
        card: CardId,
        /// The member's key.
        from: KeyFingerprint,
    },
    /// Notes that a member's grant was withdrawn in another store, for a copy of that store. It deletes nothing.
    Withdrawn {
        /// The patient.
        patient: PatientId<'a>,
        /// The member's key.
        from: KeyFingerprint,
    },
    /// A record: a note, a deposit or an attachment.
    Record(NewRecord<'a>),
    /// Deletes a record.
    Delete {
        /// The patient.
        patient: PatientId<'a>,
        /// The record.
        record: RecordId<'a>,
        /// The field.
        field: FieldLabel<'a>,
        /// The revision that is deleted.
        revision: u64,
    },
    /// Erases a patient: cards, endorsements, grants and, if asked for, records: every row under the patient's id.
    ///
    /// Refused with [`lukko::error::Usage::ErasurePending`] for a card that is not closed as erased, with
    /// [`lukko::error::Usage::CardMissing`] for an older card that is not stored and not closed, with
    /// [`ErasureBeforeRoster`](crate::error::Usage::ErasureBeforeRoster) while the stored roster of a generation that is
    /// not retired does not close every card, and with [`NoCard`](crate::error::Usage::NoCard) where no card is closed at
    /// all. A patient who was enrolled anew under the same id stays.
    Erase(Erase<'a>),
    /// Stores the receipt of an erasure that another store made, for a copy of that store. It deletes nothing.
    Receipt(&'a Erasure),
    /// Notes on an erasure's receipt that another part of it is done.
    Reached {
        /// The first card that the erasure closed.
        erasure: CardId,
        /// Which part.
        part: Part,
        /// When, in seconds since 1970.
        at: u64,
    },
    /// Deletes what a retired generation has of the patients. Its descriptor stays, for clients that are late. Refused while
    /// it would take the last way to a patient's key from the quorum: a card that is current, or that a record names, needs a
    /// master grant of a later generation that is stored and not retired. A card whose own row is gone counts too, unless a
    /// receipt says that it was erased.
    Retire {
        /// The generation.
        generation: u32,
        /// Patients whose last way it may take.
        losing: &'a [PatientId<'a>],
    },
    /// Begins a job, with one piece for each patient.
    Job {
        /// The job's name.
        job: &'a str,
        /// What is done.
        kind: JobKind,
        /// For whom.
        over: Over<'a>,
    },
    /// Nothing but that the worker still has this piece of a job, or the whole change is refused.
    Hold {
        /// The piece, as it was claimed.
        claim: &'a Claim,
    },
    /// Ends a piece of a job.
    Done {
        /// The piece, as it was claimed.
        claim: &'a Claim,
        /// How it ended.
        outcome: Outcome<'a>,
    },
    /// Announces an object that is about to be uploaded, so that it can be found if nothing becomes of it.
    Upload {
        /// Its name.
        object: &'a str,
        /// When, in seconds since 1970.
        at: u64,
    },
    /// Gives up an object that was announced: from now on no record can name it, and it may be deleted. Refused with
    /// [`Missing::Object`](crate::error::Missing::Object) for one that is not announced any more, and with
    /// [`Conflict::Object`](crate::error::Conflict::Object) for one that a record names.
    GiveUp {
        /// Its name.
        object: &'a str,
    },
    /// Notes that an object was deleted that was [given up](Change::GiveUp) before.
    Swept {
        /// Its name.
        object: &'a str,
    },
}

/// A generation with everything that makes it one.
#[derive(Debug, Clone, Copy)]
pub struct NewGeneration<'a> {
    /// From 1.
    pub generation: u32,
    /// The public part.
    pub descriptor: &'a [u8],
    /// That it follows the one before; none for the first.
    pub statement: Option<&'a [u8]>,
    /// The version of its first roster.
    pub version: u64,
    /// Its first roster.
    pub roster: &'a [u8],
}

/// A record's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// In the database.
    Sealed(&'a [u8]),
    /// In an object of this name.
    Object {
        /// The object's name.
        object: &'a str,
        /// Its length, in bytes.
        length: u64,
    },
}

/// What the writer of a record knows of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect<'a> {
    /// There was none.
    Absent,
    /// The text of this revision is replaced by one of a higher revision.
    Revision(u64),
    /// Exactly this is moved to another key: the revision stays.
    Body(Body<'a>),
}

/// The erasure of a patient.
#[derive(Debug, Clone, Copy)]
pub struct Erase<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The proof: a vault whose verified roster closes the patient's cards as erased. The store has a roster that closes
    /// them too, in every generation that is not retired: stored already, or in the same change.
    pub vault: &'a Vault,
    /// Cards of the patient that the caller knows. Every other card that is stored of the patient is found. The first one
    /// names the erasure from now on.
    pub cards: &'a [CardId],
    /// Members' keys that were granted the patient and that the caller knows. Those that stored grants name, or that were
    /// [withdrawn](Change::Withdraw), are found.
    pub keys: &'a [KeyFingerprint],
    /// When, in seconds since 1970.
    pub at: u64,
    /// What happens to the patient's sealed records, which nothing opens any more.
    pub records: Records,
    /// The piece of an erasure job that ends with it. Every piece of a patient goes with the patient.
    pub claim: Option<&'a Claim>,
}

/// What an erasure does with sealed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// They are deleted, and attachments swept.
    Delete,
    /// They stay, unreadable. A later erasure of the same patient can delete them.
    Keep,
}

/// A part of an erasure's receipt: what must be gone before every copy is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A card, closed.
    Card(CardId),
    /// A generation, to be retired.
    Generation(u32),
    /// A member's key, to be destroyed.
    Key(KeyFingerprint),
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Master grants and endorsements for the next generation.
    Rotation,
    /// Records move to the patients' current cards.
    Rekey,
    /// Every object is read and checked.
    Verify,
    /// Notes come in from a file.
    Import,
    /// Patients are erased.
    Erasure,
}

/// The patients of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over<'a> {
    /// Every one that the vault has when the job begins.
    Everyone,
    /// These, each once.
    These(&'a [PatientId<'a>]),
}

/// How a piece of a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// As it should.
    Done,
    /// Not: for this reason, which holds no secret.
    Failed(&'a str),
}

/// A new patient, in one change: card, endorsement with master grant, and grants to members.
///
/// # Errors
/// [`Mismatch`](crate::error::Mismatch) for the enrolment of another patient or generation, or a grant of another card.
pub fn enrolment<'a>(
    patient: PatientId<'a>,
    generation: u32,
    enrolment: &'a Enrolment,
    grants: &'a [Grant],
) -> Result<Vec<Change<'a>>> {
    next_card(patient, generation, None, enrolment, grants)
}

/// A card that the next one takes the place of, and what one generation has of it.
#[derive(Debug, Clone, Copy)]
pub struct Replaced<'a> {
    /// The card.
    pub card: CardId,
    /// Its endorsement.
    pub endorsement: &'a [u8],
    /// Its master grant, which stays until its records have moved.
    pub master_grant: &'a [u8],
}

/// The next version of a patient's key, in one change. `replaces` is the current card, with what is stored for this
/// generation.
///
/// # Errors
/// As [`enrolment()`]; [`Mismatch::Previous`](crate::error::Mismatch::Previous) for a card that follows another one than the
/// one that it replaces.
pub fn next_card<'a>(
    patient: PatientId<'a>,
    generation: u32,
    replaces: Option<Replaced<'a>>,
    enrolment: &'a Enrolment,
    grants: &'a [Grant],
) -> Result<Vec<Change<'a>>> {
    let Enrolment { card_id, card, endorsement, master_grant, .. } = enrolment;
    let (previous, endorsed) = (replaces.map(|old| old.card), replaces.map(|old| old.endorsement));
    let new = NewCard::new(patient, card)?;
    if new.row().previous != previous {
        return Err(Mismatch::Previous.into());
    }
    let endorsement = NewEndorsement::new(patient, (*card_id, generation), endorsement, master_grant)?;
    let mut changes = vec![Change::Card(new), Change::Endorse(endorsement.replacing(endorsed))];
    for grant in grants {
        let of_card = NewGrant::from_bytes(patient, (*card_id, grant.recipient), &grant.bytes)?;
        changes.push(Change::Grant(of_card));
    }
    // The endorsement's row is written over; a quorum opens the old card's records by this until they have moved. It is kept
    // as it was stored.
    changes.extend(replaces.map(|old| {
        let (card, grant) = (old.card, old.master_grant);
        let row = MasterGrantRow { patient, card, generation, grant, replaces: None };
        Change::MasterGrant(Placed::stored(Object::Grant, row))
    }));
    Ok(changes)
}
