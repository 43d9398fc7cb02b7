//! The re-key that was still to come: records leave cards that are closed.

use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::StreamExt;
use lukko::{FieldLabel, Vault};

use super::failure::{Failure, Named};
use crate::attachments::Attachments;
use crate::jobs::{KeyOf, RekeyJob, Worker};
use crate::placed::How;
use crate::store::Store;

/// For how long one patient may take.
const LEASE: Duration = Duration::from_secs(300);

/// Seals every record that is under an older card anew under its patient's current one, by a [`RekeyJob`] of its own. Call it
/// after [`admit`](super::admit()), which makes the cards that were still to come. Gives how many records moved, and what did
/// not. `deposits` are the fields that hold deposits; `clock` is [`SystemTime::now`], but in tests.
///
/// # Errors
/// If the database or the object store does not answer.
pub async fn move_records(
    store: &impl Store,
    attachments: Option<&Attachments>,
    (vault, by): (&Vault, KeyOf<'_>),
    deposits: &[FieldLabel<'_>],
    clock: fn() -> SystemTime,
) -> Result<(u64, Vec<Named>), Failure> {
    let since = clock().duration_since(UNIX_EPOCH).map_err(|_| Failure::new("the clock is before 1970: set it"))?;
    let job = format!("re-key {}", since.as_nanos());
    let worker = Worker { store, vault: vault.descriptor().vault(), job: &job, lease: LEASE, clock };
    let task = RekeyJob { vault, by, how: How::Reseal, attachments, deposits };
    let mut stream = pin!(worker.run(task));
    let (mut moved, mut findings) = (0_u64, Vec::new());
    while let Some(done) = stream.next().await {
        let done = done?;
        moved = moved.saturating_add(done.written);
        let named = |record, what| Named { patient: done.patient.clone(), record, what };
        findings.extend(done.findings.into_iter().map(|finding| named(finding.record, finding.reason)));
    }
    Ok((moved, findings))
}
