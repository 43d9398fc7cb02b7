//! Records, and the objects of attachments.

use lukko::{FieldLabel, PatientId, RecordId, VaultId};

use super::{bytes, number, patients, read, vault_key};
use crate::backend::{Backend, Purpose, Reader, Tx};
use crate::change::{Body, Change, Expect};
use crate::error::{Conflict, Missing, Result, Usage};
use crate::placed::RecordRow;
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

fn key(vault: VaultId, place: [&[u8]; 3]) -> Vec<Value> {
    let [patient, record, field] = place.map(bytes);
    vec![vault_key(vault), patient, record, field]
}

fn row(vault: VaultId, new: &RecordRow<'_>) -> Result<Row> {
    let RecordRow { patient, record, field, revision, card, body, .. } = *new;
    let (sealed, object, length) = match body {
        Body::Sealed(sealed) => (bytes(sealed), Value::Null, sealed.len() as u64),
        Body::Object { object, length } => (Value::Null, bytes(object.as_bytes()), length),
    };
    let rest = [number(revision)?, bytes(card.as_bytes()), sealed, object, number(length)?];
    Ok(key(vault, [patient, record, field]).into_iter().chain(rest).collect())
}

/// A record that is expected to be a new one, with its bytes.
fn is_new(change: &Change<'_>) -> bool {
    let of_new = |row: &RecordRow<'_>| matches!((row.expect, row.body), (Expect::Absent, Body::Sealed(_)));
    matches!(change, Change::Record(new) if of_new(new.row()))
}

/// With how many new records a change begins.
pub(super) fn leading(changes: &[Change<'_>]) -> usize {
    changes.iter().take_while(|change| is_new(change)).count()
}

fn new_records<'c>(changes: &'c [Change<'_>]) -> impl Iterator<Item = &'c RecordRow<'c>> {
    changes.iter().filter_map(|change| if let Change::Record(new) = change { Some(new.row()) } else { None })
}

/// New records, all at once. Where one of them is there already or is refused, each by itself: the first that is refused
/// says why, and one that this change has just made is the same one.
pub(super) async fn insert(tx: &mut impl Tx, vault: VaultId, changes: &[Change<'_>]) -> Result<()> {
    let rows = new_records(changes).map(|new| row(vault, new)).collect::<Result<Vec<Row>>>()?;
    let wanted = rows.len() as u64;
    if tx.insert_records(vault, rows).await? == wanted {
        return Ok(());
    }
    for new in new_records(changes) {
        put(tx, vault, new).await?;
    }
    Ok(())
}

/// One sealed record that is all of a change: mostly one statement is enough. False, and nothing is changed, if not.
pub(super) async fn alone(backend: &impl Backend, vault: VaultId, new: &RecordRow<'_>) -> Result<bool> {
    if !matches!((new.body, new.expect), (Body::Sealed(_), Expect::Absent | Expect::Revision(_))) {
        return Ok(false);
    }
    let row = row(vault, new)?;
    let mut tx = backend.begin(Purpose::WriteOnce).await?;
    let made = match new.expect {
        Expect::Revision(expected) => replace_at_once(&mut tx, new, row, expected).await?,
        _ => tx.insert_records(vault, vec![row]).await? == 1,
    };
    if made {
        tx.commit().await?;
    }
    Ok(made)
}

/// The next revision of a sealed record: mostly the stored one is what the writer says, and need not be read.
async fn replace_at_once(tx: &mut impl Tx, new: &RecordRow<'_>, row: Row, expected: u64) -> Result<bool> {
    match number(expected)? {
        Value::Int(stored) if new.revision > expected => tx.replace_record(row, stored).await,
        _ => Ok(false),
    }
}

pub(super) async fn put(tx: &mut impl Tx, vault: VaultId, new: &RecordRow<'_>) -> Result<()> {
    let RecordRow { patient, record, field, card, body, expect, .. } = *new;
    let row = row(vault, new)?;
    if let (Body::Sealed(_), Expect::Revision(expected)) = (body, expect)
        && replace_at_once(tx, new, row.clone(), expected).await?
    {
        return Ok(());
    }
    patients::require_current(tx, vault, PatientId::new(patient)?, card).await?;
    if expect != Expect::Absent || !tx.insert(&RECORD, row.clone()).await? {
        let stored =
            tx.get(&RECORD, key(vault, [patient, record, field])).await?.ok_or(Conflict::Record { stored: None })?;
        if stored == row {
            // Made already. Whoever announced the object again before that means this record.
            return if let Body::Object { object, .. } = body { swept(tx, vault, object).await } else { Ok(()) };
        }
        replace(tx, vault, new, read::record_row(stored)?, row).await?;
    }
    if let Body::Object { object, .. } = body { named(tx, vault, object).await } else { Ok(()) }
}

async fn replace(tx: &mut impl Tx, vault: VaultId, new: &RecordRow<'_>, stored: Record, row: Row) -> Result<()> {
    let RecordRow { revision, expect, .. } = *new;
    match expect {
        Expect::Revision(expected) if revision <= expected => return Err(Usage::RevisionBackwards.into()),
        Expect::Revision(expected) if expected == stored.revision => {}
        Expect::Body(body) if body == stored.body && revision == stored.revision => {}
        _ => return Err(Conflict::Record { stored: Some(stored.revision) }.into()),
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
    let place = [place.0.as_bytes(), place.1.as_bytes(), place.2.as_bytes()];
    let Some(row) = tx.get(&RECORD, key(vault, place)).await? else { return Ok(()) };
    let stored = read::record_row(row)?;
    if stored.revision != revision {
        return Err(Conflict::Record { stored: Some(stored.revision) }.into());
    }
    tx.delete(&RECORD, key(vault, place)).await?;
    give_up(tx, vault, &stored.body).await
}

/// An object that no record names any more is deleted later, by [`sweep`](crate::Attachments::sweep).
pub(super) async fn give_up(tx: &mut impl Tx, vault: VaultId, body: &StoredBody) -> Result<()> {
    match body {
        StoredBody::Sealed(_) => Ok(()),
        StoredBody::Object { object, .. } => {
            announce(tx, vault, object, 0).await?;
            // Whoever announced it beside the record, at a time that never comes, does not keep it from being swept.
            tx.update(&OBJECT, vec![vault_key(vault), bytes(object.as_bytes()), Value::Int(0)]).await
        }
    }
}

pub(super) async fn announce(tx: &mut impl Tx, vault: VaultId, object: &str, at: u64) -> Result<()> {
    tx.insert(&OBJECT, vec![vault_key(vault), bytes(object.as_bytes()), number(at)?]).await?;
    Ok(())
}

/// A record names an object that was announced, and not given up since: a sweep may be deleting those.
async fn named(tx: &mut impl Tx, vault: VaultId, object: &str) -> Result<()> {
    let key = vec![vault_key(vault), bytes(object.as_bytes())];
    let row = tx.get(&OBJECT, key.clone()).await?.ok_or(Missing::Object)?;
    if Reader::new(&OBJECT, row).skip(OBJECT.key).u64()? == 0 {
        return Err(Missing::Object.into());
    }
    tx.delete(&OBJECT, key).await?;
    Ok(())
}

/// Only the row of an object that no record names says that it may be deleted: somebody may have written such a row for an
/// object that is in use, to have it deleted in a bucket that he cannot reach himself.
pub(super) async fn give_up_announced(tx: &mut impl Tx, vault: VaultId, object: &str) -> Result<()> {
    let key = vec![vault_key(vault), bytes(object.as_bytes())];
    tx.get(&OBJECT, key.clone()).await?.ok_or(Missing::Object)?;
    if tx.names_object(vault.as_bytes().to_vec(), object.as_bytes().to_vec()).await? {
        return Err(Conflict::Object.into());
    }
    tx.update(&OBJECT, key.into_iter().chain([Value::Int(0)]).collect()).await
}

pub(super) async fn swept(tx: &mut impl Tx, vault: VaultId, object: &str) -> Result<()> {
    tx.delete(&OBJECT, vec![vault_key(vault), bytes(object.as_bytes())]).await?;
    Ok(())
}
