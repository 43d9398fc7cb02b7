//! Removes dead rows from PostgreSQL's tables, and asks the server whether they are gone: `VACUUM` succeeds where it was
//! not allowed to work, and where an old transaction may still read them.

use std::time::{Duration, Instant};

use super::pool::{Lease, Pool};
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

/// On Citus.
pub(crate) const WORKERS: &str = "the rows are on the workers of Citus, where the store does not see whether VACUUM has removed \
     what was deleted: run VACUUM (FREEZE) on each worker, and keep note of it elsewhere";

/// # Errors
/// [`Error::Unavailable`], with what to do, where dead rows may be left.
pub(crate) async fn vacuum(pool: &Pool) -> Result<()> {
    let begin = Instant::now();
    let mut server = pool.lease().await?;
    let now = first(&mut server, NOW).await?.unwrap_or_default();
    let now: u32 =
        now.parse().map_err(|_| Error::unavailable("the server does not say which transaction is the newest"))?;
    if let Some(table) = forbidden(&mut server).await? {
        let text = format!(
            "the role lacks a right: it must own the table {table} or, from PostgreSQL 17 on, be granted MAINTAIN on it. What \
             was deleted is still in the database's files"
        );
        return Err(Error::unavailable(text));
    }
    loop {
        server.script(VACUUM).await?;
        match left(&mut server, now).await? {
            None => return Ok(()),
            Some((table, true)) => return Err(Error::unavailable(elsewhere(&table))),
            Some(_) if begin.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Some((table, false)) => return Err(Error::unavailable(held(&table, &holder(&mut server, now).await?))),
        }
    }
}

/// The first value of the first row.
async fn first(server: &mut Lease, sql: &str) -> Result<Option<String>> {
    Ok(server.texts(sql).await?.into_iter().flatten().next())
}

/// The text with a transaction's number in the place of `$1`.
fn at(now: u32, sql: &str) -> String {
    sql.replace("$1", &format!("'{now}'"))
}

/// The first table that is not clean, and whether it is on another server.
async fn left(server: &mut Lease, now: u32) -> Result<Option<(String, bool)>> {
    let row = server.texts(&at(now, LEFT)).await?.into_iter().next();
    Ok(row.and_then(|row| <[String; 2]>::try_from(row).ok()).map(|[table, kind]| (table, kind == "f")))
}

async fn forbidden(server: &mut Lease) -> Result<Option<String>> {
    let version = "SELECT CAST(CAST(current_setting('server_version_num') AS INTEGER) >= 170000 AS TEXT)";
    let [before, from_17] = FORBIDDEN;
    let newer = first(server, version).await?.as_deref() == Some("true");
    first(server, if newer { from_17 } else { before }).await
}

async fn holder(server: &mut Lease, now: u32) -> Result<String> {
    let found = first(server, &at(now, HOLDERS)).await?;
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
