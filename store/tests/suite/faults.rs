//! Operation N fails, for every N and every kind of fault: the change was made whole or not at all, and given again it
//! succeeds and is there once.

use lukko::{CardId, Enrolment, Grant, VaultId};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Body, Change, Engine, Expect, Fault, Faults, FaultyStore, JobKind, MemoryStore, Over, SqliteStore, Store,
};

use crate::clinic::{Clinic, Closing, first, patient};
use crate::conformance::scratch;
use crate::work::{KINDS, Kind, Work};

/// A life of one vault: every step is one logical change.
struct Life {
    clinic: Clinic,
    enrolled: (Enrolment, Vec<Grant>),
    sealed: [Vec<u8>; 3],
    closing: Closing,
}

impl Life {
    fn new() -> Self {
        let mut clinic = Clinic::new(0x89);
        let enrolled = clinic.enrol("p-1");
        let sealed = [1, 2, 3].map(|revision| clinic.seal(&enrolled.0.key, "r-1", revision, "text"));
        let closing = clinic.erasing(&[enrolled.0.card_id]);
        Self { clinic, enrolled, sealed, closing }
    }

    fn steps<'a>(&'a self, cards: &'a [CardId]) -> Vec<Vec<Change<'a>>> {
        let (enrolment, grants) = &self.enrolled;
        let one = first("p-1", "r-1", enrolment.card_id, &self.sealed[0]);
        let (body, expect) = (Body::Sealed(&self.sealed[1]), Expect::Revision(1));
        let two = RecordRow { revision: 2, body, expect, ..one };
        let (body, expect) = (Body::Sealed(&self.sealed[2]), Expect::Revision(2));
        let three = RecordRow { revision: 3, body, expect, ..one };
        let other = |name: &'static str| Change::Record(RecordRow { record: name.as_bytes(), ..one }.into());
        let patient = patient("p-1");
        vec![
            self.clinic.founding(),
            lukko_store::enrolment(patient, 1, enrolment, grants).unwrap(),
            vec![Change::Record(one.into())],
            vec![Change::Record(two.into())],
            vec![other("r-2"), other("r-3"), other("r-4")],
            // One of them is there already.
            vec![other("r-5"), other("r-4"), Change::Record(three.into()), other("r-6")],
            vec![Change::Job { job: "j", kind: JobKind::Verify, over: Over::Everyone }],
            vec![self.closing.publish(), Change::Erase(self.closing.erase("p-1", cards))],
        ]
    }
}

/// Everything that a vault's store shows.
async fn picture(store: &impl Store, vault: VaultId) -> String {
    let generations = store.generations(vault).await.unwrap();
    let members = store.members(vault).await.unwrap();
    let patients = store.patients(vault, None, 10).await.unwrap();
    let key = store.patient(vault, patient("p-1")).await.unwrap();
    let records = store.records(vault, patient("p-1"), None, 10).await.unwrap();
    let erasures = store.erasures(vault).await.unwrap();
    let job = store.job(vault, "j").await.unwrap();
    format!("{generations:?} {members:?} {patients:?} {key:?} {records:?} {erasures:?} {job:?}")
}

/// Runs the life on a store without faults: how it looks before the first step and after each.
async fn pictures(life: &Life, store: &impl Store) -> Vec<String> {
    let vault = life.clinic.id();
    let cards = [life.enrolled.0.card_id];
    let mut pictures = vec![picture(store, vault).await];
    for step in life.steps(&cards) {
        store.apply(vault, &step).await.unwrap();
        pictures.push(picture(store, vault).await);
    }
    pictures
}

/// Gives whether the fault was reached.
async fn live<B>(life: &Life, plain: &Engine<B>, faults: Faults, expected: &[String]) -> bool
where
    Engine<B>: Store,
    FaultyStore<B>: Store,
    B: Clone,
{
    let vault = life.clinic.id();
    let cards = [life.enrolled.0.card_id];
    let faulty = FaultyStore::new(plain, faults.clone());
    for (number, step) in life.steps(&cards).iter().enumerate() {
        let mut tries = 0;
        while let Err(error) = faulty.apply(vault, step).await {
            assert!(error.is_retryable(), "{faults:?}: {error:?}");
            let met = picture(plain, vault).await;
            assert!(expected[number..=number + 1].contains(&met), "{faults:?}: a mixed state in step {number}");
            tries += 1;
            assert!(tries < 2, "{faults:?}: fails twice");
        }
        assert!(picture(plain, vault).await == expected[number + 1], "{faults:?}: step {number} was lost");
    }
    faults.reached()
}

const FAULTS: [Fault; 3] = [Fault::Error, Fault::LostReply, Fault::Torn];

#[tokio::test]
async fn t089_t090_every_operation_fails_once_in_memory() {
    let life = Life::new();
    let expected = pictures(&life, &MemoryStore::new()).await;
    let mut rounds = 0;
    for fault in FAULTS {
        let mut at = 0;
        while live(&life, &MemoryStore::new(), Faults::new(at, fault), &expected).await {
            (at, rounds) = (at + 1, rounds + 1);
        }
        assert!(at > 40, "{fault:?}: only {at} operations");
    }
    println!("{rounds} faults in memory: 0 lost, 0 mixed");
}

#[tokio::test]
async fn t089_t090_every_operation_fails_once_in_sqlite() {
    let life = Life::new();
    let expected = pictures(&life, &MemoryStore::new()).await;
    let scratch = scratch();
    let mut rounds = 0;
    for fault in FAULTS {
        let mut at = 0;
        loop {
            let path = scratch.path().join(format!("{fault:?}-{at}.db"));
            let store = SqliteStore::open(&path).await.unwrap();
            let reached = live(&life, &store, Faults::new(at, fault), &expected).await;
            store.close().await;
            if !reached {
                break;
            }
            (at, rounds) = (at + 1, rounds + 1);
        }
    }
    println!("{rounds} faults in SQLite: 0 lost, 0 mixed");
}

#[tokio::test]
async fn t089_t100_every_operation_fails_once_in_postgresql() {
    let life = Life::new();
    let expected = pictures(&life, &MemoryStore::new()).await;
    let mut rounds = 0;
    for fault in FAULTS {
        let mut at = 0;
        loop {
            let Some((store, database)) = crate::postgres::open("faults", 0).await else { return };
            let reached = live(&life, &store, Faults::new(at, fault), &expected).await;
            store.close().await;
            crate::postgres::remove(&database).await;
            if !reached {
                break;
            }
            (at, rounds) = (at + 1, rounds + 1);
        }
    }
    println!("{rounds} faults in PostgreSQL: 0 lost, 0 mixed");
}

/// Runs a job with a fault, looks at it, and runs it to its end without. Gives whether the fault was reached.
async fn interrupted<B>(kind: Kind, plain: &Engine<B>, patients: usize, faults: Faults) -> bool
where
    Engine<B>: Store,
    FaultyStore<B>: Store,
    B: Clone,
{
    let directory = scratch();
    let mut work = Work::new(kind, patients, directory.path());
    work.prepare(plain).await;
    let mut said = Vec::new();
    let result = work.run(&FaultyStore::new(plain, faults.clone()), |line| said.push(line)).await;
    assert!(result.is_ok() || faults.reached(), "{kind:?} {faults:?}: {result:?}");
    if let Err(error) = &result {
        assert!(error.is_retryable(), "{kind:?} {faults:?}: {error:?}");
    }
    work.check(plain, &said).await;
    work.to_the_end(plain).await;
    work.ended(plain, directory.path()).await;
    faults.reached()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t089_t090_t106_every_operation_of_every_job_fails_once_in_memory() {
    let mut rounds = 0;
    for (kind, fault) in KINDS.into_iter().flat_map(|kind| FAULTS.map(|fault| (kind, fault))) {
        let mut at = 0;
        while interrupted(kind, &MemoryStore::new(), 3, Faults::new(at, fault)).await {
            (at, rounds) = (at + 1, rounds + 1);
        }
        assert!(at > 20, "{kind:?}: only {at} operations");
    }
    println!("{rounds} faults of jobs in memory: 0 lost, 0 mixed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t089_t090_t106_operations_of_every_job_fail_in_sqlite() {
    let (scratch, mut rounds) = (scratch(), 0);
    for (kind, fault) in KINDS.into_iter().flat_map(|kind| FAULTS.map(|fault| (kind, fault))) {
        let mut at = 0;
        loop {
            let path = scratch.path().join(format!("{kind:?}-{fault:?}-{at}.db"));
            let store = SqliteStore::open(&path).await.unwrap();
            let reached = interrupted(kind, &store, 1, Faults::new(at, fault)).await;
            store.close().await;
            if !reached {
                break;
            }
            (at, rounds) = (at + STRIDE, rounds + 1);
        }
    }
    println!("{rounds} faults of jobs in SQLite: 0 lost, 0 mixed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t089_t100_t106_operations_of_every_job_fail_in_postgresql() {
    let mut rounds = 0;
    for (kind, fault) in KINDS.into_iter().flat_map(|kind| FAULTS.map(|fault| (kind, fault))) {
        let mut at = 1;
        loop {
            let Some((store, database)) = crate::postgres::open("jobs", 0).await else { return };
            let reached = interrupted(kind, &store, 1, Faults::new(at, fault)).await;
            store.close().await;
            crate::postgres::remove(&database).await;
            if !reached {
                break;
            }
            (at, rounds) = (at + 2 * STRIDE, rounds + 1);
        }
    }
    println!("{rounds} faults of jobs in PostgreSQL: 0 lost, 0 mixed");
}

/// On a disk every so manieth operation fails: all of them do in memory, by the same rules.
const STRIDE: u64 = 3;
