//! A job of its own, run to its end by this process alone.

use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use lukko::VaultId;

use super::failure::{Failure, Named};
use crate::jobs::{Progress, Task, Worker};
use crate::store::Store;

/// For how long one patient may take.
const LEASE: Duration = Duration::from_secs(300);

/// Runs a task under a new name that begins with `kind`: a job that is over is not begun again. Gives what was done for each
/// patient.
///
/// # Errors
/// If the database or the object store does not answer.
pub(super) async fn to_the_end<S: Store, T: Task + Send>(
    kind: &str,
    (store, vault): (&S, VaultId),
    task: T,
    clock: fn() -> SystemTime,
) -> Result<Vec<Progress>, Failure> {
    let since = clock().duration_since(UNIX_EPOCH).map_err(|_| Failure::new("the clock is before 1970: set it"))?;
    let job = format!("{kind} {}", since.as_nanos());
    let worker = Worker { store, vault, job: &job, lease: LEASE, clock };
    let (mut stream, mut all) = (pin!(worker.run(task)), Vec::new());
    while let Some(done) = stream.next().await {
        all.push(done?);
    }
    Ok(all)
}

/// What could not be read or done, with its patient.
pub(super) fn findings(all: Vec<Progress>) -> Vec<Named> {
    let of = |Progress { patient, findings, .. }: Progress| {
        findings.into_iter().map(move |finding| Named {
            patient: patient.clone(),
            record: finding.record,
            what: finding.reason,
        })
    };
    all.into_iter().flat_map(of).collect()
}
