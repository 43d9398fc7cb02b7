//! Files that nobody but their owner reads.

use std::path::Path;

use crate::error::{Error, Result};

/// The owner reads and writes, and nobody else does anything.
pub(crate) const MODE: u32 = 0o600;

/// Refuses a file that its group or others can read or write. On systems without such modes nothing is refused.
#[cfg(unix)]
pub(crate) fn require(path: &Path, otherwise: Error) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).map_err(|error| Error::Memory(error.into()))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(otherwise) }
}

#[cfg(not(unix))]
pub(crate) fn require(_: &Path, _: Error) -> Result<()> {
    Ok(())
}
