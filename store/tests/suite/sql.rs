//! Statements that somebody runs behind the store's back, in one text for both databases.

use std::path::PathBuf;

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use crate::postgres::{self, Session};

pub enum Sql {
    Sqlite(PathBuf),
    Postgres(String),
}

/// Every table with objects of vaults, and its primary key.
pub const TABLES: [(&str, &str); 13] = [
    ("generation", "vault, generation"),
    ("member", "vault, member"),
    ("patient", "vault, patient"),
    ("card", "vault, patient, version"),
    ("endorsement", "vault, patient, generation"),
    ("patient_grant", "vault, patient, card, generation, recipient"),
    ("withdrawn", "vault, patient, recipient"),
    ("record", "vault, patient, record, field"),
    ("erasure", "vault, erasure"),
    ("erasure_part", "vault, erasure, kind, subject"),
    ("unnamed_object", "vault, object"),
    ("job", "vault, job"),
    ("job_piece", "vault, patient, job"),
];

impl Sql {
    /// `x'00ff'` is bytes, and `THE_ROW` is the place of a row.
    fn dialect(&self, statement: &str) -> String {
        match self {
            Self::Sqlite(_) => statement.replace("THE_ROW", "rowid"),
            Self::Postgres(_) => {
                let mut parts = statement.split("x'");
                let first = parts.next().unwrap().to_owned();
                let bytes = |part: &str| {
                    let (hex, rest) = part.split_once('\'').unwrap();
                    format!("'\\x{hex}'::bytea{rest}")
                };
                parts.fold(first, |text, part| text + &bytes(part)).replace("THE_ROW", "ctid")
            }
        }
    }

    pub async fn run(&self, statement: &str) {
        let statement = self.dialect(statement);
        match self {
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(url) => postgres::sql(url, &statement).await,
        }
    }

    /// The text in the first column of every row.
    pub async fn texts(&self, statement: &str) -> Vec<String> {
        match self {
            Self::Sqlite(path) => {
                let query = sqlx::query(AssertSqlSafe(self.dialect(statement)));
                let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
                let rows = query.fetch_all(&mut connection).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            Self::Postgres(url) => {
                let rows = Session::to(url).await.rows(&self.dialect(statement)).await;
                rows.into_iter().flat_map(|row| row.into_iter().take(1)).collect()
            }
        }
    }

    /// Every column, as `table.column type`, as the database has it.
    pub async fn columns(&self) -> Vec<String> {
        let statement = match self {
            Self::Sqlite(_) => {
                "SELECT m.name || '.' || c.name || ' ' || lower(c.type) FROM sqlite_master m, pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'saved%' ORDER BY 1"
            }
            Self::Postgres(_) => {
                "SELECT table_name || '.' || column_name || ' ' || data_type FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name NOT LIKE 'saved%' ORDER BY 1"
            }
        };
        self.texts(statement).await.iter().map(|column| column.replace("bytea", "blob")).collect()
    }

    /// Alters one column of one row, the first one.
    pub async fn alter(&self, table: &str, column: &str, bytes: bool) {
        let value = match (bytes, self) {
            (false, _) => format!("coalesce({column}, 0) + 1"),
            (true, Self::Sqlite(_)) => format!("coalesce(zeroblob(length({column})), x'00')"),
            (true, Self::Postgres(_)) => {
                format!("coalesce(convert_to(repeat(chr(1), length({column})), 'UTF8'), x'00')")
            }
        };
        let row = "THE_ROW";
        self.run(&format!("UPDATE {table} SET {column} = {value} WHERE {row} = (SELECT min({row}) FROM {table})"))
            .await;
    }

    /// Keeps all of the database, for [`Sql::restore`].
    pub async fn save(&self) {
        for (table, _) in TABLES {
            self.run(&format!(
                "DROP TABLE IF EXISTS saved_{table}; CREATE TABLE saved_{table} AS SELECT * FROM {table}"
            ))
            .await;
        }
    }

    /// Puts every table back to what was saved.
    pub async fn restore_all(&self) {
        self.restore(&TABLES.map(|(table, _)| table)).await;
    }

    /// Puts these tables back to what was saved.
    pub async fn restore(&self, tables: &[&str]) {
        let all: Vec<String> = tables
            .iter()
            .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM saved_{table};"))
            .collect();
        self.run(&all.concat()).await;
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Each case on SQLite and on PostgreSQL, with a way to write behind the store's back. `$database` begins the name of the
/// database there.
macro_rules! on_both {
    ($database:literal; $($case:ident: $sqlite:ident, $postgresql:ident);* $(;)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $sqlite() {
                let scratch = tempfile::tempdir().unwrap();
                let path = scratch.path().join("vault.db");
                let store = lukko_store::SqliteStore::open(&path).await.unwrap();
                $case(&store, &crate::sql::Sql::Sqlite(path)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $postgresql() {
                let Some((store, database)) = crate::postgres::open($database, 0).await else { return };
                $case(&store, &crate::sql::Sql::Postgres(format!("postgres:///{database}"))).await;
            }
        )*
    };
}

pub(crate) use on_both;
