//! What each of the connections to PostgreSQL has set.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::{Postgres, server};
use crate::backend::{Backend as _, Purpose, Tx as _};
use crate::error::{Error, Result};

async fn sql(database: &str, statement: &str) {
    let mut connection = PgConnection::connect(&format!("postgres:///{database}")).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
}

/// What `SHOW synchronous_commit` says on each of the connections that the store can have.
async fn commits(url: &str) -> Vec<String> {
    let database = Postgres::connect(url).await.unwrap();
    let (mut connections, mut found) = (Vec::new(), Vec::new());
    for _ in 0..database.pool.options().get_max_connections() {
        let mut connection = database.pool.acquire().await.unwrap();
        let row = sqlx::query("SHOW synchronous_commit").fetch_one(&mut *connection).await.unwrap();
        found.push(row.get(0));
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

/// The driver panics where a row is not the one that was asked for. The caller gets an error, and the next one an answer.
#[tokio::test]
async fn t100_a_panic_of_the_driver_reaches_nobody() {
    let Some(database) = server::fresh("panic").await else { return };
    let database = Postgres::connect(&format!("postgres:///{database}")).await.unwrap();
    for purpose in [Purpose::ReadOnce, Purpose::Read, Purpose::WriteOnce, Purpose::Write] {
        let mut tx = database.begin(purpose).await.unwrap();
        let process = tx.rows(sqlx::query("SELECT pg_backend_pid()"), |row| Ok(row.get::<i32, _>(0))).await.unwrap();
        let query = sqlx::query("SELECT 1::bigint UNION ALL SELECT 2");
        let result: Result<Vec<i64>> = tx.rows(query, |_| panic!("as data_row.rs does")).await;
        assert!(matches!(&result, Err(Error::Unavailable(_))), "{purpose:?}: {result:?}");
        tx.rollback().await;
        let mut tx = database.begin(purpose).await.unwrap();
        let after = tx.rows(sqlx::query("SELECT pg_backend_pid()"), |row| Ok(row.get::<i32, _>(0))).await.unwrap();
        // Outside of a transaction the connection is another one.
        if matches!(purpose, Purpose::ReadOnce | Purpose::WriteOnce) {
            assert_ne!(process, after);
        }
        tx.rollback().await;
    }
    database.pool.close().await;
}
