//! Opening an attachment on the reader's path.

use std::fmt;
use std::io::{self, Read, Seek, SeekFrom};
#[cfg(feature = "parallel")]
use std::num::NonZeroUsize;

use super::front::{payload_layout, read_front};
use super::stream::{Payload, Stream};
use crate::choice::{Padding, Path};
use crate::ident::{Place, Revision};
use crate::keys::patient::PatientKey;
use crate::keys::record::RecordKey;
use crate::record::parts::{payload_context, require_own, unwrap_reader_key};
use crate::record::{Origin, RecordContext};
use crate::vault::Vault;
use crate::wire::record::Front;

/// Opens an attachment while it is read, from any position.
///
/// Made by [`Vault::open_attachment`](crate::Vault::open_attachment), and by
/// [`DepositedAttachment::verify_authorship`](crate::DepositedAttachment::verify_authorship). Decrypts the chunks of
/// 16 KiB that are needed and holds one, which is wiped. Behind an error all later calls fail with one of the same
/// kind; only seeking to a negative position, which gives `InvalidInput`, leaves everything as it was.
///
/// # Security
/// Every byte that it gives is authentic and stands where it says; that the attachment has been neither cut nor
/// lengthened was checked when it was opened. A chunk that was altered is noticed when it is read: what was read before
/// is true, and not the whole. Which chunks are read shows whoever serves the source about where the note ends, which
/// the padding hides from who sees the attachment at rest.
pub struct AttachmentReader<R> {
    stream: Stream<R>,
    origin: Origin,
}

impl<R> AttachmentReader<R> {
    pub(super) const fn new(stream: Stream<R>, origin: Origin) -> Self {
        Self { stream, origin }
    }

    /// Its revision: a client that remembers the last one it saw notices an old text put back.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        self.stream.revision
    }

    /// How it is padded.
    #[must_use]
    pub const fn padding(&self) -> Padding {
        self.stream.padding
    }

    /// What is known of its author.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }
}

impl<R: Read + Seek> AttachmentReader<R> {
    /// Reads `chunks` chunks of 16 KiB at once from now on, and opens them on the threads of the rayon pool that it is
    /// read in. Takes as much memory; a seek costs as many chunks.
    ///
    /// # Security
    /// What is read is the same. That a chunk was altered is noticed up to `chunks` chunks earlier.
    #[cfg(feature = "parallel")]
    #[must_use]
    pub fn in_parallel(self, chunks: NonZeroUsize) -> Self {
        Self { stream: self.stream.in_batches_of(chunks), ..self }
    }

    /// The length of the note, in bytes, without padding. The position stays where it is.
    ///
    /// The first call may decrypt all that may be padding: 12 % of the attachment at most, 3 % of 1 GiB.
    ///
    /// # Errors
    /// The source's; [`Error::NotAuthentic`](crate::Error::NotAuthentic); the one that stuck.
    pub fn plaintext_len(&mut self) -> io::Result<u64> {
        self.stream.len()
    }
}

impl<R: Read + Seek> Read for AttachmentReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream.read(out)
    }
}

impl<R: Read + Seek> Seek for AttachmentReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.stream.seek(to)
    }
}

impl<R> fmt::Debug for AttachmentReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, origin } = self;
        f.debug_struct("AttachmentReader")
            .field("revision", &stream.revision)
            .field("origin", origin)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Opens an attachment, or any record that a reader sealed, as a stream. It is the whole of `source`, from offset 0.
    /// Reads the front, the header and the last chunk.
    ///
    /// # Errors
    /// The source's; as [`Vault::open`]. An attachment whose end is missing is refused here.
    pub fn open_attachment<R: Read + Seek>(
        &self,
        key: &PatientKey,
        place: Place<'_>,
        source: R,
    ) -> io::Result<AttachmentReader<R>> {
        self.require_open(key.scope(), key.card())?;
        open(key, place, source)
    }
}

/// [`Vault::open_attachment`], whatever the roster says of the card.
pub(super) fn open<R: Read + Seek>(
    key: &PatientKey,
    place: Place<'_>,
    mut source: R,
) -> io::Result<AttachmentReader<R>> {
    // 1. Well-formed, of this card, in its place, as with a record
    let bytes = read_front(&mut source)?;
    let front = Front::parse(&bytes)?;
    require_own(key, &front, &[Path::Reader])?;
    let layout = payload_layout(&mut source, bytes.len(), 0)?;
    let context = RecordContext::claimed(place, &front.head);
    let payload_context = payload_context(key.scope().vault, key.patient_id(), &context);
    // 2. the record key, then commitment and length of the payload
    let mut slot = RecordKey::empty();
    let record_key = unwrap_reader_key(&mut slot, key, &front, payload_context)?;
    let payload = Payload { offset: bytes.len(), layout, payload_context, context: &context };
    Ok(AttachmentReader::new(Stream::open(source, &payload, record_key)?, Origin::Reader))
}
