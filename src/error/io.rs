//! How errors travel through `std::io`.

use std::io;

use super::Error;

impl Error {
    /// The error that a call on an attachment was refused with, if it was not the sink's or the source's own.
    #[must_use]
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// The error inside an [`io::Error`]; [`Error::from_io`] takes it out again.
///
/// The kind is `InvalidInput` for [`Error::Usage`], `PermissionDenied` for [`Error::Untrusted`], `Other` for
/// [`Error::Randomness`], and `InvalidData` for everything else.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Usage(_) => io::ErrorKind::InvalidInput,
            Error::Untrusted(_) => io::ErrorKind::PermissionDenied,
            Error::Randomness => io::ErrorKind::Other,
            Error::Malformed { .. }
            | Error::ShareCharacter { .. }
            | Error::Stale { .. }
            | Error::Conflict(_)
            | Error::Share { .. }
            | Error::NotEnoughShares { .. }
            | Error::NotAuthentic => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
