//! `kill -9` in the middle of a rotation and of writing, again and again: nothing that was acknowledged is lost, no state
//! is mixed, and the job ends.
//!
//! `LUKKO_CRASH_ROUNDS` says how many processes are killed for each database, 15 unless told.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

#[path = "conformance/clinic.rs"]
mod clinic;
#[path = "conformance/postgres.rs"]
mod postgres;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use clinic::{Clinic, NextGeneration, TestRng, first, patient, record, with_notes};
use futures_util::StreamExt;
use lukko::rand_core::TryRng;
use lukko::{Enroller, PatientRotation};
use lukko_store::{Change, PostgresStore, RotationJob, SqliteStore, Store, Worker};

const SEED: u64 = 0x92;
const PATIENTS: usize = 40;
const JOB: &str = "rotation 2";
const DATABASE: &str = "LUKKO_CRASH_DATABASE";

/// A clinic and its next generation: the same in every process.
fn world() -> (Clinic, NextGeneration) {
    let mut clinic = Clinic::new(SEED);
    let next = NextGeneration::draw(&mut clinic);
    (clinic, next)
}

/// The process that is killed. Says what was acknowledged, a line each. Does nothing where no database is named.
#[tokio::test]
async fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let (clinic, next) = world();
    if database.starts_with("postgres:") {
        work(&PostgresStore::open(&database).await.unwrap(), &clinic, &next).await;
    } else {
        work(&SqliteStore::open(&database).await.unwrap(), &clinic, &next).await;
    }
}

fn say(line: &str) {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{line}").unwrap();
}

/// Rotates, and writes a note of 5 kB after each patient.
async fn work(store: &impl Store, clinic: &Clinic, next: &NextGeneration) {
    let by = Enroller::Root(&next.rotation.master);
    let task = RotationJob { step: PatientRotation { from: &clinic.vault, master: &next.old, to: &next.vault, by } };
    let worker =
        Worker { store, vault: clinic.id(), job: JOB, lease: Duration::from_millis(1), clock: SystemTime::now };
    let mut stream = Box::pin(worker.run(task));
    say("ready");
    let mut number = 0;
    while let Some(progress) = stream.next().await {
        let progress = progress.unwrap();
        assert!(progress.findings.is_empty(), "{progress:?}");
        let id = String::from_utf8(progress.patient).unwrap();
        say(&format!("rotated {id}"));
        let card = store.patient(clinic.id(), patient(&id)).await.unwrap().current.unwrap();
        let name = format!("w-{}-{number}", std::process::id());
        store.apply(clinic.id(), &[Change::Record(first(&id, &name, card, &[9; 5_000]))]).await.unwrap();
        say(&format!("written {id} {name}"));
        number += 1;
    }
}

fn spawn(database: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(DATABASE, database);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Lets a process work for a while, kills it, and gives what it has acknowledged.
fn round(database: &str, after: Duration) -> Vec<String> {
    let mut child = spawn(database);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line == "ready"));
    assert!(ready.is_some(), "the process did not begin");
    let reader = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Everything that was acknowledged is there, and every patient is in a whole state.
async fn check(store: &impl Store, clinic: &Clinic, next: &NextGeneration, acknowledged: &[String]) {
    for line in acknowledged {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["rotated", id] => {
                let stored = store.patient(clinic.id(), patient(id)).await.unwrap();
                assert!(stored.endorsed(2).is_some(), "lost: {line}");
            }
            ["written", id, name] => {
                let read = store.record(clinic.id(), patient(id), record(name), clinic::field()).await.unwrap();
                assert!(read.is_some(), "lost: {line}");
            }
            _ => panic!("the process says: {line}"),
        }
    }
    for id in store.patients(clinic.id(), None, 1_000).await.unwrap() {
        let id = String::from_utf8(id).unwrap();
        let stored = store.patient(clinic.id(), patient(&id)).await.unwrap();
        let cards = stored.card_bytes();
        clinic.vault.card(patient(&id), &stored.stored(1, &cards).unwrap(), None).unwrap();
        if let Some(new) = stored.stored(2, &cards) {
            let card = next.vault.card(patient(&id), &new, None).unwrap();
            next.vault.break_glass(&card, &next.rotation.master).unwrap();
        }
    }
}

/// Kills processes that have worked for at most `longest` microseconds. Gives how many processes were killed, and how much they had acknowledged.
async fn rounds<S: Store>(
    open: impl AsyncFn(usize) -> Option<(S, String)>,
    (database, longest): (&str, u64),
    seed: u64,
) -> Option<(usize, usize)> {
    let wanted: usize = std::env::var("LUKKO_CRASH_ROUNDS").map_or(15, |rounds| rounds.parse().unwrap());
    let mut rng = TestRng::new(seed);
    let (mut killed, mut acknowledged, mut databases) = (0, 0, 0);
    let begin = Instant::now();
    while killed < wanted {
        let (store, address) = open(databases).await?;
        let (mut clinic, next) = world();
        store.apply(clinic.id(), &clinic.founding()).await.unwrap();
        for number in 0..PATIENTS {
            with_notes(&store, &mut clinic, &format!("p-{number:02}"), 0).await;
        }
        next.publish(&store).await;
        databases += 1;
        while killed < wanted {
            let after = Duration::from_micros(rng.try_next_u64().unwrap() % longest);
            let lines = round(&address, after);
            let lines: Vec<String> =
                lines.into_iter().filter(|line| line.starts_with("rotated") || line.starts_with("written")).collect();
            acknowledged += lines.len();
            killed += 1;
            check(&store, &clinic, &next, &lines).await;
            if store.job(clinic.id(), JOB).await.unwrap().is_some_and(|state| state.open == 0) {
                break;
            }
        }
        // Whatever is left is done without being killed.
        work(&store, &clinic, &next).await;
        let state = store.job(clinic.id(), JOB).await.unwrap().unwrap();
        assert_eq!((state.open, state.done, state.failed), (0, PATIENTS as u64, 0));
        assert_eq!(next.every_patient_opens(&store).await, PATIENTS);
    }
    println!(
        "{database}: {killed} processes killed over {databases} databases, {acknowledged} acknowledged, 0 lost, 0 mixed, \
         in {:.0?}",
        begin.elapsed()
    );
    Some((killed, acknowledged))
}

#[tokio::test]
async fn t092_t093_killed_in_sqlite() {
    let scratch = tempfile::tempdir().unwrap();
    let open = async |number: usize| {
        let path = scratch.path().join(format!("{number}.db"));
        Some((SqliteStore::open(&path).await.unwrap(), path.to_str().unwrap().to_owned()))
    };
    let (_, acknowledged) = rounds(open, ("SQLite", 60_000), 0x9201).await.unwrap();
    assert!(acknowledged > 0, "nothing was ever acknowledged: the processes were killed too early");
}

#[tokio::test]
async fn t092_t093_killed_in_postgresql() {
    let open = async |_: usize| {
        let address = format!("postgres:///{}", postgres::fresh("crash").await?);
        Some((PostgresStore::open(&address).await.unwrap(), address))
    };
    if let Some((_, acknowledged)) = rounds(open, ("PostgreSQL", 500_000), 0x9202).await {
        assert!(acknowledged > 0, "nothing was ever acknowledged: the processes were killed too early");
    }
}

/// Two processes rotate at once.
#[tokio::test]
async fn t096_two_processes_share_one_job() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (mut clinic, next) = world();
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    for number in 0..PATIENTS {
        with_notes(&store, &mut clinic, &format!("p-{number:02}"), 0).await;
    }
    next.publish(&store).await;
    let mut processes = [spawn(path.to_str().unwrap()), spawn(path.to_str().unwrap())];
    for process in &mut processes {
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let lines: Vec<String> = lines.map_while(Result::ok).collect();
        assert!(process.wait().unwrap().success(), "{lines:?}");
        check(
            &store,
            &clinic,
            &next,
            &lines.into_iter().filter(|line| line.starts_with("rotated")).collect::<Vec<_>>(),
        )
        .await;
    }
    let state = store.job(clinic.id(), JOB).await.unwrap().unwrap();
    assert_eq!((state.open, state.done, state.failed), (0, PATIENTS as u64, 0));
    assert_eq!(next.every_patient_opens(&store).await, PATIENTS);
}
