//! The file of a database while it is open: whether it is still the one at its path.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A database's file, as it was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct OpenFile {
    path: PathBuf,
    log: PathBuf,
    identity: Identity,
}

/// What stays the same while a file lives, whatever its name.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(file: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (file.dev(), file.ino())
}

/// Elsewhere only a file that is gone is noticed.
#[cfg(not(unix))]
const fn identity(_: &Metadata) -> Identity {
    (0, 0)
}

const MOVED: &str = "the database's file was removed or replaced while it was open, and changes are lost from then on: stop \
     the service, move the file's -wal and -shm away, and see which file has the newest notes";

impl OpenFile {
    /// The file at this path, which is open.
    pub(super) fn at(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).map_err(Error::unavailable)?;
        let identity = identity(&std::fs::metadata(&path).map_err(Error::unavailable)?);
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        Ok(Self { path, log: log.into(), identity })
    }

    /// The directory that it lies in.
    pub(super) fn directory(&self) -> Option<PathBuf> {
        self.path.parent().map(Path::to_owned)
    }

    /// # Errors
    /// [`Error::Unavailable`] if another file is at the path, or none.
    pub(super) fn still_there(&self) -> Result<()> {
        match std::fs::metadata(&self.path) {
            Ok(file) if identity(&file) == self.identity => Ok(()),
            Ok(_) => Err(Error::unavailable(MOVED)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::unavailable(MOVED)),
            Err(error) => Err(Error::unavailable(error)),
        }
    }

    /// After a change: the file is there, and the log that the change was written to.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if one of them is not.
    pub(super) fn kept(&self) -> Result<()> {
        self.still_there()?;
        self.log_bytes()?.map(drop).ok_or_else(|| Error::unavailable(MOVED))
    }

    /// How many bytes the write-ahead log has, if there is one: while somebody writes there is.
    pub(super) fn log_bytes(&self) -> Result<Option<u64>> {
        match std::fs::metadata(&self.log) {
            Ok(log) => Ok(Some(log.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::unavailable(error)),
        }
    }
}
