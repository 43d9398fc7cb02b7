//! Opening patients' keys from what is stored.

use lukko::{CardId, GrantKey, MasterKey, MemberKey, PatientId, PatientKey, Vault};

use crate::error::Result;
use crate::rows::Patient;

/// Whose key opens the patients.
#[derive(Debug, Clone, Copy)]
pub enum KeyOf<'a> {
    /// A member, who opens those that were granted.
    Member(&'a MemberKey),
    /// A quorum, which opens every one.
    Master(&'a MasterKey),
}

/// Why a patient could not be opened, in words.
pub(crate) enum Closed {
    /// The store has no grant, or nothing of this generation.
    Missing(&'static str),
    /// The core refused.
    Refused(lukko::Error),
}

impl From<lukko::Error> for Closed {
    fn from(error: lukko::Error) -> Self {
        Self::Refused(error)
    }
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(what) => f.write_str(what),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// What is said where the verified card is not the one that the patient's row names.
pub(crate) const NOT_CURRENT: &str = "the card that the store calls current is not the one that was verified: a row of this \
    patient is missing or was replaced; take the patient's card and endorsement from an older backup";

const NOT_ENDORSED: Closed = Closed::Missing("this generation has no endorsement of the patient's card");

/// What the keys of one patient are opened from.
pub(crate) struct Opener<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) by: KeyOf<'a>,
    pub(crate) patient: PatientId<'a>,
    pub(crate) stored: &'a Patient,
}

impl Opener<'_> {
    /// The key of the current card, which is verified.
    pub(crate) fn current(&self) -> Result<PatientKey, Closed> {
        let generation = self.vault.descriptor().generation();
        let cards = self.stored.card_bytes();
        let stored = self.stored.stored(generation, &cards).ok_or(NOT_ENDORSED)?;
        let card = self.vault.card(self.patient, &stored, None)?;
        match self.by {
            KeyOf::Master(master) => Ok(self.vault.break_glass(&card, master)?),
            KeyOf::Member(member) => {
                let grant = self.stored.grant(card.id(), member.fingerprint());
                let grant = grant.ok_or(Closed::Missing("no grant to this member is stored"))?;
                Ok(self.vault.open_grant(&card, member, grant)?)
            }
        }
    }

    /// Refuses the key of a card that is not the one that the patient's row names.
    pub(crate) fn require_current(&self, key: &PatientKey) -> Result<(), Closed> {
        if self.stored.current == Some(key.card()) { Ok(()) } else { Err(Closed::Missing(NOT_CURRENT)) }
    }

    /// The older cards, to which the current one leads back, that the vault's roster does not close.
    pub(crate) fn left_open(&self) -> Result<Vec<CardId>, Closed> {
        let cards = self.stored.card_bytes();
        let stored = self.stored.stored(self.vault.descriptor().generation(), &cards).ok_or(NOT_ENDORSED)?;
        Ok(self.vault.cards_left_open(self.patient, &stored, None)?)
    }

    /// The key of an older card.
    pub(crate) fn older(&self, older: CardId) -> Result<PatientKey, Closed> {
        let generation = self.vault.descriptor().generation();
        let cards = self.stored.card_bytes();
        let stored = self.stored.stored(generation, &cards).ok_or(NOT_ENDORSED)?;
        let missing = Closed::Missing("no grant of the older card is stored");
        let with = match self.by {
            KeyOf::Member(key) => {
                GrantKey::Member { key, grant: self.stored.grant(older, key.fingerprint()).ok_or(missing)? }
            }
            KeyOf::Master(key) => {
                GrantKey::Master { key, grant: self.stored.master_grant(older, generation).ok_or(missing)? }
            }
        };
        Ok(self.vault.open_older(self.patient, &stored, None, older, &with)?)
    }
}
