//! Where a listing goes on. Ids are any bytes, so that a cursor is their hexadecimal digits: no id can hold what separates
//! its parts. Callers give it back as they got it.

use crate::hex::{hex, unhex};
use crate::problem::Problem;

const SEPARATOR: &str = "-";

/// The cursor behind a row with these parts of its key.
pub(super) fn behind<const PARTS: usize>(key: [&[u8]; PARTS]) -> String {
    key.map(hex).join(SEPARATOR)
}

/// The parts again.
pub(super) fn parse<const PARTS: usize>(cursor: &str) -> Result<[Vec<u8>; PARTS], Problem> {
    let parts: Option<Vec<Vec<u8>>> = cursor.split(SEPARATOR).map(unhex).collect();
    let parts = parts.and_then(|parts| parts.try_into().ok());
    parts.ok_or_else(|| Problem::unusable("`after` is the `next` of the page before, as it was given"))
}

/// An id as text. What is not UTF-8 is escaped, so that two ids never look the same by it.
pub(super) fn shown(id: &[u8]) -> String {
    std::str::from_utf8(id).map_or_else(|_| id.escape_ascii().to_string(), str::to_owned)
}
