//! SQLite, in the service's own process.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use lukko::VaultId;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, Sqlite as Database, SqliteConnection, SqlitePool,
    Transaction, TypeInfo as _, ValueRef as _,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::driver::{Driver, damaged, migrate, panicked, replace_record, without_panic};
use super::file::OpenFile;
use super::reported::{self, by_sqlite as failed};
use super::schema::{Dialect, Layout, STEPS};
use crate::backend::{Backend, Purpose};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{Row, Table, Value};

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
        migrate(self, steps, Dialect { blob: "BLOB", exists, layout: Layout::Whole, first: None }).await
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

/// A transaction, or a connection for one statement, which is a transaction by itself.
#[derive(Debug)]
enum Inner {
    Transaction(Transaction<'static, Database>),
    Statement(PoolConnection<Database>),
}

type Bound<'q> = Query<'q, Database, SqliteArguments>;

fn bound(query: Bound<'_>, values: Vec<Value>) -> Bound<'_> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(number),
        Value::Bytes(bytes) => query.bind(bytes),
        Value::Null => query.bind(None::<i64>),
    })
}

fn decode(table: &'static Table, row: &SqliteRow) -> Result<Row> {
    let value = |at| -> sqlx::Result<Option<Value>> {
        let value = row.try_get_raw(at)?;
        Ok(match value.type_info().name() {
            _ if value.is_null() => Some(Value::Null),
            "INTEGER" => Some(Value::Int(row.try_get(at)?)),
            "BLOB" | "TEXT" => Some(Value::Bytes(row.try_get(at)?)),
            _ => None,
        })
    };
    (0..row.len()).map(|at| value(at).map_err(failed)?.ok_or_else(|| damaged(table))).collect()
}

impl SqliteTx {
    fn connection(&mut self) -> &mut SqliteConnection {
        match &mut self.inner {
            Inner::Transaction(transaction) => transaction,
            Inner::Statement(connection) => connection,
        }
    }

    async fn execute(&mut self, query: Bound<'_>) -> Result<u64> {
        let connection = self.connection();
        let work = async { Ok(query.execute(connection).await.map_err(failed)?.rows_affected()) };
        let done = without_panic(work).await;
        self.unless_panicked(done)
    }

    /// A panic of the driver ends in an error. Its connection is closed; one in a transaction is first rolled back.
    fn unless_panicked<T>(&mut self, done: Option<Result<T>>) -> Result<T> {
        done.unwrap_or_else(|| {
            if let Inner::Statement(connection) = &mut self.inner {
                connection.close_on_drop();
            }
            Err(panicked())
        })
    }
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

impl Driver for SqliteTx {
    const REPLACE: &'static str = replace_record!("");

    fn locks(&self) -> bool {
        false
    }

    async fn rows(&mut self, table: &'static Table, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>> {
        let query = bound(sqlx::query(sql), values);
        let connection = self.connection();
        let work =
            async { query.fetch_all(connection).await.map_err(failed)?.iter().map(|row| decode(table, row)).collect() };
        let done = without_panic(work).await;
        self.unless_panicked(done)
    }

    async fn run(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64> {
        self.execute(bound(sqlx::query(sql), values)).await
    }

    async fn once(&mut self, sql: String) -> Result<()> {
        self.execute(sqlx::query(AssertSqlSafe(sql))).await.map(drop)
    }

    async fn insert_many(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let vault = Value::Bytes(vault.as_bytes().to_vec());
        let (mut rows, mut inserted) = (rows.into_iter(), 0_u64);
        for (count, text) in ROWS.iter().zip(INSERT_RECORDS.iter()) {
            while rows.len() >= *count {
                let of_rows = rows.by_ref().take(*count).flat_map(|row| row.into_iter().skip(1).take(6));
                let values = std::iter::once(vault.clone()).chain(of_rows).chain([vault.clone()]).collect();
                inserted = inserted.saturating_add(self.run(text, values).await?);
            }
        }
        Ok(inserted)
    }

    /// Asked when a change was written, before it is acknowledged: whether file and log are still the ones at their path.
    async fn make_durable(self) -> Result<()> {
        if let Inner::Transaction(transaction) = self.inner {
            let work = async { transaction.commit().await.map_err(failed) };
            without_panic(work).await.unwrap_or_else(|| Err(panicked()))?;
        }
        self.file.map_or(Ok(()), |file| file.kept())
    }

    async fn give_up(self) {
        if let Inner::Transaction(transaction) = self.inner {
            // Where this fails too, the connection is gone or closed, and with it the transaction.
            let work = async { transaction.rollback().await.map_err(failed) };
            let _ = without_panic(work).await;
        }
    }
}
