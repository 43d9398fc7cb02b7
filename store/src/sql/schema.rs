//! The schema and its versions. Each step is one transaction, in which the database also notes that it was made.

use crate::error::{Error, Result};
pub(crate) use crate::table::SCHEMA;
use crate::table::{TABLES, Table};

/// The steps from nothing to the newest version. A step that was published never changes; what is new is a new step.
pub(crate) const STEPS: &[&str] = &[
    include_str!("../../migrations/0001.sql"),
    include_str!("../../migrations/0002.sql"),
    include_str!("../../migrations/0003.sql"),
    include_str!("../../migrations/0004.sql"),
];

pub(crate) const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS lukko_schema (id BIGINT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (id))";
pub(crate) const BEGIN: &str = "INSERT INTO lukko_schema (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING";
pub(crate) const READ: &str = "SELECT version FROM lukko_schema WHERE id = 1";
pub(crate) const READ_LOCKED: &str = "SELECT version FROM lukko_schema WHERE id = 1 FOR UPDATE";
pub(crate) const NOTE: &str = "UPDATE lukko_schema SET version = version + 1 WHERE id = 1";

/// How the text of the steps becomes one database's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dialect {
    pub(crate) blob: &'static str,
    /// Asks whether there is a schema at all: 0 if not.
    pub(crate) exists: &'static str,
    pub(crate) layout: Layout,
    /// What a step's transaction begins with.
    pub(crate) first: Option<&'static str>,
}

/// Where the rows of each table are.
#[cfg_attr(not(feature = "postgres"), allow(dead_code))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In one table.
    Whole,
    /// In this many hash partitions.
    Partitions(u32),
    /// On the servers of Citus.
    #[cfg(feature = "postgres")]
    Citus,
}

/// The statements that lead from a version to the next one; none from the newest one.
///
/// # Errors
/// [`Error::Schema`] for a version that this crate does not know.
pub(crate) fn statements(from: i64, steps: &[&str], dialect: Dialect) -> Result<Option<Vec<String>>> {
    let unknown = || Error::Schema { found: from, known: i64::try_from(steps.len()).unwrap_or(i64::MAX) };
    let at = usize::try_from(from).map_err(|_| unknown())?;
    let Some(step) = steps.get(at) else { return if at == steps.len() { Ok(None) } else { Err(unknown()) } };
    let text = step.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let each = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    Ok(Some(each.flat_map(|statement| translate(statement, dialect)).collect()))
}

fn translate(statement: &str, Dialect { blob, layout, .. }: Dialect) -> Vec<String> {
    let statement = statement.replace(" BLOB", &format!(" {blob}"));
    let created = statement.strip_prefix("CREATE TABLE ").and_then(|rest| rest.split(' ').next());
    let Some(table) = TABLES.into_iter().find(|table| Some(table.name) == created) else { return vec![statement] };
    match layout {
        Layout::Whole => vec![statement],
        Layout::Partitions(partitions) => partitioned(&statement, table, partitions),
        #[cfg(feature = "postgres")]
        Layout::Citus => vec![statement, super::postgres::citus::distribute(table)],
    }
}

fn partitioned(statement: &str, table: &Table, partitions: u32) -> Vec<String> {
    let (name, key) = (table.name, table.shard_key());
    let mut statements = vec![format!("{statement} PARTITION BY HASH ({key})")];
    statements.extend((0..partitions).map(|part| {
        format!(
            "CREATE TABLE {name}_{part} PARTITION OF {name} FOR VALUES WITH (MODULUS {partitions}, REMAINDER {part})"
        )
    }));
    statements
}
