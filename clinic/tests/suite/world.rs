//! A clinic in a fresh database, and a thief who writes to that.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lukko_clinic::{
    Attachments, Clinic, Clock, DEPOSIT, Founded, Key, Memory, Plan, Purpose, READER, Session, THERAPIST,
};
use lukko_store::{PostgresStore, SqliteStore, Store};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// The session over databases of both kinds, in one type: the tests are written once.
pub(crate) struct World<S> {
    pub(crate) store: S,
    pub(crate) founded: Founded<S>,
    pub(crate) clinic: Clinic<S>,
    pub(crate) memory: Memory,
    pub(crate) thief: Thief,
    pub(crate) directory: TempDir,
}

/// Somebody who reads and writes the database.
#[derive(Clone)]
pub(crate) enum Thief {
    Sqlite(String),
    Postgres(String),
}

impl Thief {
    pub(crate) async fn run(&self, statement: &str) {
        match self {
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(&format!("sqlite:{path}")).await.unwrap();
                sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// Bytes as they stand in a statement.
    pub(crate) fn literal(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Sqlite(_) => format!("x'{hex}'"),
            Self::Postgres(_) => format!("'\\x{hex}'::bytea"),
        }
    }

    /// Keeps a copy of a table as it is now.
    pub(crate) async fn copy(&self, table: &str) {
        self.run(&format!("CREATE TABLE old_{table} AS SELECT * FROM {table}")).await;
    }

    /// Puts the copy back.
    pub(crate) async fn put_back(&self, table: &str) {
        self.run(&format!("DELETE FROM {table}")).await;
        self.run(&format!("INSERT INTO {table} SELECT * FROM old_{table}")).await;
    }
}

impl<S: Store + Clone + 'static> World<S> {
    pub(crate) async fn found(store: S, thief: Thief, directory: TempDir) -> Self {
        let memory = Memory::in_memory();
        let plan = Plan::custodians(2, 3)
            .classical()
            .member("aalto", THERAPIST)
            .member("niemi", READER)
            .member("intake", DEPOSIT);
        let founded = Clinic::found(store.clone(), memory.clone(), plan).await.unwrap();
        let files = directory.path().join("files");
        std::fs::create_dir(&files).unwrap();
        // A test that revokes somebody does not wait for a second.
        let limits = lukko_clinic::Limits { members_for: Duration::ZERO, ..Default::default() };
        let clinic = founded.clinic.clone().with_files(Attachments::local(files).unwrap()).with_limits(limits);
        Self { store, founded, clinic, memory, thief, directory }
    }

    pub(crate) fn session(&self) -> Session<S> {
        self.clinic.session(Purpose::care("appointment"))
    }

    pub(crate) fn key(&self, name: &str) -> Key {
        self.founded.key(name).unwrap().clone()
    }

    /// The place for attachments.
    pub(crate) fn files(&self) -> Attachments {
        Attachments::local(self.directory.path().join("files")).unwrap()
    }

    /// Another member, who joins with an empty memory.
    pub(crate) async fn join(&self, name: &str) -> Clinic<S> {
        let invitation = self.clinic.invitation();
        let joined = Clinic::join(self.store.clone(), Memory::in_memory(), &self.key(name), &invitation).await.unwrap();
        let limits = lukko_clinic::Limits { members_for: Duration::ZERO, ..Default::default() };
        joined.clinic.with_limits(limits)
    }
}

pub(crate) async fn sqlite() -> World<SqliteStore> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("database")).unwrap();
    let path = directory.path().join("database/clinic.db");
    let store = SqliteStore::open(&path).await.unwrap();
    World::found(store, Thief::Sqlite(path.to_str().unwrap().to_owned()), directory).await
}

static NEXT: AtomicU32 = AtomicU32::new(0);

/// None if there is no server, unless `LUKKO_REQUIRE_POSTGRES` demands one.
pub(crate) async fn postgres() -> Option<World<PostgresStore>> {
    if std::env::var_os("PGHOST").is_none() {
        let required = std::env::var_os("LUKKO_REQUIRE_POSTGRES").is_some();
        assert!(!required, "LUKKO_REQUIRE_POSTGRES is set, and PGHOST names no server");
        println!("SKIPPED: PGHOST names no PostgreSQL server; run under pg_virtualenv -o fsync=on");
        return None;
    }
    let database = format!("lukko_clinic_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let mut server = PgConnection::connect("postgres:///postgres").await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut server).await.unwrap();
    let url = format!("postgres:///{database}");
    let store = PostgresStore::open(&url).await.unwrap();
    Some(World::found(store, Thief::Postgres(url), tempfile::tempdir().unwrap()).await)
}

/// Runs a test on SQLite, and on PostgreSQL if there is a server.
macro_rules! on_both {
    ($($name:ident)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name($crate::world::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(world) = $crate::world::postgres().await {
                    super::$name(world).await;
                }
            }
        }
    )*};
}
pub(crate) use on_both;

/// A clock that a test moves.
#[derive(Debug, Default)]
pub(crate) struct TestClock(Mutex<(Duration, Duration)>);

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let clock = Self::default();
        clock.0.lock().unwrap().1 = Duration::from_secs(1_800_000_000);
        Arc::new(clock)
    }

    pub(crate) fn pass(&self, elapsed: Duration, unix: Duration) {
        let mut now = self.0.lock().unwrap();
        now.0 += elapsed;
        now.1 += unix;
    }
}

impl Clock for TestClock {
    fn elapsed(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    fn unix(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}
