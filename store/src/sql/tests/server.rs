//! Empty databases on the server that the environment names.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// None if there is no server, unless `LUKKO_REQUIRE_POSTGRES` demands one.
pub(super) async fn fresh(name: &str) -> Option<String> {
    if std::env::var_os("PGHOST").is_none() {
        let required = std::env::var_os("LUKKO_REQUIRE_POSTGRES").is_some();
        assert!(!required, "LUKKO_REQUIRE_POSTGRES is set, and PGHOST names no server");
        println!("SKIPPED: PGHOST names no PostgreSQL server; run under pg_virtualenv");
        return None;
    }
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let database = format!("lukko_{name}_{}_{number}", std::process::id());
    let mut server = PgConnection::connect("postgres:///postgres").await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {database}"))).execute(&mut server).await.unwrap();
    Some(database)
}
