//! PostgreSQL, and databases that speak its protocol.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool, Postgres as Database, Row as _};

use super::driver::{COUNT_PIECES, DELETE_GENERATION, damaged, free_piece, transaction};
use super::reported::{self, failed};
use super::schema::{self, Dialect, STEPS};
use crate::backend::{Backend, Purpose, Tx};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{Kind, PIECE, Row, Table, Value};

/// A store in PostgreSQL.
pub type PostgresStore = Engine<Postgres>;

/// The connections of a [`PostgresStore`].
#[derive(Debug, Clone)]
pub struct Postgres {
    pub(super) pool: PgPool,
}

/// Connections of one process, at most.
const CONNECTIONS: u32 = 16;
/// How often the schema is tried: two processes that make it at once meet in the system's tables.
const ATTEMPTS: u32 = 5;

impl PostgresStore {
    /// Opens the database at this address, and brings its schema to this version. `options` is a URL such as
    /// `postgres://user@host/name?sslmode=verify-full`; what it leaves out comes from `PGHOST`, `PGUSER` and their like.
    ///
    /// # Errors
    /// [`Error::Schema`] for a schema newer than this version knows; [`Error::Unavailable`].
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
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await.map_err(failed)?;
        Ok(Self { pool })
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
        let statement = match purpose {
            Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Purpose::Write => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        Ok(PostgresTx { inner: self.pool.begin_with(statement).await.map_err(failed)?, purpose })
    }

    fn taken_back(error: &Error) -> bool {
        reported::taken_back(error)
    }

    /// Frees dead rows. Their bytes stay in pages, write-ahead log and backups: see `docs/SCALING.md`.
    async fn scrub(&self) -> Result<Scrub> {
        let sql = "VACUUM card, endorsement, patient_grant, record";
        sqlx::query(sql).execute(&self.pool).await.map_err(failed)?;
        Ok(Scrub::Tables)
    }
}

/// A transaction of PostgreSQL.
#[derive(Debug)]
pub struct PostgresTx {
    inner: sqlx::Transaction<'static, Database>,
    purpose: Purpose,
}

impl PostgresTx {
    fn lock(&self, lock: &'static str) -> &'static str {
        if self.purpose == Purpose::Write { lock } else { "" }
    }

    fn lock_to_write(&self) -> &'static str {
        self.lock(" FOR UPDATE")
    }

    fn lock_to_share(&self) -> &'static str {
        self.lock(" FOR SHARE")
    }

    fn skip_locked(&self) -> &'static str {
        self.lock(" FOR UPDATE SKIP LOCKED")
    }
}

transaction!(PostgresTx, Database);
