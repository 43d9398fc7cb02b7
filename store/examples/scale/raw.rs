//! What somebody would write without this crate: the same table, the same columns, `sqlx`, and no rules.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, Postgres, Row as _, Sqlite, SqlitePool};

/// Rows of one statement, at most: as many as the store's own statements have.
pub const ROWS: usize = 64;

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

const UNNEST: &str = "INSERT INTO record (vault, patient, record, field, revision, card, sealed, object, length) \
    SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bytea[], $7::bytea[], \
    $8::bytea[], $9::bigint[])";

/// The text of an insert of so many rows, made once: SQLite is faster without numbers on the places.
fn insert_many(rows: usize) -> &'static str {
    static TEXTS: [OnceLock<String>; ROWS + 1] = [const { OnceLock::new() }; ROWS + 1];
    TEXTS[rows].get_or_init(|| {
        let (columns, _) = INSERT.split_once(" VALUES ").unwrap();
        format!("{columns} VALUES {}", vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?)"; rows].join(", "))
    })
}

macro_rules! driver {
    ($module:ident, $database:ty, $begin:literal) => {
        mod $module {
            use super::*;

            pub(super) type Bound = sqlx::query::Query<'static, $database, <$database as sqlx::Database>::Arguments>;
            pub(super) type Pool = sqlx::Pool<$database>;

            pub(super) fn bind(query: Bound, row: &Row<'_>) -> Bound {
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

/// One transaction, and [`ROWS`] rows in a statement.
async fn many_in_sqlite(pool: &SqlitePool, rows: &[Row<'_>]) {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    for rows in rows.chunks(ROWS) {
        let query = rows.iter().fold(sqlx::query(insert_many(rows.len())), in_sqlite::bind);
        query.execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// As many rows as the store puts into one statement there.
fn together(rows: &[Row<'_>]) -> usize {
    let length = |row: &Row<'_>| {
        [row.vault, row.patient, row.record, row.field, row.card, row.sealed].map(<[u8]>::len).iter().sum::<usize>()
    };
    let sums = rows.iter().scan(0, |sum, row| {
        *sum += length(row);
        Some(*sum)
    });
    let fitting = sums.take_while(|sum| *sum <= 15_000).count().clamp(1, ROWS);
    1 << fitting.ilog2()
}

/// The same: arrays, which are faster there than places for every value.
async fn many_in_postgres(pool: &PgPool, rows: &[Row<'_>]) {
    let mut tx = pool.begin_with("BEGIN").await.unwrap();
    let mut rest = rows;
    while !rest.is_empty() {
        let (rows, behind) = rest.split_at(together(rest));
        rest = behind;
        let column = |column: for<'r> fn(&Row<'r>) -> &'r [u8]| rows.iter().map(column).collect::<Vec<&[u8]>>();
        let number = |number: fn(&Row<'_>) -> i64| rows.iter().map(number).collect::<Vec<i64>>();
        let query = sqlx::query::<Postgres>(UNNEST).bind(column(|row| row.vault)).bind(column(|row| row.patient));
        let query = query.bind(column(|row| row.record)).bind(column(|row| row.field)).bind(number(|row| row.revision));
        let query = query.bind(column(|row| row.card)).bind(column(|row| row.sealed));
        let query = query.bind(vec![None::<&[u8]>; rows.len()]);
        let query = query.bind(number(|row| i64::try_from(row.sealed.len()).unwrap()));
        query.execute(&mut *tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

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
        Self::Sqlite(
            SqlitePoolOptions::new().max_connections(8).test_before_acquire(false).connect_with(options).await.unwrap(),
        )
    }

    /// With the options of `PostgresStore::open`.
    pub async fn postgres(url: &str) -> Self {
        Self::Postgres(PgPoolOptions::new().max_connections(16).connect(url).await.unwrap())
    }

    /// One transaction, and a statement for each row.
    pub async fn insert_one_by_one(&self, rows: &[Row<'_>]) {
        either!(self, one_by_one(rows));
    }

    /// One transaction, and as many rows in a statement as the store's statements have.
    pub async fn insert_many(&self, rows: &[Row<'_>]) {
        match self {
            Self::Sqlite(pool) => many_in_sqlite(pool, rows).await,
            Self::Postgres(pool) => many_in_postgres(pool, rows).await,
        }
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
