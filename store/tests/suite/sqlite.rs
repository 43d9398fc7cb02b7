//! What only a file can show: what erasure leaves in it, damage by SQL, other schemas, a full disk, a torn log.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::clinic::{Clinic, field, first, patient, record, rekeyed, with_notes};
use futures_util::StreamExt;
use lukko::CardId;
use lukko_store::{Change, Error, KeyOf, Progress, Scrub, SqliteStore, Store, StoredBody, VerifyJob, Worker};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

async fn sql(path: &Path, statement: &str) {
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// How many of the needles are in any file of the directory.
fn found(directory: &Path, needles: &[Vec<u8>]) -> usize {
    let files: Vec<Vec<u8>> =
        std::fs::read_dir(directory).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    let holds = |needle: &Vec<u8>| files.iter().any(|file| memchr::memmem::find(file, needle).is_some());
    needles.iter().filter(|needle| holds(needle)).count()
}

/// Pieces of every wrapped key of a patient, and of the records.
async fn needles(store: &SqliteStore, clinic: &Clinic, id: &str) -> Vec<Vec<u8>> {
    let stored = store.patient(clinic.id(), patient(id)).await.unwrap();
    let mut bodies: Vec<Vec<u8>> = stored.all_grants().into_iter().map(<[u8]>::to_vec).collect();
    for record in store.records(clinic.id(), patient(id), None, 1_000).await.unwrap() {
        let StoredBody::Sealed(sealed) = record.body else { panic!("sealed") };
        bodies.push(sealed[48..120].to_vec());
    }
    bodies.iter().map(|bytes| bytes[bytes.len() - 24..].to_vec()).collect()
}

/// Grants are replaced and deleted before the erasure too, by a re-key and by a withdrawal.
#[tokio::test]
async fn t103_after_an_erasure_no_file_holds_a_wrapped_key() {
    let scratch = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(scratch.path().join("vault.db")).await.unwrap();
    let mut clinic = Clinic::new(0x103);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let old = with_notes(&store, &mut clinic, "p-1", 40).await;
    with_notes(&store, &mut clinic, "p-2", 40).await;
    let mut gone = needles(&store, &clinic, "p-1").await;
    let new = rekeyed(&store, &mut clinic, "p-1", &old).await;
    gone.extend(needles(&store, &clinic, "p-1").await);
    gone.sort();
    gone.dedup();
    let kept = needles(&store, &clinic, "p-2").await;
    assert_eq!(found(scratch.path(), &gone), gone.len(), "the scan must find them before");

    let cards = [new.card_id, old.card_id];
    let closing = clinic.erasing(&cards);
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &cards))]).await.unwrap();
    store.scrub(clinic.id()).await.unwrap();
    println!("{} pieces of wrapped keys; {} left", gone.len(), found(scratch.path(), &gone));
    assert_eq!(found(scratch.path(), &gone), 0);
    assert_eq!(found(scratch.path(), &kept), kept.len());
    assert_eq!(store.erasures(clinic.id()).await.unwrap()[0].scrubbed, Some(Scrub::Files));
    store.close().await;
    assert_eq!(found(scratch.path(), &gone), 0);
}

async fn verify(store: &SqliteStore, clinic: &Clinic, job: &str) -> Vec<Progress> {
    let worker = Worker { store, vault: clinic.id(), job, lease: Duration::from_secs(60), clock: SystemTime::now };
    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    let results: Vec<_> = worker.run(task).collect().await;
    results.into_iter().map(Result::unwrap).collect()
}

/// A statement that a thief with write access runs, and how many of two patients it must be reported for.
const TAMPERING: [(&str, &str, usize); 16] = [
    (
        "T015",
        "UPDATE record SET sealed = (SELECT sealed FROM record r WHERE r.record = x'722d30303031'
              AND r.patient = record.patient) WHERE record = x'722d30303030'",
        2,
    ),
    ("T016", "UPDATE record SET patient = x'702d31', record = record || x'78' WHERE patient = x'702d32'", 1),
    ("T018", "UPDATE record SET field = x'7469746c65' WHERE record = x'722d30303030' AND patient = x'702d31'", 1),
    ("T020", "UPDATE card SET bytes = (SELECT bytes FROM card WHERE patient = x'702d32') WHERE patient = x'702d31'", 1),
    (
        "T021",
        "UPDATE patient_grant SET bytes = (SELECT bytes FROM patient_grant WHERE patient = x'702d32')
              WHERE patient = x'702d31'",
        1,
    ),
    ("T024 record.revision", "UPDATE record SET revision = revision + 1 WHERE patient = x'702d31'", 1),
    ("T024 record.card", "UPDATE record SET card = zeroblob(32) WHERE patient = x'702d31'", 1),
    ("T024 patient.card", "UPDATE patient SET card = zeroblob(32) WHERE patient = x'702d31'", 1),
    ("T024 grant.recipient", "UPDATE patient_grant SET recipient = zeroblob(32) WHERE patient = x'702d31'", 1),
    (
        "T024 a grant under another member's key",
        "INSERT INTO patient_grant (vault, patient, card, generation, recipient, bytes)
              SELECT vault, patient, card, generation, zeroblob(32), bytes FROM patient_grant WHERE patient = x'702d31'",
        1,
    ),
    (
        "T021 endorsement.master_grant, which a member cannot open",
        "UPDATE endorsement SET master_grant = (SELECT master_grant FROM endorsement WHERE patient = x'702d32')
              WHERE patient = x'702d31'",
        1,
    ),
    ("T024 endorsement.generation", "UPDATE endorsement SET generation = 2 WHERE patient = x'702d31'", 1),
    ("T024 type", "UPDATE record SET revision = 'one' WHERE patient = x'702d31'", 1),
    ("T031", "UPDATE endorsement SET endorsement = zeroblob(100)", 2),
    ("T098 endorsement", "DELETE FROM endorsement WHERE patient = x'702d31'", 1),
    ("T098 card", "DELETE FROM card WHERE patient = x'702d31'", 1),
];

#[tokio::test]
async fn t015_to_t031_what_a_thief_writes_is_reported_and_the_rest_is_served() {
    let scratch = tempfile::tempdir().unwrap();
    for (number, (case, statement, patients)) in TAMPERING.into_iter().enumerate() {
        let path = scratch.path().join(format!("{number}.db"));
        let store = SqliteStore::open(&path).await.unwrap();
        let mut clinic = Clinic::new(0x15);
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        for id in ["p-1", "p-2"] {
            with_notes(&store, &mut clinic, id, 3).await;
        }
        assert!(verify(&store, &clinic, "before").await.iter().all(|progress| progress.findings.is_empty()));
        sql(&path, statement).await;
        let after = verify(&store, &clinic, "after").await;
        assert_eq!(after.len(), 2, "{case}");
        let bad = after.iter().filter(|progress| !progress.findings.is_empty()).count();
        assert_eq!(bad, patients, "{case}: {after:?}");
        store.close().await;
    }
}

/// Each single row is deleted in turn. Nothing but what needs it becomes unreadable, and the report says so.
#[tokio::test]
async fn t098_each_single_row_is_lost_in_turn() {
    let scratch = tempfile::tempdir().unwrap();
    let original = scratch.path().join("vault.db");
    let store = SqliteStore::open(&original).await.unwrap();
    let mut clinic = Clinic::new(0x9801);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for id in ["p-1", "p-2"] {
        with_notes(&store, &mut clinic, id, 2).await;
    }
    store.close().await;
    let mut lost = 0;
    // (table, whether the loss of one of its rows shows in what is read of the patients)
    for (table, shows) in [("card", true), ("endorsement", true), ("patient_grant", true), ("record", false)] {
        for row in 0..if table == "record" { 4 } else { 2 } {
            let path = scratch.path().join(format!("{table}-{row}.db"));
            std::fs::copy(&original, &path).unwrap();
            sql(
                &path,
                &format!(
                    "DELETE FROM {table} WHERE rowid = (SELECT rowid FROM {table} ORDER BY rowid \
                                 LIMIT 1 OFFSET {row})"
                ),
            )
            .await;
            let store = SqliteStore::open(&path).await.unwrap();
            let after = verify(&store, &clinic, "after").await;
            let bad = after.iter().filter(|progress| !progress.findings.is_empty()).count();
            assert_eq!((after.len(), bad), (2, usize::from(shows)), "{table} {row}: {after:?}");
            lost += 1;
            store.close().await;
        }
    }
    println!("{lost} rows lost in turn");
}

/// Checkpoints of several stores of one file meet, with writes between them: each scrub waits for its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t096_t103_scrubs_of_several_stores_wait_for_each_other() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x96);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let vault = clinic.id();
    let mut scrubs = Vec::new();
    for _ in 0..3 {
        let other = SqliteStore::open(&path).await.unwrap();
        scrubs.push(tokio::spawn(async move {
            for _ in 0..60 {
                assert_eq!(other.scrub(vault).await.unwrap(), Scrub::Files);
            }
        }));
    }
    for number in 0..20 {
        with_notes(&store, &mut clinic, &format!("p-{number}"), 1).await;
    }
    for scrub in scrubs {
        scrub.await.unwrap();
    }
}

/// Callers give up at every moment of a read or of a change, as a service does when its client hangs up. What others write
/// meanwhile is committed: another connection sees it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t100_a_caller_who_gives_up_leaves_no_open_transaction() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let written = crate::given_up::beside_those_who_give_up(&store).await;
    let mut other = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let rows = sqlx::query("SELECT record FROM record").fetch_all(&mut other).await.unwrap();
    let seen: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect();
    assert!(written.iter().all(|name| seen.contains(name)), "{} of {} are committed", seen.len() - 1, written.len());
}

#[tokio::test]
async fn t025_a_key_that_is_there_two_times_is_corrupt() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x25);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 1).await;
    store.close().await;
    sql(
        &path,
        "CREATE TABLE copy AS SELECT * FROM record; DROP TABLE record; ALTER TABLE copy RENAME TO record;
                INSERT INTO record SELECT * FROM record;",
    )
    .await;
    let store = SqliteStore::open(&path).await.unwrap();
    let read = store.record(clinic.id(), patient("p-1"), record("r-0000"), field()).await;
    assert!(matches!(read, Err(Error::Corrupt { table: "record", .. })), "{read:?}");
}

#[tokio::test]
async fn t102_a_newer_schema_is_refused_and_left_alone() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    SqliteStore::open(&path).await.unwrap().close().await;
    sql(&path, "UPDATE lukko_schema SET version = 99").await;
    let refused = SqliteStore::open(&path).await;
    assert!(matches!(refused, Err(Error::Schema { found: 99, known: 1..99 })), "{refused:?}");
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let row = sqlx::query("SELECT version FROM lukko_schema").fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.get::<i64, _>(0), 99);
}

/// The write-ahead log is cut at many lengths, as a crash of the machine may leave it: what opens is a state that was
/// acknowledged, whole.
#[tokio::test]
async fn t091_a_torn_log_gives_a_whole_state() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x91);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card: CardId = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    store.scrub(clinic.id()).await.unwrap();
    const CHANGES: usize = 6;
    for number in 0..CHANGES {
        // Two records in one change: never one without the other.
        let names = [format!("a-{number}"), format!("b-{number}")];
        let changes = names.each_ref().map(|name| Change::Record(first("p-1", name, card, &[7; 3_000]).into()));
        store.apply(clinic.id(), &changes).await.unwrap();
    }
    let (database, log) = (std::fs::read(&path).unwrap(), std::fs::read(scratch.path().join("vault.db-wal")).unwrap());
    let mut counts = Vec::new();
    for length in (0..=log.len()).step_by(1_009).chain([log.len()]) {
        let torn = scratch.path().join(format!("torn-{length}.db"));
        std::fs::write(&torn, &database).unwrap();
        std::fs::write(torn.with_extension("db-wal"), &log[..length]).unwrap();
        let store = SqliteStore::open(&torn).await.unwrap();
        let records = store.records(clinic.id(), patient("p-1"), None, 100).await.unwrap();
        assert_eq!(records.len() % 2, 0, "a mixed state at {length}");
        counts.push(records.len() / 2);
        store.close().await;
    }
    assert!(counts.is_sorted(), "{counts:?}");
    assert_eq!((counts[0], counts[counts.len() - 1]), (0, CHANGES));
    println!("{} lengths of the log: 0 mixed", counts.len());
}
