//! The schema and its versions. Each step is one transaction, in which the database also notes that it was made.

use crate::error::{Error, Result};
use crate::table::TABLES;

/// The steps from nothing to the newest version.
const STEPS: [&str; 2] = [include_str!("../../migrations/0001.sql"), include_str!("../../migrations/0002.sql")];

/// The newest version that this crate knows.
pub(crate) const NEWEST: i64 = STEPS.len() as i64;

pub(crate) const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS lukko_schema (id BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (id))";
pub(crate) const BEGIN: &str = "INSERT INTO lukko_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
pub(crate) const READ: &str = "SELECT version FROM lukko_schema WHERE id = 1";
pub(crate) const NOTE: &str = "UPDATE lukko_schema SET version = $1 WHERE id = 1";

/// How the text of the steps becomes one database's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) blob: &'static str,
    /// How many hash partitions each table has; 0 for an ordinary table.
    pub(crate) partitions: u32,
}

/// The statements that lead from a version to the newest one.
///
/// # Errors
/// [`Error::Schema`] for a version that this crate does not know.
pub(crate) fn statements(from: i64, dialect: Dialect) -> Result<Vec<String>> {
    let unknown = Error::Schema { found: from, known: NEWEST };
    let Some(steps) = usize::try_from(from).ok().and_then(|from| STEPS.get(from..)) else { return Err(unknown) };
    let text = |step: &&str| step.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let all = steps.iter().map(text).collect::<String>();
    let each = all.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    Ok(each.flat_map(|statement| translate(statement, dialect)).collect())
}

fn translate(statement: &str, Dialect { blob, partitions }: Dialect) -> Vec<String> {
    let statement = statement.replace(" BLOB", &format!(" {blob}"));
    let created = statement.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split(' ').next());
    let table = TABLES.into_iter().find(|table| Some(table.name) == created);
    let Some(table) = table.filter(|_| partitions > 0) else { return vec![statement] };
    let (name, key) = (table.name, table.shard_key());
    let mut statements = vec![format!("{statement} PARTITION BY HASH ({key})")];
    statements.extend((0..partitions).map(|part| {
        format!(
            "CREATE TABLE {name}_{part} PARTITION OF {name} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        )
    }));
    statements
}
