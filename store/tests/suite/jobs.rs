//! Pieces of jobs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{ClosedReason, Enroller, PatientRotation, RecordId};
use lukko_store::error::{Conflict, Usage};
use lukko_store::placed::RecordRow;
use lukko_store::{
    Attachments, Change, ErasureJob, Error, Expect, Failure, How, ImportFile, ImportJob, JobKind, JobState, KeyOf,
    Outcome, Over, Progress, Records, RekeyJob, RotationJob, Store, StoredBody, Task, VerifyJob, Worker, enrolment,
};

use crate::clinic::{Clinic, NextGeneration, field, first, patient, record, rekeyed, with_notes};
use crate::work::{Kind, Work};

const JOB: &str = "verify 1";

async fn begin(store: &impl Store, clinic: &mut Clinic, patients: usize) {
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..patients {
        with_notes(store, clinic, &format!("p-{number:02}"), 0).await;
    }
    for _ in 0..2 {
        store
            .apply(clinic.id(), &[Change::Job { job: JOB, kind: JobKind::Verify, over: Over::Everyone }])
            .await
            .unwrap();
    }
}

pub async fn t094_every_piece_is_claimed_once(store: impl Store + 'static) {
    const PATIENTS: usize = 20;
    let mut clinic = Clinic::new(0x9401);
    begin(&store, &mut clinic, PATIENTS).await;
    let (store, vault) = (Arc::new(store), clinic.id());
    let worker = |_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some(claim) = store.claim(vault, JOB, 1_000, 2_000).await.unwrap() {
                store.apply(vault, &[Change::Done { claim: &claim, outcome: Outcome::Done }]).await.unwrap();
                mine.push(claim.patient);
            }
            mine
        })
    };
    let workers: Vec<_> = (0..4).map(worker).collect();
    let mut met = Vec::new();
    for worker in workers {
        met.extend(worker.await.unwrap());
    }
    assert_eq!((met.len(), met.iter().collect::<BTreeSet<_>>().len()), (PATIENTS, PATIENTS));
    let state = store.job(vault, JOB).await.unwrap().unwrap();
    assert_eq!(state, JobState { kind: JobKind::Verify, open: 0, done: PATIENTS as u64, failed: 0, held_until: 0 });
}

pub async fn t094_a_lease_that_ended_goes_to_the_next_worker(store: impl Store) {
    let mut clinic = Clinic::new(0x9402);
    begin(&store, &mut clinic, 1).await;
    let vault = clinic.id();
    let slow = store.claim(vault, JOB, 1_000, 2_000).await.unwrap().unwrap();
    assert_eq!(store.claim(vault, JOB, 1_999, 3_000).await.unwrap(), None);
    let quick = store.claim(vault, JOB, 2_000, 3_000).await.unwrap().unwrap();
    assert_eq!(quick.patient, slow.patient);
    let late = store.apply(vault, &[Change::Done { claim: &slow, outcome: Outcome::Done }]).await;
    assert!(matches!(late, Err(Error::Conflict(Conflict::Claim))), "{late:?}");
    let failed = Change::Done { claim: &quick, outcome: Outcome::Failed("no grant") };
    for _ in 0..2 {
        store.apply(vault, &[failed]).await.unwrap();
    }
    let state = store.job(vault, JOB).await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, 0, 1));
    let expected = Failure { patient: quick.patient, reason: "no grant".into() };
    assert_eq!(store.failures(vault, JOB, None, 10).await.unwrap(), [expected]);
    assert_eq!(store.job(vault, "another").await.unwrap(), None);
    let other = store.apply(vault, &[Change::Job { job: JOB, kind: JobKind::Rotation, over: Over::Everyone }]).await;
    assert!(matches!(other, Err(Error::Usage(Usage::WrongJob))), "{other:?}");
}

const LEASE: Duration = Duration::from_secs(60);

async fn all<T: Task + Send>(store: &impl Store, clinic: &Clinic, job: &str, task: T) -> Vec<Progress> {
    let worker = Worker { store, vault: clinic.id(), job, lease: LEASE, clock: SystemTime::now };
    let results: Vec<_> = worker.run(task).collect().await;
    results.into_iter().map(Result::unwrap).collect()
}

/// Two workers at once rotate every patient; a job that stopped in the middle goes on; a quorum of the new custodians
/// opens everything, and the old generation is retired.
pub async fn t093_a_rotation_stops_and_goes_on(store: impl Store) {
    const PATIENTS: usize = 9;
    let mut clinic = Clinic::new(0x93);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..PATIENTS {
        with_notes(&store, &mut clinic, &format!("p-{number}"), 1).await;
    }
    let next = NextGeneration::store(&store, &mut clinic).await;
    let by = Enroller::Root(&next.rotation.master);
    let task = RotationJob { step: PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by } };
    let worker = Worker { store: &store, vault: clinic.id(), job: "rotation 2", lease: LEASE, clock: SystemTime::now };

    let first: Vec<_> = worker.run(task).take(3).collect().await;
    assert!(first.iter().all(|progress| progress.as_ref().is_ok_and(|progress| progress.findings.is_empty())));
    let (one, other): (Vec<_>, Vec<_>) = tokio::join!(worker.run(task).collect(), worker.run(task).collect());
    // Where one of them came when the other had ended the job, or had the last piece, it is told so.
    let over = |result: &&lukko_store::Result<Progress>| {
        matches!(result, Err(Error::Usage(Usage::JobOver) | Error::Held { .. }))
    };
    let told = one.iter().chain(&other).filter(over).count();
    assert_eq!(first.len() + one.len() + other.len() - told, PATIENTS);
    let state = store.job(clinic.id(), "rotation 2").await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, PATIENTS as u64, 0));
    // The same rotation as another job: everything is done.
    let again = all(&store, &clinic, "rotation 2 again", task).await;
    assert_eq!(again.iter().map(|progress| progress.written).sum::<u64>(), 0);

    store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
    next.every_patient_opens(&store).await;
}

/// Every record moves to the new card, while somebody writes.
pub async fn t095_a_rekey_moves_every_record(store: impl Store) {
    let mut clinic = Clinic::new(0x9503);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 5).await;
    let new = rekeyed(&store, &mut clinic, "p-1", &old).await;
    // Written during the job: a new text of a record that has not moved yet.
    let text = clinic.seal(&new.key, "r-0003", 2, "second text");
    let written = RecordRow { revision: 2, expect: Expect::Revision(1), ..first("p-1", "r-0003", new.card_id, &text) };
    store.apply(clinic.id(), &[Change::Record(written.into())]).await.unwrap();
    let task = RekeyJob {
        vault: &clinic.vault,
        by: KeyOf::Member(&clinic.salo),
        how: How::Reseal,
        attachments: None,
        deposits: &[],
    };
    let done = all(&store, &clinic, "rekey", task).await;
    assert_eq!((done.len(), done[0].written, &done[0].findings[..]), (1, 4, &[][..]));
    let records = store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap();
    assert_eq!(records.len(), 5);
    for stored in records {
        assert_eq!(stored.card, new.card_id);
        let StoredBody::Sealed(sealed) = stored.body else { panic!("sealed") };
        let id = RecordId::new(&stored.record).unwrap();
        let opened = clinic.vault.open(&new.key, id, field(), &sealed).unwrap();
        assert_eq!(opened.revision.get(), if stored.record == b"r-0003" { 2 } else { 1 });
    }
    let verify = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    assert!(all(&store, &clinic, "verify", verify).await.iter().all(|progress| progress.findings.is_empty()));
}

/// Records that do not open are named with their reason, and all others are served.
pub async fn t015_t016_t022_t098_verify_names_what_does_not_open(store: impl Store) {
    let mut clinic = Clinic::new(0x98);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(&store, &mut clinic, "p-1", 3).await;
    let two = with_notes(&store, &mut clinic, "p-2", 3).await;
    // Somebody with write access puts one record's bytes under another id, and into another patient, and forges one.
    let stolen = store.record(clinic.id(), patient("p-1"), record("r-0000"), field()).await.unwrap().unwrap();
    let StoredBody::Sealed(stolen) = stolen.body else { panic!("sealed") };
    for new in [
        first("p-1", "r-swapped", one.card_id, &stolen),
        first("p-2", "r-moved", two.card_id, &stolen),
        first("p-2", "r-forged", two.card_id, b"LKN?"),
    ] {
        store.apply(clinic.id(), &[Change::Record(new.into())]).await.unwrap();
    }
    // A patient whose grants were lost.
    let (lost, grants) = clinic.enrol("p-3");
    store.apply(clinic.id(), &enrolment(patient("p-3"), 1, &lost, &grants).unwrap()).await.unwrap();
    let withdraw = Change::Withdraw { patient: patient("p-3"), card: lost.card_id, from: clinic.salo.fingerprint() };
    store.apply(clinic.id(), &[withdraw]).await.unwrap();

    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    let mut met = Vec::new();
    for progress in all(&store, &clinic, "verify", task).await {
        for finding in progress.findings {
            let record = finding.record.map(|(record, _)| String::from_utf8(record).unwrap());
            met.push((String::from_utf8(progress.patient.clone()).unwrap(), record));
        }
    }
    let expected = [("p-1", Some("r-swapped")), ("p-2", Some("r-forged")), ("p-2", Some("r-moved")), ("p-3", None)];
    assert_eq!(met, expected.map(|(patient, record)| (patient.to_owned(), record.map(str::to_owned))));
    let state = store.job(clinic.id(), "verify").await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, 0, 3));
    let failures = store.failures(clinic.id(), "verify", None, 10).await.unwrap();
    assert!(failures[2].reason.contains("no grant"), "{failures:?}");
    // With the quorum's key that patient opens.
    let master = clinic.recover();
    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Master(&master), attachments: None, deposits: &[] };
    let third = all(&store, &clinic, "verify by quorum", task).await.pop().unwrap();
    assert_eq!((third.patient.as_slice(), third.findings.len()), (&b"p-3"[..], 0));
}

/// Who names a patient for erasure erases nobody: the registrar's roster does.
pub async fn t106_an_erasure_without_a_closing_roster_is_a_finding(store: impl Store) {
    let mut clinic = Clinic::new(0x10601);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 1).await;
    let before = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    let (vault, patients, records) = (&clinic.vault, &[patient("p-1"), patient("p-none")][..], Records::Delete);
    let task = ErasureJob { vault, patients, records, attachments: None };
    let done = all(&store, &clinic, "erase", task).await;
    assert_eq!((done.len(), done[0].findings.len(), done[1].findings.len()), (2, 1, 0));
    assert!(done[0].findings[0].reason.contains("is not closed"), "{done:?}");
    assert_eq!(store.patient(clinic.id(), patient("p-1")).await.unwrap(), before);
    assert!(store.erasures(clinic.id()).await.unwrap().is_empty());
    // The same job's name for other patients.
    let worker = Worker { store: &store, vault: clinic.id(), job: "erase", lease: LEASE, clock: SystemTime::now };
    let other = ErasureJob { vault, patients: &patients[..1], records, attachments: None };
    let refused: Vec<_> = worker.run(other).collect().await;
    assert!(matches!(refused[..], [Err(Error::Usage(Usage::WrongJob))]), "{refused:?}");
}

/// An object that is gone, altered or exchanged is named; a job that was given no object store says so.
pub async fn t098_a_lost_or_altered_attachment_is_a_finding(store: impl Store) {
    let directory = tempfile::tempdir().unwrap();
    let mut work = Work::new(Kind::Verify, 12, directory.path());
    work.prepare(&store).await;
    let folder = directory.path().join("objects").join(work.clinic.id().to_string());
    let scan = async |id| store.record(work.clinic.id(), patient(id), record("scan"), field()).await.unwrap().unwrap();
    let mut files = Vec::new();
    for id in ["p-00", "p-03", "p-06", "p-09"] {
        let StoredBody::Object { object, .. } = scan(id).await.body else { panic!("an object") };
        files.push(folder.join(object));
    }
    std::fs::remove_file(&files[0]).unwrap();
    let mut bytes = std::fs::read(&files[1]).unwrap();
    bytes[40_000] ^= 1;
    std::fs::write(&files[1], bytes).unwrap();
    std::fs::copy(&files[3], &files[2]).unwrap();
    let attachments = Attachments::local(directory.path().join("objects")).unwrap();
    let by = KeyOf::Member(&work.clinic.salo);
    let task = VerifyJob { vault: &work.clinic.vault, by, attachments: Some(&attachments), deposits: &[] };
    let done = all(&store, &work.clinic, "verify", task).await;
    let named: Vec<_> = done.iter().filter(|one| !one.findings.is_empty()).map(|one| one.patient.as_slice()).collect();
    assert_eq!(named, [b"p-00", b"p-03", b"p-06"]);
    assert!(done[0].findings[0].reason.contains("gone"), "{done:?}");
    let task = VerifyJob { attachments: None, ..task };
    let done = all(&store, &work.clinic, "verify notes", task).await;
    assert_eq!(done.iter().filter(|one| !one.findings.is_empty()).count(), 4);
}

/// A file that was corrected does not overwrite what a therapist wrote since.
pub async fn an_import_leaves_another_text_in_its_place(store: impl Store) {
    let directory = tempfile::tempdir().unwrap();
    let clinic = Clinic::new(0x1);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let path = directory.path().join("notes.jsonl");
    let line = |text: &str| {
        let one = format!("{{\"patient_id\":\"p-1\",\"record_id\":\"r-1\",\"note\":\"{text}\",\"plan\":\"\"}}\n\n");
        one + "{\"patient_id\":\"p-1\",\"record_id\":\"r-2\",\"note\":\"n\\u00e4m\\u00e4\",\"plan\":\"rest\"}"
    };
    let (mut written, mut findings) = (Vec::new(), Vec::new());
    for (job, text) in [("import", "one"), ("import again", "one"), ("import corrected", "two")] {
        std::fs::write(&path, line(text)).unwrap();
        let file = ImportFile::json_lines(&path).unwrap();
        assert_eq!((file.len(), file.patients().len()), (2, 1));
        let patients = &file.patients();
        let task = ImportJob { vault: &clinic.vault, by: &clinic.salo, grant_to: &[], file: &file, patients };
        let [done] = &all(&store, &clinic, job, task).await[..] else { panic!("one patient") };
        written.push(done.written);
        findings.extend(done.findings.iter().filter_map(|finding| finding.record.clone()));
    }
    assert_eq!(written, [3, 0, 0]);
    assert_eq!(findings, [(b"r-1".to_vec(), b"note".to_vec())]);
    let records = store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap();
    let places: Vec<_> = records.iter().map(|record| (&record.record[..], &record.field[..])).collect();
    assert_eq!(places, [(&b"r-1"[..], &b"note"[..]), (b"r-2", b"note"), (b"r-2", b"plan")]);
}

/// A name is used once: under that of a job that is over, nothing would be done.
pub async fn t094_a_job_that_is_over_is_not_begun_again(store: impl Store) {
    let mut clinic = Clinic::new(0x9403);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (one, two) = (with_notes(&store, &mut clinic, "p-1", 1).await, with_notes(&store, &mut clinic, "p-2", 1).await);
    let verify = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    all(&store, &clinic, "verify", verify).await;
    let worker = Worker { store: &store, vault: clinic.id(), job: "verify", lease: LEASE, clock: SystemTime::now };
    let again: Vec<_> = worker.run(verify).collect().await;
    assert!(matches!(again[..], [Err(Error::Usage(Usage::JobOver))]), "{again:?}");

    let (version, roster) = clinic.closing(&[one.card_id, two.card_id], ClosedReason::Erased);
    store.apply(clinic.id(), &[Change::Roster { generation: 1, version, roster: &roster }]).await.unwrap();
    clinic.follow(&roster);
    let (vault, records, attachments) = (&clinic.vault, Records::Delete, None);
    let (first, other) = ([patient("p-1")], [patient("p-2")]);
    let task = ErasureJob { vault, patients: &first, records, attachments };
    all(&store, &clinic, "erase", task).await;
    // Begun again it scrubs again, and says nothing else; as many others under the same name are not erased, and it says so.
    assert!(all(&store, &clinic, "erase", task).await.is_empty());
    let worker = Worker { job: "erase", ..worker };
    let task = ErasureJob { patients: &other, ..task };
    let refused: Vec<_> = worker.run(task).collect().await;
    assert!(matches!(refused[..], [Err(Error::Usage(Usage::WrongJob))]), "{refused:?}");
    assert_eq!(store.patients(clinic.id(), None, 10).await.unwrap(), [b"p-2"]);
}

/// Whoever was enrolled behind the rotation's back keeps the old generation from being retired.
pub async fn t093_a_generation_is_not_retired_while_a_patient_needs_it(store: impl Store) {
    let mut clinic = Clinic::new(0x9303);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 1).await;
    let next = NextGeneration::store(&store, &mut clinic).await;
    let (by, old) = (Enroller::Root(&next.rotation.master), clinic.vault.clone());
    let task = RotationJob { step: PatientRotation { from: &old, master: &next.old, to: &next.vault, by } };
    all(&store, &clinic, "rotation 2", task).await;
    // A client that has not heard of it.
    with_notes(&store, &mut clinic, "p-2", 1).await;
    let retire = |losing| [Change::Retire { generation: 1, losing }];
    let refused = store.apply(clinic.id(), &retire(&[])).await;
    assert!(matches!(refused, Err(Error::Usage(Usage::NotRotated(1)))), "{refused:?}");
    let lost = [patient("p-2")];
    all(&store, &clinic, "rotation 2 of the late", task).await;
    store.apply(clinic.id(), &retire(&[])).await.unwrap();
    assert_eq!(next.every_patient_opens(&store).await, 2);
    // Somebody may be lost on purpose.
    store.apply(clinic.id(), &retire(&lost)).await.unwrap();
}

/// The database says that a record is under the current card, and it is not.
pub async fn t024_a_rekey_does_not_believe_the_column(store: impl Store) {
    let mut clinic = Clinic::new(0x2401);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 1).await;
    let new = rekeyed(&store, &mut clinic, "p-1", &old).await;
    let sealed = clinic.seal(&old.key, "r-9", 1, "left behind");
    store.apply(clinic.id(), &[Change::Record(first("p-1", "r-9", new.card_id, &sealed).into())]).await.unwrap();
    let by = KeyOf::Member(&clinic.salo);
    let task = RekeyJob { vault: &clinic.vault, by, how: How::Reseal, attachments: None, deposits: &[] };
    let [done] = &all(&store, &clinic, "rekey", task).await[..] else { panic!("one patient") };
    let named: Vec<_> =
        done.findings.iter().filter_map(|finding| finding.record.as_ref()).map(|place| &place.0).collect();
    assert_eq!((done.written, named), (1, vec![&b"r-9".to_vec()]));
    // A quorum opens what has not moved: the old card's master grant was kept.
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    assert_eq!(stored.master_grant(old.card_id, 1), Some(&old.master_grant[..]));
}

/// What a worker writes in the middle of a piece, it writes only while it has the piece.
pub async fn t094_a_change_that_holds_a_lost_claim_is_refused(store: impl Store) {
    let mut clinic = Clinic::new(0x9404);
    begin(&store, &mut clinic, 1).await;
    let vault = clinic.id();
    let slow = store.claim(vault, JOB, 1_000, 2_000).await.unwrap().unwrap();
    let (enrolment, grants) = clinic.enrol("p-new");
    let mut changes = lukko_store::enrolment(patient("p-new"), 1, &enrolment, &grants).unwrap();
    changes.push(Change::Hold { claim: &slow });
    let quick = store.claim(vault, JOB, 2_000, 3_000).await.unwrap().unwrap();
    let refused = store.apply(vault, &changes).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Claim))), "{refused:?}");
    changes.pop();
    changes.push(Change::Hold { claim: &quick });
    store.apply(vault, &changes).await.unwrap();
    store.apply(vault, &[Change::Done { claim: &quick, outcome: Outcome::Done }]).await.unwrap();
    let ended = store.apply(vault, &[Change::Hold { claim: &quick }]).await;
    assert!(matches!(ended, Err(Error::Conflict(Conflict::Claim))), "{ended:?}");
}
