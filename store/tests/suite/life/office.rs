//! What the registrar and the custodians do: rosters, generations, retirement, erasure.

use lukko::*;
use lukko_store::{Change, Erase, ErasureJob, Records, Store};

use super::jobs::Did;
use super::place::{Kind, now, wait};
use super::steps::Ending;
use super::world::{Erased, Generation, World, id, member_id, roles};

impl<K: Kind> World<K> {
    /// The next roster of each of these generations, in the store and with their clients.
    pub(super) fn publish(&mut self, generations: &[usize], change: impl Fn(&mut RosterDraft)) {
        for at in generations {
            let generation = &mut self.generations[*at];
            let vault = &mut generation.vault;
            let mut draft = vault.roster().next().unwrap();
            change(&mut draft);
            let (number, version) = (vault.descriptor().generation(), draft.version());
            let roster = draft.sign_as_registrar(&self.registrar, vault.descriptor()).unwrap();
            vault.update_roster(&roster, &self.entries).unwrap();
            generation.rosters.push(roster.clone());
            self.apply(&[Change::Roster { generation: number, version, roster: &roster }]).unwrap();
        }
    }

    pub(super) fn rotate(&mut self) {
        let before = self.generations.last().unwrap();
        let Some(master) = &before.master else { return };
        let (vault, registrar) = (&before.vault, self.registrar.public());
        let draft = vault.roster().next_generation().unwrap();
        let policy = Policy::new(2, 3).unwrap();
        let Rotation { descriptor, statement, roster, shares, master } =
            vault.rotate(master, policy, &registrar, draft, &mut self.rng).unwrap();
        let successor = vault.descriptor().successor([(descriptor.as_bytes(), statement.as_slice())]).unwrap();
        let vault = vault.follow(successor, &roster, &self.entries).unwrap();
        let (first, rosters) = ((vault.roster().version(), roster.clone()), vec![roster]);
        let statement = Some(statement);
        self.generations.push(Generation { vault, statement, first, shares, master: Some(master), rosters });
        self.store_generation(self.generations.len() - 1).unwrap();
    }

    /// The oldest generation in use, once the store lets it go. Then its custodians destroy their shares.
    pub(super) fn retire(&mut self) {
        let Some(old) = self.in_use().next() else { return };
        let new = self.generations.len() - 1;
        let before = self.opened_by_somebody();
        let number = self.generations[old].vault.descriptor().generation();
        if old == new || self.apply(&[Change::Retire { generation: number, losing: &[] }]).is_err() {
            return;
        }
        let [from, to] = [old, new].map(|at| self.generations[at].vault.descriptor());
        let mut retirement = Retirement::new(from, to, []).unwrap();
        self.generations[new].shares.iter().for_each(|share| retirement.confirm_share(share).unwrap());
        (1..=3).for_each(|index| retirement.confirm_destroyed(index).unwrap());
        let retired = retirement.finish().unwrap();
        for erased in &mut self.erasures {
            let _ = erased.receipt.note_retired(&retired, now());
        }
        self.retired.push(retired);
        self.generations[old].master = None;
        self.trust.promised.retain(|(_, generation)| *generation != number);
        let after = self.opened_by_somebody();
        let lost: Vec<_> =
            before.difference(&after).filter(|(patient, _)| !self.trust.planted.contains(patient)).collect();
        assert!(lost.is_empty(), "invariant 1: retiring generation {number} took the quorum's last way to {lost:?}");
    }

    pub(super) fn replace(&mut self, slot: usize) {
        let new = self.generations[0].vault.descriptor().new_member(member_id(slot), &mut self.rng).unwrap();
        self.entries.push(new.entry().to_vec());
        self.store_members();
        let old = std::mem::replace(&mut self.members[slot], new);
        let entry = MemberEntry::verify(self.members[slot].entry(), self.generations[0].vault.descriptor()).unwrap();
        let in_use: Vec<usize> = self.in_use().collect();
        self.publish(&in_use, |draft| {
            draft.set_status(old.fingerprint(), Status::Retired).unwrap();
            draft.admit(&entry, roles()).unwrap();
        });
        let vault = &self.generations.last().unwrap().vault;
        for erased in &mut self.erasures {
            let _ = erased.receipt.note_key_destroyed(vault, old.fingerprint(), now());
        }
    }

    /// Closes the older cards of a patient whose records have all moved.
    pub(super) fn close(&mut self, patient: usize) {
        let Some(current) = self.stored(patient).current else { return };
        if self.trust.tampered.contains(&patient) || self.records(patient).iter().any(|record| record.card != current) {
            return;
        }
        let older: Vec<CardId> = self.cards[patient].iter().copied().filter(|card| *card != current).collect();
        let in_use: Vec<usize> = self.in_use().collect();
        self.publish(&in_use, |draft| {
            for card in &older {
                let _ = draft.close(*card, ClosedReason::Compromised);
            }
        });
    }

    /// Closes the patient's cards: as a client of `by` sees them, and in which generations.
    fn begin_erasure(&mut self, patient: usize, by: usize, everywhere: bool) -> Option<(Erasure, bool)> {
        let stored = self.stored(patient);
        self.count += 1;
        let vault = &self.generations.get(by).filter(|generation| generation.master.is_some())?.vault;
        let mut erasure = vault.begin_erasure(id(patient), &stored.card_bytes(), stored.all_grants()).ok()?;
        // What was withdrawn, or is hidden now, is known from backups, or else every reader and generation is named.
        if self.count.is_multiple_of(2) {
            erasure.also_given(self.given(patient));
        } else {
            let newest = u32::try_from(self.generations.len()).unwrap();
            erasure.also_readers(vault).also_granted_to_generation(newest.try_into().unwrap());
        }
        for card in self.cards[patient].iter().filter(|card| self.seen[patient].cards.contains_key(card)) {
            erasure.also_close(*card);
        }
        let rows = stored.all_grants();
        let withdrawn = |grant: &[u8]| self.trust.withdrawn.contains(&(patient, grant.to_vec()));
        let whole = self.given(patient).iter().all(|grant| rows.contains(grant) || withdrawn(grant));
        let generations: Vec<usize> = if everywhere { self.in_use().collect() } else { vec![by] };
        let closing = erasure.clone();
        self.publish(&generations, |draft| closing.close_in(draft).unwrap());
        self.trust.truth.retain(|(owner, _), _| *owner != patient);
        Some((erasure, whole))
    }

    pub(super) fn erase(&mut self, patient: usize, by: usize, everywhere: bool, keep: bool, ends: Ending) {
        let Some((erasure, whole)) = self.begin_erasure(patient, by, everywhere) else { return };
        let records = if keep { Records::Keep } else { Records::Delete };
        let (vault, patients) = (self.generations[by].vault.clone(), [id(patient)]);
        let attachments = self.attachments.clone();
        let task = ErasureJob { vault: &vault, patients: &patients, records, attachments: Some(&attachments) };
        let job = self.job_name("erasure");
        let Did { done, .. } = self.work(&job, task, ends);
        if done.iter().any(|progress| progress.findings.is_empty()) {
            self.acknowledged(patient, by, (&erasure, whole), keep);
            let state = wait(self.place.store.job(self.vault_id(), &job)).unwrap().unwrap();
            assert_eq!(state.open, 0, "invariant 2: the piece of an acknowledged erasure is open");
        }
        self.jobs.remove("erasure");
    }

    pub(super) fn erase_alone(&mut self, patient: usize, by: usize) {
        let Some((erasure, whole)) = self.begin_erasure(patient, by, true) else { return };
        let stored = self.stored(patient);
        let keys: Vec<KeyFingerprint> = stored.grants.iter().map(|grant| grant.to).collect();
        let vault = &self.generations[by].vault;
        let (cards, keys, records) = (erasure.cards(), keys.as_slice(), Records::Delete);
        let erase = Erase { patient: id(patient), vault, cards, keys, at: now(), records, claim: None };
        if self.apply(&[Change::Erase(erase)]).is_ok() {
            self.acknowledged(patient, by, (&erasure, whole), false);
        }
    }

    /// Every grant of this life of the patient that any copy has held.
    pub(super) fn given(&self, patient: usize) -> Vec<&[u8]> {
        let cards = &self.cards[patient];
        let vault = &self.generations[0].vault;
        let of = |grant: &&[u8]| cards.iter().any(|card| !vault.who_can_open(*card, [*grant]).holders.is_empty());
        self.seen[patient].grants.iter().map(Vec::as_slice).filter(of).collect()
    }

    /// The patient is told so.
    fn acknowledged(&mut self, patient: usize, by: usize, (erasure, whole): (&Erasure, bool), keep: bool) {
        self.trust.erased.insert(patient, keep);
        self.trust.withdrawn.retain(|(owner, _)| *owner != patient);
        let cards = std::mem::take(&mut self.cards[patient]);
        let open: Vec<u32> = self
            .in_use()
            .map(|at| &self.generations[at].vault)
            .filter(|vault| cards.iter().any(|card| vault.roster().closed(*card) != Some(ClosedReason::Erased)))
            .map(|vault| vault.descriptor().generation())
            .collect();
        assert!(open.is_empty(), "invariant 2: patient {patient} is erased, and has a card that is open in {open:?}");
        let Ok(mut receipt) = erasure.receipt(&self.generations[by].vault, now()) else { return };
        for retired in &self.retired {
            let _ = receipt.note_retired(retired, now());
        }
        let living: Vec<_> = self.members.iter().map(MemberKey::fingerprint).collect();
        let newest = &self.generations.last().unwrap().vault;
        for (key, _) in receipt.keys().to_vec() {
            if !living.contains(&key) {
                let _ = receipt.note_key_destroyed(newest, key, now());
            }
        }
        self.erasures.push(Erased { patient, cards, whole, receipt });
    }
}
