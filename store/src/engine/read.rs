//! Reading.

use lukko::{CardId, FieldLabel, KeyFingerprint, PatientId, RecordId, VaultId};

use super::{bytes, number, vault_key};
use crate::backend::{Reader, Tx};
use crate::error::{Error, Result};
use crate::rows::{After, Endorsed, Generation, Grant, MasterGrant, Patient, Record, StoredBody};
use crate::table::{
    CARD, ENDORSEMENT, GENERATION, GRANT, MEMBER, OBJECT, PATIENT, RECORD, Row, Table, Value, WITHDRAWN,
};

/// Rows that are read at once, where all of them are needed.
const PAGE: u32 = 500;

/// All rows with this beginning of their key.
pub(super) async fn all(tx: &mut impl Tx, table: &'static Table, prefix: Vec<Value>) -> Result<Vec<Row>> {
    let (mut rows, mut after) = (Vec::new(), Vec::new());
    loop {
        let page = tx.page(table, prefix.clone(), after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        after = page.last().map(|row| rest_of_key(table, row, prefix.len())).unwrap_or_default();
        rows.extend(page);
        if last {
            return Ok(rows);
        }
    }
}

pub(super) fn rest_of_key(table: &Table, row: &Row, prefix: usize) -> Vec<Value> {
    row.iter().take(table.key).skip(prefix).cloned().collect()
}

pub(super) fn generation(row: Row) -> Result<Generation> {
    let mut row = Reader::new(&GENERATION, row).skip(1);
    Ok(Generation {
        generation: row.u32()?,
        descriptor: row.bytes()?,
        statement: row.optional_bytes()?,
        version: row.u64()?,
        roster: row.bytes()?,
        retired: row.int()? != 0,
    })
}

pub(super) async fn generations(tx: &mut impl Tx, vault: VaultId) -> Result<Vec<Generation>> {
    all(tx, &GENERATION, vec![vault_key(vault)]).await?.into_iter().map(generation).collect()
}

pub(super) async fn members(tx: &mut impl Tx, vault: VaultId) -> Result<Vec<Vec<u8>>> {
    let rows = all(tx, &MEMBER, vec![vault_key(vault)]).await?;
    rows.into_iter().map(|row| Reader::new(&MEMBER, row).skip(MEMBER.key).bytes()).collect()
}

pub(super) async fn patients(
    tx: &mut impl Tx,
    vault: VaultId,
    after: Option<&[u8]>,
    limit: u32,
) -> Result<Vec<Vec<u8>>> {
    let after = after.map(bytes).into_iter().collect();
    let rows = tx.page(&PATIENT, vec![vault_key(vault)], after, limit).await?;
    rows.into_iter().map(|row| Reader::new(&PATIENT, row).skip(1).bytes()).collect()
}

/// Everything of a patient's key, from one moment.
pub(super) async fn patient(tx: &mut impl Tx, vault: VaultId, patient: PatientId<'_>) -> Result<Patient> {
    let key = vec![vault_key(vault), bytes(patient.as_bytes())];
    let mut found = Patient::default();
    for row in all(tx, &PATIENT, key.clone()).await? {
        let mut row = Reader::new(&PATIENT, row).skip(PATIENT.key.saturating_add(1));
        let twice = found.current.replace(CardId::from_bytes(row.array()?)).is_some();
        if twice {
            return Err(Error::Corrupt { table: PATIENT.name, what: "a key is there two times" });
        }
    }
    for row in all(tx, &CARD, key.clone()).await? {
        found.cards.push(card(row)?);
    }
    for row in all(tx, &ENDORSEMENT, key.clone()).await? {
        found.endorsed.push(endorsed(row)?);
    }
    for row in all(tx, &WITHDRAWN, key.clone()).await? {
        found.withdrawn.push(withdrawn(row)?);
    }
    for row in all(tx, &GRANT, key).await? {
        match grant(row)? {
            AnyGrant::Member(grant) => found.grants.push(grant),
            AnyGrant::Master(grant) => found.master_grants.push(grant),
        }
    }
    Ok(found)
}

pub(super) fn card(row: Row) -> Result<(CardId, Vec<u8>)> {
    let mut row = Reader::new(&CARD, row).skip(CARD.key);
    Ok((CardId::from_bytes(row.array()?), row.bytes()?))
}

pub(super) fn endorsed(row: Row) -> Result<Endorsed> {
    let mut row = Reader::new(&ENDORSEMENT, row).skip(2);
    let (generation, card) = (row.u32()?, CardId::from_bytes(row.array()?));
    Ok(Endorsed { generation, card, endorsement: row.bytes()?, master_grant: row.bytes()? })
}

/// The key of a member whose grant was withdrawn.
pub(super) fn withdrawn(row: Row) -> Result<KeyFingerprint> {
    Reader::new(&WITHDRAWN, row).skip(2).array().map(KeyFingerprint::from_bytes)
}

/// A row of grants: to a member, or of an older card to the master key.
pub(super) enum AnyGrant {
    Member(Grant),
    Master(MasterGrant),
}

pub(super) fn grant(row: Row) -> Result<AnyGrant> {
    let mut row = Reader::new(&GRANT, row).skip(2);
    let card = CardId::from_bytes(row.array()?);
    match row.u32()? {
        0 => {
            let to = KeyFingerprint::from_bytes(row.array()?);
            Ok(AnyGrant::Member(Grant { card, to, bytes: row.bytes()? }))
        }
        generation => {
            let (_, bytes) = (row.bytes()?, row.bytes()?);
            Ok(AnyGrant::Master(MasterGrant { card, generation, bytes }))
        }
    }
}

pub(super) fn record_row(row: Row) -> Result<Record> {
    let mut row = Reader::new(&RECORD, row).skip(2);
    let (record, field, revision) = (row.bytes()?, row.bytes()?, row.u64()?);
    let (card, sealed, object) = (CardId::from_bytes(row.array()?), row.optional_bytes()?, row.optional_bytes()?);
    let fault = |what| Error::Corrupt { table: RECORD.name, what };
    let body = match (sealed, object) {
        (Some(sealed), None) => StoredBody::Sealed(sealed),
        (None, Some(object)) => {
            let object = String::from_utf8(object).map_err(|_| fault("an object's name is not UTF-8"))?;
            StoredBody::Object { object, length: row.u64()? }
        }
        _ => return Err(fault("a record needs either bytes or an object")),
    };
    Ok(Record { record, field, revision, card, body })
}

pub(super) async fn record(
    tx: &mut impl Tx,
    vault: VaultId,
    patient: PatientId<'_>,
    record: RecordId<'_>,
    field: FieldLabel<'_>,
) -> Result<Option<Record>> {
    let key = vec![vault_key(vault), bytes(patient.as_bytes()), bytes(record.as_bytes()), bytes(field.as_bytes())];
    tx.get(&RECORD, key).await?.map(record_row).transpose()
}

pub(super) async fn records(
    tx: &mut impl Tx,
    vault: VaultId,
    patient: PatientId<'_>,
    after: Option<After<'_>>,
    limit: u32,
) -> Result<Vec<Record>> {
    let after = after.map(|after| vec![bytes(after.record), bytes(after.field)]).unwrap_or_default();
    let rows = tx.page(&RECORD, vec![vault_key(vault), bytes(patient.as_bytes())], after, limit).await?;
    rows.into_iter().map(record_row).collect()
}

pub(super) async fn unnamed_objects(tx: &mut impl Tx, vault: VaultId, before: u64, limit: u32) -> Result<Vec<String>> {
    let before = number(before)?;
    let rows = all(tx, &OBJECT, vec![vault_key(vault)]).await?;
    let old = rows.into_iter().filter(|row| row.get(2).is_some_and(|since| *since < before));
    // A name that is no text was not drawn here, and stops no sweep.
    let names = old.filter_map(|row| Reader::new(&OBJECT, row).skip(1).text().ok());
    Ok(names.take(limit as usize).collect())
}
