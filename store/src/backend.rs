//! What the rules of this crate need of a database: transactions over tables with ordered keys.

use std::future::Future;
use std::path::PathBuf;

use lukko::VaultId;

use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{Row, Table, Value};

/// A database.
pub trait Backend: Send + Sync {
    type Tx: Tx;

    /// Begins a transaction. One that writes sees the newest rows, and holds every row that it has read until its end.
    fn begin(&self, purpose: Purpose) -> impl Future<Output = Result<Self::Tx>> + Send;

    /// Whether the database has surely rolled the transaction back, for another one that was in the way.
    fn taken_back(_error: &Error) -> bool {
        false
    }

    /// The directory of the database's file, if it is a file that this process opened.
    fn directory(&self) -> Option<PathBuf> {
        None
    }

    /// Removes what deleted rows have left in the database's files.
    fn scrub(&self) -> impl Future<Output = Result<Scrub>> + Send;
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Read,
    Write,
    /// One statement that reads: it sees one moment by itself.
    ReadOnce,
    /// One statement that writes: it is durable when it returns, and nothing is left for the commit.
    WriteOnce,
}

/// A patient's card of which a generation has no master grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wayless {
    pub(crate) patient: Vec<u8>,
    pub(crate) card: Vec<u8>,
    /// Whether the card's own row is there.
    pub(crate) stored: bool,
}

/// A transaction. Dropped without a commit, it has changed nothing.
pub trait Tx: Send {
    /// The row of a whole key.
    fn get(&mut self, table: &'static Table, key: Vec<Value>) -> impl Future<Output = Result<Option<Row>>> + Send;

    /// The row of a whole key, which others may read too until the end, and nobody change.
    fn share(&mut self, table: &'static Table, key: Vec<Value>) -> impl Future<Output = Result<Option<Row>>> + Send;

    /// Inserts a row; false, and nothing is changed, if there is one of this key.
    fn insert(&mut self, table: &'static Table, row: Row) -> impl Future<Output = Result<bool>> + Send;

    /// Inserts sealed records of one vault, in order: each where the patient's card is the record's, and no record of the
    /// key is there. Gives how many it has inserted. The patients' rows are held as if they were read.
    fn insert_records(&mut self, vault: VaultId, rows: Vec<Row>) -> impl Future<Output = Result<u64>> + Send;

    /// Replaces a sealed record of this revision by another one, where the patient's card is the new one's; false, and
    /// nothing is changed, where any of it is not so. The patient's row is held as if it were read.
    fn replace_record(&mut self, row: Row, revision: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Replaces the row of the same key, which this transaction has read.
    fn update(&mut self, table: &'static Table, row: Row) -> impl Future<Output = Result<()>> + Send;

    /// Deletes every row whose key begins so; gives their number.
    fn delete(&mut self, table: &'static Table, prefix: Vec<Value>) -> impl Future<Output = Result<u64>> + Send;

    /// Rows whose key begins so, in order, `limit` of them at most, from behind the rest `after` of a key on.
    fn page(
        &mut self,
        table: &'static Table,
        prefix: Vec<Value>,
        after: Vec<Value>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// Pieces of a job that are open and whose lease has ended, in order of the patient, `limit` of them at most.
    fn free_pieces(
        &mut self,
        vault: Vec<u8>,
        job: Vec<u8>,
        now: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Row>>> + Send;

    /// Gives a piece that [`Tx::free_pieces`] has found a lease and a new token; false, and nothing is changed, if it is not
    /// as it was found.
    fn take_piece(&mut self, found: &Row, lease: i64, token: i64) -> impl Future<Output = Result<bool>> + Send;

    /// Ends every lease of a job's open pieces by then that would end later.
    fn cut_leases(&mut self, vault: Vec<u8>, job: Vec<u8>, until: i64) -> impl Future<Output = Result<()>> + Send;

    /// How many pieces of a job are in each state, and when the last lease of these ends.
    fn count_pieces(
        &mut self,
        vault: Vec<u8>,
        job: Vec<u8>,
    ) -> impl Future<Output = Result<Vec<(i64, u64, i64)>>> + Send;

    /// Deletes what a generation has of all patients of a vault.
    fn delete_generation(&mut self, vault: Vec<u8>, generation: i64) -> impl Future<Output = Result<()>> + Send;

    /// Cards that are their patient's current one or that a record names, and of which a generation has no master grant: in
    /// order of patient and card, from behind a patient's card on and `limit` of them at most.
    fn without_way(
        &mut self,
        vault: Vec<u8>,
        generation: i64,
        after: (Vec<u8>, Vec<u8>),
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Wayless>>> + Send;

    /// Whether a card is on a receipt of an erasure.
    fn is_erased(&mut self, vault: Vec<u8>, card: Vec<u8>) -> impl Future<Output = Result<bool>> + Send;

    /// Whether a record of the vault names this object.
    fn names_object(&mut self, vault: Vec<u8>, object: Vec<u8>) -> impl Future<Output = Result<bool>> + Send;

    /// Makes it durable.
    fn commit(self) -> impl Future<Output = Result<()>> + Send;

    /// Gives up what it holds, and is back when that is done; dropping it lets that happen later.
    fn rollback(self) -> impl Future<Output = ()> + Send;
}

/// Takes a row apart, and says which table is damaged where that fails.
pub(crate) struct Reader {
    table: &'static str,
    values: std::vec::IntoIter<Value>,
}

impl Reader {
    pub(crate) fn new(table: &'static Table, row: Row) -> Self {
        Self { table: table.name, values: row.into_iter() }
    }

    /// Passes over the beginning of the key, which the caller knows.
    pub(crate) fn skip(mut self, count: usize) -> Self {
        for _ in 0..count {
            self.values.next();
        }
        self
    }

    fn fault(&self, what: &'static str) -> Error {
        Error::Corrupt { table: self.table, what }
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        match self.values.next() {
            Some(Value::Int(number)) => Ok(number),
            _ => Err(self.fault("a number is missing")),
        }
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        u64::try_from(self.int()?).map_err(|_| self.fault("a number is negative"))
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        u32::try_from(self.int()?).map_err(|_| self.fault("a number is out of range"))
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>> {
        self.optional_bytes()?.ok_or_else(|| self.fault("bytes are missing"))
    }

    pub(crate) fn optional_bytes(&mut self) -> Result<Option<Vec<u8>>> {
        match self.values.next() {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.fault("bytes are missing")),
        }
    }

    pub(crate) fn optional_u64(&mut self) -> Result<Option<u64>> {
        match self.values.next() {
            Some(Value::Int(number)) => u64::try_from(number).map(Some).map_err(|_| self.fault("a number is negative")),
            Some(Value::Null) => Ok(None),
            _ => Err(self.fault("a number is missing")),
        }
    }

    pub(crate) fn array(&mut self) -> Result<[u8; 32]> {
        self.bytes()?.try_into().map_err(|_| self.fault("an id has not 32 bytes"))
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        String::from_utf8(self.bytes()?).map_err(|_| self.fault("a text is not UTF-8"))
    }
}
