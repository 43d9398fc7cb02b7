//! Reading and seeking in a payload, and finding where the note ends in it.

use std::io::{self, Read, Seek, SeekFrom};
#[cfg(feature = "parallel")]
use std::num::NonZeroUsize;

use super::buffer::copy_some;
use super::failure::Guard;
use super::source::Chunks;
use crate::choice::Padding;
use crate::chunked::{CHUNK_LEN, ChunkIndex, Layout};
use crate::digest::{PayloadContextId, PayloadDigest};
use crate::error::{Error, Result};
use crate::ident::Revision;
use crate::record::RecordContext;
use crate::record::parts::MARKER;

/// The note in a payload, as something to read and to seek in.
pub(super) struct Stream<R> {
    chunks: Chunks<R>,
    pub(super) padding: Padding,
    pub(super) revision: Revision,
    /// The note has at least this many bytes: the padded length, which is authentic, says so.
    least_len: u64,
    /// The length of the note, once it is known.
    note_len: Option<u64>,
    position: u64,
    guard: Guard,
}

/// Where the payload lies, and what it is opened with.
pub(super) struct Payload<'a> {
    /// Of the payload, from the start of the source.
    pub(super) offset: usize,
    pub(super) layout: Layout,
    /// The payload context id.
    pub(super) payload_context: PayloadContextId,
    pub(super) context: &'a RecordContext<'a>,
}

impl<R: Read + Seek> Stream<R> {
    /// Checks the commitment and the length.
    ///
    /// # Errors
    /// The source's; [`Error::NotAuthentic`].
    pub(super) fn open(source: R, payload: &Payload<'_>, record_key: &[u8; 32]) -> io::Result<Self> {
        let RecordContext { padding, revision, .. } = *payload.context;
        let offset = u64::try_from(payload.offset).map_err(|_| Error::NotAuthentic)?;
        let chunks = Chunks::open(source, offset, payload.layout, record_key, payload.payload_context)?;
        let padded_len = payload.layout.plaintext_len();
        let least_len = padding.least_note_len(padded_len).ok_or(Error::NotAuthentic)?;
        let note_len = (padding == Padding::None).then_some(padded_len);
        Ok(Self { chunks, padding, revision, least_len, note_len, position: 0, guard: Guard::default() })
    }

    /// Reads and opens so many chunks at once from now on.
    #[cfg(feature = "parallel")]
    pub(super) fn in_batches_of(self, count: NonZeroUsize) -> Self {
        Self { chunks: self.chunks.in_batches_of(count), ..self }
    }

    /// The length of the note, in bytes.
    pub(super) fn len(&mut self) -> io::Result<u64> {
        self.guard.check()?;
        let found = self.find_len();
        self.guard.note(found)
    }

    fn find_len(&mut self) -> io::Result<u64> {
        let length = match self.note_len {
            Some(length) => length,
            None => self.search_marker()?,
        };
        self.note_len = Some(length);
        Ok(length)
    }

    /// Looks for the marker behind the zeros, from the end backwards, chunk by chunk.
    ///
    /// The padding is the exact one if, and only if, the marker is not before the least length of a note.
    fn search_marker(&mut self) -> io::Result<u64> {
        let mut index = self.chunks.layout().last();
        loop {
            let start = start_of(index)?;
            let chunk = self.chunks.get(index)?;
            if let Some(at) = chunk.iter().rposition(|byte| *byte != 0) {
                let marker = u64::try_from(at).ok().and_then(|at| start.checked_add(at));
                let marker = marker.filter(|marker| *marker >= self.least_len);
                return marker.filter(|_| chunk.get(at) == Some(&MARKER)).ok_or(Error::NotAuthentic.into());
            }
            let before = index.get().checked_sub(1).and_then(ChunkIndex::new).filter(|_| start > self.least_len);
            index = before.ok_or(Error::NotAuthentic)?;
        }
    }

    fn read_some(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Up to the least length there is no need to know the end.
        let end = if self.position < self.least_len { self.least_len } else { self.find_len()? };
        let left = end.saturating_sub(self.position);
        if left == 0 {
            return Ok(0);
        }
        let (index, within) = ChunkIndex::containing(self.position).ok_or(Error::NotAuthentic)?;
        let chunk = self.chunks.get_and_read_ahead(index)?;
        let chunk = usize::try_from(within).ok().and_then(|within| chunk.get(within..)).unwrap_or_default();
        let most = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
        let taken = copy_some(chunk.get(..most).unwrap_or_default(), out);
        let taken_len = u64::try_from(taken).ok();
        self.position = taken_len.and_then(|taken| self.position.checked_add(taken)).ok_or(Error::NotAuthentic)?;
        Ok(taken)
    }

    /// Refuses if something failed before.
    pub(super) fn check(&self) -> io::Result<()> {
        self.guard.check()
    }

    /// The digest of the payload, over one pass through it. Reading goes on at the beginning, and where the note ends is
    /// found again: until now the source may have shown another end.
    pub(super) fn payload_digest(&mut self) -> io::Result<PayloadDigest> {
        let digest = self.chunks.payload_digest();
        self.position = 0;
        self.note_len = self.note_len.filter(|_| self.padding == Padding::None);
        self.guard.note(digest)
    }
}

/// The offset of a chunk in the plaintext.
fn start_of(index: ChunkIndex) -> Result<u64> {
    let chunk_len = u64::try_from(CHUNK_LEN).ok();
    chunk_len.and_then(|length| index.get().checked_mul(length)).ok_or(Error::NotAuthentic)
}

impl<R: Read + Seek> Read for Stream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.guard.check()?;
        let read = if out.is_empty() { Ok(0) } else { self.read_some(out) };
        self.guard.note(read)
    }
}

impl<R: Read + Seek> Seek for Stream<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.guard.check()?;
        let moved = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.len()?.checked_add_signed(by),
        };
        // A position that cannot be is the caller's slip and says nothing of the source: it does not stick.
        self.position = moved.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
