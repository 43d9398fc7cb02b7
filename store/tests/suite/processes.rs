//! Several processes on one database at once: they open an empty one together, and they write to the same records.
//!
//! `LUKKO_PROCESS_WRITES` says how many writes each process has to bring home, 40 unless told.

use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::clinic::{Clinic, field, first, patient, record, with_notes};
use lukko::CardId;
use lukko_store::error::Conflict;
use lukko_store::placed::RecordRow;
use lukko_store::{Body, Change, Error, Expect, PostgresStore, SqliteStore, Store, StoredBody};

const DATABASE: &str = "LUKKO_PROCESSES_DATABASE";
const TASK: &str = "LUKKO_PROCESSES_TASK";
const PROCESSES: usize = 4;
const RECORDS: usize = 3;
const SEED: u64 = 0x9706;

/// What each of the processes runs. Does nothing where no database is named.
#[tokio::test]
async fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let task = std::env::var(TASK).unwrap();
    let words: Vec<&str> = task.split(' ').collect();
    if words[0] == "open" {
        // All of them at one moment.
        let at = UNIX_EPOCH + Duration::from_millis(words[1].parse().unwrap());
        while SystemTime::now() < at {
            std::hint::spin_loop();
        }
    }
    if database.starts_with("postgres:") {
        work(&PostgresStore::open(&database).await.unwrap(), &words).await;
    } else {
        work(&SqliteStore::open(&database).await.unwrap(), &words).await;
    }
}

async fn work(store: &impl Store, words: &[&str]) {
    match words {
        ["open", ..] => assert!(store.generations(Clinic::new(SEED).id()).await.unwrap().is_empty()),
        ["write", writes] => write(store, writes.parse().unwrap()).await,
        _ => panic!("{words:?}"),
    }
}

/// Reads a record, writes the next revision, and begins again whenever somebody was faster.
async fn write(store: &impl Store, writes: usize) {
    let vault = Clinic::new(SEED).id();
    let card = store.patient(vault, patient("p-1")).await.unwrap().current.unwrap();
    let mut overtaken = 0;
    for number in 0..writes {
        let name = format!("r-{:04}", number % RECORDS);
        loop {
            let stored = store.record(vault, patient("p-1"), record(&name), field()).await.unwrap().unwrap();
            let text = format!("{} writes {number}", std::process::id());
            match store.apply(vault, &next(&name, card, stored.revision, text.as_bytes())).await {
                Ok(()) => break,
                Err(Error::Conflict(Conflict::Record { stored: Some(newer) })) if newer > stored.revision => {
                    overtaken += 1
                }
                Err(error) => panic!("{error:?}"),
            }
        }
    }
    eprintln!("overtaken {overtaken}");
}

fn next<'a>(name: &'a str, card: CardId, on: u64, text: &'a [u8]) -> [Change<'a>; 1] {
    let (body, expect) = (Body::Sealed(text), Expect::Revision(on));
    [Change::Record(RecordRow { revision: on + 1, body, expect, ..first("p-1", name, card, text) }.into())]
}

fn spawn(database: &str, task: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "processes::child", "--nocapture"]).env(DATABASE, database).env(TASK, task);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn all(database: &str, task: &str) -> Vec<Output> {
    let children: Vec<Child> = (0..PROCESSES).map(|_| spawn(database, task)).collect();
    let outputs = children.into_iter().map(|child| child.wait_with_output().unwrap());
    outputs.inspect(|output| assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr))).collect()
}

fn open_together(database: &str) {
    let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_millis(400);
    all(database, &format!("open {}", at.as_millis()));
}

#[tokio::test]
async fn t102_processes_open_an_empty_sqlite_file_at_once() {
    const ROUNDS: usize = 8;
    let scratch = tempfile::tempdir().unwrap();
    for round in 0..ROUNDS {
        open_together(scratch.path().join(format!("{round}.db")).to_str().unwrap());
    }
    println!("{ROUNDS} empty files, each opened by {PROCESSES} processes at once");
}

#[tokio::test]
async fn t102_processes_open_an_empty_postgresql_database_at_once() {
    const ROUNDS: usize = 8;
    for _ in 0..ROUNDS {
        let Some(database) = crate::postgres::fresh("together").await else { return };
        open_together(&format!("postgres:///{database}"));
        crate::postgres::remove(&database).await;
    }
    println!("{ROUNDS} empty databases, each opened by {PROCESSES} processes at once");
}

/// Every write that was acknowledged is one revision, and there are no others.
async fn no_update_is_lost(store: &impl Store, database: &str) {
    let writes: u64 = std::env::var("LUKKO_PROCESS_WRITES").map_or(40, |writes| writes.parse().unwrap());
    let mut clinic = Clinic::new(SEED);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(store, &mut clinic, "p-1", RECORDS).await;
    let begin = Instant::now();
    let outputs = all(database, &format!("write {writes}"));
    let records = store.records(clinic.id(), patient("p-1"), None, 10).await.unwrap();
    let revisions: u64 = records.iter().map(|record| record.revision).sum();
    assert_eq!((records.len(), revisions), (RECORDS, RECORDS as u64 + PROCESSES as u64 * writes));
    for record in records {
        let StoredBody::Sealed(text) = record.body else { panic!("sealed") };
        assert!(String::from_utf8(text).unwrap().contains("writes"));
    }
    let overtaken = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        text.lines().find_map(|line| line.strip_prefix("overtaken ")).unwrap().parse::<u64>().unwrap()
    };
    let overtaken: u64 = outputs.iter().map(overtaken).sum();
    println!(
        "{PROCESSES} processes, {writes} writes each, {overtaken} times overtaken: 0 lost, in {:.1?}",
        begin.elapsed()
    );
    assert!(overtaken > 0, "the processes never met");
}

#[tokio::test]
async fn t097_processes_write_the_same_records_in_sqlite() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    no_update_is_lost(&store, path.to_str().unwrap()).await;
}

#[tokio::test]
async fn t097_processes_write_the_same_records_in_postgresql() {
    let Some((store, database)) = crate::postgres::open("processes", 0).await else { return };
    no_update_is_lost(&store, &format!("postgres:///{database}")).await;
}
