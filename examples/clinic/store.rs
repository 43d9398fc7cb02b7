//! The clinic's database: ids in clear, everything else as lukko made it. It never sees a key.

use std::path::Path;

use lukko::{Enrolment, Grant, KeyFingerprint, MemberKey};
use rusqlite::{Connection, OptionalExtension, params};

use crate::report::Outcome;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE vault (one INTEGER PRIMARY KEY CHECK (one = 1), descriptor BLOB NOT NULL, roster BLOB NOT NULL);
    CREATE TABLE member (key BLOB PRIMARY KEY, entry BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE patient (patient TEXT PRIMARY KEY, card BLOB NOT NULL, endorsement BLOB NOT NULL,
                          master_grant BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE member_grant (patient TEXT, key BLOB, sealed BLOB NOT NULL, PRIMARY KEY (patient, key)) WITHOUT ROWID;
    CREATE TABLE record (patient TEXT, record TEXT, field TEXT, sealed BLOB NOT NULL,
                         PRIMARY KEY (patient, record, field)) WITHOUT ROWID;";

/// What is stored of a patient's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatientRow {
    pub(crate) card: Vec<u8>,
    pub(crate) endorsement: Vec<u8>,
    pub(crate) master_grant: Vec<u8>,
}

/// An open database.
pub(crate) struct Store(pub(crate) Connection);

impl Store {
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(connection))
    }

    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        Ok(Self(Connection::open(path)?))
    }

    /// Runs many inserts as one transaction: all of them are stored, or none.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let transaction = self.0.unchecked_transaction()?;
        let result = work()?;
        transaction.commit()?;
        Ok(result)
    }

    pub(crate) fn put_vault(&self, descriptor: &[u8], roster: &[u8]) -> Outcome<()> {
        self.0.execute("INSERT OR REPLACE INTO vault VALUES (1, ?1, ?2)", params![descriptor, roster])?;
        Ok(())
    }

    /// The descriptor and the roster.
    pub(crate) fn vault(&self) -> Outcome<(Vec<u8>, Vec<u8>)> {
        Ok(self.0.query_row("SELECT descriptor, roster FROM vault", [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    pub(crate) fn put_member(&self, member: &MemberKey) -> Outcome<()> {
        let key = member.fingerprint();
        self.0.execute("INSERT INTO member VALUES (?1, ?2)", params![key.as_bytes(), member.entry()])?;
        Ok(())
    }

    pub(crate) fn entries(&self) -> Outcome<Vec<Vec<u8>>> {
        let mut query = self.0.prepare("SELECT entry FROM member")?;
        Ok(query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    pub(crate) fn put_patient(&self, patient: &str, enrolled: &Enrolment) -> Outcome<()> {
        let Enrolment { card, endorsement, master_grant, .. } = enrolled;
        let mut insert = self.0.prepare_cached("INSERT INTO patient VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![patient, card, endorsement, master_grant])?;
        Ok(())
    }

    pub(crate) fn patient(&self, patient: &str) -> Outcome<PatientRow> {
        let sql = "SELECT card, endorsement, master_grant FROM patient WHERE patient = ?1";
        let row = |row: &rusqlite::Row<'_>| {
            Ok(PatientRow { card: row.get(0)?, endorsement: row.get(1)?, master_grant: row.get(2)? })
        };
        Ok(self.0.prepare_cached(sql)?.query_row([patient], row)?)
    }

    pub(crate) fn put_grant(&self, patient: &str, grant: &Grant) -> Outcome<()> {
        let mut insert = self.0.prepare_cached("INSERT INTO member_grant VALUES (?1, ?2, ?3)")?;
        insert.execute(params![patient, grant.recipient.as_bytes(), grant.bytes])?;
        Ok(())
    }

    pub(crate) fn grant(&self, patient: &str, to: KeyFingerprint) -> Outcome<Option<Vec<u8>>> {
        let mut query = self.0.prepare_cached("SELECT sealed FROM member_grant WHERE patient = ?1 AND key = ?2")?;
        Ok(query.query_row(params![patient, to.as_bytes()], |row| row.get(0)).optional()?)
    }

    pub(crate) fn put_record(&self, patient: &str, record: &str, field: &str, sealed: &[u8]) -> Outcome<()> {
        let mut insert = self.0.prepare_cached("INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![patient, record, field, sealed])?;
        Ok(())
    }

    pub(crate) fn record(&self, patient: &str, record: &str, field: &str) -> Outcome<Vec<u8>> {
        let sql = "SELECT sealed FROM record WHERE patient = ?1 AND record = ?2 AND field = ?3";
        Ok(self.0.prepare_cached(sql)?.query_row([patient, record, field], |row| row.get(0))?)
    }

    /// Every record of a patient: its id and its sealed bytes.
    pub(crate) fn history(&self, patient: &str, field: &str) -> Outcome<Vec<(String, Vec<u8>)>> {
        let sql = "SELECT record, sealed FROM record WHERE patient = ?1 AND field = ?2 ORDER BY record";
        let mut query = self.0.prepare_cached(sql)?;
        Ok(query.query_map([patient, field], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
    }
}
