//! A database of its own for each test, on the server that the environment names (`pg_virtualenv` makes one).

use std::sync::atomic::{AtomicU32, Ordering};

use lukko_store::PostgresStore;
use tokio_postgres::{Client, Config, Error, NoTls, SimpleQueryMessage};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A session beside the store's own. Values are texts.
pub struct Session(pub Client);

impl Session {
    /// What a URL leaves out is in the environment.
    pub async fn try_to(url: &str) -> Result<Self, Error> {
        let mut config: Config = url.parse().unwrap();
        let variable = |name| std::env::var(name).unwrap_or_default();
        if config.get_hosts().is_empty() {
            config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap_or(5432));
        }
        if config.get_user().is_none() {
            config.user(variable("PGUSER")).password(variable("PGPASSWORD"));
        }
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(Self(client))
    }

    pub async fn to(url: &str) -> Self {
        Self::try_to(url).await.unwrap()
    }

    pub async fn try_run(&self, statement: &str) -> Result<(), Error> {
        self.0.batch_execute(statement).await
    }

    pub async fn run(&self, statement: &str) {
        self.try_run(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }

    pub async fn rows(&self, statement: &str) -> Vec<Vec<String>> {
        let messages = self.0.simple_query(statement).await;
        let messages = messages.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect()).collect()
    }

    /// The first value of the first row; empty if there is none.
    pub async fn text(&self, statement: &str) -> String {
        self.rows(statement).await.into_iter().flatten().next().unwrap_or_default()
    }

    pub async fn number(&self, statement: &str) -> i64 {
        self.text(statement).await.parse().unwrap()
    }
}

/// Runs statements in a session of their own.
pub async fn sql(url: &str, statement: &str) {
    Session::to(url).await.run(statement).await;
}

/// None if there is no server, unless `LUKKO_REQUIRE_POSTGRES` demands one.
pub async fn open(name: &str, partitions: u32) -> Option<(PostgresStore, String)> {
    let database = fresh(name).await?;
    let store = PostgresStore::open_partitioned(&format!("postgres:///{database}"), partitions).await;
    Some((store.unwrap(), database))
}

/// A server's disk is not endless: databases that were used by a loop go.
pub async fn remove(database: &str) {
    whole_server(&Session::to("postgres:///postgres").await, &format!("DROP DATABASE {database} WITH (FORCE)")).await;
}

/// Runs a statement that waits for a checkpoint of the whole server. While the test of the full disk is at work, a checkpoint
/// can fail, because the pages of that test's database have no room.
async fn whole_server(session: &Session, statement: &str) {
    for _ in 0..600 {
        match session.try_run(statement).await {
            Err(error) if format!("{error:?}").contains("checkpoint") => {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            done => return done.unwrap_or_else(|error| panic!("{statement}: {error:?}")),
        }
    }
    panic!("{statement}: no checkpoint for a minute");
}

/// Whether there is a server.
pub fn is_there() -> bool {
    if std::env::var_os("PGHOST").is_some() {
        return true;
    }
    let required = std::env::var_os("LUKKO_REQUIRE_POSTGRES").is_some();
    assert!(!required, "LUKKO_REQUIRE_POSTGRES is set, and PGHOST names no server");
    println!("SKIPPED: PGHOST names no PostgreSQL server; run under pg_virtualenv");
    false
}

/// Makes an empty database and gives its name.
pub async fn fresh(name: &str) -> Option<String> {
    if !is_there() {
        return None;
    }
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let database = format!("lukko_{name}_{}_{number}", std::process::id());
    let server = Session::to("postgres:///postgres").await;
    // pg_virtualenv makes servers with fsync off, which the store refuses.
    while server.text("SELECT current_setting('fsync')").await == "off" {
        for statement in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.02)"] {
            server.run(statement).await;
        }
    }
    whole_server(&server, &format!("CREATE DATABASE {database}")).await;
    Some(database)
}
