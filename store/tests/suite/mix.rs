//! A mix of changes, and how the store looks after each.

use lukko::{CardId, Enrolment, Grant, VaultId};
use lukko_store::placed::{GrantRow, RecordRow};
use lukko_store::{Body, Change, Expect, JobKind, Over, Store};

use crate::clinic::{Clinic, Closing, field, first, patient, record};

pub struct Mix {
    pub clinic: Clinic,
    enrolled: [(Enrolment, Vec<Grant>); 2],
    sealed: [Vec<u8>; 2],
    grant: Grant,
    closing: Closing,
    cards: [CardId; 1],
    large: Vec<u8>,
}

impl Mix {
    /// `large` is the size of one of its records.
    pub fn new(seed: u64, large: usize) -> Self {
        let mut clinic = Clinic::new(seed);
        let enrolled = ["p-1", "p-2"].map(|id| clinic.enrol(id));
        let sealed = [1, 2].map(|revision| clinic.seal(&enrolled[0].0.key, "r-1", revision, "text"));
        let grant = clinic.vault.grant(&enrolled[0].0.key, clinic.aalto.fingerprint(), &mut clinic.rng).unwrap();
        let cards = [enrolled[0].0.card_id];
        let closing = clinic.erasing(&cards);
        let mut text = vec![0; large];
        lukko::rand_core::TryRng::try_fill_bytes(&mut clinic.rng, &mut text).unwrap();
        Self { clinic, enrolled, sealed, grant, closing, cards, large: text }
    }

    /// Every one is a logical change.
    pub fn steps(&self) -> Vec<Vec<Change<'_>>> {
        let [(one, one_grants), (two, two_grants)] = &self.enrolled;
        let (card, to, vault_patient) = (one.card_id, self.grant.recipient, patient("p-1"));
        let note = first("p-1", "r-1", card, &self.sealed[0]);
        let (body, expect) = (Body::Sealed(&self.sealed[1]), Expect::Revision(1));
        let text = RecordRow { revision: 2, body, expect, ..note };
        let object = Body::Object { object: "o-1", length: 9 };
        let attached = RecordRow { revision: 0, body: object, ..first("p-1", "a-1", card, b"") };
        let large = first("p-2", "r-large", two.card_id, &self.large);
        vec![
            self.clinic.founding(),
            lukko_store::enrolment(vault_patient, 1, one, one_grants).unwrap(),
            lukko_store::enrolment(patient("p-2"), 1, two, two_grants).unwrap(),
            vec![Change::Record(note.into())],
            vec![Change::Record(large.into())],
            vec![Change::Record(text.into())],
            vec![Change::Upload { object: "o-1", at: 5 }],
            vec![Change::Record(attached.into())],
            vec![Change::Grant(
                GrantRow { patient: vault_patient, card, to, grant: &self.grant.bytes, replaces: None }.into(),
            )],
            vec![Change::Withdraw { patient: vault_patient, card, from: to }],
            vec![Change::Delete { patient: vault_patient, record: record("r-1"), field: field(), revision: 2 }],
            vec![Change::Record(first("p-1", "r-2", card, &self.sealed[0]).into())],
            vec![Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }],
            vec![self.closing.publish(), Change::Erase(self.closing.erase("p-1", &self.cards))],
        ]
    }
}

/// Everything that a vault's store shows.
pub async fn picture(store: &impl Store, vault: VaultId) -> String {
    let mut text = format!("{:?}", store.generations(vault).await.unwrap());
    text += &format!("{:?}", store.members(vault).await.unwrap());
    for id in ["p-1", "p-2"] {
        text += &format!("{id} {:?}", store.patient(vault, patient(id)).await.unwrap());
        text += &format!("{:?}", store.records(vault, patient(id), None, 100).await.unwrap());
    }
    text += &format!("{:?}", store.erasures(vault).await.unwrap());
    text += &format!("{:?}", store.unnamed_objects(vault, 1_000, 100).await.unwrap());
    text + &format!("{:?}", store.job(vault, "j").await.unwrap())
}
