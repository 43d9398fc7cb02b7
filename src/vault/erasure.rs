//! Erasure: a patient's cards are closed, the grants destroyed, and a receipt says what that means for every copy.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::fmt;

use super::Vault;
use crate::custody::Retired;
use crate::error::{Error, Result, Usage};
use crate::ident::{CardId, KeyFingerprint, PatientId, VaultId};
use crate::patient::{Holder, chain};
use crate::roster::{ClosedReason, RosterDraft, Status};

/// The erasure of one patient, under way: which cards are to be closed, and which members were granted.
///
/// In this order: [`Erasure::close_in`] a roster draft, sign it, follow it; destroy cards, endorsements and grants in
/// the store, and the records when convenient; then [`Erasure::receipt`]. Interrupted, it is begun again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    cards: Vec<CardId>,
    /// Named by a card as the one before it, and not given.
    missing: Vec<CardId>,
    members: Vec<KeyFingerprint>,
}

impl Vault {
    /// Begins the erasure of a patient, from all cards and grants that are stored of it. Nothing changes by it yet.
    ///
    /// # Security
    /// Only these cards are closed. Give every card that the database or any backup has held of the patient: one that
    /// was lost, and comes back from a backup, would open again.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a card that cannot be read;
    /// [`Usage::WrongPatient`] and [`Usage::WrongVault`] for one that is not this patient's; [`Usage::NoCard`].
    pub fn begin_erasure<G: AsRef<[u8]>>(
        &self,
        patient: PatientId<'_>,
        cards: &[&[u8]],
        grants: impl IntoIterator<Item = G> + Clone,
    ) -> Result<Erasure> {
        let (cards, missing) = chain(patient, cards, &self.descriptor)?;
        let mut members = BTreeSet::new();
        for card in &cards {
            for holder in self.who_can_open(*card, grants.clone()).holders {
                if let Holder::Member { key, .. } | Holder::Unlisted { key } = holder {
                    members.insert(key);
                }
            }
        }
        Ok(Erasure { cards, missing, members: members.into_iter().collect() })
    }
}

impl Erasure {
    /// The cards that are closed by it.
    #[must_use]
    pub fn cards(&self) -> &[CardId] {
        &self.cards
    }

    /// Cards that the given ones name as the card before, and that were not given: the store lost them, or a thief hides
    /// them, to bring them back later. No receipt is given until each was found, or closed unseen.
    #[must_use]
    pub fn missing(&self) -> &[CardId] {
        &self.missing
    }

    /// Closes a card unseen too: one that is [missing](Erasure::missing), or that a client or a backup remembers.
    ///
    /// # Security
    /// The rows of cards are not signed. Make sure that the id is of this patient: it is closed for ever.
    pub fn also_close(&mut self, card: CardId) -> &mut Self {
        self.missing.retain(|missing| *missing != card);
        if !self.cards.contains(&card) {
            self.cards.push(card);
        }
        self
    }

    /// Names a member's key on the receipt that was granted the patient, though the store shows no such grant.
    pub fn also_granted(&mut self, key: KeyFingerprint) -> &mut Self {
        if !self.members.contains(&key) {
            self.members.push(key);
        }
        self
    }

    /// Closes the patient's cards in the next roster; those that are closed already stay so.
    ///
    /// # Errors
    /// None in practice: a card is closed once.
    pub fn close_in(&self, draft: &mut RosterDraft) -> Result<()> {
        for card in &self.cards {
            match draft.close(*card, ClosedReason::Erased) {
                Ok(_) | Err(Error::Usage(Usage::AlreadyClosed(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The receipt, once the roster in hand closes every card, and never before.
    ///
    /// Call it after the store has destroyed cards and grants. `now` is in seconds since 1970-01-01 UTC.
    ///
    /// # Errors
    /// [`Usage::CardMissing`] with the first card that was not given; [`Usage::ErasurePending`] with the first one that
    /// is not closed as erased.
    pub fn receipt(&self, vault: &Vault, now: u64) -> Result<ErasureReceipt> {
        if let Some(missing) = self.missing.first() {
            return Err(Usage::CardMissing(*missing).into());
        }
        let erased = |card: &CardId| vault.roster.closed(*card) == Some(ClosedReason::Erased);
        if let Some(open) = self.cards.iter().find(|card| !erased(card)) {
            return Err(Usage::ErasurePending(*open).into());
        }
        let keys = self.members.iter().map(|key| (*key, None)).collect();
        let roster_version = vault.roster.version();
        let generations = (1..=vault.descriptor.generation()).map(|generation| (generation, None)).collect();
        let vault = vault.descriptor.vault();
        Ok(ErasureReceipt { vault, cards: self.cards.clone(), roster_version, closed: now, generations, keys })
    }
}

/// What an erasure has reached, in three steps, each with its date in seconds since 1970-01-01 UTC.
///
/// It is a notice, not evidence: that is the signed roster which closes the cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    vault: VaultId,
    cards: Vec<CardId>,
    roster_version: u64,
    closed: u64,
    generations: Vec<(u32, Option<u64>)>,
    keys: Vec<(KeyFingerprint, Option<u64>)>,
}

impl ErasureReceipt {
    /// The closed cards. They are random and name nobody.
    #[must_use]
    pub fn cards(&self) -> &[CardId] {
        &self.cards
    }

    /// When the cards were closed: since then every copy that never held this patient's grants is dead.
    #[must_use]
    pub const fn closed(&self) -> u64 {
        self.closed
    }

    /// The generations up to that day, and when each was retired: since then no quorum of it opens the grants in copies
    /// from its time. Those that were retired before the erasure are to be noted too.
    #[must_use]
    pub fn generations(&self) -> &[(u32, Option<u64>)] {
        &self.generations
    }

    /// The members' keys that were granted the patient, and when each was destroyed: older copies are open to those
    /// that still exist.
    #[must_use]
    pub fn keys(&self) -> &[(KeyFingerprint, Option<u64>)] {
        &self.keys
    }

    /// Whether every copy inside the vault's reach is dead. Never says so early.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let retired = self.generations.iter().all(|(_, retired)| retired.is_some());
        retired && self.keys.iter().all(|(_, destroyed)| destroyed.is_some())
    }

    /// Notes that one of the generations up to the erasure has been retired.
    ///
    /// # Errors
    /// [`Usage::WrongVault`]; [`Usage::NoSuccessor`] for a later generation, which never held this patient's grants.
    pub fn note_retired(&mut self, retired: &Retired, now: u64) -> Result<()> {
        if retired.vault != self.vault {
            return Err(Usage::WrongVault.into());
        }
        let met = self.generations.iter_mut().find(|(generation, _)| *generation == retired.generation());
        met.ok_or(Usage::NoSuccessor)?.1.get_or_insert(now);
        Ok(())
    }

    /// Notes that a member confirmed the destruction of a key that was granted the patient.
    ///
    /// # Errors
    /// [`Usage::NotOnRoster`] for a key that is not on this receipt; [`Usage::StillActive`] while the roster lists it
    /// as active.
    pub fn note_key_destroyed(&mut self, vault: &Vault, key: KeyFingerprint, now: u64) -> Result<()> {
        let slot = self.keys.iter_mut().find(|(granted, _)| *granted == key).ok_or(Usage::NotOnRoster(key))?;
        if vault.roster.status(key) == Some(Status::Active) {
            return Err(Usage::StillActive(key).into());
        }
        slot.1.get_or_insert(now);
        Ok(())
    }
}

impl fmt::Display for ErasureReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Erasure of one patient (cards closed: {}), by roster {}.", self.cards.len(), self.roster_version)?;
        writeln!(
            f,
            "1. Closed at {}. Dead since then: every copy that never held this patient's grants.",
            self.closed
        )?;
        for (generation, retired) in &self.generations {
            match retired {
                Some(at) => {
                    writeln!(f, "2. Generation {generation} retired at {at}: no quorum of it opens old copies.")?
                }
                None => writeln!(
                    f,
                    "2. PENDING: old copies open to a quorum of generation {generation} until it is retired."
                )?,
            }
        }
        for (key, destroyed) in &self.keys {
            match destroyed {
                Some(at) => writeln!(f, "3. Member key {key} destroyed at {at}.")?,
                None => writeln!(f, "3. PENDING: copies that held the grants open to member key {key}.")?,
            }
        }
        write!(f, "What was printed, exported, disclosed or copied by a reader is outside of this receipt.")
    }
}
