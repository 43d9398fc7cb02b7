//! Each planned call, made in truth.

use lukko::*;

use crate::clinic::TestRng;
use crate::model::{Act, Actor, CardIx, NoteId, Row};
use crate::world::{Store, World, patient_id, text};

impl World {
    /// Makes one call. What it stores on success is stored, and nothing else.
    pub(crate) fn perform(&mut self, act: &Act, rng: &mut TestRng) -> Result<()> {
        match *act {
            Act::Publish(ref change) => self.publish(change, rng),
            Act::Enrol { by, patient, grant_to } => {
                let view = self.vaults.len() - 1;
                let vault = &self.vaults[view];
                let enrolment = self.with_enroller(view, by, |by| vault.enrol(by, patient_id(patient), rng))?;
                self.store_enrolment(view, patient, enrolment, grant_to.as_slice(), rng)?;
            }
            Act::Rekey { view, patient, opener, by, ref grant_to } => {
                let key = self.key(view, patient, None, opener)?;
                let enrolment = self.with_enroller(view, by, |by| self.vaults[view].rekey(by, &key, rng))?;
                let generation = self.generation(view);
                let old = CardIx(self.cards.iter().position(|id| *id == key.card()).unwrap());
                let master_grant = self.store.rows[&Row::MasterGrant(patient, generation)].clone();
                self.store.rows.insert(Row::OlderGrant(old, generation), master_grant);
                self.store_enrolment(view, patient, enrolment, grant_to, rng)?;
            }
            Act::Grant { view, patient, opener, to } => {
                let key = self.key(view, patient, None, opener)?;
                let grant = self.vaults[view].grant(&key, self.keys[to.0].fingerprint(), rng)?;
                let card = CardIx(self.cards.iter().position(|id| *id == grant.card).unwrap());
                self.store.rows.insert(Row::Grant(card, to), grant.bytes);
            }
            Act::Seal { view, patient, opener, id, revision, text: number } => {
                let key = self.key(view, patient, None, opener)?;
                let sealed = self.seal(view, &key, &id, (revision, &text(number)), rng)?;
                self.store.rows.insert(Row::Note(patient, id), sealed);
            }
            Act::Deposit { view, patient, writer, id, text: number } => {
                let (card, writer) = (self.card(view, patient)?, &self.keys[writer.0]);
                let (_, field) = self.record(&id);
                let deposit = self.vaults[view].deposit(&card, writer, field, Padding::Padme, &text(number), rng)?;
                self.names.insert(id, deposit.record);
                self.store.rows.insert(Row::Note(patient, id), deposit.bytes);
            }
            Act::Absorb { view, patient, opener, id, card } => {
                let key = self.key(view, patient, Some(card), opener)?;
                let absorbed = self.with_note(patient, &id, |record, field, bytes| {
                    self.vaults[view].absorb(&key, Place::new(record, field), bytes, rng)
                })?;
                self.store.rows.insert(Row::Note(patient, id), absorbed);
            }
            Act::Move { view, patient, opener, id, from, reseal } => {
                self.move_note(view, patient, opener, (id, from), reseal, rng)?;
            }
            Act::Triage { view, patient, opener, id, from, revision } => {
                let [old, new] = [Some(from), None].map(|card| self.key(view, patient, card, opener));
                let note = self.open_unattributed(view, &old?, patient, &id)?.into_inner();
                let sealed = self.seal(view, &new?, &id, (revision, note.plaintext.as_bytes()), rng)?;
                self.store.rows.insert(Row::Note(patient, id), sealed);
            }
            Act::Mend { view, patient, opener, by, card } => {
                let (vault, cards, known) = (&self.vaults[view], self.card_rows(patient), self.cards[card.0]);
                let key = self.with_grant(view, patient, card, opener, |with| {
                    vault.open_remembered(patient_id(patient), &cards, known, with)
                })?;
                let endorsed = self.with_enroller(view, by, |by| vault.endorse(by, &key, rng))?;
                self.store_endorsed(view, patient, endorsed);
            }
            Act::OlderGrant { view, patient, opener, card } => {
                let key = self.key(view, patient, Some(card), opener)?;
                let grant = self.vaults[view].grant_to_master(&key, rng)?;
                self.store.rows.insert(Row::OlderGrant(card, self.generation(view)), grant);
            }
            Act::StartRotation => self.start_rotation(rng),
            Act::RotatePatient { patient, by, fresh } => self.rotate_patient(patient, by, fresh, rng)?,
            Act::RotateOlder { patient, by, card } => self.rotate_older(patient, by, card, rng)?,
            Act::Retire { ref done, ref failed } => self.retire(done, failed),
            Act::Erase { patient, ref cards, ref grants, keep_notes } => {
                self.erase(patient, (cards, grants), keep_notes)?;
            }
            Act::Remember { patient, card } => self.memory[patient] = card.map(|card| self.cards[card.0]),
            Act::Delete(row) => drop(self.store.rows.remove(&row).expect("the row that the model has")),
            Act::Backup => self.backups.push(self.store.clone()),
            Act::Restore(which) => self.restore(self.backups[which].clone()),
        }
        Ok(())
    }

    /// Stores a new card with what belongs to it, and remembers it.
    fn store_enrolment(
        &mut self,
        view: usize,
        patient: usize,
        enrolment: Enrolment,
        grant_to: &[crate::model::KeyIx],
        rng: &mut TestRng,
    ) -> Result<()> {
        let Enrolment { card_id, card, endorsement, master_grant, key } = enrolment;
        let ix = CardIx(self.cards.len());
        self.cards.push(card_id);
        self.store.rows.insert(Row::Card(patient, ix), card);
        self.store_endorsed(view, patient, Endorsed { endorsement, master_grant });
        for to in grant_to {
            let grant = self.vaults[view].grant(&key, self.keys[to.0].fingerprint(), rng)?;
            self.store.rows.insert(Row::Grant(ix, *to), grant.bytes);
        }
        self.memory[patient] = Some(card_id);
        Ok(())
    }

    pub(crate) fn store_endorsed(&mut self, view: usize, patient: usize, endorsed: Endorsed) {
        let generation = self.generation(view);
        self.store.rows.insert(Row::Endorsement(patient, generation), endorsed.endorsement);
        self.store.rows.insert(Row::MasterGrant(patient, generation), endorsed.master_grant);
    }

    pub(crate) fn with_note<T>(
        &self,
        patient: usize,
        id: &NoteId,
        call: impl FnOnce(RecordId<'_>, FieldLabel<'_>, &[u8]) -> T,
    ) -> T {
        let (record, field) = self.record(id);
        call(RecordId::new(&record).unwrap(), field, self.row(Row::Note(patient, *id)).unwrap())
    }

    /// Moves a note to the current card. Run again, the same loop finds nothing to do.
    fn move_note(
        &mut self,
        view: usize,
        patient: usize,
        opener: Actor,
        (id, from): (NoteId, CardIx),
        reseal: bool,
        rng: &mut TestRng,
    ) -> Result<()> {
        let (from, to) = (self.key(view, patient, Some(from), opener)?, self.key(view, patient, None, opener)?);
        for again in [false, true] {
            let vault = &self.vaults[view];
            let moved = self.with_note(patient, &id, |record, field, bytes| match reseal {
                true => vault.reseal(&from, &to, Place::new(record, field), bytes, rng),
                false => vault.rewrap(&from, &to, Place::new(record, field), bytes, rng),
            })?;
            assert_eq!(moved.is_none(), again, "a note is moved once");
            if let Some(moved) = moved {
                self.store.rows.insert(Row::Note(patient, id), moved);
            }
        }
        Ok(())
    }

    /// The database goes back; the clients do not. Then the registrar puts the latest roster back in its place.
    fn restore(&mut self, backup: Store) {
        let latest = std::mem::replace(&mut self.store, backup).public;
        for vault in &self.vaults {
            crate::check::stale_roster_is_refused(vault, &self.store.public, &latest);
        }
        self.store.public = latest;
    }
}
