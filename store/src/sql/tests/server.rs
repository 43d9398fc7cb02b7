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
