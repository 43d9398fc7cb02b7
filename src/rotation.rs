//! Rotation: the next generation of the master secret, and the patients' way into it.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use rand_core::TryCryptoRng;

use crate::custody::{self, Descriptor, NewVault, Policy, Share};
use crate::digest::CardId;
use crate::error::Result;
use crate::ident::PatientId;
use crate::keys::master::MasterKey;
use crate::keys::registrar::RegistrarPublicKey;
use crate::patient::{Endorsed, Enroller, GrantKey, StoredPatient};
use crate::roster::{RosterDraft, roster_digest};
use crate::vault::Vault;

/// The next generation of a vault, as a quorum of the present one made it. Clients reach it by the statement.
#[derive(Debug)]
pub struct Rotation {
    /// The new public part, to be stored beside the old one.
    pub descriptor: Descriptor,
    /// That the old generation is followed by the new one, signed by both roots: 272 bytes, to be stored.
    pub statement: Vec<u8>,
    /// The first roster of the new generation, signed by its root.
    pub roster: Vec<u8>,
    /// One share for each new custodian, in order of their index from 1.
    pub shares: Vec<Share>,
    /// The new master key, to endorse the patients' cards with. Drop it as soon as that is done.
    pub master: MasterKey,
}

impl Vault {
    /// Makes the next generation: other custodians, another policy, another registrar if need be. `roster` comes from
    /// [`VerifiedRoster::next_generation`](crate::VerifiedRoster::next_generation) and is signed by the new root.
    ///
    /// Nothing changes by it yet. The old shares open the vault until every patient was re-wrapped and the old
    /// generation retired: see [`Retirement`](crate::Retirement). Publish a change of the roster in both generations until
    /// then; a client of the old one refuses what names a newer roster than its own.
    ///
    /// # Errors
    /// [`Usage::WrongSigner`](crate::error::Usage::WrongSigner) if the master key is not the pinned generation's;
    /// [`Usage::WrongVault`](crate::error::Usage::WrongVault) for a draft of another vault or not for the next
    /// generation; [`Usage::VersionExhausted`](crate::error::Usage::VersionExhausted) after generation 2^32 - 1;
    /// [`Error::Randomness`](crate::Error::Randomness).
    ///
    /// # Security
    /// It makes old shares useless against databases that no longer hold the old master grants. Against someone with k
    /// old shares *and* an old copy: rotate, re-key every patient, reseal.
    pub fn rotate(
        &self,
        master: &MasterKey,
        policy: Policy,
        registrar: &RegistrarPublicKey,
        roster: RosterDraft,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Rotation> {
        // 1. Who asks holds the present master key.
        custody::require_root(&self.descriptor, master)?;
        // 2. The next master secret, dealt to the new custodians.
        let next = custody::deal_next(&self.descriptor, policy, registrar, rng)?;
        // 3. The first roster of the new generation.
        let version = roster.version();
        let roster = roster.sign_as_new_root(&next)?;
        // 4. The statement of both roots.
        let statement = custody::announce(&self.descriptor, master, &next, (version, roster_digest(&roster)))?;
        let NewVault { descriptor, shares, master } = next;
        Ok(Rotation { descriptor, statement, roster, shares, master })
    }
}

/// The loop of a rotation: one patient after the other, from one generation to the next. It costs the same for a patient
/// with one record and for one with a thousand: no record is read.
#[derive(Debug, Clone, Copy)]
pub struct PatientRotation<'a> {
    /// The vault in the old generation.
    pub from: &'a Vault,
    /// The old master key, which a quorum recovered.
    pub master: &'a MasterKey,
    /// The vault in the new generation.
    pub to: &'a Vault,
    /// Who endorses the cards: an enroller, or the new root.
    pub by: Enroller<'a>,
}

impl PatientRotation<'_> {
    /// Re-wraps a patient's master grant and endorses the card for the new generation: store both beside the old ones.
    /// Gives `None` if `done`, what is stored for the new generation, is valid already; so an interrupted loop is run
    /// again from its beginning.
    ///
    /// # Errors
    /// As [`Vault::card`] and [`Vault::break_glass`] in the old generation, and [`Vault::endorse`] in the new one. List
    /// the patient as failed and go on.
    pub fn patient(
        &self,
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        done: Option<&StoredPatient<'_>>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Option<Endorsed>> {
        if done.is_some_and(|done| self.is_done(patient, stored, done)) {
            return Ok(None);
        }
        let card = self.from.card(patient, stored, None)?;
        let key = self.from.break_glass(&card, self.master)?;
        self.to.endorse(self.by, &key, rng).map(Some)
    }

    /// Whether what is stored for the new generation is of the card that the old one endorses, or follows from it; where
    /// the new root is at hand, it also opens the master grant, which an enroller alone is believed for.
    fn is_done(&self, patient: PatientId<'_>, stored: &StoredPatient<'_>, done: &StoredPatient<'_>) -> bool {
        let endorsed = self.from.endorsed_card(stored);
        let Ok(endorsed) = endorsed else { return false };
        let Ok(card) = self.to.card(patient, done, Some(endorsed)) else { return false };
        match self.by {
            Enroller::Root(master) => self.to.break_glass(&card, master).is_ok(),
            Enroller::Member(_) => true,
        }
    }

    /// Re-wraps the master grant of an older card, whose records have not all been moved: store it beside the old one.
    ///
    /// # Errors
    /// As [`Vault::open_older`] in the old generation, and [`Vault::grant_to_master`] in the new one.
    pub fn older(
        &self,
        patient: PatientId<'_>,
        stored: &StoredPatient<'_>,
        older: CardId,
        master_grant: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<u8>> {
        let with = GrantKey::Master { key: self.master, grant: master_grant };
        let key = self.from.open_older(patient, stored, None, older, &with)?;
        self.to.grant_to_master(&key, rng)
    }
}
