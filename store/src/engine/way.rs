//! The quorum's way to every record.
//!
//! **For every card under which a record is stored, and every generation that is not retired, the quorum has a grant that
//! opens (the endorsement's master grant, or a master grant among the patient's grants), or a job's report names the card.**
//!
//! The engine has no key. It sees to it that the row of such a grant exists: no change takes the last one away, except an
//! erasure. Whether the grant opens is found out by the jobs that have a key: `RotationJob` and `VerifyJob`.

use std::collections::BTreeSet;

use lukko::{PatientId, VaultId};

use super::patients::Place;
use crate::backend::Tx;
use crate::error::Result;
use crate::table::{GRANT, Row, Value};

/// Patients that are read at once.
const PAGE: u32 = 500;

/// Keeps the master grant of a card whose endorsement is replaced by that of another card. It was the one in use: it takes
/// the place of whatever is stored there.
pub(super) async fn keep(tx: &mut impl Tx, vault: VaultId, place: &Place<'_>, grant: Vec<u8>) -> Result<()> {
    let row: Row = place.key(vault).into_iter().chain([Value::Bytes(grant)]).collect();
    if tx.insert(&GRANT, row.clone()).await? {
        return Ok(());
    }
    tx.get(&GRANT, place.key(vault)).await?;
    tx.update(&GRANT, row).await
}

/// How many patients have a card that is current or that a record names, and of which no later generation in use has a master
/// grant: whether the card's own row is there or not. A generation is in use if it is stored and not retired. Patients in
/// `losing` are not counted.
pub(super) async fn lost(tx: &mut impl Tx, vault: VaultId, generation: u32, losing: &[PatientId<'_>]) -> Result<u64> {
    let losing: BTreeSet<&[u8]> = losing.iter().map(|patient| patient.as_bytes()).collect();
    let (mut count, mut after) = (0_u64, Vec::new());
    loop {
        let page = tx.without_way(vault.as_bytes().to_vec(), generation.into(), after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        for patient in &page {
            count = count.saturating_add((!losing.contains(patient.as_slice())).into());
        }
        match page.into_iter().next_back() {
            Some(patient) if !last => after = patient,
            _ => return Ok(count),
        }
    }
}
