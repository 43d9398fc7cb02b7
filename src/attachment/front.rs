//! Reading what stands before the payload, and where the payload lies.

use std::io::{self, Read, Seek, SeekFrom};

use super::failure::uninterrupted;
use crate::chunked::Layout;
use crate::error::{Error, Object};
use crate::wire::record::{Front, START_LEN};

/// Reads the front of a record, which begins at offset 0: first the bytes that say how long it is, then the rest.
/// What is missing at the end is missing in the bytes too, and their parser refuses it.
pub(super) fn read_front<R: Read + Seek>(source: &mut R) -> io::Result<Vec<u8>> {
    uninterrupted(|| source.seek(SeekFrom::Start(0)))?;
    let mut front = Vec::with_capacity(START_LEN);
    read_up_to(source, START_LEN, &mut front)?;
    let (_, length) = Front::start(&front)?;
    read_up_to(source, length.saturating_sub(START_LEN), &mut front)?;
    Ok(front)
}

fn read_up_to(source: &mut impl Read, length: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    source.take(length).read_to_end(out).map(drop)
}

/// The layout of the payload, which is everything between front and trailer.
///
/// # Errors
/// The source's; [`Error::Malformed`] for a length that no payload has.
pub(super) fn payload_layout(source: &mut impl Seek, front_len: usize, trailer_len: usize) -> io::Result<Layout> {
    let total = uninterrupted(|| source.seek(SeekFrom::End(0)))?;
    let around = front_len.checked_add(trailer_len).and_then(|around| u64::try_from(around).ok());
    let payload_len = around.and_then(|around| total.checked_sub(around));
    let layout = payload_len.and_then(|length| Layout::of_sealed(length).ok());
    layout.ok_or_else(|| Error::malformed(Object::Record, "payload", front_len).into())
}
