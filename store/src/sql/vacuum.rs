//! Removes dead rows from PostgreSQL's tables, and asks the server whether they are gone: `VACUUM` succeeds where it was
//! not allowed to work, and where an old transaction may still read them.

use std::time::{Duration, Instant};

use sqlx::{PgPool, Row as _};

use super::reported::failed;
use crate::error::{Error, Result};

/// How long old transactions are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

/// Every transaction that has ended has a smaller number.
const NOW: &str = "SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS xid) AS TEXT)";

/// FREEZE, so that it waits for pages that somebody has in use, and afterwards notes in each table which is the oldest
/// transaction that may still have left something there. A page in which nothing has changed since is not read again.
const VACUUM: &str = "VACUUM (FREEZE) card, endorsement, patient_grant, withdrawn, record";

/// The tables that hold rows, with their partitions and what is kept out of line.
macro_rules! tables {
    () => {
        "WITH RECURSIVE part (relid) AS (\
             SELECT CAST(CAST(name AS regclass) AS oid) \
             FROM unnest(ARRAY['card', 'endorsement', 'patient_grant', 'withdrawn', 'record']) AS name \
             UNION ALL SELECT inhrelid FROM pg_inherits JOIN part ON inhparent = relid), \
         whole AS (SELECT relid FROM part UNION ALL \
                   SELECT reltoastrelid FROM part JOIN pg_class ON oid = relid WHERE reltoastrelid <> 0) "
    };
}

/// Neither the table's owner nor the database's: a member of either counts, and a superuser.
macro_rules! forbidden {
    () => {
        "SELECT CAST(CAST(oid AS regclass) AS TEXT) FROM part JOIN pg_class ON oid = relid \
         WHERE relkind = 'r' AND NOT pg_has_role(relowner, 'USAGE') \
         AND NOT (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database())"
    };
}

/// The first table that may still have rows which were dead at the transaction $1. A table on another server has no such
/// note, and `VACUUM` passes it over.
const LEFT: &str = concat!(
    tables!(),
    "SELECT CAST(CAST(oid AS regclass) AS TEXT), CAST(relkind AS TEXT) FROM whole JOIN pg_class ON oid = relid \
     WHERE relkind = 'f' OR (relkind <> 'p' AND age(relfrozenxid) > age(CAST($1 AS xid))) ORDER BY relkind, 1 LIMIT 1"
);

/// The first table that this role may not vacuum, before version 17 and from it on.
const FORBIDDEN: [&str; 2] = [
    concat!(tables!(), forbidden!(), " LIMIT 1"),
    concat!(tables!(), forbidden!(), " AND NOT has_table_privilege(oid, 'MAINTAIN') LIMIT 1"),
];

/// What may still read rows that were dead at the transaction $1. Of other roles' processes a role sees only that there are
/// some.
const HOLDERS: &str = "SELECT 'the prepared transaction ' || gid FROM pg_prepared_xacts \
         WHERE age(transaction) > age(CAST($1 AS xid)) \
     UNION ALL SELECT 'the replication slot ' || slot_name FROM pg_replication_slots \
         WHERE age(xmin) > age(CAST($1 AS xid)) \
     UNION ALL SELECT 'the transaction of process ' || pid FROM pg_stat_activity \
         WHERE age(backend_xmin) > age(CAST($1 AS xid)) OR age(backend_xid) > age(CAST($1 AS xid)) LIMIT 1";

/// # Errors
/// [`Error::Unavailable`], with what to do, where dead rows may be left.
pub(super) async fn vacuum(pool: &PgPool) -> Result<()> {
    let begin = Instant::now();
    let now: String = sqlx::query_scalar(NOW).fetch_one(pool).await.map_err(failed)?;
    if let Some(table) = forbidden(pool).await? {
        let text = format!(
            "the role lacks a right: it must own the table {table} or, from PostgreSQL 17 on, be granted MAINTAIN on it. What \
             was deleted is still in the database's files"
        );
        return Err(Error::unavailable(text));
    }
    loop {
        sqlx::query(VACUUM).execute(pool).await.map_err(failed)?;
        match left(pool, &now).await? {
            None => return Ok(()),
            Some((table, true)) => return Err(Error::unavailable(elsewhere(&table))),
            Some(_) if begin.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Some((table, false)) => return Err(Error::unavailable(held(&table, &holder(pool, &now).await?))),
        }
    }
}

/// The first table that is not clean, and whether it is on another server.
async fn left(pool: &PgPool, now: &str) -> Result<Option<(String, bool)>> {
    let row = sqlx::query(LEFT).bind(now).fetch_optional(pool).await.map_err(failed)?;
    let read = |row: sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get::<String, _>(1)? == "f"));
    row.map(read).transpose().map_err(failed)
}

async fn forbidden(pool: &PgPool) -> Result<Option<String>> {
    let version = "SELECT CAST(current_setting('server_version_num') AS INTEGER) >= 170000";
    let newer: bool = sqlx::query_scalar(version).fetch_one(pool).await.map_err(failed)?;
    let [before, from_17] = FORBIDDEN;
    let sql = if newer { from_17 } else { before };
    sqlx::query_scalar(sql).fetch_optional(pool).await.map_err(failed)
}

async fn holder(pool: &PgPool, now: &str) -> Result<String> {
    let found: Option<String> = sqlx::query_scalar(HOLDERS).bind(now).fetch_optional(pool).await.map_err(failed)?;
    Ok(found.unwrap_or_else(|| "a transaction of another role, or one on a standby".to_owned()))
}

fn elsewhere(table: &str) -> String {
    format!("the table {table} is on another server, where VACUUM does not reach: run VACUUM (FREEZE) there")
}

fn held(table: &str, holder: &str) -> String {
    format!(
        "what was deleted is still in the table {table}, because {holder} may read it: end it, and scrub again (long \
         transactions are in pg_stat_activity)"
    )
}
