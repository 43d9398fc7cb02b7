//! The log of openings: who, when, whom. One line for each, on disk before anything is read.
//!
//! It is a file of this process, not of the database, whose writer could delete rows. A clinic sends the lines on to where
//! the people who are logged cannot write.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::clock::Clock;

/// What is noted. Ids and names, and nothing that opens anything.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub(crate) enum Event<'a> {
    /// A custodian gave a share.
    Share { who: &'a str, share: u8 },
    /// A share was refused.
    ShareRefused { who: &'a str },
    /// The quorum was complete.
    Opened { who: &'a str },
    /// Someone is about to list a patient's records.
    List { who: &'a str, patient: &'a str },
    /// Someone is about to read a record.
    Read { who: &'a str, patient: &'a str, record: &'a str, field: &'a str },
    /// Someone closed it, or the service ended.
    Closed { who: &'a str },
    /// The time was over.
    Expired,
    /// The quorum was not complete in time.
    SharesExpired,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// Seconds since 1970.
    at: u64,
    #[serde(flatten)]
    event: Event<'a>,
}

/// The file.
#[derive(Debug)]
pub(crate) struct Openings {
    file: Mutex<File>,
    clock: Arc<dyn Clock>,
}

impl Openings {
    pub(crate) fn new(file: File, clock: Arc<dyn Clock>) -> Self {
        Self { file: Mutex::new(file), clock }
    }

    /// Writes a line and waits until it is on disk. Rare enough to do it where the request runs.
    pub(crate) fn note(&self, event: Event<'_>) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Line { at: self.clock.unix().as_secs(), event })?;
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line)?;
        file.sync_data()
    }

    /// For what happened already and cannot be refused any more.
    pub(crate) fn note_or_complain(&self, event: Event<'_>) {
        if let Err(error) = self.note(event) {
            tracing::error!(%error, ?event, "the log of openings cannot be written");
        }
    }
}
