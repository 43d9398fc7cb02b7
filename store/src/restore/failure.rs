//! What is said to the people at the machine.

use std::fmt;
use std::io;
use std::path::Path;

use crate::error::Error;

/// Why a vault could not be brought back: a sentence for whoever sits at the machine. Holds no secret.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// A file or a directory that could not be used.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<lukko::Error> for Failure {
    fn from(error: lukko::Error) -> Self {
        Self(error.to_string())
    }
}

/// Where people read what happens, and are asked for shares.
pub trait Console {
    /// One line about what was done.
    fn say(&self, line: &str);
    /// One line about what went wrong and what to do.
    fn complain(&self, line: &str);
    /// A share is waited for.
    fn ask(&self);
}

/// A patient or a record, and what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The patient.
    pub patient: Vec<u8>,
    /// The record and its field; none for the patient's key, and with it all records.
    pub record: Option<(Vec<u8>, Vec<u8>)>,
    /// What happened. Holds no secret.
    pub what: String,
}

/// One line, in which no id reaches the terminal as it is.
impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.record {
            Some((record, field)) => {
                write!(f, "{} {} {}: {}", shown(&self.patient), shown(record), shown(field), self.what)
            }
            None => write!(f, "{} key: {}", shown(&self.patient), self.what),
        }
    }
}

/// An id as a terminal may show it: what is no plain text is escaped. Whoever writes to the database chooses ids, and must
/// not be able to clear or forge a line of the terminal in which custodians type.
#[must_use]
pub fn shown(id: &[u8]) -> String {
    match std::str::from_utf8(id) {
        Ok(text) => text.escape_debug().collect(),
        Err(_) => id.escape_ascii().to_string(),
    }
}
