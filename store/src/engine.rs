//! The rules of the store, once for every database.

mod apply;
mod custody;
mod erasure;
mod jobs;
mod patients;
mod read;
mod receipt;
mod records;
mod stored;
mod way;

use std::path::PathBuf;

use lukko::{FieldLabel, PatientId, RecordId, VaultId};

use crate::backend::{Backend, Purpose, Tx};
use crate::change::Change;
use crate::error::Result;
use crate::rows::{After, Claim, Erasure, Failure, Generation, JobState, Patient, Record, Scrub};
use crate::store::Store;
use crate::table::Value;

/// How often a transaction is tried that the database takes back, in a deadlock or because of another one.
const ATTEMPTS: u32 = 5;

/// A store over one kind of database.
#[derive(Debug, Clone)]
pub struct Engine<B> {
    backend: B,
}

impl<B> Engine<B> {
    pub(crate) const fn over(backend: B) -> Self {
        Self { backend }
    }

    pub(crate) const fn backend(&self) -> &B {
        &self.backend
    }
}

/// The vault's id as the first value of every key.
fn vault_key(vault: VaultId) -> Value {
    Value::Bytes(vault.as_bytes().to_vec())
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

fn number(number: u64) -> Result<Value> {
    i64::try_from(number).map(Value::Int).map_err(|_| crate::error::Usage::TooLarge.into())
}

impl<B: Backend> Engine<B> {
    async fn try_apply(&self, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
        if let [Change::Record(new)] = changes
            && records::alone(&self.backend, vault, new.row()).await?
        {
            return Ok(());
        }
        let mut tx = self.backend.begin(Purpose::Write).await?;
        let done = apply::all(&mut tx, vault, changes).await;
        end(tx, done).await
    }
}

/// Commits what was done. What was refused holds no row any more when the caller, or the next attempt, goes on.
async fn end<T>(tx: impl Tx, done: Result<T>) -> Result<T> {
    match done {
        Ok(done) => tx.commit().await.map(|()| done),
        Err(error) => {
            tx.rollback().await;
            Err(error)
        }
    }
}

impl<B: Backend> Store for Engine<B> {
    fn directory(&self) -> Option<PathBuf> {
        self.backend.directory()
    }

    async fn apply(&self, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
        apply::check(vault, changes)?;
        let mut attempt = 1;
        loop {
            match self.try_apply(vault, changes).await {
                Err(error) if attempt < ATTEMPTS && B::taken_back(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn generations(&self, vault: VaultId) -> Result<Vec<Generation>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        read::generations(&mut tx, vault).await
    }

    async fn members(&self, vault: VaultId) -> Result<Vec<Vec<u8>>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        read::members(&mut tx, vault).await
    }

    async fn patient(&self, vault: VaultId, patient: PatientId<'_>) -> Result<Patient> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        read::patient(&mut tx, vault, patient).await
    }

    async fn patients(&self, vault: VaultId, after: Option<&[u8]>, limit: u32) -> Result<Vec<Vec<u8>>> {
        let mut tx = self.backend.begin(Purpose::ReadOnce).await?;
        read::patients(&mut tx, vault, after, limit).await
    }

    async fn record(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
    ) -> Result<Option<Record>> {
        let mut tx = self.backend.begin(Purpose::ReadOnce).await?;
        read::record(&mut tx, vault, patient, record, field).await
    }

    async fn records(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        after: Option<After<'_>>,
        limit: u32,
    ) -> Result<Vec<Record>> {
        let mut tx = self.backend.begin(Purpose::ReadOnce).await?;
        read::records(&mut tx, vault, patient, after, limit).await
    }

    async fn erasures(&self, vault: VaultId) -> Result<Vec<Erasure>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        receipt::list(&mut tx, vault).await
    }

    async fn scrub(&self, vault: VaultId) -> Result<Scrub> {
        // Only those that are there now: one that comes meanwhile may have left something behind.
        let pending = self.erasures(vault).await?.into_iter().filter(|erasure| erasure.scrubbed.is_none());
        let reached = self.backend.scrub().await?;
        let mut tx = self.backend.begin(Purpose::Write).await?;
        for erasure in pending {
            receipt::scrubbed(&mut tx, vault, erasure.erasure, reached).await?;
        }
        tx.commit().await?;
        Ok(reached)
    }

    async fn unnamed_objects(&self, vault: VaultId, before: u64, limit: u32) -> Result<Vec<String>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        read::unnamed_objects(&mut tx, vault, before, limit).await
    }

    async fn claim(&self, vault: VaultId, job: &str, now: u64, until: u64) -> Result<Option<Claim>> {
        let mut attempt = 1;
        loop {
            match jobs::claim(&self.backend, vault, job, now, until).await {
                Err(error) if attempt < ATTEMPTS && B::taken_back(&error) => attempt += 1,
                other => return other,
            }
        }
    }

    async fn job(&self, vault: VaultId, job: &str) -> Result<Option<JobState>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        jobs::state(&mut tx, vault, job).await
    }

    async fn failures(&self, vault: VaultId, job: &str, after: Option<&[u8]>, limit: u32) -> Result<Vec<Failure>> {
        let mut tx = self.backend.begin(Purpose::Read).await?;
        jobs::failures(&mut tx, vault, job, after, limit).await
    }
}
