//! A database of its own for each test, on the server that the environment names (`pg_virtualenv` makes one).

use std::sync::atomic::{AtomicU32, Ordering};

use lukko_store::PostgresStore;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// None if there is no server, unless `LUKKO_REQUIRE_POSTGRES` demands one.
pub async fn open(name: &str, partitions: u32) -> Option<(PostgresStore, String)> {
    let database = fresh(name).await?;
    let store = PostgresStore::open_partitioned(&format!("postgres:///{database}"), partitions).await;
    Some((store.unwrap(), database))
}

/// A server's disk is not endless: databases that were used by a loop go.
pub async fn remove(database: &str) {
    let mut server = PgConnection::connect("postgres:///postgres").await.unwrap();
    sqlx::query(AssertSqlSafe(format!("DROP DATABASE {database} WITH (FORCE)"))).execute(&mut server).await.unwrap();
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
    let mut server = PgConnection::connect("postgres:///postgres").await.unwrap();
    keep_what_is_acknowledged(&mut server).await;
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut server).await.unwrap();
    Some(database)
}

/// `pg_virtualenv` makes servers with `fsync` off, which the store refuses.
async fn keep_what_is_acknowledged(server: &mut PgConnection) {
    let off = "SELECT current_setting('fsync') = 'off'";
    while sqlx::query_scalar::<_, bool>(off).fetch_one(&mut *server).await.unwrap() {
        for statement in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.02)"] {
            sqlx::query(statement).execute(&mut *server).await.unwrap();
        }
    }
}
