//! Erasure: a patient's cards are closed, the grants destroyed, and a receipt says what that means for every copy.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::Vault;
use super::receipt::{ErasureReceipt, Sources};
use crate::error::{Error, Result, Usage};
use crate::ident::{CardId, KeyFingerprint, PatientId, VaultId};
use crate::patient;
use crate::roster::{ClosedReason, Roles, RosterDraft};
use crate::wire::grant::{Grant, Recipient};

/// The erasure of one patient, under way: which cards are to be closed, and who was granted them.
///
/// In this order: [`Erasure::close_in`] a roster draft, sign it, follow it; read the grants once more, since one may have
/// been made meanwhile, and give them to [`Erasure::also_given`]; destroy cards, endorsements and grants in the store,
/// and the records when convenient; then [`Erasure::receipt`]. Interrupted, it is begun again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    vault: VaultId,
    patient: Vec<u8>,
    cards: Vec<CardId>,
    /// Named by a card as the one before it, or by a grant, and not given.
    missing: Vec<CardId>,
    /// Named in the same way, and found to be another patient's.
    elsewhere: Vec<CardId>,
    /// What each grant names.
    grants: BTreeSet<(CardId, To)>,
    passed_over: usize,
    remembered: BTreeSet<To>,
    /// Open when the erasure began, and named by a card as the one before it.
    left_open: BTreeSet<CardId>,
}

/// Whom a grant is addressed to, as far as a receipt goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum To {
    Generation(u32),
    Key(KeyFingerprint),
}

impl Vault {
    /// Begins the erasure of a patient, from all cards and grants that are stored of it. Nothing changes by it yet.
    ///
    /// Each grant of this vault counts, whatever card it names: its recipient stands on the receipt, and a card that was
    /// not given is [missing](Erasure::missing).
    ///
    /// # Security
    /// Only these cards are closed. Give every card that the database or any backup has held of the patient: one that
    /// was lost, and comes back from a backup, would open again. The same holds for the grants: one that nobody shows is
    /// not on the receipt ([`Erasure::also_granted`], [`Erasure::also_readers`]).
    ///
    /// # Errors
    /// [`Error::Malformed`] for a card that cannot be read;
    /// [`Usage::WrongPatient`] and [`Usage::WrongVault`] for one that is not this patient's; [`Usage::NoCard`].
    pub fn begin_erasure<G: AsRef<[u8]>>(
        &self,
        patient: PatientId<'_>,
        cards: &[&[u8]],
        grants: impl IntoIterator<Item = G>,
    ) -> Result<Erasure> {
        let links = patient::links(patient, cards, &self.descriptor)?;
        let mut erasure = Erasure {
            vault: self.descriptor.vault(),
            patient: patient.as_bytes().to_vec(),
            cards: links.iter().map(|link| link.id).collect(),
            missing: Vec::new(),
            elsewhere: Vec::new(),
            grants: BTreeSet::new(),
            passed_over: 0,
            remembered: BTreeSet::new(),
            left_open: BTreeSet::new(),
        };
        links.iter().filter_map(|link| link.previous).for_each(|card| erasure.name_previous(self, card));
        erasure.also_given(grants);
        Ok(erasure)
    }
}

impl Erasure {
    /// The cards that are closed by it.
    #[must_use]
    pub fn cards(&self) -> &[CardId] {
        &self.cards
    }

    /// Cards that were not given, and that a card names as the one before it, or a grant as its own: the store lost them,
    /// a thief hides them to bring them back later, or somebody planted a row that names another patient's card.
    ///
    /// Look for each in backups and among the cards of other patients, and give it to [`Erasure::also_found`]. One that is
    /// not found is closed unseen. No receipt is given while one of them is neither found nor closed as erased.
    #[must_use]
    pub fn missing(&self) -> &[CardId] {
        &self.missing
    }

    /// Gives a card that was [missing](Erasure::missing), or that a backup holds. Says whether it is of this patient.
    ///
    /// A card of this patient is closed with the others. A card of another patient is left alone: it is not closed, and
    /// grants that name it do not count for this receipt.
    ///
    /// # Errors
    /// [`Error::Malformed`]; [`Usage::WrongVault`] and [`Usage::WrongSuite`]. Nothing changes then.
    pub fn also_found(&mut self, vault: &Vault, card: &[u8]) -> Result<bool> {
        if vault.descriptor.vault() != self.vault {
            return Err(Usage::WrongVault.into());
        }
        let link = patient::link(card, &vault.descriptor)?;
        if link.patient == self.patient.as_slice() {
            self.also_close(link.id);
            link.previous.into_iter().for_each(|card| self.name_previous(vault, card));
            return Ok(true);
        }
        self.missing.retain(|missing| *missing != link.id);
        // A card that was closed unseen by mistake is taken back, as long as no draft has closed it.
        self.cards.retain(|closing| *closing != link.id);
        if !self.elsewhere.contains(&link.id) {
            self.elsewhere.push(link.id);
        }
        Ok(false)
    }

    /// Closes a card unseen too: one that is [missing](Erasure::missing), or that a client or a backup remembers.
    ///
    /// # Security
    /// The rows of cards are not signed. Make sure that the id is of this patient: it is closed for ever. A row that
    /// somebody planted can name another patient's card, so look for the card first: [`Erasure::also_found`].
    pub fn also_close(&mut self, card: CardId) -> &mut Self {
        self.missing.retain(|missing| *missing != card);
        if !self.cards.contains(&card) {
            self.cards.push(card);
        }
        self
    }

    /// Gives more grants: those that were made since the erasure began, and those that backups hold.
    pub fn also_given<G: AsRef<[u8]>>(&mut self, grants: impl IntoIterator<Item = G>) -> &mut Self {
        for bytes in grants {
            match Grant::parse(bytes.as_ref()) {
                Ok((grant, _)) if grant.vault == self.vault => {
                    let to = match grant.recipient {
                        Recipient::Master { generation, .. } => To::Generation(generation),
                        Recipient::Member(key) => To::Key(key),
                    };
                    self.name(grant.card);
                    self.grants.insert((grant.card, to));
                }
                _ => self.passed_over = self.passed_over.saturating_add(1),
            }
        }
        self
    }

    /// Names a member's key on the receipt that was granted the patient, though the store shows no such grant.
    pub fn also_granted(&mut self, key: KeyFingerprint) -> &mut Self {
        self.remembered.insert(To::Key(key));
        self
    }

    /// Names a generation on the receipt whose master key was granted the patient, though the store shows no such grant.
    /// The vault's own generation and those before it are on the receipt anyway.
    pub fn also_granted_to_generation(&mut self, generation: NonZeroU32) -> &mut Self {
        self.remembered.insert(To::Generation(generation.get()));
        self
    }

    /// Names every key on the receipt that the vault's roster lists with the role `read`, whatever its status: for a store
    /// whose rows of grants may have been hidden.
    pub fn also_readers(&mut self, vault: &Vault) -> &mut Self {
        self.remembered.extend(vault.roster.keys_with(Roles::READ).map(To::Key));
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
    /// # Security
    /// It looks at the roster of this vault's generation only. While two generations are in use, both must close the
    /// cards: a client of the other one would open them in a copy.
    ///
    /// # Errors
    /// [`Usage::WrongVault`]; [`Usage::CardMissing`] with the first card that was not given and is not closed as erased;
    /// [`Usage::ErasurePending`] with the first one that is not closed as erased.
    pub fn receipt(&self, vault: &Vault, now: u64) -> Result<ErasureReceipt> {
        if vault.descriptor.vault() != self.vault {
            return Err(Usage::WrongVault.into());
        }
        let open = |card: &&CardId| vault.roster.closed(**card) != Some(ClosedReason::Erased);
        if let Some(missing) = self.missing.iter().find(open) {
            return Err(Usage::CardMissing(*missing).into());
        }
        if let Some(open) = self.cards.iter().find(open) {
            return Err(Usage::ErasurePending(*open).into());
        }
        let generation = vault.descriptor.generation();
        let (mut generations, mut keys) = (BTreeSet::new(), BTreeSet::new());
        generations.extend(1..=generation);
        for to in self.counted().map(|(_, to)| to).chain(&self.remembered) {
            match to {
                To::Generation(granted) => generations.insert(*granted),
                To::Key(key) => keys.insert(*key),
            };
        }
        Ok(ErasureReceipt {
            vault: self.vault,
            cards: self.cards.clone(),
            roster: (generation, vault.roster.version()),
            closed: now,
            sources: self.sources(vault, &keys),
            generations: generations.into_iter().map(|generation| (generation, None)).collect(),
            keys: keys.into_iter().map(|key| (key, None)).collect(),
        })
    }

    fn sources(&self, vault: &Vault, keys: &BTreeSet<KeyFingerprint>) -> Sources {
        let grants = self.counted().count();
        let of_others = self.grants.len().saturating_sub(grants);
        let without = |card: &&CardId| self.counted().all(|(granted, _)| granted != *card);
        let mine = |card: &&CardId| !self.elsewhere.contains(card);
        Sources {
            grants,
            passed_over: self.passed_over.saturating_add(of_others),
            remembered: self.remembered.len(),
            cards: self.cards.len(),
            cards_without_grants: self.cards.iter().filter(without).count(),
            cards_left_open: self.left_open.iter().filter(mine).count(),
            readers: vault.roster.keys_with(Roles::READ).count(),
            readers_not_listed: vault.roster.keys_with(Roles::READ).filter(|key| !keys.contains(key)).count(),
        }
    }

    /// The grants that count: those of other patients' cards do not.
    fn counted(&self) -> impl Iterator<Item = &(CardId, To)> {
        self.grants.iter().filter(|(card, _)| !self.elsewhere.contains(card))
    }

    /// A card says that this one was before it.
    fn name_previous(&mut self, vault: &Vault, card: CardId) {
        self.name(card);
        if vault.roster.closed(card).is_none() {
            self.left_open.insert(card);
        }
    }

    /// A row names this card as one of the patient's.
    fn name(&mut self, card: CardId) {
        let known = [&self.cards, &self.missing, &self.elsewhere];
        if known.iter().all(|cards| !cards.contains(&card)) {
            self.missing.push(card);
        }
    }
}
