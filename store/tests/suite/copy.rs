//! A vault goes from one kind of store to another and back, byte for byte.

use std::time::{Duration, SystemTime};

use crate::clinic::{Clinic, NextGeneration, first, patient, rekeyed, with_notes, withdrawn};
use futures_util::StreamExt;
use lukko::{Enroller, PatientId, PatientRotation};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Body, Change, Endorsed, Erase, Error, Fault, Faults, FaultyStore, KeyOf, MemoryStore, Part, Replaced, RotationJob,
    SqliteStore, Store, VerifyJob, Worker, copy, next_card,
};

/// A vault with everything that a store can have: two generations, patients with one, two and three cards, a grant that was withdrawn, records under old
/// and new ones, an attachment, an erased patient whose receipt is half filled in, and an announced object.
async fn fill(store: &impl Store) -> (Clinic, NextGeneration) {
    let mut clinic = Clinic::new(0x142);
    let id = clinic.id();
    store.apply(id, &clinic.founding()).await.unwrap();
    // More records than a page has.
    let one = with_notes(store, &mut clinic, "p-1", 150).await;
    withdrawn(store, &mut clinic, "p-1", &one).await;
    let mut many = with_notes(store, &mut clinic, "p-2", 3).await;
    for round in 0..2 {
        let new = rekeyed(store, &mut clinic, "p-2", &many).await;
        let name = format!("r-under-{round}");
        let sealed = clinic.seal(&new.key, &name, 1, "text");
        store.apply(id, &[Change::Record(first("p-2", &name, new.card_id, &sealed).into())]).await.unwrap();
        many = new;
    }
    let object = Body::Object { object: "o-1", length: 9 };
    let attached = RecordRow { revision: 0, body: object, ..first("p-1", "r-a", one.card_id, b"") };
    let upload = |object, at| Change::Upload { object, at };
    store.apply(id, &[upload("o-1", 1), Change::Record(attached.into()), upload("o-2", 0)]).await.unwrap();
    let gone = with_notes(store, &mut clinic, "p-3", 2).await;
    let cards = [gone.card_id];
    let closing = clinic.erasing(&cards);
    let keys = [clinic.salo.fingerprint(), clinic.aalto.fingerprint()];
    let erase = Erase { keys: &keys, at: 77, ..closing.erase("p-3", &cards) };
    let reached = Change::Reached { erasure: gone.card_id, part: Part::Key(keys[1]), at: 99 };
    store.apply(id, &[closing.publish(), Change::Erase(erase), reached]).await.unwrap();
    clinic.follow(&closing.roster);
    // Another generation, to which one patient has moved.
    let next = NextGeneration::draw(&mut clinic);
    let new = lukko_store::NewGeneration {
        generation: 2,
        descriptor: next.rotation.descriptor.as_bytes(),
        statement: Some(&next.rotation.statement),
        version: 3,
        roster: &next.rotation.roster,
    };
    store.apply(id, &[Change::Generation(new)]).await.unwrap();
    let by = Enroller::Root(&next.rotation.master);
    let step = PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by };
    let worker = Worker { store, vault: id, job: "rotation", lease: Duration::from_secs(60), clock: SystemTime::now };
    let done: Vec<_> = worker.run(RotationJob { step }).collect().await;
    assert!(done.iter().all(|progress| progress.as_ref().is_ok_and(|progress| progress.findings.is_empty())));
    // And one generation has the older card of a patient, another one the newer.
    let new = next.vault.rekey(Enroller::Root(&next.rotation.master), &one.key, &mut clinic.rng).unwrap();
    let endorsed = store.patient(id, patient("p-1")).await.unwrap().endorsed(2).unwrap().clone();
    let Endorsed { endorsement, master_grant, .. } = &endorsed;
    let replaces = Some(Replaced { card: one.card_id, endorsement, master_grant });
    store.apply(id, &next_card(patient("p-1"), 2, replaces, &new, &[]).unwrap()).await.unwrap();
    (clinic, next)
}

/// Everything that is copied, and nothing else.
async fn picture(store: &impl Store, clinic: &Clinic) -> Vec<String> {
    let id = clinic.id();
    let mut lines = Vec::new();
    lines.extend(store.generations(id).await.unwrap().iter().map(|generation| format!("{generation:?}")));
    lines.extend(store.members(id).await.unwrap().iter().map(|member| format!("{member:?}")));
    for patient in store.patients(id, None, 1_000).await.unwrap() {
        let patient = PatientId::new(&patient).unwrap();
        lines.push(format!("{:?}", store.patient(id, patient).await.unwrap()));
        let records = store.records(id, patient, None, 100_000).await.unwrap();
        lines.extend(records.iter().map(|record| format!("{record:?}")));
    }
    lines.extend(store.erasures(id).await.unwrap().iter().map(|erasure| format!("{erasure:?}")));
    lines.push(format!("{:?}", store.unnamed_objects(id, 1_000, 100).await.unwrap()));
    lines
}

async fn verified(store: &impl Store, clinic: &Clinic) {
    let master = clinic.recover();
    let worker =
        Worker { store, vault: clinic.id(), job: "verify", lease: Duration::from_secs(60), clock: SystemTime::now };
    let progress: Vec<_> = worker
        .run(VerifyJob { vault: &clinic.vault, by: KeyOf::Master(&master), attachments: None, deposits: &[] })
        .collect()
        .await;
    assert!(!progress.is_empty());
    // The patient that has another card in the next generation has records under the older one, which this one opens.
    for progress in progress.into_iter().map(Result::unwrap).filter(|progress| progress.patient == b"p-2") {
        assert_eq!(progress.findings, []);
    }
}

async fn there_and_back(one: impl Store, other: impl Store, back: impl Store) {
    let (clinic, next) = fill(&one).await;
    let before = picture(&one, &clinic).await;
    let aalto = format!("withdrawn: [{:?}]", clinic.aalto.fingerprint());
    assert!(before.iter().any(|line| line.contains(&aalto)), "no grant was withdrawn");
    let copied = copy(&one, &other, &clinic.vault).await.unwrap();
    assert_eq!((copied.patients, copied.records), (2, 156));
    assert!(picture(&other, &clinic).await == before, "the copy differs");
    assert_eq!(copy(&other, &back, &clinic.vault).await.unwrap(), copied);
    assert!(picture(&back, &clinic).await == before, "the copy of the copy differs");
    // Given again it changes nothing, and the original is as it was.
    assert_eq!(copy(&one, &other, &clinic.vault).await.unwrap(), copied);
    assert!(picture(&other, &clinic).await == before && picture(&one, &clinic).await == before);
    verified(&other, &clinic).await;
    // A retired generation stays so.
    one.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
    let fresh = MemoryStore::new();
    copy(&one, &fresh, &clinic.vault).await.unwrap();
    assert!(picture(&fresh, &clinic).await == picture(&one, &clinic).await, "the copy of a retired generation differs");
    assert_eq!(next.vault.descriptor().generation(), 2);
}

async fn sqlite(directory: &tempfile::TempDir, name: &str) -> SqliteStore {
    SqliteStore::open(directory.path().join(name)).await.unwrap()
}

#[tokio::test]
async fn t142_from_sqlite_to_memory_and_back() {
    let scratch = tempfile::tempdir().unwrap();
    there_and_back(sqlite(&scratch, "one").await, MemoryStore::new(), sqlite(&scratch, "back").await).await;
}

#[tokio::test]
async fn t142_from_sqlite_to_postgresql_and_back() {
    let Some((other, _)) = crate::postgres::open("copy", 0).await else { return };
    let scratch = tempfile::tempdir().unwrap();
    there_and_back(sqlite(&scratch, "one").await, other, sqlite(&scratch, "back").await).await;
}

#[tokio::test]
async fn t142_from_sqlite_to_a_partitioned_postgresql_and_back() {
    let Some((other, _)) = crate::postgres::open("copypart", 3).await else { return };
    let scratch = tempfile::tempdir().unwrap();
    there_and_back(sqlite(&scratch, "one").await, other, sqlite(&scratch, "back").await).await;
}

/// It is interrupted at every operation of the store that is written to, and goes on.
#[tokio::test]
async fn t142_interrupted_it_goes_on() {
    let one = MemoryStore::new();
    let (clinic, _) = fill(&one).await;
    let before = picture(&one, &clinic).await;
    let mut interrupted = 0;
    for fault in [Fault::Error, Fault::LostReply] {
        let mut at = 0;
        loop {
            let other = MemoryStore::new();
            let faults = Faults::new(at, fault);
            let result = copy(&one, &FaultyStore::new(&other, faults.clone()), &clinic.vault).await;
            if !faults.reached() {
                result.unwrap();
                break;
            }
            assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
            copy(&one, &other, &clinic.vault).await.unwrap();
            assert!(picture(&other, &clinic).await == before, "interrupted at {at}: the copy differs");
            (at, interrupted) = (at + 2, interrupted + 1);
        }
    }
    println!("interrupted {interrupted} times: the same copy");
    assert!(interrupted > 50);
}

/// What is not the same vault's is not written over.
#[tokio::test]
async fn t142_another_vault_of_this_id_is_a_conflict() {
    let (one, other) = (MemoryStore::new(), MemoryStore::new());
    let (clinic, _) = fill(&one).await;
    let mut foreign = clinic.founding();
    foreign.truncate(1);
    let Change::Generation(generation) = &mut foreign[0] else { panic!("a generation") };
    generation.descriptor = b"another";
    other.apply(clinic.id(), &foreign).await.unwrap();
    let result = copy(&one, &other, &clinic.vault).await;
    assert!(matches!(result, Err(Error::Conflict(_))), "{result:?}");
}
