//! Import, reading, rotation and growth, measured beside what the same driver does with the same bytes and no rules.
//!
//! `scale import|read|rotate|grow|all --database sqlite|postgres|both`, and `--help` for the sizes. Prints the tables of
//! `docs/BENCHMARKS.md`. PostgreSQL is the server that `PGHOST` names; every database it makes there it drops again.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

#[path = "../../tests/suite/clinic.rs"]
mod clinic;
mod grow;
mod import;
mod raw;
mod read;
mod report;
mod rotate;
#[path = "../../tests/suite/postgres.rs"]
mod server;
mod world;

use std::path::PathBuf;

use lukko_store::{PostgresStore, SqliteStore};
use raw::Raw;

const HELP: &str = "scale import|read|rotate|grow|all [OPTION VALUE]...
  --database sqlite|postgres|both   (both)
  --records N      of import and read (35000), and the last step of growth (1000000; on PostgreSQL too)
  --patients N     of the rotation (100000)
  --batch N        records in a change (128)
  --rounds N       ours and raw, in turn (7)
  --workers N      of the rotation (1 and 2)
  --seed N         of the clinic (1)
  --directory DIR  where SQLite's files are made (the system's directory for temporary files)";

/// What is measured, and how much of it.
#[derive(Debug, Clone)]
pub struct Sizes {
    pub records: Option<usize>,
    pub patients: usize,
    pub batch: usize,
    pub rounds: usize,
    pub workers: Option<usize>,
    pub seed: u64,
    pub directory: PathBuf,
}

fn arguments() -> Option<(String, String, Sizes)> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().filter(|what| ["import", "read", "rotate", "grow", "all"].contains(&what.as_str()))?;
    let mut sizes = Sizes {
        records: None,
        patients: 100_000,
        batch: 128,
        rounds: 7,
        workers: None,
        seed: 1,
        directory: std::env::temp_dir(),
    };
    let mut database = "both".to_owned();
    while let Some(name) = arguments.next() {
        let value = arguments.next()?;
        let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
        match name.as_str() {
            "--database" => database = value,
            "--records" => sizes.records = Some(number()?),
            "--patients" => sizes.patients = number()?,
            "--batch" => sizes.batch = number()?,
            "--rounds" => sizes.rounds = number()?,
            "--workers" => sizes.workers = Some(number()?),
            "--seed" => sizes.seed = value.parse().ok()?,
            "--directory" => sizes.directory = value.into(),
            _ => return None,
        }
    }
    ["sqlite", "postgres", "both"].contains(&database.as_str()).then_some((what, database, sizes))
}

/// One workload on one kind of database: `$new` gives a store, the raw access to it, and what keeps it.
macro_rules! measure {
    ($what:expr, $name:literal, $sizes:expr, $new:expr) => {
        match $what {
            "import" => import::run($name, $sizes, $new("ours").await, $new("raw").await).await,
            "read" => read::run($name, $sizes, $new("read").await).await,
            "rotate" => {
                for workers in $sizes.workers.map_or(vec![1, 2], |workers| vec![workers]) {
                    rotate::run($name, $sizes, workers, $new("rotate").await).await;
                }
            }
            _ => grow::run($name, $sizes, $new("grow").await).await,
        }
    };
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let Some((what, database, sizes)) = arguments() else {
        eprintln!("{HELP}");
        std::process::exit(2);
    };
    let sizes = &sizes;
    for one in ["import", "read", "rotate", "grow"] {
        if what != one && what != "all" {
            continue;
        }
        report::heading(one, sizes);
        if database != "postgres" {
            let scratch = tempfile::tempdir_in(&sizes.directory).unwrap();
            let new = async |name: &str| {
                let path = scratch.path().join(format!("{name}-{}.db", world::unique()));
                (SqliteStore::open(&path).await.unwrap(), Raw::sqlite(&path).await)
            };
            measure!(one, "SQLite", sizes, new);
        }
        if database != "sqlite" {
            let made = std::sync::Mutex::new(Vec::new());
            let new = async |name: &str| {
                let name = server::fresh(name).await.unwrap_or_else(|| std::process::exit(2));
                made.lock().unwrap().push(name.clone());
                // Neither of the two is encrypted.
                let url = format!("postgres:///{name}?sslmode=disable");
                (PostgresStore::open(&url).await.unwrap(), Raw::postgres(server::Session::to(&url).await.0).await)
            };
            measure!(one, "PostgreSQL", sizes, new);
            let made = made.into_inner().unwrap();
            for name in made {
                server::remove(&name).await;
            }
        }
        report::end();
    }
}
