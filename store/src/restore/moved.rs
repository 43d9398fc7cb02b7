//! The re-key that was still to come: records leave cards that are closed.

use std::time::SystemTime;

use lukko::{FieldLabel, Vault};

use super::failure::{Failure, Named};
use super::work;
use crate::attachments::Attachments;
use crate::jobs::{KeyOf, RekeyJob};
use crate::placed::How;
use crate::store::Store;

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
    let task = RekeyJob { vault, by, how: How::Reseal, attachments, deposits };
    let all = work::to_the_end("re-key", (store, vault.descriptor().vault()), task, clock).await?;
    let moved = all.iter().fold(0_u64, |moved, done| moved.saturating_add(done.written));
    Ok((moved, work::findings(all)))
}
