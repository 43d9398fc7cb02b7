//! What is done to SQLite's files behind its back, and other processes that hold its lock.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use crate::clinic::{Clinic, field, first, patient, record, with_notes};
use futures_util::StreamExt;
use lukko::RecordId;
use lukko_store::{Change, Error, KeyOf, Progress, Result, SqliteStore, Store, StoredBody, VerifyJob, Worker};
use sqlx::{Connection, SqliteConnection};

async fn verify(store: &SqliteStore, clinic: &Clinic) -> Result<Vec<Progress>> {
    let worker =
        Worker { store, vault: clinic.id(), job: "verify", lease: Duration::from_secs(60), clock: SystemTime::now };
    let task = VerifyJob { vault: &clinic.vault, by: KeyOf::Member(&clinic.salo), attachments: None, deposits: &[] };
    worker.run(task).collect::<Vec<_>>().await.into_iter().collect()
}

/// The log is a part of the database. Without it the database is what it was at the last checkpoint: whole, and older.
#[tokio::test]
async fn t101_without_its_log_the_file_is_whole_and_older() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x1011);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 3).await;
    store.scrub(clinic.id()).await.unwrap();
    with_notes(&store, &mut clinic, "p-2", 3).await;
    // As a machine that stopped leaves it, and somebody who tidies up.
    let copy = scratch.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let opened = SqliteStore::open(&copy).await.unwrap();
    assert_eq!(opened.patients(clinic.id(), None, 10).await.unwrap(), [b"p-1"]);
    let progress = verify(&opened, &clinic).await.unwrap();
    assert!(progress.iter().all(|progress| progress.findings.is_empty()), "{progress:?}");
    // With the log everything is there.
    std::fs::copy(&path, scratch.path().join("whole.db")).unwrap();
    std::fs::copy(path.with_extension("db-wal"), scratch.path().join("whole.db-wal")).unwrap();
    let opened = SqliteStore::open(scratch.path().join("whole.db")).await.unwrap();
    assert_eq!(opened.patients(clinic.id(), None, 10).await.unwrap().len(), 2);
}

/// A log of another vault lies beside the file, whole or cut at each page. SQLite has no means to know. What is then read
/// of the vault is refused, gone, or right: the core does not open another text.
#[tokio::test]
async fn t101_the_log_of_another_file_forges_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let mut clinics = Vec::new();
    for (seed, notes) in [(0x1012, 6), (0x1013, 4)] {
        let path = scratch.path().join(format!("{seed}.db"));
        let store = SqliteStore::open(&path).await.unwrap();
        let mut clinic = Clinic::new(seed);
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        let enrolled = with_notes(&store, &mut clinic, "p-1", notes).await;
        store.scrub(clinic.id()).await.unwrap();
        let sealed = clinic.seal(&enrolled.key, "r-new", 1, "new");
        store
            .apply(clinic.id(), &[Change::Record(first("p-1", "r-new", enrolled.card_id, &sealed).into())])
            .await
            .unwrap();
        clinics.push((clinic, enrolled, path, store));
    }
    let (clinic, enrolled, path, _) = &clinics[0];
    let (file, log) = (std::fs::read(path).unwrap(), std::fs::read(clinics[1].2.with_extension("db-wal")).unwrap());
    let (mut refused, mut gone, mut right) = (0, 0, 0);
    for length in (32 + 4120..=log.len()).step_by(4120) {
        let mixed = scratch.path().join(format!("mixed-{length}.db"));
        std::fs::write(&mixed, &file).unwrap();
        std::fs::write(mixed.with_extension("db-wal"), &log[..length]).unwrap();
        let Ok(store) = SqliteStore::open(&mixed).await else {
            refused += 1;
            continue;
        };
        for number in 0..6 {
            let name = format!("r-{number:04}");
            match store.record(clinic.id(), patient("p-1"), record(&name), field()).await {
                Err(Error::Corrupt { .. }) => refused += 1,
                Err(error) => panic!("{error:?}"),
                Ok(None) => gone += 1,
                Ok(Some(stored)) => {
                    let StoredBody::Sealed(sealed) = stored.body else { panic!("sealed") };
                    let id = RecordId::new(&stored.record).unwrap();
                    match clinic.vault.open(&enrolled.key, id, field(), &sealed) {
                        Ok(opened) => {
                            let text = format!("session {number} of p-1");
                            assert_eq!(&*opened.plaintext, text.as_bytes());
                            right += 1;
                        }
                        Err(_) => refused += 1,
                    }
                }
            }
        }
        // And `verify` ends, with whatever it finds.
        let _ = verify(&store, clinic).await;
    }
    println!("read with another vault's log: {refused} refused, {gone} gone, {right} right, 0 forged");
    assert!(refused + gone > 0, "the other log was never read");
}

#[tokio::test]
async fn t101_a_file_that_is_none_of_sqlite_is_named() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    std::fs::write(&path, [0x55; 8192]).unwrap();
    let refused = SqliteStore::open(&path).await;
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    // Half of the pages are overwritten: what needs them says so. The tables' definitions are in the other half.
    let path = scratch.path().join("damaged.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x1014);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 500).await;
    store.close().await;
    let mut file = std::fs::read(&path).unwrap();
    let half = file.len() / 2;
    file[half..].fill(0x55);
    std::fs::write(&path, file).unwrap();
    let store = SqliteStore::open(&path).await.unwrap();
    let read = store.records(clinic.id(), patient("p-1"), None, 1_000).await;
    assert!(matches!(read, Err(Error::Corrupt { .. })), "{read:?}");
}

const LOCK: &str = "LUKKO_FILES_LOCK";

/// The process that holds the lock. Does nothing where no file is named.
#[tokio::test]
async fn child() {
    let Ok(words) = std::env::var(LOCK) else { return };
    let (seconds, path) = words.split_once(' ').unwrap();
    let mut connection = SqliteConnection::connect(path).await.unwrap();
    let lock = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
    eprintln!("locked");
    tokio::time::sleep(Duration::from_secs(seconds.parse().unwrap())).await;
    drop(lock);
    connection.close().await.unwrap();
}

fn lock(path: &Path, seconds: u32) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "files::child", "--nocapture"]).env(LOCK, format!("{seconds} {}", path.to_str().unwrap()));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line == "locked")), "the process did not lock");
    child
}

/// One that is held for a while costs time, and one that is held for too long an error; reading goes on.
#[tokio::test]
async fn t101_another_process_holds_the_lock() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let mut clinic = Clinic::new(0x1015);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 1).await.card_id;

    let mut child = lock(&path, 2);
    let begin = Instant::now();
    store.apply(clinic.id(), &[Change::Record(first("p-1", "r-waits", card, b"text").into())]).await.unwrap();
    assert!(begin.elapsed() > Duration::from_millis(1_500), "nobody waited");
    assert!(child.wait().unwrap().success());

    let mut child = lock(&path, 600);
    let late = [Change::Record(first("p-1", "r-late", card, b"text").into())];
    let (refused, read) = tokio::join!(store.apply(clinic.id(), &late), async {
        store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().len()
    });
    let error = refused.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("lock"), "{error:?}");
    assert_eq!(read, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    store.apply(clinic.id(), &late).await.unwrap();
    assert_eq!(store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap().len(), 3);
}
