//! Generations, members and rosters.

use lukko::{KeyFingerprint, PatientId, VaultId};

use super::{bytes, number, read, vault_key, way};
use crate::backend::Tx;
use crate::change::NewGeneration;
use crate::error::{Conflict, Counted, Error, Missing, Result, Usage};
use crate::rows::Generation;
use crate::table::{GENERATION, MEMBER, Row, Value};

fn row(vault: VaultId, generation: &Generation) -> Result<Row> {
    let Generation { generation, descriptor, statement, version, roster, retired } = generation;
    Ok(vec![
        vault_key(vault),
        Value::Int((*generation).into()),
        bytes(descriptor),
        statement.as_deref().map_or(Value::Null, bytes),
        number(*version)?,
        bytes(roster),
        Value::Int((*retired).into()),
    ])
}

async fn get(tx: &mut impl Tx, vault: VaultId, generation: u32) -> Result<Option<Generation>> {
    let row = tx.get(&GENERATION, vec![vault_key(vault), Value::Int(generation.into())]).await?;
    row.map(read::generation).transpose()
}

/// A generation is stored once, after the one before it, and is never replaced.
pub(super) async fn generation(tx: &mut impl Tx, vault: VaultId, new: &NewGeneration<'_>) -> Result<()> {
    let NewGeneration { generation, descriptor, statement, version, roster } = *new;
    let before = generation.checked_sub(1).ok_or(Missing::Generation(0))?;
    let before =
        if before == 0 { None } else { Some(get(tx, vault, before).await?.ok_or(Missing::Generation(before))?) };
    let there = Generation {
        generation,
        descriptor: descriptor.to_vec(),
        statement: statement.map(<[u8]>::to_vec),
        version,
        roster: roster.to_vec(),
        retired: false,
    };
    if tx.insert(&GENERATION, row(vault, &there)?).await? {
        return match before {
            Some(before) if before.version >= version => {
                Err(Error::Stale { what: Counted::Roster, stored: before.version, given: version })
            }
            _ => Ok(()),
        };
    }
    // There already: the same one, whose roster may have moved on.
    let stored = get(tx, vault, generation).await?.ok_or(Missing::Generation(generation))?;
    let same = stored.descriptor == there.descriptor && stored.statement == there.statement;
    if same && stored.version >= version { Ok(()) } else { Err(Conflict::Generation(generation).into()) }
}

pub(super) async fn member(tx: &mut impl Tx, vault: VaultId, key: KeyFingerprint, entry: &[u8]) -> Result<()> {
    let row = vec![vault_key(vault), bytes(key.as_bytes()), bytes(entry)];
    if tx.insert(&MEMBER, row.clone()).await? {
        return Ok(());
    }
    let stored = tx.get(&MEMBER, vec![vault_key(vault), bytes(key.as_bytes())]).await?;
    if stored.as_ref() == Some(&row) { Ok(()) } else { Err(Conflict::Member.into()) }
}

/// A roster takes the place of an older one of its generation, and of nothing else.
pub(super) async fn roster(
    tx: &mut impl Tx,
    vault: VaultId,
    generation: u32,
    version: u64,
    roster: &[u8],
) -> Result<()> {
    let mut stored = get(tx, vault, generation).await?.ok_or(Missing::Generation(generation))?;
    if stored.version == version {
        return if stored.roster == roster { Ok(()) } else { Err(Conflict::Roster(version).into()) };
    }
    if stored.version > version {
        return Err(Error::Stale { what: Counted::Roster, stored: stored.version, given: version });
    }
    (stored.version, stored.roster) = (version, roster.to_vec());
    tx.update(&GENERATION, row(vault, &stored)?).await
}

/// Judged by what is left afterwards.
pub(super) async fn retire(tx: &mut impl Tx, vault: VaultId, generation: u32, losing: &[PatientId<'_>]) -> Result<()> {
    let mut stored = get(tx, vault, generation).await?.ok_or(Missing::Generation(generation))?;
    let next = generation.checked_add(1).ok_or(Usage::NewestGeneration)?;
    if get(tx, vault, next).await?.is_none() {
        return Err(Usage::NewestGeneration.into());
    }
    // The generation's row is held: nobody enrols into it meanwhile.
    stored.retired = true;
    tx.update(&GENERATION, row(vault, &stored)?).await?;
    tx.delete_generation(vault.as_bytes().to_vec(), generation.into()).await?;
    match way::lost(tx, vault, generation, losing).await? {
        0 => Ok(()),
        patients => Err(Usage::NotRotated(patients).into()),
    }
}

/// The newest generation.
pub(super) async fn newest(tx: &mut impl Tx, vault: VaultId) -> Result<Generation> {
    read::generations(tx, vault).await?.pop().ok_or(Missing::Generation(1).into())
}

/// Refuses what is made for a generation that is not stored, or was retired.
pub(super) async fn require(tx: &mut impl Tx, vault: VaultId, generation: u32) -> Result<()> {
    let key = vec![vault_key(vault), Value::Int(generation.into())];
    let stored = read::generation(tx.share(&GENERATION, key).await?.ok_or(Missing::Generation(generation))?)?;
    if !stored.retired {
        return Ok(());
    }
    let newest = newest(tx, vault).await?;
    Err(Error::Stale { what: Counted::Generation, stored: newest.generation.into(), given: generation.into() })
}
