//! The trait that every store implements.

use std::future::Future;
use std::path::PathBuf;

use lukko::{FieldLabel, PatientId, RecordId, VaultId};

use crate::change::Change;
use crate::error::Result;
use crate::rows::{After, Claim, Erasure, Failure, Generation, JobState, Patient, Record, Scrub};

/// Where a vault's objects are kept: ids and bytes, never a key and never a plaintext.
///
/// What it returns is not trusted; [`lukko::Vault`] verifies it. What it promises is order: a change is made whole or
/// not at all, a writer who was overtaken gets [`Error::Conflict`](crate::Error::Conflict) and loses nobody's update, and
/// after [`Error::Unavailable`](crate::Error::Unavailable) the same change may be given again.
pub trait Store: Send + Sync {
    /// Makes one logical change: all of its parts, in order, or none. When it returns, the change is durable.
    ///
    /// # Errors
    /// [`Conflict`](crate::error::Conflict), [`Stale`](crate::Error::Stale) or [`Missing`](crate::error::Missing) if
    /// what the change builds on is not what is stored; [`Usage`](crate::error::Usage) for what can never be done. The
    /// store is unchanged then. [`Unavailable`](crate::Error::Unavailable) leaves open whether the change was made.
    fn apply(&self, vault: VaultId, changes: &[Change<'_>]) -> impl Future<Output = Result<()>> + Send;

    /// Every generation of a vault, in order.
    ///
    /// # Errors
    /// [`Unavailable`](crate::Error::Unavailable); [`Corrupt`](crate::Error::Corrupt).
    fn generations(&self, vault: VaultId) -> impl Future<Output = Result<Vec<Generation>>> + Send;

    /// The entries of all members.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn members(&self, vault: VaultId) -> impl Future<Output = Result<Vec<Vec<u8>>>> + Send;

    /// Everything that is stored of a patient's key. Nothing at all gives an empty [`Patient`].
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn patient(&self, vault: VaultId, patient: PatientId<'_>) -> impl Future<Output = Result<Patient>> + Send;

    /// Ids of patients in bytewise order, `limit` of them at most, from behind `after` on.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn patients(
        &self,
        vault: VaultId,
        after: Option<&[u8]>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Vec<u8>>>> + Send;

    /// One record.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn record(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        record: RecordId<'_>,
        field: FieldLabel<'_>,
    ) -> impl Future<Output = Result<Option<Record>>> + Send;

    /// A patient's records in bytewise order of record and field, `limit` of them at most, from behind `after` on.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn records(
        &self,
        vault: VaultId,
        patient: PatientId<'_>,
        after: Option<After<'_>>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Record>>> + Send;

    /// Every erasure, with the parts of its receipt.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn erasures(&self, vault: VaultId) -> impl Future<Output = Result<Vec<Erasure>>> + Send;

    /// Cleans the database's own files of what was deleted, as far as the database lets it, says how far that is, and
    /// notes it on every erasure that has no such note. Call it after an erasure, and again while one has no such note: of all changes and jobs
    /// only [`ErasureJob`](crate::ErasureJob) calls it by itself.
    ///
    /// # Errors
    /// [`Unavailable`](crate::Error::Unavailable), also while a reader still holds an old state.
    fn scrub(&self, vault: VaultId) -> impl Future<Output = Result<Scrub>> + Send;

    /// Objects that no record names and that were announced before `before`, in seconds since 1970.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn unnamed_objects(
        &self,
        vault: VaultId,
        before: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<String>>> + Send;

    /// Claims a piece of a job that nobody holds, until `until`. Gives none when all are done or held.
    ///
    /// `now` and `until` are in milliseconds since 1970, by the clock of the worker: let leases be much longer than
    /// clocks differ. A lease that ends early costs work done twice, and never a change made twice. When no piece is free,
    /// leases that end after `until` are cut to `until`: a worker whose clock is ahead holds nothing for longer.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn claim(
        &self,
        vault: VaultId,
        job: &str,
        now: u64,
        until: u64,
    ) -> impl Future<Output = Result<Option<Claim>>> + Send;

    /// How far a job is; none if there is no such job.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn job(&self, vault: VaultId, job: &str) -> impl Future<Output = Result<Option<JobState>>> + Send;

    /// Pieces of a job that failed, `limit` of them at most, in bytewise order of patients from behind `after` on.
    ///
    /// # Errors
    /// As [`Store::generations`].
    fn failures(
        &self,
        vault: VaultId,
        job: &str,
        after: Option<&[u8]>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Failure>>> + Send;

    /// The directory of the database's file, if it is a file that this process opened: a client keeps what it remembers
    /// elsewhere.
    fn directory(&self) -> Option<PathBuf> {
        None
    }
}
