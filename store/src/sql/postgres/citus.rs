//! Citus, which has the rows of a table on several servers (workers): how the tables lie there, and whether what it says of
//! them is true.
//!
//! The tables of a patient are distributed by the patient, all others by the vault, and the tables of each group lie together:
//! every statement of a request needs one worker.

use super::pool::Lease;
use crate::error::{Error, Result};
use crate::table::{TABLES, Table};

/// Each transaction that makes tables goes to one worker after the other.
pub(crate) const IN_TURN: &str = "SET LOCAL citus.multi_shard_modify_mode = 'sequential'";

/// The statement that distributes a table. The first table of a group begins it, the others lie beside that one.
pub(crate) fn distribute(table: &Table) -> String {
    let first = first_of(table);
    let beside = if first == table.name { "none" } else { first };
    format!("SELECT create_distributed_table('{}', '{}', colocate_with => '{beside}')", table.name, table.shard_key())
}

/// The first table of a table's group, in the order in which they are made.
fn first_of(table: &Table) -> &'static str {
    TABLES.into_iter().find(|first| first.shard_key() == table.shard_key()).map_or("", |first| first.name)
}

/// Distributed tables: their column, and the number of their group.
const LAYOUT: &str = "SELECT CAST(logicalrelid AS TEXT), column_to_column_name(logicalrelid, partkey), \
     CAST(colocationid AS TEXT) FROM pg_dist_partition WHERE partmethod = 'h'";

/// Whether the tables lie as the store needs them.
///
/// # Errors
/// [`Error::Unavailable`], with the first table that does not.
pub(crate) async fn require_layout(server: &mut Lease) -> Result<()> {
    let found = server.texts(LAYOUT).await?;
    let of = |name: &str| found.iter().find(|row| row.first().is_some_and(|found| found == name));
    for table in TABLES {
        let group = of(first_of(table)).and_then(|row| row.get(2));
        let right = of(table.name)
            .is_some_and(|row| row.get(1).is_some_and(|column| column == table.shard_key()) && row.get(2) == group);
        if !right {
            return Err(Error::unavailable(format!(
                "the database has the extension citus, and the table {} does not lie there as the store needs it: in one \
                 transaction, after {IN_TURN}, run {}",
                table.name,
                distribute(table)
            )));
        }
    }
    Ok(())
}

/// The table of the probe, and the version of Citus for which the store has seen that its counts are true.
const MAKE: &str = "CREATE TABLE IF NOT EXISTS lukko_probe \
     (place BIGINT NOT NULL, number BIGINT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (place, number))";
const DISTRIBUTE: &str = "SELECT create_distributed_table('lukko_probe', 'place', colocate_with => 'none') \
     WHERE NOT EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = CAST('lukko_probe' AS regclass))";
const VERSION: &str = "SELECT extversion FROM pg_extension WHERE extname = 'citus'";
const THERE: &str = "SELECT CAST(to_regclass('lukko_probe') AS TEXT)";
const VERDICT: &str = "SELECT version FROM lukko_probe WHERE place = 0 AND number = 0";

/// Whether the number of rows that come back is the number of rows that were stored: seen once for each version of Citus, and
/// kept, so that a database opens without the right to write.
///
/// # Errors
/// [`Error::Unavailable`] if it is not.
pub(crate) async fn require_true_counts(server: &mut Lease) -> Result<()> {
    let version = first(server, VERSION).await?;
    if !first(server, THERE).await?.is_empty() && first(server, VERDICT).await? == version {
        return Ok(());
    }
    server.begin("BEGIN").await?;
    for sql in [IN_TURN, MAKE, DISTRIBUTE] {
        server.script(sql).await?;
    }
    server.end("COMMIT").await?;
    if !counts_are_true(server).await? {
        return Err(Error::unavailable(
            "this database reports rows that it did not store, and the store would acknowledge notes that are not there: use \
             PostgreSQL, or another version of Citus",
        ));
    }
    let version = version.replace('\'', "''");
    server
        .script(&format!(
            "INSERT INTO lukko_probe VALUES (0, 0, '{version}') \
         ON CONFLICT (place, number) DO UPDATE SET version = EXCLUDED.version"
        ))
        .await
}

/// The statements of the store that count, over the table of the probe: each is given twice, or with a condition that is not
/// true.
async fn counts_are_true(server: &mut Lease) -> Result<bool> {
    server.script("DELETE FROM lukko_probe WHERE place = 1").await?;
    let one = "INSERT INTO lukko_probe (place, number, version) VALUES (1, 1, '') ON CONFLICT DO NOTHING RETURNING 1";
    let more = "INSERT INTO lukko_probe (place, number, version) SELECT p.place, new.number, '' FROM lukko_probe p, \
         (VALUES (CAST(2 AS BIGINT)), (3)) AS new (number) WHERE p.place = 1 AND p.number = 1 \
         FOR UPDATE OF p ON CONFLICT DO NOTHING RETURNING 1";
    let change = "UPDATE lukko_probe SET version = 'x' WHERE place = 1 AND number = 1 AND version = '' RETURNING 1";
    for (sql, wanted) in [(one, [1, 0]), (more, [2, 0]), (change, [1, 0])] {
        for wanted in wanted {
            if server.texts(sql).await?.len() != wanted {
                return Ok(false);
            }
        }
    }
    Ok(server.texts("DELETE FROM lukko_probe WHERE place = 1 RETURNING 1").await?.len() == 3)
}

async fn first(server: &mut Lease, sql: &str) -> Result<String> {
    Ok(server.texts(sql).await?.into_iter().flatten().next().unwrap_or_default())
}
