//! When an old generation may be given up: a list to work off, which says what is missing.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::descriptor::PinnedDescriptor;
use super::share::Share;
use crate::digest::{CardId, VaultId};
use crate::error::{Error, Result, ShareFault, Usage};

/// The retirement of an old generation after a rotation. Until [`Retirement::finish`] succeeds, the old generation must
/// be kept: its shares, its master grants, its endorsements.
#[derive(Debug)]
pub struct Retirement<'a> {
    old: &'a PinnedDescriptor,
    new: &'a PinnedDescriptor,
    unchecked_shares: BTreeSet<u8>,
    patients: BTreeMap<CardId, Outcome>,
    destroyed: BTreeSet<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    Done,
    Failed,
}

/// What keeps an old generation from being retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Indices of new shares that nobody has checked.
    pub unchecked_shares: Vec<u8>,
    /// Cards whose master grants were neither re-wrapped nor listed as failed.
    pub patients: Vec<CardId>,
    /// How many more old shares must be destroyed, of n - k + 1.
    pub destructions: u8,
}

/// An old generation that was retired: fewer than k of its shares are left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    pub(crate) vault: VaultId,
    generation: u32,
    failed: Vec<CardId>,
}

impl Retired {
    /// The generation.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The cards whose master grants could not be re-wrapped: no quorum opens them any more.
    #[must_use]
    pub fn failed(&self) -> &[CardId] {
        &self.failed
    }
}

impl<'a> Retirement<'a> {
    /// Begins with every card whose master grant the old generation opens.
    ///
    /// # Errors
    /// [`Usage::WrongVault`] or [`Usage::WrongSuite`] for descriptors of two vaults; [`Usage::NoSuccessor`] if the new
    /// generation does not come after the old one.
    pub fn new(
        old: &'a PinnedDescriptor,
        new: &'a PinnedDescriptor,
        cards: impl IntoIterator<Item = CardId>,
    ) -> Result<Self> {
        old.scope().require(new.scope())?;
        if new.generation() <= old.generation() {
            return Err(Usage::NoSuccessor.into());
        }
        let patients = cards.into_iter().map(|card| (card, Outcome::Open)).collect();
        Ok(Self { old, new, unchecked_shares: (1..=new.n()).collect(), patients, destroyed: BTreeSet::new() })
    }

    /// Notes that a custodian's new share was read back and is the one that was dealt.
    ///
    /// # Errors
    /// [`Error::Share`] with the reason.
    pub fn confirm_share(&mut self, share: &Share) -> Result<()> {
        self.new.check_share(share)?;
        self.unchecked_shares.remove(&share.index());
        Ok(())
    }

    /// Notes that a patient's master grant was re-wrapped and the card endorsed for the new generation.
    pub fn patient_done(&mut self, card: CardId) {
        self.patients.insert(card, Outcome::Done);
    }

    /// Notes that this was not possible. The card stays on the list that [`Retired::failed`] gives.
    pub fn patient_failed(&mut self, card: CardId) {
        self.patients.insert(card, Outcome::Failed);
    }

    /// Notes that a custodian confirmed the destruction of an old share, in all of its copies. Each index counts once.
    ///
    /// # Security
    /// The library cannot see a destruction, nor who reports it. Take the word of each custodian for that custodian's own
    /// share only, in a way that others cannot use: whoever may call this for the shares of others alone decides that the
    /// generation is retired. One that was noted by mistake is taken back with [`Retirement::withdraw_destroyed`].
    ///
    /// # Errors
    /// [`Error::Share`] with [`ShareFault::Index`] for an index that no old share has.
    pub fn confirm_destroyed(&mut self, index: u8) -> Result<()> {
        if index == 0 || index > self.old.n() {
            return Err(Error::Share { index, reason: ShareFault::Index });
        }
        self.destroyed.insert(index);
        Ok(())
    }

    /// Takes the note of a destruction back: the custodian did not say so, or found another copy of the share.
    pub fn withdraw_destroyed(&mut self, index: u8) {
        self.destroyed.remove(&index);
    }

    /// What is still missing.
    #[must_use]
    pub fn missing(&self) -> Missing {
        let needed = self.old.n().saturating_sub(self.old.k()).saturating_add(1);
        let destroyed = u8::try_from(self.destroyed.len()).unwrap_or(u8::MAX);
        Missing {
            unchecked_shares: self.unchecked_shares.iter().copied().collect(),
            patients: self.cards(Outcome::Open),
            destructions: needed.saturating_sub(destroyed),
        }
    }

    /// Retires the old generation, if nothing is missing.
    ///
    /// # Errors
    /// [`Usage::NotRetired`]: [`Retirement::missing`] says why.
    pub fn finish(&self) -> Result<Retired> {
        let Missing { unchecked_shares, patients, destructions } = self.missing();
        if !unchecked_shares.is_empty() || !patients.is_empty() || destructions != 0 {
            let (shares, patients) = (unchecked_shares.len(), patients.len());
            return Err(Usage::NotRetired { shares, patients, destructions }.into());
        }
        Ok(Retired { vault: self.old.vault(), generation: self.old.generation(), failed: self.cards(Outcome::Failed) })
    }

    fn cards(&self, outcome: Outcome) -> Vec<CardId> {
        self.patients.iter().filter(|(_, met)| **met == outcome).map(|(card, _)| *card).collect()
    }
}
