//! SQLite, in the service's own process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use lukko::VaultId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, Sqlite as Database, SqliteConnection, SqlitePool,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::driver::{
    COUNT_PIECES, CUT_LEASES, DELETE_GENERATION, NAMES_OBJECT, WITHOUT_WAY, damaged, free_piece, panicked,
    replace_record, transaction, without_panic,
};
use super::file::OpenFile;
use super::reported::{self, failed};
use super::schema::{self, Dialect, STEPS};
use crate::backend::{Backend, Purpose, Tx};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{CARD, Kind, PIECE, RECORD, Row, Table, Texts, Value};

/// A store in a file of SQLite.
///
/// The file is in write-ahead mode and every commit is synchronous. Deleted rows are overwritten (`secure_delete`). Keep
/// it on a local disk: SQLite's locks do not hold on network file systems.
pub type SqliteStore = Engine<Sqlite>;

/// The connections of a [`SqliteStore`].
#[derive(Debug, Clone)]
pub struct Sqlite {
    pub(super) pool: SqlitePool,
    /// SQLite has one writer at a time: who waits here waits in order.
    writer: Arc<Mutex<()>>,
    file: Arc<OpenFile>,
}

/// How long a connection waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two attempts at what SQLite does not wait for itself.
const PAUSE: Duration = Duration::from_millis(20);
/// Readers, and one writer.
const CONNECTIONS: u32 = 8;
/// What the write-ahead log keeps of the disk, in bytes, when a reader that stayed for long is gone. SQLite writes the log
/// into the file from 4 MB on, if no reader needs it.
const LOG_BYTES: &str = "16777216";

impl SqliteStore {
    /// Opens a database, makes it if there is none, and brings its schema to this version.
    ///
    /// # Errors
    /// [`Error::Schema`] for a schema newer than this version knows; [`Error::Unavailable`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        let begin = Instant::now();
        loop {
            match Self::try_open(path.as_ref()).await {
                // Who makes a file a write-ahead one holds it alone, and SQLite does not wait for that.
                Err(error) if reported::is_locked(&error) && begin.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    async fn try_open(path: &Path) -> Result<Self> {
        let backend = Sqlite::connect(path).await?;
        backend.migrate(STEPS).await?;
        Ok(Self::over(backend))
    }

    /// How many bytes the write-ahead log beside the file has. It grows while any process reads from an old state, and then
    /// needs the disk's room: a service says that it is not ready before the disk is full.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the database's file was removed or replaced while it was open.
    pub fn log_bytes(&self) -> Result<u64> {
        self.backend().file.still_there()?;
        Ok(self.backend().file.log_bytes()?.unwrap_or_default())
    }

    /// Closes every connection, and with the last one the write-ahead log.
    pub async fn close(&self) {
        self.backend().pool.close().await;
    }
}

impl Sqlite {
    pub(super) async fn connect(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(PATIENCE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .pragma("journal_size_limit", LOG_BYTES)
            .pragma("temp_store", "MEMORY");
        // First one alone: the pool would try a connection that does not follow again and again, until its time is over.
        let mut connection = options.connect().await.map_err(failed)?;
        require_pragmas(&mut connection).await.map_err(failed)?;
        let file = Arc::new(OpenFile::at(path)?);
        connection.close().await.map_err(failed)?;
        // After some errors, a full disk being one, SQLite has rolled back by itself, and the driver goes on to count the
        // transaction as open: such a connection would refuse every later one.
        // A file does not hang up: connections need not be asked whether they are still there.
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .after_connect(|connection, _| Box::pin(require_pragmas(connection)))
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.create_if_missing(false))
            .await
            .map_err(failed)?;
        Ok(Self { pool, writer: Arc::default(), file })
    }

    pub(super) async fn migrate(&self, steps: &[&str]) -> Result<()> {
        let exists = "SELECT count(*) FROM sqlite_master WHERE name = 'lukko_schema'";
        migrate(self, steps, Dialect { blob: "BLOB", exists, partitions: 0 }).await
    }
}

/// SQLite answers a pragma that it cannot follow with the old value, and not with an error: each connection is asked.
async fn require_pragmas(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    let row = sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let journal: String = row.try_get(0)?;
    let mut follows = journal == "wal";
    // FULL is 2; in memory is 2.
    for (pragma, wanted) in [("PRAGMA secure_delete", 1), ("PRAGMA synchronous", 2), ("PRAGMA temp_store", 2)] {
        let row = sqlx::query(pragma).fetch_one(&mut *connection).await?;
        follows &= row.try_get::<i64, _>(0)? == wanted;
    }
    let what = "the file cannot be used with a write-ahead log, synchronous commits and secure_delete";
    if follows { Ok(()) } else { Err(sqlx::Error::Configuration(what.into())) }
}

impl Backend for Sqlite {
    type Tx = SqliteTx;

    async fn begin(&self, purpose: Purpose) -> Result<SqliteTx> {
        let writes = matches!(purpose, Purpose::Write | Purpose::WriteOnce);
        let writer = if writes { Some(Arc::clone(&self.writer).lock_owned().await) } else { None };
        // Before the connection, because a new one would bring the log that lies there into whichever file is there.
        self.file.still_there()?;
        let inner = match purpose {
            Purpose::Read => self.pool.begin_with("BEGIN").await.map(Inner::Transaction),
            Purpose::Write => self.pool.begin_with("BEGIN IMMEDIATE").await.map(Inner::Transaction),
            Purpose::ReadOnce | Purpose::WriteOnce => self.pool.acquire().await.map(Inner::Statement),
        };
        Ok(SqliteTx { inner: inner.map_err(failed)?, file: writes.then(|| Arc::clone(&self.file)), _writer: writer })
    }

    fn directory(&self) -> Option<PathBuf> {
        self.file.directory()
    }

    async fn scrub(&self) -> Result<Scrub> {
        let _writer = self.writer.lock().await;
        let begin = Instant::now();
        loop {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&self.pool).await.map_err(failed)?;
            match row.try_get::<i64, _>(0).map_err(failed)? {
                0 => return Ok(Scrub::Files),
                // SQLite waits for readers and writers, and not for the checkpoint of another process.
                _ if begin.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                _ => return Err(Error::unavailable("the write-ahead log is in use by a reader or by another process")),
            }
        }
    }
}

/// A transaction of SQLite. Rows need no locks: there is one writer.
#[derive(Debug)]
pub struct SqliteTx {
    inner: Inner,
    /// If it writes.
    file: Option<Arc<OpenFile>>,
    _writer: Option<OwnedMutexGuard<()>>,
}

/// So many rows go into one statement, then half as many, and so on: few texts, each of which stays prepared.
const ROWS: [usize; 7] = [64, 32, 16, 8, 4, 2, 1];

/// The texts that insert so many records. Places without numbers: the driver looks for the name of each numbered one.
static INSERT_RECORDS: LazyLock<[String; 7]> = LazyLock::new(|| {
    ROWS.map(|rows| {
        format!(
            "INSERT INTO record (vault, patient, record, field, revision, card, sealed, object, length) \
             SELECT ?, column1, column2, column3, column4, column5, column6, NULL, length(column6) \
             FROM (VALUES {}) WHERE (SELECT card FROM patient WHERE vault = ? AND patient = column1) = column5 \
             ON CONFLICT DO NOTHING",
            vec!["(?, ?, ?, ?, ?, ?)"; rows].join(", ")
        )
    })
});

impl SqliteTx {
    const REPLACE: &'static str = replace_record!("");

    async fn insert_many(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let (mut rows, mut inserted) = (rows.into_iter(), 0_u64);
        for (count, text) in ROWS.iter().zip(INSERT_RECORDS.iter()) {
            while rows.len() >= *count {
                let mut query = sqlx::query::<Database>(text.as_str()).bind(vault.as_bytes().to_vec());
                for row in rows.by_ref().take(*count) {
                    let values = row.into_iter().zip(RECORD.columns).skip(1).take(6);
                    query = values.fold(query, |query, (value, (_, kind))| bind(query, value, *kind));
                }
                let changed = self.run(query.bind(vault.as_bytes().to_vec())).await?;
                inserted = inserted.saturating_add(changed);
            }
        }
        Ok(inserted)
    }

    const fn to_write(&self, texts: &'static Texts) -> &'static str {
        texts.get.as_str()
    }

    const fn to_share(&self, texts: &'static Texts) -> &'static str {
        texts.get.as_str()
    }

    /// Asked when a change was written, before it is acknowledged: whether file and log are still the ones at their path.
    fn kept(&self) -> impl FnOnce() -> Result<()> + use<> {
        let file = self.file.clone();
        move || file.map_or(Ok(()), |file| file.kept())
    }

    const fn lock(&self) -> &'static str {
        ""
    }

    const fn skip_locked(&self) -> &'static str {
        ""
    }
}

transaction!(SqliteTx, Database);
