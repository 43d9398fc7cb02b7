//! Records, and the objects of attachments.

use lukko::{FieldLabel, PatientId, RecordId, VaultId};

use super::{bytes, number, patients, read, vault_key};
use crate::backend::Tx;
use crate::change::{Body, Expect, NewRecord};
use crate::error::{Conflict, Counted, Error, Result, Usage};
use crate::rows::{Record, StoredBody};
use crate::table::{OBJECT, RECORD, Row, Value};

impl PartialEq<StoredBody> for Body<'_> {
    fn eq(&self, stored: &StoredBody) -> bool {
        match (self, stored) {
            (Self::Sealed(bytes), StoredBody::Sealed(stored)) => bytes == stored,
            (Self::Object { object, .. }, StoredBody::Object { object: stored, .. }) => object == stored,
            _ => false,
        }
    }
}

fn key(vault: VaultId, (patient, record, field): (PatientId<'_>, RecordId<'_>, FieldLabel<'_>)) -> Vec<Value> {
    vec![vault_key(vault), bytes(patient.as_bytes()), bytes(record.as_bytes()), bytes(field.as_bytes())]
}

pub(super) async fn put(tx: &mut impl Tx, vault: VaultId, new: &NewRecord<'_>) -> Result<()> {
    let NewRecord { patient, record, field, revision, card, body, expect } = *new;
    patients::require_current(tx, vault, patient, card).await?;
    let key = key(vault, (patient, record, field));
    let (sealed, object, length) = match body {
        Body::Sealed(sealed) => (bytes(sealed), Value::Null, sealed.len() as u64),
        Body::Object { object, length } => (Value::Null, bytes(object.as_bytes()), length),
    };
    let rest = [number(revision)?, bytes(card.as_bytes()), sealed, object, number(length)?];
    let row: Row = key.iter().cloned().chain(rest).collect();
    if expect != Expect::Absent || !tx.insert(&RECORD, row.clone()).await? {
        let stored = tx.get(&RECORD, key).await?.ok_or(Conflict::Record)?;
        if stored == row {
            return Ok(());
        }
        replace(tx, vault, new, read::record_row(stored)?, row).await?;
    }
    if let Body::Object { object, .. } = body { named(tx, vault, object).await } else { Ok(()) }
}

async fn replace(tx: &mut impl Tx, vault: VaultId, new: &NewRecord<'_>, stored: Record, row: Row) -> Result<()> {
    let NewRecord { revision, expect, .. } = *new;
    if revision < stored.revision {
        return Err(Error::Stale { what: Counted::Revision, stored: stored.revision, given: revision });
    }
    match expect {
        Expect::Revision(expected) if revision <= expected => return Err(Usage::RevisionBackwards.into()),
        Expect::Revision(expected) if expected == stored.revision => {}
        Expect::Body(body) if body == stored.body && revision == stored.revision => {}
        _ => return Err(Conflict::Record.into()),
    }
    tx.update(&RECORD, row).await?;
    give_up(tx, vault, &stored.body).await
}

/// Deletes a record. One that is gone already is no mistake: the reply may have been lost.
pub(super) async fn delete(
    tx: &mut impl Tx,
    vault: VaultId,
    place: (PatientId<'_>, RecordId<'_>, FieldLabel<'_>),
    revision: u64,
) -> Result<()> {
    patients::current(tx, vault, place.0).await?;
    let Some(row) = tx.get(&RECORD, key(vault, place)).await? else { return Ok(()) };
    let stored = read::record_row(row)?;
    if stored.revision != revision {
        return Err(Conflict::Record.into());
    }
    tx.delete(&RECORD, key(vault, place)).await?;
    give_up(tx, vault, &stored.body).await
}

/// An object that no record names any more is deleted later, by [`sweep`](crate::Attachments::sweep).
pub(super) async fn give_up(tx: &mut impl Tx, vault: VaultId, body: &StoredBody) -> Result<()> {
    match body {
        StoredBody::Sealed(_) => Ok(()),
        StoredBody::Object { object, .. } => announce(tx, vault, object, 0).await,
    }
}

pub(super) async fn announce(tx: &mut impl Tx, vault: VaultId, object: &str, at: u64) -> Result<()> {
    tx.insert(&OBJECT, vec![vault_key(vault), bytes(object.as_bytes()), number(at)?]).await?;
    Ok(())
}

pub(super) async fn named(tx: &mut impl Tx, vault: VaultId, object: &str) -> Result<()> {
    tx.delete(&OBJECT, vec![vault_key(vault), bytes(object.as_bytes())]).await?;
    Ok(())
}
