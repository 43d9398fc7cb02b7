//! One type over the databases, and patience where the same change may be given again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use lukko::{FieldLabel, PatientId, RecordId, VaultId};
use lukko_store::{
    After, Attachments, Change, Generation, ObjectSink, Patient, PostgresStore, Record, Result, SqliteStore, Store,
};

use crate::config::Location;

/// How often a change is given when the database does not answer: what was made already is not made twice.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// The clinic's database.
#[derive(Debug)]
pub(crate) enum Database {
    /// With the path of its file.
    Sqlite(SqliteStore, PathBuf),
    Postgres(PostgresStore),
}

/// The same call on whichever database it is.
macro_rules! on {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Database::Sqlite($store, _) => $call,
            Database::Postgres($store) => $call,
        }
    };
}

impl Database {
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        Ok(match location {
            Location::Sqlite(path) => Self::Sqlite(SqliteStore::open(path).await?, path.clone()),
            Location::Postgres(url) => Self::Postgres(PostgresStore::open(url).await?),
        })
    }

    pub(crate) async fn apply(&self, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
        let mut attempt = 1;
        loop {
            match on!(self, store => store.apply(vault, changes).await) {
                Err(error) if error.is_retryable() && attempt < ATTEMPTS => {
                    tracing::warn!(%error, attempt, "the change is given again");
                    attempt = attempt.saturating_add(1);
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    pub(crate) async fn generations(&self, vault: VaultId) -> Result<Vec<Generation>> {
        on!(self, store => store.generations(vault).await)
    }

    pub(crate) async fn members(&self, vault: VaultId) -> Result<Vec<Vec<u8>>> {
        on!(self, store => store.members(vault).await)
    }

    pub(crate) async fn patient(&self, vault: VaultId, patient: PatientId<'_>) -> Result<Patient> {
        on!(self, store => store.patient(vault, patient).await)
    }

    pub(crate) async fn patients(&self, vault: VaultId, after: Option<&[u8]>, limit: u32) -> Result<Vec<Vec<u8>>> {
        on!(self, store => store.patients(vault, after, limit).await)
    }

    pub(crate) async fn record(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
    ) -> Result<Option<Record>> {
        on!(self, store => store.record(vault, patient, record, field).await)
    }

    pub(crate) async fn records(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        after: Option<After<'_>>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        on!(self, store => store.records(vault, patient, after, limit).await)
    }

    pub(crate) async fn begin(&self, objects: &Attachments, vault: VaultId, at: u64) -> Result<ObjectSink> {
        on!(self, store => objects.begin(store, vault, at).await)
    }

    /// The length of SQLite's log, in bytes; none for another database. It grows while somebody stays in a read, until the disk
    /// is full: where it is longer than the file, it is written down.
    pub(crate) fn log_length(&self) -> Option<u64> {
        let Self::Sqlite(_, path) = self else { return None };
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let length = |path: &Path| path.metadata().map_or(0, |file| file.len());
        let (log, file) = (length(Path::new(&log)), length(path));
        if log > file {
            tracing::warn!(log, file, "SQLite's log is longer than its file: end what has been reading for long");
        }
        Some(log)
    }

    pub(crate) async fn close(&self) {
        on!(self, store => store.close().await);
    }
}
