//! A store in memory, for tests: gone when it is dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lukko::VaultId;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::backend::{Backend, Purpose, Tx, Wayless};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{CARD, ENDORSEMENT, ERASURE_PART, GRANT, PATIENT, PIECE, RECORD, Row, Table, Value};

/// A store in memory, for tests. One transaction at a time.
pub type MemoryStore = Engine<Memory>;

/// The tables of a [`MemoryStore`].
#[derive(Debug, Clone, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

type Tables = BTreeMap<(&'static str, Vec<Value>), Row>;

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::over(Memory::default())
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Backend for Memory {
    type Tx = MemoryTx;

    async fn begin(&self, _purpose: Purpose) -> Result<MemoryTx> {
        let held = Arc::clone(&self.0).lock_owned().await;
        let tables = held.clone();
        Ok(MemoryTx { held, tables })
    }

    async fn scrub(&self) -> Result<Scrub> {
        Ok(Scrub::Files)
    }
}

/// A copy of all tables, which takes their place at the end.
#[derive(Debug)]
pub struct MemoryTx {
    held: OwnedMutexGuard<Tables>,
    tables: Tables,
}

impl MemoryTx {
    fn rows<'t>(&'t self, table: &'static Table, prefix: &'t [Value]) -> impl Iterator<Item = &'t Row> {
        let from = (table.name, prefix.to_vec());
        let matching =
            move |entry: &(&(&'static str, Vec<Value>), &Row)| entry.0.0 == table.name && entry.0.1.starts_with(prefix);
        self.tables.range(from..).take_while(matching).map(|(_, row)| row)
    }

    /// Whether the card of a record's row is the patient's.
    fn is_current(&self, record: &Row) -> bool {
        let patient = self.tables.get(&(PATIENT.name, record.iter().take(PATIENT.key).cloned().collect()));
        patient.is_some_and(|patient| patient.get(3) == record.get(5))
    }

    fn pieces<'t>(&'t self, vault: &'t [u8], job: &'t [u8]) -> impl Iterator<Item = &'t Row> {
        let of_job =
            move |row: &&Row| matches!(&row[..], [Value::Bytes(v), _, Value::Bytes(j), ..] if v == vault && j == job);
        self.tables.iter().filter(|((table, _), _)| *table == PIECE.name).map(|(_, row)| row).filter(of_job)
    }
}

impl Tx for MemoryTx {
    async fn get(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        Ok(self.tables.get(&(table.name, key)).cloned())
    }

    async fn share(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        self.get(table, key).await
    }

    async fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool> {
        let key = (table.name, row.iter().take(table.key).cloned().collect());
        if self.tables.contains_key(&key) {
            return Ok(false);
        }
        self.tables.insert(key, row);
        Ok(true)
    }

    async fn insert_records(&mut self, _vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let mut inserted: u64 = 0;
        for row in rows {
            if self.is_current(&row) && self.insert(&RECORD, row).await? {
                inserted = inserted.saturating_add(1);
            }
        }
        Ok(inserted)
    }

    async fn replace_record(&mut self, row: Row, revision: i64) -> Result<bool> {
        let stored = self.tables.get(&(RECORD.name, row.iter().take(RECORD.key).cloned().collect()));
        let same = stored.is_some_and(
            |stored| matches!(&stored[..], [_, _, _, _, Value::Int(met), _, Value::Bytes(_), ..] if *met == revision),
        );
        if !same || !self.is_current(&row) {
            return Ok(false);
        }
        self.update(&RECORD, row).await?;
        Ok(true)
    }

    async fn update(&mut self, table: &'static Table, row: Row) -> Result<()> {
        let key = (table.name, row.iter().take(table.key).cloned().collect());
        let there = self.tables.get_mut(&key).ok_or(Error::Corrupt { table: table.name, what: "a row is gone" })?;
        *there = row;
        Ok(())
    }

    async fn delete(&mut self, table: &'static Table, prefix: Vec<Value>) -> Result<u64> {
        let before = self.tables.len();
        self.tables.retain(|(name, key), _| *name != table.name || !key.starts_with(&prefix));
        Ok(before.saturating_sub(self.tables.len()) as u64)
    }

    async fn page(
        &mut self,
        table: &'static Table,
        prefix: Vec<Value>,
        after: Vec<Value>,
        limit: u32,
    ) -> Result<Vec<Row>> {
        let behind = |row: &&Row| {
            let rest = row.iter().take(table.key).skip(prefix.len());
            after.is_empty() || rest.gt(after.iter())
        };
        Ok(self.rows(table, &prefix).filter(behind).take(limit as usize).cloned().collect())
    }

    async fn free_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>, now: i64, limit: u32) -> Result<Vec<Row>> {
        let free = |row: &&Row| matches!(&row[..], [_, _, _, Value::Int(0), Value::Int(lease), ..] if *lease <= now);
        Ok(self.pieces(&vault, &job).filter(free).take(limit as usize).cloned().collect())
    }

    async fn take_piece(&mut self, found: &Row, lease: i64, token: i64) -> Result<bool> {
        let key = (PIECE.name, found.iter().take(PIECE.key).cloned().collect());
        let Some(row) = self.tables.get_mut(&key).filter(|row| row[..] == found[..]) else { return Ok(false) };
        if let [_, _, _, _, Value::Int(own_lease), Value::Int(own_token), ..] = &mut row[..] {
            (*own_lease, *own_token) = (lease, token);
        }
        Ok(true)
    }

    async fn cut_leases(&mut self, vault: Vec<u8>, job: Vec<u8>, until: i64) -> Result<()> {
        let mut rows: Vec<Row> = self.pieces(&vault, &job).cloned().collect();
        for row in &mut rows {
            if let [_, _, _, Value::Int(0), Value::Int(lease), ..] = &mut row[..] {
                *lease = until.min(*lease);
            }
        }
        for row in rows {
            self.update(&PIECE, row).await?;
        }
        Ok(())
    }

    async fn count_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>) -> Result<Vec<(i64, u64, i64)>> {
        let mut counts = BTreeMap::new();
        for row in self.pieces(&vault, &job) {
            if let [_, _, _, Value::Int(state), Value::Int(lease), ..] = &row[..] {
                let (count, last) = counts.entry(*state).or_insert((0, *lease));
                (*count, *last) = (*count + 1, *lease.max(last));
            }
        }
        Ok(counts.into_iter().map(|(state, (count, last))| (state, count, last)).collect())
    }

    async fn delete_generation(&mut self, vault: Vec<u8>, generation: i64) -> Result<()> {
        let of_generation = |name: &str, key: &[Value]| {
            let at = if name == ENDORSEMENT.name { 2 } else { 3 };
            (name == ENDORSEMENT.name || name == GRANT.name)
                && key.first() == Some(&Value::Bytes(vault.clone()))
                && key.get(at) == Some(&Value::Int(generation))
        };
        self.tables.retain(|(name, key), _| !of_generation(name, key));
        Ok(())
    }

    async fn without_way(
        &mut self,
        vault: Vec<u8>,
        generation: i64,
        after: (Vec<u8>, Vec<u8>),
        limit: u32,
    ) -> Result<Vec<Wayless>> {
        let (vault, generation) = ([Value::Bytes(vault)], Value::Int(generation));
        let current = self.rows(&PATIENT, &vault).map(|row| (row, 3));
        let mut cards = BTreeSet::new();
        for (row, column) in current.chain(self.rows(&RECORD, &vault).map(|row| (row, 5))) {
            let ([key, Value::Bytes(patient), ..], Some(Value::Bytes(card))) = (&row[..], row.get(column)) else {
                continue;
            };
            let prefix = [key.clone(), Value::Bytes(patient.clone())];
            let has = |table, column, of: Option<usize>| {
                self.rows(table, &prefix).any(|row| {
                    let of_generation = of.is_none_or(|of| row.get(of) == Some(&generation));
                    row.get(column) == Some(&Value::Bytes(card.clone())) && of_generation
                })
            };
            let way = has(&ENDORSEMENT, 3, Some(2)) || has(&GRANT, 2, Some(3));
            if !way && (patient, card) > (&after.0, &after.1) {
                let stored = has(&CARD, 3, None);
                cards.insert(Wayless { patient: patient.clone(), card: card.clone(), stored });
            }
        }
        Ok(cards.into_iter().take(limit as usize).collect())
    }

    async fn is_erased(&mut self, vault: Vec<u8>, card: Vec<u8>) -> Result<bool> {
        let (vault, card) = ([Value::Bytes(vault)], Value::Bytes(card));
        let of_card = |row: &Row| row.get(2) == Some(&Value::Int(1)) && row.get(3) == Some(&card);
        Ok(self.rows(&ERASURE_PART, &vault).any(of_card))
    }

    async fn names_object(&mut self, vault: Vec<u8>, object: Vec<u8>) -> Result<bool> {
        let object = Value::Bytes(object);
        Ok(self.rows(&RECORD, &[Value::Bytes(vault)]).any(|row| row.get(7) == Some(&object)))
    }

    async fn commit(self) -> Result<()> {
        let Self { mut held, tables } = self;
        *held = tables;
        Ok(())
    }
    async fn rollback(self) {}
}
