//! Erasure, and the parts of its receipt.

use lukko::{CardId, KeyFingerprint, VaultId};

use super::{bytes, custody, jobs, number, patients, read, records, vault_key};
use crate::backend::{Reader, Tx};
use crate::change::{Erase, Outcome, Part, Records};
use crate::error::{Conflict, Error, Missing, Result, Usage};
use crate::rows::{Erasure, Scrub};
use crate::table::{CARD, ENDORSEMENT, ERASURE, ERASURE_PART, GRANT, PATIENT, PIECE, RECORD, Value};

/// Everything in one transaction: there is no moment at which a patient is half erased.
pub(super) async fn erase(tx: &mut impl Tx, vault: VaultId, erase: &Erase<'_>) -> Result<()> {
    let Erase { patient, cards, keys, roster_version, at, records, claim } = *erase;
    let erasure = *cards.first().ok_or(Usage::NoCard)?;
    let newest = custody::newest(tx, vault).await?;
    if newest.version < roster_version {
        return Err(Usage::ErasureBeforeRoster.into());
    }
    let parts = (cards, keys, newest.generation);
    let Some((_, current)) = patients::current(tx, vault, patient).await? else {
        // No row is held that would keep an enrolment of the same id out: what it makes is another patient's.
        return note(tx, vault, erasure, roster_version, at, Some(parts)).await;
    };
    // Enrolled anew under the same id: this is another patient's key, and the erasure is done.
    if !cards.contains(&current) {
        return note(tx, vault, erasure, roster_version, at, None).await;
    }
    if let Some(claim) = claim {
        jobs::done(tx, vault, claim, Outcome::Done).await?;
    }
    let prefix = vec![vault_key(vault), bytes(patient.as_bytes())];
    let keys = granted(tx, prefix.clone(), keys).await?;
    for table in [&ENDORSEMENT, &GRANT, &CARD, &PATIENT, &PIECE] {
        tx.delete(table, prefix.clone()).await?;
    }
    if records == Records::Delete {
        for row in read::all(tx, &RECORD, prefix.clone()).await? {
            records::give_up(tx, vault, &read::record_row(row)?.body).await?;
        }
        tx.delete(&RECORD, prefix).await?;
    }
    note(tx, vault, erasure, roster_version, at, Some((cards, &keys, newest.generation))).await
}

/// These keys, and those of every grant that is stored now: one may have come since the caller looked.
async fn granted(tx: &mut impl Tx, patient: Vec<Value>, keys: &[KeyFingerprint]) -> Result<Vec<KeyFingerprint>> {
    let mut keys = keys.to_vec();
    for row in read::all(tx, &GRANT, patient).await? {
        let mut row = Reader::new(&GRANT, row).skip(3);
        if row.int()? == 0 {
            let key = KeyFingerprint::from_bytes(row.array()?);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

type Parts<'a> = (&'a [CardId], &'a [KeyFingerprint], u32);

async fn note(
    tx: &mut impl Tx,
    vault: VaultId,
    erasure: CardId,
    roster_version: u64,
    at: u64,
    parts: Option<Parts<'_>>,
) -> Result<()> {
    let row = vec![vault_key(vault), bytes(erasure.as_bytes()), number(roster_version)?, number(at)?, Value::Int(0)];
    if !tx.insert(&ERASURE, row).await? {
        return Ok(());
    }
    let (cards, keys, generation) = parts.ok_or(Conflict::Card)?;
    for card in cards {
        insert_part(tx, vault, erasure, Part::Card(*card), Some(at)).await?;
    }
    for generation in 1..=generation {
        insert_part(tx, vault, erasure, Part::Generation(generation), None).await?;
    }
    for key in keys {
        insert_part(tx, vault, erasure, Part::Key(*key), None).await?;
    }
    Ok(())
}

fn part_key(vault: VaultId, erasure: CardId, part: Part) -> Vec<Value> {
    let (kind, subject) = match part {
        Part::Card(card) => (1, card.as_bytes().to_vec()),
        Part::Generation(generation) => (2, generation.to_be_bytes().to_vec()),
        Part::Key(key) => (3, key.as_bytes().to_vec()),
    };
    vec![vault_key(vault), bytes(erasure.as_bytes()), Value::Int(kind), Value::Bytes(subject)]
}

async fn insert_part(tx: &mut impl Tx, vault: VaultId, erasure: CardId, part: Part, at: Option<u64>) -> Result<()> {
    let mut row = part_key(vault, erasure, part);
    row.push(at.map_or(Ok(Value::Null), number)?);
    tx.insert(&ERASURE_PART, row).await?;
    Ok(())
}

/// The first date stays.
pub(super) async fn reached(tx: &mut impl Tx, vault: VaultId, erasure: CardId, part: Part, at: u64) -> Result<()> {
    let key = part_key(vault, erasure, part);
    let row = tx.get(&ERASURE_PART, key.clone()).await?.ok_or(Missing::Erasure)?;
    if row.last() != Some(&Value::Null) {
        return Ok(());
    }
    tx.update(&ERASURE_PART, key.into_iter().chain([number(at)?]).collect()).await
}

const fn scrub_number(scrub: Option<Scrub>) -> i64 {
    match scrub {
        None => 0,
        Some(Scrub::Tables) => 1,
        Some(Scrub::Files) => 2,
    }
}

fn scrub_of(number: i64) -> Result<Option<Scrub>> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(Scrub::Tables)),
        2 => Ok(Some(Scrub::Files)),
        _ => Err(Error::Corrupt { table: ERASURE.name, what: "an erasure that was scrubbed in no known way" }),
    }
}

pub(super) async fn scrubbed(tx: &mut impl Tx, vault: VaultId, erasure: CardId, scrub: Scrub) -> Result<()> {
    let key = vec![vault_key(vault), bytes(erasure.as_bytes())];
    let mut row = tx.get(&ERASURE, key).await?.ok_or(Missing::Erasure)?;
    if let Some(scrubbed) = row.last_mut() {
        *scrubbed = Value::Int(scrub_number(Some(scrub)));
    }
    tx.update(&ERASURE, row).await
}

pub(super) async fn list(tx: &mut impl Tx, vault: VaultId) -> Result<Vec<Erasure>> {
    let mut erasures = Vec::new();
    for row in read::all(tx, &ERASURE, vec![vault_key(vault)]).await? {
        let mut row = Reader::new(&ERASURE, row).skip(1);
        let erasure = CardId::from_bytes(row.array()?);
        let (roster_version, at, scrubbed) = (row.u64()?, row.u64()?, scrub_of(row.int()?)?);
        let parts = parts(tx, vault, erasure).await?;
        erasures.push(Erasure { erasure, roster_version, at, scrubbed, parts });
    }
    Ok(erasures)
}

async fn parts(tx: &mut impl Tx, vault: VaultId, erasure: CardId) -> Result<Vec<(Part, Option<u64>)>> {
    let fault = |what| Error::Corrupt { table: ERASURE_PART.name, what };
    let mut parts = Vec::new();
    for row in read::all(tx, &ERASURE_PART, vec![vault_key(vault), bytes(erasure.as_bytes())]).await? {
        let mut row = Reader::new(&ERASURE_PART, row).skip(2);
        let part = match row.int()? {
            1 => Part::Card(CardId::from_bytes(row.array()?)),
            2 => {
                let number = row.bytes()?.try_into().map_err(|_| fault("a generation has not 4 bytes"))?;
                Part::Generation(u32::from_be_bytes(number))
            }
            3 => Part::Key(KeyFingerprint::from_bytes(row.array()?)),
            _ => return Err(fault("a part of no known kind")),
        };
        parts.push((part, row.optional_u64()?));
    }
    Ok(parts)
}
