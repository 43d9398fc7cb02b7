//! Enrolment: a patient's key, its card, the endorsement and the master grant, all in one call.

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use super::endorsement::{Endorsed, Enroller};
use crate::digest::CardId;
use crate::error::{Result, Usage};
use crate::ident::PatientId;
use crate::keys::patient::{PatientContext, PatientKey, PatientSecret, card_id};
use crate::vault::Vault;
use crate::wire;
use crate::wire::frame::Field;

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
}
