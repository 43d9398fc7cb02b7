//! An attachment that moves to another key, in constant memory: opened and sealed anew, chunk by chunk.

use std::io::{self, Read, Seek, Write};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::deposited::open_deposited;
use super::failure::uninterrupted;
use super::reader::{AttachmentReader, open};
use super::writer::seal;
use crate::chunked::CHUNK_LEN;
use crate::error::{Error, Usage};
use crate::ident::{FieldLabel, RecordId};
use crate::keys::patient::PatientKey;
use crate::record::RecordContext;
use crate::roster::VerifiedRoster;

/// A sealed attachment and the place that it has in the store.
#[derive(Debug, Clone, Copy)]
pub struct StoredAttachment<'a, R> {
    /// The record's id.
    pub record: RecordId<'a>,
    /// The field.
    pub field: FieldLabel<'a>,
    /// The sealed attachment, of the reader's path or deposited; the whole of it, from offset 0.
    pub source: R,
}

/// Opens a reader's attachment with one key of its patient and seals it with another, in the same place.
pub(crate) fn reseal<R: Read + Seek, W: Write>(
    from: &PatientKey,
    to: &PatientKey,
    stored: StoredAttachment<'_, R>,
    sink: W,
    rng: &mut impl TryCryptoRng,
) -> io::Result<W> {
    let StoredAttachment { record, field, source } = stored;
    let reader = open(from, record, field, source)?;
    let place = RecordContext::new(record, field, reader.revision()).with_padding(reader.padding());
    copy(reader, to, &place, sink, rng)
}

/// Opens a deposited attachment, proves its author, and seals it as a reader's own in another place.
pub(crate) fn take_over<R: Read + Seek, W: Write>(
    from: &PatientKey,
    to: &PatientKey,
    stored: StoredAttachment<'_, R>,
    place: &RecordContext<'_>,
    sink: W,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> io::Result<W> {
    let StoredAttachment { record, field, source } = stored;
    if place.record() == record {
        return Err(Error::from(Usage::DepositsPlace).into());
    }
    let reader = open_deposited(from, record, field, source, roster)?.verify_authorship()?;
    copy(reader, to, place, sink, rng)
}

fn copy<R: Read + Seek, W: Write>(
    mut reader: AttachmentReader<R>,
    to: &PatientKey,
    place: &RecordContext<'_>,
    sink: W,
    rng: &mut impl TryCryptoRng,
) -> io::Result<W> {
    let mut writer = seal(to, place, sink, rng)?;
    let mut buffer = Zeroizing::new(vec![0; CHUNK_LEN]);
    loop {
        let length = uninterrupted(|| reader.read(&mut buffer))?;
        let Some(text) = buffer.get(..length).filter(|text| !text.is_empty()) else { break };
        writer.write_all(text)?;
    }
    writer.finish()
}
