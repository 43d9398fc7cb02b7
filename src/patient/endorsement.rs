//! Endorsements: what makes a stored card the trusted one, made and verified.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::card::{Card, ReadCard};
use super::chain::Chain;
use super::grant::{pinned_master, seal_to_master};
use crate::choice::Roles;
use crate::custody::require_root;
use crate::digest::CardId;
use crate::error::{Error, Result, Untrusted, Usage, Versioned};
use crate::ident::PatientId;
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientKey, master_grant_digest};
use crate::prim::sign::SigningKey;
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

/// Who enrols patients: a member with the role `enrol`, or the root.
#[derive(Debug, Clone, Copy)]
pub enum Enroller<'a> {
    /// An active member with the role `enrol`.
    Member(&'a MemberKey),
    /// The master key, while a quorum has it open.
    Root(&'a MasterKey),
}

/// A card's endorsement and master grant for the pinned generation: store both in place of the ones before.
#[derive(Debug, Clone)]
pub struct Endorsed {
    /// The endorsement of the card and the master grant.
    pub endorsement: Vec<u8>,
    /// The patient secret wrapped to the master key.
    pub master_grant: Vec<u8>,
}

/// Who endorses, and with which key.
pub(super) struct Entitled<'a> {
    endorser: Endorser,
    key: &'a SigningKey,
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
        let chain = self.read_chain(patient, stored.cards)?;
        let current = self.current(stored, expect, &chain)?;
        Ok(Card { read: current.clone(), master_grant: stored.master_grant.into() })
    }

    /// The current one of all cards of a patient.
    pub(super) fn current<'c>(
        &self,
        stored: &StoredPatient<'_>,
        expect: Option<CardId>,
        chain: &'c Chain,
    ) -> Result<&'c ReadCard> {
        // 1. The newest card, which is of the patient that was asked for, is open.
        let current = chain.newest()?;
        self.roster.require_open(current.id)?;
        // 2. It is endorsed, and the endorsed master grant is at hand.
        let endorser = self.verify_endorsement(stored, current.id)?;
        self.require_master_grant(stored.master_grant, current.id)?;
        // 3. From version 2 on, the card before it vouches for it, or the root endorses it.
        chain.verify_succession(current, endorser)?;
        // 4. It is the card that the client accepted before, or follows from it.
        if let Some(expected) = expect {
            chain.require_follows(current, expected)?;
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

    /// Endorses a patient's card for this vault's generation, with a new master grant: store both in place of the ones
    /// before, or beside them while two generations are in use.
    ///
    /// For a patient enrolled while a rotation is under way, and for cards whose enroller was revoked: whoever has the
    /// patient's key shows by it that the new master grant holds the right secret.
    ///
    /// # Errors
    /// As [`Vault::enrol`]; [`Usage`](crate::error::Usage) for a key of another vault;
    /// [`Untrusted`](crate::error::Untrusted) for a closed card.
    pub fn endorse(&self, by: Enroller<'_>, key: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Endorsed> {
        self.require_open(key.scope(), key.card())?;
        self.endorse_as(&self.entitled(by)?, key, rng)
    }

    pub(super) fn endorse_as(
        &self,
        by: &Entitled<'_>,
        key: &PatientKey,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Endorsed> {
        let master_grant = seal_to_master(key, &self.descriptor, rng)?;
        let body = Endorsement {
            vault: self.descriptor.vault(),
            card: key.card(),
            generation: self.descriptor.generation(),
            master_grant: master_grant_digest(&master_grant),
            roster_seen: self.roster.version(),
            endorser: by.endorser,
        }
        .encode_body();
        Ok(Endorsed { endorsement: by.key.append_signature(labels::ENDORSEMENT, body), master_grant })
    }

    /// Checks that the enroller may endorse now.
    pub(super) fn entitled<'a>(&self, by: Enroller<'a>) -> Result<Entitled<'a>> {
        match by {
            Enroller::Member(member) => {
                self.scope().require(member.scope())?;
                self.roster.require_active(member.fingerprint(), Roles::ENROL)?;
                Ok(Entitled { endorser: Endorser::Member(member.fingerprint()), key: &member.signing })
            }
            Enroller::Root(master) => {
                require_root(&self.descriptor, master)?;
                Ok(Entitled { endorser: Endorser::Root, key: &master.root })
            }
        }
    }
}
