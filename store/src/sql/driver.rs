//! What both drivers do alike. A macro, because `sqlx` ties values, rows and connections to the database's type.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

use crate::error::{Error, Result};
use crate::table::Table;

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

/// The implementation of [`Tx`](crate::backend::Tx) for `$tx`, whose field `inner` is a transaction of `$database`.
macro_rules! transaction {
    ($tx:ty, $database:ty) => {
        type Bound<'q> = sqlx::query::Query<'q, $database, <$database as sqlx::Database>::Arguments>;

        fn bind(query: Bound<'_>, value: Value, kind: Kind) -> Bound<'_> {
            match (value, kind) {
                (Value::Int(number), _) => query.bind(number),
                (Value::Bytes(bytes), _) => query.bind(bytes),
                (Value::Null, Kind::Int) => query.bind(None::<i64>),
                (Value::Null, Kind::Bytes) => query.bind(None::<Vec<u8>>),
            }
        }

        /// Binds values to the first columns of a table.
        fn query(table: &'static Table, sql: &'static str, values: Vec<Value>) -> Bound<'static> {
            let query = sqlx::query::<$database>(sql);
            values.into_iter().zip(table.columns).fold(query, |query, (value, (_, kind))| bind(query, value, *kind))
        }

        /// A row whose first values are known: the others were selected.
        fn decode(table: &'static Table, known: &[Value], row: &<$database as sqlx::Database>::Row) -> Result<Row> {
            let mut values = Vec::with_capacity(table.columns.len());
            values.extend_from_slice(known);
            for (at, (_, kind)) in table.columns.iter().skip(known.len()).enumerate() {
                let value = match kind {
                    Kind::Int => row.try_get::<Option<i64>, _>(at).map(|value| value.map(Value::Int)),
                    Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at).map(|value| value.map(Value::Bytes)),
                };
                values.push(value.map_err(|_| damaged(table))?.unwrap_or(Value::Null));
            }
            Ok(values)
        }

        impl $tx {
            /// Runs a statement, and reads its rows. A panic of the driver ends in an error. Its connection is closed; one in
            /// a transaction is first rolled back.
            pub(in crate::sql) async fn rows<T: Send>(
                &mut self,
                query: Bound<'_>,
                read: impl FnMut(&<$database as sqlx::Database>::Row) -> Result<T> + Send,
            ) -> Result<Vec<T>> {
                let connection = self.connection();
                let work = async { query.fetch_all(connection).await.map_err(failed)?.iter().map(read).collect() };
                let done = without_panic(work).await;
                self.unless_panicked(done)
            }

            async fn run(&mut self, query: Bound<'_>) -> Result<u64> {
                let connection = self.connection();
                let work = async { Ok(query.execute(connection).await.map_err(failed)?.rows_affected()) };
                let done = without_panic(work).await;
                self.unless_panicked(done)
            }

            fn unless_panicked<T>(&mut self, done: Option<Result<T>>) -> Result<T> {
                done.unwrap_or_else(|| {
                    if let Inner::Statement(connection) = &mut self.inner {
                        connection.close_on_drop();
                    }
                    Err(panicked())
                })
            }

            async fn fetch(&mut self, table: &'static Table, known: &[Value], query: Bound<'_>) -> Result<Vec<Row>> {
                self.rows(query, |row| decode(table, known, row)).await
            }

            async fn single(
                &mut self,
                table: &'static Table,
                sql: &'static str,
                key: Vec<Value>,
            ) -> Result<Option<Row>> {
                let mut rows = self.fetch(table, &key, query(table, sql, key.clone())).await?;
                // Somebody may have taken the primary key away and written a second row. There is no "first one wins".
                let fault = Error::Corrupt { table: table.name, what: "a key is there two times" };
                if rows.len() > 1 { Err(fault) } else { Ok(rows.pop()) }
            }
        }

        impl Tx for $tx {
            async fn get(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
                let sql = self.to_write(table.texts());
                self.single(table, sql, key).await
            }

            async fn share(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
                let sql = self.to_share(table.texts());
                self.single(table, sql, key).await
            }

            async fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool> {
                Ok(self.run(query(table, &table.texts().insert, row)).await? == 1)
            }

            async fn insert_records(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
                self.insert_many(vault, rows).await
            }

            async fn replace_record(&mut self, row: Row, revision: i64) -> Result<bool> {
                let changed = self.run(query(&RECORD, Self::REPLACE, row).bind(revision)).await?;
                Ok(changed == 1)
            }

            async fn update(&mut self, table: &'static Table, row: Row) -> Result<()> {
                match self.run(query(table, &table.texts().update, row)).await? {
                    1 => Ok(()),
                    _ => Err(Error::Corrupt { table: table.name, what: "not one row of this key" }),
                }
            }

            async fn delete(&mut self, table: &'static Table, prefix: Vec<Value>) -> Result<u64> {
                self.run(query(table, table.texts().delete(prefix.len()), prefix)).await
            }

            async fn page(
                &mut self,
                table: &'static Table,
                prefix: Vec<Value>,
                after: Vec<Value>,
                limit: u32,
            ) -> Result<Vec<Row>> {
                let sql = table.texts().page(prefix.len(), !after.is_empty());
                let values = prefix.iter().cloned().chain(after).collect();
                self.fetch(table, &prefix, query(table, sql, values).bind(i64::from(limit))).await
            }

            async fn free_piece(&mut self, vault: Vec<u8>, job: Vec<u8>, now: i64) -> Result<Option<Row>> {
                let sql = free_piece() + self.skip_locked();
                let query = sqlx::query(AssertSqlSafe(sql)).bind(vault).bind(job).bind(now);
                Ok(self.fetch(&PIECE, &[], query).await?.pop())
            }

            async fn cut_leases(&mut self, vault: Vec<u8>, job: Vec<u8>, until: i64) -> Result<()> {
                self.run(sqlx::query::<$database>(CUT_LEASES).bind(vault).bind(job).bind(until)).await.map(|_| ())
            }

            async fn count_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>) -> Result<Vec<(i64, u64, i64)>> {
                let query = sqlx::query::<$database>(COUNT_PIECES).bind(vault).bind(job);
                self.rows(query, |row| {
                    let number = |at: usize| row.try_get::<i64, _>(at).map_err(|_| damaged(&PIECE));
                    Ok((number(0)?, u64::try_from(number(1)?).map_err(|_| damaged(&PIECE))?, number(2)?))
                })
                .await
            }

            async fn delete_generation(&mut self, vault: Vec<u8>, generation: i64) -> Result<()> {
                for sql in DELETE_GENERATION {
                    self.run(sqlx::query::<$database>(sql).bind(vault.clone()).bind(generation)).await?;
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
                let query = sqlx::query::<$database>(WITHOUT_WAY).bind(vault).bind(generation);
                let query = query.bind(after).bind(i64::from(limit));
                self.rows(query, |row| row.try_get(0).map_err(|_| damaged(&CARD))).await
            }

            async fn names_object(&mut self, vault: Vec<u8>, object: Vec<u8>) -> Result<bool> {
                let query = sqlx::query::<$database>(NAMES_OBJECT).bind(vault).bind(object);
                Ok(!self.rows(query, |_| Ok(())).await?.is_empty())
            }

            async fn commit(self) -> Result<()> {
                let kept = self.kept();
                if let Inner::Transaction(transaction) = self.inner {
                    let work = async { transaction.commit().await.map_err(failed) };
                    without_panic(work).await.unwrap_or_else(|| Err(panicked()))?;
                }
                kept()
            }

            async fn rollback(self) {
                if let Inner::Transaction(transaction) = self.inner {
                    // Where this fails too, the connection is gone or closed, and with it the transaction.
                    let work = async { transaction.rollback().await.map_err(failed) };
                    let _ = without_panic(work).await;
                }
            }
        }

        /// A transaction, or a connection for one statement, which is a transaction by itself.
        #[derive(Debug)]
        enum Inner {
            Transaction(sqlx::Transaction<'static, $database>),
            Statement(sqlx::pool::PoolConnection<$database>),
        }

        impl $tx {
            fn connection(&mut self) -> &mut <$database as sqlx::Database>::Connection {
                match &mut self.inner {
                    Inner::Transaction(transaction) => transaction,
                    Inner::Statement(connection) => connection,
                }
            }
        }

        /// Brings the schema to the newest version: each step in a transaction of its own, with the note that it was made.
        /// One that is there already is only read, for which nobody needs the right to write.
        async fn migrate(backend: &impl Backend<Tx = $tx>, steps: &[&str], dialect: Dialect) -> Result<()> {
            let mut tx = backend.begin(Purpose::Read).await?;
            if tx.number(dialect.exists).await? != 0 {
                let found = tx.number(schema::READ).await?;
                if schema::statements(found, steps, dialect)?.is_none() {
                    return Ok(());
                }
            }
            drop(tx);
            loop {
                let mut tx = backend.begin(Purpose::Write).await?;
                if !tx.step(steps, dialect).await? {
                    return Ok(());
                }
                tx.commit().await?;
            }
        }

        impl $tx {
            async fn number(&mut self, sql: &str) -> Result<i64> {
                let query = sqlx::query::<$database>(AssertSqlSafe(sql.to_owned()));
                let rows = self.rows(query, |row| Ok(row.try_get(0).ok())).await?;
                let fault = Error::Corrupt { table: "lukko_schema", what: "it does not say which version there is" };
                rows.into_iter().next().flatten().ok_or(fault)
            }

            /// Makes the next step of the schema; false if there is none.
            async fn step(&mut self, steps: &[&str], dialect: Dialect) -> Result<bool> {
                self.run(sqlx::query::<$database>(schema::CREATE)).await?;
                self.run(sqlx::query::<$database>(schema::BEGIN)).await?;
                // Another process may have made the step meanwhile.
                let from = self.number(&(schema::READ.to_owned() + self.lock())).await?;
                let Some(statements) = schema::statements(from, steps, dialect)? else { return Ok(false) };
                for statement in statements {
                    self.run(sqlx::query::<$database>(AssertSqlSafe(statement))).await?;
                }
                self.run(sqlx::query::<$database>(schema::NOTE)).await?;
                Ok(true)
            }
        }
    };
}
pub(crate) use transaction;

/// The oldest open piece of a job, by patient.
pub(crate) fn free_piece() -> String {
    let columns: Vec<&str> = crate::table::PIECE.columns.iter().map(|(name, _)| *name).collect();
    format!(
        "SELECT {} FROM job_piece WHERE vault = $1 AND job = $2 AND state = 0 AND lease <= $3 ORDER BY patient LIMIT 1",
        columns.join(", ")
    )
}

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

pub(crate) const CUT_LEASES: &str =
    "UPDATE job_piece SET lease = $3 WHERE vault = $1 AND job = $2 AND state = 0 AND lease > $3";

pub(crate) const COUNT_PIECES: &str =
    "SELECT state, count(*), max(lease) FROM job_piece WHERE vault = $1 AND job = $2 GROUP BY state";

/// Patients with a card that is current, or that a record names, and that has no master grant of a later generation which is
/// stored and not retired. The tables of a patient are joined by vault and patient. Left out is a card that was erased, whose
/// records were kept: it has no row, and is on a receipt.
pub(crate) const WITHOUT_WAY: &str = "\
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

pub(crate) const NAMES_OBJECT: &str = "SELECT 1 FROM record WHERE vault = $1 AND object = $2 LIMIT 1";

pub(crate) const DELETE_GENERATION: [&str; 2] = [
    "DELETE FROM endorsement WHERE vault = $1 AND generation = $2",
    "DELETE FROM patient_grant WHERE vault = $1 AND generation = $2",
];
