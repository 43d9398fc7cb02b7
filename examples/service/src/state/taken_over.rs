//! Which deposits were taken over through this door. It is a file of the door, like the pin, and not in the database: who
//! may deposit and writes to the database could put another deposit in the place, and nothing else would show it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::Failure;

/// Length of an entry of the file, in bytes.
const ENTRY: usize = 32;

/// The hashes of the places. A file of hashes names no patient.
#[derive(Debug)]
pub(crate) struct TakenOver(Mutex<Memory>);

#[derive(Debug)]
struct Memory {
    file: File,
    places: HashSet<[u8; ENTRY]>,
}

impl TakenOver {
    /// Reads the file, to which it appends from then on.
    pub(crate) fn new(mut file: File) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (entries, torn) = bytes.as_chunks::<ENTRY>();
        // Half an entry was never acknowledged.
        file.set_len(bytes.len().saturating_sub(torn.len()) as u64)?;
        let places = entries.iter().copied().collect();
        Ok(Self(Mutex::new(Memory { file, places })))
    }

    /// Whether this deposit was taken over.
    pub(crate) fn has(&self, patient: &str, record: &str) -> bool {
        self.lock().places.contains(&place(patient, record))
    }

    /// Notes it, on disk before it counts.
    pub(crate) fn remember(&self, patient: &str, record: &str) -> io::Result<()> {
        let (mut memory, place) = (self.lock(), place(patient, record));
        if !memory.places.contains(&place) {
            memory.file.write_all(&place)?;
            memory.file.sync_data()?;
            memory.places.insert(place);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The hash of a place. The length in front keeps two ids apart.
fn place(patient: &str, record: &str) -> [u8; ENTRY] {
    let length = (patient.len() as u64).to_be_bytes();
    let hash = Sha256::new().chain_update(length).chain_update(patient).chain_update(record);
    hash.finalize().into()
}
