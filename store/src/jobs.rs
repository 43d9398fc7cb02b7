//! The long jobs: one piece for each patient, any number of workers, resumable at any moment.
//!
//! A worker claims a piece for the time of a lease, and ends it in the change that does the work: a worker that crashed
//! leaves nothing half done, and one that was overtaken changes nothing.

mod erasure;
#[cfg(feature = "import")]
mod import;
pub(crate) mod keys;
pub(crate) mod objects;
mod owned;
pub(crate) mod place;
mod rekey;
mod rotation;
mod verify;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_core::Stream;
use futures_util::{StreamExt, stream};
use lukko::{CardId, PatientId, VaultId};

pub use erasure::ErasureJob;
#[cfg(feature = "import")]
pub use import::{ImportColumn, ImportFault, ImportFile, ImportJob, ImportMistake, ImportRow, look_alikes};
pub use keys::KeyOf;
pub use rekey::RekeyJob;
pub use rotation::RotationJob;
pub use verify::VerifyJob;

use owned::Owned;

use crate::change::{Change, JobKind, Outcome, Over};
use crate::error::{Conflict, Error, Missing, Result, Usage};
use crate::rows::{Claim, JobState};
use crate::store::Store;

/// How often a piece is done again because somebody wrote to the same patient meanwhile.
const ATTEMPTS: u32 = 8;
/// Failures that are read at once.
const FAILURES: u32 = 500;
/// Objects of one patient that a report names; the others are counted.
const NAMED: usize = 20;

/// A job, as one worker knows it.
#[derive(Debug)]
pub struct Worker<'a, S> {
    /// The store.
    pub store: &'a S,
    /// The vault.
    pub vault: VaultId,
    /// The job's name: all workers give the same one, and a job that is begun anew gets a name of its own.
    pub job: &'a str,
    /// For how long a piece is claimed: much longer than it takes, and than clocks differ.
    pub lease: Duration,
    /// What time it is: [`SystemTime::now`], but in tests.
    pub clock: fn() -> SystemTime,
}

/// What became of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The patient.
    pub patient: Vec<u8>,
    /// How many objects were written anew.
    pub written: u64,
    /// What could not be read or done, and why; the rest was done.
    pub findings: Vec<Finding>,
    /// Of a re-key: the patient's older cards that the vault's roster does not close. Until a roster closes them, the old
    /// key still counts.
    pub still_open: Vec<CardId>,
}

/// One object that could not be read or moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The record and its field; none for the patient's key.
    pub record: Option<(Vec<u8>, Vec<u8>)>,
    /// Why. Holds no secret.
    pub reason: String,
}

/// What is done for one patient.
pub trait Task: Sync {
    /// The kind of job that it is.
    const KIND: JobKind;
    /// Whether a job that is over may be begun again, for the sake of [`Task::finish`].
    const AGAIN: bool = false;

    /// For whom it is done: every patient of the vault, unless the task says otherwise.
    fn over(&self) -> Over<'_> {
        Over::Everyone
    }

    /// Patients for whom nothing is done, and why. Each worker tells them first; they have no piece.
    fn passed_over(&self) -> Vec<Progress> {
        Vec::new()
    }

    /// Does one piece, all but its end, and gives what is left to be written with the end. What it writes before that
    /// [holds](Change::Hold) the claim.
    ///
    /// # Errors
    /// As [`Store::apply`].
    fn piece<S: Store>(&self, on: &Worker<'_, S>, claim: &Claim) -> impl Future<Output = Result<Piece>> + Send;

    /// What is left to be done when every piece is, or held by others. Done again, it changes nothing.
    ///
    /// # Errors
    /// As [`Store::apply`].
    fn finish<S: Store>(&self, on: &Worker<'_, S>) -> impl Future<Output = Result<()>> + Send {
        let _ = on;
        std::future::ready(Ok(()))
    }
}

/// The last change of a piece, and what there is to say about it.
#[derive(Debug, Default)]
pub struct Piece {
    written: u64,
    findings: Vec<Finding>,
    still_open: Vec<CardId>,
    last: Vec<Owned>,
}

impl<'a, S: Store> Worker<'a, S> {
    /// Begins the job, unless it was begun, and works on it until no piece is free. One that is over is
    /// [refused](Usage::JobOver): nothing would be done under its name. Each item is one patient that is
    /// done: acknowledged, and durable. Before them come those who are [passed over](Task::passed_over). After an error the
    /// stream ends; begin it anew, or let other workers go on. Where others hold the pieces that are left, the last item is
    /// [`Error::Held`]: the job is not over.
    ///
    /// [`Store::job`] says how far all workers are, [`Store::failures`] what failed.
    pub fn run<T: Task + Send + 'a>(
        &self,
        task: T,
    ) -> impl Stream<Item = Result<Progress>> + Send + 'a + use<'a, S, T> {
        let worker = Worker { ..*self };
        let passed_over = stream::iter(task.passed_over().into_iter().map(Ok));
        passed_over.chain(stream::unfold(Some((worker, task, false)), |state| async move {
            let (worker, task, begun) = state?;
            match worker.next(&task, begun).await {
                Ok(Some(progress)) => Some((Ok(progress), Some((worker, task, true)))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        }))
    }

    async fn next<T: Task>(&self, task: &T, begun: bool) -> Result<Option<Progress>> {
        let Self { store, vault, job, .. } = *self;
        if !begun {
            self.begin(T::KIND, T::AGAIN, task.over()).await?;
        }
        loop {
            let now = self.milliseconds()?;
            let until = now.saturating_add(u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX / 4));
            let Some(claim) = store.claim(vault, job, now, until).await? else {
                task.finish(self).await?;
                return self.over(now).await.map(|()| None);
            };
            match self.piece(task, &claim).await {
                Ok(progress) => return Ok(Some(progress)),
                // Overtaken, because the lease ended: the other worker has it, or the patient was erased.
                Err(Error::Conflict(Conflict::Claim)) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Refuses to end as if the job were over while pieces are held.
    async fn over(&self, now: u64) -> Result<()> {
        match self.store.job(self.vault, self.job).await? {
            Some(JobState { open: pieces, held_until, .. }) if pieces > 0 => {
                let seconds = held_until.saturating_sub(now).div_ceil(1_000);
                Err(Error::Held { pieces, seconds })
            }
            _ => Ok(()),
        }
    }

    async fn begin(&self, kind: JobKind, again: bool, over: Over<'_>) -> Result<()> {
        match self.store.job(self.vault, self.job).await? {
            Some(state) if state.kind == kind && of_as_many(over, &state) => {
                if state.open > 0 || again {
                    Ok(())
                } else {
                    Err(Usage::JobOver.into())
                }
            }
            Some(_) => Err(Usage::WrongJob.into()),
            None => self.store.apply(self.vault, &[Change::Job { job: self.job, kind, over }]).await,
        }
    }

    fn milliseconds(&self) -> Result<u64> {
        let now = (self.clock)().duration_since(UNIX_EPOCH).map_err(Error::unavailable)?;
        u64::try_from(now.as_millis()).map_err(|_| Usage::TooLarge.into())
    }

    /// Seconds since 1970.
    fn seconds(&self) -> Result<u64> {
        Ok(self.milliseconds()? / 1_000)
    }

    async fn piece<T: Task>(&self, task: &T, claim: &Claim) -> Result<Progress> {
        let mut attempt = 1;
        loop {
            let piece = match task.piece(self, claim).await {
                Ok(piece) => Ok(piece),
                // What is stored of this patient cannot be used: a finding, and no reason to stop.
                Err(Error::Core(error)) => Ok(Piece::failed(None, &error)),
                Err(error @ Error::Corrupt { .. }) => Ok(Piece::failed(None, &error)),
                Err(error) => Err(error),
            };
            let ended = match piece {
                Ok(piece) => self.end(claim, piece).await,
                Err(error) => Err(error),
            };
            match ended {
                Err(error) if is_overtaken(&error) && attempt < ATTEMPTS => attempt += 1,
                // The store does not erase this patient as things are. Nothing was changed.
                Err(error @ (Error::Core(_) | Error::Usage(Usage::NoCard | Usage::ErasureBeforeRoster))) => {
                    return self.end(claim, Piece::failed(None, &error)).await;
                }
                // Somebody writes to this patient again and again, or the rows do not fit together: others go on.
                Err(error) if is_overtaken(&error) => {
                    return self.end(claim, Piece::failed(None, &error)).await;
                }
                other => return other,
            }
        }
    }

    /// Once no piece is open: those of the patients whose piece did not fail. Where one of them is not as the task says, the
    /// job that was begun under this name was over others, or was to do something else.
    async fn not_failed<'p>(&self, patients: &[PatientId<'p>]) -> Result<Vec<PatientId<'p>>> {
        if self.store.job(self.vault, self.job).await?.is_none_or(|state| state.open > 0) {
            return Ok(Vec::new());
        }
        let failed = self.failed().await?;
        Ok(patients.iter().copied().filter(|patient| !failed.contains(patient.as_bytes())).collect())
    }

    /// Every patient whose piece failed.
    async fn failed(&self) -> Result<BTreeSet<Vec<u8>>> {
        let (mut failed, mut after) = (BTreeSet::new(), None::<Vec<u8>>);
        loop {
            let page = self.store.failures(self.vault, self.job, after.as_deref(), FAILURES).await?;
            after = page.last().map(|failure| failure.patient.clone());
            failed.extend(page.into_iter().map(|failure| failure.patient));
            if after.is_none() {
                return Ok(failed);
            }
        }
    }

    async fn end(&self, claim: &Claim, piece: Piece) -> Result<Progress> {
        let Piece { written, findings, still_open, last } = piece;
        let reason = report(&findings);
        let outcome = if findings.is_empty() { Outcome::Done } else { Outcome::Failed(&reason) };
        let change = |owned| Owned::change(owned, PatientId::new(&claim.patient)?, claim);
        let mut changes = last.iter().map(change).collect::<Result<Vec<Change<'_>>>>()?;
        if !matches!(last.last(), Some(Owned::Erase { .. })) {
            changes.push(Change::Done { claim, outcome });
        }
        self.store.apply(self.vault, &changes).await?;
        let written = written.saturating_add(last.len() as u64);
        Ok(Progress { patient: claim.patient.clone(), written, findings, still_open })
    }
}

/// Whether somebody else changed the patient meanwhile. Who has lost the claim does not try again.
fn is_overtaken(error: &Error) -> bool {
    match error {
        Error::Conflict(conflict) => *conflict != Conflict::Claim,
        Error::Stale { .. } | Error::Missing(Missing::Patient) => true,
        _ => false,
    }
}

/// Whether a job that was begun may be one over these patients.
fn of_as_many(over: Over<'_>, state: &JobState) -> bool {
    let pieces = state.open.saturating_add(state.done).saturating_add(state.failed);
    match over {
        Over::Everyone => true,
        Over::These(patients) => {
            let distinct: BTreeSet<&[u8]> = patients.iter().map(|patient| patient.as_bytes()).collect();
            distinct.len() as u64 == pieces
        }
    }
}

impl Piece {
    fn failed(record: Option<(Vec<u8>, Vec<u8>)>, reason: &impl ToString) -> Self {
        Self { findings: vec![Finding { record, reason: reason.to_string() }], ..Self::default() }
    }
}

/// What is stored of a piece that failed: record and field in hexadecimal digits, and the reason.
fn report(findings: &[Finding]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let line = |finding: &Finding| match &finding.record {
        Some((record, field)) => format!("{}/{}: {}", hex(record), hex(field), finding.reason),
        None => finding.reason.clone(),
    };
    let mut lines: Vec<String> = findings.iter().take(NAMED).map(line).collect();
    if findings.len() > NAMED {
        lines.push(format!("and {} more", findings.len().saturating_sub(NAMED)));
    }
    lines.join("\n")
}
