//! The registrar's and the custodians' work: rosters, rotation, retirement, erasure.

use lukko::error::Usage;
use lukko::*;

use crate::clinic::TestRng;
use crate::model::{CardIx, Change, Row, Signer, roles};
use crate::renew::of_generation;
use crate::steps::erased;
use crate::world::{OldGeneration, World, new_member, patient_id, policy, share_texts};

impl World {
    /// Publishes a change in every generation in use, and lets the clients follow.
    pub(crate) fn publish(&mut self, change: &Change, rng: &mut TestRng) {
        if let Change::Key { slot, .. } = change {
            let key = new_member(self.vaults[0].descriptor(), *slot, rng);
            self.store.public.entries.push(key.entry().to_vec());
            self.keys.push(key);
        }
        for view in 0..self.vaults.len() {
            let mut draft = self.vaults[view].roster().next().unwrap();
            self.draft(&mut draft, change).unwrap();
            self.sign(view, draft);
        }
    }

    fn draft(&self, draft: &mut RosterDraft, change: &Change) -> Result<()> {
        match *change {
            Change::Status(key, status) => draft.set_status(self.keys[key.0].fingerprint(), status)?,
            Change::Close(card) => draft.close(self.cards[card.0], ClosedReason::Compromised)?,
            Change::Key { slot, lost } => {
                let entry = self.keys.last().expect("the new key").entry();
                let entry = MemberEntry::verify(entry, self.vaults[0].descriptor())?;
                match lost {
                    Some(lost) => draft.replace(self.keys[lost.0].fingerprint(), &entry)?,
                    None => draft.admit(&entry, roles(slot))?,
                }
            }
        };
        Ok(())
    }

    fn sign(&mut self, view: usize, draft: RosterDraft) {
        let vault = &mut self.vaults[view];
        let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor()).unwrap();
        vault.update_roster(&roster, &self.store.public.entries).unwrap();
        self.store.public.rosters.insert(vault.descriptor().generation(), roster);
    }

    /// A quorum makes the next generation, and the clients follow it by its statement.
    pub(crate) fn start_rotation(&mut self, rng: &mut TestRng) {
        let old = &self.vaults[0];
        let draft = old.roster().next_generation().unwrap();
        let rotation = old.rotate(&self.master(0), policy(), &self.registrar.public(), draft, rng).unwrap();
        let generation = rotation.descriptor.generation();
        let candidates = [(rotation.descriptor.as_bytes(), rotation.statement.as_slice())];
        let successor = old.descriptor().successor(candidates).unwrap();
        let new = old.follow(successor, &rotation.roster, &self.store.public.entries).unwrap();
        let public = &mut self.store.public;
        public.descriptors.insert(generation, rotation.descriptor.as_bytes().to_vec());
        public.statements.insert(generation, rotation.statement);
        public.rosters.insert(generation, rotation.roster);
        self.shares.insert(generation, share_texts(&rotation.shares));
        self.vaults.push(new);
    }

    pub(crate) fn rotate_patient(&mut self, patient: usize, by: Signer, fresh: bool, rng: &mut TestRng) -> Result<()> {
        let (cards, master) = (self.card_rows(patient), self.master(0));
        let stored = |view| {
            let (endorsement, master_grant) = self.endorsed_rows(patient, self.generation(view));
            StoredPatient { cards: &cards, endorsement, master_grant }
        };
        let endorsed = self.with_enroller(1, by, |by| {
            let rotation = PatientRotation { from: &self.vaults[0], master: &master, to: &self.vaults[1], by };
            rotation.patient(patient_id(patient), &stored(0), Some(&stored(1)), rng)
        })?;
        assert_eq!(endorsed.is_some(), fresh, "a patient is re-wrapped once");
        if let Some(endorsed) = endorsed {
            self.store_endorsed(1, patient, endorsed);
        }
        Ok(())
    }

    pub(crate) fn rotate_older(&mut self, patient: usize, by: Signer, card: CardIx, rng: &mut TestRng) -> Result<()> {
        let (cards, master, generation) = (self.card_rows(patient), self.master(0), self.generation(0));
        let (endorsement, master_grant) = self.endorsed_rows(patient, generation);
        let stored = StoredPatient { cards: &cards, endorsement, master_grant };
        let grant = self.row(Row::OlderGrant(card, generation)).unwrap_or(master_grant);
        let grant = self.with_enroller(1, by, |by| {
            let rotation = PatientRotation { from: &self.vaults[0], master: &master, to: &self.vaults[1], by };
            rotation.older(patient_id(patient), &stored, self.cards[card.0], grant, rng)
        })?;
        self.store.rows.insert(Row::OlderGrant(card, self.generation(1)), grant);
        Ok(())
    }

    /// Works off the list of a retirement, in another order than people would: each point alone holds it up.
    /// Somebody keeps the old master key none the less.
    pub(crate) fn retire(&mut self, done: &[CardIx], failed: &[CardIx]) {
        let [old, new] = [0, 1].map(|view| self.vaults[view].descriptor());
        let ids = |cards: &[CardIx]| -> Vec<CardId> { cards.iter().map(|card| self.cards[card.0]).collect() };
        let [done, mut failed] = [done, failed].map(ids);
        let mut retirement = Retirement::new(old, new, done.iter().chain(&failed).copied()).unwrap();
        for text in &self.shares[&new.generation()] {
            assert!(retirement.finish().is_err(), "unchecked shares");
            retirement.confirm_share(&Share::from_text(text).unwrap()).unwrap();
        }
        for index in 1..=2 {
            assert!(retirement.finish().is_err(), "old shares are left");
            retirement.confirm_destroyed(index).unwrap();
        }
        let mut open = done.len() + failed.len();
        for card in done.iter().chain(&failed) {
            let missing = retirement.finish();
            assert!(matches!(missing, Err(Error::Usage(Usage::NotRetired { patients, .. })) if patients == open));
            if failed.contains(card) {
                retirement.patient_failed(*card)
            } else {
                retirement.patient_done(*card)
            }
            open -= 1;
        }
        let retired = retirement.finish().unwrap();
        failed.sort();
        assert_eq!((retired.generation(), retired.failed()), (old.generation(), failed.as_slice()));
        let (generation, master) = (old.generation(), self.master(0));
        self.store.rows.retain(|row, _| !of_generation(row, generation));
        self.shares.get_mut(&generation).expect("the old shares").drain(..2);
        self.retired.push(OldGeneration { vault: self.vaults.remove(0), master });
    }

    pub(crate) fn erase(
        &mut self,
        patient: usize,
        (cards, grants): (&[CardIx], &[Row]),
        keep_notes: bool,
    ) -> Result<()> {
        let grants = grants.iter().map(|row| &self.store.rows[row]);
        let mut erasure = self.vaults[0].begin_erasure(patient_id(patient), &self.card_rows(patient), grants)?;
        for missing in erasure.missing().to_vec() {
            let erased = self.vaults[0].roster().closed(missing) == Some(ClosedReason::Erased);
            assert!(erased || erasure.receipt(&self.vaults[0], 1).is_err(), "no receipt while a card is missing");
            erasure.also_close(missing);
        }
        assert_eq!(erasure.cards().len(), cards.len());
        let reason = |card: &CardIx| self.vaults[0].roster().closed(self.cards[card.0]);
        let open = cards.iter().any(|card| reason(card) != Some(ClosedReason::Erased));
        assert_eq!(erasure.receipt(&self.vaults[0], 1).is_err(), open, "no receipt before the cards are closed");
        for view in 0..self.vaults.len() {
            let mut draft = self.vaults[view].roster().next().unwrap();
            erasure.close_in(&mut draft).unwrap();
            self.sign(view, draft);
        }
        self.store.rows.retain(|row, _| !erased(row, patient, cards, keep_notes));
        self.memory[patient] = None;
        let receipt = erasure.receipt(self.vaults.last().expect("a vault"), 2).unwrap();
        assert!(!receipt.is_complete(), "older copies and backups still open");
        Ok(())
    }
}
