//! The clinic's database as a thief sees it: files, and plain SQL. The clinic itself goes through `lukko-store`.

use std::path::{Path, PathBuf};

use lukko_store::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};

use crate::report::Outcome;

/// What SQLite may keep beside a database: the write-ahead log, its index, and the journal of the other mode.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", "-journal"];

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// The contents of every file of a database.
pub(crate) fn read(path: &Path) -> Outcome<Vec<Vec<u8>>> {
    let there = BESIDE.map(|end| beside(path, end)).into_iter().filter(|file| file.exists());
    Ok(there.map(std::fs::read).collect::<Result<_, _>>()?)
}

/// Copies every file of a database, as a thief does: without asking anybody, while the clinic works.
pub(crate) fn copy(from: &Path, to: &Path) -> Outcome<()> {
    for end in BESIDE {
        if beside(from, end).exists() {
            std::fs::copy(beside(from, end), beside(to, end))?;
        }
    }
    Ok(())
}

/// Removes every file of a database.
pub(crate) fn remove(path: &Path) {
    for end in BESIDE {
        // Nothing can be done about a temporary file that does not go away.
        let _ = std::fs::remove_file(beside(path, end));
    }
}

/// A connection that goes around the store.
pub(crate) struct Sql(SqliteConnection);

impl Sql {
    /// Without `secure_delete` SQLite leaves pieces of rows in the free room of pages that it splits, where the store's
    /// own deletions do not find them again.
    pub(crate) async fn open(path: &Path) -> Outcome<Self> {
        Ok(Self(SqliteConnectOptions::new().filename(path).pragma("secure_delete", "ON").connect().await?))
    }

    pub(crate) async fn close(self) -> Outcome<()> {
        Ok(self.0.close().await?)
    }

    /// Runs a statement that changes rows. One that meets none has not done what it is here for.
    pub(crate) async fn change(&mut self, statement: &str, values: &[&[u8]]) -> Outcome<()> {
        let query = sqlx::query(AssertSqlSafe(statement.to_owned()));
        let query = values.iter().fold(query, |query, value| query.bind(value.to_vec()));
        match query.execute(&mut self.0).await?.rows_affected() {
            0 => Err(format!("no row was met by: {statement}").into()),
            _ => Ok(()),
        }
    }

    /// The schema, which stands in the file in clear.
    pub(crate) async fn schema(&mut self) -> Outcome<String> {
        let row = sqlx::query("SELECT group_concat(sql, char(10)) FROM sqlite_master").fetch_one(&mut self.0).await?;
        Ok(row.try_get(0)?)
    }

    /// Brings a patient's key back from a copy that was made before.
    pub(crate) async fn put_back(&mut self, patient: &str, copy: &Path) -> Outcome<()> {
        let copy = copy.to_str().ok_or("the name of the copy is not UTF-8")?;
        sqlx::query("ATTACH DATABASE ?1 AS copy").bind(copy).execute(&mut self.0).await?;
        for table in ["patient", "card", "endorsement", "patient_grant"] {
            let statement = format!("INSERT INTO main.{table} SELECT * FROM copy.{table} WHERE patient = ?1");
            self.change(&statement, &[patient.as_bytes()]).await?;
        }
        Ok(())
    }
}

/// A copy of the database, opened as the clinic would, and around the store.
pub(crate) struct Copy {
    pub(crate) store: SqliteStore,
    pub(crate) sql: Sql,
}

impl Copy {
    pub(crate) async fn open(path: &Path) -> Outcome<Self> {
        Ok(Self { store: SqliteStore::open(path).await?, sql: Sql::open(path).await? })
    }

    pub(crate) async fn close(self) -> Outcome<()> {
        self.store.close().await;
        self.sql.close().await
    }
}
