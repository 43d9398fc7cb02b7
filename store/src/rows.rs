//! What a store gives back. Nothing of it is trusted: the core verifies it.

use lukko::{CardId, KeyFingerprint, StoredPatient};

use crate::change::{Body, JobKind, Part};

/// A generation of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// From 1.
    pub generation: u32,
    /// The public part.
    pub descriptor: Vec<u8>,
    /// That it follows the one before.
    pub statement: Option<Vec<u8>>,
    /// The version of its roster, as the writer said.
    pub version: u64,
    /// Its newest roster.
    pub roster: Vec<u8>,
    /// Whether it was retired.
    pub retired: bool,
}

/// Everything that is stored of a patient's key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patient {
    /// The current card's id, as the writer said.
    pub current: Option<CardId>,
    /// Every card, in order of version.
    pub cards: Vec<(CardId, Vec<u8>)>,
    /// What each generation has of the current card, in order of generation.
    pub endorsed: Vec<Endorsed>,
    /// Every grant to a member.
    pub grants: Vec<Grant>,
    /// Master grants of older cards.
    pub master_grants: Vec<MasterGrant>,
    /// The keys of members whose grant was [withdrawn](crate::Change::Withdraw). Backups from before open to them: an erasure
    /// puts them on the store's receipt, and [`lukko::Erasure::also_granted`] on the core's.
    ///
    /// # Security
    /// Nothing vouches for this list. Who can write to the database can take a key from it.
    pub withdrawn: Vec<KeyFingerprint>,
}

/// What one generation has of a patient's card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsed {
    /// The generation.
    pub generation: u32,
    /// The card, as the writer said.
    pub card: CardId,
    /// The endorsement.
    pub endorsement: Vec<u8>,
    /// The master grant.
    pub master_grant: Vec<u8>,
}

/// A grant to a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The card, as the writer said.
    pub card: CardId,
    /// The recipient's key, as the writer said.
    pub to: KeyFingerprint,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The master grant of an older card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterGrant {
    /// The card, as the writer said.
    pub card: CardId,
    /// The generation, as the writer said.
    pub generation: u32,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Patient {
    /// The cards as the core takes them.
    #[must_use]
    pub fn card_bytes(&self) -> Vec<&[u8]> {
        self.cards.iter().map(|(_, bytes)| bytes.as_slice()).collect()
    }

    /// What is stored for one generation, as the core takes it.
    #[must_use]
    pub fn stored<'a>(&'a self, generation: u32, cards: &'a [&'a [u8]]) -> Option<StoredPatient<'a>> {
        let endorsed = self.endorsed(generation)?;
        Some(StoredPatient { cards, endorsement: &endorsed.endorsement, master_grant: &endorsed.master_grant })
    }

    /// What one generation has.
    #[must_use]
    pub fn endorsed(&self, generation: u32) -> Option<&Endorsed> {
        self.endorsed.iter().find(|endorsed| endorsed.generation == generation)
    }

    /// The grant of one card to one member.
    #[must_use]
    pub fn grant(&self, card: CardId, to: KeyFingerprint) -> Option<&[u8]> {
        self.grants.iter().find(|grant| grant.card == card && grant.to == to).map(|grant| grant.bytes.as_slice())
    }

    /// The master grant of one card in one generation.
    #[must_use]
    pub fn master_grant(&self, card: CardId, generation: u32) -> Option<&[u8]> {
        let current = self.endorsed(generation).filter(|endorsed| endorsed.card == card);
        let older = || self.master_grants.iter().find(|grant| grant.card == card && grant.generation == generation);
        current.map(|endorsed| endorsed.master_grant.as_slice()).or_else(|| older().map(|grant| grant.bytes.as_slice()))
    }

    /// Every grant, to members and to the vault, for [`lukko::Vault::begin_erasure`].
    #[must_use]
    pub fn all_grants(&self) -> Vec<&[u8]> {
        let members = self.grants.iter().map(|grant| grant.bytes.as_slice());
        let older = self.master_grants.iter().map(|grant| grant.bytes.as_slice());
        members.chain(older).chain(self.endorsed.iter().map(|endorsed| endorsed.master_grant.as_slice())).collect()
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The record's id.
    pub record: Vec<u8>,
    /// The field.
    pub field: Vec<u8>,
    /// The revision, as the writer said.
    pub revision: u64,
    /// The card of the key it is sealed under, as the writer said.
    pub card: CardId,
    /// Its bytes, or where they are.
    pub body: StoredBody,
}

/// A record's bytes, or where they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredBody {
    /// In the database.
    Sealed(Vec<u8>),
    /// In an object.
    Object {
        /// The object's name.
        object: String,
        /// Its length, as the writer said, in bytes.
        length: u64,
    },
}

impl StoredBody {
    /// The same body, as a writer gives it.
    pub(crate) fn as_written(&self) -> Body<'_> {
        match self {
            Self::Sealed(sealed) => Body::Sealed(sealed),
            Self::Object { object, length } => Body::Object { object, length: *length },
        }
    }
}

/// Where a listing of records goes on: behind this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After<'a> {
    /// The record's id.
    pub record: &'a [u8],
    /// The field.
    pub field: &'a [u8],
}

/// What is kept of an erasure: no patient's id, and cards that name nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The first card that it closed, which is its name.
    pub erasure: CardId,
    /// The version of the roster that closes the cards.
    pub roster_version: u64,
    /// When, in seconds since 1970.
    pub at: u64,
    /// What [`Store::scrub`](crate::Store::scrub) has reached afterwards; none until it was called.
    pub scrubbed: Option<Scrub>,
    /// Its parts, and when each was reached.
    pub parts: Vec<(Part, Option<u64>)>,
}

/// How far a database's own files were cleaned of what was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scrub {
    /// The tables hold nothing of it, and logs, archives and replicas still do: PostgreSQL can reach no more. What makes
    /// those copies worthless are the other parts of the receipt.
    Tables,
    /// No file of the database holds any of it.
    Files,
}

/// A piece of a job that one worker holds until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub job: String,
    /// The patient.
    pub patient: Vec<u8>,
    /// Rises with each claim of this piece: who was overtaken cannot end it any more.
    pub token: u64,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// What it does.
    pub kind: JobKind,
    /// Pieces that are not done, claimed or not.
    pub open: u64,
    /// Pieces that are done, and those of patients who were erased.
    pub done: u64,
    /// Pieces that failed.
    pub failed: u64,
    /// When every open piece is free for another worker, in milliseconds since 1970; 0 if none was claimed.
    pub held_until: u64,
}

/// A piece of a job that failed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The patient.
    pub patient: Vec<u8>,
    /// Why.
    pub reason: String,
}
