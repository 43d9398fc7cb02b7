//! What somebody would write without this crate: the same table, the same columns, `sqlx`, and no rules.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, Postgres, Row as _, Sqlite, SqlitePool};

/// Rows of one statement: as many as the store's own statements have.
pub const ROWS: usize = 100;

/// A record as it is written.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub vault: &'a [u8],
    pub patient: &'a [u8],
    pub record: &'a [u8],
    pub field: &'a [u8],
    pub revision: i64,
    pub card: &'a [u8],
    pub sealed: &'a [u8],
}

/// A record as it is read.
#[derive(Debug)]
pub struct Met {
    pub record: Vec<u8>,
    pub field: Vec<u8>,
    pub revision: i64,
    pub card: Vec<u8>,
    pub sealed: Option<Vec<u8>>,
    pub object: Option<Vec<u8>>,
    pub length: i64,
}

#[derive(Debug)]
pub enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

const INSERT: &str = "INSERT INTO record (vault, patient, record, field, revision, card, sealed, object, length) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE record SET revision = $5, card = $6, sealed = $7, object = $8, length = $9 \
                      WHERE vault = $1 AND patient = $2 AND record = $3 AND field = $4";
const SELECT: &str = "SELECT record, field, revision, card, sealed, object, length FROM record \
                      WHERE vault = $1 AND patient = $2 AND record = $3 AND field = $4";
const PAGE: &str = "SELECT record, field, revision, card, sealed, object, length FROM record \
                    WHERE vault = $1 AND patient = $2 ORDER BY record, field LIMIT $3";

/// The text of an insert of so many rows.
fn insert_many(rows: usize) -> String {
    let row = |number: usize| {
        let places: Vec<String> = (1..=9).map(|column| format!("${}", number * 9 + column)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    let (columns, _) = INSERT.split_once(" VALUES ").unwrap();
    format!("{columns} VALUES {}", rows.join(", "))
}

macro_rules! driver {
    ($module:ident, $database:ty, $begin:literal) => {
        mod $module {
            use super::*;

            type Bound = sqlx::query::Query<'static, $database, <$database as sqlx::Database>::Arguments>;
            type Pool = sqlx::Pool<$database>;

            fn bind(query: Bound, row: &Row<'_>) -> Bound {
                let query = query.bind(row.vault.to_vec()).bind(row.patient.to_vec()).bind(row.record.to_vec());
                let query = query.bind(row.field.to_vec()).bind(row.revision).bind(row.card.to_vec());
                query.bind(row.sealed.to_vec()).bind(None::<Vec<u8>>).bind(i64::try_from(row.sealed.len()).unwrap())
            }

            pub(super) async fn one_by_one(pool: &Pool, rows: &[Row<'_>]) {
                let mut tx = pool.begin_with($begin).await.unwrap();
                for row in rows {
                    bind(sqlx::query(INSERT), row).execute(&mut *tx).await.unwrap();
                }
                tx.commit().await.unwrap();
            }

            pub(super) async fn many(pool: &Pool, rows: &[Row<'_>], text: &str) {
                let mut tx = pool.begin_with($begin).await.unwrap();
                for rows in rows.chunks(ROWS) {
                    let text = if rows.len() == ROWS { text.to_owned() } else { insert_many(rows.len()) };
                    rows.iter().fold(sqlx::query(AssertSqlSafe(text)), bind).execute(&mut *tx).await.unwrap();
                }
                tx.commit().await.unwrap();
            }

            pub(super) async fn alone(pool: &Pool, row: &Row<'_>, replace: bool) {
                let text = if replace { UPDATE } else { INSERT };
                bind(sqlx::query(text), row).execute(pool).await.unwrap();
            }

            pub(super) async fn update(pool: &Pool, row: &Row<'_>) {
                let mut tx = pool.begin_with($begin).await.unwrap();
                bind(sqlx::query(UPDATE), row).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }

            fn met(row: &<$database as sqlx::Database>::Row) -> Met {
                Met {
                    record: row.get(0),
                    field: row.get(1),
                    revision: row.get(2),
                    card: row.get(3),
                    sealed: row.get(4),
                    object: row.get(5),
                    length: row.get(6),
                }
            }

            pub(super) async fn read(pool: &Pool, key: [&[u8]; 4]) -> Met {
                let query = key.iter().fold(sqlx::query(SELECT), |query: Bound, part| query.bind(part.to_vec()));
                met(&query.fetch_one(pool).await.unwrap())
            }

            pub(super) async fn page(pool: &Pool, vault: &[u8], patient: &[u8], limit: u32) -> Vec<Met> {
                let query: Bound = sqlx::query(PAGE);
                let query = query.bind(vault.to_vec()).bind(patient.to_vec()).bind(i64::from(limit));
                query.fetch_all(pool).await.unwrap().iter().map(met).collect()
            }

            pub(super) async fn number(pool: &Pool, text: &'static str) -> i64 {
                sqlx::query(text).fetch_one(pool).await.unwrap().get(0)
            }
        }
    };
}

driver!(in_sqlite, Sqlite, "BEGIN IMMEDIATE");
driver!(in_postgres, Postgres, "BEGIN");

macro_rules! either {
    ($raw:expr, $call:ident($($argument:expr),*)) => {
        match $raw {
            Raw::Sqlite(pool) => in_sqlite::$call(pool, $($argument),*).await,
            Raw::Postgres(pool) => in_postgres::$call(pool, $($argument),*).await,
        }
    };
}

impl Raw {
    /// With the options of `SqliteStore::open`.
    pub async fn sqlite(path: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(Duration::from_secs(10))
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .pragma("temp_store", "MEMORY");
        Self::Sqlite(SqlitePoolOptions::new().max_connections(8).connect_with(options).await.unwrap())
    }

    /// With the options of `PostgresStore::open`.
    pub async fn postgres(url: &str) -> Self {
        Self::Postgres(PgPoolOptions::new().max_connections(16).connect(url).await.unwrap())
    }

    /// One transaction, and a statement for each row.
    pub async fn insert_one_by_one(&self, rows: &[Row<'_>]) {
        either!(self, one_by_one(rows));
    }

    /// One transaction, and [`ROWS`] rows in a statement, whose text is made once.
    pub async fn insert_many(&self, rows: &[Row<'_>]) {
        static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        either!(self, many(rows, TEXT.get_or_init(|| insert_many(ROWS))));
    }

    /// One statement, which is a transaction of its own.
    pub async fn insert_alone(&self, row: &Row<'_>) {
        either!(self, alone(row, false));
    }

    /// As [`Raw::insert_alone`].
    pub async fn update_alone(&self, row: &Row<'_>) {
        either!(self, alone(row, true));
    }

    /// Begin, the statement, commit.
    pub async fn update(&self, row: &Row<'_>) {
        either!(self, update(row));
    }

    pub async fn read(&self, key: [&[u8]; 4]) -> Met {
        either!(self, read(key))
    }

    pub async fn page(&self, vault: &[u8], patient: &[u8], limit: u32) -> Vec<Met> {
        either!(self, page(vault, patient, limit))
    }

    /// The bytes of the database, its log among them where that is a file beside it.
    pub async fn size(&self) -> i64 {
        match self {
            Self::Sqlite(pool) => {
                in_sqlite::number(pool, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").await
            }
            Self::Postgres(pool) => in_postgres::number(pool, "SELECT pg_database_size(current_database())").await,
        }
    }
}
