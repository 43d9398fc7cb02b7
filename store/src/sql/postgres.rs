//! PostgreSQL, and databases that speak its protocol.

pub(crate) mod address;
pub(crate) mod citus;
pub(crate) mod connection;
mod passwords;
pub(crate) mod pool;
mod session;
mod tls;
mod vacuum;

use std::sync::LazyLock;

use lukko::VaultId;
use tokio_postgres::types::Type;

use address::Address;
use connection::failed;
use pool::{Lease, Pool};

use super::driver::{Driver, damaged, migrate, replace_record};
use super::reported;
use super::schema::{Dialect, Layout, STEPS};
use crate::backend::{Backend, Purpose};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{Row, Table, Value};

/// A store in PostgreSQL.
pub type PostgresStore = Engine<Postgres>;

/// The connections of a [`PostgresStore`].
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(crate) pool: Pool,
}

/// How often the schema is tried: two processes that make it at once meet in the system's tables.
const ATTEMPTS: u32 = 5;

impl PostgresStore {
    /// Opens the database at this address, and brings its schema to this version. `options` is a URL such as
    /// `postgres://user@host/name?sslmode=verify-full`; what it leaves out comes from `PGHOST`, `PGUSER` and their like.
    ///
    /// Each connection is looked at before it is used, now and later. `synchronous_commit` is set to `on` for it, whatever
    /// server, database and role say; `remote_apply`, which is more, stays.
    ///
    /// # Errors
    /// [`Error::Schema`] for a schema newer than this version knows. [`Error::Unavailable`], and its text says what to do,
    /// where `fsync` or `full_page_writes` is off or a table is `UNLOGGED`, behind a pooler that is not in session mode, on
    /// a standby, on another server than at the beginning, on a database that is not PostgreSQL 13 or newer, and on one with
    /// the extension citus whose tables lie otherwise than the store makes them, or whose counts are not true.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_partitioned(url, 0).await
    }

    /// The same, with every table in this many hash partitions by its shard key. Counts when the tables are made.
    ///
    /// # Errors
    /// As [`PostgresStore::open`].
    pub async fn open_partitioned(url: &str, partitions: u32) -> Result<Self> {
        let backend = Postgres::connect(url).await?;
        backend.migrate(STEPS, partitions).await?;
        Ok(Self::over(backend))
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.backend().pool.close().await;
    }
}

impl Postgres {
    pub(super) async fn connect(url: &str) -> Result<Self> {
        Ok(Self { pool: Pool::open(Address::new(url)?).await? })
    }

    pub(super) async fn migrate(&self, steps: &[&str], partitions: u32) -> Result<()> {
        let exists = "SELECT CAST(count(to_regclass('lukko_schema')) AS BIGINT)";
        let layout = match (self.pool.is_citus(), partitions) {
            (true, _) => Layout::Citus,
            (false, 0) => Layout::Whole,
            (false, partitions) => Layout::Partitions(partitions),
        };
        let dialect =
            Dialect { blob: "BYTEA", exists, layout, first: (layout == Layout::Citus).then_some(citus::IN_TURN) };
        let mut attempt = 1;
        loop {
            match migrate(self, steps, dialect).await {
                Err(Error::Unavailable(_)) if attempt < ATTEMPTS => attempt += 1,
                other => break other?,
            }
        }
        if layout == Layout::Citus {
            let mut server = self.pool.lease().await?;
            citus::require_layout(&mut server).await?;
            citus::require_true_counts(&mut server).await?;
        }
        Ok(())
    }
}

impl Backend for Postgres {
    type Tx = PostgresTx;

    async fn begin(&self, purpose: Purpose) -> Result<PostgresTx> {
        // A reader sees one moment; a writer sees the newest rows and holds those that it reads. It does not ask for
        // READ WRITE: who has set the server to be read only, because its disk is full, means this too.
        let mut server = self.pool.lease().await?;
        match purpose {
            Purpose::Read => server.begin_to_read("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            Purpose::Write => server.begin("BEGIN ISOLATION LEVEL READ COMMITTED").await?,
            Purpose::ReadOnce | Purpose::WriteOnce => {}
        }
        Ok(PostgresTx { server, purpose })
    }

    fn taken_back(error: &Error) -> bool {
        reported::taken_back(error)
    }

    /// Removes dead rows. Their bytes stay in pages, write-ahead log and backups: see `docs/SCALING.md`.
    async fn scrub(&self) -> Result<Scrub> {
        if self.pool.is_citus() {
            return Err(Error::unavailable(vacuum::WORKERS));
        }
        vacuum::vacuum(&self.pool).await.map(|()| Scrub::Tables)
    }
}

/// A transaction of PostgreSQL.
#[derive(Debug)]
pub struct PostgresTx {
    pub(crate) server: Lease,
    purpose: Purpose,
}

/// Only what this crate writes: numbers and bytes.
fn decode(table: &'static Table, row: &tokio_postgres::Row) -> Result<Row> {
    let value = |(at, column): (usize, &tokio_postgres::Column)| {
        Ok(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(at).map_err(failed)?.map_or(Value::Null, Value::Int),
            Type::INT4 => {
                row.try_get::<_, Option<i32>>(at).map_err(failed)?.map_or(Value::Null, |n| Value::Int(n.into()))
            }
            Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at).map_err(failed)?.map_or(Value::Null, Value::Bytes),
            _ => return Err(damaged(table)),
        })
    };
    row.columns().iter().enumerate().map(value).collect()
}

/// As many rows as one of these go into one statement: few texts, each of which stays prepared. With arrays in place of
/// rows one text would do, but PostgreSQL would plan it anew for their lengths, each time.
const ROWS: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// The texts that insert this many records of one patient, whose row is held before a record is made.
static INSERT_RECORDS: LazyLock<[String; 7]> = LazyLock::new(|| {
    let row = |number: usize| {
        let at = |column: usize| number.saturating_mul(5).saturating_add(column).saturating_add(3);
        let [record, field, revision, card, sealed] = [0, 1, 2, 3, 4].map(at);
        format!("(${record}::bytea, ${field}::bytea, ${revision}::bigint, ${card}::bytea, ${sealed}::bytea)")
    };
    ROWS.map(|rows| {
        format!(
            "INSERT INTO record (vault, patient, record, field, revision, card, sealed, object, length) \
             SELECT p.vault, p.patient, new.record, new.field, new.revision, new.card, new.sealed, NULL, \
             octet_length(new.sealed) FROM patient p, (VALUES {}) AS new (record, field, revision, card, sealed) \
             WHERE p.vault = $1 AND p.patient = $2 AND p.card = new.card FOR UPDATE OF p ON CONFLICT DO NOTHING",
            (0..rows).map(row).collect::<Vec<_>>().join(", ")
        )
    })
});

/// Bytes of one statement's rows, if it is more than one row.
const BYTES: usize = 15_000;

/// How many of these rows make a statement, which is of one patient, and its text.
fn together(rows: &[Row]) -> Option<(usize, &'static str)> {
    let patient = |row: &Row| row.get(1).cloned();
    let first = rows.first().and_then(patient);
    let length =
        |row: &Row| row.iter().map(|value| if let Value::Bytes(b) = value { b.len() } else { 0 }).sum::<usize>();
    let of_one = rows.iter().take_while(|row| patient(row) == first);
    let sums = of_one.scan(0_usize, |sum, row| {
        *sum = sum.saturating_add(length(row));
        Some(*sum)
    });
    let fitting = sums.take_while(|sum| *sum <= BYTES).count().max(1).min(rows.len());
    let mut texts = ROWS.into_iter().zip(INSERT_RECORDS.iter().map(String::as_str));
    texts.find(|(count, _)| *count <= fitting)
}

impl Driver for PostgresTx {
    const REPLACE: &'static str = replace_record!(" FOR UPDATE");

    fn locks(&self) -> bool {
        self.purpose == Purpose::Write
    }

    async fn rows(&mut self, table: &'static Table, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>> {
        self.server.rows(sql, &values).await?.iter().map(|row| decode(table, row)).collect()
    }

    async fn run(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64> {
        self.server.run(sql, &values).await
    }

    async fn once(&mut self, sql: String) -> Result<()> {
        self.server.script(&sql).await
    }

    async fn insert_many(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let (mut rows, mut inserted) = (rows.into_iter(), 0_u64);
        while let Some((count, text)) = together(rows.as_slice()) {
            let mut values = vec![Value::Bytes(vault.as_bytes().to_vec())];
            values.extend(rows.as_slice().first().and_then(|row| row.get(1)).cloned());
            values.extend(rows.by_ref().take(count).flat_map(|row| row.into_iter().skip(2).take(5)));
            inserted = inserted.saturating_add(self.run(text, values).await?);
        }
        Ok(inserted)
    }

    async fn make_durable(mut self) -> Result<()> {
        self.server.end("COMMIT").await
    }

    async fn give_up(mut self) {
        // Where this fails too, the connection is gone, and with it the transaction.
        let _ = self.server.end("ROLLBACK").await;
    }
}
