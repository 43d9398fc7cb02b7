//! What each of the connections to PostgreSQL has set.

use super::server::session;
use super::{Postgres, server};
use crate::backend::{Backend as _, Purpose, Tx as _};
use crate::error::Error;
use crate::sql::driver::Driver as _;
use crate::sql::postgres::pool::CONNECTIONS;
use crate::table::MEMBER;

async fn sql(database: &str, statement: &str) {
    session(&format!("postgres:///{database}")).await.script(statement).await.unwrap();
}

/// What `SHOW synchronous_commit` says on each of the connections that the store can have.
async fn commits(url: &str) -> Vec<String> {
    let database = Postgres::connect(url).await.unwrap();
    let (mut connections, mut found) = (Vec::new(), Vec::new());
    for _ in 0..CONNECTIONS {
        let mut connection = database.pool.lease().await.unwrap();
        found.extend(connection.texts("SHOW synchronous_commit").await.unwrap().concat());
        connections.push(connection);
    }
    drop(connections);
    database.pool.close().await;
    found
}

/// Whatever server, database and role say, a commit that the store acknowledges has reached the disk, and the standbys
/// that the server waits for.
#[tokio::test]
async fn t101_t168_each_connection_waits_for_the_disk() {
    let Some(database) = server::fresh("commits").await else { return };
    let role = format!("{database}_role");
    sql(&database, &format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'x'")).await;
    let url = format!("postgres://{role}:x@{}/{database}", std::env::var("PGHOST").unwrap());
    for target in [format!("DATABASE {database}"), format!("ROLE {role}")] {
        for (value, wanted) in
            [("off", "on"), ("local", "on"), ("remote_write", "on"), ("on", "on"), ("remote_apply", "remote_apply")]
        {
            sql(&database, &format!("ALTER {target} SET synchronous_commit = {value}")).await;
            let found = commits(&url).await;
            assert!(found.len() == 16 && found.iter().all(|found| found == wanted), "{target}, {value}: {found:?}");
        }
        sql(&database, &format!("ALTER {target} RESET synchronous_commit")).await;
    }
    sql(&database, &format!("DROP ROLE {role}")).await;
}

/// Where the driver panics the caller gets an error, and the next one another connection.
#[tokio::test]
async fn t100_a_panic_of_the_driver_reaches_nobody() {
    let Some(database) = server::fresh("panic").await else { return };
    let database = Postgres::connect(&format!("postgres:///{database}")).await.unwrap();
    let process = "SELECT pg_backend_pid()";
    for purpose in [Purpose::ReadOnce, Purpose::Read, Purpose::WriteOnce, Purpose::Write] {
        let mut tx = database.begin(purpose).await.unwrap();
        let before = tx.rows(&MEMBER, process, Vec::new()).await.unwrap();
        let failed = tx.server.asking::<()>(async |_| panic!("as a driver does")).await;
        assert!(matches!(&failed, Err(Error::Unavailable(_))), "{purpose:?}: {failed:?}");
        let later = tx.rows(&MEMBER, process, Vec::new()).await;
        assert!(matches!(&later, Err(Error::Unavailable(_))), "{purpose:?}: {later:?}");
        tx.rollback().await;
        let mut tx = database.begin(purpose).await.unwrap();
        assert_ne!(before, tx.rows(&MEMBER, process, Vec::new()).await.unwrap());
        tx.rollback().await;
    }
    database.pool.close().await;
}
