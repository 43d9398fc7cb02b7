//! One logical change: its parts, one after the other, in one transaction.

use lukko::{CardId, VaultId};

use super::{custody, erasure, jobs, patients, receipt, records};
use crate::backend::Tx;
use crate::change::Change;
use crate::error::{Result, Usage};
use crate::placed::{GrantRow, MasterGrantRow};

/// What can be refused before the database is asked.
pub(super) fn check(vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
    let endorsed =
        |card: CardId| changes.iter().any(|change| matches!(change, Change::Endorse(e) if e.row().card == card));
    for change in changes {
        match change {
            Change::Card(card) if !endorsed(card.row().card) => return Err(Usage::CardAlone.into()),
            Change::Card(card) => card.require_vault(vault)?,
            Change::Endorse(endorsement) => endorsement.require_vault(vault)?,
            Change::Grant(grant) => grant.require_vault(vault)?,
            Change::MasterGrant(grant) => grant.require_vault(vault)?,
            Change::Record(record) => record.require_vault(vault)?,
            _ => {}
        }
    }
    Ok(())
}

pub(super) async fn all(tx: &mut impl Tx, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
    let mut rest = changes;
    loop {
        let (new, behind) = rest.split_at(records::leading(rest));
        if !new.is_empty() {
            records::insert(tx, vault, new).await?;
        }
        let Some((first, behind)) = behind.split_first() else { return Ok(()) };
        one(tx, vault, first).await?;
        rest = behind;
    }
}

async fn one(tx: &mut impl Tx, vault: VaultId, change: &Change<'_>) -> Result<()> {
    match *change {
        Change::Generation(new) => custody::generation(tx, vault, &new).await,
        Change::Member { key, entry } => custody::member(tx, vault, key, entry).await,
        Change::Roster { generation, version, roster } => custody::roster(tx, vault, generation, version, roster).await,
        Change::Retire { generation, losing } => custody::retire(tx, vault, generation, losing).await,
        Change::Card(new) => patients::card(tx, vault, new.row()).await,
        Change::Endorse(new) => patients::endorse(tx, vault, new.row()).await,
        Change::Grant(new) => {
            let GrantRow { patient, card, to, grant, replaces } = *new.row();
            let place = patients::Place { patient, card, generation: 0, to: Some(to) };
            patients::grant(tx, vault, &place, grant, replaces).await
        }
        Change::MasterGrant(new) => {
            let MasterGrantRow { patient, card, generation, grant, replaces } = *new.row();
            let place = patients::Place { patient, card, generation, to: None };
            patients::master_grant(tx, vault, &place, grant, replaces).await
        }
        Change::Withdraw { patient, card, from } => patients::withdraw(tx, vault, (patient, card), from).await,
        Change::Withdrawn { patient, from } => patients::withdrawn(tx, vault, patient, from).await,
        Change::Record(new) => records::put(tx, vault, new.row()).await,
        Change::Delete { patient, record, field, revision } => {
            records::delete(tx, vault, (patient, record, field), revision).await
        }
        Change::Erase(erase) => erasure::erase(tx, vault, &erase).await,
        Change::Receipt(erasure) => receipt::copied(tx, vault, erasure).await,
        Change::Reached { erasure, part, at } => receipt::reached(tx, vault, erasure, part, at).await,
        Change::Job { job, kind, over } => jobs::begin(tx, vault, job, kind, over).await,
        Change::Hold { claim } => jobs::hold(tx, vault, claim).await,
        Change::Done { claim, outcome } => jobs::done(tx, vault, claim, outcome).await,
        Change::Upload { object, at } => records::announce(tx, vault, object, at).await,
        Change::GiveUp { object } => records::give_up_announced(tx, vault, object).await,
        Change::Swept { object } => records::swept(tx, vault, object).await,
    }
}
