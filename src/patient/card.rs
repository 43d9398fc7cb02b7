//! A card is the public part of one version of a patient's key.

use crate::digest::CardId;
use crate::error::{Object, Result, Usage};
use crate::ident::{OwnedPatientId, PatientId, Scope};
use crate::keys::labels;
use crate::keys::patient::{PatientContext, card_id};
use crate::prim::hpke::PublicKey;
use crate::prim::sign::VerifyingKey;
use crate::vault::Vault;
use crate::wire;
use crate::wire::card::Voucher;
use crate::wire::frame::Framed;
use alloc::boxed::Box;

/// A card of the vault that is well-formed and has valid keys. Nothing vouches for it yet.
#[derive(Debug, Clone)]
pub(crate) struct ReadCard {
    pub(crate) id: CardId,
    pub(crate) scope: Scope,
    pub(crate) patient: OwnedPatientId,
    pub(crate) version: u32,
    pub(crate) hpke_key: PublicKey,
    pub(crate) succession_key: VerifyingKey,
    /// The card before; a first card has none.
    pub(crate) previous: Option<CardId>,
    /// The signature of the card before; whether it holds is another question.
    pub(super) voucher: Voucher,
}

impl ReadCard {
    /// What a key is derived for before it is compared with this card's.
    pub(super) const fn context(&self) -> PatientContext<'_> {
        PatientContext { scope: self.scope, patient: self.patient.as_id(), version: self.version }
    }

    /// Refuses another patient's card than the one asked for.
    pub(super) fn require_patient(&self, patient: PatientId<'_>) -> Result<()> {
        if self.patient.as_id() == patient { Ok(()) } else { Err(Usage::WrongPatient.into()) }
    }

    /// Whether its succession key signed the id of the next version.
    pub(super) fn vouches_for(&self, next: &Self) -> bool {
        let signed = |voucher| self.succession_key.verify(labels::SUCCESSION, next.id.as_bytes(), voucher);
        self.version.checked_add(1) == Some(next.version) && next.voucher.as_ref().is_some_and(signed)
    }
}

/// The current card of a patient, verified against the pinned descriptor and the roster.
#[derive(Debug, Clone)]
pub struct Card {
    pub(super) read: ReadCard,
    pub(super) master_grant: Box<[u8]>,
}

impl Card {
    /// The card's id, for `expect` and for the store.
    #[must_use]
    pub const fn id(&self) -> CardId {
        self.read.id
    }

    /// The patient's id, 1 to 255 bytes.
    #[must_use]
    pub const fn patient(&self) -> &[u8] {
        self.read.patient.as_id().as_bytes()
    }

    /// The version of the patient's key, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.read.version
    }

    pub(crate) const fn patient_id(&self) -> PatientId<'_> {
        self.read.patient.as_id()
    }

    pub(crate) const fn hpke_key(&self) -> &PublicKey {
        &self.read.hpke_key
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.read.scope
    }
}

impl Vault {
    /// Reads one card of any patient of the vault.
    pub(crate) fn read_card(&self, bytes: &[u8]) -> Result<ReadCard> {
        let Framed { value: card, body, end: voucher } = wire::card::Card::parse(bytes)?;
        self.scope().require(card.scope)?;
        let hpke_key = PublicKey::import(card.scope.suite, card.hpke_key.value)
            .ok_or_else(|| card.hpke_key.refuse(Object::Card, "hpke key"))?;
        let succession_key = VerifyingKey::import(&card.succession_key.value)
            .ok_or_else(|| card.succession_key.refuse(Object::Card, "succession key"))?;
        let wire::card::Card { scope, patient, version, previous, .. } = card;
        let (patient, previous) = (patient.into(), (version > 1).then_some(previous));
        Ok(ReadCard { id: card_id(body), scope, patient, version, hpke_key, succession_key, previous, voucher })
    }
}
