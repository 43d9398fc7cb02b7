//! What a member remembers, outside of the database.
//!
//! A thief who writes to the database can put back what was there before. Only a client that remembers something newer
//! notices that. So the session remembers the pin with the last roster, the accepted card of each patient, the highest
//! revision of each record, colleagues' keys and what a person has confirmed. What is noted is written before it is used.
//!
//! # Security
//! Whoever can write to a memory can make this member accept what was put back. Keep it where the writers of the database
//! cannot write, and out of the database's backups: a memory that is restored together with the database notices nothing.

mod file;
mod in_memory;
pub(crate) mod notes;
pub(crate) mod subject;
#[cfg(test)]
mod tests;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Result;
use file::MemoryFile;
use in_memory::InMemory;

/// Why a memory could not be read or written.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a memory answers, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = std::result::Result<T, Failure>> + Send + 'a>>;

/// One page of a memory: subjects and what is noted about them.
pub type Page = Vec<(Vec<u8>, Vec<u8>)>;

/// A memory: values by subject, each of which is replaced whole.
///
/// Several processes of one member may share one. Everything that returns is there after a `kill -9`.
pub trait Remember: fmt::Debug + Send + Sync {
    /// What is noted about a subject.
    fn read<'a>(&'a self, about: &'a [u8]) -> Answer<'a, Option<Vec<u8>>>;

    /// Replaces what is noted about a subject, if that is still `was`. Says whether it was; if not, nothing changes. `None`
    /// is that nothing is noted. As one step: of two that replace the same value, one gets `false`.
    fn write<'a>(&'a self, about: &'a [u8], was: Option<&'a [u8]>, now: Option<&'a [u8]>) -> Answer<'a, bool>;

    /// Subjects that begin with `prefix`, in bytewise order, `limit` of them at most, from behind `after` on.
    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<&'a [u8]>, limit: u32) -> Answer<'a, Page>;

    /// The directory in which it lies, if it lies in one that the database must not lie in.
    fn directory(&self) -> Option<PathBuf> {
        None
    }
}

/// A member's memory. Cloning it gives another handle on the same one.
#[derive(Debug, Clone)]
pub struct Memory(Arc<dyn Remember>);

impl Memory {
    /// A memory in a file, which is made if there is none: SQLite in write-ahead mode, of which the owner alone reads and
    /// writes. A note survives a `kill -9`; after a power cut the last ones may be missing (`synchronous = NORMAL`), and the
    /// memory then is a little older, and never damaged.
    ///
    /// # Errors
    /// [`Error::MemoryMode`](crate::Error::MemoryMode) if others can read the file;
    /// [`Error::Memory`](crate::Error::Memory) if it cannot be opened.
    ///
    /// # Security
    /// A clinic refuses a memory in the directory of its database, or below it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// let memory = lukko_clinic::Memory::file(directory.path().join("memory.db")).await?;
    /// # let _ = memory; Ok(()) }
    /// ```
    pub async fn file(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(Arc::new(MemoryFile::open(path.as_ref(), false).await?)))
    }

    /// As [`Memory::file`], and a clinic accepts it also in the directory of its database.
    ///
    /// # Errors
    /// As [`Memory::file`].
    ///
    /// # Security
    /// Whoever replaces that directory by yesterday's replaces the memory too, and nothing is noticed.
    pub async fn file_beside_the_database(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self(Arc::new(MemoryFile::open(path.as_ref(), true).await?)))
    }

    /// A memory that is gone when its last handle is dropped: for tests, and for a process that asks for the fingerprint
    /// each time it starts.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(InMemory::default()))
    }

    /// A memory of another kind.
    #[must_use]
    pub fn of(memory: impl Remember + 'static) -> Self {
        Self(Arc::new(memory))
    }

    pub(crate) fn inner(&self) -> &dyn Remember {
        self.0.as_ref()
    }
}
