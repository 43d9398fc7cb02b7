//! What the store asks of a server of PostgreSQL before it keeps notes there, and that what it then acknowledges is there
//! after a crash of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clinic::{Clinic, first, patient, with_notes};
use crate::cluster::{Programs, Server};
use crate::postgres::{Session, sql};
use lukko_store::{Change, Error, PostgresStore, Store};

/// Refused, in words that hold all of these.
pub fn refused<T: std::fmt::Debug>(result: Result<T, Error>, words: &[&str]) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::Unavailable(_)) && words.iter().all(|word| text.contains(word)), "{text}");
}

/// Reads until the answer is `wanted`: connections that were cut, and attempts that were under way, say something else.
async fn settles(store: &PostgresStore, wanted: impl Fn(&Result<Vec<Vec<u8>>, Error>) -> bool) {
    let mut answers = Vec::new();
    for _ in 0..20 {
        let answer = store.members(Clinic::new(1).id()).await;
        if wanted(&answer) {
            return;
        }
        answers.push(answer);
    }
    panic!("{answers:?}");
}

/// A store that was open already is refused in these words, and says nothing else from then on.
async fn settles_refused(store: &PostgresStore, words: &[&str]) {
    settles(store, |answer| {
        answer.as_ref().is_err_and(|error| words.iter().all(|word| error.to_string().contains(word)))
    })
    .await;
    for _ in 0..3 {
        refused(store.members(Clinic::new(1).id()).await, words);
    }
}

/// What cannot be set for a session is asked, also of a connection that is made later.
#[tokio::test]
async fn t168_a_server_that_may_lose_what_it_acknowledged_is_refused() {
    let Some(programs) = Programs::find().await else { return };
    let server = Server::start(&programs, 6_010, "");
    let url = server.url("postgres");
    for setting in ["fsync", "full_page_writes"] {
        let store = PostgresStore::open(&url).await.unwrap();
        server.stop("fast");
        server.set(&format!("{setting} = off"));
        server.begin();
        refused(PostgresStore::open(&url).await, &[setting, "postgresql.conf"]);
        settles_refused(&store, &[setting, "postgresql.conf"]).await;
        server.stop("fast");
        server.set(&format!("{setting} = on"));
        server.begin();
        // The same store works again when the server does.
        settles(&store, Result::is_ok).await;
        store.close().await;
    }
}

/// Notes from four writers; the server stops at once, as it does when it crashes. Server, database and role say that a
/// commit need not wait, and that what waits is written every ten seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t092_t168_a_crash_of_the_server_loses_no_acknowledged_note() {
    let Some(programs) = Programs::find().await else { return };
    let server = Server::start(
        &programs,
        6_011,
        "synchronous_commit = off\nwal_writer_delay = 10s\nwal_writer_flush_after = 1GB",
    );
    let url = server.url("postgres");
    sql(&url, "ALTER DATABASE postgres SET synchronous_commit = off").await;
    sql(&url, "ALTER ROLE postgres SET synchronous_commit = off").await;
    let store = Arc::new(PostgresStore::open(&url).await.unwrap());
    let mut clinic = Clinic::new(0x92);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    let card = with_notes(&*store, &mut clinic, "p-1", 0).await.card_id;
    let (vault, stop, acknowledged) = (clinic.id(), Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, stop, acknowledged) = (Arc::clone(&store), Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for number in 0.. {
                    let name = format!("{writer}-{number:06}");
                    let note = [Change::Record(first("p-1", &name, card, &[7; 300]).into())];
                    if stop.load(Ordering::SeqCst) || store.apply(vault, &note).await.is_err() {
                        return;
                    }
                    acknowledged.lock().unwrap().push(name.into_bytes());
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.stop("immediate");
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    server.begin();
    let store = PostgresStore::open(&url).await.unwrap();
    let stored: Vec<Vec<u8>> = store
        .records(vault, patient("p-1"), None, 1_000_000)
        .await
        .unwrap()
        .into_iter()
        .map(|record| record.record)
        .collect();
    let acknowledged = acknowledged.lock().unwrap();
    let lost = acknowledged.iter().filter(|name| stored.binary_search(name).is_err()).count();
    println!("{} notes acknowledged before the server stopped: {lost} lost", acknowledged.len());
    assert!(acknowledged.len() > 20 && lost == 0, "{lost} of {} lost", acknowledged.len());
}

/// A server whose connections are all in use is asked again for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t100_a_server_without_a_free_connection_is_waited_for() {
    let Some(programs) = Programs::find().await else { return };
    let server = Server::start(&programs, 6_014, "max_connections = 5\nmax_wal_senders = 0");
    let url = server.url("postgres");
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(Session::to(&url).await);
    }
    let ends = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(others);
    };
    let (store, ()) = tokio::join!(PostgresStore::open(&url), ends);
    store.unwrap().close().await;
}

/// A standby answers with what it has got so far: a note that was just acknowledged may not be there.
#[tokio::test]
async fn t100_t168_a_standby_is_refused() {
    let Some(programs) = Programs::find().await else { return };
    let server = Server::start(&programs, 6_012, "");
    let url = server.url("postgres");
    let store = PostgresStore::open(&url).await.unwrap();
    server.stop("fast");
    std::fs::write(server.data().join("standby.signal"), "").unwrap();
    server.begin();
    refused(PostgresStore::open(&url).await, &["standby", "primary"]);
    settles_refused(&store, &["standby", "primary"]).await;
}

/// A copy of the database on another server takes its address, as after a restore or a careless failover: what was
/// acknowledged on the first one need not be there.
#[tokio::test]
async fn t100_t168_another_server_at_the_same_address_is_refused() {
    let Some(programs) = Programs::find().await else { return };
    let server = Server::start(&programs, 6_013, "");
    let url = server.url("postgres");
    let store = PostgresStore::open(&url).await.unwrap();
    server.stop("fast");
    let other = server.start_instead("");
    PostgresStore::open(&url).await.unwrap().close().await;
    settles_refused(&store, &["another server", "stop the service"]).await;
    other.stop("fast");
    server.begin();
    settles(&store, Result::is_ok).await;
}

/// Such a table is empty after a crash of the server, whatever was acknowledged.
#[tokio::test]
async fn t168_a_table_that_is_not_logged_is_refused() {
    for partitions in [0, 2] {
        let Some((store, database)) = crate::postgres::open("unlogged", partitions).await else { return };
        store.close().await;
        let url = format!("postgres:///{database}");
        for (table, _) in crate::sql::TABLES.into_iter().chain([("lukko_schema", "")]) {
            let part = if partitions > 0 && table != "lukko_schema" { format!("{table}_1") } else { table.to_owned() };
            sql(&url, &format!("ALTER TABLE {part} SET UNLOGGED")).await;
            refused(PostgresStore::open(&url).await, &["UNLOGGED", &part, "SET LOGGED"]);
            sql(&url, &format!("ALTER TABLE {part} SET LOGGED; CREATE UNLOGGED TABLE IF NOT EXISTS another (x INT)"))
                .await;
        }
        PostgresStore::open(&url).await.unwrap().close().await;
        crate::postgres::remove(&database).await;
    }
}
