//! `kill -9` in the middle of every job and of writing, again and again: nothing that was acknowledged is lost, no state is
//! mixed, and the job ends.
//!
//! `LUKKO_CRASH_ROUNDS` says how many processes are killed for each database, 28 unless told; the jobs take turns.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::clinic::TestRng;
use crate::work::{KINDS, Kind, Work};
use lukko::rand_core::TryRng;
use lukko_store::{PostgresStore, SqliteStore, Store};

const PATIENTS: usize = 24;
const DATABASE: &str = "LUKKO_CRASH_DATABASE";
const KIND: &str = "LUKKO_CRASH_KIND";
const DIRECTORY: &str = "LUKKO_CRASH_DIRECTORY";
/// At most so many processes are killed over one database.
const KILLED_EACH: usize = 20;
/// What a process says before each line that it acknowledges.
const SAID: &str = "acknowledged ";

/// The process that is killed. Does nothing where no database is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let kind: usize = std::env::var(KIND).unwrap().parse().unwrap();
    let directory = std::env::var(DIRECTORY).unwrap();
    let work = Work::new(KINDS[kind], PATIENTS, Path::new(&directory));
    if database.starts_with("postgres:") {
        run(work, &PostgresStore::open(&database).await.unwrap()).await;
    } else {
        run(work, &SqliteStore::open(&database).await.unwrap()).await;
    }
}

async fn run(mut work: Work, store: &impl Store) {
    work.load(store).await;
    say("ready");
    work.run(store, |line| say(&format!("{SAID}{line}"))).await.unwrap();
}

fn say(line: &str) {
    let mut out = std::io::stderr().lock();
    writeln!(out, "{line}").unwrap();
}

fn spawn(kind: Kind, database: &str, directory: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let kind = KINDS.iter().position(|met| *met == kind).unwrap().to_string();
    command.args(["--exact", "crash::child", "--nocapture"]);
    command.env(DATABASE, database).env(KIND, kind).env(DIRECTORY, directory);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn acknowledged(lines: impl Iterator<Item = std::io::Result<String>>) -> Vec<String> {
    lines.map_while(Result::ok).filter_map(|line| line.strip_prefix(SAID).map(str::to_owned)).collect()
}

/// Lets a process work for a while, kills it, and gives what it has acknowledged.
fn round(kind: Kind, database: &str, directory: &Path, after: Duration) -> Vec<String> {
    let mut child = spawn(kind, database, directory);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line == "ready"));
    assert!(ready.is_some(), "the process did not begin");
    let reader = std::thread::spawn(move || acknowledged(lines));
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Kills processes that have worked for at most `longest` microseconds. Gives how much they had acknowledged.
async fn rounds<S: Store>(
    open: impl AsyncFn() -> Option<(S, String)>,
    (database, longest): (&str, u64),
    seed: u64,
) -> Option<usize> {
    let wanted: usize = std::env::var("LUKKO_CRASH_ROUNDS").map_or(28, |rounds| rounds.parse().unwrap());
    let mut rng = TestRng::new(seed);
    let (mut killed, mut said, mut databases) = (0, 0, 0);
    let begin = Instant::now();
    while killed < wanted {
        let kind = KINDS[databases % KINDS.len()];
        let (store, address) = open().await?;
        let directory = tempfile::tempdir().unwrap();
        let mut work = Work::new(kind, PATIENTS, directory.path());
        work.prepare(&store).await;
        databases += 1;
        // Uploads have no end, and each check reads all of them.
        for _ in 0..wanted.div_ceil(KINDS.len()).min(KILLED_EACH) {
            let after = Duration::from_micros(rng.try_next_u64().unwrap() % longest);
            let lines = round(kind, &address, directory.path(), after);
            said += lines.len();
            killed += 1;
            work.check(&store, &lines).await;
            if work.is_over(&store).await {
                break;
            }
        }
        // Whatever is left is done without being killed.
        work.to_the_end(&store).await;
        work.ended(&store, directory.path()).await;
    }
    let time = begin.elapsed();
    println!(
        "{database}: {killed} processes killed over {databases} databases, {said} acknowledged, 0 lost, 0 mixed, in {time:.0?}"
    );
    Some(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t092_t093_killed_in_sqlite() {
    let scratch = tempfile::tempdir().unwrap();
    let open = async || {
        let path = scratch.path().join(format!("{}.db", lukko::random_id(&mut lukko::OsRng).unwrap()));
        Some((SqliteStore::open(&path).await.unwrap(), path.to_str().unwrap().to_owned()))
    };
    let said = rounds(open, ("SQLite", 60_000), 0x9201).await.unwrap();
    assert!(said > 0, "nothing was ever acknowledged: the processes were killed too early");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t092_t093_killed_in_postgresql() {
    let open = async || {
        let address = format!("postgres:///{}", crate::postgres::fresh("crash").await?);
        Some((PostgresStore::open(&address).await.unwrap(), address))
    };
    if let Some(said) = rounds(open, ("PostgreSQL", 200_000), 0x9202).await {
        assert!(said > 0, "nothing was ever acknowledged: the processes were killed too early");
    }
}

/// Two processes do each job at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t096_two_processes_share_one_job() {
    let scratch = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let directory = scratch.path().join(format!("{kind:?}"));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("vault.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let mut work = Work::new(kind, PATIENTS, &directory);
        work.prepare(&store).await;
        let mut processes = [(); 2].map(|()| spawn(kind, path.to_str().unwrap(), &directory));
        for process in &mut processes {
            let said: Vec<_> = BufReader::new(process.stderr.take().unwrap()).lines().collect();
            assert!(process.wait().unwrap().success(), "{kind:?}: {said:?}");
            work.check(&store, &acknowledged(said.into_iter())).await;
        }
        work.to_the_end(&store).await;
        work.ended(&store, &directory).await;
    }
}
