//! Checks every object of a vault.

use std::collections::BTreeSet;
use std::time::SystemTime;

use lukko::{FieldLabel, Vault};

use super::failure::{Failure, Named};
use super::listing::patients;
use super::work;
use crate::attachments::Attachments;
use crate::jobs::{KeyOf, VerifyJob};
use crate::store::Store;

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
    let task = VerifyJob { vault, by, attachments, deposits };
    let all = work::to_the_end("verify", (store, id), task, clock).await?;
    let checked: BTreeSet<_> = all.iter().map(|done| done.patient.clone()).collect();
    if expected.iter().all(|patient| checked.contains(patient)) {
        return Ok((checked.len(), work::findings(all)));
    }
    Err(Failure::new("not every patient was checked: run it again"))
}
