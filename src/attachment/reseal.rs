//! An attachment that moves to another key, in constant memory: opened and sealed anew, chunk by chunk.

use std::io::{self, Read, Seek, SeekFrom, Write};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::deposited::open_deposited;
use super::failure::uninterrupted;
use super::front::read_front;
use super::reader::{AttachmentReader, open};
use super::writer::seal;
use crate::chunked::CHUNK_LEN;
use crate::ident::{FieldLabel, Path, RecordId};
use crate::keys::patient::PatientKey;
use crate::record::{RecordContext, path_of};
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

/// Opens an attachment with one key of a patient and seals it with another; the author of a deposited one is proven
/// before anything is written.
pub(crate) fn reseal<R: Read + Seek, W: Write>(
    from: &PatientKey,
    to: &PatientKey,
    stored: StoredAttachment<'_, R>,
    place: &RecordContext<'_>,
    sink: W,
    roster: &VerifiedRoster,
    rng: &mut impl TryCryptoRng,
) -> io::Result<W> {
    let mut reader = open_either(from, stored, roster)?;
    let mut writer = seal(to, place, sink, rng)?;
    let mut buffer = Zeroizing::new(vec![0; CHUNK_LEN]);
    loop {
        let length = uninterrupted(|| reader.read(&mut buffer))?;
        let Some(text) = buffer.get(..length).filter(|text| !text.is_empty()) else { break };
        writer.write_all(text)?;
    }
    writer.finish()
}

fn open_either<R: Read + Seek>(
    key: &PatientKey,
    StoredAttachment { record, field, mut source }: StoredAttachment<'_, R>,
    roster: &VerifiedRoster,
) -> io::Result<AttachmentReader<R>> {
    let front = read_front(&mut source)?;
    uninterrupted(|| source.seek(SeekFrom::Start(0)))?;
    match path_of(&front)? {
        Path::DepositedAttachment => open_deposited(key, record, field, source, roster)?.verify_authorship(),
        _ => open(key, record, field, source),
    }
}
