//! Empty databases on the server that the environment names.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::sql::postgres::address::Address;
use crate::sql::postgres::connection::Connection;

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
    let server = session("postgres:///postgres").await;
    // pg_virtualenv makes servers with fsync off, which the store refuses.
    while server.texts("SELECT current_setting('fsync')").await.unwrap().concat() == ["off"] {
        for statement in ["ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()", "SELECT pg_sleep(0.02)"] {
            server.script(statement).await.unwrap();
        }
    }
    server.script(&format!("CREATE DATABASE {database}")).await.unwrap();
    Some(database)
}

/// A session of its own, on which the store has not looked.
pub(super) async fn session(url: &str) -> Connection {
    Connection::open(&Address::new(url).unwrap()).await.unwrap()
}
