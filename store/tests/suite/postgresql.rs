//! What only PostgreSQL can show: what erasure leaves in its files, and connections that are cut.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clinic::{Clinic, first, patient, with_notes};
use crate::postgres::{self as server, Session};
use crate::sql::hex;
use lukko_store::error::Conflict;
use lukko_store::placed::RecordRow;
use lukko_store::{Change, Error, Expect, Scrub, Store};

async fn sql(database: &str, statement: &str) {
    server::sql(&format!("postgres:///{database}"), statement).await;
}

/// Where the server keeps its files; none if this process cannot read them.
async fn directory(database: &str) -> Option<PathBuf> {
    let session = Session::to(&format!("postgres:///{database}")).await;
    let directory = PathBuf::from(session.text("SHOW data_directory").await);
    std::fs::read_dir(directory.join("base")).is_ok().then_some(directory)
}

/// How many of the needles are in any file below the directory.
fn found(directory: &Path, needles: &[Vec<u8>]) -> usize {
    let mut met = vec![false; needles.len()];
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        // Other tests of this program drop databases meanwhile, and their folders go.
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.map(Result::unwrap) {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                directories.push(entry.path());
                continue;
            }
            let file = std::fs::read(entry.path()).unwrap_or_default();
            for (needle, met) in needles.iter().zip(&mut met) {
                *met = *met || memchr::memmem::find(&file, needle).is_some();
            }
        }
    }
    met.into_iter().filter(|met| *met).count()
}

/// What `docs/SCALING.md` says: pages are clean after a `VACUUM FULL`, and the write-ahead log still has the grants.
#[tokio::test]
async fn t104_after_an_erasure_the_log_still_holds_wrapped_keys() {
    let Some((store, database)) = server::open("erasure", 0).await else { return };
    let Some(directory) = directory(&database).await else {
        println!("SKIPPED: the server's files cannot be read by this user");
        return;
    };
    // Other tests make checkpoints meanwhile; with this the server keeps its log all the same.
    sql(&database, "SELECT pg_create_physical_replication_slot('lukko_t104', true)").await;
    let mut clinic = Clinic::new(0x104);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let gone = with_notes(&store, &mut clinic, "p-1", 0).await;
    let stored = store.patient(clinic.id(), patient("p-1")).await.unwrap();
    let needles: Vec<Vec<u8>> =
        stored.all_grants().into_iter().map(|grant| grant[grant.len() - 24..].to_vec()).collect();
    let cards = [gone.card_id];
    let closing = clinic.erasing(&cards);
    store.apply(clinic.id(), &[closing.publish(), Change::Erase(closing.erase("p-1", &cards))]).await.unwrap();
    // The tables are all that PostgreSQL cleans, and the store says so.
    assert_eq!(store.scrub(clinic.id()).await.unwrap(), Scrub::Tables);
    sql(&database, "CHECKPOINT").await;
    let all = needles.len();
    println!("of {all} grants, in pages after VACUUM: {}", found(&directory.join("base"), &needles));
    sql(&database, "VACUUM FULL").await;
    sql(&database, "CHECKPOINT").await;
    let (pages, log) = (found(&directory.join("base"), &needles), found(&directory.join("pg_wal"), &needles));
    println!("of {all} grants, in pages after VACUUM FULL: {pages}, in the write-ahead log: {log}");
    sql(&database, "SELECT pg_drop_replication_slot('lukko_t104')").await;
    assert_eq!((pages, log), (0, all), "the documentation says otherwise");
}

/// Another writer holds the patient and gives it another card: what was to be written under the old one has waited, and
/// is refused. A new record, many of them, and another revision.
#[tokio::test]
async fn t095_a_record_waits_for_the_patients_card() {
    let Some((store, database)) = server::open("waits", 0).await else { return };
    let mut clinic = Clinic::new(0x95);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 1).await.card_id;
    let new = |name| first("p-1", name, card, &[1; 100]);
    let revision = RecordRow { revision: 2, expect: Expect::Revision(1), ..new("r-0000") };
    let ways = [
        vec![Change::Record(new("a").into())],
        vec![Change::Record(new("b").into()), Change::Record(new("c").into())],
        vec![Change::Record(revision.into())],
    ];
    for (number, changes) in ways.iter().enumerate() {
        let other = Session::to(&format!("postgres:///{database}")).await;
        other.run("BEGIN; UPDATE patient SET card = sha256(card)").await;
        let mut write = std::pin::pin!(store.apply(clinic.id(), changes));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut write).await;
        assert!(early.is_err(), "way {number} did not wait: {early:?}");
        other.run("COMMIT").await;
        let late = write.await;
        assert!(matches!(late, Err(Error::Conflict(Conflict::Card))), "way {number}: {late:?}");
        other.run(&format!("UPDATE patient SET card = '\\x{}'", hex(card.as_bytes()))).await;
    }
    let records = store.records(clinic.id(), patient("p-1"), None, 100).await.unwrap();
    assert_eq!(records.iter().map(|record| record.revision).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn t100_a_cut_connection_loses_nothing() {
    let Some((store, database)) = server::open("cut", 0).await else { return };
    let mut clinic = Clinic::new(0x100);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&store, &mut clinic, "p-1", 0).await.card_id;
    let mut cut = 0;
    for number in 0..20 {
        let cutting = sql(
            &database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        let name = format!("r-{number}");
        let change = [Change::Record(first("p-1", &name, card, &[1; 100]).into())];
        let write = async {
            let mut tries = 0;
            while let Err(error) = store.apply(clinic.id(), &change).await {
                assert!(matches!(error, Error::Unavailable(_)) && tries < 20, "{error:?}");
                tries += 1;
            }
            tries
        };
        let ((), tries) = tokio::join!(cutting, write);
        cut += tries;
    }
    // The connection that was cut last may be the one that reads: it says so, and the next one answers.
    let mut read = store.records(clinic.id(), patient("p-1"), None, 100).await;
    for _ in 0..20 {
        if !matches!(read, Err(Error::Unavailable(_))) {
            break;
        }
        read = store.records(clinic.id(), patient("p-1"), None, 100).await;
    }
    assert_eq!(read.unwrap().len(), 20);
    println!("{cut} changes were given again");
}

/// Callers give up at every moment of a read or of a change, as a service does when its client hangs up. No connection is
/// left in a transaction, where what the next caller writes would be acknowledged and never be committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t100_a_caller_who_gives_up_leaves_no_open_transaction() {
    let Some((store, database)) = server::open("given_up", 0).await else { return };
    let written = crate::given_up::beside_those_who_give_up(&store).await;
    let other = Session::to(&format!("postgres:///{database}")).await;
    let seen = other.rows("SELECT encode(record, 'hex') FROM record").await.concat();
    assert!(written.iter().all(|name| seen.contains(&hex(name))), "{} of {} are there", seen.len() - 1, written.len());
    let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'";
    let mut left = i64::MAX;
    // What was given up last is being rolled back.
    for _ in 0..100 {
        left = other.number(open).await;
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(left, 0, "connections are left in a transaction");
}
