//! Checks every object of a vault.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use lukko::{FieldLabel, Vault};

use super::failure::{Failure, Named};
use super::listing::patients;
use crate::attachments::Attachments;
use crate::jobs::{KeyOf, VerifyJob, Worker};
use crate::store::Store;

/// For how long one patient may take.
const LEASE: Duration = Duration::from_secs(300);

/// Opens every patient's key and every record by a [`VerifyJob`] of its own. Gives how many patients there are, and what does
/// not open. `deposits` are the fields that hold deposits; `clock` is [`SystemTime::now`], but in tests.
///
/// # Errors
/// If the database does not answer, or not every patient was checked.
pub async fn verify(
    store: &impl Store,
    attachments: Option<&Attachments>,
    (vault, by): (&Vault, KeyOf<'_>),
    deposits: &[FieldLabel<'_>],
    clock: fn() -> SystemTime,
) -> Result<(usize, Vec<Named>), Failure> {
    let id = vault.descriptor().vault();
    let expected = patients(store, id).await?;
    let since = clock().duration_since(UNIX_EPOCH).map_err(|_| Failure::new("the clock is before 1970: set it"))?;
    // A name of its own: a job that is over is not begun again.
    let job = format!("verify {}", since.as_nanos());
    let worker = Worker { store, vault: id, job: &job, lease: LEASE, clock };
    let mut stream = pin!(worker.run(VerifyJob { vault, by, attachments, deposits }));
    let (mut checked, mut findings) = (BTreeSet::new(), Vec::new());
    while let Some(done) = stream.next().await {
        let done = done?;
        let named = |record, what| Named { patient: done.patient.clone(), record, what };
        findings.extend(done.findings.into_iter().map(|finding| named(finding.record, finding.reason)));
        checked.insert(done.patient);
    }
    if expected.iter().all(|patient| checked.contains(patient)) {
        return Ok((checked.len(), findings));
    }
    Err(Failure::new("not every patient was checked: run it again"))
}
