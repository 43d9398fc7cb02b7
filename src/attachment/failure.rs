//! Errors that stick: what failed once is not tried again.

use std::io;

use crate::error::Error;

/// What a stream remembers of its first error.
#[derive(Debug, Clone)]
enum Failure {
    Refused(Error),
    Io(io::ErrorKind),
}

/// Lets operations through until one fails; from then on each fails as that one did, without being run.
#[derive(Debug, Default)]
pub(super) struct Guard(Option<Failure>);

impl Guard {
    /// Refuses if something failed before.
    pub(super) fn check(&self) -> io::Result<()> {
        match &self.0 {
            None => Ok(()),
            Some(Failure::Refused(error)) => Err(error.clone().into()),
            Some(Failure::Io(kind)) => Err((*kind).into()),
        }
    }

    /// Remembers an error on its way to the caller.
    pub(super) fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let error = final_error(error);
            self.0 = Some(match Error::from_io(&error) {
                Some(refused) => Failure::Refused(refused.clone()),
                None => Failure::Io(error.kind()),
            });
            error
        })
    }
}

/// `Interrupted` asks callers such as `write_all` to try again, and after an error that stuck they would try for ever.
fn final_error(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::Interrupted { io::Error::other(error) } else { error }
}

/// Runs an operation that may be repeated until it was not interrupted.
pub(super) fn uninterrupted<T>(mut operation: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
