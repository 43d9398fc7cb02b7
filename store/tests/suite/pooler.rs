//! PgBouncer between the store and the server. Debian 12 has version 1.18, which cannot follow named statements; 1.21 and
//! newer can (`max_prepared_statements`), and are refused in the same modes, because a session's settings are lost there.
//!
//! `LUKKO_POOLER_NOTES` says how many notes two processes write through it in session mode, 400 unless told.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::clinic::{Clinic, first, patient, with_notes};
use crate::cluster::{Programs, socket_url};
use crate::postgres::Session;
use crate::session::refused;
use lukko_store::{Change, PostgresStore, Store};

const DATABASE: &str = "LUKKO_POOLER_DATABASE";
const SEED: u64 = 0x9708;
/// The name of its socket.
const PORT: u16 = 6_020;

/// A pooler in front of the server that the environment names.
struct Pooler {
    directory: tempfile::TempDir,
    child: Child,
}

impl Pooler {
    /// None if there is no PgBouncer, unless `LUKKO_REQUIRE_POSTGRES` demands one.
    async fn start(programs: &Programs, database: &str, settings: &str) -> Option<Self> {
        let binary =
            ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].into_iter().find(|path| std::fs::exists(path).unwrap());
        let Some(binary) = binary else {
            assert!(std::env::var_os("LUKKO_REQUIRE_POSTGRES").is_none(), "there is no pgbouncer");
            println!("SKIPPED: there is no pgbouncer");
            return None;
        };
        let server = Session::to(&format!("postgres:///{database}")).await;
        let row = server.rows("SELECT current_user, current_setting('port')").await.remove(0);
        let (user, port) = (&row[0], &row[1]);
        let host = std::env::var("PGHOST").unwrap();
        let password = std::env::var("PGPASSWORD").map(|password| format!("password={password}")).unwrap_or_default();
        let directory = programs.directory();
        let path = directory.path().to_str().unwrap();
        std::fs::write(directory.path().join("users.txt"), "\"postgres\" \"\"\n").unwrap();
        let text = format!(
            "[databases]\n* = host={host} port={port} user={user} {password}\n[pgbouncer]\nlisten_port={PORT}\n\
             unix_socket_dir={path}\nauth_type=trust\nauth_file={path}/users.txt\nlogfile={path}/log\n\
             max_client_conn=200\n{settings}\n"
        );
        std::fs::write(directory.path().join("pgbouncer.ini"), text).unwrap();
        let mut command = programs.command(binary);
        command.arg("-q").arg(directory.path().join("pgbouncer.ini")).stdout(Stdio::null()).stderr(Stdio::null());
        let pooler = Self { child: command.spawn().unwrap(), directory };
        let begin = Instant::now();
        while Session::try_to(&pooler.url(database)).await.is_err() {
            let log = std::fs::read_to_string(pooler.directory.path().join("log")).unwrap_or_default();
            assert!(begin.elapsed() < Duration::from_secs(10), "{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(pooler)
    }

    fn url(&self, database: &str) -> String {
        socket_url(self.directory.path(), PORT, database)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whichever server comes next, and however many there are: the store does not open.
#[tokio::test]
async fn t100_t168_a_pooler_that_is_not_in_session_mode_is_refused() {
    let Some(programs) = Programs::find().await else { return };
    let mut modes = 0;
    for mode in ["transaction", "statement"] {
        for servers in ["default_pool_size=1", "default_pool_size=4", "default_pool_size=4\nserver_round_robin=1"] {
            // Where the session is emptied after each transaction, nothing of another one is found in it.
            for reset in ["", "server_reset_query_always=1"] {
                let Some(database) = crate::postgres::fresh("pooled").await else { return };
                PostgresStore::open(&format!("postgres:///{database}")).await.unwrap().close().await;
                let settings = format!("pool_mode={mode}\n{servers}\n{reset}");
                let Some(pooler) = Pooler::start(&programs, &database, &settings).await else { return };
                for _ in 0..3 {
                    refused(PostgresStore::open(&pooler.url(&database)).await, &["pooler", "session mode"]);
                }
                drop(pooler);
                crate::postgres::remove(&database).await;
                modes += 1;
            }
        }
    }
    println!("{modes} poolers, each tried three times: 0 were taken for a server");
}

/// What each of the processes runs. Does nothing where no database is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let store = std::sync::Arc::new(PostgresStore::open(&url).await.unwrap());
    let vault = Clinic::new(SEED).id();
    let card = store.patient(vault, patient("p-1")).await.unwrap().current.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = std::sync::Arc::clone(&store);
            tokio::spawn(async move {
                for number in 0..notes() / 8 {
                    let name = format!("{}-{writer}-{number}", std::process::id());
                    let text = format!("written as {name}");
                    let change = [Change::Record(first("p-1", &name, card, text.as_bytes()).into())];
                    store.apply(vault, &change).await.unwrap();
                    let (record, field) = (crate::clinic::record(&name), crate::clinic::field());
                    let read = store.record(vault, patient("p-1"), record, field).await.unwrap().unwrap();
                    assert!(matches!(read.body, lukko_store::StoredBody::Sealed(bytes) if bytes == text.as_bytes()));
                    // One of two goes again.
                    if number % 2 == 1 {
                        let delete = Change::Delete { patient: patient("p-1"), record, field, revision: 1 };
                        store.apply(vault, &[delete]).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

fn notes() -> usize {
    std::env::var("LUKKO_POOLER_NOTES").map_or(400, |notes| notes.parse().unwrap())
}

#[tokio::test]
async fn t100_t168_two_processes_lose_nothing_behind_a_pooler_in_session_mode() {
    let Some(programs) = Programs::find().await else { return };
    let Some((store, database)) = crate::postgres::open("sessions", 0).await else { return };
    let mut clinic = Clinic::new(SEED);
    store.apply(clinic.id(), &clinic.founding()).await.unwrap();
    with_notes(&store, &mut clinic, "p-1", 0).await;
    let Some(pooler) = Pooler::start(&programs, &database, "pool_mode=session\ndefault_pool_size=40").await else {
        return;
    };
    let children: Vec<Child> = (0..2)
        .map(|_| {
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "pooler::child", "--nocapture"]).env(DATABASE, pooler.url(&database));
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Of each writer's notes those with an even number are there.
    let each = notes() / 8;
    let records = store.records(clinic.id(), patient("p-1"), None, 1_000_000).await.unwrap();
    println!(
        "{} notes acknowledged by two processes behind a pooler in session mode, {} kept",
        each * 8,
        records.len()
    );
    assert_eq!(records.len(), each.div_ceil(2) * 8);
}
