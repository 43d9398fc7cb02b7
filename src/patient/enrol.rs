//! Enrolment: a patient's key, its card, the endorsement and the master grant, all in one call.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::card::master_grant_digest;
use super::grant::seal_to_master;
use super::history::card_id;
use crate::choice::Roles;
use crate::custody::require_root;
use crate::digest::CardId;
use crate::error::{Result, Usage};
use crate::ident::PatientId;
use crate::keys::labels;
use crate::keys::master::MasterKey;
use crate::keys::member::MemberKey;
use crate::keys::patient::{PatientContext, PatientKey, PatientSecret};
use crate::prim::sign::SigningKey;
use crate::vault::Vault;
use crate::wire;
use crate::wire::endorsement::{Endorsement, Endorser};
use crate::wire::frame::Field;

/// Who enrols patients: a member with the role `enrol`, or the root.
#[derive(Debug, Clone, Copy)]
pub enum Enroller<'a> {
    /// An active member with the role `enrol`.
    Member(&'a MemberKey),
    /// The master key, while a quorum has it open.
    Root(&'a MasterKey),
}

/// A newly enrolled patient: three objects to store together, and the key to seal and to grant with.
#[derive(Debug)]
pub struct Enrolment {
    /// The card's id, for clients that remember it.
    pub card_id: CardId,
    /// The card.
    pub card: Vec<u8>,
    /// The endorsement of the card and the master grant.
    pub endorsement: Vec<u8>,
    /// The patient secret wrapped to the master key: what a quorum opens when all members are gone.
    pub master_grant: Vec<u8>,
    /// The patient's key.
    pub key: PatientKey,
}

/// A card's endorsement and master grant for the pinned generation: store both in place of the ones before.
#[derive(Debug, Clone)]
pub struct Endorsed {
    /// The endorsement of the card and the master grant.
    pub endorsement: Vec<u8>,
    /// The patient secret wrapped to the master key.
    pub master_grant: Vec<u8>,
}

impl Vault {
    /// Enrols a patient. Store card, endorsement and master grant together.
    ///
    /// # Errors
    /// [`Untrusted`](crate::error::Untrusted) if the enroller is not an active member with the role `enrol`;
    /// [`Usage::WrongSigner`](crate::error::Usage::WrongSigner) for a master key of another vault or
    /// generation; [`Error::Randomness`](crate::Error::Randomness).
    pub fn enrol(&self, by: Enroller<'_>, patient: PatientId<'_>, rng: &mut impl TryCryptoRng) -> Result<Enrolment> {
        let context = PatientContext { scope: self.scope(), patient, version: 1 };
        self.issue(by, &context, None, rng)
    }

    /// Makes the next version of a patient's key. Store its card beside the old one, which vouches for it.
    ///
    /// The re-key ends when the records have been moved ([`Vault::reseal`]) and a roster closes the old card as
    /// compromised: until then [`Vault::cards_left_open`] lists it.
    ///
    /// # Security
    /// While the old card is open, whoever writes the database can show it, with its endorsement, to a client that
    /// remembers no card of this patient. That client accepts it, and seals new notes under the old key.
    ///
    /// # Errors
    /// As [`Vault::enrol`]; [`Usage::WrongVault`](crate::error::Usage::WrongVault) or
    /// [`Usage::WrongSuite`](crate::error::Usage::WrongSuite) for a key of another vault;
    /// [`Untrusted::CardErased`](crate::error::Untrusted::CardErased);
    /// [`Usage::VersionExhausted`](crate::error::Usage::VersionExhausted) after version 2^32 - 1.
    pub fn rekey(&self, by: Enroller<'_>, old: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Enrolment> {
        self.require_not_erased(old)?;
        let version = old.version().checked_add(1).ok_or(Usage::VersionExhausted)?;
        self.issue(by, &PatientContext { version, ..old.context() }, Some(old), rng)
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

    /// One version of a patient's key: secret, card, master grant and endorsement.
    fn issue(
        &self,
        by: Enroller<'_>,
        context: &PatientContext<'_>,
        old: Option<&PatientKey>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Enrolment> {
        let entitled = self.entitled(by)?;
        // 1. The secret and its key pairs.
        let pairs = PatientSecret::draw(rng)?.derive(context)?;
        // 2. The card: their public halves, and the card before.
        let hpke_public = pairs.hpke_public.as_bytes().to_vec();
        let succession_public = *pairs.succession_public().as_bytes();
        let mut card = wire::card::Card {
            scope: context.scope,
            patient: context.patient,
            version: context.version,
            hpke_key: Field::new(&hpke_public),
            succession_key: Field::new(succession_public),
            previous: old.map_or(CardId([0; wire::LEN_32]), PatientKey::card),
        }
        .encode_body();
        let card_id = card_id(&card);
        wire::card::put_voucher(&mut card, &old.map(|old| old.vouch_for(card_id)));
        let key = pairs.matching(context, card_id, &hpke_public, &succession_public)?;
        // 3. The master grant, so that a quorum can always break the glass, and the endorsement of both.
        let Endorsed { endorsement, master_grant } = self.endorse_as(&entitled, &key, rng)?;
        Ok(Enrolment { card_id, card, endorsement, master_grant, key })
    }

    fn endorse_as(&self, by: &Entitled<'_>, key: &PatientKey, rng: &mut impl TryCryptoRng) -> Result<Endorsed> {
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
    fn entitled<'a>(&self, by: Enroller<'a>) -> Result<Entitled<'a>> {
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

/// Who endorses, and with which key.
struct Entitled<'a> {
    endorser: Endorser,
    key: &'a SigningKey,
}
