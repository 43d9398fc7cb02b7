//! The statements, once for every database, over what a driver can do.

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use futures_util::FutureExt as _;
use lukko::VaultId;

use super::schema::{self, Dialect};
use crate::backend::{Backend, Purpose, Tx};
use crate::error::{Error, Result};
use crate::table::{CARD, PIECE, RECORD, Row, Table, Value};

/// A transaction of one kind of database, or a connection for one statement, which is a transaction by itself.
pub(crate) trait Driver: Send + Sized {
    /// Replaces a sealed record under the card that the patient has.
    const REPLACE: &'static str;

    /// Whether rows that are read to be changed must be locked.
    fn locks(&self) -> bool;

    /// The rows that a statement gives, in the columns that it selects.
    fn rows(
        &mut self,
        table: &'static Table,
        sql: &'static str,
        values: Vec<Value>,
    ) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// Runs a statement, and gives how many rows it has changed.
    fn run(&mut self, sql: &'static str, values: Vec<Value>) -> impl Future<Output = Result<u64>> + Send;

    /// Runs a statement without values that is not needed again.
    fn once(&mut self, sql: String) -> impl Future<Output = Result<()>> + Send;

    /// As [`Tx::insert_records`].
    fn insert_many(&mut self, vault: VaultId, rows: Vec<Row>) -> impl Future<Output = Result<u64>> + Send;

    /// As [`Tx::commit`].
    fn make_durable(self) -> impl Future<Output = Result<()>> + Send;

    /// As [`Tx::rollback`].
    fn give_up(self) -> impl Future<Output = ()> + Send;
}

/// What cannot be decoded is not what this crate wrote.
pub(crate) fn damaged(table: &'static Table) -> Error {
    Error::Corrupt { table: table.name, what: "a value is of another type" }
}

/// What `work` gives; none if it panics. `sqlx` 0.9.0 does where a row has fewer columns than its statement (`data_row.rs`).
pub(crate) async fn without_panic<T>(work: impl Future<Output = Result<T>>) -> Option<Result<T>> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

pub(crate) fn panicked() -> Error {
    Error::unavailable("the database's driver failed in itself, and its connection was given up: give the change again")
}

/// Rows of a table whose first values are known: the others are selected.
async fn fetch(
    driver: &mut impl Driver,
    table: &'static Table,
    sql: &'static str,
    known: &[Value],
    values: Vec<Value>,
) -> Result<Vec<Row>> {
    let rows = driver.rows(table, sql, values).await?;
    Ok(rows.into_iter().map(|row| known.iter().cloned().chain(row).collect()).collect())
}

/// The row of a whole key.
async fn single(
    driver: &mut impl Driver,
    table: &'static Table,
    sql: &'static str,
    key: Vec<Value>,
) -> Result<Option<Row>> {
    let mut rows = fetch(driver, table, sql, &key, key.clone()).await?;
    // Somebody may have taken the primary key away and written a second row. There is no "first one wins".
    let fault = Error::Corrupt { table: table.name, what: "a key is there two times" };
    if rows.len() > 1 { Err(fault) } else { Ok(rows.pop()) }
}

impl<D: Driver> Tx for D {
    async fn get(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        let texts = table.texts();
        single(self, table, if self.locks() { &texts.lock } else { &texts.get }, key).await
    }

    async fn share(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        let texts = table.texts();
        single(self, table, if self.locks() { &texts.share } else { &texts.get }, key).await
    }

    async fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool> {
        Ok(self.run(&table.texts().insert, row).await? == 1)
    }

    async fn insert_records(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        self.insert_many(vault, rows).await
    }

    async fn replace_record(&mut self, mut row: Row, revision: i64) -> Result<bool> {
        row.push(Value::Int(revision));
        Ok(self.run(Self::REPLACE, row).await? == 1)
    }

    async fn update(&mut self, table: &'static Table, row: Row) -> Result<()> {
        match self.run(&table.texts().update, row).await? {
            1 => Ok(()),
            _ => Err(Error::Corrupt { table: table.name, what: "not one row of this key" }),
        }
    }

    async fn delete(&mut self, table: &'static Table, prefix: Vec<Value>) -> Result<u64> {
        self.run(table.texts().delete(prefix.len()), prefix).await
    }

    async fn page(
        &mut self,
        table: &'static Table,
        prefix: Vec<Value>,
        after: Vec<Value>,
        limit: u32,
    ) -> Result<Vec<Row>> {
        let sql = table.texts().page(prefix.len(), !after.is_empty());
        let values = prefix.iter().cloned().chain(after).chain([Value::Int(limit.into())]).collect();
        fetch(self, table, sql, &prefix, values).await
    }

    async fn free_piece(&mut self, vault: Vec<u8>, job: Vec<u8>, now: i64) -> Result<Option<Row>> {
        let sql = if self.locks() { &FREE_PIECE[1] } else { &FREE_PIECE[0] };
        let values = vec![Value::Bytes(vault), Value::Bytes(job), Value::Int(now)];
        Ok(self.rows(&PIECE, sql, values).await?.pop())
    }

    async fn cut_leases(&mut self, vault: Vec<u8>, job: Vec<u8>, until: i64) -> Result<()> {
        self.run(CUT_LEASES, vec![Value::Bytes(vault), Value::Bytes(job), Value::Int(until)]).await.map(drop)
    }

    async fn count_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>) -> Result<Vec<(i64, u64, i64)>> {
        let rows = self.rows(&PIECE, COUNT_PIECES, vec![Value::Bytes(vault), Value::Bytes(job)]).await?;
        let count = |row: Row| match row.as_slice() {
            [Value::Int(state), Value::Int(count), Value::Int(last)] => {
                Ok((*state, u64::try_from(*count).map_err(|_| damaged(&PIECE))?, *last))
            }
            _ => Err(damaged(&PIECE)),
        };
        rows.into_iter().map(count).collect()
    }

    async fn delete_generation(&mut self, vault: Vec<u8>, generation: i64) -> Result<()> {
        for sql in DELETE_GENERATION {
            self.run(sql, vec![Value::Bytes(vault.clone()), Value::Int(generation)]).await?;
        }
        Ok(())
    }

    async fn without_way(
        &mut self,
        vault: Vec<u8>,
        generation: i64,
        after: Vec<u8>,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>> {
        let values = vec![Value::Bytes(vault), Value::Int(generation), Value::Bytes(after), Value::Int(limit.into())];
        let rows = self.rows(&CARD, WITHOUT_WAY, values).await?;
        let patient = |mut row: Row| match row.pop() {
            Some(Value::Bytes(patient)) => Ok(patient),
            _ => Err(damaged(&CARD)),
        };
        rows.into_iter().map(patient).collect()
    }

    async fn names_object(&mut self, vault: Vec<u8>, object: Vec<u8>) -> Result<bool> {
        Ok(!self.rows(&RECORD, NAMES_OBJECT, vec![Value::Bytes(vault), Value::Bytes(object)]).await?.is_empty())
    }

    async fn commit(self) -> Result<()> {
        self.make_durable().await
    }

    async fn rollback(self) {
        self.give_up().await;
    }
}

/// Brings the schema to the newest version: each step in a transaction of its own, with the note that it was made. One
/// that is there already is only read, for which nobody needs the right to write.
pub(crate) async fn migrate<B: Backend<Tx: Driver>>(backend: &B, steps: &[&str], dialect: Dialect) -> Result<()> {
    let mut tx = backend.begin(Purpose::Read).await?;
    if number(&mut tx, dialect.exists).await? != 0 {
        let found = number(&mut tx, schema::READ).await?;
        if schema::statements(found, steps, dialect)?.is_none() {
            return Ok(());
        }
    }
    drop(tx);
    loop {
        let mut tx = backend.begin(Purpose::Write).await?;
        if !step(&mut tx, steps, dialect).await? {
            return Ok(());
        }
        tx.commit().await?;
    }
}

async fn number(driver: &mut impl Driver, sql: &'static str) -> Result<i64> {
    let rows = driver.rows(&schema::SCHEMA, sql, Vec::new()).await?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(number)) => Ok(*number),
        _ => Err(Error::Corrupt { table: schema::SCHEMA.name, what: "it does not say which version there is" }),
    }
}

/// Makes the next step of the schema; false if there is none.
async fn step(driver: &mut impl Driver, steps: &[&str], dialect: Dialect) -> Result<bool> {
    driver.once(schema::CREATE.to_owned()).await?;
    driver.once(schema::BEGIN.to_owned()).await?;
    // Another process may have made the step meanwhile.
    let from = number(driver, if driver.locks() { schema::READ_LOCKED } else { schema::READ }).await?;
    let Some(statements) = schema::statements(from, steps, dialect)? else { return Ok(false) };
    for statement in statements {
        driver.once(statement).await?;
    }
    driver.once(schema::NOTE.to_owned()).await?;
    Ok(true)
}

/// The oldest open piece of a job, by patient; the second text locks it, and passes over those that others have locked.
static FREE_PIECE: LazyLock<[String; 2]> = LazyLock::new(|| {
    let columns: Vec<&str> = PIECE.columns.iter().map(|(name, _)| *name).collect();
    ["", " FOR UPDATE SKIP LOCKED"].map(|lock| {
        format!(
            "SELECT {} FROM job_piece WHERE vault = $1 AND job = $2 AND state = 0 AND lease <= $3 \
             ORDER BY patient LIMIT 1{lock}",
            columns.join(", ")
        )
    })
});

/// The text that replaces a sealed record under the card that the patient has.
macro_rules! replace_record {
    ($lock:literal) => {
        concat!(
            "UPDATE record SET revision = $5, card = $6, sealed = $7, object = $8, length = $9 \
             WHERE vault = $1 AND patient = $2 AND record = $3 AND field = $4 AND revision = $10 AND object IS NULL \
             AND (SELECT card FROM patient WHERE vault = $1 AND patient = $2",
            $lock,
            ") = $6"
        )
    };
}
pub(crate) use replace_record;

const CUT_LEASES: &str = "UPDATE job_piece SET lease = $3 WHERE vault = $1 AND job = $2 AND state = 0 AND lease > $3";

const COUNT_PIECES: &str =
    "SELECT state, count(*), max(lease) FROM job_piece WHERE vault = $1 AND job = $2 GROUP BY state";

/// Patients with a card that is current, or that a record names, and that has no master grant of a later generation which is
/// stored and not retired. The tables of a patient are joined by vault and patient. Left out is a card that was erased, whose
/// records were kept: it has no row, and is on a receipt.
const WITHOUT_WAY: &str = "\
    SELECT DISTINCT n.patient FROM (\
        SELECT p.patient, p.card FROM patient p WHERE p.vault = $1 AND p.patient > $3 \
        UNION ALL SELECT r.patient, r.card FROM record r WHERE r.vault = $1 AND r.patient > $3) n \
    WHERE NOT EXISTS (SELECT 1 FROM endorsement e JOIN generation i ON i.vault = e.vault AND i.generation = e.generation \
        WHERE e.vault = $1 AND e.patient = n.patient AND e.generation > $2 AND e.card = n.card AND i.retired = 0) \
    AND NOT EXISTS (SELECT 1 FROM patient_grant g JOIN generation i ON i.vault = g.vault AND i.generation = g.generation \
        WHERE g.vault = $1 AND g.patient = n.patient AND g.card = n.card AND g.generation > $2 AND i.retired = 0) \
    AND (EXISTS (SELECT 1 FROM card c WHERE c.vault = $1 AND c.patient = n.patient AND c.card = n.card) \
        OR n.card NOT IN (SELECT subject FROM erasure_part WHERE vault = $1 AND kind = 1)) \
    ORDER BY n.patient LIMIT $4";

const NAMES_OBJECT: &str = "SELECT 1 FROM record WHERE vault = $1 AND object = $2 LIMIT 1";

const DELETE_GENERATION: [&str; 2] = [
    "DELETE FROM endorsement WHERE vault = $1 AND generation = $2",
    "DELETE FROM patient_grant WHERE vault = $1 AND generation = $2",
];
