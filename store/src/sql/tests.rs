//! The steps of the schema: faults and killed processes at each statement of each of them, on both databases.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod server;
mod session;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use super::postgres::Postgres;
use super::schema::{self, Dialect, Layout, STEPS};
use super::sqlite::Sqlite;
use crate::error::{Error, Result};

/// Steps that a later version may have: several statements, one on rows that are there, one that makes a table anew.
const LATER: [&str; 2] = [
    "-- Later.\nALTER TABLE member ADD COLUMN since BIGINT NOT NULL DEFAULT 0;\n\nUPDATE member SET since = 7;\n",
    "CREATE TABLE later (vault BLOB NOT NULL, PRIMARY KEY (vault));
     INSERT INTO later (vault) SELECT DISTINCT vault FROM member;
     CREATE INDEX later_index ON later (vault);",
];

fn all_steps() -> Vec<&'static str> {
    STEPS.iter().chain(&LATER).copied().collect()
}

/// The statements of a step as SQLite gets them, which is one for each of the text.
fn statements(step: &str) -> Vec<String> {
    let dialect = Dialect { blob: "BLOB", exists: "", layout: Layout::Whole, first: None };
    schema::statements(0, &[step], dialect).unwrap().unwrap()
}

/// The steps with another statement before statement `at` of the step `step`, or behind the last.
fn broken(steps: &[&str], step: usize, at: usize, statement: &str) -> Vec<String> {
    let mut steps: Vec<String> = steps.iter().map(|&step| step.to_owned()).collect();
    let mut text = statements(&steps[step]);
    text.insert(at, statement.to_owned());
    steps[step] = text.join(";\n");
    steps
}

#[derive(Debug, Clone)]
enum Database {
    Sqlite(PathBuf),
    Postgres(String, u32),
}

impl Database {
    /// What the library does when it opens a database.
    async fn migrate(&self, steps: &[&str]) -> Result<()> {
        match self {
            Self::Sqlite(path) => {
                let database = Sqlite::connect(path).await?;
                let result = database.migrate(steps).await;
                database.pool.close().await;
                result
            }
            Self::Postgres(url, partitions) => {
                let database = Postgres::connect(url).await?;
                let result = database.migrate(steps, *partitions).await;
                database.pool.close().await;
                result
            }
        }
    }

    async fn migrate_owned(&self, steps: &[String]) -> Result<()> {
        self.migrate(&steps.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Runs a statement, or gives the text that it selects.
    async fn text(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(path) => {
                let database = Sqlite::connect(path).await.unwrap();
                let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_optional(&database.pool).await.unwrap();
                database.pool.close().await;
                row.map(|row| row.get::<Option<String>, _>(0)).unwrap_or_default().unwrap_or_default()
            }
            Self::Postgres(url, _) => {
                let rows = server::session(url).await.texts(sql).await.unwrap();
                rows.into_iter().flatten().next().unwrap_or_default()
            }
        }
    }

    /// Everything of the schema, and its version.
    async fn picture(&self) -> String {
        let schema = match self {
            Self::Sqlite(_) => "SELECT group_concat(name || coalesce(sql, ''), '; ') FROM sqlite_master",
            Self::Postgres(..) => {
                "SELECT (SELECT string_agg(concat(table_name, '.', column_name, ' ', data_type), '; '
                                ORDER BY table_name, ordinal_position)
                         FROM information_schema.columns WHERE table_schema = 'public')
                     || (SELECT string_agg(indexdef, '; ' ORDER BY indexname) FROM pg_indexes
                         WHERE schemaname = 'public')"
            }
        };
        let schema = self.text(schema).await;
        let row = "SELECT CAST(version AS TEXT) FROM lukko_schema";
        let version = if schema.is_empty() { String::new() } else { self.text(row).await };
        format!("version {version}: {schema}")
    }

    /// A member in a database of the first version: what there is must be kept.
    async fn fill(&self) {
        let zero = if matches!(self, Self::Sqlite(_)) { "x'00'" } else { "'\\x00'" };
        self.text(&format!("INSERT INTO member (vault, member, entry) VALUES ({zero}, {zero}, {zero})")).await;
    }

    async fn members(&self) -> String {
        self.text("SELECT CAST(count(*) AS TEXT) FROM member").await
    }
}

/// Makes empty databases.
enum Server {
    Sqlite(tempfile::TempDir, u32),
    Postgres(u32),
}

impl Server {
    fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap(), 0)
    }

    async fn empty(&mut self) -> Option<Database> {
        match self {
            Self::Sqlite(directory, number) => {
                *number += 1;
                Some(Database::Sqlite(directory.path().join(format!("{number}.db"))))
            }
            Self::Postgres(partitions) => {
                Some(Database::Postgres(format!("postgres:///{}", server::fresh("steps").await?), *partitions))
            }
        }
    }

    /// Databases of the versions 0, 1, ... up to the newest one, each with what the older ones had.
    async fn pictures(&mut self, steps: &[&str]) -> Option<Vec<String>> {
        let database = self.empty().await?;
        let mut pictures = vec![database.picture().await];
        for newest in 1..=steps.len() {
            database.migrate(&steps[..newest]).await.unwrap();
            pictures.push(database.picture().await);
        }
        Some(pictures)
    }
}

/// A database of `version`, with a row.
async fn of_version(server: &mut Server, steps: &[&str], version: usize) -> Database {
    let database = server.empty().await.unwrap();
    if version > 0 {
        database.migrate(&steps[..1]).await.unwrap();
        database.fill().await;
        database.migrate(&steps[..version]).await.unwrap();
    }
    database
}

async fn completes(database: &Database, steps: &[&str], newest: &str, filled: bool) {
    database.migrate(steps).await.unwrap();
    assert_eq!(database.picture().await, newest);
    assert_eq!(database.members().await, if filled { "1" } else { "0" });
    // And again: nothing to do.
    database.migrate(steps).await.unwrap();
    assert_eq!(database.picture().await, newest);
}

async fn older_versions_are_brought_up(mut server: Server) {
    let steps = all_steps();
    let Some(pictures) = server.pictures(&steps).await else { return };
    assert!(pictures.windows(2).all(|pair| pair[0] != pair[1]), "{pictures:?}");
    for version in 0..=steps.len() {
        let database = of_version(&mut server, &steps, version).await;
        assert_eq!(database.picture().await, pictures[version]);
        completes(&database, &steps, &pictures[steps.len()], version > 0).await;
    }
}

async fn a_fault_at_each_statement(mut server: Server) {
    let steps = all_steps();
    let Some(pictures) = server.pictures(&steps).await else { return };
    let mut faults = 0;
    for (step, text) in steps.iter().enumerate() {
        for at in 0..=statements(text).len() {
            let database = of_version(&mut server, &steps, step).await;
            let broken = broken(&steps, step, at, "UPDATE there_is_no_such_table SET x = 1");
            let result = database.migrate_owned(&broken).await;
            assert!(matches!(result, Err(Error::Unavailable(_))), "{result:?}");
            assert_eq!(database.picture().await, pictures[step], "step {step} is half made: statement {at}");
            completes(&database, &steps, &pictures[steps.len()], step > 0).await;
            faults += 1;
        }
    }
    println!("{faults} faults: 0 schemas half made");
}

/// What is refused is left as it was.
async fn newer_versions_are_refused(mut server: Server) {
    let steps = all_steps();
    let Some(database) = server.empty().await else { return };
    database.migrate(&steps).await.unwrap();
    for version in [steps.len() as i64 + 1, 99, i64::MAX, -1] {
        database.text(&format!("UPDATE lukko_schema SET version = {version}")).await;
        let before = database.picture().await;
        let result = database.migrate(&steps).await;
        let known = steps.len() as i64;
        assert!(
            matches!(result, Err(Error::Schema { found, known: k }) if found == version && k == known),
            "{result:?}"
        );
        assert_eq!(database.picture().await, before);
    }
    database.text("DELETE FROM lukko_schema").await;
    let result = database.migrate(&steps).await;
    assert!(matches!(result, Err(Error::Corrupt { table: "lukko_schema", .. })), "{result:?}");
}

const DATABASE: &str = "LUKKO_STEPS_DATABASE";

/// The process that is killed: it hangs at one statement. Does nothing where no database is named.
#[tokio::test]
async fn child() {
    let Ok(database) = std::env::var(DATABASE) else { return };
    let words: Vec<&str> = database.split(' ').collect();
    let (step, at) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let (database, hang) = if words[0].starts_with("postgres:") {
        // Not longer: the server learns only at the end of a statement that its client is gone.
        (Database::Postgres(words[0].to_owned(), 0), "SELECT pg_sleep(0.7)")
    } else {
        let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT count(*) FROM c";
        (Database::Sqlite(words[0].into()), endless)
    };
    let _ = database.migrate_owned(&broken(&all_steps(), step, at, hang)).await;
}

/// Lets a process come to that statement, and kills it.
async fn kill_at(database: &Database, step: usize, at: usize) {
    let address = match database {
        Database::Sqlite(path) => path.to_str().unwrap(),
        Database::Postgres(url, _) => url,
    };
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "sql::tests::child"]).env(DATABASE, format!("{address} {step} {at}"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    loop {
        assert_eq!(child.try_wait().unwrap(), None, "the process did not hang in step {step} at {at}");
        tokio::time::sleep(Duration::from_millis(10)).await;
        let hangs = match database {
            // It holds the lock to write; a moment later it hangs.
            Database::Sqlite(path) => path.exists() && locked(path).await,
            Database::Postgres(..) => {
                let sql = "SELECT CAST(count(*) AS TEXT) FROM pg_stat_activity
                           WHERE datname = current_database() AND wait_event = 'PgSleep'";
                database.text(sql).await == "1"
            }
        };
        if hangs {
            break;
        }
    }
    if matches!(database, Database::Sqlite(_)) {
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn locked(path: &std::path::Path) -> bool {
    use sqlx::ConnectOptions as _;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).busy_timeout(Duration::ZERO);
    let Ok(mut connection) = options.connect().await else { return true };
    let locked = connection.begin_with("BEGIN IMMEDIATE").await.is_err();
    connection.close().await.unwrap();
    locked
}

async fn killed_at_each_statement(mut server: Server, each: usize) {
    let steps = all_steps();
    let Some(pictures) = server.pictures(&steps).await else { return };
    let mut killed = 0;
    for (step, text) in steps.iter().enumerate() {
        for at in (0..=statements(text).len()).step_by(if step == 0 { each } else { 1 }) {
            let database = of_version(&mut server, &steps, step).await;
            kill_at(&database, step, at).await;
            assert_eq!(database.picture().await, pictures[step], "step {step} is half made: statement {at}");
            completes(&database, &steps, &pictures[steps.len()], step > 0).await;
            killed += 1;
        }
    }
    println!("{killed} processes killed: 0 schemas half made");
}

macro_rules! on_each_database {
    ($($name:ident, $case:expr;)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { $case(super::Server::sqlite()).await; })*
        }
        mod postgresql {
            $(#[tokio::test] async fn $name() { $case(super::Server::Postgres(0)).await; })*
        }
    };
}

on_each_database! {
    t102_older_versions_are_brought_up, super::older_versions_are_brought_up;
    t102_a_fault_at_each_statement, super::a_fault_at_each_statement;
    t102_newer_versions_are_refused, super::newer_versions_are_refused;
}

#[tokio::test]
async fn t102_older_versions_are_brought_up_in_partitions() {
    older_versions_are_brought_up(Server::Postgres(2)).await;
}

#[tokio::test]
async fn t102_killed_at_each_statement_in_sqlite() {
    killed_at_each_statement(Server::sqlite(), 1).await;
}

#[tokio::test]
async fn t102_killed_at_statements_in_postgresql() {
    killed_at_each_statement(Server::Postgres(0), 4).await;
}

/// Whatever another program has set in the file, each of our connections works as `SqliteStore` says.
#[tokio::test]
async fn t101_each_connection_has_the_pragmas() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("vault.db");
    let database = Database::Sqlite(path.clone());
    database.migrate(STEPS).await.unwrap();
    {
        let mut other = sqlx::SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
        let unsafe_ = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF";
        sqlx::raw_sql(unsafe_).execute(&mut other).await.unwrap();
        other.close().await.unwrap();
    }
    let database = Sqlite::connect(&path).await.unwrap();
    let mut connections = Vec::new();
    for _ in 0..database.pool.options().get_max_connections() {
        let mut connection = database.pool.acquire().await.unwrap();
        let row = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(row.get::<String, _>(0), "wal");
        for (pragma, wanted) in [("secure_delete", 1), ("synchronous", 2), ("temp_store", 2), ("busy_timeout", 10_000)]
        {
            let query = sqlx::query(AssertSqlSafe(format!("PRAGMA {pragma}")));
            assert_eq!(query.fetch_one(&mut *connection).await.unwrap().get::<i64, _>(0), wanted, "{pragma}");
        }
        connections.push(connection);
    }
    assert_eq!(connections.len(), 8);
    // A database in memory has no log, and each connection would have one of its own.
    let refused = Sqlite::connect(std::path::Path::new(":memory:")).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("write-ahead log")));
}
