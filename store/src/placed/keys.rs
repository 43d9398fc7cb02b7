//! Cards, endorsements and grants. Their bytes name the vault and the card, and a card names its patient.

use lukko::claimed;
use lukko::error::Object;
use lukko::{CardId, KeyFingerprint, PatientId};

use super::{NewCard, NewEndorsement, NewGrant, NewMasterGrant, Placed};
use crate::error::{Mismatch, Result};

/// A row of a card.
#[derive(Debug, Clone, Copy)]
pub struct CardRow<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The card's id.
    pub card: CardId,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// The patient's card until now; none for a new patient.
    pub previous: Option<CardId>,
}

/// A row of an endorsement, with the master grant.
#[derive(Debug, Clone, Copy)]
pub struct EndorsementRow<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The card: the patient's current one.
    pub card: CardId,
    /// The generation.
    pub generation: u32,
    /// The endorsement's bytes.
    pub endorsement: &'a [u8],
    /// The master grant's bytes.
    pub master_grant: &'a [u8],
    /// The stored endorsement of this generation that it replaces, if any.
    pub replaces: Option<&'a [u8]>,
}

/// A row of a grant to a member.
#[derive(Debug, Clone, Copy)]
pub struct GrantRow<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The card whose key is in it.
    pub card: CardId,
    /// The member's key.
    pub to: KeyFingerprint,
    /// Its bytes.
    pub grant: &'a [u8],
    /// The stored bytes that these replace, if any.
    pub replaces: Option<&'a [u8]>,
}

/// A row of an older card's master grant.
#[derive(Debug, Clone, Copy)]
pub struct MasterGrantRow<'a> {
    /// The patient.
    pub patient: PatientId<'a>,
    /// The older card.
    pub card: CardId,
    /// The generation whose master key opens it.
    pub generation: u32,
    /// Its bytes.
    pub grant: &'a [u8],
    /// The stored bytes that these replace, because they do not open.
    pub replaces: Option<&'a [u8]>,
}

impl<'a> NewCard<'a> {
    /// A patient's card. Its id and the card before are read from its bytes.
    ///
    /// # Errors
    /// [`Mismatch::Patient`] for a card of another patient; the core's `Malformed`.
    pub fn new(patient: PatientId<'a>, bytes: &'a [u8]) -> Result<Self> {
        let claimed = claimed::Card::read(bytes)?;
        if claimed.patient != patient.as_bytes() {
            return Err(Mismatch::Patient.into());
        }
        let row = CardRow { patient, card: claimed.card, bytes, previous: claimed.previous };
        Ok(Placed { row, vault: Some(claimed.vault), object: Object::Card })
    }

    /// The card's id.
    #[must_use]
    pub const fn card(&self) -> CardId {
        self.row.card
    }
}

impl<'a> NewEndorsement<'a> {
    /// The endorsement of a patient's current card for one generation, with the master grant that it names.
    ///
    /// # Errors
    /// [`Mismatch::Card`], [`Mismatch::Generation`], [`Mismatch::Vault`] or [`Mismatch::MasterGrant`] where the bytes say
    /// something else; the core's `Malformed`.
    pub fn new(
        patient: PatientId<'a>,
        (card, generation): (CardId, u32),
        endorsement: &'a [u8],
        master_grant: &'a [u8],
    ) -> Result<Self> {
        let claimed = claimed::Endorsement::read(endorsement)?;
        let object = Object::Endorsement;
        require_card(object, card, claimed.card)?;
        require_generation(object, generation, Some(claimed.generation))?;
        let grant = read_grant(master_grant, card)?;
        require_generation(Object::Grant, generation, grant.generation)?;
        if grant.vault != claimed.vault {
            return Err(Mismatch::Vault(Object::Grant).into());
        }
        if !claimed.names(master_grant) {
            return Err(Mismatch::MasterGrant.into());
        }
        let row = EndorsementRow { patient, card, generation, endorsement, master_grant, replaces: None };
        Ok(Placed { row, vault: Some(claimed.vault), object })
    }

    /// In place of the stored endorsement of this generation.
    #[must_use]
    pub const fn replacing(mut self, endorsement: Option<&'a [u8]>) -> Self {
        self.row.replaces = endorsement;
        self
    }
}

impl<'a> NewGrant<'a> {
    /// A grant that was just made.
    ///
    /// # Errors
    /// As [`NewGrant::from_bytes`].
    pub fn new(patient: PatientId<'a>, grant: &'a lukko::Grant) -> Result<Self> {
        Self::from_bytes(patient, (grant.card, grant.recipient), &grant.bytes)
    }

    /// A grant that comes from elsewhere.
    ///
    /// # Errors
    /// [`Mismatch::Card`] or [`Mismatch::Recipient`] where the bytes say something else; the core's `Malformed`.
    pub fn from_bytes(patient: PatientId<'a>, (card, to): (CardId, KeyFingerprint), grant: &'a [u8]) -> Result<Self> {
        let claimed = read_grant(grant, card)?;
        if claimed.generation.is_some() || claimed.to != to {
            return Err(Mismatch::Recipient { named: to, met: claimed.to }.into());
        }
        let row = GrantRow { patient, card, to, grant, replaces: None };
        Ok(Placed { row, vault: Some(claimed.vault), object: Object::Grant })
    }

    /// In place of the stored bytes.
    #[must_use]
    pub const fn replacing(mut self, grant: Option<&'a [u8]>) -> Self {
        self.row.replaces = grant;
        self
    }
}

impl<'a> NewMasterGrant<'a> {
    /// The master grant of an older card for one generation.
    ///
    /// # Errors
    /// [`Mismatch::Card`] or [`Mismatch::Generation`] where the bytes say something else; the core's `Malformed`.
    pub fn new(patient: PatientId<'a>, (card, generation): (CardId, u32), grant: &'a [u8]) -> Result<Self> {
        let claimed = read_grant(grant, card)?;
        require_generation(Object::Grant, generation, claimed.generation)?;
        let row = MasterGrantRow { patient, card, generation, grant, replaces: None };
        Ok(Placed { row, vault: Some(claimed.vault), object: Object::Grant })
    }

    /// In place of the stored bytes, because they do not open.
    #[must_use]
    pub const fn replacing(mut self, grant: Option<&'a [u8]>) -> Self {
        self.row.replaces = grant;
        self
    }
}

fn read_grant(bytes: &[u8], card: CardId) -> Result<claimed::Grant> {
    let claimed = claimed::Grant::read(bytes)?;
    require_card(Object::Grant, card, claimed.card)?;
    Ok(claimed)
}

fn require_card(object: Object, named: CardId, met: CardId) -> Result<()> {
    if named == met { Ok(()) } else { Err(Mismatch::Card { object, named, met }.into()) }
}

fn require_generation(object: Object, named: u32, met: Option<u32>) -> Result<()> {
    if met == Some(named) { Ok(()) } else { Err(Mismatch::Generation { object, named, met }.into()) }
}
