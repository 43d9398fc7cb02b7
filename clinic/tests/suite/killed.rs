//! `kill -9` while a member works: what was acknowledged is in the database and in the memory.
//!
//! `LUKKO_CRASH_ROUNDS` says how many processes are killed, 3 unless told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use lukko_clinic::{Clinic, Key, Memory, Patient, Plan, Purpose, THERAPIST};
use lukko_store::SqliteStore;

const DIRECTORY: &str = "LUKKO_CLINIC_DIRECTORY";
const SEED: [u8; 32] = [9; 32];
const PATIENT: &str = "p-1";
/// At most so many processes are killed over one database.
const KILLED_EACH: usize = 5;

async fn open(directory: &Path) -> Clinic<SqliteStore> {
    let store = SqliteStore::open(directory.join("database/clinic.db")).await.unwrap();
    let memory = Memory::file(directory.join("memory.db")).await.unwrap();
    Clinic::open(store, memory, &Key::from_seed("aalto", &SEED).unwrap()).await.unwrap()
}

async fn patient(clinic: &Clinic<SqliteStore>) -> Patient<SqliteStore> {
    clinic.session(Purpose::care("appointment")).patient(PATIENT).await.unwrap()
}

/// The process that is killed. Does nothing where no directory is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let patient = patient(&open(Path::new(&directory)).await).await;
    say("ready");
    loop {
        let mut note = patient.write("note", "slept better").await.unwrap();
        say(&format!("wrote {} {}", note.id(), note.revision()));
        for _ in 0..2 {
            note = patient.edit(&note, "slept well").await.unwrap();
            say(&format!("wrote {} {}", note.id(), note.revision()));
        }
        let gone = patient.write("note", "a mistake").await.unwrap();
        patient.delete(&gone).await.unwrap();
        say(&format!("deleted {} {}", gone.id(), gone.revision()));
    }
}

fn say(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").unwrap();
}

/// Lets a process work for a while, kills it, and gives what it has acknowledged. Meanwhile this process works too, for the
/// same member and with the same memory: neither takes the other's work for a theft.
async fn round(directory: &Path, beside: &Clinic<SqliteStore>, after: Duration) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::child", "--nocapture"]).env(DIRECTORY, directory);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "ready"), "the process did not begin");
    // It has done something, and is in the middle of the next thing.
    let first = lines.next().unwrap();
    let reader = std::thread::spawn(move || std::iter::once(first).chain(lines).collect());
    let (begin, patient) = (Instant::now(), patient(beside).await);
    assert_eq!(beside.differences().await.unwrap(), []);
    let mut notes = patient.notes();
    while begin.elapsed() < after
        && let Some(text) = notes.next().await
    {
        assert!(text.as_ref().err().and_then(lukko_clinic::Error::rolled_back).is_none(), "{text:?}");
    }
    tokio::time::sleep(after.saturating_sub(begin.elapsed())).await;
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// The newest revision that was acknowledged of each record, and 0 for a deleted one.
fn last(lines: &[String]) -> std::collections::BTreeMap<String, u64> {
    let mut last = std::collections::BTreeMap::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let [verb @ ("wrote" | "deleted"), id, revision] = words[..] else { continue };
        let revision = if verb == "wrote" { revision.parse().unwrap() } else { 0 };
        last.insert(id.to_owned(), revision);
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t092_t167_a_memory_survives_kill_9() {
    let rounds = std::env::var("LUKKO_CRASH_ROUNDS").map_or(3, |rounds| rounds.parse().unwrap());
    // A database is read whole after each round: it does not grow for long.
    for begin in (0..rounds).step_by(KILLED_EACH) {
        over_one_database(KILLED_EACH.min(rounds - begin) as u64).await;
    }
}

async fn over_one_database(rounds: u64) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    std::fs::create_dir(path.join("database")).unwrap();
    let store = SqliteStore::open(path.join("database/clinic.db")).await.unwrap();
    let memory = Memory::file(path.join("memory.db")).await.unwrap();
    let key = Key::from_seed("aalto", &SEED).unwrap();
    let plan = Plan::custodians(2, 3).classical().member_with_key(key, THERAPIST);
    let founded = Clinic::found(store.clone(), memory.clone(), plan).await.unwrap();
    let session = founded.clinic.session(Purpose::care("appointment"));
    session.enrol_as(PATIENT).await.unwrap();
    let mut acknowledged = 0;
    for number in 0..rounds {
        let after = Duration::from_millis(20 + (number * 37) % 120);
        let lines = round(path, &founded.clinic, after).await;
        acknowledged += check(&open(path).await, &last(&lines)).await;
    }
    assert!(acknowledged >= rounds, "the processes did next to nothing");
}

/// Everything that was acknowledged is stored; and where it is taken away afterwards, the memory names it.
async fn check(clinic: &Clinic<SqliteStore>, last: &std::collections::BTreeMap<String, u64>) -> u64 {
    assert_eq!(clinic.differences().await.unwrap(), [], "a killed process raises no alarm");
    let patient = patient(clinic).await;
    for (id, revision) in last {
        let note = patient.note("note", id).unwrap();
        match revision {
            0 => assert_eq!(patient.read(&note).await.unwrap_err().code(), "no-record"),
            revision => assert!(patient.read(&note).await.unwrap().note().revision() >= *revision),
        }
    }
    last.len() as u64
}
