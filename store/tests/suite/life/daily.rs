//! What clients do every day, each in the generation that it has heard of.

use std::io::Write;

use lukko::rand_core::TryCryptoRng;
use lukko::*;
use lukko_store::placed::{GrantRow, RecordRow};
use lukko_store::{Body, Change, Expect, Record, Replaced, StoredBody, enrolment, next_card};

use super::place::{Kind, now, wait};
use super::world::{Spot, Upload, World, id, note};

/// Work on streams that block, on a thread of its own.
pub(super) fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    tokio::task::block_in_place(|| std::thread::scope(|scope| scope.spawn(work).join().unwrap()))
}

pub(super) fn new_record<'a>(patient: usize, (record, field): &'a Spot, card: CardId, body: Body<'a>) -> RecordRow<'a> {
    let (record, field) = (record.as_bytes(), field.as_bytes());
    RecordRow { patient: id(patient).as_bytes(), record, field, revision: 1, card, body, expect: Expect::Absent }
}

fn context((record, field): &Spot, revision: u64) -> RecordContext<'_> {
    let (record, field) = (RecordId::new(record).unwrap(), FieldLabel::new(field).unwrap());
    RecordContext::new(record, field, Revision::new(revision).unwrap())
}

impl<K: Kind> World<K> {
    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(super) fn enrol(&mut self, patient: usize, by: usize) {
        let stored = self.stored(patient);
        let Some(generation) = self.generations.get(by) else { return };
        if stored != lukko_store::Patient::default() || !self.records(patient).is_empty() {
            return;
        }
        let by = Enroller::Member(&self.members[0]);
        let (vault, number) = (&generation.vault, generation.vault.descriptor().generation());
        // A client of a generation that is not in use any more knows no newer members.
        let Ok(new) = vault.enrol(by, id(patient), &mut self.rng) else { return };
        let grant = vault.grant(&new.key, self.members[0].fingerprint(), &mut self.rng).unwrap();
        if self.apply(&enrolment(id(patient), number, &new, &[grant]).unwrap()).is_ok() {
            self.cards[patient] = [new.card_id].into();
            self.trust.promised.insert((new.card_id, number));
            self.trust.erased.remove(&patient);
            self.trust.tampered.remove(&patient);
            self.trust.planted.remove(&patient);
            self.trust.spoiled.retain(|(owner, _)| *owner != patient);
            self.trust.paths.retain(|(owner, _), _| *owner != patient);
        }
    }

    pub(super) fn write(&mut self, patient: usize, by: usize, record: usize) {
        let spot = note(record);
        let Some(key) = self.key(by, &self.stored(patient), patient) else { return };
        let text = format!("note {}", self.next()).into_bytes();
        let (revision, expect) = match self.record(patient, &spot) {
            Some(stored) => (stored.revision + 1, Expect::Revision(stored.revision)),
            None => (1, Expect::Absent),
        };
        let vault = &self.generations[by].vault;
        let Ok(sealed) = vault.seal(&key, &context(&spot, revision), &text, &mut self.rng) else { return };
        let new = new_record(patient, &spot, key.card(), Body::Sealed(&sealed));
        if self.apply(&[Change::Record(RecordRow { revision, expect, ..new }.into())]).is_ok() {
            self.wrote(patient, spot, text, true);
        }
    }

    /// A text that was acknowledged, by which path.
    fn wrote(&mut self, patient: usize, spot: Spot, text: Vec<u8>, by_reader: bool) {
        self.trust.paths.entry((patient, spot.clone())).or_insert(by_reader);
        self.trust.spoiled.remove(&(patient, spot.clone()));
        self.trust.truth.insert((patient, spot), text);
    }

    /// A deposit to the patient's current card, as an intake desk makes it, with a generator for its name.
    pub(super) fn sealed_deposit(
        &self,
        (patient, by): (usize, usize),
        field: &'static str,
        text: &[u8],
        rng: &mut impl TryCryptoRng,
    ) -> Option<(CardId, Deposit)> {
        let stored = self.stored(patient);
        let generation = self.generations.get(by)?;
        let cards = stored.card_bytes();
        let of = stored.stored(generation.vault.descriptor().generation(), &cards)?;
        let card = generation.vault.card(id(patient), &of, None).ok()?;
        let (writer, field) = (&self.members[1], FieldLabel::new(field).unwrap());
        let deposit = generation.vault.deposit(&card, writer, field, Padding::Padme, text, rng).ok()?;
        Some((card.id(), deposit))
    }

    pub(super) fn deposit(&mut self, patient: usize, by: usize) {
        let text = format!("deposit {}", self.next()).into_bytes();
        let Some((card, Deposit { record, bytes })) = self.sealed_deposit((patient, by), "intake", &text, &mut OsRng)
        else {
            return;
        };
        let spot = (record, "intake");
        let new = RecordRow { revision: 0, ..new_record(patient, &spot, card, Body::Sealed(&bytes)) };
        if self.apply(&[Change::Record(new.into())]).is_ok() {
            self.wrote(patient, spot, text, false);
        }
    }

    /// The first deposit that was not taken over yet.
    pub(super) fn absorb(&mut self, patient: usize, by: usize) {
        let Some(key) = self.key(by, &self.stored(patient), patient) else { return };
        let is_deposit = |record: &Record| {
            matches!(&record.body, StoredBody::Sealed(sealed) if path_of(sealed) == Ok(Path::Deposit))
                && record.field == b"intake"
                && record.card == key.card()
        };
        let Some(Record { record, body: StoredBody::Sealed(sealed), .. }) =
            self.records(patient).into_iter().find(is_deposit)
        else {
            return;
        };
        let spot = (String::from_utf8(record).unwrap(), "intake");
        let (place, field) = (RecordId::new(&spot.0).unwrap(), FieldLabel::new(spot.1).unwrap());
        let Ok(taken) = self.generations[by].vault.absorb(&key, place, field, &sealed, &mut self.rng) else { return };
        let new = new_record(patient, &spot, key.card(), Body::Sealed(&taken));
        let expect = Expect::Body(Body::Sealed(&sealed));
        let _ = self.apply(&[Change::Record(RecordRow { revision: 0, expect, ..new }.into())]);
    }

    pub(super) fn attach(&mut self, patient: usize, by: usize, named: bool) {
        let Some(key) = self.key(by, &self.stored(patient), patient) else { return };
        let at = self.next();
        let (spot, text) = ((format!("a-{at}"), "scan"), format!("attachment {at}").into_bytes());
        let (attachments, store, vault) = (&self.attachments, &self.place.store, &self.generations[by].vault);
        let uploaded = wait(async {
            let sink = attachments.begin(store, vault.descriptor().vault(), now()).await.unwrap();
            elsewhere(|| {
                let mut writer = vault.seal_attachment(&key, &context(&spot, 1), sink, &mut OsRng).ok()?;
                writer.write_all(&text).unwrap();
                Some(writer.finish().unwrap().finish().unwrap().into_parts())
            })
        });
        let Some((object, length)) = uploaded else { return };
        self.uploads.push(Upload { patient, spot, card: key.card(), object, length, text, at: now() });
        if named {
            self.name();
        }
    }

    /// The record of the last upload.
    pub(super) fn name(&mut self) {
        let Some(Upload { patient, spot, card, object, length, text, .. }) = self.uploads.pop() else { return };
        let body = Body::Object { object: &object, length };
        if self.apply(&[Change::Record(new_record(patient, &spot, card, body).into())]).is_ok() {
            self.wrote(patient, spot, text, true);
        }
    }

    pub(super) fn grant(&mut self, patient: usize, by: usize, to: usize) {
        let stored = self.stored(patient);
        let (Some(key), to) = (self.key(by, &stored, patient), self.members[to].fingerprint()) else { return };
        if stored.grant(key.card(), to).is_none() {
            let Ok(grant) = self.generations[by].vault.grant(&key, to, &mut self.rng) else { return };
            let patient = id(patient);
            let _ = self.apply(&[Change::Grant(
                GrantRow { patient, card: key.card(), to, grant: &grant.bytes, replaces: None }.into(),
            )]);
        }
    }

    pub(super) fn withdraw(&mut self, patient: usize, from: usize) {
        let from = self.members[from].fingerprint();
        for grant in self.stored(patient).grants.into_iter().filter(|grant| grant.to == from) {
            if self.apply(&[Change::Withdraw { patient: id(patient), card: grant.card, from }]).is_ok() {
                self.trust.withdrawn.insert((patient, grant.bytes));
            }
        }
    }

    /// The next key, made with what the client's generation has; its owner grants it to the same member.
    pub(super) fn rekey(&mut self, patient: usize, by: usize) {
        let stored = self.stored(patient);
        let Some(key) = self.key(by, &stored, patient) else { return };
        let vault = &self.generations[by].vault;
        let number = vault.descriptor().generation();
        let Some(old) = stored.endorsed(number) else { return };
        let Ok(new) = vault.rekey(Enroller::Member(&self.members[0]), &key, &mut self.rng) else { return };
        let grant = vault.grant(&new.key, self.members[0].fingerprint(), &mut self.rng).unwrap();
        let (endorsement, master_grant) = (old.endorsement.as_slice(), old.master_grant.as_slice());
        let replaced = Replaced { card: key.card(), endorsement, master_grant };
        if self.apply(&next_card(id(patient), number, Some(replaced), &new, &[grant]).unwrap()).is_ok() {
            self.cards[patient].insert(new.card_id);
            self.trust.promised.insert((new.card_id, number));
        }
    }

    pub(super) fn sweep(&mut self, uploads: bool) {
        let (store, vault) = (&self.place.store, self.vault_id());
        // An upload that has been under way for an hour is given up.
        let before = if uploads { now().saturating_sub(3_600) } else { 1 };
        wait(self.attachments.sweep(store, vault, before)).unwrap();
    }
}
