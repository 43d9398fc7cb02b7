//! A store that fails where it is told to, for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lukko::VaultId;

use crate::backend::{Backend, Purpose, Tx, Wayless};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::rows::Scrub;
use crate::table::{Row, Table, Value};

/// A store over another one, whose operation N fails.
pub type FaultyStore<B> = Engine<Faulty<B>>;

/// The database of a [`FaultyStore`], and what is to fail.
#[derive(Debug, Clone)]
pub struct Faulty<B> {
    backend: B,
    faults: Faults,
}

/// How an operation fails. Every statement is an operation, and so are the begin and the end of each transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done, and says so; so does every later one of its transaction.
    Error,
    /// It is done, and the reply is lost.
    LostReply,
    /// It seems to be done; at the commit the connection turns out to be gone, and with it the transaction. Where one
    /// statement is the transaction, the same as an error.
    Torn,
}

/// Which operation fails, and how. Clones count together.
#[derive(Debug, Clone)]
pub struct Faults {
    at: u64,
    fault: Fault,
    seen: Arc<AtomicU64>,
}

impl Faults {
    /// Operation `at` fails, counted from 0; everything else succeeds.
    #[must_use]
    pub fn new(at: u64, fault: Fault) -> Self {
        Self { at, fault, seen: Arc::default() }
    }

    /// Whether the operation that was to fail has been reached.
    #[must_use]
    pub fn reached(&self) -> bool {
        self.seen.load(Ordering::SeqCst) > self.at
    }

    fn next(&self) -> Option<Fault> {
        (self.seen.fetch_add(1, Ordering::SeqCst) == self.at).then_some(self.fault)
    }
}

impl<B: Clone> FaultyStore<B> {
    /// The same store as `over`, with faults.
    #[must_use]
    pub fn new(over: &Engine<B>, faults: Faults) -> Self {
        Self::over(Faulty { backend: over.backend().clone(), faults })
    }
}

fn gone() -> Error {
    Error::unavailable("a fault that a test ordered")
}

impl<B: Backend> Backend for Faulty<B> {
    type Tx = FaultyTx<B::Tx>;

    async fn begin(&self, purpose: Purpose) -> Result<Self::Tx> {
        let fault = self.faults.next();
        if matches!(fault, Some(Fault::Error | Fault::LostReply)) {
            return Err(gone());
        }
        let inner = self.backend.begin(purpose).await?;
        let (faults, once) = (self.faults.clone(), matches!(purpose, Purpose::ReadOnce | Purpose::WriteOnce));
        let torn = fault.is_some();
        Ok(FaultyTx { inner, faults, once, torn, broken: torn && once })
    }

    fn taken_back(error: &Error) -> bool {
        B::taken_back(error)
    }

    async fn scrub(&self) -> Result<Scrub> {
        match self.faults.next() {
            Some(Fault::Error | Fault::Torn) => Err(gone()),
            Some(Fault::LostReply) => self.backend.scrub().await.and(Err(gone())),
            None => self.backend.scrub().await,
        }
    }
}

/// A transaction of a [`FaultyStore`].
#[derive(Debug)]
pub struct FaultyTx<T> {
    inner: T,
    faults: Faults,
    /// One statement is all of it: there is no commit that could fail.
    once: bool,
    torn: bool,
    broken: bool,
}

impl<T> FaultyTx<T> {
    /// What happens to the next operation: before it, and after it.
    fn next(&mut self) -> Result<bool> {
        let fault = self.faults.next();
        self.torn |= fault == Some(Fault::Torn);
        let lost = fault == Some(Fault::LostReply);
        if self.broken || fault == Some(Fault::Error) || (self.torn && self.once) {
            self.broken = true;
            return Err(gone());
        }
        self.broken = lost;
        Ok(lost)
    }
}

fn answer<R>(lost: bool, result: Result<R>) -> Result<R> {
    if lost { result.and(Err(gone())) } else { result }
}

impl<T: Tx> Tx for FaultyTx<T> {
    async fn get(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        let lost = self.next()?;
        answer(lost, self.inner.get(table, key).await)
    }

    async fn share(&mut self, table: &'static Table, key: Vec<Value>) -> Result<Option<Row>> {
        let lost = self.next()?;
        answer(lost, self.inner.share(table, key).await)
    }

    async fn insert(&mut self, table: &'static Table, row: Row) -> Result<bool> {
        let lost = self.next()?;
        answer(lost, self.inner.insert(table, row).await)
    }

    async fn insert_records(&mut self, vault: VaultId, rows: Vec<Row>) -> Result<u64> {
        let lost = self.next()?;
        answer(lost, self.inner.insert_records(vault, rows).await)
    }

    async fn replace_record(&mut self, row: Row, revision: i64) -> Result<bool> {
        let lost = self.next()?;
        answer(lost, self.inner.replace_record(row, revision).await)
    }

    async fn update(&mut self, table: &'static Table, row: Row) -> Result<()> {
        let lost = self.next()?;
        answer(lost, self.inner.update(table, row).await)
    }

    async fn delete(&mut self, table: &'static Table, prefix: Vec<Value>) -> Result<u64> {
        let lost = self.next()?;
        answer(lost, self.inner.delete(table, prefix).await)
    }

    async fn page(
        &mut self,
        table: &'static Table,
        prefix: Vec<Value>,
        after: Vec<Value>,
        limit: u32,
    ) -> Result<Vec<Row>> {
        let lost = self.next()?;
        answer(lost, self.inner.page(table, prefix, after, limit).await)
    }

    async fn free_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>, now: i64, limit: u32) -> Result<Vec<Row>> {
        let lost = self.next()?;
        answer(lost, self.inner.free_pieces(vault, job, now, limit).await)
    }

    async fn take_piece(&mut self, found: &Row, lease: i64, token: i64) -> Result<bool> {
        let lost = self.next()?;
        answer(lost, self.inner.take_piece(found, lease, token).await)
    }

    async fn cut_leases(&mut self, vault: Vec<u8>, job: Vec<u8>, until: i64) -> Result<()> {
        let lost = self.next()?;
        answer(lost, self.inner.cut_leases(vault, job, until).await)
    }

    async fn count_pieces(&mut self, vault: Vec<u8>, job: Vec<u8>) -> Result<Vec<(i64, u64, i64)>> {
        let lost = self.next()?;
        answer(lost, self.inner.count_pieces(vault, job).await)
    }

    async fn delete_generation(&mut self, vault: Vec<u8>, generation: i64) -> Result<()> {
        let lost = self.next()?;
        answer(lost, self.inner.delete_generation(vault, generation).await)
    }

    async fn without_way(
        &mut self,
        vault: Vec<u8>,
        generation: i64,
        after: (Vec<u8>, Vec<u8>),
        limit: u32,
    ) -> Result<Vec<Wayless>> {
        let lost = self.next()?;
        answer(lost, self.inner.without_way(vault, generation, after, limit).await)
    }

    async fn is_erased(&mut self, vault: Vec<u8>, card: Vec<u8>) -> Result<bool> {
        let lost = self.next()?;
        answer(lost, self.inner.is_erased(vault, card).await)
    }

    async fn names_object(&mut self, vault: Vec<u8>, object: Vec<u8>) -> Result<bool> {
        let lost = self.next()?;
        answer(lost, self.inner.names_object(vault, object).await)
    }

    async fn commit(mut self) -> Result<()> {
        if self.once {
            return self.inner.commit().await;
        }
        let lost = self.next()?;
        if self.torn {
            return Err(gone());
        }
        answer(lost, self.inner.commit().await)
    }
    async fn rollback(self) {
        self.inner.rollback().await;
    }
}
