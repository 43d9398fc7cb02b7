//! The clinic's database: ids in clear, everything else as lukko made it. It never sees a key.

use std::path::Path;

use lukko::{Endorsed, Enrolment, Grant, KeyFingerprint, MemberKey};
use rusqlite::{Connection, OptionalExtension, params};

use crate::report::Outcome;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE vault (generation INTEGER PRIMARY KEY, descriptor BLOB NOT NULL, statement BLOB, roster BLOB NOT NULL);
    CREATE TABLE member (key BLOB PRIMARY KEY, entry BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE patient (patient TEXT PRIMARY KEY, card BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE endorsed (patient TEXT, generation INTEGER, endorsement BLOB NOT NULL, master_grant BLOB NOT NULL,
                           PRIMARY KEY (patient, generation)) WITHOUT ROWID;
    CREATE TABLE member_grant (patient TEXT, key BLOB, sealed BLOB NOT NULL, PRIMARY KEY (patient, key)) WITHOUT ROWID;
    CREATE TABLE record (patient TEXT, record TEXT, field TEXT, sealed BLOB NOT NULL,
                         PRIMARY KEY (patient, record, field)) WITHOUT ROWID;";

/// What is stored of a patient's key: the card, and what one generation has of it.
#[derive(Debug, Clone)]
pub(crate) struct PatientRow {
    pub(crate) card: Vec<u8>,
    pub(crate) endorsed: Endorsed,
}

impl From<&Enrolment> for PatientRow {
    fn from(Enrolment { card, endorsement, master_grant, .. }: &Enrolment) -> Self {
        let endorsed = Endorsed { endorsement: endorsement.clone(), master_grant: master_grant.clone() };
        Self { card: card.clone(), endorsed }
    }
}

/// An open database.
pub(crate) struct Store(pub(crate) Connection);

impl Store {
    pub(crate) fn create(path: &Path) -> Outcome<Self> {
        let store = Self::open(path)?;
        store.0.execute_batch(SCHEMA)?;
        Ok(store)
    }

    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let connection = Connection::open(path)?;
        // Without this SQLite only forgets where deleted rows were, and the file still has an erased patient's grants.
        connection.pragma_update(None, "secure_delete", true)?;
        Ok(Self(connection))
    }

    /// Runs many inserts as one transaction: all of them are stored, or none.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let transaction = self.0.unchecked_transaction()?;
        let result = work()?;
        transaction.commit()?;
        Ok(result)
    }

    /// Stores a generation; every one but the first comes with the statement that it follows the one before.
    pub(crate) fn put_generation(
        &self,
        generation: u32,
        descriptor: &[u8],
        statement: Option<&[u8]>,
        roster: &[u8],
    ) -> Outcome<()> {
        self.0
            .execute("INSERT INTO vault VALUES (?1, ?2, ?3, ?4)", params![generation, descriptor, statement, roster])?;
        Ok(())
    }

    pub(crate) fn put_roster(&self, generation: u32, roster: &[u8]) -> Outcome<()> {
        self.0.execute("UPDATE vault SET roster = ?2 WHERE generation = ?1", params![generation, roster])?;
        Ok(())
    }

    /// The descriptor and the roster of a generation.
    pub(crate) fn vault(&self, generation: u32) -> Outcome<(Vec<u8>, Vec<u8>)> {
        let sql = "SELECT descriptor, roster FROM vault WHERE generation = ?1";
        Ok(self.0.query_row(sql, [generation], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Every descriptor that comes with a statement, and the statement.
    pub(crate) fn successors(&self) -> Outcome<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut query = self.0.prepare("SELECT descriptor, statement FROM vault WHERE statement IS NOT NULL")?;
        Ok(query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
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

    pub(crate) fn put_patient(&self, patient: &str, generation: u32, row: &PatientRow) -> Outcome<()> {
        self.0.prepare_cached("INSERT INTO patient VALUES (?1, ?2)")?.execute(params![patient, row.card])?;
        self.put_endorsed(patient, generation, &row.endorsed)
    }

    pub(crate) fn put_endorsed(&self, patient: &str, generation: u32, endorsed: &Endorsed) -> Outcome<()> {
        let Endorsed { endorsement, master_grant } = endorsed;
        let mut insert = self.0.prepare_cached("INSERT INTO endorsed VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![patient, generation, endorsement, master_grant])?;
        Ok(())
    }

    /// A patient's card with what a generation has of it, if it has anything.
    pub(crate) fn patient(&self, patient: &str, generation: u32) -> Outcome<Option<PatientRow>> {
        let sql = "SELECT card, endorsement, master_grant FROM patient JOIN endorsed USING (patient)
                   WHERE patient = ?1 AND generation = ?2";
        let row = |row: &rusqlite::Row<'_>| {
            let endorsed = Endorsed { endorsement: row.get(1)?, master_grant: row.get(2)? };
            Ok(PatientRow { card: row.get(0)?, endorsed })
        };
        Ok(self.0.prepare_cached(sql)?.query_row(params![patient, generation], row).optional()?)
    }

    /// Deletes what a retired generation had of all patients. Its descriptor stays, for clients that are late.
    pub(crate) fn retire(&self, generation: u32) -> Outcome<usize> {
        Ok(self.0.execute("DELETE FROM endorsed WHERE generation = ?1", [generation])?)
    }

    /// Deletes a patient's card, endorsements and grants. The records may stay: nothing opens them any more.
    pub(crate) fn erase(&self, patient: &str) -> Outcome<()> {
        self.transaction(|| {
            for table in ["patient", "endorsed", "member_grant"] {
                self.0.execute(&format!("DELETE FROM {table} WHERE patient = ?1"), [patient])?;
            }
            Ok(())
        })
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

    /// Every grant of a patient to a member.
    pub(crate) fn grants(&self, patient: &str) -> Outcome<Vec<Vec<u8>>> {
        let mut query = self.0.prepare_cached("SELECT sealed FROM member_grant WHERE patient = ?1")?;
        Ok(query.query_map([patient], |row| row.get(0))?.collect::<Result<_, _>>()?)
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
