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
use super::{bytes, read, vault_key};
use crate::backend::{Tx, Wayless};
use crate::error::Result;
use crate::table::{ENDORSEMENT, GRANT, Row, Value};

/// Cards that are read at once.
const PAGE: u32 = 500;
/// A generation that nothing is stored for.
const NONE: i64 = -1;

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
    let in_use = read::generations(tx, vault).await?.into_iter().filter(|of| of.generation > generation && !of.retired);
    let later: Vec<i64> = in_use.map(|of| of.generation.into()).collect();
    let (first, others) = later.split_first().map_or((NONE, &[][..]), |(first, others)| (*first, others));
    let (mut count, mut counted, mut after) = (0_u64, Vec::new(), (Vec::new(), Vec::new()));
    loop {
        let page = tx.without_way(vault.as_bytes().to_vec(), first, after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        for card in &page {
            let seen = counted == card.patient || losing.contains(card.patient.as_slice());
            if !seen && is_lost(tx, vault, card, others).await? {
                counted.clone_from(&card.patient);
                count = count.saturating_add(1);
            }
        }
        match page.into_iter().next_back() {
            Some(card) if !last => after = (card.patient, card.card),
            _ => return Ok(count),
        }
    }
}

/// A card without a master grant in one generation: whether the others have none either. A card that was erased, whose
/// records were kept, is not lost: it has no row, and is on a receipt.
async fn is_lost(tx: &mut impl Tx, vault: VaultId, wayless: &Wayless, others: &[i64]) -> Result<bool> {
    let Wayless { patient, card, stored } = wayless;
    let of_patient = [vault_key(vault), bytes(patient)];
    for generation in others {
        let mut endorsement = of_patient.to_vec();
        endorsement.push(Value::Int(*generation));
        let endorsed = tx.get(&ENDORSEMENT, endorsement).await?;
        if endorsed.is_some_and(|row| row.get(ENDORSEMENT.key) == Some(&bytes(card))) {
            return Ok(false);
        }
        let mut grant = of_patient.to_vec();
        grant.extend([bytes(card), Value::Int(*generation), bytes(&[])]);
        if tx.get(&GRANT, grant).await?.is_some() {
            return Ok(false);
        }
    }
    Ok(*stored || !tx.is_erased(vault.as_bytes().to_vec(), card.clone()).await?)
}
