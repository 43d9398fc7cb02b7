//! The receipt of an erasure: which generations and keys still open old copies, and what it rests on.

use alloc::vec::Vec;
use core::fmt;

use super::Vault;
use super::utc::Utc;
use crate::custody::Retired;
use crate::error::{Error, Result, Usage, Versioned};
use crate::ident::{CardId, KeyFingerprint, VaultId};
use crate::roster::Status;

/// What a receipt rests on. It counts what somebody has seen: of a grant that was deleted before anybody saw it, nothing
/// here and nothing on the receipt can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sources {
    /// Grants that were given and that count.
    pub grants: usize,
    /// Rows that were given as grants and do not count: malformed, of another vault or of another patient's card.
    pub passed_over: usize,
    /// Keys and generations that the caller named from memory.
    pub remembered: usize,
    /// Closed cards.
    pub cards: usize,
    /// Closed cards of which no grant was given. Who was granted them is known from memory only.
    pub cards_without_grants: usize,
    /// Closed cards that a re-key had replaced, and that were still open when the erasure began.
    pub cards_left_open: usize,
    /// Keys with the role `read` on the roster, whatever their status.
    pub readers: usize,
    /// Those of them that are not on the receipt: the sources show no grant to them.
    pub readers_not_listed: usize,
}

/// What an erasure has reached, in three steps, each with its date in seconds since 1970-01-01 UTC.
///
/// It is a notice, not evidence: that is the signed roster which closes the cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    pub(super) vault: VaultId,
    pub(super) cards: Vec<CardId>,
    /// Generation and version of the roster that closes the cards.
    pub(super) roster: (u32, u64),
    pub(super) closed: u64,
    /// In rising order; those between them that are not listed count too.
    pub(super) generations: Vec<(u32, Option<u64>)>,
    pub(super) keys: Vec<(KeyFingerprint, Option<u64>)>,
    pub(super) sources: Sources,
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
    ///
    /// A generation that a grant names or the caller remembers is listed also if this vault has not followed to it yet.
    /// Generations between it and the vault's own are not listed before they are noted, and must be retired as well.
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

    /// What generations and keys were taken from.
    #[must_use]
    pub const fn sources(&self) -> Sources {
        self.sources
    }

    /// Whether every copy inside the vault's reach is dead, as far as the [sources](ErasureReceipt::sources) show. Never
    /// says so early.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let retired = self.generations.iter().all(|(_, retired)| retired.is_some());
        retired && self.not_listed() == 0 && self.keys.iter().all(|(_, destroyed)| destroyed.is_some())
    }

    /// Notes that one of the generations up to the erasure has been retired.
    ///
    /// # Errors
    /// [`Usage::WrongVault`]; [`Usage::NoSuccessor`] for a later generation, which never held this patient's grants.
    pub fn note_retired(&mut self, retired: &Retired, now: u64) -> Result<()> {
        if retired.vault != self.vault {
            return Err(Usage::WrongVault.into());
        }
        let generation = retired.generation();
        if generation > self.newest() {
            return Err(Usage::NoSuccessor.into());
        }
        match self.generations.binary_search_by_key(&generation, |(listed, _)| *listed) {
            Ok(at) => {
                if let Some((_, noted)) = self.generations.get_mut(at) {
                    noted.get_or_insert(now);
                }
            }
            Err(at) => self.generations.insert(at, (generation, Some(now))),
        }
        Ok(())
    }

    /// Notes that a member confirmed the destruction of a key that was granted the patient.
    ///
    /// # Errors
    /// [`Usage::WrongVault`]; [`Usage::NotOnRoster`] for a key that is not on this receipt; [`Usage::StillActive`] while
    /// the roster lists the key as active; [`Error::Stale`] for a vault that is older than this receipt, or than a
    /// generation on it if its roster does not list the key.
    pub fn note_key_destroyed(&mut self, vault: &Vault, key: KeyFingerprint, now: u64) -> Result<()> {
        if vault.descriptor.vault() != self.vault {
            return Err(Usage::WrongVault.into());
        }
        let newest = self.newest();
        let status = vault.roster.status(key);
        let slot = self.keys.iter_mut().find(|(granted, _)| *granted == key).ok_or(Usage::NotOnRoster(key))?;
        if status == Some(Status::Active) {
            return Err(Usage::StillActive(key).into());
        }
        let (generation, version) = (vault.descriptor.generation(), vault.roster.version());
        // A roster that does not list the key may be older than the key.
        let known = if status.is_none() { newest } else { self.roster.0 };
        if generation < known {
            let (known, met) = (known.into(), generation.into());
            return Err(Error::Stale { what: Versioned::Generation, known, met });
        }
        if (generation, version) < self.roster {
            return Err(Error::Stale { what: Versioned::Roster, known: self.roster.1, met: version });
        }
        slot.1.get_or_insert(now);
        Ok(())
    }

    /// The newest generation on the receipt.
    fn newest(&self) -> u32 {
        self.generations.last().map_or(0, |(generation, _)| *generation)
    }

    /// How many generations up to the newest are neither listed nor noted.
    fn not_listed(&self) -> usize {
        usize::try_from(self.newest()).unwrap_or(usize::MAX).saturating_sub(self.generations.len())
    }
}

impl fmt::Display for ErasureReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((generation, version), cards, closed) = (self.roster, self.cards.len(), Utc(self.closed));
        writeln!(
            f,
            "Erasure of one patient (cards closed: {cards}), by roster {version} of generation {generation}.\n\
             1. Closed at {closed}. Dead since then: every copy that never held this patient's grants."
        )?;
        for (generation, retired) in &self.generations {
            match retired {
                Some(at) => {
                    let at = Utc(*at);
                    writeln!(f, "2. Generation {generation} retired at {at}: no quorum of it opens old copies.")?
                }
                None => writeln!(
                    f,
                    "2. PENDING: old copies open to a quorum of generation {generation} until it is retired."
                )?,
            }
        }
        if self.not_listed() != 0 {
            writeln!(
                f,
                "2. PENDING: {} older generations that are not listed here, until retired.",
                self.not_listed()
            )?;
        }
        for (key, destroyed) in &self.keys {
            match destroyed {
                Some(at) => writeln!(f, "3. Member key {key} destroyed at {}.", Utc(*at))?,
                None => writeln!(f, "3. PENDING: copies that held the grants open to member key {key}.")?,
            }
        }
        writeln!(f, "{}", self.sources)?;
        write!(f, "What was printed, exported, disclosed or copied by a reader is outside of this receipt.")
    }
}

impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grants, passed_over, remembered, cards, cards_without_grants, cards_left_open, .. } = self;
        writeln!(
            f,
            "This receipt rests on {grants} grants that were given ({passed_over} more rows do not count), on {remembered} \
             keys and generations named from memory, and on {cards} closed cards."
        )?;
        writeln!(
            f,
            "Of the closed cards, {cards_without_grants} came without a grant, and {cards_left_open} had been left open \
             after a re-key."
        )?;
        write!(
            f,
            "The roster lists {} keys with the role read; {} of them are not on this receipt. Nobody can count a grant \
             that nobody saw.",
            self.readers, self.readers_not_listed
        )
    }
}
