//! What a job writes in the middle of a piece.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{FieldLabel, OsRng, PatientId, RecordContext, RecordId, Revision, VaultId};
use lukko_store::placed::RecordRow;
use lukko_store::{
    After, Attachments, Body, Change, Claim, Erasure, Error, Failure, Generation, How, ImportFile, ImportJob, JobState,
    KeyOf, MemoryStore, Patient, Progress, Record, RekeyJob, Result, Scrub, Store, Task, Worker,
};

use crate::clinic::{Clinic, field, first, patient, record, rekeyed, with_notes};
use crate::work::elsewhere;

/// What goes wrong while a worker is in the middle of a piece.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    /// Another worker claims the piece, because the lease has ended.
    Overtaken,
    /// The second upload fails.
    Upload,
}

/// A store in which that happens.
struct Troubled<'a> {
    store: &'a MemoryStore,
    trouble: Trouble,
    uploads: AtomicU32,
}

impl Troubled<'_> {
    async fn in_the_middle(&self, vault: VaultId) {
        if self.trouble == Trouble::Overtaken {
            let far = 1 << 60;
            self.store.claim(vault, "job", far, far + 1).await.unwrap();
        }
    }
}

impl Store for Troubled<'_> {
    async fn apply(&self, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
        let uploads = changes.iter().any(|change| matches!(change, Change::Upload { .. }));
        let fails = self.trouble == Trouble::Upload && uploads && self.uploads.fetch_add(1, Ordering::SeqCst) == 1;
        if fails {
            return Err(Error::Unavailable("a fault that the test ordered".into()));
        }
        self.store.apply(vault, changes).await
    }
    async fn generations(&self, vault: VaultId) -> Result<Vec<Generation>> {
        self.store.generations(vault).await
    }
    async fn members(&self, vault: VaultId) -> Result<Vec<Vec<u8>>> {
        self.store.members(vault).await
    }
    async fn patient(&self, vault: VaultId, patient: PatientId<'_>) -> Result<Patient> {
        self.in_the_middle(vault).await;
        self.store.patient(vault, patient).await
    }
    async fn patients(&self, vault: VaultId, after: Option<&[u8]>, limit: u32) -> Result<Vec<Vec<u8>>> {
        self.store.patients(vault, after, limit).await
    }
    async fn record(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
    ) -> Result<Option<Record>> {
        self.store.record(vault, patient, record, field).await
    }
    async fn records(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        after: Option<After<'_>>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        self.store.records(vault, patient, after, limit).await
    }
    async fn erasures(&self, vault: VaultId) -> Result<Vec<Erasure>> {
        self.store.erasures(vault).await
    }
    async fn scrub(&self, vault: VaultId) -> Result<Scrub> {
        self.store.scrub(vault).await
    }
    async fn unnamed_objects(&self, vault: VaultId, before: u64, limit: u32) -> Result<Vec<String>> {
        self.store.unnamed_objects(vault, before, limit).await
    }
    async fn claim(&self, vault: VaultId, job: &str, now: u64, until: u64) -> Result<Option<Claim>> {
        self.store.claim(vault, job, now, until).await
    }
    async fn job(&self, vault: VaultId, job: &str) -> Result<Option<JobState>> {
        self.store.job(vault, job).await
    }
    async fn failures(&self, vault: VaultId, job: &str, after: Option<&[u8]>, limit: u32) -> Result<Vec<Failure>> {
        self.store.failures(vault, job, after, limit).await
    }
}

async fn run<T: Task + Send>(clinic: &Clinic, store: &MemoryStore, trouble: Trouble, task: T) -> Vec<Result<Progress>> {
    let store = Troubled { store, trouble, uploads: AtomicU32::new(0) };
    let lease = Duration::from_secs(60);
    let worker = Worker { store: &store, vault: clinic.id(), job: "job", lease, clock: SystemTime::now };
    worker.run(task).collect().await
}

#[tokio::test]
async fn t094_a_rekey_that_was_overtaken_moves_nothing() {
    let mut clinic = Clinic::new(0x9406);
    let store = MemoryStore::new();
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 2).await;
    rekeyed(&store, &mut clinic, "p-1", &old).await;
    let before = store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap();
    let by = KeyOf::Member(&clinic.salo);
    let task = RekeyJob { vault: &clinic.vault, by, how: How::Reseal, attachments: None, deposits: &[] };
    let told = run(&clinic, &store, Trouble::Overtaken, task).await;
    assert!(matches!(told[..], [Err(Error::Held { pieces: 1, .. })]), "{told:?}");
    assert_eq!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap(), before);
}

/// Neither the enrolment of a new patient nor the text of one who is there is written.
#[tokio::test]
async fn t094_an_import_that_was_overtaken_writes_nothing() {
    for enrolled in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.csv");
        std::fs::write(&path, "patient_id,record_id,note\np-1,r-1,text\n").unwrap();
        let mut clinic = Clinic::new(0x9407);
        let store = MemoryStore::new();
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        if enrolled {
            with_notes(&store, &mut clinic, "p-1", 0).await;
        }
        let before = store.patient(clinic.id(), patient("p-1")).await.unwrap();
        let file = ImportFile::csv(&path).unwrap();
        let patients = &file.patients();
        let task = ImportJob { vault: &clinic.vault, by: &clinic.salo, grant_to: &[], file: &file, patients };
        let told = run(&clinic, &store, Trouble::Overtaken, task).await;
        assert!(matches!(told[..], [Err(Error::Held { pieces: 1, .. })]), "{told:?}");
        assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), before);
        assert!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().is_empty());
    }
}

/// The record of the first attachment names its new object before the second one is begun: a sweep in between takes
/// neither.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t023_a_rekey_names_each_attachment_when_it_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let attachments = Attachments::local(directory.path()).unwrap();
    let mut clinic = Clinic::new(0x2302);
    let store = MemoryStore::new();
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 0).await;
    for name in ["a-1", "a-2"] {
        let sink = attachments.begin(&store, clinic.id(), 5).await.unwrap();
        let (vault, key) = (&clinic.vault, &old.key);
        let seal = || {
            let place = RecordContext::new(record(name), field(), Revision::FIRST);
            let mut writer = vault.seal_attachment(key, &place, sink, &mut OsRng).unwrap();
            writer.write_all(b"a scan").unwrap();
            writer.finish().unwrap().finish().unwrap().into_parts()
        };
        let (object, length) = elsewhere(seal);
        let object = &object[..];
        let new = RecordRow { body: Body::Object { object, length }, ..first("p-1", name, old.card_id, b"") };
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
    }
    let new = rekeyed(&store, &mut clinic, "p-1", &old).await;
    let by = KeyOf::Member(&clinic.salo);
    let task = RekeyJob { vault: &clinic.vault, by, how: How::Reseal, attachments: Some(&attachments), deposits: &[] };
    let told = run(&clinic, &store, Trouble::Upload, task).await;
    assert!(matches!(told[..], [Err(Error::Unavailable(_))]), "{told:?}");
    let records = store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap();
    assert_eq!(records.iter().map(|record| record.card).collect::<Vec<_>>(), [new.card_id, old.card_id]);
}
