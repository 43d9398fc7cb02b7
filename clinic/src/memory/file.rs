//! A memory in a file: one table of SQLite, which several processes share.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, SqlitePool};

use super::{Answer, Failure, Page, Remember};
use crate::error::{Error, Result};
use crate::private;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS noted (about BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
const READ: &str = "SELECT value FROM noted WHERE about = ?";
const INSERT: &str = "INSERT INTO noted (about, value) VALUES (?, ?) ON CONFLICT DO NOTHING";
const REPLACE: &str = "UPDATE noted SET value = ? WHERE about = ? AND value = ?";
const REMOVE: &str = "DELETE FROM noted WHERE about = ? AND value = ?";
const LIST: &str = "SELECT about, value FROM noted WHERE about >= ? AND about < ? AND about > ? ORDER BY about LIMIT ?";
/// How long a process waits for another one that writes.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECTIONS: u32 = 4;

#[derive(Debug)]
pub(super) struct MemoryFile {
    pool: SqlitePool,
    directory: Option<PathBuf>,
}

impl MemoryFile {
    pub(super) async fn open(path: &Path, beside_the_database: bool) -> Result<Self> {
        make(path)?;
        private::require(path, Error::MemoryMode)?;
        // The log and the index beside the file get the file's mode from SQLite.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(PATIENCE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("secure_delete", "ON");
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).test_before_acquire(false);
        let pool = pool.connect_with(options).await.map_err(failed)?;
        sqlx::query(TABLE).execute(&pool).await.map_err(failed)?;
        let path = std::fs::canonicalize(path).map_err(|error| Error::Memory(error.into()))?;
        let directory = path.parent().filter(|_| !beside_the_database).map(Path::to_owned);
        Ok(Self { pool, directory })
    }

    async fn read(&self, about: &[u8]) -> std::result::Result<Option<Vec<u8>>, Failure> {
        Ok(sqlx::query_scalar(READ).bind(about).fetch_optional(&self.pool).await?)
    }

    async fn write(&self, about: &[u8], was: Option<&[u8]>, now: Option<&[u8]>) -> std::result::Result<bool, Failure> {
        let query = match (was, now) {
            (None, Some(now)) => sqlx::query(INSERT).bind(about).bind(now),
            (Some(was), Some(now)) => sqlx::query(REPLACE).bind(now).bind(about).bind(was),
            (Some(was), None) => sqlx::query(REMOVE).bind(about).bind(was),
            (None, None) => return Ok(self.read(about).await?.is_none()),
        };
        Ok(query.execute(&self.pool).await?.rows_affected() == 1)
    }

    async fn list(&self, prefix: &[u8], after: Option<&[u8]>, limit: u32) -> std::result::Result<Page, Failure> {
        let query = sqlx::query(LIST).bind(prefix).bind(behind(prefix)).bind(after.unwrap_or_default()).bind(limit);
        let row = |row: SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
        query.fetch_all(&self.pool).await?.into_iter().map(row).collect()
    }
}

/// The first subject behind all that begin with `prefix`. No kind of subject is 255, so there is one.
fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut behind = prefix.to_vec();
    while let Some(last) = behind.pop() {
        if let Some(next) = last.checked_add(1) {
            behind.push(next);
            break;
        }
    }
    behind
}

/// Makes the file for its owner alone, if there is none.
fn make(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, private::MODE);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(Error::Memory(error.into())),
        _ => Ok(()),
    }
}

fn failed(error: sqlx::Error) -> Error {
    Error::Memory(error.into())
}

impl Remember for MemoryFile {
    fn read<'a>(&'a self, about: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(self.read(about))
    }

    fn write<'a>(&'a self, about: &'a [u8], was: Option<&'a [u8]>, now: Option<&'a [u8]>) -> Answer<'a, bool> {
        Box::pin(self.write(about, was, now))
    }

    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<&'a [u8]>, limit: u32) -> Answer<'a, Page> {
        Box::pin(self.list(prefix, after, limit))
    }

    fn directory(&self) -> Option<PathBuf> {
        self.directory.clone()
    }
}
