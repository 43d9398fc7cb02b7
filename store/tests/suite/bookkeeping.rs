//! The bookkeeping of a vault's life beside somebody who writes to the database, and beside callers who repeat a call.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use lukko::{CardId, ClosedReason, Enroller, PatientId, PatientRotation};
use lukko_store::error::Usage;
use lukko_store::placed::{EndorsementRow, RecordRow};
use lukko_store::restore::{Console, Kept};
use lukko_store::{
    Attachments, Body, Change, ErasureJob, Error, How, KeyOf, Progress, Records, RekeyJob, Result, RotationJob, Store,
    Task, VerifyJob, Worker, enrolment,
};

use crate::clinic::{Clinic, NextGeneration, field, first, patient, record, rekeyed, with_notes};
use crate::erasures::nothing_is_left;
use crate::lifecycle::run;
use crate::sql::{Sql, hex};

async fn told<T: Task + Send>(store: &impl Store, clinic: &Clinic, job: &str, task: T) -> Vec<Result<Progress>> {
    let (vault, lease) = (clinic.id(), Duration::from_secs(60));
    Worker { store, vault, job, lease, clock: SystemTime::now }.run(task).collect().await
}

async fn still_open(store: &impl Store, clinic: &Clinic, job: &str) -> Vec<CardId> {
    let by = KeyOf::Member(&clinic.salo);
    let done = run(
        store,
        clinic,
        job,
        RekeyJob { vault: &clinic.vault, by, how: How::Reseal, attachments: None, deposits: &[] },
    )
    .await;
    let of_one = done.into_iter().find(|progress| progress.patient == b"p-1").unwrap();
    assert_eq!(of_one.findings, []);
    of_one.still_open
}

/// Somebody alters the row of a patient's older card, so that its column names the card of another patient. The registrar
/// is not asked to close that other card, and still hears of the older one.
async fn a_planted_card_is_not_to_be_closed(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3001);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (one, other) = (with_notes(store, &mut clinic, "p-1", 1).await, with_notes(store, &mut clinic, "p-2", 1).await);
    rekeyed(store, &mut clinic, "p-1", &one).await;
    let (old, new) = (hex(one.card_id.as_bytes()), hex(other.card_id.as_bytes()));
    sql.run(&format!("UPDATE card SET card = x'{new}' WHERE card = x'{old}'")).await;
    assert_eq!(still_open(store, &clinic, "rekey").await, [one.card_id]);
}

/// The row of an older card is hidden. The re-key still says that this card is open: the card after it names it.
async fn a_hidden_card_is_still_to_be_closed(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3002);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(store, &mut clinic, "p-1", &one).await;
    rekeyed(store, &mut clinic, "p-1", &two).await;
    assert_eq!(
        BTreeSet::from_iter(still_open(store, &clinic, "rekey").await),
        BTreeSet::from([one.card_id, two.card_id])
    );
    sql.run("DELETE FROM card WHERE version = 1").await;
    assert_eq!(still_open(store, &clinic, "rekey again").await, [two.card_id, one.card_id]);
}

/// The row of an older card that carries records is hidden while the master key is rotated. The rotation names the card,
/// before the old generation's grant of it goes.
async fn a_rotation_names_a_hidden_card(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3009);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(store, &mut clinic, "p-1", &one).await;
    rekeyed(store, &mut clinic, "p-1", &two).await;
    sql.run("DELETE FROM card WHERE version = 1").await;
    let next = NextGeneration::store(store, &mut clinic).await;
    let by = Enroller::Root(&next.rotation.master);
    let step = PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by };
    let done = run(store, &clinic, "rotation", RotationJob { step }).await;
    let [finding] = &done[0].findings[..] else { panic!("{done:?}") };
    assert!(finding.reason.starts_with(&format!("card {}: its row is not stored", one.card_id)), "{finding:?}");
    assert_eq!(next.every_patient_opens(store).await, 1);
}

async fn refuses_to_retire(store: &impl Store, clinic: &Clinic, case: &str) {
    let refused = store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await;
    assert!(matches!(refused, Err(Error::Usage(Usage::NotRotated(1)))), "{case}: {refused:?}");
}

/// The rows of a patient's cards are hidden, and one of the cards carries a record. The old generation has the last master
/// grant of it, and stays.
async fn a_hidden_card_keeps_its_generation(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x300a);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let one = with_notes(store, &mut clinic, "p-1", 1).await;
    let two = rekeyed(store, &mut clinic, "p-1", &one).await;
    NextGeneration::store(store, &mut clinic).await;
    sql.run("DELETE FROM card").await;
    refuses_to_retire(store, &clinic, "both cards").await;
    let (patient, endorsement, master_grant) = (patient("p-1"), &b"two"[..], &b"grant"[..]);
    let endorse =
        EndorsementRow { patient, card: two.card_id, generation: 2, endorsement, master_grant, replaces: None };
    store.apply(clinic.id(), &[Change::Endorse(endorse.into())]).await.unwrap();
    refuses_to_retire(store, &clinic, "the older card").await;
    sql.run(
        "INSERT INTO patient_grant SELECT vault, patient, card, 2, recipient, bytes FROM patient_grant WHERE generation = 1",
    )
    .await;
    store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
}

/// Somebody plants an endorsement, or a master grant, of a generation that is not stored, and then of one that is retired.
/// Neither is a way to the card.
async fn a_generation_that_is_not_in_use_is_no_way(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x300b);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(store, &mut clinic, "p-1", 1).await;
    NextGeneration::store(store, &mut clinic).await;
    let planted = [
        ("endorsement", "SELECT vault, patient, 7, card, endorsement, master_grant FROM endorsement"),
        ("patient_grant", "SELECT vault, patient, card, 7, x'', master_grant FROM endorsement"),
    ];
    for (table, row) in planted {
        sql.run(&format!("INSERT INTO {table} {row}")).await;
        refuses_to_retire(store, &clinic, table).await;
        let generation = "vault, 7, descriptor, statement, version, roster, 1 FROM generation WHERE generation = 2";
        sql.run(&format!("INSERT INTO generation SELECT {generation}")).await;
        refuses_to_retire(store, &clinic, table).await;
        sql.run(&format!("DELETE FROM generation WHERE generation = 7; DELETE FROM {table} WHERE generation = 7"))
            .await;
    }
    // The same rows, of a generation that is in use.
    sql.run(&format!("INSERT INTO patient_grant {}", planted[1].1.replace('7', "2"))).await;
    store.apply(clinic.id(), &[Change::Retire { generation: 1, losing: &[] }]).await.unwrap();
}

/// A patient of the clinic, with one note, whom a roster closes as erased.
async fn erasing(store: &impl Store, clinic: &mut Clinic) -> CardId {
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(store, clinic, "p-1", 1).await;
    let closing = clinic.erasing(&[gone.card_id]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    clinic.follow(&closing.roster);
    gone.card_id
}

fn erasure<'a>(clinic: &'a Clinic, patients: &'a [PatientId<'a>], records: Records) -> ErasureJob<'a> {
    ErasureJob { vault: &clinic.vault, patients, records, attachments: None }
}

/// An erasure that kept the records was done under a name. One that is to delete them does not pass under that name for
/// done: the records are there.
async fn kept_records_do_not_pass_for_deleted(store: &impl Store, _sql: &Sql) {
    let mut clinic = Clinic::new(0x3003);
    erasing(store, &mut clinic).await;
    let patients = [patient("p-1")];
    let kept = told(store, &clinic, "erase", erasure(&clinic, &patients, Records::Keep)).await;
    assert!(matches!(&kept[..], [Ok(progress)] if progress.findings.is_empty()), "{kept:?}");
    // Repeated as it was, it is over.
    assert!(told(store, &clinic, "erase", erasure(&clinic, &patients, Records::Keep)).await.is_empty());
    let refused = told(store, &clinic, "erase", erasure(&clinic, &patients, Records::Delete)).await;
    assert!(matches!(refused[..], [Err(Error::Usage(Usage::WrongJob))]), "{refused:?}");
    let done = told(store, &clinic, "erase all", erasure(&clinic, &patients, Records::Delete)).await;
    assert!(matches!(&done[..], [Ok(progress)] if progress.findings.is_empty()), "{done:?}");
    nothing_is_left(store, &clinic, patients[0]).await;
}

/// An erasure is repeated under another name, because the reply was lost. No table of jobs names the patient afterwards.
async fn a_repeated_erasure_leaves_no_piece(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3004);
    erasing(store, &mut clinic).await;
    let patients = [patient("p-1")];
    for (job, records) in [("keep", Records::Keep), ("keep again", Records::Keep), ("delete", Records::Delete)] {
        let done = run(store, &clinic, job, erasure(&clinic, &patients, records)).await;
        assert_eq!(done[0].findings, []);
    }
    let receipts = store.erasures(clinic.id()).await.unwrap();
    assert_eq!(run(store, &clinic, "delete again", erasure(&clinic, &patients, Records::Delete)).await[0].findings, []);
    assert_eq!(sql.texts("SELECT CAST(count(*) AS TEXT) FROM job_piece").await, ["0"]);
    assert_eq!(store.erasures(clinic.id()).await.unwrap(), receipts);
}

/// A client sends its enrolment again, because the reply was lost, and the patient was erased meanwhile. Nothing of the
/// erased patient comes back; a new enrolment under the same id does.
async fn a_late_enrolment_brings_nobody_back(store: &impl Store, _sql: &Sql) {
    let mut clinic = Clinic::new(0x3005);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let (gone, grants) = clinic.enrol("p-1");
    let changes = enrolment(patient("p-1"), 1, &gone, &grants).unwrap();
    store.apply(clinic.id(), &changes).await.unwrap();
    store.apply(clinic.id(), &changes).await.unwrap();
    let closing = clinic.erasing(&[gone.card_id]);
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &[]))]).await.unwrap();
    let late = store.apply(clinic.id(), &changes).await;
    let erased = lukko::Error::from(lukko::error::Untrusted::CardErased(gone.card_id));
    assert!(matches!(&late, Err(Error::Core(met)) if *met == erased), "{late:?}");
    nothing_is_left(store, &clinic, patient("p-1")).await;
    let sealed = clinic.seal(&gone.key, "r-9", 1, "late");
    assert!(
        store.apply(clinic.id(), &[Change::Record(first("p-1", "r-9", gone.card_id, &sealed).into())]).await.is_err()
    );
    clinic.follow(&closing.roster);
    with_notes(store, &mut clinic, "p-1", 1).await;
}

/// Somebody announces an object that a record names, at a time that never comes, and writes a name that is none. When the
/// record goes, the object goes too.
async fn a_planted_announcement_keeps_no_object(store: &impl Store, sql: &Sql) {
    let directory = tempfile::tempdir().unwrap();
    let attachments = Attachments::local(directory.path()).unwrap();
    let mut clinic = Clinic::new(0x3006);
    let id = clinic.id();
    store.apply(id, &clinic.founding()).await.unwrap();
    let one = with_notes(store, &mut clinic, "p-1", 0).await;
    let mut sink = attachments.begin(store, id, 5).await.unwrap();
    let write = move || {
        std::io::Write::write_all(&mut sink, b"sealed").unwrap();
        sink.finish().unwrap().into_parts()
    };
    let (object, length) = tokio::task::spawn_blocking(write).await.unwrap();
    let body = Body::Object { object: &object, length };
    store
        .apply(id, &[Change::Record(RecordRow { body, ..first("p-1", "a-1", one.card_id, b"") }.into())])
        .await
        .unwrap();
    for planted in [hex(object.as_bytes()), "ff".to_owned()] {
        let row = format!("x'{}', x'{planted}', {}", hex(id.as_bytes()), if planted == "ff" { 0 } else { i64::MAX });
        sql.run(&format!("INSERT INTO unnamed_object (vault, object, since) VALUES ({row})")).await;
    }
    let delete = Change::Delete { patient: patient("p-1"), record: record("a-1"), field: field(), revision: 1 };
    store.apply(id, &[delete]).await.unwrap();
    assert_eq!(attachments.sweep_given_up(store, id).await.unwrap(), 1);
    assert!(attachments.source(id, &object).await.is_err());
}

/// Somebody writes the row of a patient whose id is none. A job names it, and goes on with the others.
async fn a_planted_patient_stops_no_job(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3007);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(store, &mut clinic, "p-1", 1).await;
    let row = format!("x'{}', x'', 1, x'{}'", hex(clinic.id().as_bytes()), "00".repeat(32));
    sql.run(&format!("INSERT INTO patient (vault, patient, version, card) VALUES ({row})")).await;
    let by = KeyOf::Member(&clinic.salo);
    let task = VerifyJob { vault: &clinic.vault, by, attachments: None, deposits: &[] };
    let done = told(store, &clinic, "verify", task).await;
    let [Ok(planted), Ok(one)] = &done[..] else { panic!("{done:?}") };
    assert_eq!((planted.findings.len(), &one.findings[..]), (1, &[][..]));
    let state = store.job(clinic.id(), "verify").await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, 1, 1));
}

/// The backup is from the middle of a rotation, and the erasure from after it: the kept roster of one generation closes the
/// card, that of the other one in the backup does not. The patient is named, the others are brought back.
async fn a_restore_goes_on_behind_an_erasure_that_must_wait(store: &impl Store, sql: &Sql) {
    let mut clinic = Clinic::new(0x3008);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(store, &mut clinic, "p-1", 1).await;
    let gone = with_notes(store, &mut clinic, "p-2", 1).await;
    let mut next = NextGeneration::store(store, &mut clinic).await;
    let mut draft = next.vault.roster().next().unwrap();
    draft.close(gone.card_id, ClosedReason::Erased).unwrap();
    let roster = draft.sign_as_registrar(&clinic.registrar, next.vault.descriptor()).unwrap();
    next.vault.update_roster(&roster, [clinic.salo.entry(), clinic.aalto.entry()]).unwrap();
    let row = format!("x'{}', x'', 1, x'{}'", hex(clinic.id().as_bytes()), "00".repeat(32));
    sql.run(&format!("INSERT INTO patient (vault, patient, version, card) VALUES ({row})")).await;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("roster"), &roster).unwrap();
    let kept = Kept::new(directory.path());
    let unclear = kept.catch_up(store, &next.vault, 1_700_000_000, &Silent).await.unwrap();
    let [named] = &unclear[..] else { panic!("{unclear:?}") };
    assert_eq!((&named.patient[..], &named.what), (&b"p-2"[..], &Error::from(Usage::ErasureBeforeRoster).to_string()));
    assert_eq!(store.generations(clinic.id()).await.unwrap()[1].roster, roster);
    // The registrar closes the card in the other generation too.
    let closing = clinic.erasing(&[gone.card_id]);
    store.apply(clinic.id(), &[closing.publish()]).await.unwrap();
    assert_eq!(kept.catch_up(store, &next.vault, 1_700_000_000, &Silent).await.unwrap(), []);
    nothing_is_left(store, &clinic, patient("p-2")).await;
}

struct Silent;

impl Console for Silent {
    fn say(&self, _line: &str) {}
    fn complain(&self, _line: &str) {}
    fn ask(&self) {}
}

crate::sql::on_both! { "bookkeeping";
    a_planted_card_is_not_to_be_closed: t095_planted_card_in_sqlite, t095_planted_card_in_postgresql;
    a_hidden_card_is_still_to_be_closed: t095_hidden_card_in_sqlite, t095_hidden_card_in_postgresql;
    a_rotation_names_a_hidden_card: t093_hidden_card_in_sqlite, t093_hidden_card_in_postgresql;
    a_hidden_card_keeps_its_generation: t093_hidden_card_and_retire_in_sqlite, t093_hidden_card_and_retire_in_postgresql;
    a_generation_that_is_not_in_use_is_no_way: t093_generation_not_in_use_in_sqlite, t093_generation_not_in_use_in_postgresql;
    kept_records_do_not_pass_for_deleted: t107_kept_records_in_sqlite, t107_kept_records_in_postgresql;
    a_repeated_erasure_leaves_no_piece: t107_repeated_erasure_in_sqlite, t107_repeated_erasure_in_postgresql;
    a_late_enrolment_brings_nobody_back: t108_late_enrolment_in_sqlite, t108_late_enrolment_in_postgresql;
    a_planted_announcement_keeps_no_object: t107_planted_announcement_in_sqlite, t107_planted_announcement_in_postgresql;
    a_restore_goes_on_behind_an_erasure_that_must_wait: t145_erasure_that_waits_in_sqlite, t145_erasure_that_waits_in_postgresql;
    a_planted_patient_stops_no_job: t094_planted_patient_in_sqlite, t094_planted_patient_in_postgresql;
}
