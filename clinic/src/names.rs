//! Names that callers give, and the fields that they become.
//!
//! The field says which call opens a place, before its bytes are looked at: notes have the caller's name, deposits begin
//! with `deposit/`, attachments with `file/`. What begins with `lukko/` belongs to the library.

use std::collections::BTreeSet;

use lukko::PatientId;

use crate::error::{Error, Result};
use crate::memory::subject::Place;

const DEPOSIT: &[u8] = b"deposit/";
const FILE: &[u8] = b"file/";
const RESERVED: [&[u8]; 3] = [DEPOSIT, FILE, b"lukko/"];
/// The longest name, in bytes, so that a prefix still fits.
const LONGEST: usize = 240;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Note,
    Deposit,
    File,
    /// Something of the library.
    Other,
}

pub(crate) fn holds(field: &[u8]) -> Holds {
    match field {
        field if field.starts_with(DEPOSIT) => Holds::Deposit,
        field if field.starts_with(FILE) => Holds::File,
        field if field.starts_with(b"lukko/") => Holds::Other,
        _ => Holds::Note,
    }
}

/// The field of notes of this name.
pub(crate) fn note_field(name: &str) -> Result<Vec<u8>> {
    require(name)?;
    Ok(name.as_bytes().to_vec())
}

/// The field of deposits of this name.
pub(crate) fn deposit_field(name: &str) -> Result<Vec<u8>> {
    require(name)?;
    Ok([DEPOSIT, name.as_bytes()].concat())
}

/// The field of attachments of this name.
pub(crate) fn file_field(name: &str) -> Result<Vec<u8>> {
    require(name)?;
    Ok([FILE, name.as_bytes()].concat())
}

/// The name that the caller gave for a field.
pub(crate) fn shown(field: &[u8]) -> &[u8] {
    field.strip_prefix(DEPOSIT).or_else(|| field.strip_prefix(FILE)).unwrap_or(field)
}

/// A patient's id as the core takes it.
pub(crate) fn patient(id: &[u8]) -> Result<PatientId<'_>> {
    PatientId::new(id).map_err(|_| Error::Name)
}

/// The fields of deposits among these places, for a job that must know them.
pub(crate) fn deposit_fields<'a>(places: impl Iterator<Item = &'a Place>) -> BTreeSet<Vec<u8>> {
    places.map(|place| place.field.clone()).filter(|field| holds(field) == Holds::Deposit).collect()
}

fn require(name: &str) -> Result<()> {
    let reserved = RESERVED.iter().any(|prefix| name.as_bytes().starts_with(prefix));
    if name.is_empty() || name.len() > LONGEST || reserved { Err(Error::Name) } else { Ok(()) }
}
