//! Receipts of erasures: their parts, and when each was reached.

use std::collections::BTreeSet;

use lukko::{CardId, KeyFingerprint, VaultId};

use super::{bytes, number, read, vault_key};
use crate::backend::{Reader, Tx};
use crate::change::Part;
use crate::error::{Error, Missing, Result};
use crate::rows::{Erasure, Scrub};
use crate::table::{ERASURE, ERASURE_PART, Value};

/// What an erasure adds to its receipt.
pub(super) struct New {
    /// The name, which is that of a card.
    pub(super) erasure: CardId,
    pub(super) roster_version: u64,
    pub(super) at: u64,
    pub(super) parts: BTreeSet<Part>,
    /// Whether rows were deleted just now: what a scrub reached before is then not true any more.
    pub(super) deleted: bool,
}

/// Whether there is a receipt of this name.
pub(super) async fn is_there(tx: &mut impl Tx, vault: VaultId, erasure: CardId) -> Result<bool> {
    Ok(tx.get(&ERASURE, vec![vault_key(vault), bytes(erasure.as_bytes())]).await?.is_some())
}

/// The receipt that has one of these cards as a part.
pub(super) async fn of_card(tx: &mut impl Tx, vault: VaultId, cards: &[CardId]) -> Result<Option<CardId>> {
    let of_card = |erasure: &Erasure| erasure.parts.iter().any(|(part, _)| is_one(*part, cards));
    Ok(list(tx, vault).await?.into_iter().find(of_card).map(|erasure| erasure.erasure))
}

fn is_one(part: Part, cards: &[CardId]) -> bool {
    matches!(part, Part::Card(card) if cards.contains(&card))
}

fn row(vault: VaultId, erasure: CardId, roster_version: u64, at: u64) -> Result<Vec<Value>> {
    Ok(vec![vault_key(vault), bytes(erasure.as_bytes()), number(roster_version)?, number(at)?, Value::Int(0)])
}

/// Adds to a receipt, or begins one. What a receipt has already stays.
pub(super) async fn note(tx: &mut impl Tx, vault: VaultId, new: &New) -> Result<()> {
    let row = row(vault, new.erasure, new.roster_version, new.at)?;
    if !tx.insert(&ERASURE, row).await? && new.deleted {
        set_scrubbed(tx, vault, new.erasure, None).await?;
    }
    for part in &new.parts {
        let reached = matches!(part, Part::Card(_)).then_some(new.at);
        insert_part(tx, vault, new.erasure, *part, reached).await?;
    }
    Ok(())
}

/// The receipt of an erasure that another store made.
pub(super) async fn copied(tx: &mut impl Tx, vault: VaultId, erasure: &Erasure) -> Result<()> {
    tx.insert(&ERASURE, row(vault, erasure.erasure, erasure.roster_version, erasure.at)?).await?;
    for (part, at) in &erasure.parts {
        insert_part(tx, vault, erasure.erasure, *part, *at).await?;
        if let Some(at) = at {
            reached(tx, vault, erasure.erasure, *part, *at).await?;
        }
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

/// Notes what a scrub has reached on one erasure.
pub(super) async fn scrubbed(tx: &mut impl Tx, vault: VaultId, erasure: CardId, scrub: Scrub) -> Result<()> {
    set_scrubbed(tx, vault, erasure, Some(scrub)).await
}

async fn set_scrubbed(tx: &mut impl Tx, vault: VaultId, erasure: CardId, scrub: Option<Scrub>) -> Result<()> {
    let key = vec![vault_key(vault), bytes(erasure.as_bytes())];
    let mut row = tx.get(&ERASURE, key).await?.ok_or(Missing::Erasure)?;
    if let Some(scrubbed) = row.last_mut() {
        *scrubbed = Value::Int(scrub_number(scrub));
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
