//! An attachment that moves to another key, in constant memory: opened and sealed anew, chunk by chunk.

use std::io::{self, Read, Seek, Write};

use rand_core::TryCryptoRng;
use zeroize::Zeroizing;

use super::deposited::open_if;
use super::failure::uninterrupted;
use super::reader::{AttachmentReader, open};
use super::writer::seal;
use crate::chunked::CHUNK_LEN;
use crate::error::{Error, Usage};
use crate::ident::Place;
use crate::keys::patient::PatientKey;
use crate::record::RecordContext;
use crate::record::parts::Writer;
use crate::vault::Vault;

/// A sealed attachment and the place that it has in the store.
#[derive(Debug, Clone, Copy)]
pub struct StoredAttachment<'a, R> {
    /// Its place.
    pub place: Place<'a>,
    /// The sealed attachment, of the reader's path or deposited; the whole of it, from offset 0.
    pub source: R,
}

impl Vault {
    /// Seals a reader's attachment anew under another key of its patient, in its place, in constant memory.
    ///
    /// # Errors
    /// Those of source and sink; as [`Vault::open_attachment`] and [`Vault::rewrap`]. What `sink` has received until then
    /// does not open.
    pub fn reseal_attachment<R: Read + Seek, W: Write>(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        stored: StoredAttachment<'_, R>,
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<W> {
        self.require_movable(from, to)?;
        let StoredAttachment { place, source } = stored;
        let reader = open(from, place, source)?;
        let context = RecordContext::new(place, reader.revision()).with_padding(reader.padding());
        copy(reader, to, &context, sink, rng)
    }

    /// Takes a deposited attachment over, in constant memory: seals it as a reader's own, in a place that the caller
    /// chooses. The author is verified before anything is written to `sink`, and from then on known to the caller only:
    /// keep a note of [`DepositedAttachment::claimed_writer`](crate::DepositedAttachment::claimed_writer).
    ///
    /// # Errors
    /// Those of source and sink; as [`Vault::open_deposited_attachment`] and [`Vault::rewrap`];
    /// [`Usage::DepositsPlace`](crate::error::Usage::DepositsPlace) for the record id of the deposit, which its writer
    /// may have chosen.
    pub fn take_over_attachment<R: Read + Seek, W: Write>(
        &self,
        from: &PatientKey,
        to: &PatientKey,
        stored: StoredAttachment<'_, R>,
        context: &RecordContext<'_>,
        sink: W,
        rng: &mut impl TryCryptoRng,
    ) -> io::Result<W> {
        self.require_movable(from, to)?;
        let StoredAttachment { place, source } = stored;
        if context.place.record == place.record {
            return Err(Error::from(Usage::DepositsPlace).into());
        }
        let reader = open_if(Writer::require_unrevoked, from, place, source, &self.roster)?.verify_authorship()?;
        copy(reader, to, context, sink, rng)
    }
}

fn copy<R: Read + Seek, W: Write>(
    mut reader: AttachmentReader<R>,
    to: &PatientKey,
    context: &RecordContext<'_>,
    sink: W,
    rng: &mut impl TryCryptoRng,
) -> io::Result<W> {
    let mut writer = seal(to, context, sink, rng)?;
    let mut buffer = Zeroizing::new(vec![0; CHUNK_LEN]);
    loop {
        let length = uninterrupted(|| reader.read(&mut buffer))?;
        let Some(text) = buffer.get(..length).filter(|text| !text.is_empty()) else { break };
        writer.write_all(text)?;
    }
    writer.finish()
}
