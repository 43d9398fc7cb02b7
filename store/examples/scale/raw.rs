//! What somebody would write without this crate: the same table, the same columns, the same drivers, and no rules.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Row as _, Sqlite, SqlitePool};

use in_postgres::Postgres;

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
    Postgres(Postgres),
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

/// How SQLite does it.
mod in_sqlite {
    use super::*;

    pub(super) type Bound = sqlx::query::Query<'static, Sqlite, <Sqlite as sqlx::Database>::Arguments>;

    pub(super) fn bind(query: Bound, row: &Row<'_>) -> Bound {
        let query = query.bind(row.vault.to_vec()).bind(row.patient.to_vec()).bind(row.record.to_vec());
        let query = query.bind(row.field.to_vec()).bind(row.revision).bind(row.card.to_vec());
        query.bind(row.sealed.to_vec()).bind(None::<Vec<u8>>).bind(i64::try_from(row.sealed.len()).unwrap())
    }

    pub(super) async fn one_by_one(pool: &SqlitePool, rows: &[Row<'_>]) {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        for row in rows {
            bind(sqlx::query(INSERT), row).execute(&mut *tx).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub(super) async fn alone(pool: &SqlitePool, row: &Row<'_>, replace: bool) {
        let text = if replace { UPDATE } else { INSERT };
        bind(sqlx::query(text), row).execute(pool).await.unwrap();
    }

    pub(super) async fn update(pool: &SqlitePool, row: &Row<'_>) {
        let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
        bind(sqlx::query(UPDATE), row).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn met(row: &SqliteRow) -> Met {
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

    pub(super) async fn read(pool: &SqlitePool, key: [&[u8]; 4]) -> Met {
        let query = key.iter().fold(sqlx::query(SELECT), |query: Bound, part| query.bind(part.to_vec()));
        met(&query.fetch_one(pool).await.unwrap())
    }

    pub(super) async fn page(pool: &SqlitePool, vault: &[u8], patient: &[u8], limit: u32) -> Vec<Met> {
        let query: Bound = sqlx::query(PAGE);
        let query = query.bind(vault.to_vec()).bind(patient.to_vec()).bind(i64::from(limit));
        query.fetch_all(pool).await.unwrap().iter().map(met).collect()
    }

    pub(super) async fn number(pool: &SqlitePool, text: &'static str) -> i64 {
        sqlx::query(text).fetch_one(pool).await.unwrap().get(0)
    }
}

/// How PostgreSQL does it.
mod in_postgres {
    use super::*;
    use tokio_postgres::types::ToSql;
    use tokio_postgres::{Client, Statement};

    /// One connection, with everything prepared: whoever calls waits for the answer.
    #[derive(Debug)]
    pub struct Postgres {
        pub(super) client: Client,
        insert: Statement,
        update: Statement,
        select: Statement,
        page: Statement,
        pub(super) unnest: Statement,
    }

    impl Postgres {
        pub(super) async fn new(client: Client) -> Self {
            let [insert, update, select, page, unnest] = [INSERT, UPDATE, SELECT, PAGE, UNNEST];
            Self {
                insert: client.prepare(insert).await.unwrap(),
                update: client.prepare(update).await.unwrap(),
                select: client.prepare(select).await.unwrap(),
                page: client.prepare(page).await.unwrap(),
                unnest: client.prepare(unnest).await.unwrap(),
                client,
            }
        }

        async fn execute(&self, statement: &Statement, row: &Row<'_>) {
            let (object, length) = (None::<&[u8]>, i64::try_from(row.sealed.len()).unwrap());
            let values: [&(dyn ToSql + Sync); 9] = [
                &row.vault,
                &row.patient,
                &row.record,
                &row.field,
                &row.revision,
                &row.card,
                &row.sealed,
                &object,
                &length,
            ];
            self.client.execute(statement, &values).await.unwrap();
        }
    }

    pub(super) async fn one_by_one(server: &Postgres, rows: &[Row<'_>]) {
        server.client.batch_execute("BEGIN").await.unwrap();
        for row in rows {
            server.execute(&server.insert, row).await;
        }
        server.client.batch_execute("COMMIT").await.unwrap();
    }

    pub(super) async fn alone(server: &Postgres, row: &Row<'_>, replace: bool) {
        server.execute(if replace { &server.update } else { &server.insert }, row).await;
    }

    pub(super) async fn update(server: &Postgres, row: &Row<'_>) {
        server.client.batch_execute("BEGIN").await.unwrap();
        server.execute(&server.update, row).await;
        server.client.batch_execute("COMMIT").await.unwrap();
    }

    fn met(row: &tokio_postgres::Row) -> Met {
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

    pub(super) async fn read(server: &Postgres, key: [&[u8]; 4]) -> Met {
        let [vault, patient, record, field] = &key;
        met(&server.client.query_one(&server.select, &[vault, patient, record, field]).await.unwrap())
    }

    pub(super) async fn page(server: &Postgres, vault: &[u8], patient: &[u8], limit: u32) -> Vec<Met> {
        let rows = server.client.query(&server.page, &[&vault, &patient, &i64::from(limit)]).await.unwrap();
        rows.iter().map(met).collect()
    }

    pub(super) async fn number(server: &Postgres, text: &'static str) -> i64 {
        server.client.query_one(text, &[]).await.unwrap().get(0)
    }
}

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
async fn many_in_postgres(server: &Postgres, rows: &[Row<'_>]) {
    server.client.batch_execute("BEGIN").await.unwrap();
    let mut rest = rows;
    while !rest.is_empty() {
        let (rows, behind) = rest.split_at(together(rest));
        rest = behind;
        let column = |column: for<'r> fn(&Row<'r>) -> &'r [u8]| rows.iter().map(column).collect::<Vec<&[u8]>>();
        let number = |number: fn(&Row<'_>) -> i64| rows.iter().map(number).collect::<Vec<i64>>();
        let keys =
            [column(|row| row.vault), column(|row| row.patient), column(|row| row.record), column(|row| row.field)];
        let (cards, sealed) = (column(|row| row.card), column(|row| row.sealed));
        let revisions = number(|row| row.revision);
        let (objects, lengths) =
            (vec![None::<&[u8]>; rows.len()], number(|row| i64::try_from(row.sealed.len()).unwrap()));
        let [vaults, patients, records, fields] = &keys;
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 9] =
            [vaults, patients, records, fields, &revisions, &cards, &sealed, &objects, &lengths];
        server.client.execute(&server.unnest, &values).await.unwrap();
    }
    server.client.batch_execute("COMMIT").await.unwrap();
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

    /// Over one connection.
    pub async fn postgres(client: tokio_postgres::Client) -> Self {
        Self::Postgres(Postgres::new(client).await)
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
