//! The statements, once for every database, over what a driver can do.

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use futures_util::FutureExt as _;
use lukko::VaultId;

use super::schema::{self, Dialect};
use crate::backend::{Backend, Purpose, Tx, Wayless};
use crate::error::{Error, Result};
use crate::table::{CARD, ERASURE_PART, PIECE, RECORD, Row, Table, Value};

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

    async fn free_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>, now: i64, limit: u32) -> Result<Vec<Row>> {
        let values = vec![Value::Bytes(vault), Value::Bytes(job), Value::Int(now), Value::Int(limit.into())];
        self.rows(&PIECE, &FREE_PIECES, values).await
    }

    async fn take_piece(&mut self, found: &Row, lease: i64, token: i64) -> Result<bool> {
        let found = found.iter().take(TOKEN).cloned();
        let values = found.chain([Value::Int(lease), Value::Int(token)]).collect();
        Ok(self.run(TAKE_PIECE, values).await? == 1)
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
        after: (Vec<u8>, Vec<u8>),
        limit: u32,
    ) -> Result<Vec<Wayless>> {
        let [vault, patient, card] = [vault, after.0, after.1].map(Value::Bytes);
        let values = vec![vault, Value::Int(generation), patient, card, Value::Int(limit.into())];
        let wayless = |row: Row| match <[Value; 3]>::try_from(row) {
            Ok([Value::Bytes(patient), Value::Bytes(card), row]) => {
                Ok(Wayless { patient, card, stored: row != Value::Null })
            }
            _ => Err(damaged(&CARD)),
        };
        self.rows(&CARD, WITHOUT_WAY, values).await?.into_iter().map(wayless).collect()
    }

    async fn is_erased(&mut self, vault: Vec<u8>, card: Vec<u8>) -> Result<bool> {
        Ok(!self.rows(&ERASURE_PART, IS_ERASED, vec![Value::Bytes(vault), Value::Bytes(card)]).await?.is_empty())
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
    if let Some(first) = dialect.first {
        driver.once(first.to_owned()).await?;
    }
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

/// Open pieces of a job, by patient. They are not locked: who takes one says how it was found.
static FREE_PIECES: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<&str> = PIECE.columns.iter().map(|(name, _)| *name).collect();
    format!(
        "SELECT {} FROM job_piece WHERE vault = $1 AND job = $2 AND state = 0 AND lease <= $3 ORDER BY patient LIMIT $4",
        columns.join(", ")
    )
});

/// With the columns of a piece up to its token.
const TAKE_PIECE: &str = "UPDATE job_piece SET lease = $7, token = $8 \
     WHERE vault = $1 AND patient = $2 AND job = $3 AND state = $4 AND lease = $5 AND token = $6";
const TOKEN: usize = 6;

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

/// The tables of a patient are joined by vault and patient, and by no other table: a distributed database has a patient's rows
/// in one place.
const WITHOUT_WAY: &str = "\
    SELECT DISTINCT n.patient, n.card, c.card FROM (\
        SELECT p.vault, p.patient, p.card FROM patient p WHERE p.vault = $1 AND (p.patient, p.card) > ($3, $4) \
        UNION ALL \
        SELECT r.vault, r.patient, r.card FROM record r WHERE r.vault = $1 AND (r.patient, r.card) > ($3, $4)) n \
    LEFT JOIN card c ON c.vault = n.vault AND c.patient = n.patient AND c.card = n.card \
    WHERE NOT EXISTS (SELECT 1 FROM endorsement e \
        WHERE e.vault = n.vault AND e.patient = n.patient AND e.generation = $2 AND e.card = n.card) \
    AND NOT EXISTS (SELECT 1 FROM patient_grant g \
        WHERE g.vault = n.vault AND g.patient = n.patient AND g.generation = $2 AND g.card = n.card) \
    ORDER BY n.patient, n.card LIMIT $5";

const IS_ERASED: &str = "SELECT 1 FROM erasure_part WHERE vault = $1 AND kind = 1 AND subject = $2 LIMIT 1";

const NAMES_OBJECT: &str = "SELECT 1 FROM record WHERE vault = $1 AND object = $2 LIMIT 1";

const DELETE_GENERATION: [&str; 2] = [
    "DELETE FROM endorsement WHERE vault = $1 AND generation = $2",
    "DELETE FROM patient_grant WHERE vault = $1 AND generation = $2",
];
