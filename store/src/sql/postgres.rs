//! PostgreSQL, and databases that speak its protocol.

use std::pin::pin;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use futures_util::future::{Either, select};
use lukko::VaultId;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres as Database, Row as _};
use tokio::sync::watch;

use super::driver::{
    COUNT_PIECES, CUT_LEASES, DELETE_GENERATION, NAMES_OBJECT, WITHOUT_WAY, damaged, free_piece, panicked,
    replace_record, transaction, without_panic,
};
use super::reported::{self, failed};
use super::schema::{self, Dialect, STEPS};
use super::{session, vacuum};
use crate::backend::{Backend, Purpose, Tx};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{CARD, Kind, PIECE, RECORD, Row, Table, Texts, Value};

/// A store in PostgreSQL.
pub type PostgresStore = Engine<Postgres>;

/// The connections of a [`PostgresStore`].
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(super) pool: PgPool,
    /// Why the newest connection that was refused was refused.
    refused: Arc<watch::Sender<String>>,
}

/// Connections of one process, at most.
const CONNECTIONS: u32 = 16;
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
    /// a standby, on another server than at the beginning, and on a database that is not PostgreSQL 13 or newer.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_partitioned(url, 0).await
    }

    /// The same, with every table in so many hash partitions by its shard key. Counts when the tables are made.
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
        let options = PgConnectOptions::from_str(url).map_err(failed)?;
        let server: Arc<str> = session::probe(&options).await?.into();
        let refused = Arc::new(watch::Sender::default());
        let says = Arc::clone(&refused);
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).after_connect(move |connection, _| {
            let (server, says) = (Arc::clone(&server), Arc::clone(&says));
            Box::pin(async move {
                session::require(connection, &server).await.map_err(|error| {
                    says.send_replace(if let Error::Unavailable(why) = &error {
                        why.to_string()
                    } else {
                        error.to_string()
                    });
                    sqlx::Error::WorkerCrashed
                })
            })
        });
        let pool = pool.connect_lazy_with(options);
        Ok(Self { pool, refused })
    }

    /// What the pool gives. Where it refuses a connection it would try again until its time is over, and then not say why.
    async fn given<T>(&self, given: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        let mut refused = self.refused.subscribe();
        match select(pin!(given), pin!(refused.changed())).await {
            Either::Left((given, _)) => given.map_err(failed),
            Either::Right(_) => Err(Error::unavailable(self.refused.borrow().clone())),
        }
    }

    /// In a task of its own, which goes on when its caller does not wait any more. Given up in the middle, `sqlx` 0.9.0
    /// (its issue 4393) hands the connection on inside the transaction, where the next statement that is a change by itself
    /// would be acknowledged and never be committed.
    async fn transaction(&self, begin: &'static str) -> Result<Inner, sqlx::Error> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(begin).await }).await;
        begun.map_err(|_| sqlx::Error::WorkerCrashed)?.map(Inner::Transaction)
    }

    pub(super) async fn migrate(&self, steps: &[&str], partitions: u32) -> Result<()> {
        let exists = "SELECT CAST(count(to_regclass('lukko_schema')) AS BIGINT)";
        let mut attempt = 1;
        loop {
            match migrate(self, steps, Dialect { blob: "BYTEA", exists, partitions }).await {
                Err(Error::Unavailable(_)) if attempt < ATTEMPTS => attempt += 1,
                other => break other,
            }
        }
    }
}

impl Backend for Postgres {
    type Tx = PostgresTx;

    async fn begin(&self, purpose: Purpose) -> Result<PostgresTx> {
        // A reader sees one moment; a writer sees the newest rows and holds those that it reads. It does not ask for
        // READ WRITE: who has set the server to be read only, because its disk is full, means this too.
        let inner = match purpose {
            Purpose::Read => self.given(self.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await,
            Purpose::Write => self.given(self.transaction("BEGIN ISOLATION LEVEL READ COMMITTED")).await,
            Purpose::ReadOnce | Purpose::WriteOnce => self.given(self.pool.acquire()).await.map(Inner::Statement),
        };
        Ok(PostgresTx { inner: inner?, purpose })
    }

    fn taken_back(error: &Error) -> bool {
        reported::taken_back(error)
    }

    /// Removes dead rows. Their bytes stay in pages, write-ahead log and backups: see `docs/SCALING.md`.
    async fn scrub(&self) -> Result<Scrub> {
        self.given(async { Ok(vacuum::vacuum(&self.pool).await) }).await?.map(|()| Scrub::Tables)
    }
}

/// A transaction of PostgreSQL.
#[derive(Debug)]
pub struct PostgresTx {
    inner: Inner,
    purpose: Purpose,
}

/// As many rows as one of these go into one statement: few texts, each of which stays prepared. With arrays in place of
/// rows one text would do, but PostgreSQL would plan it anew for their lengths, each time.
const ROWS: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// The texts that insert so many records. Each patient's row is held before a record is made.
static INSERT_RECORDS: LazyLock<[String; 7]> = LazyLock::new(|| {
    let row = |number: usize| {
        let at = |column: usize| number.saturating_mul(6).saturating_add(column).saturating_add(2);
        let [patient, record, field, revision, card, sealed] = [0, 1, 2, 3, 4, 5].map(at);
        format!(
            "(${patient}::bytea, ${record}::bytea, ${field}::bytea, ${revision}::bigint, ${card}::bytea, ${sealed}::bytea)"
        )
    };
    ROWS.map(|rows| {
        format!(
            "INSERT INTO record (vault, patient, record, field, revision, card, sealed, object, length) \
             SELECT $1::bytea, new.patient, new.record, new.field, new.revision, new.card, new.sealed, NULL, \
             octet_length(new.sealed) FROM (VALUES {}) AS new (patient, record, field, revision, card, sealed) \
             WHERE (SELECT card FROM patient WHERE vault = $1 AND patient = new.patient FOR UPDATE) = new.card \
             ON CONFLICT DO NOTHING",
            (0..rows).map(row).collect::<Vec<_>>().join(", ")
        )
    })
});

/// Bytes of one statement's rows, if it is more than one row: with its frame it fits into one record of TLS. `sqlx` 0.9.0
/// does not set TCP_NODELAY (its issue 4335), and what is sent in two pieces waits some 40 ms where packets are large.
const BYTES: usize = 15_000;

/// How many of these rows make a statement, and its text.
fn together(rows: &[Row]) -> Option<(usize, &'static str)> {
    let length =
        |row: &Row| row.iter().map(|value| if let Value::Bytes(b) = value { b.len() } else { 0 }).sum::<usize>();
    let sums = rows.iter().scan(0_usize, |sum, row| {
        *sum = sum.saturating_add(length(row));
        Some(*sum)
    });
    let fitting = sums.take_while(|sum| *sum <= BYTES).count().max(1).min(rows.len());
    let mut texts = ROWS.into_iter().zip(INSERT_RECORDS.iter().map(String::as_str));
    texts.find(|(count, _)| *count <= fitting)
}

impl PostgresTx {
    const REPLACE: &'static str = replace_record!(" FOR UPDATE");

    async fn insert_many(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let (mut rows, mut inserted) = (rows.into_iter(), 0_u64);
        while let Some((count, text)) = together(rows.as_slice()) {
            let mut query = sqlx::query::<Database>(text).bind(vault.as_bytes().to_vec());
            for row in rows.by_ref().take(count) {
                let values = row.into_iter().zip(RECORD.columns).skip(1).take(6);
                query = values.fold(query, |query, (value, (_, kind))| bind(query, value, *kind));
            }
            inserted = inserted.saturating_add(self.run(query).await?);
        }
        Ok(inserted)
    }

    fn writes(&self) -> bool {
        self.purpose == Purpose::Write
    }

    fn to_write(&self, texts: &'static Texts) -> &'static str {
        if self.writes() { &texts.lock } else { &texts.get }
    }

    fn to_share(&self, texts: &'static Texts) -> &'static str {
        if self.writes() { &texts.share } else { &texts.get }
    }

    /// The server answers for its files itself.
    fn kept(&self) -> impl FnOnce() -> Result<()> + use<> {
        || Ok(())
    }

    fn lock(&self) -> &'static str {
        if self.writes() { " FOR UPDATE" } else { "" }
    }

    fn skip_locked(&self) -> &'static str {
        if self.writes() { " FOR UPDATE SKIP LOCKED" } else { "" }
    }
}

transaction!(PostgresTx, Database);
