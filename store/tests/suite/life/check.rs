//! The invariants: judged after every step, by opening what is stored and by reading the tables.

use std::collections::BTreeSet;

use lukko::*;
use lukko_store::{Part, Record, Store, StoredBody};
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;

use super::place::{Kind, wait};
use super::steps::PATIENTS;
use super::world::{Erased, Spot, World, id};

fn spot(record: &Record) -> Spot {
    let field = ["note", "intake", "scan"].into_iter().find(|field| field.as_bytes() == record.field);
    (String::from_utf8(record.record.clone()).unwrap(), field.expect("a field of this test"))
}

impl<K: Kind> World<K> {
    pub(super) fn check(&self) {
        for patient in 0..PATIENTS {
            let records = self.records(patient);
            self.promises(patient, &records);
            self.one_path(patient, &records);
            self.objects_are_there(patient, &records);
            self.empty(patient, &records);
        }
        self.texts();
        self.uploads_are_there();
        self.erasures.iter().for_each(|erased| self.receipt(erased));
    }

    fn closed(&self, at: usize, card: CardId) -> bool {
        self.generations[at].vault.roster().closed(card).is_some()
    }

    /// 1: every generation's quorum opens every card with a record, where it was said that it does.
    fn promises(&self, patient: usize, records: &[Record]) {
        let stored = self.stored(patient);
        for at in self.in_use() {
            let generation = self.generations[at].vault.descriptor().generation();
            for card in records.iter().map(|record| record.card).collect::<BTreeSet<_>>() {
                if self.trust.promised.contains(&(card, generation)) && !self.closed(at, card) {
                    let opens = self.by_quorum(at, &stored, patient, card).is_some();
                    assert!(
                        opens,
                        "invariant 1: the quorum of generation {generation} lost card {card:?} of patient {patient}"
                    );
                }
            }
        }
    }

    /// The cards with records that some quorum opens, and that no roster closes.
    pub(super) fn opened_by_somebody(&self) -> BTreeSet<(usize, CardId)> {
        let mut opened = BTreeSet::new();
        for patient in 0..PATIENTS {
            let stored = self.stored(patient);
            let cards: BTreeSet<CardId> = self.records(patient).iter().map(|record| record.card).collect();
            let opens = |card: &CardId| {
                let closed = (0..self.generations.len()).any(|at| self.closed(at, *card));
                !closed && self.in_use().any(|at| self.by_quorum(at, &stored, patient, *card).is_some())
            };
            opened.extend(cards.into_iter().filter(opens).map(|card| (patient, card)));
        }
        opened
    }

    /// 1: what was acknowledged is there, and some quorum reads it, byte for byte.
    fn texts(&self) {
        for ((patient, spot), text) in &self.trust.truth {
            let record = self.record(*patient, spot);
            let record = record.unwrap_or_else(|| panic!("invariant 1: {spot:?} of patient {patient} is gone"));
            let StoredBody::Sealed(sealed) = &record.body else { continue };
            if self.in_use().any(|at| self.closed(at, record.card)) {
                continue;
            }
            let stored = self.stored(*patient);
            let read = |at| {
                let key = self.by_quorum(at, &stored, *patient, record.card)?;
                self.open(at, &key, (*patient, spot), sealed).ok()
            };
            // A client of an older generation does not read what was written with a newer roster.
            match self.in_use().find_map(read) {
                Some(opened) => {
                    assert_eq!(opened.plaintext.as_bytes(), text, "invariant 1: {spot:?} of patient {patient}")
                }
                None => {
                    let tampered = self.trust.tampered.contains(patient);
                    assert!(tampered, "invariant 1: no quorum reads {spot:?} of patient {patient}");
                }
            }
        }
    }

    /// By the call that the place is for.
    fn open(&self, at: usize, key: &PatientKey, (patient, spot): (usize, &Spot), sealed: &[u8]) -> Result<Opened> {
        let (record, field) = (RecordId::new(&spot.0).unwrap(), FieldLabel::new(spot.1).unwrap());
        let vault = &self.generations[at].vault;
        if self.trust.paths[&(patient, spot.clone())] {
            vault.open(key, Place::new(record, field), sealed)
        } else {
            vault.open_deposit(key, Place::new(record, field), sealed)
        }
    }

    /// 4: what stands in a place is of the path that the place has always had.
    fn one_path(&self, patient: usize, records: &[Record]) {
        for record in records {
            let spot = spot(record);
            let (StoredBody::Sealed(sealed), Some(by_reader)) =
                (&record.body, self.trust.paths.get(&(patient, spot.clone())))
            else {
                continue;
            };
            let spoiled = self.trust.spoiled.contains(&(patient, spot.clone()));
            let same = path_of(sealed).is_ok_and(|path| (path == Path::Reader) == *by_reader);
            assert!(same || spoiled, "invariant 4: another path in {spot:?} of patient {patient}");
        }
    }

    pub(super) fn has_object(&self, object: &str) -> bool {
        let path = ObjectPath::from_iter([self.vault_id().to_string().as_str(), object]);
        wait(self.objects.head(&path)).is_ok()
    }

    /// 5: no sweep has deleted what a record names.
    fn objects_are_there(&self, patient: usize, records: &[Record]) {
        for record in records {
            let StoredBody::Object { object, .. } = &record.body else { continue };
            let spoiled = self.trust.spoiled.contains(&(patient, spot(record)));
            assert!(spoiled || self.has_object(object), "invariant 5: a sweep took the object of {:?}", spot(record));
        }
    }

    /// 5: nor what one is about to name.
    fn uploads_are_there(&self) {
        for upload in self.uploads.iter().filter(|upload| upload.at + 3_600 > super::place::now()) {
            assert!(self.has_object(&upload.object), "invariant 5: a sweep took an upload that is under way");
        }
    }

    /// 2: whoever is erased, so it was said, has no row.
    fn empty(&self, patient: usize, records: &[Record]) {
        if let Some(keep) = self.trust.erased.get(&patient) {
            let stored = self.stored(patient);
            let left = (stored.cards.len(), stored.endorsed.len(), stored.grants.len(), stored.master_grants.len());
            assert_eq!(left, (0, 0, 0, 0), "invariant 2: patient {patient} is erased, and rows are left");
            assert!(stored.withdrawn.is_empty(), "invariant 2: patient {patient} is erased, and withdrawals are left");
            assert!(stored.current.is_none(), "invariant 2: patient {patient} is erased, and listed");
            assert!(*keep || records.is_empty(), "invariant 2: patient {patient} is erased, and records are left");
        }
    }

    /// 3: if the receipt is complete, nothing that exists opens anything that any copy ever held.
    fn receipt(&self, erased: &Erased) {
        if erased.receipt.is_complete() || (erased.whole && self.parts_are_reached(erased)) {
            let opened = self.attack(erased);
            assert!(opened.is_none(), "invariant 3: the receipt is complete, and {}", opened.unwrap_or_default());
        }
    }

    /// The store's own parts of the receipt.
    fn parts_are_reached(&self, erased: &Erased) -> bool {
        let erasures = wait(self.place.store.erasures(self.vault_id())).unwrap();
        let named = erasures.iter().find(|erasure| erased.cards.contains(&erasure.erasure));
        let reached = |part: &Part| match part {
            Part::Card(_) => true,
            Part::Generation(generation) => self.generations[*generation as usize - 1].master.is_none(),
            Part::Key(key) => self.members.iter().all(|member| member.fingerprint() != *key),
        };
        named.is_some_and(|erasure| erasure.parts.iter().all(|(part, _)| reached(part)))
    }

    /// With every key that was not destroyed, every grant that any copy held, and any old roster beside it.
    fn attack(&self, erased: &Erased) -> Option<String> {
        let seen = &self.seen[erased.patient];
        let cards: Vec<&[u8]> = seen.cards.values().map(Vec::as_slice).collect();
        for generation in &self.generations {
            for roster in &generation.rosters {
                let descriptor = Descriptor::parse(generation.vault.descriptor().as_bytes()).unwrap();
                let pin = Pin::new(descriptor.fingerprint(), &descriptor).unwrap();
                let old = Vault::load(pin, descriptor.as_bytes(), roster, &self.entries).unwrap();
                for (grant, card) in
                    seen.grants.iter().flat_map(|grant| erased.cards.iter().map(move |card| (grant, *card)))
                {
                    if let Some(by) = self.opens(&old, (erased.patient, &cards, card), grant) {
                        return Some(format!("{by} opens card {card:?} of patient {}", erased.patient));
                    }
                }
            }
        }
        None
    }

    fn opens(&self, old: &Vault, (patient, cards, card): (usize, &[&[u8]], CardId), grant: &[u8]) -> Option<String> {
        let open = |with: &GrantKey<'_>| old.open_remembered(id(patient), cards, card, with).is_ok();
        match old.who_can_open(card, [grant]).holders.first()? {
            Holder::Member { key, .. } | Holder::Unlisted { key } => {
                let member = self.members.iter().find(|member| member.fingerprint() == *key)?;
                open(&GrantKey::Member { key: member, grant }).then(|| format!("the member key {key}"))
            }
            Holder::Quorum { generation, .. } => {
                let master = self.generations.get(*generation as usize - 1)?.master.as_ref()?;
                open(&GrantKey::Master { key: master, grant }).then(|| format!("the quorum of generation {generation}"))
            }
            _ => None,
        }
    }
}
