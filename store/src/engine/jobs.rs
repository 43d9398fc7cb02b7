//! Jobs: one piece for each patient, claimed by one worker at a time.

use lukko::{PatientId, VaultId};

use super::read::rest_of_key;
use super::{bytes, number, vault_key};
use crate::backend::{Backend, Purpose, Reader, Tx};
use crate::change::{JobKind, Outcome, Over};
use crate::error::{Conflict, Error, Missing, Result, Usage};
use crate::rows::{Claim, Failure, JobState};
use crate::table::{JOB, PATIENT, PIECE, Row, Value};

const OPEN: i64 = 0;
const DONE: i64 = 1;
const FAILED: i64 = 2;
/// Rows that are read at once.
const PAGE: u32 = 500;
/// Pieces among which a worker looks for one that no other worker takes first.
const CANDIDATES: u32 = 16;

const fn kind_number(kind: JobKind) -> i64 {
    match kind {
        JobKind::Rotation => 1,
        JobKind::Rekey => 2,
        JobKind::Verify => 3,
        JobKind::Import => 4,
        JobKind::Erasure => 5,
    }
}

fn kind_of(number: i64) -> Result<JobKind> {
    match number {
        1 => Ok(JobKind::Rotation),
        2 => Ok(JobKind::Rekey),
        3 => Ok(JobKind::Verify),
        4 => Ok(JobKind::Import),
        5 => Ok(JobKind::Erasure),
        _ => Err(Error::Corrupt { table: JOB.name, what: "a job of no known kind" }),
    }
}

/// The kind of a job, and how many pieces it began with.
async fn get(tx: &mut impl Tx, vault: VaultId, job: &str) -> Result<Option<(JobKind, u64)>> {
    let Some(row) = tx.get(&JOB, vec![vault_key(vault), bytes(job.as_bytes())]).await? else { return Ok(None) };
    let mut row = Reader::new(&JOB, row).skip(JOB.key);
    Ok(Some((kind_of(row.int()?)?, row.u64()?)))
}

pub(super) async fn begin(tx: &mut impl Tx, vault: VaultId, job: &str, kind: JobKind, over: Over<'_>) -> Result<()> {
    let row = |pieces| Ok([vault_key(vault), bytes(job.as_bytes()), Value::Int(kind_number(kind)), number(pieces)?]);
    let new: Result<_> = row(0);
    if !tx.insert(&JOB, new?.into()).await? {
        let stored = get(tx, vault, job).await?.map(|(kind, _)| kind);
        return if stored == Some(kind) { Ok(()) } else { Err(Usage::WrongJob.into()) };
    }
    let pieces = match over {
        Over::Everyone => everyone(tx, vault, job).await?,
        Over::These(patients) => these(tx, vault, job, patients).await?,
    };
    tx.update(&JOB, row(pieces)?.into()).await
}

async fn everyone(tx: &mut impl Tx, vault: VaultId, job: &str) -> Result<u64> {
    let (mut pieces, mut after) = (0_u64, Vec::new());
    loop {
        let page = tx.page(&PATIENT, vec![vault_key(vault)], after, PAGE).await?;
        after = page.last().map(|row| rest_of_key(&PATIENT, row, 1)).unwrap_or_default();
        for row in &page {
            let patient = row.get(1).cloned().unwrap_or(Value::Null);
            tx.insert(&PIECE, piece(vault, patient, job, (OPEN, 0, 0), "")).await?;
        }
        pieces = pieces.saturating_add(page.len() as u64);
        if page.len() < PAGE as usize {
            return Ok(pieces);
        }
    }
}

async fn these(tx: &mut impl Tx, vault: VaultId, job: &str, patients: &[PatientId<'_>]) -> Result<u64> {
    let mut pieces = 0_u64;
    for patient in patients {
        let inserted = tx.insert(&PIECE, piece(vault, bytes(patient.as_bytes()), job, (OPEN, 0, 0), "")).await?;
        pieces = pieces.saturating_add(inserted.into());
    }
    Ok(pieces)
}

fn piece(vault: VaultId, patient: Value, job: &str, (state, lease, token): (i64, i64, i64), reason: &str) -> Row {
    let key = [vault_key(vault), patient, bytes(job.as_bytes())];
    let rest = [Value::Int(state), Value::Int(lease), Value::Int(token), bytes(reason.as_bytes())];
    key.into_iter().chain(rest).collect()
}

/// Statement by statement, each a transaction of its own: nothing is locked from one to the next.
pub(super) async fn claim(
    backend: &impl Backend,
    vault: VaultId,
    job: &str,
    now: u64,
    until: u64,
) -> Result<Option<Claim>> {
    let [Value::Int(now), Value::Int(until)] = [number(now)?, number(until)?] else { return Ok(None) };
    let key = || (vault.as_bytes().to_vec(), job.as_bytes().to_vec());
    loop {
        let (of_vault, of_job) = key();
        let mut tx = backend.begin(Purpose::ReadOnce).await?;
        let free = tx.free_pieces(of_vault, of_job, now, CANDIDATES).await?;
        drop(tx);
        if free.is_empty() {
            break;
        }
        for found in free {
            if let Some(claim) = take(backend, job, found, until).await? {
                return Ok(Some(claim));
            }
        }
        // Other workers were faster with each of them.
    }
    // A lease that ends later than one that begins now was given by a clock that is ahead.
    let (of_vault, of_job) = key();
    let mut tx = backend.begin(Purpose::WriteOnce).await?;
    tx.cut_leases(of_vault, of_job, until).await?;
    tx.commit().await.map(|()| None)
}

/// Takes a piece that was found free; none if another worker was faster.
async fn take(backend: &impl Backend, job: &str, found: Row, until: i64) -> Result<Option<Claim>> {
    let mut row = Reader::new(&PIECE, found.clone()).skip(1);
    let (patient, _, _, _) = (row.bytes()?, row.bytes()?, row.int()?, row.int()?);
    let token = row.u64()?.saturating_add(1);
    let Value::Int(number) = number(token)? else { return Ok(None) };
    let mut tx = backend.begin(Purpose::WriteOnce).await?;
    if !tx.take_piece(&found, until, number).await? {
        return Ok(None);
    }
    tx.commit().await?;
    Ok(Some(Claim { job: job.to_owned(), patient, token }))
}

/// The state of a claimed piece, and its token. Its row is held until the end of the change.
async fn claimed(tx: &mut impl Tx, vault: VaultId, claim: &Claim) -> Result<(i64, u64)> {
    let key = vec![vault_key(vault), bytes(&claim.patient), bytes(claim.job.as_bytes())];
    let row = tx.get(&PIECE, key).await?.ok_or(Conflict::Claim)?;
    let mut fields = Reader::new(&PIECE, row).skip(PIECE.key);
    let (state, _lease, token) = (fields.int()?, fields.int()?, fields.u64()?);
    Ok((state, token))
}

/// Refuses who does not have the piece any more.
pub(super) async fn hold(tx: &mut impl Tx, vault: VaultId, claim: &Claim) -> Result<()> {
    let (state, token) = claimed(tx, vault, claim).await?;
    if state == OPEN && token == claim.token { Ok(()) } else { Err(Conflict::Claim.into()) }
}

/// Who was overtaken is refused, and with it whatever else the change holds.
pub(super) async fn done(tx: &mut impl Tx, vault: VaultId, claim: &Claim, outcome: Outcome<'_>) -> Result<()> {
    let (state, reason) = match outcome {
        Outcome::Done => (DONE, ""),
        Outcome::Failed(reason) => (FAILED, reason),
    };
    let (stored, token) = claimed(tx, vault, claim).await?;
    if token != claim.token || (stored != OPEN && stored != state) {
        return Err(Conflict::Claim.into());
    }
    let Value::Int(token) = number(token)? else { return Ok(()) };
    tx.update(&PIECE, piece(vault, bytes(&claim.patient), &claim.job, (state, 0, token), reason)).await
}

pub(super) async fn state(tx: &mut impl Tx, vault: VaultId, job: &str) -> Result<Option<JobState>> {
    let Some((kind, pieces)) = get(tx, vault, job).await? else { return Ok(None) };
    let mut state = JobState { kind, open: 0, done: 0, failed: 0, held_until: 0 };
    for (met, count, lease) in tx.count_pieces(vault.as_bytes().to_vec(), job.as_bytes().to_vec()).await? {
        match met {
            OPEN => (state.open, state.held_until) = (count, lease.try_into().unwrap_or_default()),
            DONE => {}
            FAILED => state.failed = count,
            _ => return Err(Error::Corrupt { table: PIECE.name, what: "a piece in no known state" }),
        }
    }
    state.done = pieces.saturating_sub(state.open).saturating_sub(state.failed);
    Ok(Some(state))
}

pub(super) async fn failures(
    tx: &mut impl Tx,
    vault: VaultId,
    job: &str,
    after: Option<&[u8]>,
    limit: u32,
) -> Result<Vec<Failure>> {
    get(tx, vault, job).await?.ok_or(Missing::Job)?;
    let mut failures = Vec::new();
    let mut after: Vec<Value> = after.map(|after| vec![bytes(after), bytes(job.as_bytes())]).unwrap_or_default();
    loop {
        let page = tx.page(&PIECE, vec![vault_key(vault)], after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        after = page.last().map(|row| rest_of_key(&PIECE, row, 1)).unwrap_or_default();
        for row in page {
            if let Some(failure) = failure(row, job)? {
                failures.push(failure);
            }
            if failures.len() == limit as usize {
                return Ok(failures);
            }
        }
        if last {
            return Ok(failures);
        }
    }
}

fn failure(row: Row, job: &str) -> Result<Option<Failure>> {
    let mut row = Reader::new(&PIECE, row).skip(1);
    let (patient, of, state, _lease, _token) = (row.bytes()?, row.bytes()?, row.int()?, row.int()?, row.int()?);
    if of != job.as_bytes() || state != FAILED {
        return Ok(None);
    }
    Ok(Some(Failure { patient, reason: row.text()? }))
}
