//! A card is the public part of a patient key; this is how a stored one becomes a trusted one.

use alloc::boxed::Box;

use super::grant::pinned_master;
use super::history::{PublicCard, ReadCard, require_follows, verify_succession};
use crate::choice::Roles;
use crate::digest::CardId;
use crate::error::{Error, Result, Untrusted, Usage, Versioned};
use crate::ident::{PatientId, Scope};
use crate::keys::labels;
use crate::prim::hash::hash;
use crate::prim::hpke::PublicKey;
use crate::vault::Vault;
use crate::wire::endorsement::{Endorsement, Endorser};
use crate::wire::grant::Grant;

/// What a store holds of one patient's key, as it was read and not trusted yet.
#[derive(Debug, Clone, Copy)]
pub struct StoredPatient<'a> {
    /// Every card of the patient, in any order: usually one, after a re-key the older ones too.
    pub cards: &'a [&'a [u8]],
    /// The endorsement of the newest card for the pinned generation.
    pub endorsement: &'a [u8],
    /// The newest card's grant to the master key of the pinned generation.
    pub master_grant: &'a [u8],
}

/// The current card of a patient, verified against the pinned descriptor and the roster.
#[derive(Debug, Clone)]
pub struct Card {
    pub(super) public: PublicCard,
    pub(super) master_grant: Box<[u8]>,
}

impl Card {
    /// The card's id, for `expect` and for the store.
    #[must_use]
    pub const fn id(&self) -> CardId {
        self.public.id
    }

    /// The patient's id, 1 to 255 bytes.
    #[must_use]
    pub const fn patient(&self) -> &[u8] {
        self.public.patient.as_id().as_bytes()
    }

    /// The version of the patient's key, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.public.version
    }

    pub(crate) const fn patient_id(&self) -> PatientId<'_> {
        self.public.patient.as_id()
    }

    pub(crate) const fn hpke_key(&self) -> &PublicKey {
        &self.public.hpke_key
    }

    pub(crate) const fn scope(&self) -> Scope {
        self.public.scope
    }
}

impl Vault {
    /// Verifies what is stored of a patient and gives the current card.
    ///
    /// `patient` is whom the caller asked the store for: another patient's rows, moved here, are refused.
    ///
    /// Pass as `expect` the card that this client accepted before, if it remembers one: it then accepts only that
    /// card or one that follows from it.
    ///
    /// # Errors
    /// [`Error::Malformed`](crate::Error::Malformed); [`Usage`] for objects of another vault, suite or patient;
    /// [`Conflict::Cards`](crate::error::Conflict::Cards); [`Untrusted`] with what did not hold; [`Error::Stale`] for
    /// an endorsement of another generation, or one made under a newer roster than the one in hand.
    pub fn card(&self, patient: PatientId<'_>, stored: &StoredPatient<'_>, expect: Option<CardId>) -> Result<Card> {
        let history = self.read_history(stored.cards)?;
        let current = self.current(patient, stored, expect, &history)?;
        Ok(Card { public: current.public(&self.descriptor), master_grant: stored.master_grant.into() })
    }

    /// The current one of all cards of a patient.
    pub(super) fn current<'h, 'a>(
        &self,
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        expect: Option<CardId>,
        history: &'h [ReadCard<'a>],
    ) -> Result<&'h ReadCard<'a>> {
        // 1. The newest card is of the patient that was asked for, and open.
        let current = history.last().ok_or(Usage::NoCard)?;
        current.require_patient(patient)?;
        self.roster.require_open(current.id)?;
        // 2. It is endorsed, and the endorsed master grant is at hand.
        let endorser = self.verify_endorsement(stored, current.id)?;
        self.require_master_grant(stored.master_grant, current.id)?;
        // 3. From version 2 on, the card before it vouches for it, or the root endorses it.
        verify_succession(current, history, endorser)?;
        // 4. It is the card that the client accepted before, or follows from it.
        if let Some(expected) = expect {
            require_follows(current, expected, history)?;
        }
        Ok(current)
    }

    /// The card that a stored endorsement vouches for, if it holds; whether that is the newest one is not asked.
    pub(crate) fn endorsed_card(&self, stored: &StoredPatient<'_>) -> Result<CardId> {
        let card = Endorsement::parse(stored.endorsement)?.value.card;
        self.verify_endorsement(stored, card)?;
        Ok(card)
    }

    fn verify_endorsement(&self, stored: &StoredPatient<'_>, card: CardId) -> Result<Endorser> {
        let signed = Endorsement::parse(stored.endorsement)?;
        let endorsement = &signed.value;
        if endorsement.vault != self.descriptor.vault() {
            return Err(Usage::WrongVault.into());
        }
        if endorsement.card != card {
            return Err(Untrusted::EndorsedCard { card, endorsed: endorsement.card }.into());
        }
        let (known, met) = (self.descriptor.generation().into(), endorsement.generation.into());
        if met != known {
            return Err(Error::Stale { what: Versioned::Generation, known, met });
        }
        self.roster.require_seen(endorsement.roster_seen)?;
        let key = match endorsement.endorser {
            Endorser::Member(key) => &self.roster.require_unrevoked(key, Roles::ENROL)?.entry().signing_key,
            Endorser::Root => &self.descriptor.root_key,
        };
        if !signed.verify(key, labels::ENDORSEMENT) {
            let signer = match endorsement.endorser {
                Endorser::Member(key) => Some(key),
                Endorser::Root => None,
            };
            return Err(Untrusted::EndorsementSignature(signer).into());
        }
        if master_grant_digest(stored.master_grant) != endorsement.master_grant {
            return Err(Untrusted::MasterGrant(card).into());
        }
        Ok(endorsement.endorser)
    }

    /// The endorsed master grant must be one: of this card and to the pinned master key. What is in it, only a quorum sees.
    fn require_master_grant(&self, bytes: &[u8], card: CardId) -> Result<()> {
        let grant = Grant::parse(bytes)?.value;
        self.scope().require(grant.scope)?;
        if grant.card == card && grant.recipient == pinned_master(&self.descriptor) {
            Ok(())
        } else {
            Err(Untrusted::MasterGrant(card).into())
        }
    }
}

/// `SHA-256(lp(label) || master grant)`, which the endorsement signs.
pub(super) fn master_grant_digest(grant: &[u8]) -> [u8; 32] {
    hash(labels::MASTER_GRANT_DIGEST, &[grant])
}
