//! What a store must hold, kept in plain maps, and what it must answer.

use std::collections::{BTreeMap, BTreeSet};

use lukko::{CardId, KeyFingerprint, PatientId, RecordId, VaultId};
use lukko_store::{Error, Result, Store, StoredBody};

use crate::clinic::field;

/// How a change ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Done,
    Conflict,
    Stale,
    Missing,
    Usage,
}

impl End {
    pub fn of(result: &Result<()>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(Error::Conflict(_)) => Self::Conflict,
            Err(Error::Stale { .. }) => Self::Stale,
            Err(Error::Missing(_)) => Self::Missing,
            Err(Error::Usage(_)) => Self::Usage,
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub revision: u64,
    pub card: CardId,
    pub sealed: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub struct Person {
    pub cards: Vec<(CardId, Vec<u8>)>,
    /// Generation, and what it has: card, endorsement, master grant.
    pub endorsed: BTreeMap<u32, (CardId, Vec<u8>, Vec<u8>)>,
    pub grants: BTreeMap<([u8; 32], [u8; 32]), Vec<u8>>,
    pub records: BTreeMap<Vec<u8>, Text>,
}

impl Person {
    pub fn current(&self) -> CardId {
        self.cards.last().unwrap().0
    }
}

#[derive(Debug, Default)]
pub struct Model {
    pub people: BTreeMap<Vec<u8>, Person>,
    /// Descriptor, version, roster, retired.
    pub generations: Vec<(Vec<u8>, u64, Vec<u8>, bool)>,
    pub erased: BTreeSet<[u8; 32]>,
}

impl Model {
    pub fn newest(&self) -> u32 {
        self.generations.len() as u32
    }

    pub fn version(&self) -> u64 {
        self.generations.last().unwrap().1
    }

    /// Compares one patient with the store, records and all.
    pub async fn compare_person(&self, store: &impl Store, vault: VaultId, id: &[u8]) {
        let stored = store.patient(vault, PatientId::new(id).unwrap()).await.unwrap();
        let person = self.people.get(id).cloned().unwrap_or_default();
        assert_eq!(stored.current, person.cards.last().map(|(card, _)| *card));
        assert_eq!(stored.cards, person.cards);
        let endorsed = stored.endorsed.into_iter().map(|e| (e.generation, (e.card, e.endorsement, e.master_grant)));
        assert_eq!(endorsed.collect::<BTreeMap<_, _>>(), person.endorsed);
        let grants =
            stored.grants.into_iter().map(|grant| ((*grant.card.as_bytes(), *grant.to.as_bytes()), grant.bytes));
        assert_eq!(grants.collect::<BTreeMap<_, _>>(), person.grants);
        let records = store.records(vault, PatientId::new(id).unwrap(), None, 10_000).await.unwrap();
        let records = records.into_iter().map(|record| {
            let StoredBody::Sealed(sealed) = record.body else { panic!("sealed") };
            (record.record, Text { revision: record.revision, card: record.card, sealed })
        });
        assert_eq!(records.collect::<Vec<_>>(), person.records.into_iter().collect::<Vec<_>>());
    }

    pub async fn compare_record(&self, store: &impl Store, vault: VaultId, id: &[u8], name: &[u8]) {
        let (patient, record) = (PatientId::new(id).unwrap(), RecordId::new(name).unwrap());
        let stored = store.record(vault, patient, record, field()).await.unwrap().map(|record| {
            let StoredBody::Sealed(sealed) = record.body else { panic!("sealed") };
            Text { revision: record.revision, card: record.card, sealed }
        });
        assert_eq!(stored.as_ref(), self.people.get(id).and_then(|person| person.records.get(name)));
    }

    /// Compares everything.
    pub async fn compare(&self, store: &impl Store, vault: VaultId) {
        let generations = store.generations(vault).await.unwrap();
        let generations = generations.into_iter().map(|g| (g.descriptor, g.version, g.roster, g.retired));
        assert_eq!(generations.collect::<Vec<_>>(), self.generations);
        let people = store.patients(vault, None, 10_000).await.unwrap();
        assert_eq!(people, self.people.keys().cloned().collect::<Vec<_>>());
        for id in &people {
            self.compare_person(store, vault, id).await;
        }
        let erasures = store.erasures(vault).await.unwrap();
        assert_eq!(erasures.iter().map(|erasure| *erasure.erasure.as_bytes()).collect::<BTreeSet<_>>(), self.erased);
    }
}

pub fn fingerprint(number: u64) -> KeyFingerprint {
    KeyFingerprint::from_bytes([number as u8; 32])
}
